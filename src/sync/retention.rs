//! Removes from a mirror what is no longer current and old, once a sync has been merged.

use std::path::Path;

use super::SyncError;
use super::locked_mirror::LockedMirror;
use crate::concurrency;
use crate::mirror::{
    MirrorError, MirrorReader, ReaderKind, RemovedCounts, RequestedRetention, SyncRecord,
};

/// Removes what the rules no longer keep and every reader has. Doing it twice is doing it once.
pub(super) async fn remove_old_rows(
    mirror: &LockedMirror,
    requested: RequestedRetention,
    sync: &SyncRecord,
) -> Result<RemovedCounts, SyncError> {
    let known = mirror.writer.retention()?.map(|state| state.rules);
    let rules = requested.apply_to(known.unwrap_or_default());
    let read_up_to = last_sync_of_all_readers(&mirror.reader()?)?;
    let (mut writer, now_ms) = (mirror.writer.open_again()?, sync.facts.changes_ms);
    let removed =
        concurrency::run_blocking(move || writer.apply_retention(rules, now_ms, read_up_to));
    Ok(removed.await?)
}

/// The last sync whose changes all readers have. An output directory that is gone would be written as a whole.
fn last_sync_of_all_readers(mirror: &MirrorReader) -> Result<i64, MirrorError> {
    let readers = mirror.list_reader_progress()?;
    let reads = readers.iter().filter(|reader| match reader.kind {
        ReaderKind::OutputDir => Path::new(&reader.name).try_exists().unwrap_or(true),
        ReaderKind::Sink => true,
    });
    Ok(reads.map(|reader| reader.seq).min().unwrap_or(i64::MAX))
}
