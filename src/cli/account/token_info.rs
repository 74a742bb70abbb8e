//! What is known of a token without a request: its owner, where it comes from, what it may
//! do, and until when.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

use super::token_source::TokenSource;
use crate::api::{LocationDetails, UserType};
use crate::auth::decode_unverified_claims;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::doctor::{self, TokenFacts, TokenKind};
use crate::id::{CompanyId, LocationId};
use crate::text::{format_plural, select_plural};

fn token_kind_label(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Private => "Private Integration Token",
        TokenKind::Location => "OAuth, for one location",
        TokenKind::Company => "OAuth, for an agency (company)",
        TokenKind::Unknown => "unknown",
    }
}

fn token_kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Private => "private_integration",
        TokenKind::Location => "oauth_location",
        TokenKind::Company => "oauth_company",
        TokenKind::Unknown => "unknown",
    }
}

/// What the API says about a location.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct TokenLocationInfo {
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) timezone: Option<String>,
}

impl From<LocationDetails> for TokenLocationInfo {
    fn from(head: LocationDetails) -> Self {
        Self { name: head.name, timezone: head.timezone }
    }
}

/// What is known of a token.
#[derive(Debug)]
pub(in crate::cli) struct TokenInfo {
    pub(in crate::cli) profile: Option<String>,
    pub(in crate::cli) kind: TokenKind,
    /// Where the token comes from, in a word.
    pub(in crate::cli) source: &'static str,
    /// The same for people.
    pub(in crate::cli) from: String,
    pub(in crate::cli) location: Option<LocationId>,
    pub(in crate::cli) place: Option<TokenLocationInfo>,
    pub(in crate::cli) company: Option<CompanyId>,
    pub(in crate::cli) scopes: Vec<String>,
    pub(in crate::cli) expires: Option<Timestamp>,
    /// When a private token was first stored, or an OAuth token was last refreshed, if known.
    pub(in crate::cli) obtained: Option<Timestamp>,
    /// Whether it is renewed by itself.
    pub(in crate::cli) renews: bool,
    /// Further locations whose tokens are stored.
    pub(in crate::cli) cached: usize,
}

impl TokenInfo {
    /// What a source says about its token. The claims of a token are only shown: no decision depends on them.
    pub(in crate::cli) fn new(
        profile: Option<&str>,
        source: &TokenSource,
        place: Option<TokenLocationInfo>,
    ) -> Self {
        let text = source.known_token().map(|token| token.secret().expose_secret());
        let private = text.is_some_and(|text| text.starts_with("pit-"));
        let claims = source.known_token().and_then(decode_unverified_claims).unwrap_or_default();
        let kind = match &claims {
            _ if private => TokenKind::Private,
            claims if claims.company.is_some() => TokenKind::Company,
            claims if claims.location.is_some() => TokenKind::Location,
            _ => TokenKind::Unknown,
        };
        let mut known = Self {
            profile: profile.map(str::to_owned),
            kind,
            source: source.kind(),
            from: source.describe(),
            location: source.login_location().cloned().or(claims.location),
            place,
            company: claims.company,
            scopes: claims.scopes,
            expires: claims.expires,
            obtained: source.stored_at(),
            renews: false,
            cached: 0,
        };
        if let Some((_, login)) = source.oauth_login() {
            let grant = &login.grant;
            known.kind = match grant.user_type {
                UserType::Company => TokenKind::Company,
                UserType::Location => TokenKind::Location,
            };
            known.company = grant.company.clone().or(known.company);
            known.expires = Some(grant.expires);
            known.renews = grant.refresh.is_some();
            known.cached = login.locations.len();
            if !grant.scopes.is_empty() {
                known.scopes.clone_from(&grant.scopes);
            }
        }
        known
    }

    /// Of a token in a variable that a list of locations names.
    pub(in crate::cli) fn from_variable(
        name: &str,
        place: Option<TokenLocationInfo>,
    ) -> Result<Self, CliError> {
        TokenSource::from_variable(name).map(|source| Self::new(None, &source, place))
    }

