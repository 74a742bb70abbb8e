//! The response to a batch: the result of each contact.

use std::collections::HashMap;

use serde_json::Value;

use super::server_reply;
use crate::model::OpChange;

/// The results in a response, by contact.
#[derive(Debug, Default)]
pub(super) struct BatchResponse {
    /// The response reports success as a whole, without naming contacts.
    pub(super) all: bool,
    /// By contact: `None` for success, else the error message.
    pub(super) each: HashMap<String, Option<String>>,
}

impl BatchResponse {
    /// Parses `{responses: [{contactId, type, message}]}` of tags, or `{success, ids}` of businesses.
    pub(super) fn parse(change: &OpChange, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if matches!(change, OpChange::SetBusiness { .. }) {
            return Self::parse_business(&body);
        }
        let mut parsed = Self::default();
        let is_denied = server_reply::denies_success(&body);
        let responses = body["responses"].as_array();
        for response in responses.into_iter().flatten() {
            let Some(contact) = response["contactId"].as_str() else { continue };
            let message = match response["type"].as_str() {
                Some("success") if !is_denied => None,
                Some("error") => {
                    Some(response["message"].as_str().unwrap_or("no explanation").to_owned())
                }
                // Neither, or the response as a whole says that it failed: the contact is looked up.
                _ => continue,
            };
            parsed.each.insert(contact.to_owned(), message);
        }
        parsed
    }

    /// The response to a request for one contact.
    pub(super) fn of_single(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        Self { all: !server_reply::denies_success(&body), each: HashMap::new() }
    }

    fn parse_business(body: &Value) -> Self {
        let success = if server_reply::denies_success(body) {
            Some(false)
        } else {
            body["success"].as_bool().or_else(|| body["succeded"].as_bool())
        };
        let Some(ids) = body["ids"].as_array() else {
            return Self { all: success == Some(true), each: HashMap::new() };
        };
        let done = ids.iter().filter_map(Value::as_str).filter(|_| success != Some(false));
        Self { all: false, each: done.map(|id| (id.to_owned(), None)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_results(change: &OpChange, body: &Value) -> Vec<(String, Option<String>)> {
        let parsed = BatchResponse::parse(change, body.to_string().as_bytes());
        let mut each: Vec<_> = parsed.each.into_iter().collect();
        each.extend(parsed.all.then(|| ("*".to_owned(), None)));
        each.sort();
        each
    }

    #[test]
    fn an_answer_about_tags_is_read_contact_by_contact() {
        let change = OpChange::AddTags { tags: vec!["a".to_owned()] };
        let body = json!({ "succeded": true, "errorCount": 1, "responses": [
            { "contactId": "x", "type": "success" },
            { "contactId": "y", "type": "error", "message": "contact is deleted" },
            { "contactId": "z", "type": "maybe" }, 3,
        ]});
        let expected =
            [("x".to_owned(), None), ("y".to_owned(), Some("contact is deleted".to_owned()))];
        assert_eq!(parse_results(&change, &body), expected);
        assert_eq!(parse_results(&change, &json!({ "succeded": true })), []);
        let denied = json!({ "succeeded": false, "responses": [
            { "contactId": "x", "type": "success" },
        ]});
        assert_eq!(parse_results(&change, &denied), []);
        assert_eq!(parse_results(&change, &Value::Null), []);
    }

    #[test]
    fn an_answer_about_businesses_names_those_that_are_done() {
        let change = OpChange::SetBusiness { business: None };
        let done = |id: &str| (id.to_owned(), None);
        assert_eq!(parse_results(&change, &json!({ "success": true, "ids": ["x"] })), [done("x")]);
        assert_eq!(parse_results(&change, &json!({ "success": true })), [done("*")]);
        assert_eq!(parse_results(&change, &json!({ "success": false, "ids": ["x"] })), []);
        assert_eq!(parse_results(&change, &json!({})), []);
    }
}
