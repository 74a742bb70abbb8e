//! Responses that the API has not sent: pages of its firewall, of a proxy, of a network that wants a sign-in; and
//! bodies that something on the way has re-encoded.
//!
//! They are recognized by status, headers and the beginning of the body. Texts of a page are untrusted and shortened.

use std::fmt::Write as _;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};

use crate::text::truncate_text;

/// How much of a page is looked at.
const GLANCE: usize = 64 << 10;

/// What sent a response instead of the API, or changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignResponse {
    /// Cloudflare, which stands before the API, blocks the request; the code of its error, if the page has one.
    Firewall(Option<u16>),
    /// A network that wants the user to sign in first.
    NetworkSignIn,
    /// A proxy that wants a user name and password.
    ProxySignIn,
    /// A web filter or proxy that blocks the address.
    WebFilter,
    /// A gateway whose server does not answer.
    Gateway,
    /// Something that sends web pages.
    WebServer,
    /// A proxy that encodes bodies in a way that was not asked for.
    Encoding,
}

/// Codes of Cloudflare that another attempt does not change: the address, the country or the program is banned.
const BANS: [u16; 6] = [1006, 1007, 1008, 1009, 1010, 1012];

impl ForeignResponse {
    /// Whether the next attempt would be answered in the same way.
    pub(super) fn is_lasting(self) -> bool {
        match self {
            Self::Firewall(code) => code.is_some_and(|code| BANS.contains(&code)),
            Self::ProxySignIn | Self::WebFilter => true,
            Self::NetworkSignIn | Self::Gateway | Self::WebServer | Self::Encoding => false,
        }
    }

    /// Whether no request reaches the API.
    pub(super) fn is_before_api(self) -> bool {
        matches!(self, Self::NetworkSignIn | Self::ProxySignIn | Self::WebFilter)
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Firewall(Some(1015)) => {
                "Cloudflare counts the requests of this network, also those of other programs; try again in some minutes"
            }
            Self::Firewall(Some(1006..=1009)) => {
                "try from another network, without a VPN; HighLevel's support can lift the ban"
            }
            Self::Firewall(_) => {
                "try from another network, without a VPN or proxy; otherwise send HighLevel's support the time and the \
                 numbers of this message"
            }
            Self::NetworkSignIn => "sign in to the network in a browser, then try again",
            Self::ProxySignIn => {
                "user name and password go into the proxy's URL: `http://user:password@host:port`"
            }
            Self::WebFilter => {
                "allow the API's address in the proxy or web filter, or go past it with `NO_PROXY`"
            }
            Self::Gateway => "it may be down; try again later",
            Self::WebServer => {
                "check `--api-url`; the page may come from a proxy or a login page of the network"
            }
            Self::Encoding => {
                "a proxy on the way changes the responses; go past it with `NO_PROXY`, or switch off its compression"
            }
        }
    }
}

/// The headers of a response by which a foreign one is recognized.
#[derive(Debug, Default)]
pub(super) struct ResponseOrigin {
    encoding: Option<HeaderValue>,
    is_html: bool,
    is_challenge: bool,
    /// Cloudflare's number for the request.
    ray: Option<HeaderValue>,
}

