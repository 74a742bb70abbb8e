//! The connection to the server: DNS, host, proxy, TLS, HTTP and the clock, from one request
//! without a token.

use std::path::Path;

use super::{CheckSink, DoctorCheck, DoctorFailureKind};
use crate::api::{
    ConnectError, ForeignResponse, HttpOptions, HttpSetupError, ResponseBodyKind,
    UnauthenticatedResponse, is_loopback_url, proxy_for_url,
};
use crate::id::LocationId;

/// The checks of this file, in their order.
const REACH: &str = "reachable";
const TLS: &str = "tls";
const HTTP: &str = "http";
const CLOCK: &str = "clock";

/// From this clock difference on a warning is given, in milliseconds.
const NOTICED: i64 = 60_000;
/// From this clock difference on, tokens may look expired or not yet valid.
const WRONG: i64 = 300_000;

/// The result of checking a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerReachability {
    /// Whether something answers like the API.
    pub answers: bool,
    /// How many milliseconds its clock is ahead of this machine's, if known.
    pub ahead: Option<i64>,
}

/// Checks the connection to a server.
pub async fn examine_server(
    transport: &HttpOptions,
    url: &str,
    location: Option<&LocationId>,
    report: CheckSink<'_>,
) -> ServerReachability {
    let way = NetworkPath::from_url(url);
    match transport.send_unauthenticated(url, location).await {
        Err(error) => {
            report(DoctorCheck::skipped(REACH, "not checked: TLS cannot be set up"));
            report(check_tls_setup(&error));
            skip_checks(&[HTTP, CLOCK], "not checked: TLS cannot be set up", report);
            ServerReachability { answers: false, ahead: None }
        }
        Ok(Err(obstacle)) => {
            report_connect_error(&obstacle, &way, report);
            ServerReachability { answers: false, ahead: None }
        }
        Ok(Ok(response)) => {
            let ms = response.took.as_millis();
            report(DoctorCheck::ok(REACH, format!("{} answered in {ms} ms", way.display_text())));
            report(check_tls(url, transport));
            let check = check_http(&response, url);
            let answers = check.blame != DoctorFailureKind::Environment
                || check.status == super::DoctorStatus::Ok;
            report(check);
            report(check_clock(response.ahead));
            ServerReachability { answers, ahead: response.ahead }
        }
    }
}

/// The host, and the proxy in front of it.
struct NetworkPath {
    host: String,
    proxy: Option<String>,
}

impl NetworkPath {
    fn from_url(url: &str) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default().to_owned();
        Self { host, proxy: proxy_for_url(url) }
    }

    fn display_text(&self) -> String {
        match &self.proxy {
            Some(proxy) => format!("`{}`, through the proxy `{proxy}`,", self.host),
            None => format!("`{}`", self.host),
        }
    }
}

fn report_connect_error(obstacle: &ConnectError, way: &NetworkPath, report: CheckSink<'_>) {
    let failure = |id: &str, what: String| {
        DoctorCheck::failure(id, DoctorFailureKind::Environment, what).with_hint(obstacle.hint())
    };
    if matches!(obstacle, ConnectError::Certificate(_) | ConnectError::Tls(_)) {
        report(DoctorCheck::ok(REACH, format!("{} accepts connections", way.display_text())));
        report(failure(TLS, obstacle.to_string()));
        skip_checks(&[HTTP, CLOCK], "there is no safe connection", report);
        return;
    }
    let what = match (obstacle, &way.proxy) {
        (ConnectError::Proxy(_), Some(proxy)) => format!("{obstacle} (`{proxy}`)"),
        (_, Some(proxy)) => {
            format!("connecting to `{}` through the proxy `{proxy}`: {obstacle}", way.host)
        }
        (_, None) => format!("`{}`: {obstacle}", way.host),
    };
    let check = failure(REACH, what);
    report(match &way.proxy {
        Some(_) => check.with_hint(ConnectError::Proxy(String::new()).hint()),
        None => check,
    });
    skip_checks(&[TLS, HTTP, CLOCK], "there is no connection", report);
}

fn skip_checks(ids: &[&str], why: &str, report: CheckSink<'_>) {
    for id in ids {
        report(DoctorCheck::skipped(*id, why));
    }
}

/// The check for root certificates or proxy settings that cannot be read.
fn check_tls_setup(error: &HttpSetupError) -> DoctorCheck {
    DoctorCheck::failure(TLS, DoctorFailureKind::Environment, error.to_string())
        .with_hint("check `--ca-file`, and that this machine has root certificates (the package `ca-certificates`)")
}

