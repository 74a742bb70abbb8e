//! Lenient decoding of responses.
//!
//! The API writes an id as string or number, spells a key in two ways, and adds fields at will
//! (api.md §1–4). So only the keys that matter are read. A row that is not an object or has no id
//! is counted, never silently dropped; a response without its list is an error, not an empty list.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::list_end;
use super::response::{
    BusinessPage, CalendarList, CalendarRef, ChildList, ContactPage, ContactRef, LocationDetails,
    SearchCursor,
};
use super::task_page::TaskPage;

/// Decodes the parts of a body that drive paging. The error is shown to users.
pub(super) type DecodeFn<T> = fn(&[u8]) -> Result<T, serde_json::Error>;

impl ContactPage {
    /// Parses a stored page.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        contact_page(body)
    }
}

impl CalendarList {
    /// Parses a stored list.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        calendar_list(body)
    }
}

impl LocationDetails {
    /// Parses a stored location.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        location_details(body)
    }
}

pub(super) fn contact_page(body: &[u8]) -> Result<ContactPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct ContactPageJson<'a> {
        #[serde(borrow)]
        contacts: MaybeList<PageRow<'a>>,
        #[serde(default)]
        total: Option<LenientCount>,
    }
    let page: ContactPageJson<'_> = serde_json::from_slice(body)?;
    let total = page.total.and_then(|total| total.0);
    // As an empty list it would make the account look empty.
    if page.contacts.0.is_none() && total != Some(0) {
        return Err(de::Error::custom("`contacts` is null"));
    }
    let contacts = page.contacts.0.unwrap_or_default();
    let next = contacts.last().and_then(PageRow::search_cursor);
    let rows = contacts.into_iter().map(PageRow::into_contact_ref).collect();
    Ok(ContactPage { rows, total, next, limit: 0 })
}

pub(super) fn task_page(body: &[u8]) -> Result<TaskPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct TaskPageJson<'a> {
        #[serde(borrow)]
        tasks: NullableList<PageRow<'a>>,
    }
    let page: TaskPageJson<'_> = serde_json::from_slice(body)?;
    // The specification only has `skip`, so a cursor is used only if the server returns one.
    let next = page.tasks.0.last().and_then(PageRow::server_cursor);
    let first = page.tasks.0.first().and_then(|row| row.id.as_deref()).map(str::to_owned);
    Ok(TaskPage { rows: page.tasks.0.len(), first, next })
}

macro_rules! list {
    ($name:ident, $key:literal) => {
        pub(super) fn $name(body: &[u8]) -> Result<ChildList, serde_json::Error> {
            #[derive(Deserialize)]
            struct ListPageJson {
                #[serde(rename = $key)]
                rows: NullableList<IgnoredAny>,
            }
            let page: ListPageJson = serde_json::from_slice(body)?;
            let rows = page.rows.0.len();
            Ok(ChildList { rows, missing: list_end::find_missing_rows(body, rows) })
        }
    };
}
list!(contact_tasks, "tasks");
list!(notes, "notes");
list!(events, "events");
list!(fields, "customFields");
list!(tags, "tags");
list!(users, "users");

pub(super) fn business_page(body: &[u8]) -> Result<BusinessPage, serde_json::Error> {
    #[derive(Deserialize)]
    struct BusinessPageJson<'a> {
        #[serde(borrow)]
        businesses: NullableList<PageRow<'a>>,
        #[serde(default)]
        total: Option<LenientCount>,
    }
    let page: BusinessPageJson<'_> = serde_json::from_slice(body)?;
    let rows = page.businesses.0.len();
    let ids = page.businesses.0.into_iter().filter_map(|row| row.id).map(Cow::into_owned);
    Ok(BusinessPage { rows, ids: ids.collect(), total: page.total.and_then(|total| total.0) })
}

pub(super) fn contact_ref(body: &[u8]) -> Result<Option<ContactRef>, serde_json::Error> {
    #[derive(Deserialize)]
    struct ContactRefJson<'a> {
        #[serde(borrow)]
        contact: PageRow<'a>,
    }
    serde_json::from_slice(body).map(|page: ContactRefJson<'_>| page.contact.into_contact_ref())
}