impl ResponseOrigin {
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let is_html = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
        Self {
            // The client removes the header of an encoding that it has decoded.
            encoding: headers.get(CONTENT_ENCODING).cloned(),
            is_html,
            is_challenge: headers.contains_key("cf-mitigated"),
            ray: headers.get("cf-ray").cloned(),
        }
    }

    /// What sent the response, and a sentence about it; `None` if it may be the API.
    pub(super) fn identify(&self, status: u16, body: &[u8]) -> Option<(ForeignResponse, String)> {
        let foreign = match status {
            407 => Some(ForeignResponse::ProxySignIn),
            511 => Some(ForeignResponse::NetworkSignIn),
            _ if self.has_unknown_encoding() && !body.is_empty() => Some(ForeignResponse::Encoding),
            _ => None,
        };
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        let is_page =
            first == Some(&b'<') || (self.is_html && first.is_some_and(|it| !b"{[".contains(it)));
        if foreign.is_none() && !is_page && !self.is_challenge && !starts_with_code(body) {
            return None;
        }
        let page = WebPage::parse(&body[..body.len().min(GLANCE)]);
        let foreign = foreign.unwrap_or_else(|| self.classify_page(status, &page));
        Some((foreign, self.describe(foreign, status, &page)))
    }

    fn has_unknown_encoding(&self) -> bool {
        let known = |name: &HeaderValue| {
            matches!(name.as_bytes().to_ascii_lowercase().trim_ascii(), b"" | b"identity")
        };
        self.encoding.as_ref().is_some_and(|name| !known(name))
    }

    fn classify_page(&self, status: u16, page: &WebPage) -> ForeignResponse {
        let says = |parts: &[&str]| parts.iter().any(|part| page.text.contains(part));
        let titled = |parts: &[&str]| parts.iter().any(|part| page.lower_title().contains(part));
        let failed = matches!(status, 500..=599);
        let refused = matches!(status, 400..=499);
        if self.is_challenge || (refused && (page.code.is_some() || says(&["cloudflare"]))) {
            return ForeignResponse::Firewall(page.code);
        }
        if says(&["type=\"password\"", "type=password", "type='password'"])
            || titled(&["sign in", "log in", "login", "captive", "hotspot", "guest", "wi-fi"])
        {
            return ForeignResponse::NetworkSignIn;
        }
        if !failed && says(&["squid", "web filter", "url filter", "proxy", "firewall", "zscaler"]) {
            return ForeignResponse::WebFilter;
        }
        if failed { ForeignResponse::Gateway } else { ForeignResponse::WebServer }
    }

    fn describe(&self, foreign: ForeignResponse, status: u16, page: &WebPage) -> String {
        let title = page.title.as_ref().map(|title| format!(" (`{title}`)")).unwrap_or_default();
        match foreign {
            ForeignResponse::Firewall(code) => self.describe_block(code, &title),
            ForeignResponse::NetworkSignIn if status == 511 => {
                format!("the network wants a sign-in{title}")
            }
            ForeignResponse::NetworkSignIn => format!("a sign-in page{title} instead of JSON"),
            ForeignResponse::ProxySignIn => {
                "the proxy requires a user name and password".to_owned()
            }
            ForeignResponse::WebFilter => {
                format!("a page of a proxy or web filter{title} instead of JSON")
            }
            ForeignResponse::Gateway => format!("a gateway's page{title} instead of JSON"),
            ForeignResponse::WebServer => format!("an HTML page{title} instead of JSON"),
            ForeignResponse::Encoding => {
                let name = self.encoding.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
                let name = truncate_text(&String::from_utf8_lossy(name), 30);
                format!("the response is encoded as `{name}`, which was not asked for")
            }
        }
    }

    fn describe_block(&self, code: Option<u16>, title: &str) -> String {
        let mut text = "Cloudflare, which protects the API, blocks the request".to_owned();
        let why = match code {
            Some(1006..=1008) => "this machine's address is banned",
            Some(1009) => "this country is banned",
            Some(1010) => "it does not accept this program",
            Some(1015) => "too many requests",
            Some(1020) => "a rule of the API's firewall",
            Some(_) => "see Cloudflare's list of errors",
            None => "",
        };
        match code {
            // Writing to a String cannot fail.
            Some(code) => drop(write!(text, " (error {code}: {why})")),
            None => text.push_str(title),
        }
        let ray = self.ray.as_ref().and_then(|ray| ray.to_str().ok());
        if let Some(ray) =
            ray.filter(|ray| ray.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-'))
        {
            let _ = write!(text, ", Ray ID {}", truncate_text(ray, 40));
        }
        text
    }
}

/// A sentence about a page whose status and headers are not known any more.
pub(super) fn describe_page(body: &[u8]) -> String {
    let found = ResponseOrigin::default().identify(400, body);
    found.map_or_else(|| "an HTML page instead of JSON".to_owned(), |(_, message)| message)
}

/// What is read of a page.
struct WebPage {
    /// Its text, in lower case.
    text: String,
    /// Its title, shortened for display.
    title: Option<String>,
    /// The code of a Cloudflare error.
    code: Option<u16>,
}

impl WebPage {
    fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).to_ascii_lowercase();
        let code = parse_cloudflare_code(&text);
        Self { title: html_title(body), code, text }
    }

    fn lower_title(&self) -> String {
        self.title.as_ref().map(|title| title.to_lowercase()).unwrap_or_default()
    }
}

