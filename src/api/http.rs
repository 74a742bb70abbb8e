//! Connections: whom they trust, how long they wait, and where they never go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// How connections are made.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How long a connection may be silent, before the first byte of an answer and between two, until the
    /// request is given up and sent again.
    pub patience: Duration,
    /// How long making a connection may take.
    pub connect: Duration,
    /// Certificates (PEM) that are trusted beside the platform's.
    pub ca_file: Option<PathBuf>,
    /// Whether plain http may leave this machine.
    pub allow_http: bool,
}

/// Why no connection can be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The file of certificates cannot be read.
    #[error("the certificates in `{}`: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no certificate.
    #[error("`{}` holds no certificate in PEM form (`-----BEGIN CERTIFICATE-----`)", .0.display())]
    NoCertificate(PathBuf),
    /// A certificate in the file is damaged.
    #[error("`{}` holds a damaged certificate: {why}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The platform has no roots.
    #[error(
        "no root certificates are found on this machine; install them (the package `ca-certificates`), or give \
         some with `--ca-file FILE`"
    )]
    NoRoots,
    /// The platform's roots or the proxy settings cannot be read.
    #[error("no connection can be set up: {0}")]
    Refused(String),
}

impl HttpOptions {
    /// A pool of connections to an address. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates, the platform's roots or the proxy settings cannot be read.
    pub fn build_client(&self, url: &str) -> Result<reqwest::Client, HttpSetupError> {
        // Only the first call installs it; a second answer is `Err` and means the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut builder = reqwest::Client::builder();
        if is_loopback_url(url) {
            // A proxy of the environment cannot reach this machine's own loopback.
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.ca_file {
            builder = builder.tls_certs_merge(load_certificates(path)?);
        } else if url.starts_with("http://") {
            // No certificate is ever looked at: a machine without roots must not be kept from it.
            builder = builder.tls_certs_only([]);
        }
        builder
            .user_agent(concat!("ghl-bulk/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect could carry the token to another host.
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!self.allow_http && !is_loopback_url(url))
            .connect_timeout(self.connect.min(self.patience))
            .read_timeout(self.patience)
            .timeout(self.patience * 10)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| classify_build_error(&super::send::root_cause(&error)))
    }
}

/// Why the pool could not be made, in the library's words.
fn classify_build_error(said: &str) -> HttpSetupError {
    // It has no type of its own.
    if said.contains("No CA certificates") {
        return HttpSetupError::NoRoots;
    }
    HttpSetupError::Refused(said.to_owned())
}

/// The proxy that stands before an address, as `http://host:port`: the one that requests to it go
/// through, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` or the platform's settings. User
/// name and password are left out.
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
    // Where they are put together nobody knows any more which file they come from.
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| damaged(error.to_string()))?;
        roots.add(certificate.clone()).map_err(|error| damaged(error.to_string()))?;
        let certificate = reqwest::Certificate::from_der(&certificate);
        all.push(certificate.map_err(|error| damaged(super::send::root_cause(&error)))?);
    }
    if all.is_empty() {
        return Err(HttpSetupError::NoCertificate(path.to_owned()));
    }
    Ok(all)
}

/// Whether an address is on this machine.
#[must_use]
pub fn is_loopback_url(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}
