//! What a snapshot is built on: the one that this mirror made last, or nothing.

use jiff::Timestamp;

use super::BackupError;
use crate::mirror::{LastSnapshot, MirrorReader, RecordKind};
use crate::repository::{Repository, Snapshot, SnapshotKind, SnapshotList};

/// A chain is at most so old when a snapshot is added to it: so a damaged file costs at most two weeks of snapshots.
const MAX_AGE_DAYS: i64 = 14;
/// Changes in a chain, as a share of the full snapshot, from which a full one is cheaper to read.
const MAX_CHANGES_PERCENT: u64 = 25;
/// The longest chain: each member is a file that is open while the chain is read.
const MAX_CHAIN: usize = 200;

/// What a snapshot is built on.
#[derive(Debug)]
pub(super) struct SnapshotBase {
    /// The snapshot that it has the changes since; `None` for a full one.
    pub(super) base: Option<Snapshot>,
    /// Why it is a full one, in a few words.
    pub(super) full_because: Option<FullReason>,
    /// What the user must know about the repository.
    pub(super) warning: Option<String>,
}

/// Why a snapshot is a full one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FullReason {
    First,
    Asked,
    OtherMirror,
    Unremembered,
    Rewritten,
    Forgotten,
    RolledBack,
    Replaced,
    DamagedChain,
    OldChain,
    LongChain,
    ManyChanges,
    Recipients,
}

impl FullReason {
    /// As the manifest has it.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::First => "it is the first snapshot",
            Self::Asked => "it was asked for",
            Self::OtherMirror => "the local copy is another one than before",
            Self::Unremembered => "the local copy has made no snapshot in this repository",
            Self::Rewritten => "people were erased from the snapshot before",
            Self::Forgotten => "the snapshot before was forgotten",
            Self::RolledBack => "the snapshot before is no longer in the repository",
            Self::Replaced => "the manifest of the snapshot before was replaced",
            Self::DamagedChain => "the snapshots before are damaged",
            Self::OldChain => "the last full snapshot is 14 days old",
            Self::LongChain => "the chain has 200 snapshots",
            Self::ManyChanges => "more than a quarter has changed since the last full snapshot",
            Self::Recipients => "the recipients have changed",
        }
    }
}

/// What is asked of a base.
pub(super) struct BaseRequest<'a> {
    pub(super) full: bool,
    pub(super) recipients: &'a [String],
    pub(super) now: Timestamp,
}

impl SnapshotBase {
    fn full(because: FullReason) -> Self {
        Self { base: None, full_because: Some(because), warning: None }
    }

    /// After what it was to be built on was forgotten by another process.
    pub(super) fn after_conflict() -> Self {
        Self::full(FullReason::Forgotten)
    }

    fn full_with_warning(because: FullReason, warning: String) -> Self {
        Self { warning: Some(warning), ..Self::full(because) }
    }

    /// Decides what to build on.
    pub(super) fn choose(
        repository: &Repository,
        list: &SnapshotList,
        mirror: &MirrorReader,
        request: &BaseRequest,
    ) -> Result<Self, BackupError> {
        let written = mirror.find_last_snapshot(&repository.header().id)?;
        let found = find_remembered(list, written.as_ref());
        let remembered = match found {
            Ok(remembered) => remembered,
            Err(because) => {
                return Ok(Self::explain_missing(because, written.as_ref(), repository));
            }
        };
        // A fault of the repository is reported even if a full snapshot was asked for.
        if request.full {
            return Ok(Self::full(FullReason::Asked));
        }
        let manifest = &remembered.manifest;
        if manifest.mirror != mirror.mirror_id()? || manifest.seq > last_seq(mirror)? {
            return Ok(Self::full(FullReason::OtherMirror));
        }
        if manifest.recipients != request.recipients {
            return Ok(Self::full(FullReason::Recipients));
        }
        let chain = match list.chain_of(remembered) {
            Ok(chain) => chain,
            Err(error) => return Ok(Self::damaged(&error)),
        };
        for member in &chain {
            match repository.check_file_sizes(member) {
                Err(error) if error.is_damage() => return Ok(Self::damaged(&error)),
                checked => checked?,
            }
        }
        let Some(full) = chain.first().filter(|full| full.kind == SnapshotKind::Full) else {
            return Ok(Self::full(FullReason::DamagedChain));
        };
        let age = request.now.duration_since(full.as_of);
        if age >= jiff::SignedDuration::from_hours(MAX_AGE_DAYS * 24) {
            return Ok(Self::full(FullReason::OldChain));
        }
        if chain.len() >= MAX_CHAIN {
            return Ok(Self::full(FullReason::LongChain));
        }
        let mut changes: u64 = chain.iter().skip(1).map(|member| member.file_rows()).sum();
        for kind in RecordKind::ALL {
            let counts = mirror.count_changes_since(kind, manifest.seq)?;
            changes += counts.added + counts.changed + counts.deleted;
        }
        if changes * 100 > full.file_rows() * MAX_CHANGES_PERCENT {
            return Ok(Self::full(FullReason::ManyChanges));
        }
        Ok(Self { base: Some(remembered.clone()), full_because: None, warning: None })
    }

