//! This machine: where runs are stored, whether that is writable, and how much space is free.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{CheckSink, DoctorCheck, DoctorFailureKind};

/// Below this many bytes a long run may not have enough space.
const LITTLE: u64 = 1_000_000_000;

/// Checks the directory that stores the runs. What is created for that is removed again.
pub fn examine_disk(home: &Path, report: CheckSink<'_>) {
    report(check_writable(home));
    report(check_free_space(home));
}

fn check_writable(home: &Path) -> DoctorCheck {
    const ID: &str = "home";
    let dir = nearest_existing_dir(home);
    // A file that is removed with its handle: nothing is left behind, whatever happens.
    match tempfile::tempfile_in(&dir).and_then(|mut file| file.write_all(b"x")) {
        Ok(()) if dir == home => {
            DoctorCheck::ok(ID, format!("runs are stored in `{}`", home.display()))
        }
        Ok(()) => DoctorCheck::ok(ID, format!("runs will be stored in `{}`", home.display())),
        Err(error) => {
            let what = format!("`{}` cannot be written: {error}", dir.display());
            DoctorCheck::failure(ID, DoctorFailureKind::Environment, what).with_hint(
                "check its permissions and its disk, or set `GHL_BULK_HOME` to another directory",
            )
        }
    }
}

/// The directory itself, or its nearest ancestor that exists.
fn nearest_existing_dir(path: &Path) -> PathBuf {
    let mut dir = path;
    while let (false, Some(above)) = (dir.exists(), dir.parent()) {
        dir = above;
    }
    if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir.to_owned() }
}

fn check_free_space(home: &Path) -> DoctorCheck {
    const ID: &str = "disk";
    match free_bytes(&nearest_existing_dir(home)) {
        Some(free) if free < LITTLE => DoctorCheck::warning(ID, format!("{} MB are free there", free / 1_000_000))
            .with_hint("100,000 contacts with their notes take about 100 MB until the files are made; make room, or set \
                   `GHL_BULK_HOME` to a larger disk"),
        Some(free) => DoctorCheck::ok(ID, format!("{} GB are free there", free / 1_000_000_000)),
        None => DoctorCheck::skipped(ID, "the free space is unknown"),
    }
}

/// Bytes that this user may still write.
#[cfg(unix)]
fn free_bytes(dir: &Path) -> Option<u64> {
    let stats = rustix::fs::statvfs(dir).ok()?;
    stats.f_bavail.checked_mul(stats.f_frsize)
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}
