//! What kept a connection from being made, or from being safe: told apart as far as the libraries'
//! errors tell it, in sentences for people.
//!
//! The name, the machine, the proxy before it, TLS and the certificate fail in different ways and want
//! different remedies. Nothing here holds a secret: the errors name hosts and certificates only.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// Why there is no safe connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// The host's name is not known.
    Name(String),
    /// Nothing answers there: refused, or no way to it.
    Machine(String),
    /// Nobody answered in time.
    Silence,
    /// The proxy on the way does not let it through.
    Proxy(String),
    /// The other side proves to be somebody else, or nobody that this machine trusts.
    Certificate(String),
    /// TLS itself failed.
    Tls(String),
    /// The connection broke, or something else went wrong.
    Other(String),
}

impl ConnectError {
    /// Reads an error of the HTTP client.
    pub(super) fn from_reqwest(error: &reqwest::Error) -> Self {
        let links = error_chain(error);
        let tls = links.iter().find_map(|link| link.downcast_ref::<rustls::Error>());
        let said = |part: &str| links.iter().any(|link| link.to_string().contains(part));
        let last = links.last().map(ToString::to_string).unwrap_or_default();
        if let Some(error) = tls {
            return classify_tls_error(error);
        }
        if let Some(refused) = proxy_error(&links) {
            return refused;
        }
        if said("dns error") {
            return Self::Name(last);
        }
        if error.is_timeout() {
            return Self::Silence;
        }
        if error.is_connect() { Self::Machine(last) } else { Self::Other(last) }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Name(_) => "check `--api-url` and this machine's name service (DNS)",
            Self::Machine(_) => "check the network, the firewall and `--api-url`",
            Self::Silence => {
                "check the network and the firewall, or give more time with `--timeout`"
            }
            Self::Proxy(_) => {
                "check `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; user name and password \
                 stand in the proxy's address as `http://user:password@host:port`"
            }
            Self::Certificate(_) => {
                "behind a company's proxy, give the root certificate of the company with `--ca-file FILE`; \
                 else somebody may be listening in, or this machine's clock or certificates are out of date"
            }
            Self::Tls(_) => "check `--api-url`; a firewall may be in the way",
            Self::Other(_) => "check the network, and try again",
        }
    }
}

/// A sentence without a full stop.
impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(said) => write!(f, "the host's name is not known ({said})"),
            Self::Silence => f.write_str("no answer in time"),
            Self::Proxy(said) => write!(f, "the proxy {said}"),
            Self::Certificate(said) => write!(f, "the server's certificate is not trusted: {said}"),
            Self::Tls(said) => write!(f, "no TLS connection: {said}"),
            Self::Machine(said) | Self::Other(said) => f.write_str(said),
        }
    }
}

/// An error and its causes. An I/O error passes over the one it was made of, which is where TLS
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

/// What a proxy did, whose errors have no type of their own.
fn proxy_error(links: &[&(dyn StdError + 'static)]) -> Option<ConnectError> {
    let last = links.last()?.to_string();
    let tunnel = links.iter().map(ToString::to_string).find(|text| {
        ["tunnel error", "SOCKS error", "socks"].iter().any(|name| text.starts_with(name))
    })?;
    Some(ConnectError::Proxy(match tunnel.as_str() {
        text if text.contains("proxy authorization required") => {
            "wants a user name and a password (407)".to_owned()
        }
        text if text.ends_with("unsuccessful") => "refuses to connect to the API".to_owned(),
        text if text.contains("underlying connection") => format!("cannot be reached: {last}"),
        _ => format!("gives no connection: {last}"),
    }))
}

fn classify_tls_error(error: &rustls::Error) -> ConnectError {
    use rustls::Error as Tls;
    match error {
        Tls::InvalidCertificate(error) => {
            ConnectError::Certificate(describe_certificate_error(error))
        }
        Tls::InvalidMessage(_) => {
            ConnectError::Tls("what answers there speaks no TLS; is it plain http?".to_owned())
        }
        Tls::PeerIncompatible(_)
        | Tls::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion,
        ) => ConnectError::Tls(format!("it is too old, or not allowed: {error}")),
        other => ConnectError::Tls(other.to_string()),
    }
}

fn describe_certificate_error(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => {
            "it is signed by nobody that this machine trusts".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let host = expected.to_str();
            match presented.as_slice() {
                [] => format!("it is not for `{host}`"),
                names => {
                    // `DnsName("a.example")`, as the library writes them.
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
    time.map_or_else(|| "an unknown day".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}
