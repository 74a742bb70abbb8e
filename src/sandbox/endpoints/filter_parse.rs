//! The filter grammar of contact searches.
//!
//! Conditions of a field, an operator and a value, in nested `AND` and `OR` groups. The service's
//! table defines which operators a field accepts; strings are compared case-insensitively.

use std::collections::BTreeSet;

use serde_json::Value;

use super::filter_eval::{
    as_number, evaluate_condition, find_value, in_range, millis_to_f64, validate_value,
};
use super::filter_field::{FilterField, FilterOperator};
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::location_metadata::LocationMetadata;
use crate::sandbox::store::location_store::LocationStore;
use crate::sandbox::store::search_candidate::SearchCandidate;
use crate::sandbox::store::slots::ContactSlot;

const EXACT: [&str; 15] = [
    "id",
    "contactName",
    "email",
    "country",
    "website",
    "assignedTo",
    "timezone",
    "type",
    "dnd",
    "validEmail",
    "isValidWhatsapp",
    "followers",
    "activeWorkflows",
    "finishedWorkflows",
    "businessId",
];
const PARTS: [&str; 11] = [
    "firstNameLowerCase",
    "lastNameLowerCase",
    "phone",
    "address",
    "city",
    "state",
    "postalCode",
    "businessName",
    "companyName",
    "source",
    "tags",
];
const DATES: [&str; 6] = [
    "dateAdded",
    "dateUpdated",
    "dateOfBirth",
    "lastAppointment",
    "lastEmailClickedDate",
    "lastEmailOpenedDate",
];

/// A filter expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FilterExpression {
    All(Vec<FilterExpression>),
    Any(Vec<FilterExpression>),
    Test { field: FilterField, operator: FilterOperator, value: Value },
}

/// Whether a record matches a full-text query: by its names, e-mail address and phone number.
pub(crate) fn matches_full_text(row: &SearchRow, query: &str) -> bool {
    let query = query.trim().to_lowercase();
    ["contactName", "email", "phone", "companyName"].iter().any(|key| {
        row.get(*key)
            .and_then(Value::as_str)
            .is_some_and(|text| text.to_lowercase().contains(&query))
    })
}

impl FilterExpression {
    /// Parses a body's `filters`; `numeric` refuses dates given as strings.
    pub(crate) fn parse_list(
        value: Option<&Value>,
        metadata: &LocationMetadata,
        numeric: bool,
    ) -> Result<Self, EndpointError> {
        let Some(value) = value else { return Ok(Self::All(Vec::new())) };
        let Some(list) = value.as_array() else {
            return Err(EndpointError::validation_failed(vec![
                "filters must be an array".to_owned(),
            ]));
        };
        let filters: Result<Vec<Self>, EndpointError> =
            list.iter().map(|one| Self::parse_entry(one, metadata, numeric)).collect();
        filters.map(Self::All)
    }

