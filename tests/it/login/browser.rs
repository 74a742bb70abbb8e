//! A login through the browser, played by the test: the sandbox replaces HighLevel's page.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET, LOCATION};
use serde_json::{Value, json};

use super::{assert_nothing_kept, fed, settled, world};
use crate::raw_http::RawClient;
use crate::running_command::RunningCommand;
use crate::world::World;

/// A world with an app.
pub(crate) fn with_app(world: World) -> World {
    settled(world).with_env("GHL_CLIENT_ID", CLIENT_ID).with_env("GHL_CLIENT_SECRET", CLIENT_SECRET)
}

/// A login that waits for the browser.
struct Waiting {
    process: RunningCommand,
    /// Where it sends the browser.
    address: String,
    port: u16,
}

impl Waiting {
    #[track_caller]
    fn start(world: &World, options: &str) -> Self {
        let port = free_port();
        let redirect = format!("http://localhost:{port}/callback");
        let line = format!("login --oauth --no-browser --redirect-uri {redirect} {options}");
        let mut process = RunningCommand::start(world, &line);
        let address = process.wait_for_stderr_line("response_type=code");
        Self { process, address, port }
    }

    /// Asks the listener for a path; its status and page.
    fn visit(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", self.port).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Where the page sends the browser: what a person would see in the address bar.
#[track_caller]
pub(crate) fn chosen(world: &World, address: &str) -> String {
    let path = address.strip_prefix(world.url()).expect("the address is the sandbox's");
    let answer = RawClient::new(world.url()).send_request("GET", path, &Value::Null);
    answer.headers.get("location").unwrap_or_else(|| panic!("{answer:?}")).clone()
}

/// The path and query of an address.
fn path_of(address: &str) -> &str {
    &address[address.find("/callback").unwrap()..]
}

/// How many codes were exchanged.
fn exchanged(world: &World) -> u64 {
    world.get_control("oauth")["issued"]["authorization_code"].as_u64().unwrap()
}

#[test]
fn the_location_chosen_in_the_browser_is_stored_and_used() {
    let world = with_app(World::new()).without_env("GHL_LOCATION_ID");
    let waiting = Waiting::start(&world, "");
    let back = chosen(&world, &waiting.address);
    let (status, page) = waiting.visit(path_of(&back));
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("close this page"), "{page}");
    let done = waiting.process.wait_for_exit().exits(0);
    done.says("logged in").says(LOCATION).says("OAuth, for one location");
    let mode = fs::metadata(world.path("config/credentials/default.json")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let world = world.without_env("GHL_CLIENT_SECRET").without_env("GHL_CLIENT_ID");
    world.run_command("export --format jsonl --with none --out out").exits(0);
    world.control_request("POST", "oauth/expire", &Value::Null);
    world.run_command("export --format jsonl --with none --out out").exits(0);
    assert_eq!(world.get_control("oauth")["refreshes_honoured"], 1);
}

#[test]
fn the_address_asks_for_every_scope_and_names_the_app() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    for part in
        [CLIENT_ID, "contacts.write", "locations%2Ftasks.readonly", "&state=", "%2Fcallback"]
    {
        assert!(waiting.address.contains(part), "no {part} in {}", waiting.address);
    }
    assert!(!waiting.address.contains("oauth.write"), "{}", waiting.address);
    assert!(!waiting.address.contains(CLIENT_SECRET), "{}", waiting.address);
}

#[test]
fn an_answer_without_the_state_of_the_login_is_ignored_and_nothing_is_exchanged() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    let back = chosen(&world, &waiting.address);
    let state = back.split("state=").nth(1).unwrap();
    let wrong = format!("{}0", &state[..state.len() - 1]);
    let wrong = if wrong == state { format!("{}1", &state[..state.len() - 1]) } else { wrong };
    let foreign = path_of(&back).replace(state, &wrong);
    let twice = format!("{}&state=other", path_of(&back));
    for path in [&foreign, &twice, "/callback", "/callback?code=x", "/callback?error=x&state="] {
        let (status, page) = waiting.visit(path);
        assert_eq!(status, 400, "{path}");
        assert!(page.contains("keeps waiting") && page.contains("--paste"), "{page}");
    }
    assert_eq!(exchanged(&world), 0);
    assert_nothing_kept(&world);
    assert_eq!(waiting.visit(path_of(&back)).0, 200);
    waiting.process.wait_for_exit().exits(0);
    assert_eq!(exchanged(&world), 1);
}

