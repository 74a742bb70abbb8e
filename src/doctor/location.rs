//! One location: version, token, location, scopes, settings and limits, with one probe each.

use bytes::Bytes;

use super::scopes::{self, ScopeRequirement};
use super::{CheckSink, DoctorCheck, DoctorFailureKind, ScopePurpose, limits, settings};
use crate::api::{ApiClient, ApiError, ApiErrorKind, ApiProbe, CalendarList, VERSION};

/// The probes that were sent, and their results.
struct ProbeResults {
    asked: Vec<(ScopeRequirement, Result<Bytes, ApiError>)>,
    /// Probes that were not requested, or would have failed like the last one.
    unasked: Vec<(ScopeRequirement, &'static str)>,
}

/// Checks a location with its token. Cancellation ends it early.
pub async fn examine_location(client: &ApiClient, wanted: &[ScopePurpose], report: CheckSink<'_>) {
    let probes = send_probes(client, wanted).await;
    report(check_version(&probes));
    report(check_token_accepted(&probes));
    report(check_location_reached(&probes, client));
    for (need, result) in &probes.asked {
        report(match non_scope_reason(result, probes.has_reached_location()) {
            Some(why) => DoctorCheck::skipped(need.check_id(), why),
            None => need.check_scope(result.as_ref().err()),
        });
    }
    for (need, why) in &probes.unasked {
        report(DoctorCheck::skipped(need.check_id(), *why));
    }
    let about = probes.asked.iter().find(|(need, _)| need.probe == ApiProbe::Location);
    settings::report_settings(about.and_then(|(_, result)| result.as_ref().ok()), report);
    limits::report_limits(client.rate_limiter().limit_status(), report);
}

/// Reports that a location is not checked, and why.
pub fn skip_location(why: &str, report: CheckSink<'_>) {
    for id in ["version", "token", "location"] {
        report(DoctorCheck::skipped(id, why));
    }
    for need in scopes::scope_requirements() {
        report(DoctorCheck::skipped(need.check_id(), why));
    }
    for id in settings::IDS.into_iter().chain(limits::IDS) {
        report(DoctorCheck::skipped(id, why));
    }
}

/// Sends the probes one after another, as long as the next one may have a different result.
async fn send_probes(client: &ApiClient, wanted: &[ScopePurpose]) -> ProbeResults {
    let mut probes = ProbeResults { asked: Vec::new(), unasked: Vec::new() };
    let mut calendar = None;
    let mut end = None;
    for mut need in scopes::scope_requirements() {
        let first = matches!(need.probe, ApiProbe::Location | ApiProbe::Contacts);
        if !first && !need.purposes.iter().any(|purpose| wanted.contains(purpose)) {
            probes.unasked.push((need, "not requested with `--for`"));
            continue;
        }
        if let Some(why) = end {
            probes.unasked.push((need, why));
            continue;
        }
        if let ApiProbe::CalendarEvents(id) = &mut need.probe {
            *id = calendar.take();
        }
        let result = client.send_probe(&need.probe).await;
        if let (ApiProbe::Calendars, Ok(body)) = (&need.probe, &result) {
            let calendars = CalendarList::from_json(body).unwrap_or_default().calendars;
            calendar = calendars.into_iter().next().map(|calendar| calendar.id);
        }
        end = stop_reason(&result, probes.has_reached_location());
        probes.asked.push((need, result));
    }
    probes
}

/// Why all further probes would fail the same way.
fn stop_reason(result: &Result<Bytes, ApiError>, reached: bool) -> Option<&'static str> {
    match result.as_ref().err()?.kind {
        ApiErrorKind::Unreachable | ApiErrorKind::Untrusted => Some("the API cannot be reached"),
        ApiErrorKind::Exhausted if !reached => Some("the API gives no usable response"),
        _ => non_scope_reason(result, reached),
    }
}

/// What a result says, if it is not about its scope.
fn non_scope_reason(result: &Result<Bytes, ApiError>, reached: bool) -> Option<&'static str> {
    match result.as_ref().err()?.kind {
        ApiErrorKind::Token => Some("the token is not accepted"),
        ApiErrorKind::TokenSource => Some("there is no token"),
        ApiErrorKind::Location if !reached => Some("the token has no access to the location"),
        ApiErrorKind::Halted(reason) => Some(reason.explanation()),
        _ if result.as_ref().is_err_and(ApiError::refuses_version) => {
            Some("the version is not accepted")
        }
        _ => None,
    }
}

impl ProbeResults {
    fn probe_errors(&self) -> impl Iterator<Item = &ApiError> {
        self.asked.iter().filter_map(|(_, result)| result.as_ref().err())
    }

