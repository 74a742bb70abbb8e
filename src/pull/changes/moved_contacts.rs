//! The notes and tasks of contacts that have changed since the mirror was brought up to date.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::StreamExt;

use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::api::RetryPolicy;
use crate::concurrency;
use crate::id::ContactId;
use crate::mirror::RecordKind;
use crate::pull::tasks::{CONTACTS_PER_SEARCH, TaskStrategy, fetch_tasks_of};
use crate::pull::{ChildKind, missing_lists};
use crate::resource::{self, CONTACTS, RowDigester};
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, pack_responses, stream};

/// Responses that are stored together.
const BATCH: usize = 50;

/// The contacts whose notes and tasks have to be read.
pub(super) struct MovedContacts {
    /// Those that are new or differ from the mirror, and those that were hinted at.
    differing: BTreeSet<String>,
    /// Those of them that were updated so lately that a search may not show it yet.
    fresh: BTreeSet<String>,
    /// Those whose notes a search may not have shown completely before.
    notes_again: BTreeSet<String>,
    /// What could not be read for the mirror before.
    failures: Vec<FetchFailure>,
}

impl MovedContacts {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        ChildKind::ALL.into_iter().all(|kind| self.of_kind(kind).is_empty())
    }

    /// Those that are new or differ from the mirror.
    pub(super) fn differing(&self) -> &BTreeSet<String> {
        &self.differing
    }

    /// Whether a search may not show yet what a contact has.
    pub(super) fn is_fresh(&self, contact: &str) -> bool {
        self.fresh.contains(contact)
    }

    /// Those whose records of a kind have to be read.
    pub(super) fn of_kind(&self, kind: ChildKind) -> BTreeSet<String> {
        let failures = self.failures.iter();
        let unread = failures.filter(|failure| failure.stream == kind.stream_name());
        let unread = unread.filter_map(|failure| failure.subject.split(' ').next());
        let again = self.notes_again.iter().filter(|_| kind == ChildKind::Notes);
        unread.map(str::to_owned).chain(self.differing.iter().chain(again).cloned()).collect()
    }
}

impl Pull {
    /// Reads the notes and tasks of the contacts that have changed, and of those whose lists could not be read before.
    pub(super) async fn pull_children_of_moved(
        &self,
        scope: &MirrorScope,
        moved: &MovedContacts,
    ) -> Result<(), PullError> {
        if moved.is_empty() {
            return Ok(());
        }
        self.pull_tasks_of_moved(moved).await?;
        if self.includes_child(ChildKind::Notes) {
            let contacts = self.find_undeleted(&moved.of_kind(ChildKind::Notes)).await?;
            let lists = self.search_notes_of_moved(scope, moved, contacts).await?;
            self.read_own_lists(ChildKind::Notes, lists).await?;
        }
        self.retry_failed_records().await
    }

    /// Reads the tasks of the contacts that have changed, unless all tasks were read.
    pub(super) async fn pull_tasks_of_moved(&self, moved: &MovedContacts) -> Result<(), PullError> {
        if self.includes_child(ChildKind::Tasks) {
            let contacts = self.find_undeleted(&moved.of_kind(ChildKind::Tasks)).await?;
            self.search_tasks_of(&contacts).await?;
        }
        Ok(())
    }

    /// Those of the contacts that were not found to be deleted.
    async fn find_undeleted(
        &self,
        contacts: &BTreeSet<String>,
    ) -> Result<Vec<ContactId>, PullError> {
        let deleted = self.load_deleted_contacts().await?;
        let left = contacts.iter().filter(|id| !deleted.contains(*id));
        Ok(left.filter_map(|id| id.parse().ok()).collect())
    }

    /// How many contacts in the spool have changed.
    ///
    /// # Errors
    /// When the spool or the mirror cannot be read.
    pub async fn count_moved(&self, scope: &MirrorScope) -> Result<u64, PullError> {
        self.flush_writes().await?;
        Ok(self.find_moved_contacts(scope).await?.differing.len() as u64)
    }

    /// Forgets the updated contacts that were read, because everything is read instead.
    ///
    /// # Errors
    /// When nothing can be stored.
    pub async fn discard_changes(&self) -> Result<(), PullError> {
        for name in [stream::CONTACTS, stream::REREAD_CONTACTS] {
            let (stream, progress) = (name.to_owned(), StreamProgress::default());
            self.write_to_spool(SpoolWrite::Discard { stream, progress }).await?;
        }
        self.flush_writes().await
    }

