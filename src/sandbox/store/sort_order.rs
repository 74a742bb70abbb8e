//! The order of a search: its sort fields, and the cursors that follow from them.
//!
//! As in the search engine behind the service: ties are broken by the id, and missing values come
//! last in either direction.

use std::cmp::Ordering;

use serde_json::Value;

use super::slots::ContactSlot;
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::store::search_candidate::SearchCandidate;
use crate::sandbox::text::write_json_string;

const TEXTS: [&str; 5] =
    ["firstNameLowerCase", "lastNameLowerCase", "businessName", "email", "source"];

/// The sort fields of a search, at most two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SearchSort(Vec<(SearchSortField, SearchSortDirection)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SearchSortField {
    Added,
    Updated,
    Dnd,
    Text(&'static str),
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SearchSortDirection {
    Ascending,
    Descending,
}

/// A value to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CursorValue {
    Number(i64),
    Text(Box<str>),
    Nothing,
}

/// The position of one record in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortCursor {
    keys: Vec<CursorValue>,
    id: Box<str>,
}

/// The results of a search, in its order.
#[derive(Debug)]
pub(crate) struct RankedResults {
    rows: Vec<(SortCursor, ContactSlot)>,
}

impl SearchSort {
    /// Parses a body's `sort`; without one the newest come first.
    pub(crate) fn parse(value: Option<&Value>) -> Result<Self, EndpointError> {
        let wrong = |text: String| Err(EndpointError::validation_failed(vec![text]));
        let list = match value {
            None => {
                return Ok(Self(vec![(SearchSortField::Added, SearchSortDirection::Descending)]));
            }
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
                return Err(EndpointError::unknown_property(key));
            }
            let field = one.get("field").and_then(Value::as_str).unwrap_or_default();
            let direction = match one.get("direction").and_then(Value::as_str) {
                Some("asc") => SearchSortDirection::Ascending,
                Some("desc") => SearchSortDirection::Descending,
                _ => {
                    return wrong(
                        "direction must be one of the following values: asc, desc".to_owned(),
                    );
                }
            };
            let by = match field {
                "dateAdded" => SearchSortField::Added,
                "dateUpdated" => SearchSortField::Updated,
                "dnd" => SearchSortField::Dnd,
                _ => match TEXTS.iter().find(|text| **text == field) {
                    Some(text) => SearchSortField::Text(text),
                    None => {
                        return Err(EndpointError::bad_request(format!(
                            "Invalid sort field {field}"
                        )));
                    }
                },
            };
            sort.push((by, direction));
        }
        if sort.is_empty() {
            sort.push((SearchSortField::Added, SearchSortDirection::Descending));
        }
        Ok(Self(sort))
    }

    /// The direction, if this is the order in which a store keeps its contacts anyway.
    pub(crate) fn date_added_direction(&self) -> Option<SearchSortDirection> {
        match self.0.as_slice() {
            [(SearchSortField::Added, direction)] => Some(*direction),
            _ => None,
        }
    }

    /// Parses a `searchAfter` that this order has issued.
    pub(crate) fn parse_cursor(&self, value: &Value) -> Result<SortCursor, EndpointError> {
        let wrong = || EndpointError::bad_request("searchAfter does not fit the sort");
        let list = value.as_array().ok_or_else(wrong)?;
        let Some((id, keys)) = list.split_last().filter(|(_, keys)| keys.len() == self.0.len())
        else {
            return Err(wrong());
        };
        let mut cursor = SortCursor { keys: Vec::new(), id: id.as_str().ok_or_else(wrong)?.into() };
        for ((by, _), key) in self.0.iter().zip(keys) {
            cursor.keys.push(match (by, key) {
                (SearchSortField::Text(_), Value::String(text)) => {
                    CursorValue::Text(text.as_str().into())
                }
                (SearchSortField::Text(_), Value::Null) => CursorValue::Nothing,
                (SearchSortField::Text(_), _) => return Err(wrong()),
                (_, number) => CursorValue::Number(number.as_i64().ok_or_else(wrong)?),
            });
        }
        Ok(cursor)
    }

    /// The position of a record in this order.
    pub(crate) fn cursor_for(&self, seen: &SearchCandidate<'_>) -> SortCursor {
        let key = |by: &SearchSortField| match by {
            SearchSortField::Added => CursorValue::Number(seen.indexed_view().contact.added),
            SearchSortField::Updated => CursorValue::Number(seen.indexed_view().updated),
            SearchSortField::Dnd => CursorValue::Number(i64::from(
                seen.cached_row().get("dnd") == Some(&Value::Bool(true)),
            )),
            SearchSortField::Text(name) => {
                match seen.cached_row().get(*name).and_then(Value::as_str) {
                    Some(text) => CursorValue::Text(text.into()),
                    None => CursorValue::Nothing,
                }
            }
        };
        let keys = self.0.iter().map(|(by, _)| key(by)).collect();
        SortCursor { keys, id: seen.indexed_view().contact.id.clone() }
    }

    fn compare_cursors(&self, left: &SortCursor, right: &SortCursor) -> Ordering {
        for ((_, direction), (left, right)) in self.0.iter().zip(left.keys.iter().zip(&right.keys))
        {
            let order = left.compare_directed(right, *direction);
            if order != Ordering::Equal {
                return order;
            }
        }
        match self.0.first() {
            Some((_, SearchSortDirection::Descending)) => right.id.cmp(&left.id),
            _ => left.id.cmp(&right.id),
        }
    }
}

impl CursorValue {
    fn compare_directed(&self, other: &Self, direction: SearchSortDirection) -> Ordering {
        let order = match (self, other) {
            (Self::Nothing, Self::Nothing) => return Ordering::Equal,
            (Self::Nothing, _) => return Ordering::Greater,
            (_, Self::Nothing) => return Ordering::Less,
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if direction == SearchSortDirection::Ascending { order } else { order.reverse() }
    }
}

impl SortCursor {
    /// The cursor's date and id, if the order is by `dateAdded`.
    pub(crate) fn date_and_id(&self) -> (i64, &str) {
        match self.keys.first() {
            Some(CursorValue::Number(date)) => (*date, &self.id),
            _ => (0, &self.id),
        }
    }

    /// Appends the cursor as the service writes it: the values, then the id.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for key in &self.keys {
            match key {
                CursorValue::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
                CursorValue::Text(text) => write_json_string(out, text),
                CursorValue::Nothing => out.extend_from_slice(b"null"),
            }
            out.push(b',');
        }
        write_json_string(out, &self.id);
        out.push(b']');
    }
}

impl RankedResults {
    pub(crate) fn new(mut rows: Vec<(SortCursor, ContactSlot)>, sort: &SearchSort) -> Self {
        rows.sort_unstable_by(|(left, _), (right, _)| sort.compare_cursors(left, right));
        Self { rows }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn rows_from(&self, start: usize) -> &[(SortCursor, ContactSlot)] {
        &self.rows[start.min(self.rows.len())..]
    }

    pub(crate) fn rows_after(
        &self,
        cursor: &SortCursor,
        sort: &SearchSort,
    ) -> &[(SortCursor, ContactSlot)] {
        let start = self
            .rows
            .partition_point(|(one, _)| sort.compare_cursors(one, cursor) != Ordering::Greater);
        self.rows_from(start)
    }
}
