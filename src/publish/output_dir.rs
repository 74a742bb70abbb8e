//! The output directory of an export, and how it is replaced in one step.
//!
//! Files are written to a staging directory next to the output directory. When all are complete,
//! the two directories are swapped atomically, so that no reader sees half of a new export. Where
//! that is impossible (the output directory contains other files, or is a mount point), the files
//! are moved one by one, the manifest last.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::change_files::StagedChanges;
use super::change_names;
use super::file_mode::FileMode;
use super::manifest::{self, ExportManifest, PreviousManifest};
use super::{ManifestMetadata, PublishError, PublishReport, errors_file, views};
use crate::event::WrittenFile;
use crate::failpoint::{self, FailPoint};
use crate::id::RunId;
use crate::run::{FileLock, RunStore};

/// An output directory.
#[derive(Debug, Clone)]
pub struct OutputDir {
    out: PathBuf,
}

/// An output directory that this process has locked, with its staging directory.
#[derive(Debug)]
pub struct LockedOutputDir {
    out: PathBuf,
    staging: PathBuf,
    created: bool,
    mode: FileMode,
    _lock: FileLock,
}

impl OutputDir {
    /// An output directory at a path; creates nothing yet.
    pub fn new(out: &Path) -> Result<Self, PublishError> {
        let out =
            std::path::absolute(out).map_err(|source| PublishError::from_io_error(out, source))?;
        Ok(Self { out })
    }

    /// Removes the staging directories that a killed process of this run left behind.
    pub fn remove_stale_staging(&self, run: &RunId) {
        let out = self.out.canonicalize().unwrap_or_else(|_| self.out.clone());
        let name = staging_name(&out, run);
        for dir in out.parent().into_iter().chain([out.as_path()]) {
            // Usually there is none, and one that cannot be removed does no harm.
            let _ = std::fs::remove_dir_all(dir.join(&name));
        }
    }

    /// Creates the directory if necessary, locks it, and creates an empty staging directory. `home` knows the
    /// runs that may have locked it.
    ///
    /// # Errors
    /// When another process has locked it, or it is not writable.
    pub fn lock_for_run(
        &self,
        run: &RunId,
        mode: FileMode,
        home: &RunStore,
    ) -> Result<LockedOutputDir, PublishError> {
        let out = &self.out;
        let created = !out.exists();
        mode.create_dir_all(out).map_err(|source| PublishError::from_io_error(out, source))?;
        // For a symbolic link, the link is kept and its target is replaced.
        let out = out.canonicalize().map_err(|source| PublishError::from_io_error(out, source))?;
        let lock = FileLock::try_lock_directory(&out)?
            .ok_or_else(|| home.locked_output_error(&out, &runs_in_staging(&out)))?;
        // The process of another run that has one was killed: otherwise it would hold the lock.
        for killed in runs_in_staging(&out).iter().filter(|run| run.created().is_some()) {
            self.remove_stale_staging(killed);
        }
        let staging = create_staging_dir(&out, run)?;
        Ok(LockedOutputDir { out, staging, created, mode, _lock: lock })
    }
}

