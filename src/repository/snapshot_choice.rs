//! Which snapshot is meant: the latest, one before it, an id, or a time.

use std::str::FromStr;

use jiff::Timestamp;

use super::error::RepositoryError;
use super::snapshot_id::SnapshotId;
use super::snapshot_list::{Snapshot, SnapshotList};

/// Which snapshot is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotChoice {
    /// The so-manieth before the latest; 0 is the latest.
    Latest(usize),
    /// The last one that says how things were at a time or before.
    At(Timestamp),
    /// An id, its beginning, or its last four characters.
    Named(String),
}

/// The latest.
impl Default for SnapshotChoice {
    fn default() -> Self {
        Self::Latest(0)
    }
}

/// `latest`, `latest~2` or (the beginning of) an id. Times are read by `--at`.
impl FromStr for SnapshotChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |text: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && text.len() >= 4
        };
        match text.strip_prefix("latest") {
            Some("") => Ok(Self::Latest(0)),
            Some(rest) => {
                let back = rest.strip_prefix('~').and_then(|back| back.parse().ok());
                back.map(Self::Latest).ok_or_else(|| "expected `latest` or `latest~N`".to_owned())
            }
            None if is_name(text) => Ok(Self::Named(text.to_owned())),
            None => Err(
                "expected `latest`, `latest~N`, or an id such as `20261129T020304Z-k3f9` or its last four characters"
                    .to_owned(),
            ),
        }
    }
}

impl SnapshotList {
    /// The snapshot that is meant.
    ///
    /// # Errors
    /// When no snapshot or several are meant.
    pub fn choose(&self, choice: &SnapshotChoice) -> Result<&Snapshot, RepositoryError> {
        let none = |named: String, why: &str| RepositoryError::NoSuchSnapshot {
            named,
            why: why.to_owned(),
        };
        match choice {
            SnapshotChoice::Latest(back) => {
                let at = self.snapshots.len().checked_sub(back + 1);
                let count = self.snapshots.len();
                let why = match count {
                    0 => "there are no snapshots".to_owned(),
                    1 => "there is 1 snapshot".to_owned(),
                    count => format!("there are {count} snapshots"),
                };
                let named = if *back == 0 { "latest".to_owned() } else { format!("latest~{back}") };
                at.map(|at| &self.snapshots[at]).ok_or_else(|| none(named, &why))
            }
            SnapshotChoice::At(time) => {
                let before = |snapshot: &&Snapshot| snapshot.manifest.as_of <= *time;
                let found = self.snapshots.iter().rfind(before);
                found.ok_or_else(|| {
                    let why = self.snapshots.first().map_or_else(
                        || "there are no snapshots".to_owned(),
                        |first| format!("the first snapshot is of {}", first.manifest.as_of),
                    );
                    none(time.to_string(), &why)
                })
            }
            SnapshotChoice::Named(name) => {
                let fits =
                    |id: &SnapshotId| id.as_str().starts_with(name) || id.last_part() == name;
                let found: Vec<_> =
                    self.snapshots.iter().filter(|snapshot| fits(snapshot.id())).collect();
                match found.as_slice() {
                    [snapshot] => Ok(snapshot),
                    [] => Err(none(name.clone(), self.why_missing(fits))),
                    several => Err(RepositoryError::AmbiguousSnapshot {
                        named: name.clone(),
                        candidates: several.iter().map(|found| found.id().clone()).collect(),
                    }),
                }
            }
        }
    }

    /// The forgotten snapshot that is meant, by its id.
    ///
    /// # Errors
    /// When no snapshot or several are meant.
    pub fn choose_forgotten(&self, choice: &SnapshotChoice) -> Result<&Snapshot, RepositoryError> {
        let forgotten = Self { snapshots: self.forgotten.clone(), ..Self::default() };
        let id =
            forgotten.choose(choice).map(|found| found.id().clone()).map_err(
                |error| match error {
                    RepositoryError::NoSuchSnapshot { named, .. } => {
                        RepositoryError::NoSuchSnapshot {
                            named,
                            why: "no such snapshot was forgotten, or it is pruned already"
                                .to_owned(),
                        }
                    }
                    error => error,
                },
            )?;
        let found = self.forgotten.iter().find(|snapshot| *snapshot.id() == id);
        found.ok_or_else(|| RepositoryError::NoSuchSnapshot {
            named: id.to_string(),
            why: String::new(),
        })
    }

    fn why_missing(&self, fits: impl Fn(&SnapshotId) -> bool) -> &'static str {
        if self.forgotten.iter().any(|snapshot| fits(snapshot.id())) {
            "it was forgotten; `backup remember` takes that back"
        } else if self.damaged.iter().any(|damaged| fits(&damaged.id)) {
            "its manifest is damaged"
        } else {
            ""
        }
    }
}
