//! The way to the server: name, machine, proxy, TLS, HTTP and the clock, from one request without a token.

use std::path::Path;

use super::{Blame, Check, Tell};
use crate::api::{Knock, Obstacle, Page, Transport, TransportError, is_loopback, proxy_before};
use crate::id::LocationId;

/// The checks of this file, in their order.
const REACH: &str = "reachable";
const TLS: &str = "tls";
const HTTP: &str = "http";
const CLOCK: &str = "clock";

/// From here on a clock that is wrong is worth a word, in milliseconds.
const NOTICED: i64 = 60_000;
/// From here on tokens may look expired, or not yet valid.
const WRONG: i64 = 300_000;

/// What the examination of a server came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Whether something answers as the API does.
    pub answers: bool,
    /// By how many milliseconds its clock is ahead of this machine's, where it tells.
    pub ahead: Option<i64>,
}

/// Examines the way to a server.
pub async fn server(
    transport: &Transport,
    url: &str,
    location: Option<&LocationId>,
    tell: Tell<'_>,
) -> Server {
    let way = Way::of(url);
    match transport.knock(url, location).await {
        Err(error) => {
            tell(Check::skipped(REACH, "not asked: TLS cannot be set up"));
            tell(unset(&error));
            skip(&[HTTP, CLOCK], "not asked: TLS cannot be set up", tell);
            Server { answers: false, ahead: None }
        }
        Ok(Err(obstacle)) => {
            stopped(&obstacle, &way, tell);
            Server { answers: false, ahead: None }
        }
        Ok(Ok(knock)) => {
            let ms = knock.took.as_millis();
            tell(Check::ok(REACH, format!("{} answered in {ms} ms", way.text())));
            tell(tls(url, transport));
            let check = http(&knock, url);
            let answers = check.blame != Blame::Environment || check.status == super::Status::Ok;
            tell(check);
            tell(clock(knock.ahead));
            Server { answers, ahead: knock.ahead }
        }
    }
}

/// The host and the proxy before it.
struct Way {
    host: String,
    proxy: Option<String>,
}

impl Way {
    fn of(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default().to_owned();
        Self { host, proxy: proxy_before(url) }
    }

    fn text(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("`{}`, through the proxy `{proxy}`,", self.host),
            None => format!("`{}`", self.host),
        }
    }
}

fn stopped(obstacle: &Obstacle, way: &Way, tell: Tell<'_>) {
    let failure =
        |id: &str, what: String| Check::failure(id, Blame::Environment, what).hint(obstacle.hint());
    if matches!(obstacle, Obstacle::Certificate(_) | Obstacle::Tls(_)) {
        tell(Check::ok(REACH, format!("{} takes connections", way.text())));
        tell(failure(TLS, obstacle.to_string()));
        skip(&[HTTP, CLOCK], "there is no safe connection", tell);
        return;
    }
    let what = match (obstacle, &way.proxy) {
        (Obstacle::Proxy(_), Some(proxy)) => format!("{obstacle} (`{proxy}`)"),
        (_, Some(proxy)) => format!("the way to `{}` by the proxy `{proxy}`: {obstacle}", way.host),
        (_, None) => format!("`{}`: {obstacle}", way.host),
    };
    let check = failure(REACH, what);
    tell(match &way.proxy {
        Some(_) => check.hint(Obstacle::Proxy(String::new()).hint()),
        None => check,
    });
    skip(&[TLS, HTTP, CLOCK], "there is no connection", tell);
}

fn skip(ids: &[&str], why: &str, tell: Tell<'_>) {
    for id in ids {
        tell(Check::skipped(*id, why));
    }
}

/// The roots or the proxy settings cannot be read.
fn unset(error: &TransportError) -> Check {
    Check::failure(TLS, Blame::Environment, error.to_string())
        .hint("check `--ca-file`, and that this machine has root certificates (the package `ca-certificates`)")
}

fn tls(url: &str, transport: &Transport) -> Check {
    if url.starts_with("http://") {
        return if is_loopback(url) {
            Check::ok(TLS, "plain http, which does not leave this machine")
        } else {
            Check::warning(TLS, "plain http: whoever listens on the way sees the token")
                .hint("use https, unless the network is yours alone")
        };
    }
    let roots = match &transport.ca_file {
        Some(file) => format!("the platform's roots and those of `{}`", shown(file)),
        None => "the platform's roots".to_owned(),
    };
    Check::ok(TLS, format!("the server's certificate is verified by {roots}"))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A failure here is blamed on the environment; whatever else answers may be asked on.
fn http(knock: &Knock, url: &str) -> Check {
    let Knock { status, page, .. } = knock;
    let failure = |what: String| Check::failure(HTTP, Blame::Environment, what);
    match page {
        Page::Redirect(said) => failure(format!("{status}: {said}"))
            .hint("check `--api-url`; a login page of the network may stand in between"),
        Page::Html(title) => {
            let title = title.as_ref().map(|title| format!(" (`{title}`)")).unwrap_or_default();
            failure(format!("{status}: a page for people{title} instead of the API's JSON"))
                .hint(format!("is `{url}` the API? a proxy or a login page of the network may stand in between"))
        }
        _ if *status >= 500 => failure(format!("the server answers {status}"))
            .hint("it may be down; try again later, and see https://status.gohighlevel.com"),
        Page::Json if *status == 429 => {
            Check::ok(HTTP, "the API answers, though it has had enough for the moment (429)")
        }
        Page::Json => Check::ok(HTTP, format!("the API answers ({status} without a token)")),
        Page::Other => Check {
            blame: Blame::Access,
            ..Check::warning(HTTP, format!("{status}: neither JSON nor a page"))
        }
        .hint("check `--api-url`"),
    }
}

fn clock(ahead: Option<i64>) -> Check {
    let Some(ahead) = ahead else {
        return Check::skipped(CLOCK, "the server does not tell the time");
    };
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let seconds = ahead.unsigned_abs() / 1000;
    match ahead.abs() {
        0..=NOTICED => Check::ok(CLOCK, format!("within {} s of the server's", seconds.max(1))),
        off if off <= WRONG => {
            Check::warning(CLOCK, format!("this machine's clock is {seconds} s {side} the server's"))
                .hint("set the clock, or let NTP keep it")
        }
        _ => Check::warning(
            CLOCK,
            format!(
                "this machine's clock is {} {side} the server's: tokens may look expired that are not, or \
                 be used though they are",
                long(seconds)
            ),
        )
        .hint("set the clock, or let NTP keep it, before anything else"),
    }
}

/// `7 min`, `1 h 00 min`, `3 days`.
fn long(seconds: u64) -> String {
    match seconds {
        0..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn a_clock_is_told_by_how_far_it_is_off_and_to_which_side() {
        let check = |ahead, status, said: &str| {
            let check = clock(Some(ahead));
            assert_eq!(check.status, status, "{ahead}");
            assert!(check.what.contains(said), "{}", check.what);
        };
        check(300, Status::Ok, "within 1 s");
        check(-59_000, Status::Ok, "within 59 s");
        check(61_000, Status::Warning, "61 s behind the server's");
        check(-301_000, Status::Warning, "5 min ahead of the server's: tokens may look expired");
        check(3_600_000, Status::Warning, "1 h 00 min behind");
        check(-864_000_000, Status::Warning, "10 days ahead");
        assert_eq!(clock(None).status, Status::Skipped);
    }
}
