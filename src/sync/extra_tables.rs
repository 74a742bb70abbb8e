//! The tables that a sync keeps up to date only when it is asked to, because they take requests of their own: appointments
//! a request for each calendar, businesses one for each page.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::mirror::{MirrorError, MirrorReader, RecordKind};
use crate::run::{FetchFailure, stream};

/// How old such a table may become before a sync reads it again.
const MAX_AGE: Duration = Duration::from_hours(24);

/// Tables that are kept up to date when asked to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtraTables {
    /// Appointments.
    pub appointments: bool,
    /// Businesses.
    pub businesses: bool,
}

impl ExtraTables {
    /// Every one.
    pub(super) const KINDS: [RecordKind; 2] = [RecordKind::Appointment, RecordKind::Business];

    /// Whether rows of a kind are taken: the usual tables always are.
    pub(super) fn includes(self, kind: RecordKind) -> bool {
        match kind {
            RecordKind::Appointment => self.appointments,
            RecordKind::Business => self.businesses,
            _ => true,
        }
    }

    /// Those that were last read so long ago that they are due.
    pub(super) fn due(
        self,
        mirror: &MirrorReader,
        now: jiff::Timestamp,
    ) -> Result<Self, MirrorError> {
        let is_due = |kind| -> Result<bool, MirrorError> {
            if !self.includes(kind) {
                return Ok(false);
            }
            let Some(last) = mirror.last_attempt_at(kind)? else { return Ok(true) };
            let age_s = now.as_second() - last.facts.started.as_second();
            // A reading in the future: the clock was set back, and nothing is known of its age.
            Ok(u64::try_from(age_s).is_err() || age_s.unsigned_abs() >= MAX_AGE.as_secs())
        };
        Ok(Self {
            appointments: is_due(RecordKind::Appointment)?,
            businesses: is_due(RecordKind::Business)?,
        })
    }

    /// Whether a failure is of one of these tables.
    pub(super) fn owns_failure(self, failure: &FetchFailure) -> bool {
        let name = failure.stream.as_str();
        let is_of_appointments = matches!(name, stream::CALENDARS | stream::CONTACT_APPOINTMENTS)
            || name.starts_with(stream::EVENTS);
        (self.appointments && is_of_appointments) || (self.businesses && name == stream::BUSINESSES)
    }

    /// The tables that were asked for, with whether they were read as a whole.
    pub(super) fn readings(self, failures: &[FetchFailure]) -> Vec<(RecordKind, bool)> {
        let asked = Self::KINDS.into_iter().filter(|kind| self.includes(*kind));
        asked
            .map(|kind| {
                let only = Self {
                    appointments: kind == RecordKind::Appointment,
                    businesses: kind == RecordKind::Business,
                };
                (kind, !failures.iter().any(|failure| only.owns_failure(failure)))
            })
            .collect()
    }
}
