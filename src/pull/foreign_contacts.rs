//! Contacts that belong to another location than the one that was asked.
//!
//! They are in the tables, since leaving them out could lose the account's own, and in `errors.csv`.

use super::{Pull, PullError};
use crate::api::ContactRef;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::run::{FetchFailure, SpoolWrite, stream};
use crate::text::format_plural;

impl Pull {
    /// Records the contacts of a response that belong to another location.
    pub(super) async fn record_foreign_contacts(
        &self,
        rows: impl Iterator<Item = &ContactRef>,
    ) -> Result<(), PullError> {
        let own = self.client.location_id().as_str();
        for row in rows {
            let Some(other) = row.location.as_deref().filter(|location| *location != own) else {
                continue;
            };
            let failure = FetchFailure {
                stream: stream::CONTACTS.to_owned(),
                subject: row.id.to_string(),
                code: FetchFailureCode::OtherLocation,
                message: format!("the contact belongs to location `{other}`, not to `{own}`"),
                status: None,
                trace_id: None,
                transient: false,
                // It was read.
                records: 0,
            };
            self.write_to_spool(SpoolWrite::Failed(failure)).await?;
        }
        Ok(())
    }

    /// Says how many contacts belong to another location.
    pub(super) async fn warn_of_foreign_contacts(&self) -> Result<(), PullError> {
        self.flush_writes().await?;
        let mut failures = self.open_reader()?.load_failures()?;
        failures.retain(|failure| failure.code == FetchFailureCode::OtherLocation);
        let Some(first) = failures.first() else { return Ok(()) };
        let contacts = format_plural(failures.len() as u64, "contact");
        let message = format!(
            "the server sent {contacts} of another location, which the tables have, too: `{}`: {}",
            first.subject, first.message
        );
        self.report_warning(EventWarningCode::OtherLocation, message);
        Ok(())
    }
}
