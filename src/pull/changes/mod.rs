//! What has changed since a location was mirrored: reads the contacts that were updated last, and proves by the search's
//! own count that none was deleted.
//!
//! The search for all contacts, the one that was updated last first, shows what has changed and counts all contacts. If
//! it counts as many as the mirror has and the pages add, no contact was deleted, and one request was enough. Otherwise
//! counts over ranges of `dateAdded` find the difference. Nothing counts as deleted because a search does not show it:
//! the search hides and lags, so each such record is requested by its own endpoint. Notes and tasks are read for
//! contacts that have changed; a walk finds the others.

mod all_tasks;
mod confirm_appointments;
mod confirm_children;
mod confirm_contacts;
mod count_ranges;
mod hinted_contacts;
mod moved_contacts;
mod newest_notes;
mod note_lists;
mod recently_updated;
mod searched_notes;
mod spool_scan;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ChildKind, Pull, PullError};
use crate::id::ContactId;
use crate::mirror::{MirrorError, MirrorReader};
use crate::run::{SpoolReader, SpoolWrite, StreamProgress, stream};

pub use all_tasks::has_all_tasks;
pub use newest_notes::{NewestNotes, find_newest_notes};
pub use note_lists::{NoteListsEnd, find_note_lists_end};
pub use searched_notes::{SearchedContacts, has_unsettled_notes};
pub use spool_scan::DeletedRecords;

/// What a pull compares the location with.
#[derive(Debug, Clone)]
pub struct MirrorScope {
    /// The directory of the mirror.
    pub dir: PathBuf,
    /// The updates from this time on are read, in milliseconds since 1970.
    pub since_ms: i64,
    /// Whether the search's count of contacts is taken as a proof that none was deleted.
    pub trusts_counts: bool,
    /// Contacts that are read first, with their notes and tasks.
    pub hints: Vec<ContactId>,
    /// The newest notes are read that were written from this time on, in milliseconds since 1970; `None` if none are.
    pub newest_notes_since_ms: Option<i64>,
    /// Whether the search of notes is proven and shows the newest notes of the location in this sync or a later one.
    pub searches_notes: bool,
    /// Contacts whose notes are looked at again, because the search may not have shown all of them before.
    pub notes_again: Vec<ContactId>,
    /// Whether all tasks are read, and not only those of contacts that have changed.
    pub reads_all_tasks: bool,
}

/// How the deletions of contacts were looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionCheck {
    /// The search's count says how many contacts there are, and it fits.
    Counted,
    /// All contacts were read.
    Walked,
    /// They were not: the count cannot be believed, or does not fit what the search shows.
    #[default]
    Unknown,
}

/// What a comparison of the mirror with the location came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparisonResult {
    /// How deletions were looked for.
    pub deletions: DeletionCheck,
    /// Contacts that the search does not show although they exist.
    pub hidden: u64,
    /// Contacts of which their own endpoint could not say whether they exist.
    pub unconfirmed: u64,
    /// Contacts that no longer exist.
    pub deleted: u64,
    /// Whether the search counts as many contacts as it shows.
    pub counts_agree: bool,
}

/// Reads the result of the comparison from a run's spool.
pub fn read_comparison(spool: &SpoolReader) -> Result<ComparisonResult, crate::run::RunError> {
    let progress = spool.stream_progress(stream::COMPARED)?;
    let stored = progress.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    Ok(stored.unwrap_or_default())
}

impl Pull {
    /// Reads what has changed since the mirror was brought up to date. [`Self::confirm_missing`] completes it.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn pull_changes(&self, scope: &MirrorScope) -> Result<(), PullError> {
        self.client.attach_location_facts(self.location_facts.clone());
        // Hinted contacts are searched for again after an interruption, which changes nothing.
        if !self.stream_progress(stream::CONTACTS)?.done {
            Box::pin(self.pull_hinted_contacts(scope)).await?;
        }
        let result = Box::pin(self.pull_updated_pages(scope)).await;
        self.flush_writes().await?;
        result
    }

    /// Finds out which records of the mirror that were not read no longer exist, and reads the notes and tasks of contacts
    /// that have changed. `walked` is whether everything was read.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn confirm_missing(
        &self,
        scope: &MirrorScope,
        walked: bool,
    ) -> Result<(), PullError> {
        self.flush_writes().await?;
        if !self.stream_progress(stream::COMPARED)?.done {
            let result = if walked {
                Box::pin(self.compare_walk(scope)).await?
            } else {
                Box::pin(self.compare_counts(scope)).await?
            };
            self.store_comparison(result).await?;
        }
        let read = if walked {
            Box::pin(self.find_walked_lists(scope)).await?
        } else {
            Box::pin(self.pull_changed_children(scope)).await?
        };
        for (kind, contacts) in [(ChildKind::Tasks, read.tasks), (ChildKind::Notes, read.notes)] {
            Box::pin(self.confirm_missing_children(scope, kind, contacts.as_ref())).await?;
        }
        Box::pin(self.confirm_missing_appointments(scope)).await?;
        self.flush_writes().await
    }

    /// Reads the notes and tasks of contacts that have changed, and the newest notes.
    async fn pull_changed_children(&self, scope: &MirrorScope) -> Result<ReadLists, PullError> {
        let moved = self.find_moved_contacts(scope).await?;
        let has_all_tasks = scope.reads_all_tasks && self.pull_all_tasks().await?;
        self.pull_children_of_moved(scope, &moved).await?;
        let tasks = (!has_all_tasks).then(|| moved.of_kind(ChildKind::Tasks));
        let mut notes = moved.of_kind(ChildKind::Notes);
        notes.extend(self.pull_newest_notes(scope, &moved).await?);
        Ok(ReadLists { tasks, notes: Some(notes) })
    }

    /// What a walk has read: everything, or everything but the notes and the tasks of contacts that have not changed.
    async fn find_walked_lists(&self, scope: &MirrorScope) -> Result<ReadLists, PullError> {
        let tasks = if scope.reads_all_tasks {
            None
        } else {
            let moved = self.find_moved_contacts(scope).await?;
            self.pull_tasks_of_moved(&moved).await?;
            Some(moved.of_kind(ChildKind::Tasks))
        };
        let notes = if self.leaves_notes()? {
            let own_lists = self.scan_children(ChildKind::Notes).await?.own_lists;
            Some(own_lists.into_iter().collect())
        } else {
            None
        };
        Ok(ReadLists { tasks, notes })
    }

    async fn store_comparison(&self, result: ComparisonResult) -> Result<(), PullError> {
        let cursor = serde_json::to_string(&result).expect("a result is plain JSON");
        let progress = StreamProgress { cursor: Some(cursor), done: true, ..<_>::default() };
        let stream = stream::COMPARED.to_owned();
        self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
        self.flush_writes().await
    }
}

/// The contacts whose notes and tasks were read; `None` for all.
struct ReadLists {
    tasks: Option<BTreeSet<String>>,
    notes: Option<BTreeSet<String>>,
}

/// Opens the mirror of a scope, which exists before anything is compared with it.
fn open_mirror(scope: &MirrorScope) -> Result<MirrorReader, PullError> {
    let missing = || MirrorError::Damaged {
        path: crate::mirror::database_path(&scope.dir),
        why: "it has disappeared".to_owned(),
    };
    MirrorReader::open(&scope.dir)?.ok_or_else(missing).map_err(PullError::from)
}