fn check_tls(url: &str, transport: &HttpOptions) -> DoctorCheck {
    if url.starts_with("http://") {
        return if is_loopback_url(url) {
            DoctorCheck::ok(TLS, "plain http, which does not leave this machine")
        } else {
            DoctorCheck::warning(TLS, "plain http: the token can be intercepted")
                .with_hint("use https, unless you trust the network")
        };
    }
    let roots = match &transport.ca_file {
        Some(file) => format!("the platform's roots and those of `{}`", display_path(file)),
        None => "the platform's roots".to_owned(),
    };
    DoctorCheck::ok(TLS, format!("the server's certificate is verified by {roots}"))
}

fn display_path(path: &Path) -> String {
    path.display().to_string()
}

/// A failure here counts as an environment problem; after any other response the checks go on.
fn check_http(response: &UnauthenticatedResponse, url: &str) -> DoctorCheck {
    let UnauthenticatedResponse { status, page, .. } = response;
    let failure = |what: String| DoctorCheck::failure(HTTP, DoctorFailureKind::Environment, what);
    match page {
        ResponseBodyKind::Redirect(message) => failure(format!("{status}: {message}"))
            .with_hint("check `--api-url`; a login page of the network may be in between"),
        ResponseBodyKind::Foreign(ForeignResponse::WebServer, message) => {
            failure(format!("{status}: {message}")).with_hint(format!(
                "is `{url}` the API? a proxy or a login page of the network may be in between"
            ))
        }
        ResponseBodyKind::Foreign(foreign, message) => {
            failure(format!("{status}: {message}")).with_hint(foreign.hint())
        }
        _ if *status >= 500 => failure(format!("the server answers {status}"))
            .with_hint("it may be down; try again later, and see https://status.gohighlevel.com"),
        ResponseBodyKind::Json if *status == 429 => {
            DoctorCheck::ok(HTTP, "the API answers, but is rate-limiting right now (429)")
        }
        ResponseBodyKind::Json => {
            DoctorCheck::ok(HTTP, format!("the API answers ({status} without a token)"))
        }
        ResponseBodyKind::Other => DoctorCheck {
            blame: DoctorFailureKind::Access,
            ..DoctorCheck::warning(HTTP, format!("{status}: neither JSON nor HTML"))
        }
        .with_hint("check `--api-url`"),
    }
}

fn check_clock(ahead: Option<i64>) -> DoctorCheck {
    let Some(ahead) = ahead else {
        return DoctorCheck::skipped(CLOCK, "the server does not send its time");
    };
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    let seconds = ahead.unsigned_abs() / 1000;
    match ahead.abs() {
        0..=NOTICED => {
            DoctorCheck::ok(CLOCK, format!("within {} s of the server's", seconds.max(1)))
        }
        off if off <= WRONG => DoctorCheck::warning(
            CLOCK,
            format!("this machine's clock is {seconds} s {side} the server's"),
        )
        .with_hint("set the clock, or let NTP keep it"),
        _ => DoctorCheck::warning(
            CLOCK,
            format!(
                "this machine's clock is {} {side} the server's: valid tokens may look expired, or \
                 be used though they are",
                format_duration(seconds)
            ),
        )
        .with_hint("set the clock, or let NTP keep it, before anything else"),
    }
}

/// A duration such as `7 min`, `1 h 00 min`, `3 days`.
fn format_duration(seconds: u64) -> String {
    match seconds {
        0..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::DoctorStatus;

    #[test]
    fn the_difference_of_a_clock_is_reported_with_its_direction() {
        let check = |ahead, status, message: &str| {
            let check = check_clock(Some(ahead));
            assert_eq!(check.status, status, "{ahead}");
            assert!(check.what.contains(message), "{}", check.what);
        };
        check(300, DoctorStatus::Ok, "within 1 s");
        check(-59_000, DoctorStatus::Ok, "within 59 s");
        check(61_000, DoctorStatus::Warning, "61 s behind the server's");
        check(
            -301_000,
            DoctorStatus::Warning,
            "5 min ahead of the server's: valid tokens may look expired",
        );
        check(3_600_000, DoctorStatus::Warning, "1 h 00 min behind");
        check(-864_000_000, DoctorStatus::Warning, "10 days ahead");
        assert_eq!(check_clock(None).status, DoctorStatus::Skipped);
    }
}