    /// The contacts in the spool that are not in the mirror or differ from it, and those whose lists could not be read
    /// before.
    pub(super) async fn find_moved_contacts(
        &self,
        scope: &MirrorScope,
    ) -> Result<MovedContacts, PullError> {
        let (mirror, digester) = (open_mirror(scope)?, RowDigester::new(&CONTACTS));
        let failures = mirror.load_failures()?;
        let hints: BTreeSet<String> = scope.hints.iter().map(ToString::to_string).collect();
        let mut hinted = BTreeSet::new();
        for id in &hints {
            let known = mirror.find_version(RecordKind::Contact, id)?;
            hinted.extend(known.filter(|known| known.is_live).map(|_| id.clone()));
        }
        let fresh_since = self.fresh_since();
        let is_fresh = move |row: &str| {
            let updated = resource::find_text_member(row, "dateUpdated");
            let updated = updated.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            updated.is_none_or(|updated| updated.as_millisecond() >= fresh_since)
        };
        // What was hinted at may have changed a moment ago.
        let fresh = hinted.clone();
        let scanned = self.scan_contacts((hinted, fresh), move |(moved, fresh), id, _, row| {
            let known = mirror.find_version(RecordKind::Contact, id)?;
            let is_same = known
                .is_some_and(|known| known.is_live && known.digest == digester.digest_row(row));
            if !is_same || hints.contains(id) {
                moved.insert(id.to_owned());
                if is_fresh(row) {
                    fresh.insert(id.to_owned());
                }
            }
            Ok(())
        });
        let (differing, fresh) = scanned.await?;
        let notes_again = scope.notes_again.iter().map(ToString::to_string).collect();
        Ok(MovedContacts { differing, fresh, notes_again, failures })
    }

    /// Searches for the tasks of contacts, many contacts at a time; where that fails, they are read contact by contact.
    async fn search_tasks_of(&self, contacts: &[ContactId]) -> Result<(), PullError> {
        let progress = self.stream_progress(stream::TASKS)?;
        if progress.done || contacts.is_empty() {
            return Ok(());
        }
        // Begun again after a kill: the same tasks come twice, which changes nothing.
        let mut progress = StreamProgress::default();
        let mut one_by_one = Vec::new();
        for batch in contacts.chunks(CONTACTS_PER_SEARCH) {
            let pages = match fetch_tasks_of(&self.client, batch).await {
                Ok(pages) => pages,
                Err(error) if missing_lists::is_only_of_list(&error) => {
                    one_by_one.extend_from_slice(batch);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for page in pages {
                self.record_broken(stream::TASKS, None, "a page of tasks", &page.broken).await?;
                progress.rows += page.head.rows as u64;
                let rows = u32::try_from(page.head.rows).unwrap_or(u32::MAX);
                let (stream, progress) = (stream::TASKS.to_owned(), progress.clone());
                self.write_to_spool(SpoolWrite::Entry { stream, rows, body: page.body, progress })
                    .await?;
            }
        }
        self.read_own_lists(ChildKind::Tasks, one_by_one).await?;
        progress.done = true;
        self.store_task_strategy(&TaskStrategy::PerContact, progress).await?;
        self.flush_writes().await
    }

    /// Reads the own lists of contacts, those that are not in the spool yet.
    pub(super) async fn read_own_lists(
        &self,
        kind: ChildKind,
        contacts: Vec<ContactId>,
    ) -> Result<(), PullError> {
        if contacts.is_empty() {
            return Ok(());
        }
        self.flush_writes().await?;
        let read = self.scan_children(kind).await?.own_lists;
        let left = contacts.into_iter().filter(|id| !read.contains(id.as_str()));
        let left: Vec<ContactId> = left.collect();
        let client = self.client.clone();
        let responses = concurrency::run_in_order(
            futures::stream::iter(left),
            self.low_memory_concurrency(),
            move |contact| {
                let client = client.clone();
                async move {
                    let response =
                        kind.fetch_for_contact(&client, &contact, RetryPolicy::BEST_EFFORT).await;
                    (contact, response)
                }
            },
        );
        let name = kind.stream_name();
        let mut progress = self.stream_progress(name)?;
        let mut responses = pin!(responses.ready_chunks(BATCH));
        while let Some(responses) = responses.next().await {
            let (mut bodies, mut stopped) = (Vec::new(), None);
            for (contact, response) in responses {
                match response {
                    Ok(response) => {
                        let (broken, missing) = (&response.broken, response.head.missing);
                        self.record_broken(name, Some(&contact), "its list", broken).await?;
                        self.record_missing_rows(name, contact.as_str(), missing).await?;
                        bodies.push((contact, response.body));
                    }
                    // What was read before is stored.
                    Err(error) if error.is_fatal() => {
                        stopped = Some(error);
                        break;
                    }
                    Err(error) => self.record_failure(name, contact.as_str(), error).await?,
                }
            }
            let body = pack_responses(bodies.iter().map(|(id, body)| (id.as_str(), &body[..])));
            let rows = u32::try_from(bodies.len()).unwrap_or(u32::MAX);
            progress.rows += u64::from(rows);
            let (stream, progress) = (name.to_owned(), progress.clone());
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
            if let Some(error) = stopped {
                self.flush_writes().await?;
                return Err(error.into());
            }
        }
        self.flush_writes().await
    }
}
