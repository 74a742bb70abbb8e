//! Connections: which certificates they trust, which proxy they use, how long they wait, where they never go.

mod proxy;
mod tls;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{CommandOutput, World};
use proxy::Manner;
use tls::{Authority, Then};

/// A host that only the proxies of these tests lead to.
const HOST: &str = "api.example.test";
const EXPORT: &str = "export --out out --with none";

/// A world behind TLS, for `localhost` and with the authority's certificate in `ca.pem`.
fn behind_tls() -> World {
    let authority = Authority::new();
    let world = World::new();
    let (port, _) = tls::serve(authority.signs("localhost"), Then::Pass(address(&world)));
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    world.with_env("GHL_API_URL", &format!("https://localhost:{port}"))
}

/// A world in which a name leads nowhere but through a proxy.
fn behind_proxy(scheme: &str) -> (World, String) {
    let authority = Authority::new();
    let world = World::new();
    let upstream = match scheme {
        "https" => {
            let (port, _) = tls::serve(authority.signs(HOST), Then::Pass(address(&world)));
            format!("127.0.0.1:{port}")
        }
        _ => address(&world),
    };
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    (world.with_env("GHL_API_URL", &format!("{scheme}://{HOST}")), upstream)
}

fn address(world: &World) -> String {
    world.url().strip_prefix("http://").unwrap().to_owned()
}

fn requests(world: &World) -> Value {
    world.get_control("log")["requests"].clone()
}

/// What the doctor says of one thing.
#[track_caller]
fn check(done: &CommandOutput, id: &str) -> String {
    let summary = done.summary();
    let all = summary["checks"].as_array().unwrap();
    let check = all.iter().find(|check| check["id"] == id).unwrap();
    format!("{}: {}", check["status"].as_str().unwrap(), check["what"].as_str().unwrap())
}

#[test]
fn a_certificate_of_an_unknown_issuer_is_refused_at_once_and_the_hint_names_the_flag() {
    let world = behind_tls();
    let begun = Instant::now();
    let done = world.run_command(EXPORT).exits(2);
    assert!(begun.elapsed() < Duration::from_secs(15), "it was tried again and again");
    done.says("issuer is not trusted by this machine").says("--ca-file");
    let done = world.run_command("doctor --json");
    assert_eq!(done.code, 2);
    assert!(check(&done, "reachable").starts_with("ok: "));
    assert!(check(&done, "tls").starts_with("failure: the server's certificate is not trusted"));
    assert!(check(&done, "http").starts_with("skipped"));
    assert_eq!(requests(&world), 0);
}

#[test]
fn a_file_of_certificates_makes_it_trusted() {
    let world = behind_tls();
    world.run_command(&format!("{EXPORT} --ca-file ca.pem")).exits(0);
    let done = world.run_command("doctor --json --ca-file ca.pem").exits(0);
    let said = check(&done, "tls");
    assert!(said.contains("the platform's roots and those of `ca.pem`"), "{said}");
}

#[test]
fn a_certificate_for_another_host_is_refused_with_any_issuer() {
    let authority = Authority::new();
    let world = World::new();
    let (port, _) = tls::serve(authority.signs(HOST), Then::Pass(address(&world)));
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    let world = world.with_env("GHL_API_URL", &format!("https://localhost:{port}"));
    let done = world.run_command(&format!("{EXPORT} --ca-file ca.pem")).exits(2);
    done.says(&format!("it is for `{HOST}`, not for `localhost`"));
    assert_eq!(requests(&world), 0);
}

#[test]
fn an_expired_certificate_is_refused_with_its_last_day() {
    let authority = Authority::new();
    let world = World::new();
    let config = authority.signed_once("localhost");
    let (port, _) = tls::serve(config, Then::Pass(address(&world)));
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    let world = world.with_env("GHL_API_URL", &format!("https://localhost:{port}"));
    world
        .run_command(&format!("{EXPORT} --ca-file ca.pem"))
        .exits(2)
        .says("it expired on 2020-02-28");
}

#[test]
fn a_file_without_certificates_is_named() {
    let world = behind_tls();
    fs::write(world.path("empty.pem"), "no certificate\n").unwrap();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(world.path("damaged.pem"), damaged).unwrap();
    world.run_command(&format!("{EXPORT} --ca-file empty.pem")).exits(2).says("`empty.pem`");
    world.run_command(&format!("{EXPORT} --ca-file missing.pem")).exits(2).says("`missing.pem`");
    world.run_command(&format!("{EXPORT} --ca-file damaged.pem")).exits(2).says("`damaged.pem`");
    let done = world.run_command("doctor --json --ca-file empty.pem");
    assert!(check(&done, "tls").starts_with("failure: `empty.pem`"), "{}", done.stdout);
}

