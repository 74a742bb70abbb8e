//! The rows in an answer, as the server wrote them.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The list, or the one row, that stands under a key of an answer. A missing or null list is empty.
pub(super) fn of<'a>(body: &'a [u8], key: &str) -> Result<Vec<&'a RawValue>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(body);
    json.deserialize_map(Answer { key })
}

struct Answer<'k> {
    key: &'k str,
}

impl<'de> Visitor<'de> for Answer<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an answer with `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if key == self.key {
                rows = map.next_value_seed(List)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(rows)
    }
}

struct List;

impl<'de> DeserializeSeed<'de> for List {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        let raw = <&RawValue as serde::Deserialize>::deserialize(from)?;
        match raw.get().as_bytes()[0] {
            b'[' => {
                let mut json = serde_json::Deserializer::from_str(raw.get());
                json.deserialize_seq(List).map_err(serde::de::Error::custom)
            }
            b'n' => Ok(Vec::new()),
            _ => Ok(vec![raw]),
        }
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
        }
        Ok(rows)
    }
}

/// A child's row that says which contact it belongs to, whether or not the server repeated that.
pub(super) fn of_contact<'a>(row: &'a str, contact: &str) -> Cow<'a, str> {
    if row.contains("\"contactId\"") || !row.starts_with('{') {
        return Cow::Borrowed(row);
    }
    let id = serde_json::to_string(contact).expect("text is JSON");
    let rest = row[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{\"contactId\":{id}{comma}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &str, key: &str) -> Vec<String> {
        of(body.as_bytes(), key).unwrap().iter().map(|row| row.get().to_owned()).collect()
    }

    #[test]
    fn rows_stand_in_a_list_or_alone_and_may_be_missing() {
        assert_eq!(texts(r#"{"a":1,"rows":[{"x": 1}, 2],"b":[]}"#, "rows"), [r#"{"x": 1}"#, "2"]);
        assert_eq!(texts(r#"{"row":{"x":1}}"#, "row"), [r#"{"x":1}"#]);
        assert!(texts(r#"{"rows":null}"#, "rows").is_empty());
        assert!(texts("{}", "rows").is_empty());
    }

    #[test]
    fn a_child_always_names_its_contact() {
        assert_eq!(of_contact(r#"{"id":"n"}"#, "c\""), r#"{"contactId":"c\"","id":"n"}"#);
        assert_eq!(of_contact("{}", "c"), r#"{"contactId":"c"}"#);
        assert_eq!(of_contact(r#"{"contactId":"x"}"#, "c"), r#"{"contactId":"x"}"#);
    }
}
