//! One location: version, token, location, scopes, settings and limits, from one probe each.

use bytes::Bytes;

use super::scopes::{self, Need};
use super::{Blame, Check, Purpose, Tell, limits, settings};
use crate::api::{CalendarPage, Client, Error, Halt, Kind, Probe, VERSION};

/// The probes that were sent, and what they met.
struct Seen {
    asked: Vec<(Need, Result<Bytes, Error>)>,
    /// Those that nobody wants, or that would have met the same as the last one.
    unasked: Vec<(Need, &'static str)>,
}

/// Examines a location with its token. A closed tap ends it early.
pub async fn examine(client: &Client, wanted: &[Purpose], tell: Tell<'_>) {
    let seen = ask(client, wanted).await;
    tell(version(&seen));
    tell(token(&seen));
    tell(location(&seen, client));
    for (need, result) in &seen.asked {
        tell(match decided(result, seen.reached()) {
            Some(why) => Check::skipped(need.id(), why),
            None => need.check(result.as_ref().err()),
        });
    }
    for (need, why) in &seen.unasked {
        tell(Check::skipped(need.id(), *why));
    }
    let about = seen.asked.iter().find(|(need, _)| need.probe == Probe::Location);
    settings::tell(about.and_then(|(_, result)| result.as_ref().ok()), tell);
    limits::tell(client.pace().allowance(), tell);
}

/// Tells that a location is not examined, and why.
pub fn leave(why: &str, tell: Tell<'_>) {
    for id in ["version", "token", "location"] {
        tell(Check::skipped(id, why));
    }
    for need in scopes::needs() {
        tell(Check::skipped(need.id(), why));
    }
    for id in settings::IDS.into_iter().chain(limits::IDS) {
        tell(Check::skipped(id, why));
    }
}

/// Sends the probes one after the other, as long as the next one may meet something else.
async fn ask(client: &Client, wanted: &[Purpose]) -> Seen {
    let mut seen = Seen { asked: Vec::new(), unasked: Vec::new() };
    let mut calendar = None;
    let mut end = None;
    for mut need in scopes::needs() {
        let first = matches!(need.probe, Probe::Location | Probe::Contacts);
        if !first && !need.purposes.iter().any(|purpose| wanted.contains(purpose)) {
            seen.unasked.push((need, "not asked for with `--for`"));
            continue;
        }
        if let Some(why) = end {
            seen.unasked.push((need, why));
            continue;
        }
        if let Probe::CalendarEvents(id) = &mut need.probe {
            *id = calendar.take();
        }
        let result = client.probe(&need.probe).await;
        if let (Probe::Calendars, Ok(body)) = (&need.probe, &result) {
            let calendars = CalendarPage::read(body).unwrap_or_default().calendars;
            calendar = calendars.into_iter().next().map(|calendar| calendar.id);
        }
        end = ends(&result, seen.reached());
        seen.asked.push((need, result));
    }
    seen
}

/// Why all further probes would meet the same.
fn ends(result: &Result<Bytes, Error>, reached: bool) -> Option<&'static str> {
    match result.as_ref().err()?.kind {
        Kind::Unreachable | Kind::Untrusted => Some("the API cannot be reached"),
        Kind::Exhausted if !reached => Some("the API does not answer usefully"),
        _ => decided(result, reached),
    }
}

/// What a result tells of, where that is not its scope.
fn decided(result: &Result<Bytes, Error>, reached: bool) -> Option<&'static str> {
    match result.as_ref().err()?.kind {
        Kind::Token => Some("the token is not accepted"),
        Kind::Location if !reached => Some("the location is not reached"),
        Kind::Halted(Halt::Stopped) => Some("interrupted"),
        Kind::Halted(Halt::Budget { .. }) => Some("the day's requests are used up"),
        _ if of_version(result.as_ref().err()) => Some("the version is not accepted"),
        _ => None,
    }
}

fn of_version(error: Option<&Error>) -> bool {
    error.is_some_and(|error| {
        error.status == Some(401) && error.said.to_ascii_lowercase().contains("version header")
    })
}

impl Seen {
    fn errors(&self) -> impl Iterator<Item = &Error> {
        self.asked.iter().filter_map(|(_, result)| result.as_ref().err())
    }

