//! The mirror of a location while a sync works on it.

use std::path::PathBuf;

use super::SyncError;
use crate::context::EngineContext;
use crate::id::{LocationId, RunId};
use crate::mirror::{self, MirrorError, MirrorReader, MirrorWriter};
use crate::run::{FileLock, Run, RunError, RunErrorKind};

/// The mirror of a location, which this process has locked.
pub(super) struct LockedMirror {
    /// Its directory.
    pub(super) dir: PathBuf,
    /// Its write side.
    pub(super) writer: MirrorWriter,
    _lock: FileLock,
}

impl LockedMirror {
    pub(super) fn open(
        context: &EngineContext,
        location: &LocationId,
        sandbox: bool,
        run: &RunId,
    ) -> Result<Self, SyncError> {
        let lock = context.home.lock_mirror(location, sandbox, run)?;
        let dir = context.home.mirror_dir(location, sandbox);
        let writer = MirrorWriter::open(&dir, location)?;
        Ok(Self { dir, writer, _lock: lock })
    }

    pub(super) fn reader(&self) -> Result<MirrorReader, MirrorError> {
        let path = mirror::database_path(&self.dir);
        let missing = || RunError::damaged(&path, "it has disappeared");
        MirrorReader::open(&self.dir)?.ok_or_else(|| missing().into())
    }

    /// The run of a sync that was interrupted. One that was removed is forgotten.
    pub(super) fn open_pending_run(
        &self,
        context: &EngineContext,
    ) -> Result<Option<Run>, SyncError> {
        let Some(id) = self.writer.pending_run()? else { return Ok(None) };
        match context.home.open_run(&id) {
            Ok(run) => Ok(Some(run)),
            // Reading again what a lost run has read costs only requests.
            Err(error) if !matches!(error.kind(), RunErrorKind::Locked | RunErrorKind::System) => {
                self.writer.set_pending_run(None)?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