#[test]
fn other_paths_are_answered_and_ignored() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    for path in ["/favicon.ico", "/", "/callback/more?code=x&state=y"] {
        assert_eq!(waiting.visit(path).0, 404, "{path}");
    }
    let back = chosen(&world, &waiting.address);
    assert_eq!(waiting.visit(path_of(&back)).0, 200);
    waiting.process.wait_for_exit().exits(0);
}

#[test]
fn the_page_repeats_nothing_that_it_was_sent() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    let (_, page) = waiting.visit("/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&state=marker");
    assert!(!page.contains("script") && !page.contains("marker"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    let state = waiting.address.split("state=").nth(1).unwrap().to_owned();
    let (_, page) = waiting.visit(&format!("/callback?error=%3Cscript%3E&state={state}"));
    assert!(!page.contains("script") && !page.contains(&state), "{page}");
    waiting.process.wait_for_exit().exits(8);
}

#[test]
fn a_refusal_on_the_page_is_quoted_and_escaped() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    let state = waiting.address.split("state=").nth(1).unwrap().to_owned();
    waiting
        .visit(&format!("/callback?error=access_denied&error_description=no%1b[31m&state={state}"));
    let done = waiting.process.wait_for_exit().exits(8).says("access_denied");
    assert!(!done.stderr.contains('\u{1b}'), "{}", done.stderr);
    assert_nothing_kept(&world);
}

#[test]
fn a_missing_answer_ends_the_login_in_time() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "--answer-within 0.2");
    waiting.process.wait_for_exit().exits(8).says("no response from the browser").says("--paste");
    assert_nothing_kept(&world);
}

#[test]
fn ctrl_c_ends_the_wait_at_once() {
    let world = with_app(World::new());
    let waiting = Waiting::start(&world, "");
    waiting.process.send_signal("INT");
    waiting.process.wait_for_exit().exits(130).says("nothing was stored");
    assert_nothing_kept(&world);
}

#[test]
fn a_port_in_use_is_reported_before_the_browser_is_opened() {
    let world = with_app(World::new());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let line =
        format!("login --oauth --no-browser --redirect-uri http://localhost:{port}/callback");
    let done = world.run_command(&line).exits(2).says("is taken").says("--redirect-uri");
    assert!(!done.stderr.contains("response_type"), "{}", done.stderr);
}

#[test]
fn an_address_on_another_machine_needs_the_paste() {
    let world = with_app(World::new());
    for uri in ["https://example.com/callback", "http://example.com/callback"] {
        let line = format!("login --oauth --no-browser --redirect-uri {uri}");
        world.run_command(&line).exits(2).says("--redirect-uri").says("--paste");
    }
    let line = "login --oauth --paste --redirect-uri http://example.com/callback";
    world.run_command(line).exits(2).says("https");
}

