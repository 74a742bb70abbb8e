//! The lookup of contacts by an exact e-mail address or phone number, additional ones included (api.md §1.11).
//!
//! It finds all contacts with the value, where the duplicate search names one. Whether it reads the contacts or an
//! index is not documented, so that it finds nothing proves nothing.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::client::ApiClient;
use super::decode;
use super::endpoint::ApiEndpoint;
use super::error::{ApiError, ApiErrorKind};
use super::retry::{self, AttemptError, RetryDecision, RetryPolicy};
use super::send::ApiRequest;
use crate::run::LocationFacts;

/// The largest page.
const PAGE: usize = 20;
/// The most pages of one lookup; a value that more contacts share identifies none.
const MAX_PAGES: usize = 10;

/// The caller can do without: few attempts.
const BOUNDS: RetryPolicy =
    RetryPolicy { attempts: 3, time: Duration::from_secs(20), bytes: 16 << 20 };

/// What contacts are looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupValue<'v> {
    /// An e-mail address, in any letter case.
    Email(&'v str),
    /// A phone number in E.164.
    Phone(&'v str),
}

impl ApiClient {
    /// Uses what earlier processes learnt about the location, and remembers what this one learns: whether the token
    /// may look contacts up, and how the searches ask.
    pub fn attach_location_facts(&self, facts: LocationFacts) {
        self.options.attach_facts(facts.clone());
        self.lookup.attach_facts(facts);
    }

    /// All contacts with this primary or additional value, as their own endpoint returns them. `None` where the
    /// token may not look contacts up, or the server does not take the value.
    ///
    /// # Errors
    /// As for other reads; a refusal is not an error.
    pub async fn look_up_contacts(
        &self,
        value: LookupValue<'_>,
    ) -> Result<Option<Vec<Box<RawValue>>>, ApiError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        let _first = self.lookup.wait_for_first().await;
        for _ in 0..MAX_PAGES {
            if self.lookup.is_refused() {
                return Ok(None);
            }
            let request = ApiRequest {
                route: ApiEndpoint::LookUpContacts,
                path: self.lookup_path(value, cursor.as_deref()),
                body: None,
                policy: BOUNDS,
            };
            // A refusal is not judged further: it is about the endpoint.
            let answer = self.sender.send_attempts(&request, decode_page, decide_retry, None).await;
            let page = match answer {
                Ok((_, answer)) => {
                    self.lookup.record_grant();
                    answer.head
                }
                Err(error) if self.forgoes_lookup(&error) => return Ok(None),
                Err(error) => return Err(error),
            };
            let rows = page.rows.len();
            found.extend(page.rows.into_iter().filter(|row| has_value(row, value)));
            // A server that ignores the value returns other contacts.
            if rows > 0 && found.is_empty() {
                return Ok(None);
            }
            if page.next.is_none() || page.next == cursor {
                return Ok(Some(found));
            }
            cursor = page.next;
        }
        Ok(None)
    }

    /// Whether the caller goes on without the lookup; an endpoint that is refused or fails is not asked again.
    fn forgoes_lookup(&self, error: &ApiError) -> bool {
        let is_refusal =
            error.foreign.is_none() && matches!(error.status, Some(400 | 401 | 403 | 404));
        if is_refusal || error.kind == ApiErrorKind::Exhausted {
            // Whether the token itself is outdated is for another request to show.
            self.lookup.record_refusal(is_refusal && error.kind != ApiErrorKind::Token);
            return true;
        }
        !error.is_fatal()
    }

    fn lookup_path(&self, value: LookupValue<'_>, cursor: Option<&str>) -> String {
        let (name, text) = match value {
            LookupValue::Email(text) => ("email", text),
            LookupValue::Phone(text) => ("phone", text),
        };
        let mut path = format!(
            "/contacts/lookup?locationId={}&{name}={}&limit={PAGE}",
            self.location_id().escaped_segment(),
            crate::text::percent_encode(text)
        );
        if let Some(cursor) = cursor {
            write!(path, "&cursor={}", crate::text::percent_encode(cursor))
                .expect("writing to a String cannot fail");
        }
        path
    }
}

/// A page of contacts.
struct LookupPage {
    rows: Vec<Box<RawValue>>,
    next: Option<String>,
}

fn decode_page(body: &[u8]) -> Result<LookupPage, serde_json::Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Place {
        #[serde(default)]
        next_cursor: Value,
    }
    let rows = decode::parse_list_rows(body, "contacts")?;
    let rows = rows.into_iter().filter(|row| row.get().starts_with('{')).map(ToOwned::to_owned);
    let place: Place = serde_json::from_slice(body)?;
    let next = place.next_cursor.as_str().filter(|cursor| !cursor.is_empty());
    Ok(LookupPage { rows: rows.collect(), next: next.map(str::to_owned) })
}

/// Whether a row has the value anywhere.
fn has_value(row: &RawValue, value: LookupValue<'_>) -> bool {
    match value {
        LookupValue::Email(email) => row.get().to_lowercase().contains(&email.to_lowercase()),
        LookupValue::Phone(phone) => row.get().contains(phone),
    }
}

/// A 401 that is not about an outdated token is about the endpoint, and no reason to renew the token.
fn decide_retry(failure: &AttemptError) -> RetryDecision {
    if let AttemptError::Status(401, body) = failure {
        let message = retry::error_message(body).to_lowercase();
        if !["jwt", "expired", "invalid token"].iter().any(|word| message.contains(word)) {
            return RetryDecision::Fail(ApiErrorKind::Refused);
        }
    }
    retry::decide_read_retry(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(status: u16, message: &str) -> RetryDecision {
        let body = serde_json::json!({ "message": message }).to_string();
        decide_retry(&AttemptError::Status(status, body.into_bytes().into()))
    }

    #[test]
    fn only_an_outdated_token_is_renewed() {
        let refused = RetryDecision::Fail(ApiErrorKind::Refused);
        let words = "Private Integration tokens are not supported for this endpoint.";
        assert_eq!(decide(401, words), refused);
        assert_eq!(decide(401, "Invalid JWT"), RetryDecision::Fail(ApiErrorKind::Token));
        assert_eq!(decide(503, ""), RetryDecision::Retry);
    }

    #[test]
    fn a_page_has_contacts_and_a_place_to_go_on() {
        let page = decode_page(br#"{"contacts":[{"id":"a"},3],"nextCursor":"x"}"#).unwrap();
        assert_eq!((page.rows.len(), page.next.as_deref()), (1, Some("x")));
        let page = decode_page(br#"{"contacts":[],"nextCursor":null}"#).unwrap();
        assert_eq!((page.rows.len(), page.next), (0, None));
        assert!(decode_page(br#"{"message":"ok"}"#).is_err());
    }

    #[test]
    fn a_row_without_the_value_is_not_a_result() {
        let row = RawValue::from_string(
            r#"{"email":"A@x.org","additionalPhones":["+12025550143"]}"#.to_owned(),
        )
        .unwrap();
        assert!(has_value(&row, LookupValue::Email("a@X.org")));
        assert!(has_value(&row, LookupValue::Phone("+12025550143")));
        assert!(!has_value(&row, LookupValue::Phone("+12025550144")));
    }
}
