//! Appointments that the mirror has and that no calendar shows: their contact's own list says whether they still exist.
//!
//! A contact's own list writes appointments in another way than the calendars do, and has a series where they have its
//! instances. So it is only asked what exists; none of its rows goes into the mirror. Where there is no list to ask, an
//! appointment counts as deleted only if its calendar was read as a whole.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::confirm_contacts::is_unusual_loss;
use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::diagnostic::EventWarningCode;
use crate::id::ContactId;
use crate::mirror::{MirrorReader, RecordKind};
use crate::pull::ChildKind;
use crate::resource::{self, APPOINTMENTS, CustomFieldColumns, SortKeyReader};
use crate::run::{FetchFailure, PackedResponses, stream};
use crate::text::format_count;

/// Most contacts whose lists are read to confirm deletions in one sync; the next one goes on with the others.
const MAX_CONFIRMATIONS: usize = 2_000;

/// What the calendars do not show.
#[derive(Default)]
struct MissingAppointments {
    /// By the contact that can be asked.
    of_contacts: BTreeMap<String, Vec<String>>,
    /// Those that only their calendar can tell of, with it.
    of_calendars: Vec<(String, String)>,
}

impl Pull {
    /// Reads the tables that were asked for in addition to the usual ones, where only what was updated is read of the
    /// others.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn pull_extra_tables(&self) -> Result<(), PullError> {
        Box::pin(self.pull_calendar_events()).await?;
        self.pull_businesses().await?;
        self.retry_failed_records().await
    }

    /// Stores which appointments of the mirror no longer exist. Without all calendars nothing can be said.
    pub(super) async fn confirm_missing_appointments(
        &self,
        scope: &MirrorScope,
    ) -> Result<(), PullError> {
        self.flush_writes().await?;
        if !self.includes_child(ChildKind::Appointments) || self.has_unread_calendars()? {
            return Ok(());
        }
        let deleted = self.load_deleted_contacts().await?;
        let shown = self.read_calendar_event_ids()?;
        let missing = find_missing(&open_mirror(scope)?, &shown, &deleted)?;
        let ask = missing.of_contacts.keys().filter_map(|contact| contact.parse().ok());
        let ask: Vec<ContactId> = ask.take(MAX_CONFIRMATIONS).collect();
        self.read_own_lists(ChildKind::Appointments, ask).await?;
        let mut gone = self.find_unlisted(missing.of_contacts)?;
        let calendars: HashSet<String> =
            self.stored_calendar_ids()?.iter().map(ToString::to_string).collect();
        let of_read = |(_, calendar): &(String, String)| calendars.contains(calendar);
        gone.extend(missing.of_calendars.into_iter().filter(of_read).map(|(id, _)| id));
        let (count, live) =
            (gone.len() as u64, open_mirror(scope)?.count_live(RecordKind::Appointment)?);
        if is_unusual_loss(count, live) {
            let (count, all) = (format_count(count), format_count(live));
            let message = format!("{count} of {all} appointments were deleted since the last sync");
            self.report_warning(EventWarningCode::MassDeletion, message);
        }
        self.store_deleted(APPOINTMENTS.name, gone).await
    }

    /// Whether the calendars, or the events of one, could not be read completely.
    fn has_unread_calendars(&self) -> Result<bool, PullError> {
        let failures = self.open_reader()?.load_failures()?;
        let is_of_calendars = |failure: &FetchFailure| {
            failure.stream == stream::CALENDARS || failure.stream.starts_with(stream::EVENTS)
        };
        Ok(failures.iter().any(is_of_calendars))
    }

    fn read_calendar_event_ids(&self) -> Result<HashSet<String>, PullError> {
        let (reader, keys) = (self.open_reader()?, key_reader());
        let (mut ids, mut seq) = (HashSet::new(), 0);
        while let Some(entry) = reader.next_entry(stream::EVENTS, seq)? {
            seq = entry.seq;
            if entry.stream.starts_with(stream::EVENTS) {
                add_ids(&mut ids, &entry.body, &keys);
            }
        }
        Ok(ids)
    }

    /// The missing appointments that are not in their contact's own list, of contacts whose list was read.
    fn find_unlisted(
        &self,
        missing: BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<String>, PullError> {
        let (reader, keys) = (self.open_reader()?, key_reader());
        let failures = reader.load_failures()?;
        let of_lists = failures.iter().filter(|it| it.stream == stream::CONTACT_APPOINTMENTS);
        let unread: BTreeSet<&str> =
            of_lists.filter_map(|failure| failure.subject.split(' ').next()).collect();
        let (mut listed, mut seq) = (BTreeMap::<String, HashSet<String>>::new(), 0);
        while let Some(entry) = reader.next_entry(stream::CONTACT_APPOINTMENTS, seq)? {
            seq = entry.seq;
            if entry.stream == stream::CONTACT_APPOINTMENTS {
                for (contact, answer) in PackedResponses::new(entry.body) {
                    let contact = String::from_utf8_lossy(&contact).into_owned();
                    add_ids(listed.entry(contact).or_default(), &answer, &keys);
                }
            }
        }
        let mut gone = Vec::new();
        for (contact, ids) in missing {
            let Some(listed) = listed.get(&contact) else { continue };
            if !unread.contains(contact.as_str()) {
                gone.extend(ids.into_iter().filter(|id| !is_listed(id, listed)));
            }
        }
        Ok(gone)
    }
}

/// Whether a list has an appointment, or the series that it is an instance of (api.md §4: `<id>_<ms>_<duration>`).
fn is_listed(id: &str, listed: &HashSet<String>) -> bool {
    let series = id.split('_').next().unwrap_or(id);
    listed.contains(id) || listed.contains(series)
}

fn key_reader() -> SortKeyReader {
    SortKeyReader::new(&APPOINTMENTS.table_schema(&CustomFieldColumns::default()))
}

fn add_ids(ids: &mut HashSet<String>, answer: &[u8], keys: &SortKeyReader) {
    let answer = std::str::from_utf8(answer).unwrap_or_default();
    let rows = resource::response_rows(answer, "events");
    let exists = |row: &&str| !resource::has_true_member(row, "deleted");
    ids.extend(rows.filter(exists).filter_map(|row| keys.sort_key(row).ok()).map(|key| key.id));
}

/// The appointments of the mirror that the calendars do not show. A contact that is gone cannot be asked.
fn find_missing(
    mirror: &MirrorReader,
    shown: &HashSet<String>,
    deleted: &BTreeSet<String>,
) -> Result<MissingAppointments, PullError> {
    let mut unseen = Vec::new();
    mirror.for_each_live(RecordKind::Appointment, |id, contact| {
        if !shown.contains(id) {
            unseen.push((id.to_owned(), contact.map(str::to_owned)));
        }
    })?;
    let mut missing = MissingAppointments::default();
    for (id, contact) in unseen {
        let contact = contact.filter(|contact| !deleted.contains(contact));
        let known = contact.as_ref().map(|it| mirror.find_version(RecordKind::Contact, it));
        let exists = known.transpose()?.flatten().is_some_and(|known| known.is_live);
        if let Some(contact) = contact.filter(|_| exists) {
            missing.of_contacts.entry(contact).or_default().push(id);
            continue;
        }
        let row = mirror.find_latest_version(RecordKind::Appointment, &id)?;
        let calendar = row.and_then(|row| resource::find_text_member(&row.body, "calendarId"));
        missing.of_calendars.extend(calendar.map(|calendar| (id, calendar)));
    }
    Ok(missing)
}
