//! The id of a snapshot, which is the name of its directory.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a snapshot's id begins: with its time in UTC.
const TIME: &str = "%Y%m%dT%H%M%SZ";
/// The bytes of the time.
const TIME_BYTES: usize = 16;
/// The characters after it.
const RANDOM_BYTES: usize = 4;

/// The id of a snapshot: the server's time when its sync began, and four random characters, such as
/// `20261129T020304Z-k3f9`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SnapshotId(String);

/// A text that is not a snapshot's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a snapshot, such as `20261129T020304Z-k3f9`")]
pub struct InvalidSnapshotId;

impl SnapshotId {
    /// A new id.
    #[must_use]
    pub fn new(time: Timestamp) -> Self {
        let random: String =
            std::iter::repeat_with(fastrand::alphanumeric).take(RANDOM_BYTES).collect();
        Self(format!("{}-{}", time.strftime(TIME), random.to_lowercase()))
    }

    /// The id, which is safe as the name of a file.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The time in the id.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        parse_time(&self.0).unwrap_or_default()
    }

    /// The part after the time, which usually names a snapshot alone.
    #[must_use]
    pub fn last_part(&self) -> &str {
        &self.0[TIME_BYTES + 1..]
    }
}

fn parse_time(id: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(TIME, id.get(..TIME_BYTES)?).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|time| time.timestamp())
}

impl FromStr for SnapshotId {
    type Err = InvalidSnapshotId;

    fn from_str(text: &str) -> Result<Self, InvalidSnapshotId> {
        let is_plain = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
        };
        let random = text.get(TIME_BYTES..).and_then(|rest| rest.strip_prefix('-'));
        let is_random = random.is_some_and(|part| part.len() == RANDOM_BYTES && is_plain(part));
        // The same text, so that no two names are one snapshot.
        let time = parse_time(text).map(|time| time.strftime(TIME).to_string());
        if is_random && time.as_deref() == text.get(..TIME_BYTES) {
            return Ok(Self(text.to_owned()));
        }
        Err(InvalidSnapshotId)
    }
}

impl TryFrom<String> for SnapshotId {
    type Error = InvalidSnapshotId;

    fn try_from(text: String) -> Result<Self, InvalidSnapshotId> {
        text.parse()
    }
}

impl From<SnapshotId> for String {
    fn from(id: SnapshotId) -> Self {
        id.0
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_time_and_four_characters() {
        let time: Timestamp = "2026-11-29T02:03:04Z".parse().unwrap();
        let id = SnapshotId::new(time);
        assert!(id.as_str().starts_with("20261129T020304Z-"), "{id}");
        assert_eq!(id.as_str().parse::<SnapshotId>().unwrap(), id);
        assert_eq!(id.time(), time);
        assert_eq!(id.last_part().len(), 4);
    }

    #[test]
    fn other_names_are_no_ids() {
        for name in [
            "",
            "holds",
            "../../../etc/pass",
            "20261129T020304Z",
            "20261129T020304Z-k3f",
            "20261129T020304Z-K3F9",
            "20261329T020304Z-k3f9",
            "20261129T020304Z-k3f9/",
            "20261129T020304Z/k3f9",
            "äöü61129T020304Z-k3f9",
        ] {
            assert!(name.parse::<SnapshotId>().is_err(), "{name}");
        }
    }
}