pub(super) fn calendar_list(body: &[u8]) -> Result<CalendarList, serde_json::Error> {
    #[derive(Deserialize)]
    struct CalendarListJson<'a> {
        #[serde(borrow)]
        calendars: NullableList<PageRow<'a>>,
    }
    let list: CalendarListJson<'_> = serde_json::from_slice(body)?;
    let missing = list_end::find_missing_rows(body, list.calendars.0.len());
    let calendars = list
        .calendars
        .0
        .into_iter()
        .filter_map(|row| row.id.and_then(|id| id.parse().ok()).map(|id| CalendarRef { id }));
    Ok(CalendarList { missing, calendars: calendars.collect() })
}

pub(super) fn location_details(body: &[u8]) -> Result<LocationDetails, serde_json::Error> {
    #[derive(Deserialize)]
    struct LocationDetailsJson {
        name: Option<String>,
        timezone: Option<String>,
        /// Any JSON: what only helps to read numbers must not cost the rest.
        #[serde(default)]
        country: serde_json::Value,
    }
    #[derive(Deserialize)]
    struct LocationResponseJson {
        location: LocationDetailsJson,
    }
    let LocationResponseJson { location } = serde_json::from_slice(body)?;
    let country = location.country.as_str().map(str::to_owned);
    Ok(LocationDetails { name: location.name, timezone: location.timezone, country })
}

/// Checks only that the body is an object.
pub(super) fn any_object(body: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice::<AnyObject>(body).map(drop)
}

struct AnyObject;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(AnyObjectVisitor)
    }
}

struct AnyObjectVisitor;

impl<'de> Visitor<'de> for AnyObjectVisitor {
    type Value = AnyObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AnyObject, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(AnyObject)
    }
}

/// The contact of a response as the server wrote it; None if it is null.
pub(super) fn raw_contact(body: &[u8]) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct RawContactJson<'a> {
        #[serde(borrow)]
        contact: &'a RawValue,
    }
    let page: RawContactJson<'_> = serde_json::from_slice(body)?;
    match page.contact.get() {
        "null" => Ok(None),
        object if object.starts_with('{') => Ok(Some(page.contact.to_owned())),
        _ => Err(de::Error::custom("`contact` is not an object")),
    }
}

/// The rows of a body's list, such as `contacts`, `notes` or `tasks`, as the server wrote them. A
/// null list is empty; rows that are not objects are included. Fails if the body is truncated or
/// has no such list.
pub fn parse_list_rows<'a>(
    body: &'a [u8],
    list: &str,
) -> Result<Vec<&'a RawValue>, serde_json::Error> {
    let mut fields: std::collections::HashMap<Cow<'a, str>, &'a RawValue> =
        serde_json::from_slice(body)?;
    let Some(raw) = fields.remove(list) else {
        return Err(de::Error::custom(format_args!("missing field `{list}`")));
    };
    serde_json::from_str::<NullableList<&RawValue>>(raw.get()).map(|rows| rows.0)
}

/// Gives a body to every decoder; only that they end is checked.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub fn fuzz_decoders(body: &[u8]) {
    let _ = contact_page(body);
    let _ = task_page(body);
    let _ = contact_ref(body);
    let _ = raw_contact(body);
    let _ = calendar_list(body);
    let _ = business_page(body);
    let _ = location_details(body);
    let _ = any_object(body);
}

/// A list that may be null, which some endpoints send for an empty one.
pub(super) struct NullableList<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NullableList<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        MaybeList::deserialize(from).map(|list| Self(list.0.unwrap_or_default()))
    }
}

/// A list, or null.
struct MaybeList<T>(Option<Vec<T>>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for MaybeList<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Not through `Option`, which would turn a missing key into an empty list, so that a
        // response of another shape would end the paging.
        from.deserialize_any(MaybeListVisitor(std::marker::PhantomData))
    }
}

