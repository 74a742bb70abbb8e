//! Whether what a sync has read can be true. A token that suddenly reaches less makes contacts look deleted.

use super::SyncError;
use super::locked_mirror::LockedMirror;
use crate::mirror::RecordKind;
use crate::pull::changes;
use crate::run::{SpoolReader, stream};

/// So many deleted contacts are believed, however few the account has.
const BELIEVED_DELETIONS: u64 = 100;

/// An account that shows no contact where there were some is not believed.
pub(super) fn ensure_not_emptied(
    mirror: &LockedMirror,
    spool: &SpoolReader,
) -> Result<(), SyncError> {
    let known = mirror.reader()?.count_live(RecordKind::Contact)?;
    let shown = spool.stream_progress(stream::CONTACTS)?.rows;
    if shown == 0 && known > 0 {
        return Err(SyncError::Emptied { known });
    }
    Ok(())
}

/// Most contacts at once are not believed to be deleted.
pub(super) fn ensure_not_decimated(
    mirror: &LockedMirror,
    spool: &SpoolReader,
) -> Result<(), SyncError> {
    let known = mirror.reader()?.count_live(RecordKind::Contact)?;
    let deleted = changes::read_comparison(spool)?.deleted;
    if deleted > BELIEVED_DELETIONS && deleted > known / 2 {
        return Err(SyncError::Decimated { deleted, known });
    }
    Ok(())
}
