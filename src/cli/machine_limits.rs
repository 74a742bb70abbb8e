//! The limits that the system sets for the process, and what fits in them.

use std::num::NonZeroUsize;

/// The open files of one location: its database, its tables, its locks and its connections.
const FILES_PER_LOCATION: u64 = 48;
/// The open files of a run without its connections.
const FILES_PER_RUN: u64 = 24;
/// The open files of the program itself.
const OWN_FILES: u64 = 32;

/// Raises the limit of open files as far as the system lets the user raise it. Returns the limit, if there is one.
#[cfg(unix)]
fn raise_open_file_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // Some systems have a lower limit of their own.
        Err(_) => limit.current,
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
fn raise_open_file_limit() -> Option<u64> {
    None
}

/// How many locations can be exported at a time with the open files that the system allows; at least one.
pub(super) fn limit_locations(asked: NonZeroUsize) -> NonZeroUsize {
    locations_within(asked, raise_open_file_limit())
}

/// How many requests can be in flight with the open files that the system allows; at least one. The embedded sandbox
/// is the other end of its connections, too.
pub(super) fn limit_requests(asked: NonZeroUsize, sandbox: bool) -> NonZeroUsize {
    requests_within(asked, raise_open_file_limit(), if sandbox { 2 } else { 1 })
}

/// The requests in flight of all locations together, as far as each has [`LEAST_REQUESTS`].
const REQUESTS_OF_ALL: usize = 512;
/// Enough to fill the rate limit of a location (10 a second) at any usual latency.
const LEAST_REQUESTS: usize = 8;

/// How many requests each of several locations may have in flight. Every connection takes some 35 kB: 64 locations with 32
/// each took 75 MB for them.
pub(super) fn share_requests(asked: NonZeroUsize, locations_at_once: usize) -> NonZeroUsize {
    let share = (REQUESTS_OF_ALL / locations_at_once.max(1)).max(LEAST_REQUESTS);
    asked.min(NonZeroUsize::new(share).unwrap_or(NonZeroUsize::MIN))
}

fn requests_within(
    asked: NonZeroUsize,
    files: Option<u64>,
    files_per_request: u64,
) -> NonZeroUsize {
    let Some(files) = files else { return asked };
    let fitting = files.saturating_sub(OWN_FILES + FILES_PER_RUN) / files_per_request;
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
    asked.min(NonZeroUsize::new(fitting).unwrap_or(NonZeroUsize::MIN))
}

fn locations_within(asked: NonZeroUsize, files: Option<u64>) -> NonZeroUsize {
    let Some(files) = files else { return asked };
    let fitting = files.saturating_sub(OWN_FILES) / FILES_PER_LOCATION;
    let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
    asked.min(NonZeroUsize::new(fitting).unwrap_or(NonZeroUsize::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_locations_run_at_a_time_as_the_system_has_files_for() {
        for (asked, files, expected) in [
            (64, None, 64),
            (64, Some(4_096), 64),
            (64, Some(1_024), 20),
            (64, Some(64), 1),
            (2, Some(1_024), 2),
        ] {
            let asked = NonZeroUsize::new(asked).unwrap();
            assert_eq!(locations_within(asked, files).get(), expected, "{files:?}");
        }
    }

    #[test]
    fn many_locations_share_the_requests_in_flight() {
        for (asked, locations, expected) in
            [(32, 1, 32), (32, 16, 32), (32, 20, 25), (32, 64, 8), (32, 256, 8), (4, 64, 4)]
        {
            let asked = NonZeroUsize::new(asked).unwrap();
            assert_eq!(share_requests(asked, locations).get(), expected, "{locations}");
        }
    }

    #[test]
    fn as_many_requests_are_in_flight_as_the_system_has_files_for() {
        let asked = NonZeroUsize::new(32).unwrap();
        for (files, per_request, expected) in [
            (None, 1, 32),
            (Some(1_024), 2, 32),
            (Some(64), 1, 8),
            (Some(64), 2, 4),
            (Some(8), 1, 1),
        ] {
            assert_eq!(requests_within(asked, files, per_request).get(), expected, "{files:?}");
        }
    }
}
