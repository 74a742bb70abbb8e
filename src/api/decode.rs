//! Reading answers leniently.
//!
//! The API writes an id as text or number, spells a key in two ways, and adds fields at will
//! (api.md §1–4). So only the keys that matter are looked at. A row that is no object or has no id is
//! counted, never dropped in silence; an answer without its list is an error, not an empty list.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::response::{
    CalendarHead, CalendarPage, ChildPage, ContactHead, ContactPage, Cursor, LocationHead, TaskPage,
};

/// Reads the head of a body; the error is shown to people.
pub(super) type Read<T> = fn(&[u8]) -> Result<T, serde_json::Error>;

impl ContactPage {
    /// Reads a page that was stored.
    ///
    /// # Errors
    /// When the body is no page of contacts.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        contacts(body)
    }
}

impl CalendarPage {
    /// Reads a list that was stored.
    ///
    /// # Errors
    /// When the body is no list of calendars.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        calendars(body)
    }
}

impl LocationHead {
    /// Reads an answer that was stored.
    ///
    /// # Errors
    /// When the body is no location.
    pub fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        location(body)
    }
}

pub(super) fn contacts(body: &[u8]) -> Result<ContactPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        contacts: Rows<Row<'a>>,
        #[serde(default)]
        total: Option<Number>,
    }
    let wire: Wire<'_> = serde_json::from_slice(body)?;
    let next = wire.contacts.0.last().and_then(Row::cursor);
    let rows = wire.contacts.0.into_iter().map(Row::contact).collect();
    Ok(ContactPage { rows, total: wire.total.and_then(|total| total.0), next })
}

pub(super) fn tasks(body: &[u8]) -> Result<TaskPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        tasks: Rows<Row<'a>>,
    }
    let wire: Wire<'_> = serde_json::from_slice(body)?;
    // The specification knows `skip` alone, so a cursor is used only where the server gives one.
    let next = wire.tasks.0.last().and_then(Row::given_cursor);
    let first = wire.tasks.0.first().and_then(|row| row.id.as_deref()).map(str::to_owned);
    Ok(TaskPage { rows: wire.tasks.0.len(), first, next })
}

macro_rules! list {
    ($name:ident, $key:literal) => {
        pub(super) fn $name(body: &[u8]) -> Result<ChildPage, serde_json::Error> {
            #[derive(Deserialize)]
            struct Wire {
                #[serde(rename = $key)]
                rows: Rows<IgnoredAny>,
            }
            serde_json::from_slice(body).map(|wire: Wire| ChildPage { rows: wire.rows.0.len() })
        }
    };
}
list!(contact_tasks, "tasks");
list!(notes, "notes");
list!(events, "events");
list!(fields, "customFields");
list!(tags, "tags");
list!(users, "users");
list!(businesses, "businesses");

pub(super) fn contact(body: &[u8]) -> Result<Option<ContactHead>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        contact: Row<'a>,
    }
    serde_json::from_slice(body).map(|wire: Wire<'_>| wire.contact.contact())
}

pub(super) fn calendars(body: &[u8]) -> Result<CalendarPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        calendars: Rows<Row<'a>>,
    }
    let wire: Wire<'_> = serde_json::from_slice(body)?;
    let calendars = wire
        .calendars
        .0
        .into_iter()
        .filter_map(|row| row.id.and_then(|id| id.parse().ok()).map(|id| CalendarHead { id }));
    Ok(CalendarPage { calendars: calendars.collect() })
}

pub(super) fn location(body: &[u8]) -> Result<LocationHead, serde_json::Error> {
    #[derive(Deserialize)]
    struct Inner {
        name: Option<String>,
        timezone: Option<String>,
    }
    #[derive(Deserialize)]
    struct Wire {
        location: Inner,
    }
    let wire: Wire = serde_json::from_slice(body)?;
    Ok(LocationHead { name: wire.location.name, timezone: wire.location.timezone })
}

/// Reads nothing but that it is an object.
pub(super) fn object(body: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<Object>(body).map(drop)
}

struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Object)
    }
}

/// The contact of an answer as the server wrote it; nothing where it is null.
pub(super) fn whole_contact(body: &[u8]) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(borrow)]
        contact: &'a RawValue,
    }
    let wire: Wire<'_> = serde_json::from_slice(body)?;
    match wire.contact.get() {
        "null" => Ok(None),
        object if object.starts_with('{') => Ok(Some(wire.contact.to_owned())),
        _ => Err(de::Error::custom("`contact` is no object")),
    }
}