#[cfg(target_os = "linux")]
#[test]
fn a_machine_without_roots_says_so_and_still_reaches_itself() {
    let bare = |world: World| {
        world.with_env("SSL_CERT_FILE", "/dev/null").with_env("SSL_CERT_DIR", "/none")
    };
    let world = bare(World::new());
    world.run_command(EXPORT).exits(0);
    world.run_command("doctor --sandbox").exits(0);
    let world = bare(behind_tls());
    world.run_command(EXPORT).exits(2).says("no root certificates").says("--ca-file");
    world.run_command(&format!("{EXPORT} --ca-file ca.pem")).exits(0);
}

#[test]
fn plain_http_where_tls_is_expected_is_reported_as_such() {
    let world = World::new();
    let url = world.url().replace("http://", "https://");
    let world = world.with_env("GHL_API_URL", &url);
    let done = world.run_command("doctor --json");
    assert_eq!(done.code, 2);
    assert!(check(&done, "tls").contains("does not speak TLS"), "{}", check(&done, "tls"));
}

#[test]
fn a_proxy_of_the_environment_is_taken_and_its_password_goes_nowhere_else() {
    const WORD: &str = "hidden-word";
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (world, upstream) = behind_proxy("https");
        let (port, heads) = proxy::http(upstream, Manner::Open);
        let world = world.with_env(name, &format!("http://me:{WORD}@127.0.0.1:{port}"));
        let done = world.run_command(&format!("{EXPORT} --ca-file ca.pem -vv")).exits(0);
        let head = heads.lock().unwrap()[0].to_ascii_lowercase();
        assert!(head.starts_with(&format!("connect {HOST}:443 ")), "{head}");
        // `me:hidden-word`
        assert!(head.contains("proxy-authorization: basic bwu6aglkzgvulxdvcmq="), "{head}");
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains(WORD) && !text.contains("bWU6aGlkZGVuLXdvcmQ"), "{text}");
        }
        let token = ghl_bulk::sandbox::TOKEN;
        assert!(heads.lock().unwrap().iter().all(|head| !head.contains(token)));
    }
}

#[test]
fn a_socks_proxy_looks_the_name_up_itself() {
    let (world, upstream) = behind_proxy("https");
    let (port, names) = proxy::socks(upstream);
    let world = world.with_env("ALL_PROXY", &format!("socks5h://127.0.0.1:{port}"));
    world.run_command(&format!("{EXPORT} --ca-file ca.pem")).exits(0);
    assert_eq!(names.lock().unwrap()[0], HOST);
}

#[test]
fn a_host_that_needs_no_proxy_is_asked_for_directly() {
    let (world, upstream) = behind_proxy("https");
    let (port, heads) = proxy::http(upstream, Manner::Open);
    let world = world
        .with_env("HTTPS_PROXY", &format!("http://127.0.0.1:{port}"))
        .with_env("NO_PROXY", "other.test,example.test");
    let done = world.run_command("doctor --json --ca-file ca.pem --timeout 5");
    assert_eq!(done.code, 2);
    assert!(check(&done, "proxy").contains("none for this address"), "{}", check(&done, "proxy"));
    assert!(check(&done, "reachable").starts_with("failure"), "{}", check(&done, "reachable"));
    assert!(heads.lock().unwrap().is_empty());
}

#[test]
fn plain_http_goes_through_a_proxy_only_when_it_is_allowed() {
    let (world, upstream) = behind_proxy("http");
    let (port, heads) = proxy::http(upstream, Manner::Open);
    let world = world.with_env("HTTP_PROXY", &format!("http://127.0.0.1:{port}"));
    world.run_command(EXPORT).exits(2).says("--allow-http");
    assert!(heads.lock().unwrap().is_empty());
    world.run_command(&format!("{EXPORT} --allow-http")).exits(0);
    let done = world.run_command("doctor --allow-http --json").exits(0);
    assert!(check(&done, "tls").starts_with("warning: plain http"), "{}", check(&done, "tls"));
}

#[test]
fn a_proxy_that_wants_a_password_or_refuses_is_distinguished_from_a_dead_network() {
    for (manner, part) in [
        (Manner::Locked, "requires a user name and password"),
        (Manner::Closed, "refuses to connect"),
    ] {
        let (world, upstream) = behind_proxy("https");
        let (port, _) = proxy::http(upstream, manner);
        let world = world.with_env("HTTPS_PROXY", &format!("http://127.0.0.1:{port}"));
        let done = world.run_command("doctor --json --ca-file ca.pem");
        assert_eq!(done.code, 2);
        let said = check(&done, "reachable");
        assert!(said.contains(part) && said.contains(&format!("127.0.0.1:{port}")), "{said}");
    }
}