    /// A full snapshot that stands in for a chain that can no longer be read.
    fn damaged(error: &crate::repository::RepositoryError) -> Self {
        let warning = format!(
            "{error}; this snapshot is a full one, and `ghl-bulk backup verify` says which others can be used"
        );
        Self::full_with_warning(FullReason::DamagedChain, warning)
    }

    fn explain_missing(
        because: FullReason,
        last: Option<&LastSnapshot>,
        repository: &Repository,
    ) -> Self {
        let id = last.map(|last| last.snapshot.as_str()).unwrap_or_default();
        let place = repository.place();
        let warning = match because {
            FullReason::RolledBack => format!(
                "`{place}` no longer has snapshot `{id}`, which this machine wrote last: it may have been put back to an \
                 earlier state"
            ),
            FullReason::Replaced => format!(
                "the manifest of snapshot `{id}` in `{place}` is not the one that this machine wrote"
            ),
            FullReason::DamagedChain => format!(
                "the manifest of snapshot `{id}` in `{place}` is damaged; this snapshot is a full one, and \
                 `ghl-bulk backup verify` says which others can be used"
            ),
            _ => return Self::full(because),
        };
        Self::full_with_warning(because, warning)
    }
}

/// The last sync of the mirror that changed anything.
pub(super) fn last_seq(mirror: &MirrorReader) -> Result<i64, BackupError> {
    Ok(mirror.last_sync()?.map_or(0, |sync| sync.seq))
}

/// The snapshot that the mirror made last, if it is still there as it was written.
fn find_remembered<'l>(
    list: &'l SnapshotList,
    written: Option<&LastSnapshot>,
) -> Result<&'l Snapshot, FullReason> {
    let Some(written) = written else {
        let is_first = list.snapshots.is_empty() && list.damaged.is_empty();
        return Err(if is_first { FullReason::First } else { FullReason::Unremembered });
    };
    let is_it = |snapshot: &&Snapshot| snapshot.id().as_str() == written.snapshot;
    if let Some(found) = list.snapshots.iter().find(is_it) {
        let is_same = found.manifest_sha256() == written.sha256;
        return if is_same { Ok(found) } else { Err(FullReason::Replaced) };
    }
    if list.forgotten.iter().any(|snapshot| is_it(&snapshot)) {
        return Err(FullReason::Forgotten);
    }
    if list.damaged.iter().any(|damaged| damaged.id.as_str() == written.snapshot) {
        return Err(FullReason::DamagedChain);
    }
    // By another machine: the mirror of this one may still have these people, so its changes do not fit.
    let former = written.snapshot.parse();
    let is_rewritten = |snapshot: &Snapshot| {
        former.as_ref().is_ok_and(|former| snapshot.manifest.is_rewritten_from(former))
    };
    if list.snapshots.iter().chain(&list.forgotten).any(is_rewritten) {
        return Err(FullReason::Rewritten);
    }
    Err(FullReason::RolledBack)
}