    /// Labels and values for the terminal. Values may contain text from outside.
    pub(in crate::cli) fn labeled_values(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(self.profile.clone().map(|name| ("profile", name)));
        let place = self.place.as_ref();
        if let Some(id) = &self.location {
            let name = place.and_then(|place| place.name.as_deref());
            let shown = name.map_or_else(|| id.to_string(), |name| format!("{name} ({id})"));
            lines.push(("location", shown));
        }
        lines.extend(place.and_then(|place| Some(("time zone", place.timezone.clone()?))));
        lines.extend(self.company.as_ref().map(|id| ("agency", id.to_string())));
        lines.push(("token", token_kind_label(self.kind).to_owned()));
        lines.push(("from", self.from.clone()));
        lines.push(("scopes", self.scopes_text()));
        lines.extend(self.missing_scope_text().map(|text| ("missing", text)));
        lines.extend(self.unneeded_scopes_text().map(|text| ("not needed", text)));
        lines.push(("valid until", self.expiry_text()));
        if self.cached > 0 {
            lines.push(("kept for", format_plural(self.cached as u64, "location")));
        }
        lines
    }

    fn scopes_text(&self) -> String {
        match self.kind {
            _ if !self.scopes.is_empty() => self.scopes.join(" "),
            TokenKind::Private => {
                "the API does not list scopes; `ghl-bulk doctor` tries them".to_owned()
            }
            _ => "unknown; `ghl-bulk doctor` tries them".to_owned(),
        }
    }

    /// What the token lacks that no command fails without.
    fn missing_scope_text(&self) -> Option<String> {
        let has = |scope: &str| self.scopes.iter().any(|known| known == scope);
        let lacks_notes = has("contacts.readonly") && !has("notes.readonly");
        lacks_notes.then(|| {
            "notes.readonly: exports read notes contact by contact, a request for each; log in again to get it"
                .to_owned()
        })
    }

    /// What the token may do that no command needs.
    fn unneeded_scopes_text(&self) -> Option<String> {
        let scopes = doctor::unneeded_scopes(&self.scopes);
        let text = format!(
            "{}: nothing here uses {}",
            scopes.join(" "),
            select_plural(scopes.len() as u64, "it", "them")
        );
        (!scopes.is_empty()).then_some(text)
    }

    fn expiry_text(&self) -> String {
        match self.expires {
            Some(end) => {
                let end = end.round(jiff::Unit::Second).unwrap_or(end);
                let few_days = self.obtained.and_then(doctor::few_refresh_days_left);
                match few_days {
                    _ if !self.renews => end.to_string(),
                    None => format!("{end}; renewed before by itself"),
                    Some(days) => format!(
                        "{end}; warning: its refresh token ends in {}",
                        format_plural(days.unsigned_abs(), "day")
                    ),
                }
            }
            None if self.kind == TokenKind::Private => {
                let (age, is_old) = doctor::describe_private_token_age(self.obtained);
                let warning = if is_old { "warning: " } else { "" };
                format!("it is taken back or rotated in HighLevel; {warning}{age}")
            }
            None => "unknown".to_owned(),
        }
    }

    /// For programs: a summary with these fields.
    pub(in crate::cli) fn summary_event(
        &self,
        code: CliExitCode,
        outcome: &str,
    ) -> Map<String, Value> {
        let place = self.place.clone().unwrap_or_default();
        let fields = json!({
            "event": "summary", "exit_code": code as u8, "outcome": outcome,
            "profile": self.profile, "location": self.location, "location_name": place.name,
            "timezone": place.timezone, "company": self.company, "token_kind": token_kind_name(self.kind),
            "token_source": self.source, "token_from": self.from, "scopes": self.scopes,
            "expires": self.expires, "renews": self.renews, "obtained": self.obtained,
            "unneeded_scopes": doctor::unneeded_scopes(&self.scopes),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// The type of a token of this source.
pub(in crate::cli) fn token_facts(source: &TokenSource) -> TokenFacts {
    let TokenInfo { kind, expires, renews, obtained, scopes, .. } =
        TokenInfo::new(None, source, None);
    let servers = source.oauth_login().is_none();
    TokenFacts { kind, expires, servers, renews, obtained, scopes }
}
