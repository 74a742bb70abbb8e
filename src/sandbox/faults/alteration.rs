//! The alterations of faults: what is changed in a request or in its answer, which stay JSON.
//!
//! Any number of them apply to one request, in the order in which they are written.

use serde_json::Value;

use super::action::parse_number;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FaultAlteration {
    /// A field of the request's body is ignored; `*` is all fields but the location.
    Ignore(String),
    /// A larger page is not asked for.
    PageSize(u64),
    /// A request is refused that has this; the refusal says so if it is named.
    Refuse {
        option: RefusedOption,
        is_named: bool,
    },
    /// A field keeps only its first characters: of the request if it writes, else of the rows.
    Shorten(String, usize),
    /// The total is this; `None` is absent.
    Total(Option<u64>),
    /// The total counts no further.
    TotalCap(u64),
    /// Only the first rows of the page are shown.
    Rows(usize),
    /// A list that has no pages comes in pages of this size.
    Paged(usize),
    Shape(AnswerShape),
    /// The last row of the page before comes again.
    Repeat(RepeatedRow),
    /// The last row of the page before replaces the first.
    Lose,
    /// The rows of the page come in reverse order.
    Reverse,
    /// The keys of the rows, their tags and their custom fields come in another order.
    Shuffle,
    Rename(String, String),
    Unset(String),
    Set(String, Value),
    CustomFields(CustomFieldShape),
    /// Bytes that are not UTF-8, in the first row's first text or in this field.
    Bytes(WrongBytes, Option<String>),
    /// A byte-order mark before the body.
    ByteOrderMark,
    /// JSON with line breaks and indentation.
    Pretty,
}

/// What makes a request refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefusedOption {
    /// This property, if `None` with any value, else with a number above this one.
    Property(String, Option<u64>),
    /// A number in a range of dates.
    RangeInMilliseconds,
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerShape {
    /// The list alone.
    Bare,
    /// The whole answer below `data`.
    Wrapped,
    /// Null in place of the list.
    Null,
}

/// The row that comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepeatedRow {
    Same,
    /// With a `dateAdded` one second later.
    Later,
}

/// The shape of custom-field values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CustomFieldShape {
    /// `{"ID": value}`.
    Map,
    /// `customField` instead of `customFields`, as in the API's first version.
    First,
}

/// Bytes that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongBytes {
    /// A letter in Latin-1.
    Latin1,
    /// The first two bytes of a character of three.
    Cut,
    /// A character as two surrogates of three bytes each.
    Cesu8,
}

impl WrongBytes {
    pub(super) fn bytes(self) -> &'static [u8] {
        match self {
            Self::Latin1 => b"\xe9",
            Self::Cut => b"\xe2\x82",
            Self::Cesu8 => b"\xed\xa0\xbd\xed\xb8\x80",
        }
    }
}

/// Parses an alteration; `None` if the word is no such thing.
pub(super) fn parse_alteration(word: &str) -> Result<Option<FaultAlteration>, String> {
    use FaultAlteration as To;
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    let pair = || {
        let pair = value.split_once(':').filter(|(first, _)| !first.is_empty());
        pair.ok_or_else(|| format!("`{word}` needs `FIELD:VALUE`"))
    };
    Ok(Some(match (name, value) {
        ("ignore", field) if !field.is_empty() => To::Ignore(field.to_owned()),
        ("page-size", _) => To::PageSize(parse_number(word, value)?),
        ("refuse", option) if !option.is_empty() => {
            let unnamed = option.strip_suffix(":400");
            let option = parse_refused(word, unnamed.unwrap_or(option))?;
            To::Refuse { option, is_named: unnamed.is_none() }
        }
        ("shorten", _) => {
            let (field, length) = pair()?;
            To::Shorten(field.to_owned(), parse_number(word, length)?)
        }
        ("total", "none") => To::Total(None),
        ("total", _) => To::Total(Some(parse_number(word, value)?)),
        ("total-cap", _) => To::TotalCap(parse_number(word, value)?),
        ("rows", _) => To::Rows(parse_number(word, value)?),
        ("paged", _) => To::Paged(parse_number::<usize>(word, value)?.max(1)),
        ("shape", "bare") => To::Shape(AnswerShape::Bare),
        ("shape", "wrapped") => To::Shape(AnswerShape::Wrapped),
        ("shape", "null") => To::Shape(AnswerShape::Null),
        ("repeat", "") => To::Repeat(RepeatedRow::Same),
        ("repeat", "later") => To::Repeat(RepeatedRow::Later),
        ("lose", "") => To::Lose,
        ("reverse", "") => To::Reverse,
        ("shuffle", "") => To::Shuffle,
        ("rename", _) => {
            let (from, to) = pair()?;
            To::Rename(from.to_owned(), to.to_owned())
        }
        ("unset", field) if !field.is_empty() => To::Unset(field.to_owned()),
        ("set", _) => {
            let (field, json) = pair()?;
            let json = serde_json::from_str(json).map_err(|error| format!("`{word}`: {error}"))?;
            To::Set(field.to_owned(), json)
        }
        ("custom-fields", "map") => To::CustomFields(CustomFieldShape::Map),
        ("custom-fields", "v1") => To::CustomFields(CustomFieldShape::First),
        ("bytes", _) => return parse_bytes(word, value).map(Some),
        ("bom", "") => To::ByteOrderMark,
        ("pretty", "") => To::Pretty,
        _ => return Ok(None),
    }))
}

fn parse_refused(word: &str, value: &str) -> Result<RefusedOption, String> {
    if value == "range-ms" {
        return Ok(RefusedOption::RangeInMilliseconds);
    }
    Ok(match value.split_once('>') {
        Some((field, most)) => {
            RefusedOption::Property(field.to_owned(), Some(parse_number(word, most)?))
        }
        None => RefusedOption::Property(value.to_owned(), None),
    })
}

fn parse_bytes(word: &str, value: &str) -> Result<FaultAlteration, String> {
    let (kind, field) = match value.split_once(':') {
        Some((kind, field)) => (kind, Some(field.to_owned())),
        None => (value, None),
    };
    let kind = match kind {
        "latin1" => WrongBytes::Latin1,
        "cut" => WrongBytes::Cut,
        "cesu8" => WrongBytes::Cesu8,
        _ => return Err(format!("`{word}` takes `latin1`, `cut` or `cesu8`")),
    };
    Ok(FaultAlteration::Bytes(kind, field))
}
