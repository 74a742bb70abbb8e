//! How `POST /notes/search` behaves where the real service's behavior is unknown or may be faulty.
//!
//! Written as `KEY=VALUE` pairs, separated by commas: `limit=100,window=none,relations=ids`.
//!
//! | key | value | default |
//! | --- | --- | --- |
//! | `limit` | the largest page | 500 |
//! | `over-limit` | a larger one: `refuse` or `clamp` | `refuse` |
//! | `default-limit` | the page without a limit | 20 |
//! | `window` | the most that skip and limit reach together, or `none` | 10000 |
//! | `over-window` | beyond it: `refuse` or `empty` | `refuse` |
//! | `relations` | the form taken: `objects`, `ids` or `both`; or `ignored`: any, without effect | `objects` |
//! | `wrong-relations` | the other form: `refuse` or `ignore` | `refuse` |
//! | `most-relations` | the most in one request | 100 |
//! | `join` | several relations: `or`, `and`, or `first` (only the first one counts) | `or` |
//! | `contact-id` | the undocumented property `contactId`: `refuse`, `filter` or `ignore` | `refuse` |
//! | `total` | the name of the total: `total`, `count`, `meta.total` or `none` | `total` |
//! | `total-when` | `always`, or `asked`: only with `count: true` | `always` |
//! | `total-cap` | the total counts no further, or `none` | `none` |
//! | `total-add` | added to the total, may be negative | 0 |
//! | `shape` | `notes`, or `documented`: `{"note": {}}` with the first one | `notes` |
//! | `status` | of an answer: 200 or 201 | 201 |
//! | `versions` | those served, joined by `+`, or `any` | `v3` |
//! | `order` | `sorted`, `newest` (whatever is asked), `unsorted` (by nothing) | `sorted` |
//! | `borders` | `exact`; `repeat`: a page starts one note early; `lose`: that note replaces the first | `exact` |
//! | `missing-before` | notes added before this date are never found, or `none` | `none` |
//! | `longest-body` | characters of a body that are shown, or `none` | `none` |
//! | `lag` | a write is found after `N` searches, after `Nms`, when a control route says so: `held`; or `none` | `none` |
//!
//! Nothing here needs a store or a request.

use std::str::FromStr;
use std::time::Duration;

use super::text::parse_datetime;

/// How the search of notes behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotesSearchBehavior {
    /// The largest page.
    pub largest_page: usize,
    /// What happens to a larger one; tolerated, it is clamped.
    pub over_limit: RequestTolerance,
    /// The page size where the request has none.
    pub default_page: usize,
    /// How many notes can be reached with `skip`; `None` is unlimited.
    pub window: Option<usize>,
    /// What happens to a page beyond the window; tolerated, it is empty.
    pub over_window: RequestTolerance,
    /// The form of relations that is accepted.
    pub relations: AcceptedRelations,
    /// What happens to relations in the other form; tolerated, they have no effect.
    pub wrong_relations: RequestTolerance,
    /// The most relations in one request.
    pub most_relations: usize,
    /// What several relations mean.
    pub join: RelationJoin,
    /// What the undocumented property `contactId` does.
    pub contact_id: ContactIdUse,
    /// Where the total is.
    pub total: TotalName,
    /// Whether the total is sent only on request.
    pub total_only_if_asked: bool,
    /// The total counts no further than this.
    pub total_cap: Option<usize>,
    /// How wrong the total is.
    pub total_add: i64,
    /// Whether the answer is shaped as the vendor's documentation has it.
    pub documented_shape: bool,
    /// The status of an answer.
    pub status: u16,
    /// The versions that have the route; empty is all.
    pub versions: Vec<String>,
    /// The order of the notes.
    pub order: ServedOrder,
    /// What happens where one page ends and the next one starts.
    pub borders: PageBorder,
    /// Notes added before this time, in milliseconds since 1970, are never found.
    pub missing_before: Option<i64>,
    /// How many characters of a body are shown.
    pub longest_body: Option<usize>,
    /// How long the search lags behind a write.
    pub lag: NotesIndexLag,
}

/// What happens to a request that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestTolerance {
    /// It is refused.
    Refuse,
    /// It is answered; the rule says how.
    Tolerate,
}

