//! The notes of contacts whose turn it is: each contact's own list, as far as the requests go.

use serde::{Deserialize, Serialize};

use super::{MirrorScope, Pull, PullError};
use crate::api::{ApiErrorKind, HaltReason};
use crate::event::CancelCause;
use crate::id::ContactId;
use crate::pull::ChildKind;
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};

/// How far the lists were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteListsEnd {
    /// All of them.
    #[default]
    Complete,
    /// The requests of the day are used up.
    Budget,
    /// The deadline was reached.
    Deadline,
    /// The endpoint keeps failing.
    Failing,
}

impl NoteListsEnd {
    fn to_json(self) -> String {
        serde_json::to_string(&self).expect("a word is plain JSON")
    }
}

/// How far a spool has the lists.
///
/// # Errors
/// When the spool cannot be read.
pub fn find_note_lists_end(spool: &SpoolReader) -> Result<NoteListsEnd, RunError> {
    let cursor = spool.stream_progress(stream::COMPARED)?.cursor;
    Ok(cursor.and_then(|cursor| serde_json::from_str(&cursor).ok()).unwrap_or_default())
}

impl Pull {
    /// Reads the lists of notes of these contacts, and finds out which notes of theirs no longer exist. Where the requests
    /// of the day or the time end, that is no failure: the others are read another time.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn pull_note_lists(
        &self,
        scope: &MirrorScope,
        contacts: &[ContactId],
    ) -> Result<(), PullError> {
        self.client.attach_location_facts(self.location_facts.clone());
        let end = match Box::pin(self.read_lists_and_retry(contacts)).await {
            Ok(()) => NoteListsEnd::Complete,
            Err(error) => self.judge_end(&error).ok_or(error)?,
        };
        self.flush_writes().await?;
        let read = self.scan_children(ChildKind::Notes).await?.own_lists.into_iter().collect();
        Box::pin(self.confirm_missing_children(scope, ChildKind::Notes, Some(&read))).await?;
        let cursor = Some(end.to_json());
        let progress = StreamProgress { cursor, done: true, ..<_>::default() };
        let stream = stream::COMPARED.to_owned();
        self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
        self.flush_writes().await
    }

    async fn read_lists_and_retry(&self, contacts: &[ContactId]) -> Result<(), PullError> {
        self.read_own_lists(ChildKind::Notes, contacts.to_vec()).await?;
        self.retry_failed_records().await
    }

    /// How far lists are read that an error ended; `None` for a failure.
    fn judge_end(&self, error: &PullError) -> Option<NoteListsEnd> {
        if let PullError::Api(error) = error
            && matches!(error.kind, ApiErrorKind::EndpointFailing(_))
        {
            return Some(NoteListsEnd::Failing);
        }
        match error.halt_reason()? {
            HaltReason::DailyQuota { .. } | HaltReason::Budget { .. } => Some(NoteListsEnd::Budget),
            HaltReason::Cancelled => (self.cancel.root_cause() == Some(CancelCause::Deadline))
                .then_some(NoteListsEnd::Deadline),
            HaltReason::RateLimit { .. } | HaltReason::SilentRefusal => None,
        }
    }
}