    /// Whether the server has let some request into the location.
    fn reached(&self) -> bool {
        self.asked.iter().any(|(need, result)| match result {
            // These two name no location.
            Ok(_) => !matches!(need.probe, Probe::ContactsWrite),
            Err(_) => false,
        })
    }

    /// Why nothing is known, when nothing is.
    fn silent(&self) -> Option<String> {
        let error = self.errors().last()?;
        let silent = matches!(
            error.kind,
            Kind::Unreachable | Kind::Untrusted | Kind::Exhausted | Kind::Halted(_)
        );
        let text = match error.kind {
            Kind::Halted(Halt::Stopped) => "interrupted".to_owned(),
            Kind::Halted(Halt::Budget { .. }) => "the day's requests are used up".to_owned(),
            _ => error.to_string(),
        };
        silent.then_some(text)
    }
}

fn version(seen: &Seen) -> Check {
    const ID: &str = "version";
    if let Some(error) = seen.errors().find(|error| of_version(Some(error))) {
        let what = format!("the API refuses `Version: {VERSION}`: {}", error.said);
        return Check::failure(ID, Blame::Environment, what)
            .hint("a newer ghl-bulk may know a newer version; something on the way may also have taken the header out");
    }
    // The server looks at the version before the token, or the other way round; only an answer to a
    // good token tells.
    if seen.asked.iter().any(|(_, result)| knows_token(result)) {
        return Check::ok(ID, format!("the API accepts `Version: {VERSION}`"));
    }
    Check::skipped(ID, "not known before a token is accepted")
}

/// Whether an answer shows that the token itself is good.
fn knows_token(result: &Result<Bytes, Error>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) => match error.kind {
            Kind::Scope | Kind::Location | Kind::Gone | Kind::TooLarge => true,
            Kind::Refused => error.status.is_some_and(|status| !matches!(status, 300..=399 | 401)),
            _ => false,
        },
    }
}

fn token(seen: &Seen) -> Check {
    const ID: &str = "token";
    if let Some(error) = seen.errors().find(|error| error.kind == Kind::Token) {
        let said = &error.said;
        // Without a status it was never sent: there is none, or its renewal was refused.
        let what = match error.status {
            Some(status) => format!("the token is not accepted: {status}: {said}"),
            None => said.clone(),
        };
        return Check::failure(ID, Blame::Access, what).hint(
            "log in again with `ghl-bulk login`, or check `GHL_TOKEN`: a Private Integration Token begins with \
             `pit-`, belongs to one location, and may have been rotated or removed there",
        );
    }
    if seen.asked.iter().any(|(_, result)| knows_token(result)) {
        return Check::ok(ID, "the token is accepted");
    }
    match seen.silent() {
        Some(why) => Check::failure(ID, Blame::Environment, format!("not known: {why}"))
            .hint("try again later; `-v` shows what was sent and answered"),
        None => Check::skipped(ID, "no answer tells"),
    }
}

fn location(seen: &Seen, client: &Client) -> Check {
    const ID: &str = "location";
    let id = client.location();
    if seen.reached() {
        let name = seen.asked.iter().find_map(|(need, result)| match (&need.probe, result) {
            (Probe::Location, Ok(body)) => settings::name(body),
            _ => None,
        });
        let name = name.map(|name| format!(" (`{name}`)")).unwrap_or_default();
        return Check::ok(ID, format!("the token reaches `{id}`{name}"));
    }
    if let Some(error) = seen.errors().find(|error| error.kind == Kind::Location) {
        let what = format!("the token does not reach the location `{id}`: {}", error.said);
        return Check::failure(ID, Blame::Access, what).hint(
            "check `--location` or `GHL_LOCATION_ID` against the location that the token was made in; it stands \
             in the browser's address behind `/location/`",
        );
    }
    if let Some(error) = seen.errors().find(|error| error.kind == Kind::Gone) {
        let what = format!("there is no location `{id}`: {}", error.said);
        return Check::failure(ID, Blame::Access, what)
            .hint("check `--location` or `GHL_LOCATION_ID`");
    }
    Check::skipped(ID, "not known: no request came through")
}