    /// Whether the server has let any request into the location.
    fn has_reached_location(&self) -> bool {
        self.asked.iter().any(|(need, result)| match result {
            // These name no location.
            Ok(_) => !matches!(need.probe, ApiProbe::ContactsWrite),
            Err(_) => false,
        })
    }

    /// Why nothing is known, if so.
    fn no_answer_reason(&self) -> Option<String> {
        let error = self.probe_errors().last()?;
        let silent = matches!(
            error.kind,
            ApiErrorKind::Unreachable
                | ApiErrorKind::Untrusted
                | ApiErrorKind::Exhausted
                | ApiErrorKind::Halted(_)
        );
        let text = match error.kind {
            ApiErrorKind::Halted(reason) => reason.explanation().to_owned(),
            _ => error.to_string(),
        };
        silent.then_some(text)
    }
}

fn check_version(probes: &ProbeResults) -> DoctorCheck {
    const ID: &str = "version";
    if let Some(error) = probes.probe_errors().find(|error| error.refuses_version()) {
        let what = format!("the API refuses `Version: {VERSION}`: {}", error.message);
        return DoctorCheck::failure(ID, DoctorFailureKind::Environment, what).with_hint(
            "update ghl-bulk; if it is up to date, a proxy may have removed the header",
        );
    }
    // It is not known whether the server checks the version or the token first; only a response to
    // a valid token is conclusive.
    if probes.asked.iter().any(|(_, result)| accepts_token(result)) {
        return DoctorCheck::ok(ID, format!("the API accepts `Version: {VERSION}`"));
    }
    DoctorCheck::skipped(ID, "unknown until a token is accepted")
}

/// Whether a result shows that the token itself is valid.
fn accepts_token(result: &Result<Bytes, ApiError>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => match error.kind {
            ApiErrorKind::Scope
            | ApiErrorKind::Location
            | ApiErrorKind::Gone
            | ApiErrorKind::TooLarge => true,
            ApiErrorKind::Refused => {
                error.status.is_some_and(|status| !matches!(status, 300..=399 | 401))
            }
            _ => false,
        },
    }
}

fn check_token_accepted(probes: &ProbeResults) -> DoctorCheck {
    const ID: &str = "token";
    if let Some(error) = probes
        .probe_errors()
        .find(|error| matches!(error.kind, ApiErrorKind::Token | ApiErrorKind::TokenSource))
    {
        let message = &error.message;
        // Without a status it was never sent: there is no token, or its refresh was refused.
        let what = match error.status {
            Some(status) => format!("the token is not accepted: {status}: {message}"),
            None => message.clone(),
        };
        return DoctorCheck::failure(ID, DoctorFailureKind::Access, what).with_hint(
            "log in again with `ghl-bulk login`, or check `GHL_TOKEN`: a Private Integration Token begins with \
             `pit-`, belongs to one location, and may have been rotated or removed there",
        );
    }
    if probes.asked.iter().any(|(_, result)| accepts_token(result)) {
        return DoctorCheck::ok(ID, "the token is accepted");
    }
    match probes.no_answer_reason() {
        Some(why) => {
            DoctorCheck::failure(ID, DoctorFailureKind::Environment, format!("unknown: {why}"))
                .with_hint("try again later; `-v` shows requests and responses")
        }
        None => DoctorCheck::skipped(ID, "no response shows it"),
    }
}

fn check_location_reached(probes: &ProbeResults, client: &ApiClient) -> DoctorCheck {
    const ID: &str = "location";
    let id = client.location_id();
    if probes.has_reached_location() {
        let name = probes.asked.iter().find_map(|(need, result)| match (&need.probe, result) {
            (ApiProbe::Location, Ok(body)) => settings::location_name(body),
            _ => None,
        });
        let name = name.map(|name| format!(" (`{name}`)")).unwrap_or_default();
        return DoctorCheck::ok(ID, format!("the token has access to `{id}`{name}"));
    }
    if let Some(error) = probes.probe_errors().find(|error| error.kind == ApiErrorKind::Location) {
        let what = format!("the token has no access to the location `{id}`: {}", error.message);
        return DoctorCheck::failure(ID, DoctorFailureKind::Access, what).with_hint(
            "check `--location` or `GHL_LOCATION_ID` against the location that the token was made in; it is \
             in the browser's address after `/location/`",
        );
    }
    if let Some(error) = probes.probe_errors().find(|error| error.kind == ApiErrorKind::Gone) {
        let what = format!("there is no location `{id}`: {}", error.message);
        return DoctorCheck::failure(ID, DoctorFailureKind::Access, what)
            .with_hint("check `--location` or `GHL_LOCATION_ID`");
    }
    DoctorCheck::skipped(ID, "unknown: no request got through")
}