/// The short form that Cloudflare sends to programs.
const CODE_TEXT: &str = "error code: ";

fn starts_with_code(body: &[u8]) -> bool {
    body.trim_ascii_start()
        .get(..CODE_TEXT.len())
        .is_some_and(|it| it.eq_ignore_ascii_case(CODE_TEXT.as_bytes()))
}

/// The code in `error code: 1010` or in a page that says `Error` and a number from 1000 to 1999.
fn parse_cloudflare_code(text: &str) -> Option<u16> {
    let after = |part: &str| {
        let rest = text.split_once(part)?.1;
        // A page has tags between the word and the number.
        let rest = rest.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '\n');
        let digits: String = rest.chars().take(5).take_while(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|code| (1000..2000).contains(code))
    };
    let is_cloudflare = text.contains("cloudflare") || text.contains("cf-");
    let places: &[&str] = if is_cloudflare { &["cf-error-code", ">error<", "error "] } else { &[] };
    after(CODE_TEXT).or_else(|| places.iter().find_map(|place| after(place)))
}

/// The text of `<title>`, shortened for display. Untrusted text.
fn html_title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let begin = text.to_ascii_lowercase().find("<title>")? + "<title>".len();
    let rest = text.get(begin..)?;
    let title = rest.split('<').next()?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| truncate_text(&title, 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(pairs: &[(&'static str, &str)]) -> ResponseOrigin {
        let pairs =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        ResponseOrigin::from_headers(&pairs.collect())
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: Option<ForeignResponse>) {
        let found = origin(&[]).identify(status, body.as_bytes());
        assert_eq!(found.map(|(foreign, _)| foreign), expected, "{status} {body}");
    }

    #[test]
    fn what_the_api_says_is_not_foreign() {
        check(200, r#"{"contacts":[]}"#, None);
        check(403, r#"{"message":"Forbidden resource"}"#, None);
        check(403, "Forbidden", None);
        check(502, "", None);
        check(200, r#" {"body":"<p>Cloudflare, error code: 1010</p>"}"#, None);
    }

    #[test]
    fn a_page_is_named_as_what_it_is() {
        use ForeignResponse::{
            Firewall, Gateway, NetworkSignIn, ProxySignIn, WebFilter, WebServer,
        };
        check(403, "error code: 1010", Some(Firewall(Some(1010))));
        check(429, "error code: 1015\n", Some(Firewall(Some(1015))));
        let page = r#"<html><title>Access denied | services.example.com used Cloudflare</title>
            <span class="cf-code-label">Error code <span>1020</span></span></html>"#;
        check(403, page, Some(Firewall(Some(1020))));
        let page = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title><h1>Sorry, you have been blocked</h1>";
        check(403, page, Some(Firewall(None)));
        check(502, "<html><title>Bad gateway</title>cloudflare</html>", Some(Gateway));
        check(200, "<html><title>Guest Wi-Fi</title></html>", Some(NetworkSignIn));
        check(200, "<form><input type=\"password\"></form>", Some(NetworkSignIn));
        check(511, "", Some(NetworkSignIn));
        check(407, "", Some(ProxySignIn));
        check(403, "<title>ERROR</title><p>generated by squid</p>", Some(WebFilter));
        check(200, "<html>hello", Some(WebServer));
    }

    #[test]
    fn an_encoding_that_was_not_asked_for_is_named() {
        let (foreign, said) =
            origin(&[("content-encoding", "br")]).identify(200, b"\x1b\x00").unwrap();
        assert_eq!(foreign, ForeignResponse::Encoding);
        assert!(said.contains("`br`"), "{said}");
        assert_eq!(origin(&[("content-encoding", "identity")]).identify(200, b"{}"), None);
    }

    #[test]
    fn a_block_has_the_numbers_that_support_asks_for() {
        let known = origin(&[("cf-ray", "8c1f2a-FRA"), ("cf-mitigated", "challenge")]);
        let (foreign, said) = known.identify(403, b"<title>Just a moment...</title>").unwrap();
        assert_eq!(foreign, ForeignResponse::Firewall(None));
        assert!(said.contains("Just a moment...") && said.ends_with("Ray ID 8c1f2a-FRA"), "{said}");
    }
}
