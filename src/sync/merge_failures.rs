//! Which records cannot be read after a sync: those that it could not read, and those of before that it did not try.

use std::collections::HashSet;

use super::SyncError;
use super::extra_tables::ExtraTables;
use crate::diagnostic::FetchFailureCode;
use crate::mirror::{MirrorReader, NoteRefreshMode, SyncFacts, SyncKind};
use crate::pull::changes;
use crate::run::{FetchFailure, PackedResponses, SpoolReader, stream};

/// What cannot be read after the sync, which began to read at this time and read these tables in addition.
pub(super) fn merge_failures(
    new: Vec<FetchFailure>,
    spool: &SpoolReader,
    mirror: &MirrorReader,
    (sync, read_at_ms, tables): (&SyncFacts, i64, ExtraTables),
) -> Result<Vec<FetchFailure>, SyncError> {
    let mut failures = new;
    let known: HashSet<(String, String)> =
        failures.iter().map(|it| (it.stream.clone(), it.subject.clone())).collect();
    // The contact was deleted since.
    failures.retain(|failure| failure.code != FetchFailureCode::Gone);
    let agrees = changes::read_comparison(spool)?.counts_agree;
    let read = if sync.kind == SyncKind::Notes { read_lists(spool)? } else { HashSet::new() };
    let was_tried = |it: &FetchFailure| match (sync.kind, it.stream.as_str()) {
        (SyncKind::Walk | SyncKind::Newest, stream::NOTES) => {
            sync.notes.reading != NoteRefreshMode::Rotation
        }
        (_, stream::TASKS) => sync.tasks_ms == Some(read_at_ms),
        (SyncKind::Walk, _) | (SyncKind::Newest, stream::CONTACT_TASKS) => true,
        (SyncKind::Newest, stream::CONTACTS) => it.code == FetchFailureCode::Hidden && agrees,
        (SyncKind::Notes, stream::NOTES) => {
            it.subject.split(' ').next().is_some_and(|contact| read.contains(contact))
        }
        (SyncKind::Newest | SyncKind::Notes, _) => tables.owns_failure(it),
    };
    let before = mirror.load_failures()?.into_iter();
    failures.extend(
        before.filter(|it| {
            !was_tried(it) && !known.contains(&(it.stream.clone(), it.subject.clone()))
        }),
    );
    Ok(failures)
}

/// The contacts whose own lists of notes are in a spool.
fn read_lists(spool: &SpoolReader) -> Result<HashSet<String>, SyncError> {
    let (mut contacts, mut seq) = (HashSet::new(), 0);
    while let Some(entry) = spool.next_entry(stream::NOTES, seq)? {
        seq = entry.seq;
        let lists = PackedResponses::new(entry.body);
        contacts.extend(lists.map(|(contact, _)| String::from_utf8_lossy(&contact).into_owned()));
    }
    Ok(contacts)
}
