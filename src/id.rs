//! Opaque ids: of a location, a contact, a run and others.
//!
//! An id is untrusted text. It is validated once, where it enters the program; after that it can be
//! shown, compared and put into a path with the methods here, and in no other way. It is always
//! escaped before it becomes a file name or a URL segment, so an id such as `../x` is only an odd
//! name.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::truncate_text;

/// Why a text is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a valid {what} id: {reason}")]
pub struct InvalidId {
    what: &'static str,
    shown: String,
    reason: &'static str,
}

/// The maximum length of an id in bytes. HighLevel's ids have 20 to 24.
const MAX_ID_BYTES: usize = 128;

fn validate_id(what: &'static str, text: &str) -> Result<String, InvalidId> {
    let reject = |reason| {
        let shown = truncate_text(text, 40).replace(char::is_control, "\u{fffd}");
        Err(InvalidId { what, shown, reason })
    };
    match text {
        "" => reject("it is empty"),
        // URL parsers remove dot segments, escaped or not.
        "." | ".." => reject("it is a path segment"),
        _ if text.len() > MAX_ID_BYTES => reject("it is longer than 128 bytes"),
        _ if text.chars().any(char::is_control) => reject("it contains a control character"),
        _ => Ok(text.to_owned()),
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as one URL segment or file name.
            #[must_use]
            pub fn escaped_segment(&self) -> String {
                crate::text::percent_encode(&self.0)
            }

            /// The id as the server wrote it, for request bodies and comparisons.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                validate_id($what, text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A location (sub-account), the tenant that all contacts belong to.
    LocationId,
    "location"
);
id!(
    /// A company (agency), the owner of locations.
    CompanyId,
    "company"
);
id!(
    /// A contact.
    ContactId,
    "contact"
);
id!(
    /// A calendar.
    CalendarId,
    "calendar"
);
id!(
    /// A business.
    BusinessId,
    "business"
);
id!(
    /// A run of this program: the name of its directory, such as `20261121-061512-k3f9`.
    RunId,
    "run"
);

/// How a run's id begins: with its time in UTC.
const TIME_IN_RUN_ID: &str = "%Y%m%d-%H%M%S";

impl RunId {
    /// A new run's id: the UTC time, so that ids sort by age, plus four random characters.
    #[must_use]
    pub fn new(now: jiff::Timestamp) -> Self {
        let random: String = std::iter::repeat_with(fastrand::alphanumeric).take(4).collect();
        Self(format!("{}-{}", now.strftime(TIME_IN_RUN_ID), random.to_lowercase()))
    }

    /// The part after the time, which usually names a run alone.
    #[must_use]
    pub fn last_part(&self) -> &str {
        self.0.rsplit('-').next().unwrap_or(&self.0)
    }

    /// When the run was created, as its id says it; `None` for an id that does not begin with a time.
    #[must_use]
    pub fn created(&self) -> Option<jiff::Timestamp> {
        let (time, _) = self.0.rsplit_once('-')?;
        let time = jiff::civil::DateTime::strptime(TIME_IN_RUN_ID, time).ok()?;
        time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
    }
}

/// Many ids, remembered as hashes of eight bytes each.
///
/// They are kept in groups, so that none of them ever has to be copied as a whole when it grows.
#[derive(Debug)]
pub struct IdHashes {
    /// By the first byte of the hash.
    groups: Vec<Vec<u64>>,
}

impl Default for IdHashes {
    fn default() -> Self {
        Self { groups: vec![Vec::new(); 256] }
    }
}

impl IdHashes {
    /// Adds an id.
    pub fn add_id(&mut self, id: &str) {
        let hash = crate::text::hash_text(id);
        let group = usize::from(hash.to_be_bytes()[0]);
        self.groups[group].push(hash);
    }

    /// The number of different ids.
    #[must_use]
    pub fn count_distinct(mut self) -> u64 {
        let count = |group: &mut Vec<u64>| {
            group.sort_unstable();
            group.dedup();
            group.len() as u64
        };
        self.groups.iter_mut().map(count).sum()
    }

    /// The hashes of the ids that were added more than once.
    #[must_use]
    pub fn into_repeated(mut self) -> Vec<u64> {
        let mut repeated = Vec::new();
        for group in &mut self.groups {
            group.sort_unstable();
            let pairs = group.windows(2).filter(|pair| pair[0] == pair[1]);
            repeated.extend(pairs.map(|pair| pair[0]));
        }
        repeated.dedup();
        repeated
    }
}

/// Ids that were seen, remembered as hashes of eight bytes each.
///
/// A million of them take nine megabytes: the hashes are in one sorted vector, which the allocator can let grow where it is,
/// and the newest ones in a small set. A set of all would take nineteen, and half as much again while it is copied into a
/// larger one.
#[derive(Debug, Default)]
pub struct SeenIds {
    sorted: Vec<u64>,
    /// None of them is in `sorted`.
    newest: HashSet<u64>,
}

impl SeenIds {
    /// How many hashes are sorted in at a time: so many that this takes little time for each, and so few that their set
    /// takes little memory.
    const BATCH: usize = 1 << 16;

    /// Adds an id; whether it is new.
    pub fn insert(&mut self, id: &str) -> bool {
        let hash = crate::text::hash_text(id);
        if self.sorted.binary_search(&hash).is_ok() || !self.newest.insert(hash) {
            return false;
        }
        if self.newest.len() >= Self::BATCH {
            self.sort_newest_in();
        }
        true
    }

    /// The number of different ids.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.sorted.len() + self.newest.len()) as u64
    }

    /// Merges the newest hashes into the others, from the end and in place.
    fn sort_newest_in(&mut self) {
        let mut newest: Vec<u64> = self.newest.drain().collect();
        newest.sort_unstable();
        let mut old = self.sorted.len();
        self.sorted.reserve_exact(newest.len());
        self.sorted.resize(old + newest.len(), 0);
        for place in (0..self.sorted.len()).rev() {
            let Some(&next) = newest.last() else { break };
            if old > 0 && self.sorted[old - 1] > next {
                old -= 1;
                self.sorted[place] = self.sorted[old];
            } else {
                self.sorted[place] = next;
                newest.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_becomes_one_plain_segment_whatever_it_holds() {
        let id: ContactId = "../a b/ü".parse().unwrap();
        assert_eq!(id.escaped_segment(), "%2E%2E%2Fa%20b%2F%C3%BC");
        assert_eq!(id.to_string(), "../a b/ü");
    }

    #[test]
    fn an_id_is_new_once() {
        let mut seen = SeenIds::default();
        assert_eq!(seen.count(), 0);
        for id in 0..150_000 {
            assert!(seen.insert(&id.to_string()), "{id}");
        }
        for id in 0..150_000 {
            assert!(!seen.insert(&id.to_string()), "{id}");
        }
        assert_eq!(seen.count(), 150_000);
        assert!(seen.sorted.is_sorted() && seen.sorted.len() == 2 * SeenIds::BATCH);
    }

    #[test]
    fn an_id_that_was_added_twice_is_noticed() {
        let add_all = || {
            let mut ids = IdHashes::default();
            for id in ["a", "b", "c", "b", "b", "d", "c"] {
                ids.add_id(id);
            }
            ids
        };
        let mut expected = ["b", "c"].map(crate::text::hash_text);
        expected.sort_unstable();
        let mut repeated = add_all().into_repeated();
        repeated.sort_unstable();
        assert_eq!(repeated, expected);
        assert_eq!(add_all().count_distinct(), 4);
    }

    #[test]
    fn a_run_id_says_when_the_run_was_created() {
        let now: jiff::Timestamp = "2026-11-21T06:15:12Z".parse().unwrap();
        let id = RunId::new(now);
        assert_eq!((id.created(), id.last_part().len()), (Some(now), 4));
        assert_eq!("mine".parse::<RunId>().unwrap().created(), None);
    }

    #[test]
    fn what_could_only_be_a_path_or_an_escape_sequence_is_no_id() {
        for text in ["", ".", "..", "a\u{1b}[31m", &"x".repeat(129)] {
            assert!(text.parse::<LocationId>().is_err(), "{text:?}");
        }
    }
}