struct MaybeListVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for MaybeListVisitor<T> {
    type Value = MaybeList<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: de::Error>(self) -> Result<MaybeList<T>, E> {
        Ok(MaybeList(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<MaybeList<T>, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
        }
        Ok(MaybeList(Some(rows)))
    }
}

/// The keys of a row that matter here; all are None if the row is not an object.
#[derive(Default)]
struct PageRow<'a> {
    id: Option<Cow<'a, str>>,
    added: Option<i64>,
    updated: Option<i64>,
    location: Option<Cow<'a, str>>,
    after: Option<&'a RawValue>,
}

impl PageRow<'_> {
    fn into_contact_ref(self) -> Option<ContactRef> {
        Some(ContactRef {
            id: self.id?.parse().ok()?,
            added: self.added,
            updated: self.updated,
            location: self.location.map(Into::into),
        })
    }

    fn search_cursor(&self) -> Option<SearchCursor> {
        // A row without a cursor: build the documented one (api.md §2).
        let made = || {
            let (id, added) = (self.id.as_deref()?, self.added?);
            serde_json::to_string(&(added, id)).ok().map(|text| SearchCursor::new(&text))
        };
        self.server_cursor().or_else(made)
    }

    fn server_cursor(&self) -> Option<SearchCursor> {
        let after = self.after.filter(|after| after.get().starts_with('['))?;
        Some(SearchCursor::new(after.get()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for PageRow<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = PageRow<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageRow<'de>, A::Error> {
        let mut row = PageRow::default();
        while let Some(key) = map.next_key::<PageRowKey>()? {
            match key {
                PageRowKey::Id => row.id = parse_text_or_number(map.next_value()?),
                PageRowKey::DateAdded => row.added = parse_millis(map.next_value()?),
                PageRowKey::DateUpdated => row.updated = parse_millis(map.next_value()?),
                PageRowKey::LocationId => row.location = parse_text_or_number(map.next_value()?),
                PageRowKey::SearchAfter => row.after = Some(map.next_value()?),
                PageRowKey::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(row)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PageRow<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(PageRow::default())
    }
    fn visit_unit<E: de::Error>(self) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
    fn visit_bool<E: de::Error>(self, _: bool) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
    fn visit_i64<E: de::Error>(self, _: i64) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
    fn visit_u64<E: de::Error>(self, _: u64) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
    fn visit_f64<E: de::Error>(self, _: f64) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
    fn visit_str<E: de::Error>(self, _: &str) -> Result<PageRow<'de>, E> {
        Ok(PageRow::default())
    }
}

#[derive(Deserialize)]
enum PageRowKey {
    /// The task search writes `_id` (api.md §4).
    #[serde(rename = "id", alias = "_id")]
    Id,
    #[serde(rename = "dateAdded")]
    DateAdded,
    #[serde(rename = "dateUpdated")]
    DateUpdated,
    #[serde(rename = "locationId")]
    LocationId,
    #[serde(rename = "searchAfter")]
    SearchAfter,
    #[serde(other)]
    Other,
}

/// A string, or a number as text.
pub(super) fn parse_text_or_number(raw: &RawValue) -> Option<Cow<'_, str>> {
    match raw.get().as_bytes()[0] {
        b'"' => serde_json::from_str::<BorrowedText<'_>>(raw.get()).ok().map(|text| text.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(raw.get())),
        _ => None,
    }
}

#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

/// Milliseconds since 1970, from a number or an ISO 8601 string.
pub(super) fn parse_millis(raw: &RawValue) -> Option<i64> {
    let text = parse_text_or_number(raw)?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
    }
}

/// A count, sent as number or string.
pub(super) struct LenientCount(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for LenientCount {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(from)?;
        Ok(Self(parse_text_or_number(raw).and_then(|text| text.parse().ok())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_in_every_spelling_and_a_row_that_is_none_is_counted() {
        let page = contact_page(
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
            assert!(contact_page(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(notes(br#"{"notes":null}"#).unwrap().rows, 0);
        assert!(contact_page(br#"{"contacts":null}"#).is_err());
        assert!(contact_page(br#"{"contacts":null,"total":0}"#).unwrap().rows.is_empty());
    }
}
