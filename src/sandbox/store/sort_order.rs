//! The order of a search: what it sorts by, and the cursors that follow from it.
//!
//! As in the search engine behind the service: equal values are told apart by the id, and what has
//! no value comes last in either direction.

use std::cmp::Ordering;

use serde_json::Value;

use super::location_store::Slot;
use crate::sandbox::endpoints::filter_parse::Seen;
use crate::sandbox::http::response::Refusal;
use crate::sandbox::text::quote;

const TEXTS: [&str; 5] =
    ["firstNameLowerCase", "lastNameLowerCase", "businessName", "email", "source"];

/// What a search sorts by, at most two fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sort(Vec<(By, Direction)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Added,
    Updated,
    Dnd,
    Text(&'static str),
}

/// Which way a sort goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// A value to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Number(i64),
    Text(Box<str>),
    Nothing,
}

/// The place of one record in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    keys: Vec<Key>,
    id: Box<str>,
}

/// The records that a search found, in its order.
#[derive(Debug)]
pub(crate) struct Ranking {
    rows: Vec<(Cursor, Slot)>,
}

impl Sort {
    /// Reads a body's `sort`; without one the newest come first.
    pub(crate) fn read(value: Option<&Value>) -> Result<Self, Refusal> {
        let wrong = |text: String| Err(Refusal::invalid(vec![text]));
        let list = match value {
            None => return Ok(Self(vec![(By::Added, Direction::Descending)])),
            Some(Value::Array(list)) => list,
            Some(_) => return wrong("sort must be an array".to_owned()),
        };
        if list.len() > 2 {
            return wrong("sort must contain no more than 2 elements".to_owned());
        }
        let mut sort = Vec::new();
        for one in list {
            let keys = one.as_object().into_iter().flat_map(|one| one.keys());
            if let Some(key) =
                keys.into_iter().find(|key| !["field", "direction"].contains(&key.as_str()))
            {
                return Err(Refusal::unknown_property(key));
            }
            let field = one.get("field").and_then(Value::as_str).unwrap_or_default();
            let direction = match one.get("direction").and_then(Value::as_str) {
                Some("asc") => Direction::Ascending,
                Some("desc") => Direction::Descending,
                _ => {
                    return wrong(
                        "direction must be one of the following values: asc, desc".to_owned(),
                    );
                }
            };
            let by = match field {
                "dateAdded" => By::Added,
                "dateUpdated" => By::Updated,
                "dnd" => By::Dnd,
                _ => match TEXTS.iter().find(|text| **text == field) {
                    Some(text) => By::Text(text),
                    None => {
                        return Err(Refusal::bad_request(format!("Invalid sort field {field}")));
                    }
                },
            };
            sort.push((by, direction));
        }
        if sort.is_empty() {
            sort.push((By::Added, Direction::Descending));
        }
        Ok(Self(sort))
    }

    /// The direction, when this is the order in which a shelf keeps its contacts anyway.
    pub(crate) fn by_date_added(&self) -> Option<Direction> {
        match self.0.as_slice() {
            [(By::Added, direction)] => Some(*direction),
            _ => None,
        }
    }

    /// Reads a `searchAfter` that this order has given out.
    pub(crate) fn cursor(&self, value: &Value) -> Result<Cursor, Refusal> {
        let wrong = || Refusal::bad_request("searchAfter does not fit the sort");
        let list = value.as_array().ok_or_else(wrong)?;
        let Some((id, keys)) = list.split_last().filter(|(_, keys)| keys.len() == self.0.len())
        else {
            return Err(wrong());
        };
        let mut cursor = Cursor { keys: Vec::new(), id: id.as_str().ok_or_else(wrong)?.into() };
        for ((by, _), key) in self.0.iter().zip(keys) {
            cursor.keys.push(match (by, key) {
                (By::Text(_), Value::String(text)) => Key::Text(text.as_str().into()),
                (By::Text(_), Value::Null) => Key::Nothing,
                (By::Text(_), _) => return Err(wrong()),
                (_, number) => Key::Number(number.as_i64().ok_or_else(wrong)?),
            });
        }
        Ok(cursor)
    }

    /// The place of a record in this order.
    pub(crate) fn place(&self, seen: &Seen<'_>) -> Cursor {
        let key = |by: &By| match by {
            By::Added => Key::Number(seen.view().contact.added),
            By::Updated => Key::Number(seen.view().updated),
            By::Dnd => Key::Number(i64::from(seen.row().get("dnd") == Some(&Value::Bool(true)))),
            By::Text(name) => match seen.row().get(*name).and_then(Value::as_str) {
                Some(text) => Key::Text(text.into()),
                None => Key::Nothing,
            },
        };
        let keys = self.0.iter().map(|(by, _)| key(by)).collect();
        Cursor { keys, id: seen.view().contact.id.clone() }
    }

    fn compare(&self, left: &Cursor, right: &Cursor) -> Ordering {
        for ((_, direction), (left, right)) in self.0.iter().zip(left.keys.iter().zip(&right.keys))
        {
            let order = left.compare(right, *direction);
            if order != Ordering::Equal {
                return order;
            }
        }
        match self.0.first() {
            Some((_, Direction::Descending)) => right.id.cmp(&left.id),
            _ => left.id.cmp(&right.id),
        }
    }
}

impl Key {
    fn compare(&self, other: &Self, direction: Direction) -> Ordering {
        let order = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if direction == Direction::Ascending { order } else { order.reverse() }
    }
}

impl Cursor {
    /// The cursor's date and id, when the order is the one by `dateAdded`.
    pub(crate) fn date_and_id(&self) -> (i64, &str) {
        match self.keys.first() {
            Some(Key::Number(date)) => (*date, &self.id),
            _ => (0, &self.id),
        }
    }

    /// Appends the cursor as the service writes it: the values, then the id.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for key in &self.keys {
            match key {
                Key::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
                Key::Text(text) => quote(out, text),
                Key::Nothing => out.extend_from_slice(b"null"),
            }
            out.push(b',');
        }
        quote(out, &self.id);
        out.push(b']');
    }
}

impl Ranking {
    pub(crate) fn new(mut rows: Vec<(Cursor, Slot)>, sort: &Sort) -> Self {
        rows.sort_unstable_by(|(left, _), (right, _)| sort.compare(left, right));
        Self { rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn from(&self, start: usize) -> &[(Cursor, Slot)] {
        &self.rows[start.min(self.rows.len())..]
    }

    pub(crate) fn after(&self, cursor: &Cursor, sort: &Sort) -> &[(Cursor, Slot)] {
        let start =
            self.rows.partition_point(|(one, _)| sort.compare(one, cursor) != Ordering::Greater);
        self.from(start)
    }
}
