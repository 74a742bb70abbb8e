//! The authorisation: the address that a person opens, and the answer that comes back from it.
//!
//! The answer is an address whose query holds a code, or the error. It is accepted only with the
//! random `state` that was sent along, compared in constant time: without it an attacker could inject a code
//! of their own account. This file knows no socket, no terminal and no token.

use std::fmt;

use reqwest::Url;
use secrecy::SecretString;
use subtle::ConstantTimeEq as _;

use crate::cli::output::error::CliError;

/// 128 bits of the system's randomness, as text: what the answer must repeat.
pub(super) struct OauthState(String);

impl OauthState {
    /// A new one.
    pub(super) fn new() -> Result<Self, CliError> {
        let mut bits = [0_u8; 16];
        getrandom::fill(&mut bits).map_err(|error| {
            CliError::usage(format!("the system's random source failed: {error}"))
        })?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bits))))
    }

    /// Whether a query has this state, and no other.
    pub(super) fn is_in_query(&self, query: &str) -> bool {
        let mut states = url_pairs(query).filter(|(key, _)| key == "state").peekable();
        states.peek().is_some() && states.all(|(_, given)| self.constant_time_eq(&given))
    }

    /// Whether a text is equal, in constant time.
    fn constant_time_eq(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
}

/// The decoded pairs of a query.
fn url_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let mut url = Url::parse("http://localhost/").expect("a plain address");
    url.set_query(Some(query));
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.into_iter()
}

/// The request to the authorisation page.
pub(super) struct AuthorizationRequest<'a> {
    /// The page, without what is asked for.
    pub(super) page: &'a Url,
    pub(super) client_id: &'a str,
    /// The redirect URL; one that the app has registered.
    pub(super) redirect_uri: &'a str,
    /// With blanks between them.
    pub(super) scopes: String,
    pub(super) state: &'a OauthState,
}

impl AuthorizationRequest<'_> {
    /// The address for the browser (api.md §9).
    pub(super) fn to_url(&self) -> Url {
        let mut url = self.page.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("client_id", self.client_id)
            .append_pair("scope", &self.scopes)
            .append_pair("state", &self.state.0);
        // A form's `+` is a blank, too, but every documented address has `%20`.
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query));
        url
    }
}

/// What came back.
pub(super) enum AuthorizationResponse {
    /// A code, with our state.
    Code(SecretString),
    /// A code without a state, which an agency's bulk installation drops (api.md §9).
    Stateless(SecretString),
    /// The user or HighLevel refused: the message, which comes from outside.
    Refused(String),
    /// Another state than ours.
    Foreign,
    /// Neither a code nor a reason.
    Empty,
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(…)",
            Self::Stateless(_) => "Stateless(…)",
            Self::Refused(_) => "Refused(…)",
            Self::Foreign => "Foreign",
            Self::Empty => "Empty",
        })
    }
}