/// The rows of a body's list, such as `contacts`, `notes` or `tasks`, as the server wrote them. A list
/// that is null is empty; rows that are no objects are among them.
///
/// # Errors
/// When the body is cut or has no such list.
pub fn rows<'a>(body: &'a [u8], list: &str) -> Result<Vec<&'a RawValue>, serde_json::Error> {
    let mut fields: std::collections::HashMap<Cow<'a, str>, &'a RawValue> =
        serde_json::from_slice(body)?;
    let Some(raw) = fields.remove(list) else {
        return Err(de::Error::custom(format_args!("missing field `{list}`")));
    };
    serde_json::from_str::<Rows<&RawValue>>(raw.get()).map(|rows| rows.0)
}

/// A list that may be null, which is how some endpoints write "none".
struct Rows<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rows<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Not by way of `Option`: for that a missing key would be an empty list, and an answer of
        // another shape the end of all pages.
        from.deserialize_any(RowsVisitor(std::marker::PhantomData))
    }
}

struct RowsVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RowsVisitor<T> {
    type Value = Rows<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Rows<T>, E> {
        Ok(Rows(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rows<T>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
        }
        Ok(Rows(rows))
    }
}

/// The three keys of a row that matter here; a row that is no object has none of them.
#[derive(Default)]
struct Row<'a> {
    id: Option<Cow<'a, str>>,
    added: Option<i64>,
    after: Option<&'a RawValue>,
}

impl Row<'_> {
    fn contact(self) -> Option<ContactHead> {
        Some(ContactHead { id: self.id?.parse().ok()?, added: self.added })
    }

    fn cursor(&self) -> Option<Cursor> {
        // A row without a cursor: what the documented one is made of (api.md §2).
        let made = || {
            let (id, added) = (self.id.as_deref()?, self.added?);
            serde_json::to_string(&(added, id)).ok().map(|text| Cursor::new(&text))
        };
        self.given_cursor().or_else(made)
    }

    fn given_cursor(&self) -> Option<Cursor> {
        let after = self.after.filter(|after| after.get().starts_with('['))?;
        Some(Cursor::new(after.get()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Id => row.id = text(map.next_value()?),
                Key::DateAdded => row.added = millis(map.next_value()?),
                Key::SearchAfter => row.after = Some(map.next_value()?),
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(row)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Row::default())
    }
    fn visit_unit<E: de::Error>(self) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<Row<'de>, E> {
        Ok(Row::default())
    }
}

#[derive(Deserialize)]
enum Key {
    /// The task search writes `_id` (api.md §4).
    #[serde(rename = "id", alias = "_id")]
    Id,
    #[serde(rename = "dateAdded")]
    DateAdded,
    #[serde(rename = "searchAfter")]
    SearchAfter,
    #[serde(other)]
    Other,
}

/// A text, or a number as text.
fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes()[0] {
        b'"' => serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Milliseconds since 1970, from a number or an ISO 8601 text.
fn millis(raw: &RawValue) -> Option<i64> {
    let text = text(raw)?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
    }
}

/// A count, written as number or text.
struct Number(Option<u64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(from)?;
        Ok(Self(text(raw).and_then(|text| text.parse().ok())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_in_every_spelling_and_a_row_that_is_none_is_counted() {
        let page = contacts(
            br#"{"contacts":[{"id":"a","dateAdded":"2026-01-01T00:00:00.000Z","searchAfter":[1, "a"]},
                {"id":7,"dateAdded":1767225600000}, 3, null, [1], {"id":""}, {"id":"b","new":{"x":[1]},
                "searchAfter":[2,"b"]}],"total":"9"}"#,
        )
        .unwrap();
        let ids: Vec<_> =
            page.rows.iter().map(|row| row.as_ref().map(|row| row.id.as_str())).collect();
        assert_eq!(ids, [Some("a"), Some("7"), None, None, None, None, Some("b")]);
        assert_eq!(page.rows[0].as_ref().unwrap().added, Some(1_767_225_600_000));
        assert_eq!(page.rows[1].as_ref().unwrap().added, Some(1_767_225_600_000));
        assert_eq!((page.total, page.next.unwrap().as_str()), (Some(9), r#"[2,"b"]"#));
    }

    #[test]
    fn a_cut_or_foreign_body_is_an_error_and_a_null_list_is_empty() {
        for body in ["", "<html>", r#"{"contacts":[{"id":"a"#, r#"{"ok":true}"#, "[]"] {
            assert!(contacts(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(notes(br#"{"notes":null}"#).unwrap().rows, 0);
    }
}
