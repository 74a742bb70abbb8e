//! Derived keys: members that repeat other members of their row.
//!
//! A derived key has no information of its own. It is dropped if it repeats the rest of the row
//! exactly, and kept in `extra` if it differs. Rebuilding a row adds every derived key that `extra`
//! does not have, even where the server had omitted it.

use serde_json::{Map, Value};

use super::{json_scan, scalar};

/// A key that follows from other keys of the same row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedKey {
    /// The key.
    pub key: &'static str,
    /// How it is derived.
    pub rule: DerivedRule,
}

/// How a key is derived from others; the keys named are those of the search endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivedRule {
    /// The page cursor after this row: `[epoch milliseconds of the time, id]`.
    Cursor {
        /// The key of the time.
        time: &'static str,
        /// The keys of the id, best first.
        ids: &'static [&'static str],
    },
    /// The text under this key, in lower case.
    Lower(&'static str),
    /// A copy of the value under this key.
    Copy(&'static str),
}

impl DerivedKey {
    /// Whether `raw`, the key's value, follows from the values that `find` returns.
    pub(super) fn is_redundant<'r>(
        &self,
        raw: &str,
        find: impl Fn(&str) -> Option<&'r str>,
    ) -> bool {
        match self.rule {
            DerivedRule::Cursor { time, ids } => {
                let ms = find(time).and_then(|raw| scalar::parse_instant(raw, None));
                let id = ids.iter().find_map(|id| find(id)).filter(|id| id.starts_with('"'));
                ms.zip(id).is_some_and(|((ms, _), id)| is_page_cursor(raw, ms, id))
            }
            DerivedRule::Lower(of) => find(of).is_some_and(|of| is_lowercase_of(raw, of)),
            DerivedRule::Copy(of) => find(of) == Some(raw),
        }
    }

    /// The key's value in a rebuilt row.
    pub(super) fn derive_value(&self, row: &Map<String, Value>) -> Option<Value> {
        match self.rule {
            DerivedRule::Cursor { time, ids } => {
                let (ms, _) = scalar::parse_instant(&row.get(time)?.to_string(), None)?;
                let id = ids.iter().find_map(|id| row.get(*id))?.as_str()?;
                Some(Value::from(vec![Value::from(ms), Value::from(id)]))
            }
            DerivedRule::Lower(of) => Some(Value::from(row.get(of)?.as_str()?.to_lowercase())),
            DerivedRule::Copy(of) => row.get(of).cloned(),
        }
    }
}

fn is_page_cursor(raw: &str, ms: i64, id: &str) -> bool {
    // There may be blanks between the parts, as in a pretty-printed answer.
    let parts = raw.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')?.split_once(','));
    parts.is_some_and(|(at, of)| at.trim_ascii().parse() == Ok(ms) && of.trim_ascii() == id)
}

fn is_lowercase_of(raw: &str, of: &str) -> bool {
    let (Some(lower), Some(text)) = (json_scan::decode_string(raw), json_scan::decode_string(of))
    else {
        return false;
    };
    if text.is_ascii() {
        lower.len() == text.len() && lower.bytes().eq(text.bytes().map(|b| b.to_ascii_lowercase()))
    } else {
        lower == text.to_lowercase()
    }
}
