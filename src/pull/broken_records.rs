//! Records with bytes that are not UTF-8 or not JSON: one line of `errors.csv` each, and another request for
//! `--retry-errors`.
//!
//! The client has put what can be read of them into the body, so they are in the tables as far as they go.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Pull, PullError};
use crate::api::{ApiResponse, BrokenRecord, ContactSearchFilter, NotePage};
use crate::diagnostic::FetchFailureCode;
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

impl Pull {
    /// Records the broken records of a response. `owner` is the contact whose records they are, and `position` says
    /// where one without an id is.
    pub(super) async fn record_broken<'r>(
        &self,
        stream: &str,
        owner: Option<&ContactId>,
        position: &str,
        broken: impl IntoIterator<Item = &'r BrokenRecord>,
    ) -> Result<(), PullError> {
        for record in broken {
            let name = match &record.id {
                Some(id) => id.clone(),
                None => format!("{position}, row {}", record.place + 1),
            };
            let subject = match owner {
                Some(owner) => format!("{owner} {name}"),
                None => name,
            };
            self.write_to_spool(SpoolWrite::Failed(broken_record_failure(stream, subject, record)))
                .await?;
        }
        Ok(())
    }

    /// Records the broken notes of a page of the search, each with the first contact that it relates to.
    pub(super) async fn record_broken_notes(
        &self,
        page: &ApiResponse<NotePage>,
    ) -> Result<(), PullError> {
        for record in &page.broken {
            let note = page.head.rows.get(record.place).and_then(Option::as_ref);
            let owner = note.and_then(|note| note.contacts.first());
            let one = std::slice::from_ref(record);
            self.record_broken(stream::NOTES, owner, "a page of notes", one).await?;
        }
        Ok(())
    }

    /// Requests the contacts once more that had broken bytes in a page.
    pub(super) async fn retry_broken_contacts(
        &self,
        pending: &[FetchFailure],
    ) -> Result<(), PullError> {
        let broken = pending.iter().filter(|failure| {
            failure.stream == stream::CONTACTS && failure.code == FetchFailureCode::Malformed
        });
        let ids: BTreeSet<ContactId> =
            broken.filter_map(|failure| failure.subject.parse().ok()).collect();
        for id in ids {
            let (stream, subject) = (stream::CONTACTS.to_owned(), id.to_string());
            let filter = json!({"field": "id", "operator": "eq", "value": id});
            let filter = ContactSearchFilter { filters: vec![filter], query: None };
            match self.client.search_contacts(&filter, 1, None).await {
                Ok(ApiResponse { body, head, broken }) if head.has_only(&id) => {
                    let again = stream::REREAD_CONTACTS.to_owned();
                    let progress = StreamProgress { rows: 1, ..StreamProgress::default() };
                    self.write_to_spool(SpoolWrite::Entry {
                        stream: again,
                        rows: 1,
                        body,
                        progress,
                    })
                    .await?;
                    if broken.is_empty() {
                        self.write_to_spool(SpoolWrite::FailureResolved { stream, subject })
                            .await?;
                    }
                }
                Err(error) if error.is_fatal() => return Err(error.into()),
                // The line that there is says more than another one.
                _ => {}
            }
        }
        Ok(())
    }
}

/// The contact in the subject of a failure of its notes, tasks or appointments.
pub(super) fn parse_owner(failure: &FetchFailure) -> Option<ContactId> {
    match failure.code {
        FetchFailureCode::Malformed => failure.subject.split(' ').next()?.parse().ok(),
        _ => failure.subject.parse().ok(),
    }
}

fn broken_record_failure(stream: &str, subject: String, record: &BrokenRecord) -> FetchFailure {
    let lost = if record.is_kept { "" } else { "; the table does not have it" };
    FetchFailure {
        stream: stream.to_owned(),
        subject,
        code: FetchFailureCode::Malformed,
        message: format!("{}{lost}", record.message),
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}
