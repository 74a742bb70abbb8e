//! A server between the program and its sandbox, which answers as a test wants it: bytes that the sandbox cannot send,
//! headers that it would not send, pages of another size.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::world::World;

/// A request as the program sent it.
#[derive(Debug)]
pub(crate) struct SeenRequest {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

impl SeenRequest {
    /// Whether it is one for this method and this part of the path.
    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.path.contains(part)
    }
}

/// The answer of the sandbox, to be changed.
#[derive(Debug, Clone)]
pub(crate) struct AlteredAnswer {
    pub(crate) status: u16,
    /// The headers, names in lower case; `content-length` is set when the answer is sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl AlteredAnswer {
    /// Sets a header.
    pub(crate) fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Makes it another answer.
    pub(crate) fn replace(&mut self, status: u16, body: impl Into<Vec<u8>>) {
        (self.status, self.body) = (status, body.into());
    }

    /// Makes it a page of HTML.
    pub(crate) fn replace_with_page(&mut self, status: u16, page: &str) {
        self.replace(status, page);
        self.set_header("content-type", "text/html; charset=UTF-8");
    }

    /// Replaces the first of these bytes in its body; whether there were any.
    pub(crate) fn replace_bytes(&mut self, old: &[u8], new: &[u8]) -> bool {
        let Some(at) = self.body.windows(old.len()).position(|part| part == old) else {
            return false;
        };
        self.body.splice(at..at + old.len(), new.iter().copied());
        true
    }
}

/// The world whose program meets a server that passes each request on and then changes the answer.
pub(crate) fn alter_answers(
    world: World,
    change: impl Fn(&SeenRequest, &mut AlteredAnswer) + Send + Sync + 'static,
) -> World {
    let upstream = world.url().strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let change = Arc::new(change);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (upstream, change) = (upstream.clone(), Arc::clone(&change));
            // A client that has gone away ends its thread.
            std::thread::spawn(move || serve(stream, &upstream, change.as_ref()));
        }
    });
    world.with_env("GHL_API_URL", &format!("http://127.0.0.1:{port}"))
}

/// Answers the requests of one connection.
fn serve(
    mut client: TcpStream,
    upstream: &str,
    change: &impl Fn(&SeenRequest, &mut AlteredAnswer),
) -> Option<()> {
    let mut server = TcpStream::connect(upstream).ok()?;
    loop {
        let (head, body) = read_message(&mut client)?;
        let mut words = head.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let head = without_header(&head, "accept-encoding");
        server.write_all(head.as_bytes()).ok()?;
        server.write_all(&body).ok()?;
        let (head, answer) = read_message(&mut server)?;
        let mut answer = parse_answer(&head, answer);
        change(&SeenRequest { method, path, body }, &mut answer);
        client.write_all(&render_answer(&answer)).ok()?;
    }
}

/// Reads one message: its head, and its body by its length.
pub(crate) fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let length = header_lines(&head).find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn header_lines(head: &str) -> impl Iterator<Item = (String, String)> {
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
}

fn without_header(head: &str, name: &str) -> String {
    let is = |line: &&str| line.split(':').next().is_some_and(|it| it.eq_ignore_ascii_case(name));
    head.split_inclusive("\r\n").filter(|line| !is(line)).collect()
}

fn parse_answer(head: &str, body: Vec<u8>) -> AlteredAnswer {
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    AlteredAnswer { status, headers: header_lines(head).collect(), body }
}

fn render_answer(answer: &AlteredAnswer) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} Altered\r\n", answer.status);
    for (name, value) in &answer.headers {
        if name != "content-length" {
            head.extend([name, ": ", value, "\r\n"]);
        }
    }
    let mut bytes = format!("{head}content-length: {}\r\n\r\n", answer.body.len()).into_bytes();
    bytes.extend(&answer.body);
    bytes
}
