//! Proxies that resolve every name to one address of this machine.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use super::tls::{Heads, pass, request};

/// What a proxy does with a request.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    /// Leads it on.
    Open,
    /// Wants to know who asks.
    Locked,
    /// Refuses every connection.
    Closed,
}

/// An HTTP proxy: `CONNECT` for https, whole addresses for http. All names lead to `upstream`.
pub(super) fn http(upstream: String, manner: Manner) -> (u16, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (upstream, seen) = (upstream.clone(), Arc::clone(&seen));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let Some((head, body)) = request(&mut stream) else { return };
                seen.lock().unwrap().push(head.clone());
                let _ = match manner {
                    Manner::Locked => stream.write_all(
                        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
                    ),
                    Manner::Closed => {
                        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                    }
                    Manner::Open if head.starts_with("CONNECT ") => {
                        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                        join(stream, &upstream);
                        Ok(())
                    }
                    Manner::Open => stream.write_all(&pass(&relative(&head), &body, &upstream)),
                };
            });
        }
    });
    (port, heads)
}

/// `GET http://host/path` as `GET /path`.
fn relative(head: &str) -> String {
    let (line, rest) = head.split_once("\r\n").unwrap();
    let mut words = line.split(' ');
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let path = url.splitn(4, '/').nth(3).unwrap();
    format!("{method} /{path} HTTP/1.1\r\n{rest}")
}

/// A SOCKS 5 proxy without passwords; says which names were asked for.
pub(super) fn socks(upstream: String) -> (u16, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Heads::default();
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (upstream, seen) = (upstream.clone(), Arc::clone(&seen));
            std::thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut greeting = [0; 2];
                stream.read_exact(&mut greeting).unwrap();
                let mut methods = vec![0; usize::from(greeting[1])];
                stream.read_exact(&mut methods).unwrap();
                stream.write_all(&[5, 0]).unwrap();
                let mut ask = [0; 5];
                stream.read_exact(&mut ask).unwrap();
                assert_eq!(ask[..4], [5, 1, 0, 3], "not a connection by name");
                let mut rest = vec![0; usize::from(ask[4]) + 2];
                stream.read_exact(&mut rest).unwrap();
                let name = String::from_utf8_lossy(&rest[..usize::from(ask[4])]).into_owned();
                seen.lock().unwrap().push(name);
                stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
                join(stream, &upstream);
            });
        }
    });
    (port, heads)
}

/// Copies both ways until one side ends.
fn join(mut near: TcpStream, upstream: &str) {
    let mut far = TcpStream::connect(upstream).unwrap();
    let (mut from_far, mut to_near) = (far.try_clone().unwrap(), near.try_clone().unwrap());
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_far, &mut to_near);
        let _ = to_near.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut near, &mut far);
    let _ = far.shutdown(std::net::Shutdown::Write);
    let _ = back.join();
}
