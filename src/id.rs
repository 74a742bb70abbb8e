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

/// How many hashes are merged into a sorted vector at a time: so many that this takes little time for each, and so few
/// that they take little memory.
const MERGED_AT_ONCE: usize = 1 << 16;

/// By how many places a sorted vector grows: more than 32 MiB, which glibc always maps apart from its heaps. Only pages
/// that are written take memory; so the vector is never copied while it grows, leaves no holes in a heap, and is given
/// back to the system as a whole.
const GROWTH: usize = (32 << 20) / size_of::<u64>() + MERGED_AT_ONCE;

/// Moves sorted hashes into a sorted vector that has none of them, in place and from its end.
fn merge_sorted(newest: &mut Vec<u64>, sorted: &mut Vec<u64>) {
    let mut old = sorted.len();
    let is_large = old + newest.len() >= MERGED_AT_ONCE;
    if sorted.capacity() - old < newest.len() {
        sorted.reserve_exact(if is_large { GROWTH.max(newest.len()) } else { newest.len() });
    }
    sorted.resize(old + newest.len(), 0);
    for place in (0..sorted.len()).rev() {
        let Some(&next) = newest.last() else { break };
        if old > 0 && sorted[old - 1] > next {
            old -= 1;
            sorted[place] = sorted[old];
        } else {
            sorted[place] = next;
            newest.pop();
        }
    }
}

/// Many ids, remembered as hashes of eight bytes each. It says only at the end which ones came more than once, so that
/// adding an id costs little.
#[derive(Debug, Default)]
pub struct IdHashes {
    /// The different hashes.
    sorted: Vec<u64>,
    /// Hashes that are not in `sorted` yet, in the order in which they came.
    newest: Vec<u64>,
    /// Hashes that came again, once or more often.
    repeated: Vec<u64>,
}

impl IdHashes {
    /// Adds an id.
    pub fn add_id(&mut self, id: &str) {
        self.add_hash(crate::text::hash_text(id));
    }

    fn add_hash(&mut self, hash: u64) {
        self.newest.push(hash);
        if self.newest.len() >= MERGED_AT_ONCE {
            self.merge_newest();
        }
    }

    /// The number of different ids.
    #[must_use]
    pub fn count_distinct(mut self) -> u64 {
        self.merge_newest();
        self.sorted.len() as u64
    }

    /// The hashes of the ids that were added more than once, in order, each once.
    #[must_use]
    pub fn into_repeated(mut self) -> Vec<u64> {
        self.merge_newest();
        self.repeated.sort_unstable();
        self.repeated.dedup();
        self.repeated
    }

    fn merge_newest(&mut self) {
        let Self { sorted, newest, repeated } = self;
        newest.sort_unstable();
        newest.dedup_by(|later, earlier| {
            let is_same = later == earlier;
            if is_same {
                repeated.push(*later);
            }
            is_same
        });
        newest.retain(|hash| {
            let is_new = sorted.binary_search(hash).is_err();
            if !is_new {
                repeated.push(*hash);
            }
            is_new
        });
        merge_sorted(newest, sorted);
    }
}

/// Ids that were seen, remembered as hashes of eight bytes each.
///
/// A million of them take nine megabytes: the hashes are in one sorted vector, which grows where it is,
/// and the newest ones in a small set. A set of all would take nineteen, and half as much again while it is copied into a
/// larger one.
#[derive(Debug, Default)]
pub struct SeenIds {
    sorted: Vec<u64>,
    /// None of them is in `sorted`.
    newest: HashSet<u64>,
}

impl SeenIds {
    /// Adds an id; whether it is new.
    pub fn insert(&mut self, id: &str) -> bool {
        self.insert_hash(crate::text::hash_text(id))
    }

    fn insert_hash(&mut self, hash: u64) -> bool {
        if self.sorted.binary_search(&hash).is_ok() || !self.newest.insert(hash) {
            return false;
        }
        if self.newest.len() >= MERGED_AT_ONCE {
            self.merge_newest();
        }
        true
    }

    fn merge_newest(&mut self) {
        let mut newest: Vec<u64> = self.newest.drain().collect();
        newest.sort_unstable();
        merge_sorted(&mut newest, &mut self.sorted);
    }

    /// The number of different ids.
    #[must_use]
    pub fn count(&self) -> u64 {
        (self.sorted.len() + self.newest.len()) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

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
        assert!(seen.sorted.is_sorted() && seen.sorted.len() == 2 * MERGED_AT_ONCE);
    }

    /// Hashes in the order in which they are added; `None` where the newest ones are merged into the others.
    fn hashes_and_merges() -> impl Strategy<Value = Vec<Option<u64>>> {
        let hash = prop_oneof![0..40_u64, any::<u64>(), Just(u64::MAX)];
        proptest::collection::vec(proptest::option::weighted(0.9, hash), 0..300)
    }

    proptest! {
        #[test]
        fn hashes_are_counted_and_repeated_ones_known_as_by_a_set(added in hashes_and_merges()) {
            let make = || {
                let mut ids = IdHashes::default();
                for hash in &added {
                    match hash {
                        Some(hash) => ids.add_hash(*hash),
                        None => ids.merge_newest(),
                    }
                }
                ids
            };
            let (mut all, mut repeated) = (HashSet::new(), BTreeSet::new());
            for hash in added.iter().flatten() {
                if !all.insert(*hash) {
                    repeated.insert(*hash);
                }
            }
            prop_assert_eq!(make().count_distinct(), all.len() as u64);
            prop_assert_eq!(make().into_repeated(), repeated.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn hashes_are_new_as_to_a_set(added in hashes_and_merges()) {
            let (mut seen, mut all) = (SeenIds::default(), HashSet::new());
            for hash in &added {
                match hash {
                    Some(hash) => prop_assert_eq!(seen.insert_hash(*hash), all.insert(*hash)),
                    None => seen.merge_newest(),
                }
                prop_assert_eq!(seen.count(), all.len() as u64);
            }
        }
    }

    #[test]
    fn many_ids_are_counted_and_repeated_ones_known() {
        let add_all = || {
            let mut ids = IdHashes::default();
            for id in (0..150_000).chain(149_000..250_000).chain([7, 7]) {
                ids.add_id(&id.to_string());
            }
            ids
        };
        assert_eq!(add_all().count_distinct(), 250_000);
        assert_eq!(add_all().into_repeated().len(), 1_001);
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
        assert_eq!(add_all().into_repeated(), expected);
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
