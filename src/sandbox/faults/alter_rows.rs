//! Alterations of an answer: its rows, its total, its shape, its bytes.
//!
//! An answer that is no JSON object stays as it is.

use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::alter_request::{is_first_page, page_size, property};
use super::alteration::{AnswerShape, CustomFieldShape, FaultAlteration, RepeatedRow, WrongBytes};
use super::json_rows::{
    fill_mark, find_list_key, find_records, find_rows, mark_text, parse_body, record_id,
};
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::SandboxResponse;
use crate::sandbox::text::{format_iso, parse_datetime};

/// Fields that hold the texts of people, in the order in which one is looked for.
const TEXTS: [&str; 8] =
    ["body", "title", "name", "firstName", "contactName", "lastName", "companyName", "email"];

/// What one fault changes in an answer.
pub(super) struct AnswerAlteration<'a> {
    pub(super) alteration: &'a FaultAlteration,
    /// The id of the only row that is altered.
    pub(super) row: Option<&'a str>,
    /// The last row of the page before, which the fault keeps.
    pub(super) last_row: &'a mut Option<Value>,
}

impl AnswerAlteration<'_> {
    /// Changes the answer; `None` if it has not what would be changed.
    pub(super) fn apply(
        self,
        request: &SandboxRequest,
        answer: &SandboxResponse,
    ) -> Option<SandboxResponse> {
        let bytes = match self.alteration {
            FaultAlteration::ByteOrderMark => [b"\xef\xbb\xbf", &answer.body[..]].concat().into(),
            FaultAlteration::Pretty => {
                let body: Value = serde_json::from_slice(&answer.body).ok()?;
                serde_json::to_vec_pretty(&body).expect("a value is JSON").into()
            }
            _ => self.alter_json(request, parse_body(answer)?)?,
        };
        Some(SandboxResponse { body: bytes, ..answer.clone() })
    }

    fn alter_json(self, request: &SandboxRequest, mut body: Map<String, Value>) -> Option<Bytes> {
        match self.alteration {
            FaultAlteration::Bytes(kind, field) => {
                return insert_bytes(body, self.row, *kind, field.as_deref());
            }
            FaultAlteration::Shape(shape) => {
                return change_shape(body, *shape).map(|body| body.to_string().into());
            }
            FaultAlteration::Total(total) => set_total(&mut body, |_| *total),
            FaultAlteration::TotalCap(cap) => {
                set_total(&mut body, |own| own.map(|own| own.min(*cap)));
            }
            FaultAlteration::Rows(count) => find_rows(&mut body)?.truncate(*count),
            FaultAlteration::Paged(size) => cut_into_pages(&mut body, *size, request)?,
            FaultAlteration::Reverse => find_rows(&mut body)?.reverse(),
            FaultAlteration::Repeat(kind) => {
                repeat_row(find_rows(&mut body)?, *kind, self.last_row, request);
            }
            FaultAlteration::Lose => {
                let rows = find_rows(&mut body)?;
                let before = std::mem::replace(self.last_row, rows.last().cloned());
                if let (Some(first), Some(before)) = (rows.first_mut(), before)
                    && !is_first_page(request)
                {
                    *first = before;
                }
            }
            FaultAlteration::Shorten(_, _) if request.is_write() => {}
            alteration => {
                let records = find_records(&mut body).into_iter();
                let mut wanted: Vec<_> = records
                    .filter(|record| self.row.is_none_or(|id| record_id(record) == Some(id)))
                    .collect();
                if wanted.is_empty() {
                    return None;
                }
                for record in &mut wanted {
                    alter_record(alteration, record);
                }
            }
        }
        Some(Value::Object(body).to_string().into())
    }
}

fn alter_record(alteration: &FaultAlteration, record: &mut Map<String, Value>) {
    match alteration {
        FaultAlteration::Set(field, value) => drop(record.insert(field.clone(), value.clone())),
        FaultAlteration::Unset(field) => drop(record.remove(field)),
        // The keys are sorted when the answer is written.
        FaultAlteration::Shuffle => {
            for list in ["tags", "followers", "customFields"] {
                if let Some(Value::Array(values)) = record.get_mut(list) {
                    values.reverse();
                }
            }
        }
        FaultAlteration::Rename(from, to) => {
            if let Some(value) = record.remove(from) {
                record.insert(to.clone(), value);
            }
        }
        FaultAlteration::Shorten(field, length) => {
            if let Some(text) = record.get(field).and_then(Value::as_str) {
                let text: String = text.chars().take(*length).collect();
                record.insert(field.clone(), text.into());
            }
        }
        FaultAlteration::CustomFields(shape) => {
            let Some(Value::Array(values)) = record.remove("customFields") else { return };
            match shape {
                CustomFieldShape::Map => {
                    let pair = |value: Value| {
                        Some((value["id"].as_str()?.to_owned(), value["value"].clone()))
                    };
                    let map = values.into_iter().filter_map(pair).collect();
                    record.insert("customFields".to_owned(), Value::Object(map));
                }
                CustomFieldShape::First => {
                    record.insert("customField".to_owned(), values.into());
                }
            }
        }
        _ => {}
    }
}

