//! Buffers ops on disk while they are planned, so that memory does not grow with the sheet.
//!
//! The ordering group of an op is known only when all rows are known. Until then the ops are in an unnamed file
//! in the run's directory, which disappears with the process.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use super::ordering_groups::OrderingGroups;
use crate::import::ImportError;
use crate::run::{self, OpRecord};

/// Ops in the order in which they were planned.
pub(crate) struct OpBuffer {
    dir: PathBuf,
    file: BufWriter<File>,
    count: u64,
}

impl OpBuffer {
    /// An empty buffer in a directory.
    pub(crate) fn new(dir: &Path) -> Result<Self, ImportError> {
        let fail = |source| ImportError::File { path: dir.to_owned(), source };
        let file = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(dir).map_err(fail)?);
        Ok(Self { dir: dir.to_owned(), file, count: 0 })
    }

    /// The id of the next op.
    pub(crate) fn next_id(&self) -> u64 {
        self.count + 1
    }

    pub(crate) fn push(&mut self, op: &OpRecord) -> Result<(), ImportError> {
        self.count += 1;
        let line = serde_json::to_vec(op).map_err(|error| ImportError::Bug(error.to_string()))?;
        let written = self.file.write_all(&line).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| ImportError::File { path: self.dir.clone(), source })
    }

    /// Reads all ops back, starting with the first. Each reader must be consumed before the next is created.
    pub(crate) fn read_ops(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<OpRecord, ImportError>>, ImportError> {
        let dir = self.dir.clone();
        let mut rewound = || {
            self.file.flush()?;
            let mut file = self.file.get_ref().try_clone()?;
            file.rewind()?;
            Ok(file)
        };
        let file = rewound().map_err(|source| ImportError::File { path: dir.clone(), source })?;
        let lines = BufReader::with_capacity(1 << 18, file).split(b'\n');
        Ok(lines.map(move |line| {
            let line = line.map_err(|source| ImportError::File { path: dir.clone(), source })?;
            serde_json::from_slice(&line).map_err(|error| ImportError::Bug(error.to_string()))
        }))
    }

    /// Stores the ops in the run's ledger, each in its ordering group.
    pub(crate) fn store_in_ledger(
        mut self,
        db: &Path,
        groups: &mut OrderingGroups,
    ) -> Result<(), ImportError> {
        let ops = self.read_ops()?.map(|op| {
            op.map(|mut op| {
                op.serial_group = groups.group_of(op.row);
                op
            })
        });
        run::store_ops(db, ops)
    }
}
