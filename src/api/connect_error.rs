//! Why a connection could not be made or is not safe, as precisely as the libraries' errors say, in
//! sentences for users.
//!
//! DNS, host, proxy, TLS and certificate fail in different ways and need different remedies. No
//! variant holds a secret: the errors name only hosts and certificates.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why there is no safe connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// The host name cannot be resolved.
    Dns(String),
    /// Nothing listens there: connection refused, or no route to the host.
    Host(String),
    /// No response in time.
    Timeout,
    /// The proxy does not let the request through.
    Proxy(String),
    /// The server's certificate is for another host or is not trusted by this machine.
    Certificate(String),
    /// TLS itself failed.
    Tls(String),
    /// The connection broke, or another error.
    Other(String),
}

impl ConnectError {
    /// Classifies an error of the HTTP client.
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        let links = error_chain(error);
        let tls = links.iter().find_map(|link| link.downcast_ref::<rustls::Error>());
        let any_says = |part: &str| links.iter().any(|link| link.to_string().contains(part));
        let last = links.last().map(ToString::to_string).unwrap_or_default();
        if let Some(error) = tls {
            return classify_tls_error(error);
        }
        if let Some(refused) = proxy_error(&links) {
            return refused;
        }
        if any_says("dns error") {
            return Self::Dns(last);
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_connect() { Self::Host(last) } else { Self::Other(last) }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Dns(_) => "check `--api-url` and this machine's DNS settings",
            Self::Host(_) => "check the network, the firewall and `--api-url`",
            Self::Timeout => {
                "check the network and the firewall, or allow more time with `--timeout`"
            }
            Self::Proxy(_) => {
                "check `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; user name and password \
                 go into the proxy's URL: `http://user:password@host:port`"
            }
            Self::Certificate(_) => {
                "behind a company proxy, pass the company's root certificate with `--ca-file FILE`; \
                 otherwise the connection may be intercepted, or this machine's clock or certificates are out of date"
            }
            Self::Tls(_) => "check `--api-url`; a firewall may be in the way",
            Self::Other(_) => "check the network, and try again",
        }
    }
}

/// One sentence without a full stop.
impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(message) => write!(f, "the host name cannot be resolved ({message})"),
            Self::Timeout => f.write_str("no response in time"),
            Self::Proxy(message) => write!(f, "the proxy {message}"),
            Self::Certificate(message) => {
                write!(f, "the server's certificate is not trusted: {message}")
            }
            Self::Tls(message) => write!(f, "TLS failed: {message}"),
            Self::Host(message) | Self::Other(message) => f.write_str(message),
        }
    }
}

/// An error and its causes. For an I/O error `source` skips the error it wraps, which is where TLS
/// errors are.
fn error_chain<'a>(error: &'a (dyn StdError + 'static)) -> Vec<&'a (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(link) = next {
        links.push(link);
        next = match link.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => link.source(),
        };
    }
    links
}

/// What a proxy did. Its errors have no type of their own.
fn proxy_error(links: &[&(dyn StdError + 'static)]) -> Option<ConnectError> {
    let last = links.last()?.to_string();
    let tunnel = links.iter().map(ToString::to_string).find(|text| {
        ["tunnel error", "SOCKS error", "socks"].iter().any(|name| text.starts_with(name))
    })?;
    Some(ConnectError::Proxy(match tunnel.as_str() {
        text if text.contains("proxy authorization required") => {
            "requires a user name and password (407)".to_owned()
        }
        text if text.ends_with("unsuccessful") => "refuses to connect to the API".to_owned(),
        text if text.contains("underlying connection") => format!("cannot be reached: {last}"),
        _ => format!("makes no connection: {last}"),
    }))
}

fn classify_tls_error(error: &rustls::Error) -> ConnectError {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(error) => {
            ConnectError::Certificate(describe_certificate_error(error))
        }
        Tls::InvalidMessage(_) => {
            ConnectError::Tls("the server does not speak TLS; is it plain http?".to_owned())
        }
        Tls::PeerIncompatible(_)
        | Tls::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion,
        ) => ConnectError::Tls(format!("the version is too old or not allowed: {error}")),
        other => ConnectError::Tls(other.to_string()),
    }
}

fn describe_certificate_error(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "its issuer is not trusted by this machine".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let host = expected.to_str();
            match presented.as_slice() {
                [] => format!("it is not for `{host}`"),
                names => {
                    // The library writes names as `DnsName("a.example")`.
                    let plain = |name: &String| match name.split('"').nth(1) {
                        Some(inner) => format!("`{inner}`"),
                        None => format!("`{name}`"),
                    };
                    let names: Vec<_> = names.iter().take(4).map(plain).collect();
                    format!("it is for {}, not for `{host}`", names.join(", "))
                }
            }
        }
        CertificateError::NotValidForName => "it is for another host".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it expired on {}", format_date(not_after.as_secs()))
        }
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!(
                "it is not valid before {}; this machine's clock may be wrong",
                format_date(not_before.as_secs())
            )
        }
        CertificateError::NotValidYet => {
            "it is not valid yet; this machine's clock may be wrong".to_owned()
        }
        CertificateError::Revoked => "it was revoked".to_owned(),
        other => other.to_string(),
    }
}

fn format_date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|it| jiff::Timestamp::from_second(it).ok());
    time.map_or_else(|| "an unknown date".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
