//! Bodies with bytes that are not UTF-8 or not JSON.
//!
//! One wrong byte in one record must cost that record, not the page and never the run. What can be read of a record
//! stays in the body: bytes that are not UTF-8 become U+FFFD, control characters and escapes that JSON does not know are
//! escaped, and of a record that is broken beyond that, the members before the break are kept. Every such record is
//! reported with its bytes. Sound bodies pass unchanged after one check for UTF-8.

mod list_scan;
mod record_text;

use std::borrow::Cow;

use bytes::Bytes;

use super::broken_record::BrokenRecord;
use super::decode::DecodeFn;
use super::response::ApiResponse;
use list_scan::ScannedList;
use record_text::RepairedRecord;

/// A decoded body.
pub(super) struct CheckedBody<T> {
    /// UTF-8 and JSON, without the records that cannot be read at all.
    pub(super) body: Bytes,
    pub(super) head: T,
    pub(super) broken: Vec<BrokenRecord>,
    /// Whether a record was cut at a place where it is no JSON, which another attempt may not show.
    pub(super) is_cut: bool,
}

impl<T> CheckedBody<T> {
    pub(super) fn into_response(self) -> ApiResponse<T> {
        let Self { body, head, broken, .. } = self;
        ApiResponse { body, head, broken }
    }
}

/// Decodes a body whose records are in the list `list`, or which is a single record. Broken records are repaired.
pub(super) fn decode_body<T>(
    body: Bytes,
    list: Option<&str>,
    read: DecodeFn<T>,
) -> Result<CheckedBody<T>, serde_json::Error> {
    let is_text = std::str::from_utf8(&body).is_ok();
    let error = match read(&body) {
        Ok(head) if is_text => {
            return Ok(CheckedBody { body, head, broken: Vec::new(), is_cut: false });
        }
        Ok(_) => None,
        Err(error) => Some(error),
    };
    let scanned = list.and_then(|list| ScannedList::find(&body, list));
    let repaired = match scanned {
        Some(list) => repair_list(&list),
        None => repair_whole(&body),
    };
    match read(&repaired.with_gaps) {
        Ok(head) => Ok(CheckedBody {
            body: repaired.body,
            head,
            broken: repaired.broken,
            is_cut: repaired.is_cut,
        }),
        Err(other) => Err(error.unwrap_or(other)),
    }
}

/// A body after its repair.
struct RepairedBody {
    body: Bytes,
    /// The same with a null for each record that is missing, so that rows can be counted.
    with_gaps: Bytes,
    broken: Vec<BrokenRecord>,
    is_cut: bool,
}

fn repair_list(list: &ScannedList<'_>) -> RepairedBody {
    let mut body = to_text(list.head).into_owned();
    let mut with_gaps = body.clone();
    let (mut broken, mut is_cut, mut is_first) = (Vec::new(), false, true);
    for (place, raw) in list.records.iter().enumerate() {
        if place > 0 {
            with_gaps.push(',');
        }
        let record = RepairedRecord::from_bytes(raw);
        let text = record.text.as_deref();
        with_gaps.push_str(text.unwrap_or("null"));
        if let Some(text) = text {
            if !is_first {
                body.push(',');
            }
            body.push_str(text);
            is_first = false;
        }
        if let Some(message) = record.message {
            is_cut |= record.is_cut;
            let (id, is_kept) = (record.id, record.text.is_some());
            broken.push(BrokenRecord { id, place, is_kept, message });
        }
    }
    let tail = to_text(list.tail);
    body.push_str(&tail);
    with_gaps.push_str(&tail);
    RepairedBody { body: body.into(), with_gaps: with_gaps.into(), broken, is_cut }
}

/// Repairs a body that is one record, or in which the list was not found.
fn repair_whole(body: &[u8]) -> RepairedBody {
    let record = RepairedRecord::from_bytes(body);
    let broken = record.message.map(|message| BrokenRecord {
        id: record.id,
        place: 0,
        is_kept: record.text.is_some(),
        message,
    });
    // A body that was cut off must not pass as one with fewer members.
    let text = record.text.filter(|_| !record.is_cut).unwrap_or_default();
    let body = Bytes::from(text.into_owned());
    RepairedBody {
        with_gaps: body.clone(),
        body,
        broken: broken.into_iter().collect(),
        is_cut: record.is_cut,
    }
}

fn to_text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// Repairs any bytes; what is left must be JSON.
///
/// # Panics
/// When it is not.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub fn fuzz_repair(body: &[u8]) {
    use super::decode;
    for list in [None, Some("contacts")] {
        let body = Bytes::copy_from_slice(body);
        if let Ok(decoded) = decode_body(body, list, decode::any_object) {
            let is_json = serde_json::from_slice::<&serde_json::value::RawValue>(&decoded.body);
            assert!(is_json.is_ok(), "{:?}", decoded.body);
        }
    }
}

#[cfg(test)]
mod tests;
