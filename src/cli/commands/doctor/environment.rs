//! The environment: proxies, and the variables that have an effect. Never a value that may be secret.

use std::env;

use super::DoctorCheck;
use crate::api::proxy_for_url;
use crate::auth;
use crate::doctor::CheckSink;

/// The variables that name proxies, in the order in which they are looked at.
const PROXIES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
/// Other variables with an effect, by name only.
const OTHERS: [&str; 12] = [
    "GHL_TOKEN",
    "GHL_TOKEN_FILE",
    "GHL_LOCATION_ID",
    "GHL_API_URL",
    "GHL_BULK_CONFIG",
    "GHL_BULK_HOME",
    "GHL_BULK_SETTLE_S",
    "GHL_BULK_PROFILE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NO_COLOR",
    "TERM",
];

/// The proxy before the API.
pub(super) fn check_proxy(url: &str) -> DoctorCheck {
    const ID: &str = "proxy";
    let set: Vec<_> = PROXIES.iter().filter_map(|name| Some((*name, env_var(name)?))).collect();
    let named: Vec<_> = set
        .iter()
        .map(|(name, value)| match proxy_host(value) {
            Some(host) => format!("`{name}` names `{host}`"),
            None => format!("`{name}` is set"),
        })
        .collect();
    let wrong = set.iter().find(|(_, value)| proxy_host(value).is_none());
    if let Some((name, _)) = wrong {
        return DoctorCheck::warning(
            ID,
            format!("`{name}` is not a proxy address and has no effect"),
        )
        .with_hint("write it as `http://host:port` or `socks5://host:port`");
    }
    match proxy_for_url(url) {
        Some(proxy) if named.is_empty() => DoctorCheck::ok(
            ID,
            format!("requests go through `{proxy}`, as the platform's settings say"),
        ),
        Some(proxy) => {
            DoctorCheck::ok(ID, format!("requests go through `{proxy}` ({})", named.join(", ")))
        }
        None if named.is_empty() => DoctorCheck::ok(ID, "none"),
        None => DoctorCheck::ok(
            ID,
            format!("none for this address ({}{})", named.join(", "), no_proxy_note()),
        ),
    }
}

fn no_proxy_note() -> String {
    let names = ["NO_PROXY", "no_proxy"];
    match names.into_iter().find_map(env_var) {
        Some(hosts) => format!("; `NO_PROXY` is `{hosts}`"),
        None => String::new(),
    }
}

/// Host and port of a proxy's address, without user name and password; `None` for an invalid address.
fn proxy_host(value: &str) -> Option<String> {
    let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
    let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let fits = known.contains(&scheme.to_ascii_lowercase().as_str())
        && !host.is_empty()
        && host.chars().all(plain);
    fits.then(|| host.to_owned())
}

/// The platform's keyring. Where a token was found without it, it is not missed.
pub(super) fn check_keyring(found: bool) -> DoctorCheck {
    const ID: &str = "keyring";
    match auth::keyring_available() {
        Ok(()) => DoctorCheck::ok(ID, "the platform's keyring can be reached"),
        Err(why) if found => DoctorCheck::ok(ID, format!("{why}; the token comes from elsewhere")),
        Err(why) => DoctorCheck::warning(ID, why.to_string()).with_hint(
            "`ghl-bulk login --store file` stores a token without it, or set `GHL_TOKEN_FILE`",
        ),
    }
}

/// The other variables that are set.
pub(super) fn check_variables(report: CheckSink<'_>) {
    let set: Vec<_> = OTHERS.iter().filter(|name| env_var(name).is_some()).collect();
    let names: Vec<_> = set.iter().map(|name| format!("`{name}`")).collect();
    report(match names.as_slice() {
        [] => DoctorCheck::ok("environment", "no environment variables of ghl-bulk are set"),
        names => DoctorCheck::ok("environment", format!("in effect: {}", names.join(", "))),
    });
}

fn env_var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_address_is_shown_without_its_user() {
        assert_eq!(
            proxy_host("http://me:pass@proxy.example:3128/x").as_deref(),
            Some("proxy.example:3128")
        );
        assert_eq!(proxy_host("proxy:8080").as_deref(), Some("proxy:8080"));
        assert_eq!(proxy_host("socks5h://a%40b:c@[::1]:1080").as_deref(), Some("[::1]:1080"));
        for wrong in ["ftp://proxy", "http://", "http://me:pass@", "me:pa ss", "http://a@b c"] {
            assert_eq!(proxy_host(wrong), None, "{wrong}");
        }
    }
}