#[test]
fn requests_name_this_program_and_its_version() {
    let authority = Authority::new();
    let world = World::new();
    let (port, heads) = tls::serve(authority.signs("localhost"), Then::Pass(address(&world)));
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    let world = world.with_env("GHL_API_URL", &format!("https://localhost:{port}"));
    world.run_command("doctor --ca-file ca.pem").exits(0);
    let agent = format!("user-agent: ghl-bulk/{}\r\n", env!("CARGO_PKG_VERSION"));
    let heads = heads.lock().unwrap();
    assert!(heads.len() > 5 && heads.iter().all(|head| head.contains(&agent)), "{heads:#?}");
    // The first one makes sure whom the token would go to.
    assert!(!heads[0].to_ascii_lowercase().contains("authorization"), "{}", heads[0]);
}

#[test]
fn a_redirect_is_refused_whether_to_another_host_or_to_plain_http() {
    let elsewhere = World::new();
    for target in [elsewhere.url().to_owned(), "https://other.example".to_owned()] {
        let authority = Authority::new();
        let world = World::new();
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: {target}/x?a=b\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        let (port, heads) = tls::serve(authority.signs("localhost"), Then::Say(answer));
        fs::write(world.path("ca.pem"), &authority.pem).unwrap();
        let world = world.with_env("GHL_API_URL", &format!("https://localhost:{port}"));
        let done = world.run_command(&format!("{EXPORT} --ca-file ca.pem")).exits(2);
        let host = target.split("://").nth(1).unwrap().split(':').next().unwrap();
        done.says(&format!("a redirect to `{host}`, which is not followed")).says("--api-url");
        assert!(!heads.lock().unwrap().is_empty());
    }
    assert_eq!(requests(&elsewhere), 0);
}

#[test]
fn only_this_machine_is_this_machine() {
    let addresses = [
        "http://localhost.evil.com",
        "http://127.0.0.1.nip.io",
        "http://127.0.0.1@192.0.2.1",
        "http://192.0.2.1/127.0.0.1",
        "http://[::ffff:192.0.2.1]",
        "http://0.0.0.0.example.com",
    ];
    for url in addresses {
        let world = World::new().with_env("GHL_API_URL", url);
        world.run_command(EXPORT).exits(2).says("--api-url");
        assert_eq!(world.run_command("doctor --json").code, 2, "{url}");
    }
    let world = World::new();
    let port = address(&world).rsplit(':').next().unwrap().to_owned();
    for host in ["localhost", "LOCALHOST", "127.1"] {
        let world = World::new().with_env("GHL_API_URL", &format!("http://{host}:{port}"));
        world.run_command(EXPORT).exits(0);
    }
}

/// A listener that takes a connection, says this, and then nothing any more.
fn silent_after(said: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(said.as_bytes());
            kept.push(stream);
        }
    });
    url
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let world = World::new().with_env("GHL_API_URL", &silent_after(""));
    let begun = Instant::now();
    let done = world.run_command("doctor --json --timeout 0.4");
    assert_eq!(done.code, 2);
    assert!(check(&done, "reachable").contains("no response in time"), "{}", done.stdout);
    assert!(begun.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_server_that_falls_silent_in_the_middle_is_given_up_in_time() {
    let said =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"loc";
    let world = World::new().with_env("GHL_API_URL", &silent_after(said));
    let begun = Instant::now();
    let done = world.run_command("doctor --json --timeout 0.4");
    assert_eq!(done.code, 2);
    assert!(check(&done, "token").contains("no response in time"), "{}", check(&done, "token"));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_is_not_made_is_given_up_in_time() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    // No one accepts these connections, and when the queue is full, further connections get no answer.
    let _listener = socket.listen(1).unwrap();
    let wait = Duration::from_millis(300);
    let full: Vec<_> =
        (0..8).map(|_| std::net::TcpStream::connect_timeout(&address, wait)).collect();
    assert!(full.iter().any(Result::is_err), "the queue takes everything");
    let world = World::new().with_env("GHL_API_URL", &format!("http://{address}"));
    let begun = Instant::now();
    let done = world.run_command("doctor --json --timeout 0.4");
    assert!(check(&done, "reachable").contains("no response in time"), "{}", done.stdout);
    assert!(begun.elapsed() < Duration::from_secs(8));
}

#[test]
fn a_refused_stream_of_http_2_is_sent_again_only_as_an_attempt_that_counts() {
    let authority = Authority::new();
    let (port, arrived) = tls::refuse_streams(&authority.signs("localhost"));
    let world = World::new();
    fs::write(world.path("ca.pem"), &authority.pem).unwrap();
    let world = world.with_env("GHL_API_URL", &format!("https://localhost:{port}"));
    let done = world.run_command("whoami --ca-file ca.pem -v");
    assert_ne!(done.code, 0);
    let attempts = done.stderr.lines().filter(|line| line.contains(" no answer, ")).count() as u64;
    assert_eq!(arrived.load(std::sync::atomic::Ordering::Relaxed), attempts, "{}", done.stderr);
}