    fn parse_entry(
        value: &Value,
        metadata: &LocationMetadata,
        numeric: bool,
    ) -> Result<Self, EndpointError> {
        let Some(object) = value.as_object() else {
            return Err(EndpointError::validation_failed(vec![
                "each value in filters must be an object".to_owned(),
            ]));
        };
        let known = ["field", "operator", "value", "group", "filters"];
        if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(EndpointError::unknown_property(key));
        }
        if let Some(group) = object.get("group") {
            let list = object.get("filters").or(Some(&Value::Null));
            let Self::All(filters) = Self::parse_list(list, metadata, numeric)? else {
                return Err(EndpointError::unprocessable("Invalid group"));
            };
            return match group.as_str() {
                Some("OR") => Ok(Self::Any(filters)),
                Some("AND") => Ok(Self::All(filters)),
                _ => Err(EndpointError::unprocessable(
                    "group must be one of the following values: AND, OR",
                )),
            };
        }
        let name = object.get("field").and_then(Value::as_str).unwrap_or_default();
        let operator = object.get("operator").and_then(Value::as_str).unwrap_or_default();
        let (field, allowed) = resolve_field(name, metadata)?;
        let operator =
            FilterOperator::parse(operator).filter(|operator| allowed.contains(operator));
        let Some(operator) = operator else {
            let operator = object.get("operator").unwrap_or(&Value::Null);
            return Err(EndpointError::unprocessable(format!(
                "Invalid operator {operator} for '{name}' field"
            )));
        };
        let key = if operator == FilterOperator::Nested { "filters" } else { "value" };
        let value = object.get(key).cloned().unwrap_or_default();
        validate_value(name, operator, &value, numeric)?;
        Ok(Self::Test { field, operator, value })
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::All(filters) if filters.iter().all(Self::is_empty))
    }

    pub(crate) fn matches(&self, seen: &SearchCandidate<'_>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.matches(seen)),
            Self::Any(filters) => filters.iter().any(|filter| filter.matches(seen)),
            Self::Test { field, operator: FilterOperator::Range, value } => {
                numeric_field_value(field, seen).is_some_and(|number| in_range(number, value))
            }
            Self::Test { field, operator, value } => {
                evaluate_condition(find_value(field, seen.cached_row()), *operator, value)
            }
        }
    }

    /// The records that could match, if an id, an e-mail address or a phone number narrows them
    /// down.
    pub(crate) fn candidate_slots(&self, place: &LocationStore) -> Option<BTreeSet<ContactSlot>> {
        match self {
            Self::All(filters) => filters.iter().find_map(|filter| filter.candidate_slots(place)),
            Self::Any(filters) => {
                let sets: Option<Vec<_>> =
                    filters.iter().map(|filter| filter.candidate_slots(place)).collect();
                sets.map(|sets| sets.into_iter().flatten().collect())
            }
            Self::Test { field: FilterField::Row(path), operator: FilterOperator::Eq, value } => {
                let text = value.as_str()?;
                let found = match path.first().map(String::as_str) {
                    Some("id") => place.find_by_id(text).into_iter().collect(),
                    Some("email") => place.find_by_email(text).to_vec(),
                    Some("phone") => place.find_by_phone(text).to_vec(),
                    _ => return None,
                };
                // A record whose indexing lags may have had this value when it was last indexed.
                Some(found.into_iter().chain(place.lagging_slots()).collect())
            }
            Self::Test { .. } => None,
        }
    }
}

/// Where a field's value is, and which operators it accepts.
fn resolve_field(
    name: &str,
    metadata: &LocationMetadata,
) -> Result<(FilterField, &'static [FilterOperator]), EndpointError> {
    use FilterOperator::{Contains, Eq, Exists, Nested, NotContains, NotEq, NotExists, Range};
    const EQUAL: &[FilterOperator] = &[Eq, NotEq, Exists, NotExists];
    const TEXT: &[FilterOperator] = &[Eq, NotEq, Exists, NotExists, Contains, NotContains];
    const NUMBER: &[FilterOperator] = &[Eq, NotEq, Exists, NotExists, Range];
    const DATE: &[FilterOperator] = &[Range, Exists, NotExists];
    let invalid = || EndpointError::bad_request(format!("Invalid field {name}"));
    let row = || FilterField::Row(vec![name.to_owned()]);
    if let Some(custom) = name.strip_prefix("customFields.") {
        let (id, part) =
            custom.split_once('.').map_or((custom, None), |(id, part)| (id, Some(part)));
        let definition = metadata.contact_field(Some(id), None).ok_or_else(invalid)?;
        let operators = match definition["dataType"].as_str().unwrap_or_default() {
            "CHECKBOX" | "MULTIPLE_OPTIONS" => EQUAL,
            "NUMERICAL" | "FLOAT" | "MONETORY" => NUMBER,
            "DATE" => DATE,
            _ => TEXT,
        };
        return Ok((FilterField::Custom(id.to_owned(), part.map(str::to_owned)), operators));
    }
    match name {
        "id" => Ok((row(), &[Eq, NotEq])),
        "opportunities" => Ok((row(), &[Nested])),
        _ if EXACT.contains(&name) => Ok((row(), EQUAL)),
        _ if PARTS.contains(&name) => Ok((row(), TEXT)),
        _ if DATES.contains(&name) => Ok((row(), DATE)),
        _ => {
            let path: Vec<String> = name.split('.').map(str::to_owned).collect();
            match path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["dndSettings", "Email" | "SMS" | "Call", "status"]
                | ["inboundDndSettings", "all", "status"] => Ok((FilterField::Row(path), EQUAL)),
                _ => Err(invalid()),
            }
        }
    }
}