/// Changes the total, whatever its name; a total that is absent is added as `total`.
fn set_total(body: &mut Map<String, Value>, change: impl Fn(Option<u64>) -> Option<u64>) {
    let mut found = false;
    let mut change_in = |place: &mut Map<String, Value>, name: &str| {
        let Some(own) = place.get(name).and_then(Value::as_u64) else { return };
        found = true;
        match change(Some(own)) {
            Some(total) => drop(place.insert(name.to_owned(), total.into())),
            None => drop(place.remove(name)),
        }
    };
    for name in ["total", "count"] {
        change_in(body, name);
    }
    if let Some(meta) = body.get_mut("meta").and_then(Value::as_object_mut) {
        change_in(meta, "total");
    }
    if let Some(total) = change(None).filter(|_| !found) {
        body.insert("total".to_owned(), total.into());
    }
}

fn cut_into_pages(
    body: &mut Map<String, Value>,
    size: usize,
    request: &SandboxRequest,
) -> Option<()> {
    let rows = find_rows(body)?;
    let number =
        |name: &str| property(request, name).and_then(|number| usize::try_from(number).ok());
    let page = number("page").unwrap_or(1).max(1);
    let skip = number("skip").unwrap_or((page - 1).saturating_mul(size)).min(rows.len());
    let total = rows.len();
    let rest = rows.split_off(skip);
    *rows = rest.into_iter().take(size).collect();
    let next = (skip + rows.len() < total).then_some(page + 1);
    body.insert("total".to_owned(), total.into());
    body.insert("nextPage".to_owned(), next.map_or(Value::Null, Value::from));
    Some(())
}

fn repeat_row(
    rows: &mut Vec<Value>,
    kind: RepeatedRow,
    last_row: &mut Option<Value>,
    request: &SandboxRequest,
) {
    let before = last_row.take().filter(|_| !is_first_page(request));
    let by_number = property(request, "skip").is_some();
    if let Some(mut before) = before.filter(|_| !rows.is_empty()) {
        if kind == RepeatedRow::Later {
            postpone(&mut before);
        }
        if by_number {
            // The request was made to start one row earlier.
            rows[0] = before;
        } else {
            let full = page_size(request).is_some_and(|size| rows.len() as u64 == size);
            rows.insert(0, before);
            if full {
                rows.pop();
            }
        }
    }
    *last_row = rows.last().cloned();
}

/// Makes a row one second younger.
fn postpone(row: &mut Value) {
    let added = row.get("dateAdded").and_then(Value::as_str).and_then(parse_datetime);
    if let Some(added) = added {
        let second = i64::try_from(SignedDuration::from_secs(1).as_millis()).unwrap_or_default();
        row["dateAdded"] = format_iso(added + second).into();
    }
}

fn change_shape(mut body: Map<String, Value>, shape: AnswerShape) -> Option<Value> {
    match shape {
        AnswerShape::Wrapped => Some(json!({ "data": body })),
        AnswerShape::Bare => {
            let key = find_list_key(&body)?;
            body.remove(&key)
        }
        AnswerShape::Null => {
            let key = find_list_key(&body)?;
            body.insert(key, Value::Null);
            Some(Value::Object(body))
        }
    }
}

/// Puts bytes that are not UTF-8 behind a text of one record.
fn insert_bytes(
    mut body: Map<String, Value>,
    row: Option<&str>,
    kind: WrongBytes,
    field: Option<&str>,
) -> Option<Bytes> {
    let mut records = find_records(&mut body).into_iter();
    let record = records.find(|record| row.is_none_or(|id| record_id(record) == Some(id)))?;
    let is_text = |name: &&str| record.get(*name).is_some_and(Value::is_string);
    let name = field.or_else(|| TEXTS.into_iter().find(is_text)).unwrap_or("name").to_owned();
    let text = record.get(&name).and_then(Value::as_str).unwrap_or_default();
    let text = format!("{text}{}", mark_text());
    record.insert(name, text.into());
    Some(fill_mark(Value::Object(body).to_string().as_bytes(), kind.bytes(), false))
}