/// The form of the elements of `relations`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedRelations {
    /// `{"objectKey": "contact", "recordId": "…"}`.
    Objects,
    /// Plain record ids.
    Ids,
    /// Both.
    Both,
    /// Anything; all notes of the location are found nevertheless.
    Ignored,
}

/// What several relations in one request mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationJoin {
    /// Notes of any of the records.
    Or,
    /// Notes that relate to all of them.
    And,
    /// Notes of the first.
    First,
}

/// What `contactId` in a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactIdUse {
    /// The request is refused.
    Refuse,
    /// The notes of that contact are found.
    Filter,
    /// Nothing.
    Ignore,
}

/// The name of the total in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotalName {
    /// `total`.
    Total,
    /// `count`.
    Count,
    /// `meta.total`.
    MetaTotal,
    /// There is no total.
    None,
}

/// The order of the notes in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedOrder {
    /// As requested; by default the newest come first.
    Sorted,
    /// The newest come first, whatever was requested.
    Newest,
    /// By nothing that a client can see.
    Unsorted,
}

/// What happens at the border of two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageBorder {
    /// Nothing.
    Exact,
    /// Each page but the first starts one note too early.
    Repeat,
    /// The first note of each page but the first is replaced by the last one of the page before.
    Lose,
}

/// How long a search lags behind a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotesIndexLag {
    /// Not at all.
    #[default]
    None,
    /// Until so many searches of notes were answered.
    Searches(u64),
    /// For this time.
    Time(Duration),
    /// Until `POST /__sandbox/notes/index`.
    Held,
}

/// A text that is not such a behavior.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pair}` is not a setting of the notes search: {reason}")]
pub struct NotesSearchParseError {
    pair: String,
    reason: String,
}

impl Default for NotesSearchBehavior {
    fn default() -> Self {
        Self {
            largest_page: 500,
            over_limit: RequestTolerance::Refuse,
            default_page: 20,
            window: Some(10_000),
            over_window: RequestTolerance::Refuse,
            relations: AcceptedRelations::Objects,
            wrong_relations: RequestTolerance::Refuse,
            most_relations: 100,
            join: RelationJoin::Or,
            contact_id: ContactIdUse::Refuse,
            total: TotalName::Total,
            total_only_if_asked: false,
            total_cap: None,
            total_add: 0,
            documented_shape: false,
            status: 201,
            versions: vec!["v3".to_owned()],
            order: ServedOrder::Sorted,
            borders: PageBorder::Exact,
            missing_before: None,
            longest_body: None,
            lag: NotesIndexLag::None,
        }
    }
}