fn numeric_field_value(field: &FilterField, seen: &SearchCandidate<'_>) -> Option<f64> {
    if let FilterField::Row(path) = field {
        let exact = match path.first().map(String::as_str) {
            Some("dateAdded") => Some(seen.indexed_view().contact.added),
            Some("dateUpdated") => Some(seen.indexed_view().updated),
            _ => None,
        };
        if let Some(milliseconds) = exact {
            return Some(millis_to_f64(milliseconds));
        }
    }
    as_number(find_value(field, seen.cached_row())?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::store::contact::StoredContact;

    const ROW: &str = r#"{"id":"c1","email":"Ada@example.com","phone":"+14155551234","dnd":true,
        "tags":["vip","a, b"],"companyName":"Acme Corp","city":null,"dateOfBirth":86400000,
        "opportunities":[{"status":"open","pipelineId":"p1"}],
        "customFields":[{"id":"f1","value":12.5},{"id":"f2","value":["x","y"]}]}"#;

    fn metadata() -> LocationMetadata {
        let field =
            |id: &str, kind: &str| json!({ "id": id, "dataType": kind, "model": "contact" });
        LocationMetadata {
            fields: vec![field("f1", "MONETORY"), field("f2", "CHECKBOX"), field("f3", "DATE")],
            ..LocationMetadata::default()
        }
    }

    #[track_caller]
    fn matches(filters: &Value) -> bool {
        let contact = StoredContact::new("c1", 1000, 2000, ROW);
        let filter = FilterExpression::parse_list(Some(filters), &metadata(), false).unwrap();
        filter.matches(&SearchCandidate::new(contact.indexed_view().unwrap()))
    }

    #[test]
    fn conditions_are_judged_by_their_field() {
        let hits = [
            json!({ "field": "email", "operator": "eq", "value": "ada@EXAMPLE.com" }),
            json!({ "field": "tags", "operator": "contains", "value": "a, b" }),
            json!({ "field": "tags", "operator": "not_contains", "value": "a" }),
            json!({ "field": "companyName", "operator": "contains", "value": "acme" }),
            json!({ "field": "city", "operator": "not_exists" }),
            json!({ "field": "dnd", "operator": "eq", "value": true }),
            json!({ "field": "dateAdded", "operator": "range", "value": { "gte": 1000, "lt": 1001 } }),
            json!({ "field": "dateUpdated", "operator": "range", "value": { "gt": "1970-01-01T00:00:01.999Z" } }),
            json!({ "field": "dateOfBirth", "operator": "range", "value": { "lte": "1970-01-02" } }),
            json!({ "field": "customFields.f1", "operator": "range", "value": { "gt": 12 } }),
            json!({ "field": "customFields.f2", "operator": "eq", "value": ["y"] }),
            json!({ "field": "customFields.f3", "operator": "not_exists" }),
            json!({ "field": "opportunities", "operator": "nested", "filters": [
                { "field": "status", "operator": "eq", "value": "open" },
                { "field": "pipelineId", "operator": "eq", "value": "p1" },
            ] }),
        ];
        for hit in hits {
            assert!(matches(&json!([hit])), "{hit}");
        }
    }

    #[test]
    fn groups_nest() {
        let yes = json!({ "field": "id", "operator": "eq", "value": "c1" });
        let no = json!({ "field": "id", "operator": "eq", "value": "c2" });
        assert!(!matches(&json!([yes, no])));
        assert!(matches(&json!([{ "group": "OR", "filters": [no, yes] }])));
        let inner = json!({ "group": "AND", "filters": [yes, no] });
        assert!(!matches(&json!([{ "group": "OR", "filters": [no, inner] }])));
    }

    #[test]
    fn what_the_service_refuses_is_refused() {
        let refused = [
            json!({ "field": "nope", "operator": "exists" }),
            json!({ "field": "customFields.f9", "operator": "exists" }),
            json!({ "field": "email", "operator": "contains", "value": "a" }),
            json!({ "field": "dateAdded", "operator": "gte", "value": 1 }),
            json!({ "field": "dateAdded", "operator": "range", "value": { "from": 1 } }),
            json!({ "field": "city", "operator": "exists", "value": "x" }),
            json!({ "field": "city", "operator": "eq", "value": "x".repeat(76) }),
            json!({ "field": "city", "operator": "eq", "value": "x", "more": 1 }),
            json!({ "group": "NOT", "filters": [] }),
            json!("city"),
        ];
        for filter in refused {
            assert!(
                FilterExpression::parse_list(Some(&json!([filter])), &metadata(), false).is_err(),
                "{filter}"
            );
        }
        let iso =
            json!([{ "field": "dateAdded", "operator": "range", "value": { "gt": "2020-01-01" } }]);
        assert!(FilterExpression::parse_list(Some(&iso), &metadata(), true).is_err());
    }
}
