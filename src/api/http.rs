//! The HTTP client: trusted certificates, timeouts, proxies, and no redirects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Connection settings.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long a connection may be silent, before the first byte of a response and between two,
    /// before the request is abandoned and retried.
    pub patience: Duration,
    /// How long connecting may take.
    pub connect: Duration,
    /// Certificates (PEM) to trust in addition to the platform's.
    pub ca_file: Option<PathBuf>,
    /// Whether unencrypted http to other hosts is allowed.
    pub allow_http: bool,
}

/// Why the HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The certificate file cannot be read.
    #[error("cannot read the certificates in `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file contains no certificate.
    #[error("`{}` contains no certificate in PEM format (`-----BEGIN CERTIFICATE-----`)", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate in the file is damaged.
    #[error("`{}` contains a damaged certificate: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The platform has no root certificates.
    #[error(
        "no root certificates found on this machine; install them (package `ca-certificates`) or pass a \
         file of your own with `--ca-file FILE`"
    )]
    NoRoots,
    /// The platform's root certificates or the proxy settings cannot be read.
    #[error("cannot set up the HTTP client: {0}")]
    Refused(String),
}

impl HttpOptions {
    /// Builds a connection pool for a URL. No request is sent yet.
    pub fn build_client(&self, url: &str) -> Result<reqwest::Client, HttpSetupError> {
        // Only the first call installs the provider; later calls return `Err`, which is harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder();
        if is_loopback_url(url) {
            // A proxy from the environment cannot reach this machine's own loopback interface.
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.ca_file {
            builder = builder.tls_certs_merge(load_certificates(path)?);
        } else if url.starts_with("http://") {
            // Plain http checks no certificate, so a machine without root certificates must be able
            // to use it.
            builder = builder.tls_certs_only([]);
        }
        builder
            .user_agent(concat!("ghl-bulk/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            // The library would send again after `REFUSED_STREAM` or `GOAWAY`, neither paced nor counted.
            .retry(reqwest::retry::never())
            .https_only(!self.allow_http && !is_loopback_url(url))
            .connect_timeout(self.connect.min(self.patience))
            .read_timeout(self.patience)
            .timeout(self.patience * 10)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| classify_build_error(&super::attempt::root_cause(&error)))
    }
}

/// Maps the library's message to the error.
fn classify_build_error(message: &str) -> HttpSetupError {
    // The library has no error type for this case.
    if message.contains("No CA certificates") {
        return HttpSetupError::NoRoots;
    }
    HttpSetupError::Refused(message.to_owned())
}

/// The proxy that requests to a URL go through, as `http://host:port`, from `HTTPS_PROXY`,
/// `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` or the platform's settings. User name and password are
/// left out.
#[must_use]
pub fn proxy_for_url(url: &str) -> Option<String> {
    if is_loopback_url(url) {
        return None;
    }
    let target = url.parse().ok()?;
    let proxy = hyper_util::client::proxy::matcher::Matcher::from_system().intercept(&target)?;
    let uri = proxy.uri();
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

fn load_certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, HttpSetupError> {
    let text = std::fs::read(path)
        .map_err(|source| HttpSetupError::Unreadable { path: path.to_owned(), source })?;
    let damaged = |why: String| HttpSetupError::Damaged { path: path.to_owned(), why };
    let mut all = Vec::new();
    // The HTTP client does not report which file a bad root certificate came from, so check them
    // here.
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| damaged(error.to_string()))?;
        roots.add(certificate.clone()).map_err(|error| damaged(error.to_string()))?;
        let certificate = reqwest::Certificate::from_der(&certificate);
        all.push(certificate.map_err(|error| damaged(super::attempt::root_cause(&error)))?);
    }
    if all.is_empty() {
        return Err(HttpSetupError::NoCertificate(path.to_owned()));
    }
    Ok(all)
}

/// Whether a URL points to this machine.
#[must_use]
pub fn is_loopback_url(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}
