//! How a user names a run: by its id, a beginning of it, or its last part.

use std::fmt;
use std::str::FromStr;

use crate::id::{InvalidId, RunId};
use crate::text::closest_match;

/// The name of a run as it was typed: the full id, a beginning of it, or its last part, such as `k3f9`. Case is
/// ignored. [`super::RunStore::find_run`] finds the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRef(String);

impl FromStr for RunRef {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse::<RunId>().map(|id| Self(id.into()))
    }
}

impl fmt::Display for RunRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RunRef {
    /// The runs that it names: the one with this id, or all that have it as their beginning or last part.
    pub(super) fn matching_runs<'i>(&self, ids: &'i [RunId]) -> Vec<&'i RunId> {
        matching_runs(&self.0, ids)
    }

    /// The id, or the last part of one, that is most similar to it.
    pub(super) fn closest_run(&self, ids: &[RunId]) -> Option<String> {
        let names = ids.iter().flat_map(|id| [id.as_str(), id.last_part()]);
        closest_match(&self.0, names, str::to_lowercase).map(str::to_owned)
    }
}

fn matching_runs<'i>(text: &str, ids: &'i [RunId]) -> Vec<&'i RunId> {
    let is_same = |id: &&RunId| id.as_str().eq_ignore_ascii_case(text);
    if let Some(same) = ids.iter().find(is_same) {
        return vec![same];
    }
    let begins = |id: &RunId| {
        id.as_str().get(..text.len()).is_some_and(|head| head.eq_ignore_ascii_case(text))
    };
    let ends = |id: &RunId| id.last_part().eq_ignore_ascii_case(text);
    ids.iter().filter(|id| begins(id) || ends(id)).collect()
}

/// The ids of all runs, to shorten an id as far as it stays unique.
#[derive(Debug, Clone, Default)]
pub struct ShortRunIds(pub(super) Vec<RunId>);

impl ShortRunIds {
    /// The last part of an id if that names no other run, else the id.
    #[must_use]
    pub fn shorten(&self, id: &RunId) -> String {
        let short = id.last_part();
        if matching_runs(short, &self.0) == [id] { short.to_owned() } else { id.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<RunId> {
        ["20261121-061512-k3f9", "20261122-061512-2026", "20261122-070000-abcd"]
            .map(|id| id.parse().unwrap())
            .into()
    }

    fn named(text: &str) -> Vec<String> {
        let named: RunRef = text.parse().unwrap();
        named.matching_runs(&ids()).into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_run_is_named_by_its_id_its_beginning_or_its_last_part_in_any_case() {
        let ids = ids();
        for text in ["20261121-061512-k3f9", "20261121-061512-K3F9", "20261121", "k3f9", "K3F9"] {
            assert_eq!(named(text), [ids[0].to_string()], "{text}");
        }
        for text in ["3f9", "061512", "k3f", "20261121-061512-k3f9x", "ü"] {
            assert_eq!(named(text), [""; 0], "{text}");
        }
        assert_eq!(named("20261122").len(), 2);
        assert_eq!(named("2026").len(), 3, "a last part that others begin with is not unique");
    }

    #[test]
    fn an_id_is_shortened_only_as_far_as_it_stays_unique() {
        let mut ids = ids();
        let shorten = |ids: &[RunId], at: usize| ShortRunIds(ids.to_owned()).shorten(&ids[at]);
        assert_eq!(shorten(&ids, 0), "k3f9");
        assert_eq!(shorten(&ids, 1), "20261122-061512-2026");
        ids.push("20261123-000000-k3f9".parse().unwrap());
        assert_eq!(shorten(&ids, 0), "20261121-061512-k3f9");
        assert_eq!(ShortRunIds::default().shorten(&ids[0]), "20261121-061512-k3f9");
    }

    #[test]
    fn the_closest_run_is_one_typing_mistake_away() {
        let closest = |text: &str| text.parse::<RunRef>().unwrap().closest_run(&ids());
        assert_eq!(closest("k3f8").as_deref(), Some("k3f9"));
        assert_eq!(closest("20261121-061513-k3f9").as_deref(), Some("20261121-061512-k3f9"));
        assert_eq!(closest("zzzz"), None);
    }
}