#[test]
fn an_app_needs_its_id_and_its_secret() {
    let world = with_app(World::new()).without_env("GHL_CLIENT_ID");
    world.run_command("login --oauth").exits(2).says("--client-id");
    let world = world.with_env("GHL_CLIENT_ID", CLIENT_ID).without_env("GHL_CLIENT_SECRET");
    world.run_command("login --oauth").exits(8).says("GHL_CLIENT_SECRET");
    let world = world.with_env("GHL_CLIENT_SECRET_FILE", "secret");
    fs::write(world.path("secret"), CLIENT_SECRET).unwrap();
    fs::set_permissions(world.path("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    let done = world.run_command("login --oauth").exits(8).says("chmod 600 secret");
    assert!(!done.stderr.contains(CLIENT_SECRET), "{}", done.stderr);
}

/// A login by pasting; `paste` makes the pasted text from the printed address.
#[track_caller]
pub(crate) fn pasted(
    world: &World,
    options: &str,
    paste: impl FnOnce(&str) -> String,
) -> crate::world::CommandOutput {
    let mut command = world.command(&format!("login --oauth --paste {options}"));
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut process = RunningCommand::from_child(child);
    let address = process.wait_for_stderr_line("response_type=code");
    writeln!(stdin, "{}", paste(&address)).unwrap();
    drop(stdin);
    process.wait_for_exit()
}

#[test]
fn a_pasted_address_or_code_serves_where_the_browser_is_elsewhere() {
    let world = with_app(World::new());
    pasted(&world, "", |address| chosen(&world, address)).exits(0).says("logged in");
    let done = pasted(&world, "--json", |address| {
        let back = chosen(&world, address);
        let code = back.split("code=").nth(1).unwrap();
        code.split('&').next().unwrap().to_owned()
    });
    let summary = done.exits(0).summary();
    assert_eq!(
        (&summary["outcome"], &summary["token_kind"]),
        (&json!("logged_in"), &json!("oauth_location"))
    );
    assert_eq!(exchanged(&world), 2);
}

#[test]
fn a_pasted_address_with_another_state_is_refused() {
    let world = with_app(World::new());
    let paste = |address: &str| {
        let back = chosen(&world, address);
        let (before, _) = back.split_once("state=").unwrap();
        format!("{before}state=00112233445566778899aabbccddeeff")
    };
    pasted(&world, "", paste).exits(8).says("another `state`");
    assert_eq!(exchanged(&world), 0);
    pasted(&world, "", |_| String::new()).exits(8).says("no code");
}

#[test]
fn a_code_that_was_used_is_refused_and_the_first_login_stays() {
    let world = with_app(World::new());
    let mut used = String::new();
    pasted(&world, "", |address| {
        let back = chosen(&world, address);
        used = back.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        back
    })
    .exits(0);
    let before = fs::read(world.path("config/credentials/default.json")).unwrap();
    let done = pasted(&world, "", |_| used.clone()).exits(8);
    let done = done.says("the code was refused").says("a code works once").says("log in again");
    assert!(!done.stderr.contains(&used), "{}", done.stderr);
    assert_eq!(fs::read(world.path("config/credentials/default.json")).unwrap(), before);
}

#[test]
fn a_wrong_client_secret_is_refused_without_being_repeated() {
    let world = with_app(World::new()).with_env("GHL_CLIENT_SECRET", "not-the-secret");
    let done = pasted(&world, "-vv", |address| chosen(&world, address)).exits(8);
    let done = done.says("the code was refused");
    assert!(!done.stderr.contains("not-the-secret"), "{}", done.stderr);
    assert_nothing_kept(&world);
}

#[test]
fn a_location_other_than_the_requested_one_is_not_stored() {
    let world = with_app(World::new());
    let done = pasted(&world, "--location another", |address| chosen(&world, address)).exits(8);
    done.says("another").says("nothing was stored");
    assert_nothing_kept(&world);
}

#[test]
fn a_login_never_goes_to_another_address_than_the_one_that_gave_it() {
    let world = with_app(World::new());
    pasted(&world, "", |address| chosen(&world, address)).exits(0);
    let other = World::new();
    let world = world.with_env("GHL_API_URL", other.url());
    world.run_command("export --out out").exits(2).says("is valid for").says("--api-url");
    assert_eq!(other.get_control("log")["requests"], 0);
}

#[test]
fn flags_of_the_browser_are_for_it_alone() {
    let world = world();
    for flag in ["--paste", "--agency", "--no-browser", "--client-id x", "--scope x"] {
        fed(&world, &format!("login {flag}"), "pit-x").exits(2).says("--oauth");
    }
}
