//! Notes and tasks that the mirror has and that were not read: their contact's own list says whether they still exist.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::confirm_contacts::is_unusual_loss;
use super::spool_scan::{search_stream, table_name};
use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::diagnostic::EventWarningCode;
use crate::id::ContactId;
use crate::mirror::RecordKind;
use crate::pull::ChildKind;
use crate::run::FetchFailure;
use crate::text::{format_count, hash_text};

/// Most contacts whose lists are read to confirm deletions in one sync; the next walk goes on with the others.
const MAX_CONFIRMATIONS: usize = 2_000;

impl Pull {
    /// Stores which notes or tasks of the mirror no longer exist, of the contacts whose records were read; `None` for all.
    pub(super) async fn confirm_missing_children(
        &self,
        scope: &MirrorScope,
        kind: ChildKind,
        contacts: Option<&BTreeSet<String>>,
    ) -> Result<(), PullError> {
        if !self.includes_child(kind) || contacts.is_some_and(BTreeSet::is_empty) {
            return Ok(());
        }
        self.flush_writes().await?;
        let unread = self.unread_lists(kind)?;
        if contacts.is_none() && unread.whole {
            return Ok(());
        }
        let deleted = self.load_deleted_contacts().await?;
        let read = self.scan_children(kind).await?;
        let mut missing = find_missing_children(scope, kind, &read.ids, contacts)?;
        missing.retain(|parent, _| !deleted.contains(parent) && !unread.contacts.contains(parent));
        if missing.is_empty() {
            return Ok(());
        }
        let ask = missing.keys().filter(|parent| !read.own_lists.contains(*parent));
        let ask: Vec<ContactId> =
            ask.filter_map(|parent| parent.parse().ok()).take(MAX_CONFIRMATIONS).collect();
        self.read_own_lists(kind, ask).await?;
        self.store_missing_children(scope, kind, missing).await
    }

    /// Stores which of the missing records their contact's own list does not have.
    async fn store_missing_children(
        &self,
        scope: &MirrorScope,
        kind: ChildKind,
        missing: BTreeMap<String, Vec<String>>,
    ) -> Result<(), PullError> {
        self.flush_writes().await?;
        let (read, unread) = (self.scan_children(kind).await?, self.unread_lists(kind)?);
        let is_sure =
            |parent: &str| read.own_lists.contains(parent) && !unread.contacts.contains(parent);
        let missing = missing.into_iter().filter(|(parent, _)| is_sure(parent));
        let deleted = missing.flat_map(|(_, ids)| ids);
        let deleted: Vec<String> =
            deleted.filter(|id| !read.ids.contains(&hash_text(id))).collect();
        let live = open_mirror(scope)?.count_live(record_kind(kind))?;
        let count = deleted.len() as u64;
        if is_unusual_loss(count, live) {
            let (what, all) = (table_name(kind), format_count(live));
            let count = format_count(count);
            let message = format!("{count} of {all} {what} were deleted since the last sync");
            self.report_warning(EventWarningCode::MassDeletion, message);
        }
        self.store_deleted(table_name(kind), deleted).await
    }

    /// The lists of a kind that could not be read.
    fn unread_lists(&self, kind: ChildKind) -> Result<UnreadLists, PullError> {
        let failures = self.open_reader()?.load_failures()?;
        let is_of_search = |failure: &FetchFailure| failure.stream == search_stream(kind);
        let is_of_kind =
            |failure: &&FetchFailure| failure.stream == kind.stream_name() || is_of_search(failure);
        let of_kind: Vec<&FetchFailure> = failures.iter().filter(is_of_kind).collect();
        let whole = of_kind.iter().any(|it| is_of_search(it) || it.is_of_whole_list());
        let contacts = of_kind.iter().filter_map(|it| it.subject.split(' ').next());
        Ok(UnreadLists { whole, contacts: contacts.map(str::to_owned).collect() })
    }
}

/// Lists that could not be read, or not completely: they say nothing about what they lack.
struct UnreadLists {
    /// Whether the list of the whole location is one of them.
    whole: bool,
    /// The contacts whose lists they are.
    contacts: BTreeSet<String>,
}

/// The records of the mirror that were not read, by their contact: of these contacts, or of all.
fn find_missing_children(
    scope: &MirrorScope,
    kind: ChildKind,
    read: &HashSet<u64>,
    contacts: Option<&BTreeSet<String>>,
) -> Result<BTreeMap<String, Vec<String>>, PullError> {
    let (mirror, kind) = (open_mirror(scope)?, record_kind(kind));
    let mut missing = BTreeMap::<String, Vec<String>>::new();
    let mut add = |id: &str, parent: Option<&str>| {
        if let Some(parent) = parent.filter(|_| !read.contains(&hash_text(id))) {
            missing.entry(parent.to_owned()).or_default().push(id.to_owned());
        }
    };
    match contacts {
        None => mirror.for_each_live(kind, add)?,
        Some(contacts) => {
            for parent in contacts {
                let ids = mirror.live_children(kind, parent)?;
                for id in &ids {
                    add(id, Some(parent));
                }
            }
        }
    }
    Ok(missing)
}

fn record_kind(kind: ChildKind) -> RecordKind {
    match kind {
        ChildKind::Tasks => RecordKind::Task,
        ChildKind::Notes | ChildKind::Appointments => RecordKind::Note,
    }
}