fn staging_name(out: &Path, run: &RunId) -> OsString {
    let mut name = OsString::from(".");
    name.push(out.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", run.escaped_segment()));
    name
}

/// The runs that have a staging directory for this output directory: one that is being written, or others that
/// were killed.
fn runs_in_staging(out: &Path) -> Vec<RunId> {
    let mut begin = OsString::from(".");
    begin.push(out.file_name().unwrap_or_default());
    begin.push(".");
    let begin = begin.to_string_lossy();
    let dirs = out.parent().into_iter().chain([out]);
    let entries = dirs.filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let run = |name: OsString| {
        let name = name.to_string_lossy();
        name.strip_prefix(&*begin)?.strip_suffix(".partial")?.parse().ok()
    };
    entries.filter_map(|entry| run(entry.file_name())).collect()
}

/// Creates an empty directory on the same file system: a sibling, or a child where a sibling is
/// refused.
fn create_staging_dir(out: &Path, run: &RunId) -> Result<PathBuf, PublishError> {
    let name = staging_name(out, run);
    let sibling = out.parent().map(|parent| parent.join(&name));
    let child = out.join(&name);
    // A root or a mount point is on another file system than its parent.
    let sibling = sibling.filter(|sibling| {
        create_empty_dir(sibling).is_ok() && same_file_system_or_remove(sibling, out)
    });
    match sibling {
        Some(sibling) => Ok(sibling),
        None => create_empty_dir(&child)
            .map(|()| child.clone())
            .map_err(|source| PublishError::from_io_error(&child, source)),
    }
}

fn create_empty_dir(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // While it is written, only its owner reads it.
    FileMode::default().create_dir_all(dir)
}

#[cfg(unix)]
fn same_file_system_or_remove(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (a.metadata(), b.metadata()) {
        (Ok(one), Ok(other)) if one.dev() == other.dev() => true,
        _ => {
            // The probe created it, so remove it.
            let _ = std::fs::remove_dir(a);
            false
        }
    }
}

#[cfg(not(unix))]
fn same_file_system_or_remove(_: &Path, _: &Path) -> bool {
    true
}

impl LockedOutputDir {
    /// Where the files are written.
    #[must_use]
    pub fn staging_dir(&self) -> &Path {
        &self.staging
    }

    /// Where the files are moved to.
    #[must_use]
    pub fn output_path(&self) -> &Path {
        &self.out
    }

    /// Puts files of changes beside the tables, which still are those from before. A file that is there already is the
    /// same: it is left alone.
    ///
    /// # Errors
    /// On an I/O error.
    pub fn place_changes(&self, staged: &StagedChanges) -> Result<(), PublishError> {
        for (from, file) in &staged.files {
            let to = self.out.join(&file.file);
            let dir = to.parent().unwrap_or(&self.out);
            let place = || {
                self.mode.create_dir_all(dir)?;
                self.mode.apply_to_file(from)?;
                if to.exists() { Ok(()) } else { std::fs::rename(from, &to) }
            };
            place().map_err(|source| PublishError::from_io_error(&to, source))?;
            sync_dir(dir)?;
            failpoint::kill_if_due(FailPoint::BetweenChangeFiles);
        }
        std::fs::remove_dir_all(&staged.dir)
            .map_err(|source| PublishError::from_io_error(&staged.dir, source))?;
        sync_dir(&self.out)
    }

    /// Replaces the previous export with the files in staging. `entries` is the spool's last entry.
    /// Returns how many names of the old manifest were ignored, because no export could have written
    /// such files.
    ///
    /// # Errors
    /// On an I/O error. The old export is still complete then, or the run can be published again.
    pub fn replace_export(
        self,
        facts: ManifestMetadata,
        entries: i64,
        published: &mut PublishReport,
    ) -> Result<usize, PublishError> {
        let old = PreviousManifest::read(&self.out);
        if let Some(old) = old.as_ref().filter(|old| old.run == facts.run && old.entries == entries)
        {
            self.link_previous_files(old, &mut published.files)?;
        }
        let unreadable = published.unreadable();
        let (failures, schemas, files) =
            (&published.failures, &published.schemas, &published.files);
        let manifest = ExportManifest::new(facts, entries, failures, unreadable, schemas, files);
        manifest.write(&self.staging)?;
        self.set_permissions()?;
        sync_dir(&self.staging)?;
        self.swap_or_move(old.as_ref(), &manifest)?;
        if manifest.has_changes() {
            views::write_views(&self.out)?;
        }
        if let Some(parent) = self.out.parent() {
            sync_dir(parent)?;
        }
        Ok(old.map_or(0, |old| old.ignored_names))
    }

    /// Gives the files in staging their mode, and staging that of the directory that it replaces.
    fn set_permissions(&self) -> Result<(), PublishError> {
        let fail = |source| PublishError::from_io_error(&self.staging, source);
        for entry in std::fs::read_dir(&self.staging).map_err(fail)? {
            self.mode.apply_to_file(&entry.map_err(fail)?.path()).map_err(fail)?;
        }
        let rights = self.out.metadata();
        rights
            .and_then(|it| std::fs::set_permissions(&self.staging, it.permissions()))
            .map_err(fail)
    }

    /// Keeps the existing files of the same rows in other formats.
    fn link_previous_files(
        &self,
        old: &PreviousManifest,
        files: &mut Vec<WrittenFile>,
    ) -> Result<(), PublishError> {
        for file in old.data_files() {
            let (from, to) = (self.out.join(&file.file), self.staging.join(&file.file));
            if to.exists() || !from.exists() {
                continue;
            }
            std::fs::hard_link(&from, &to)
                .or_else(|_| std::fs::copy(&from, &to).map(drop))
                .map_err(|source| PublishError::from_io_error(&to, source))?;
            files.push(file);
        }
        Ok(())
    }

    fn swap_or_move(
        &self,
        old: Option<&PreviousManifest>,
        new: &ExportManifest,
    ) -> Result<(), PublishError> {
        let names = entry_names(&self.out)
            .map_err(|source| PublishError::from_io_error(&self.out, source))?;
        let staged_inside = self.staging.parent() == Some(&self.out);
        // Files of changes are never moved: exchanging the directories would remove them with the old tables.
        let has_changes = names.iter().any(|name| name == change_names::DIRECTORY);
        if !staged_inside && !has_changes {
            if names.is_empty() && std::fs::rename(&self.staging, &self.out).is_ok() {
                return Ok(());
            }
            let is_export_file = |name: &OsString| {
                name.to_str().is_some_and(|name| old.is_some_and(|old| old.owns_file(name)))
            };
            if names.iter().all(is_export_file) && exchange_dirs(&self.staging, &self.out).is_ok() {
                return std::fs::remove_dir_all(&self.staging)
                    .map_err(|source| PublishError::from_io_error(&self.staging, source));
            }
        }
        self.move_files(old, new)
    }

    fn move_files(
        &self,
        old: Option<&PreviousManifest>,
        new: &ExportManifest,
    ) -> Result<(), PublishError> {
        let mut names = new.file_names();
        names.push(errors_file::FILE.to_owned());
        names.push(manifest::FILE.to_owned());
        let obsolete = old
            .map(PreviousManifest::data_files)
            .unwrap_or_default()
            .into_iter()
            .map(|file| file.file);
        for name in obsolete.filter(|name| !names.contains(name)) {
            remove_if_exists(&self.out.join(name))?;
        }
        for name in &names {
            let (from, to) = (self.staging.join(name), self.out.join(name));
            if from.exists() {
                std::fs::rename(&from, &to)
                    .map_err(|source| PublishError::from_io_error(&to, source))?;
            } else {
                remove_if_exists(&to)?;
            }
        }
        sync_dir(&self.out)?;
        std::fs::remove_dir_all(&self.staging)
            .map_err(|source| PublishError::from_io_error(&self.staging, source))
    }
}

/// Removes what this process created, unless the export was put in place.
impl Drop for LockedOutputDir {
    fn drop(&mut self) {
        // If it cannot be removed now, the next attempt removes it.
        let _ = std::fs::remove_dir_all(&self.staging);
        if self.created {
            // Succeeds only if the directory is still empty, as it was created.
            let _ = std::fs::remove_dir(&self.out);
        }
    }
}

fn remove_if_exists(path: &Path) -> Result<(), PublishError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(PublishError::from_io_error(path, source))
        }
        _ => Ok(()),
    }
}

fn entry_names(dir: &Path) -> io::Result<Vec<OsString>> {
    std::fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn sync_dir(dir: &Path) -> Result<(), PublishError> {
    if cfg!(windows) {
        return Ok(());
    }
    let sync = || std::fs::File::open(dir)?.sync_all();
    sync().map_err(|source| PublishError::from_io_error(dir, source))
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange_dirs(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).map_err(io::Error::from)
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange_dirs(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