impl AuthorizationResponse {
    /// Reads the query of the address that the browser was sent to.
    pub(super) fn from_query(query: &str, state: &OauthState) -> Self {
        let all = |name: &'static str| {
            let pairs = url_pairs(query).filter(|(key, _)| key == name);
            pairs.map(|(_, value)| value).collect::<Vec<_>>()
        };
        let states = all("state");
        if states.iter().any(|given| !state.constant_time_eq(given)) {
            return Self::Foreign;
        }
        if let Some(error) = all("error").pop() {
            let more = all("error_description").pop().map(|more| format!(": {more}"));
            return Self::Refused(error + &more.unwrap_or_default());
        }
        match all("code").as_slice() {
            [code] if code.is_empty() => Self::Empty,
            [code] if states.is_empty() => Self::Stateless(code.clone().into()),
            [code] => Self::Code(code.clone().into()),
            // Two codes: one of them is not ours.
            [_, ..] => Self::Foreign,
            [] => Self::Empty,
        }
    }

    /// Reads pasted text: the address from the browser's address bar, or the code alone.
    pub(super) fn from_paste(text: &str, state: &OauthState) -> Self {
        let text = text.trim();
        if let Some((_, query)) = text.split_once('?') {
            let query = query.split('#').next().unwrap_or_default();
            return Self::from_query(query, state);
        }
        if text.contains("code=") || text.contains("error=") {
            return Self::from_query(text, state);
        }
        if text.is_empty() || text.contains("://") || text.contains(char::is_whitespace) {
            return Self::Empty;
        }
        Self::Stateless(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> OauthState {
        OauthState("00112233445566778899aabbccddeeff".to_owned())
    }

    #[track_caller]
    fn check(query: &str, expected: &str) {
        assert_eq!(
            format!("{:?}", AuthorizationResponse::from_query(query, &state())),
            expected,
            "{query}"
        );
    }

    #[test]
    fn a_code_counts_only_with_the_state_that_was_sent() {
        check("code=c&state=00112233445566778899aabbccddeeff", "Code(…)");
        check("code=c&state=00112233445566778899aabbccddeefe", "Foreign");
        check("code=c&state=", "Foreign");
        check("code=c", "Stateless(…)");
        check("code=&state=00112233445566778899aabbccddeeff", "Empty");
        check("", "Empty");
    }

    #[test]
    fn a_second_state_or_code_beside_ours_is_foreign() {
        let ours = "state=00112233445566778899aabbccddeeff";
        check(&format!("code=c&{ours}&state=other"), "Foreign");
        check(&format!("code=c&code=d&{ours}"), "Foreign");
    }

    #[test]
    fn a_refusal_is_reported_in_its_own_words() {
        let answer = AuthorizationResponse::from_query(
            "error=access_denied&error_description=not+now",
            &state(),
        );
        assert!(
            matches!(answer, AuthorizationResponse::Refused(said) if said == "access_denied: not now")
        );
        check("error=access_denied&state=other", "Foreign");
    }

    #[test]
    fn a_pasted_address_is_read_like_one_that_arrived() {
        let paste = |text: &str| format!("{:?}", AuthorizationResponse::from_paste(text, &state()));
        let ours = "state=00112233445566778899aabbccddeeff";
        assert_eq!(paste(&format!(" https://x.example/cb?code=c&{ours}#top\n")), "Code(…)");
        assert_eq!(paste("https://x.example/cb?code=c&state=other"), "Foreign");
        assert_eq!(paste("https://x.example/cb?code=c"), "Stateless(…)");
        assert_eq!(paste(&format!("code=c&{ours}")), "Code(…)");
        assert_eq!(paste("8f2c"), "Stateless(…)");
        for text in ["", " \n", "https://x.example/cb", "two words"] {
            assert_eq!(paste(text), "Empty", "{text}");
        }
    }

    #[test]
    fn the_address_holds_what_is_asked_for_and_keeps_what_the_page_has() {
        let ask = AuthorizationRequest {
            page: &Url::parse(
                "https://app.example/v2/oauth/chooselocation?loginWindowOpenMode=self",
            )
            .unwrap(),
            client_id: "id&1",
            redirect_uri: "http://localhost:8765/callback",
            scopes: "contacts.readonly locations.readonly".to_owned(),
            state: &state(),
        };
        assert_eq!(
            ask.to_url().as_str(),
            "https://app.example/v2/oauth/chooselocation?loginWindowOpenMode=self&response_type=code\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8765%2Fcallback&client_id=id%261\
             &scope=contacts.readonly%20locations.readonly&state=00112233445566778899aabbccddeeff"
        );
    }

    #[test]
    fn two_states_differ() {
        let (one, other) = (OauthState::new().unwrap(), OauthState::new().unwrap());
        assert_eq!(one.0.len(), 32);
        assert!(!one.constant_time_eq(&other.0) && one.constant_time_eq(&one.0));
    }
}
