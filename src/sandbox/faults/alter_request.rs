//! Alterations of a request before it is answered, and the refusal of what it asks for.

use serde_json::{Map, Value};

use super::alteration::{FaultAlteration, RefusedOption, RepeatedRow};
use crate::sandbox::http::request::{ParsedBody, SandboxRequest};
use crate::sandbox::http::response::EndpointError;

/// The properties that ask for a page size.
const SIZES: [&str; 3] = ["pageLimit", "limit", "pageSize"];

/// Changes a request.
pub(super) fn alter_request(alteration: &FaultAlteration, request: &mut SandboxRequest) {
    match alteration {
        FaultAlteration::Ignore(field) => ignore_field(request, field),
        FaultAlteration::PageSize(largest) => clamp_page(request, *largest),
        FaultAlteration::Shorten(field, length) if request.is_write() => {
            if let Some(value) = body_mut(request).and_then(|body| body.get_mut(field))
                && let Some(text) = value.as_str()
            {
                *value = text.chars().take(*length).collect::<String>().into();
            }
        }
        FaultAlteration::Paged(_) => {
            let of_page = |name: &str| ["page", "limit", "skip"].contains(&name);
            request.query.retain(|(name, _)| !of_page(name));
        }
        FaultAlteration::Repeat(RepeatedRow::Same | RepeatedRow::Later) => start_earlier(request),
        _ => {}
    }
}

/// The refusal of a request that has what it must not have.
pub(super) fn refuse_request(
    refused: &RefusedOption,
    request: &SandboxRequest,
) -> Option<EndpointError> {
    match refused {
        RefusedOption::Property(name, most) => {
            let value = property(request, name)?;
            match most {
                None => Some(EndpointError::unknown_property(name)),
                Some(most) => (value > *most).then(|| {
                    let text = format!("{name} must not be greater than {most}");
                    EndpointError::validation_failed(vec![text])
                }),
            }
        }
        RefusedOption::RangeInMilliseconds => {
            let body = request.body_object().ok()?;
            let field = body.get("filters").and_then(find_numeric_range)?;
            let text = format!("Invalid value for 'range' operator for '{field}' field");
            Some(EndpointError::unprocessable(text))
        }
    }
}

/// The place in a list where the request starts, when it counts rows: none is the first page.
pub(super) fn is_first_page(request: &SandboxRequest) -> bool {
    let body = request.body_object().unwrap_or_default();
    let cursor = body.get("searchAfter").and_then(Value::as_array);
    let in_query =
        ["startAfterId", "startAfter", "pageToken"].map(|name| request.query_parameter(name));
    cursor.is_none_or(Vec::is_empty)
        && in_query.iter().all(Option::is_none)
        && property(request, "skip").unwrap_or_default() == 0
        && property(request, "page").unwrap_or(1) <= 1
}

/// The largest number of rows that the request asks for.
pub(super) fn page_size(request: &SandboxRequest) -> Option<u64> {
    SIZES.iter().find_map(|name| property(request, name))
}

/// A number in the body or the query; zero for anything else that is there.
pub(super) fn property(request: &SandboxRequest, name: &str) -> Option<u64> {
    let body = request.body_object().unwrap_or_default();
    let in_body = body.get(name).map(|value| value.as_u64().unwrap_or_default());
    let in_query = request.query_parameter(name).map(|text| text.parse().unwrap_or_default());
    in_body.or(in_query)
}

fn body_mut(request: &mut SandboxRequest) -> Option<&mut Map<String, Value>> {
    match &mut request.content {
        ParsedBody::Json(Value::Object(body)) => Some(body),
        _ => None,
    }
}

fn ignore_field(request: &mut SandboxRequest, field: &str) {
    request.query.retain(|(name, _)| name != field);
    match &mut request.content {
        ParsedBody::Json(Value::Object(body)) if field == "*" => {
            body.retain(|key, _| key == "locationId");
        }
        ParsedBody::Json(Value::Object(body)) => drop(body.remove(field)),
        ParsedBody::Form(pairs) => pairs.retain(|(name, _)| name != field),
        _ => {}
    }
}

fn clamp_page(request: &mut SandboxRequest, largest: u64) {
    for name in SIZES {
        if let Some(value) = body_mut(request).and_then(|body| body.get_mut(name))
            && value.as_u64().is_some_and(|size| size > largest)
        {
            *value = largest.into();
        }
        for (_, value) in request.query.iter_mut().filter(|(own, _)| own == name) {
            if value.parse::<u64>().is_ok_and(|size| size > largest) {
                *value = largest.to_string();
            }
        }
    }
}

/// Makes a page that counts rows start one row earlier.
fn start_earlier(request: &mut SandboxRequest) {
    let earlier = |skip: u64| skip.saturating_sub(1);
    if let Some(value) = body_mut(request).and_then(|body| body.get_mut("skip"))
        && let Some(skip) = value.as_u64()
    {
        *value = earlier(skip).into();
    }
    for (_, value) in request.query.iter_mut().filter(|(name, _)| name == "skip") {
        if let Ok(skip) = value.parse() {
            *value = earlier(skip).to_string();
        }
    }
}

/// The field of a range with a number, in filters of any depth.
fn find_numeric_range(filters: &Value) -> Option<String> {
    match filters {
        Value::Array(list) => list.iter().find_map(find_numeric_range),
        Value::Object(filter) if filter.get("operator").is_some_and(|own| own == "range") => {
            let bounds = filter.get("value").and_then(Value::as_object)?;
            let number = bounds.values().any(Value::is_number);
            number.then(|| filter.get("field").and_then(Value::as_str).unwrap_or_default().into())
        }
        Value::Object(group) => group.get("filters").and_then(find_numeric_range),
        _ => None,
    }
}