impl NotesSearchBehavior {
    /// The same behavior with the changes in `text`.
    pub fn with_changes(mut self, text: &str) -> Result<Self, NotesSearchParseError> {
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            self.change(key, value)
                .map_err(|reason| NotesSearchParseError { pair: pair.to_owned(), reason })?;
        }
        Ok(self)
    }

    fn change(&mut self, key: &str, value: &str) -> Result<(), String> {
        use RequestTolerance::{Refuse, Tolerate};
        match key {
            "limit" => self.largest_page = parse_number(value)?,
            "over-limit" => {
                self.over_limit = pick(value, &[("refuse", Refuse), ("clamp", Tolerate)])?;
            }
            "default-limit" => self.default_page = parse_number(value)?,
            "window" => self.window = parse_optional(value, parse_number)?,
            "over-window" => {
                self.over_window = pick(value, &[("refuse", Refuse), ("empty", Tolerate)])?;
            }
            "total-when" => {
                self.total_only_if_asked = pick(value, &[("always", false), ("asked", true)])?;
            }
            "total-cap" => self.total_cap = parse_optional(value, parse_number)?,
            "total-add" => self.total_add = parse_number(value)?,
            "shape" => {
                self.documented_shape = pick(value, &[("notes", false), ("documented", true)])?;
            }
            "status" => self.status = pick(value, &[("200", 200), ("201", 201)])?,
            "versions" if value == "any" => self.versions.clear(),
            "versions" => self.versions = value.split('+').map(str::to_owned).collect(),
            "missing-before" => self.missing_before = parse_optional(value, parse_date)?,
            "longest-body" => self.longest_body = parse_optional(value, parse_number)?,
            "lag" => self.lag = parse_lag(value)?,
            _ => self.change_choice(key, value)?,
        }
        Ok(())
    }

    fn change_choice(&mut self, key: &str, value: &str) -> Result<(), String> {
        use RequestTolerance::{Refuse, Tolerate};
        use {ContactIdUse as Contact, PageBorder as Border, ServedOrder as Order};
        match key {
            "relations" => {
                self.relations = pick(
                    value,
                    &[
                        ("objects", AcceptedRelations::Objects),
                        ("ids", AcceptedRelations::Ids),
                        ("both", AcceptedRelations::Both),
                        ("ignored", AcceptedRelations::Ignored),
                    ],
                )?;
            }
            "wrong-relations" => {
                self.wrong_relations = pick(value, &[("refuse", Refuse), ("ignore", Tolerate)])?;
            }
            "most-relations" => self.most_relations = parse_number(value)?,
            "join" => {
                let joins = [
                    ("or", RelationJoin::Or),
                    ("and", RelationJoin::And),
                    ("first", RelationJoin::First),
                ];
                self.join = pick(value, &joins)?;
            }
            "contact-id" => {
                let uses = [
                    ("refuse", Contact::Refuse),
                    ("filter", Contact::Filter),
                    ("ignore", Contact::Ignore),
                ];
                self.contact_id = pick(value, &uses)?;
            }
            "total" => {
                let names = [
                    ("total", TotalName::Total),
                    ("count", TotalName::Count),
                    ("meta.total", TotalName::MetaTotal),
                    ("none", TotalName::None),
                ];
                self.total = pick(value, &names)?;
            }
            "order" => {
                let orders = [
                    ("sorted", Order::Sorted),
                    ("newest", Order::Newest),
                    ("unsorted", Order::Unsorted),
                ];
                self.order = pick(value, &orders)?;
            }
            "borders" => {
                let borders =
                    [("exact", Border::Exact), ("repeat", Border::Repeat), ("lose", Border::Lose)];
                self.borders = pick(value, &borders)?;
            }
            _ => return Err(format!("there is no key `{key}`")),
        }
        Ok(())
    }

    /// Whether a request with this version finds the route.
    pub(super) fn serves_version(&self, version: Option<&str>) -> bool {
        self.versions.is_empty()
            || version.is_some_and(|asked| self.versions.iter().any(|own| own == asked))
    }
}

impl FromStr for NotesSearchBehavior {
    type Err = NotesSearchParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::default().with_changes(text)
    }
}

/// The value with this word.
fn pick<T: Copy>(word: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(own, _)| *own == word).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let words: Vec<String> = values.iter().map(|(own, _)| format!("`{own}`")).collect();
        format!("it takes {}", words.join(", "))
    })
}

fn parse_number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "it takes a whole number".to_owned())
}

fn parse_date(text: &str) -> Result<i64, String> {
    parse_datetime(text).ok_or_else(|| "it takes a date such as `2024-01-31`".to_owned())
}

fn parse_optional<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text == "none" { Ok(None) } else { parse(text).map(Some) }
}

fn parse_lag(text: &str) -> Result<NotesIndexLag, String> {
    Ok(match (text, text.strip_suffix("ms")) {
        ("none", _) => NotesIndexLag::None,
        ("held", _) => NotesIndexLag::Held,
        (_, Some(milliseconds)) => {
            NotesIndexLag::Time(Duration::from_millis(parse_number(milliseconds)?))
        }
        (count, None) => NotesIndexLag::Searches(parse_number(count)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_apply_to_the_behavior_before_them() {
        let first: NotesSearchBehavior = "limit=100, relations=ids".parse().unwrap();
        let both = first.with_changes("window=none,lag=3").unwrap();
        assert_eq!((both.largest_page, both.relations), (100, AcceptedRelations::Ids));
        assert_eq!((both.window, both.lag), (None, NotesIndexLag::Searches(3)));
    }

    #[test]
    fn a_wrong_pair_is_refused_with_a_reason() {
        let error = "limit=100,relations=some".parse::<NotesSearchBehavior>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`relations=some` is not a setting of the notes search: \
             it takes `objects`, `ids`, `both`, `ignored`"
        );
        for text in ["limit", "limit=x", "colour=red", "lag=2s", "missing-before=x"] {
            assert!(text.parse::<NotesSearchBehavior>().is_err(), "{text}");
        }
    }
}
