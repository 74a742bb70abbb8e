//! A TLS server in front of the sandbox, with certificates made for the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate authority.
pub(super) struct Authority {
    /// Its own certificate, in PEM form.
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// What a server for this name needs.
    pub(super) fn signs(&self, name: &str) -> Arc<ServerConfig> {
        self.signs_until(name, 4000)
    }

    /// The same with a certificate that is long over.
    pub(super) fn signed_once(&self, name: &str) -> Arc<ServerConfig> {
        self.signs_until(name, 2020)
    }

    fn signs_until(&self, name: &str, last_year: i32) -> Arc<ServerConfig> {
        // The first caller has installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(last_year, 2, 28);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

/// The heads of the requests that arrived.
pub(super) type Heads = Arc<Mutex<Vec<String>>>;

/// Serves TLS on a port of its own and passes each request on to `upstream`, or answers all with `answer`.
pub(super) fn serve(config: Arc<ServerConfig>, then: Then) -> (u16, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, seen, then) = (Arc::clone(&config), Arc::clone(&seen), then.clone());
            std::thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                // A client that refuses the certificate hangs up here.
                if let Some((head, body)) = request(&mut stream) {
                    let answer = match &then {
                        Then::Pass(upstream) => pass(&head, &body, upstream),
                        Then::Say(answer) => answer.clone().into_bytes(),
                    };
                    seen.lock().unwrap().push(head);
                    let _ = stream.write_all(&answer);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    (port, heads)
}

/// What becomes of a request.
#[derive(Clone)]
pub(super) enum Then {
    /// Passed on to this address, such as `127.0.0.1:4000`.
    Pass(String),
    /// Answered with these bytes.
    Say(String),
}

/// Reads one request: its head, and its body by its length.
pub(super) fn request(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Passes a request on and gives the answer; both ends close after it.
pub(super) fn pass(head: &str, body: &[u8], upstream: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(upstream).unwrap();
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

/// Serves HTTP/2 over TLS and refuses every stream of every connection; gives the port and how many requests arrived.
pub(super) fn refuse_streams(config: &ServerConfig) -> (u16, Arc<AtomicU64>) {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU64::new(0)));
    let arrived = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let (mut stream, arrived) =
                (StreamOwned::new(connection, stream), Arc::clone(&arrived));
            // A client that has gone away ends its thread.
            std::thread::spawn(move || refuse_each_stream(&mut stream, &arrived));
        }
    });
    (port, count)
}

fn refuse_each_stream(stream: &mut (impl Read + Write), arrived: &AtomicU64) -> Option<()> {
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).ok()?;
    stream.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).ok()?;
    stream.flush().ok()?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).ok()?;
        let (kind, flags) = (head[3], head[4]);
        if kind == SETTINGS && flags == 0 {
            stream.write_all(&[0, 0, 0, SETTINGS, 1, 0, 0, 0, 0]).ok()?;
        } else if kind == HEADERS {
            arrived.fetch_add(1, Ordering::Relaxed);
            // RST_STREAM with REFUSED_STREAM.
            let mut reset = vec![0, 0, 4, 3, 0];
            reset.extend(&head[5..9]);
            reset.extend([0, 0, 0, 7]);
            stream.write_all(&reset).ok()?;
        }
        stream.flush().ok()?;
    }
}
