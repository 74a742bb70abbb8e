//! Single custom fields and tags of a location: read, create and delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::state::SandboxState;

/// What a new custom field may have.
const FIELD_PROPERTIES: [&str; 10] = [
    "name",
    "dataType",
    "placeholder",
    "acceptedFormat",
    "isMultipleFile",
    "maxNumberOfFiles",
    "textBoxListOptions",
    "options",
    "position",
    "model",
];

const FIELD_TYPES: [&str; 15] = [
    "TEXT",
    "LARGE_TEXT",
    "NUMERICAL",
    "FLOAT",
    "PHONE",
    "MONETORY",
    "CHECKBOX",
    "SINGLE_OPTIONS",
    "MULTIPLE_OPTIONS",
    "RADIO",
    "TIME",
    "DATE",
    "TEXTBOX_LIST",
    "FILE_UPLOAD",
    "SIGNATURE",
];

/// `GET /locations/{id}/customFields/{id}`.
pub(crate) fn get_custom_field(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let fields = &state.stores[store].metadata.fields;
    let found = fields.iter().find(|field| field["id"] == request.path_segment(3));
    let field = found.ok_or_else(|| EndpointError::not_found("Custom field not found"))?;
    Ok(SandboxResponse::json(200, &json!({ "customField": field, "traceId": request.trace })))
}

/// `POST /locations/{id}/customFields`.
pub(crate) fn create_custom_field(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let body = request.body_object()?;
    validate_field(&body)?;
    let store = state.authorize_named_location(request)?;
    let name = body["name"].as_str().unwrap_or_default();
    let model = body.get("model").and_then(Value::as_str).unwrap_or("contact");
    let key = format!("{model}.{}", field_key(name));
    let id = state.generate_id();
    let metadata = &mut state.stores[store].metadata;
    if metadata.fields.iter().any(|field| field["fieldKey"] == key) {
        return Err(EndpointError::bad_request(format!("{name} already exists")));
    }
    let mut field = json!({
        "id": id, "name": name, "fieldKey": key, "dataType": body["dataType"],
        "placeholder": body.get("placeholder").cloned().unwrap_or_else(|| "".into()),
        "position": body.get("position").cloned().unwrap_or_else(|| 0.into()),
        "locationId": request.path_segment(1), "model": model,
    });
    if let Some(options) = body.get("options").or_else(|| body.get("textBoxListOptions")) {
        field["picklistOptions"] = options.clone();
    }
    metadata.fields.push(field.clone());
    Ok(SandboxResponse::json(201, &json!({ "customField": field, "traceId": request.trace })))
}

/// `DELETE /locations/{id}/customFields/{id}`. The values of the field go with it.
pub(crate) fn delete_custom_field(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let id = request.path_segment(3).to_owned();
    let fields = &mut state.stores[store].metadata.fields;
    let count = fields.len();
    fields.retain(|field| field["id"] != id.as_str());
    if fields.len() == count {
        return Err(EndpointError::not_found("Custom field not found"));
    }
    remove_values(state, store, &id);
    Ok(SandboxResponse::json(200, &json!({ "succeded": true, "traceId": request.trace })))
}

/// Removes the values of a field from all contacts.
fn remove_values(state: &mut SandboxState, store: usize, field: &str) {
    let ids: Vec<String> =
        state.stores[store].existing_contacts().map(|contact| contact.id.to_string()).collect();
    for id in ids {
        let Some(place) = state.find_contact(&id) else { continue };
        let mut row = state.stores[place.store].contact(place.slot).parse_row();
        let Some(values) = row.get_mut("customFields").and_then(Value::as_array_mut) else {
            continue;
        };
        let count = values.len();
        values.retain(|value| value["id"] != field);
        if values.len() < count {
            state.rewrite_contact(place, &mut row);
        }
    }
}

/// `POST /locations/{id}/tags`.
pub(crate) fn create_tag(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let body = request.body_object()?;
    if let Some(unknown) = body.keys().find(|key| *key != "name") {
        return Err(EndpointError::unknown_property(unknown));
    }
    let name = body.get("name").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    if name.is_empty() {
        return Err(EndpointError::validation_failed(vec!["name should not be empty".to_owned()]));
    }
    let store = state.authorize_named_location(request)?;
    let id = state.generate_id();
    let metadata = &mut state.stores[store].metadata;
    if metadata.tags.iter().any(|tag| tag["name"] == name) {
        return Err(EndpointError::bad_request("The tag name is already exist."));
    }
    metadata.add_tag(&id, &name, request.path_segment(1));
    let tag = json!({ "id": id, "name": name, "locationId": request.path_segment(1) });
    Ok(SandboxResponse::json(201, &json!({ "tag": tag, "traceId": request.trace })))
}

fn validate_field(body: &Map<String, Value>) -> Result<(), EndpointError> {
    let unknown = body.keys().filter(|key| !FIELD_PROPERTIES.contains(&key.as_str()));
    let mut wrong: Vec<String> =
        unknown.map(|key| format!("property {key} should not exist")).collect();
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("name").trim().is_empty() {
        wrong.push("name should not be empty".to_owned());
    }
    if !FIELD_TYPES.contains(&text("dataType")) {
        wrong.push("dataType must be a valid enum value".to_owned());
    }
    if body.contains_key("model") && !["contact", "opportunity"].contains(&text("model")) {
        wrong.push("model must be one of the following values: contact, opportunity".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(EndpointError::validation_failed(wrong)) }
}

/// The key of a field with this name, without its model.
fn field_key(name: &str) -> String {
    let is_kept = |c: char| c.is_alphanumeric() || c == ' ' || c == '_';
    let kept: String = name.to_lowercase().chars().filter(|c| is_kept(*c)).collect();
    kept.split_whitespace().collect::<Vec<_>>().join("_")
}
