//! The token: it leaves the program in one request header and nowhere else.

mod commands;
mod encodings;
mod login_secrets;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::running_command::RunningCommand;
use crate::world::{CommandOutput, World};
use encodings::Secret;

/// What makes the token known; the sandbox takes it for a full one. Its last characters look otherwise in
/// an address.
const SECRET: &str = "7c41e6f2-kept/secret+word=";

fn secrets() -> [Secret; 1] {
    [Secret::new("the token", SECRET)]
}

fn token() -> String {
    format!("pit-sandbox-without:{SECRET}")
}

fn world() -> World {
    World::new().with_env("GHL_TOKEN", &token())
}

#[track_caller]
fn assert_unprinted(done: &CommandOutput) {
    encodings::assert_unprinted(done, &secrets());
}

/// No file of the world holds the token, in clear or compressed only as far as a search can see.
#[track_caller]
fn assert_unwritten(world: &World) {
    encodings::assert_unwritten(world, &[], &secrets());
}

#[test]
fn no_command_shows_or_stores_the_token_of_the_environment() {
    commands::run_all(&world(), "", &[], &secrets());
}

#[test]
fn no_command_shows_or_stores_the_token_of_a_file() {
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("token");
    fs::write(&file, token()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let world = World::new().without_env("GHL_TOKEN");
    let world = world.with_env("GHL_TOKEN_FILE", &file.display().to_string());
    commands::run_all(&world, "", &[], &secrets());
}

#[test]
fn no_answer_however_bad_makes_it_show_or_store_the_token() {
    let faults = [
        "GET /locations/* status=401",
        "GET /locations/* status=403",
        "GET /contacts/*/notes status=422 times=2",
        "GET /contacts/*/notes token-expired after=5",
        "POST /contacts/search status=422",
        "POST /contacts/search status=404",
        "GET /users status=500 times=1",
        "GET /users drop=after times=1",
        "GET /users truncate times=1",
        "GET /users not-json times=1",
        "GET /users stall times=1",
        "GET /users status=302 html",
        "GET /contacts/*/notes status=429 times=1 retry-after=0",
    ];
    for fault in faults {
        let world = world();
        world.control_request("POST", "faults", &json!([fault]));
        assert_unprinted(&world.run_command("export --out out -vv --timeout 0.3"));
        assert_unprinted(&world.run_command("resume -vv --timeout 0.3 --json"));
        assert_unprinted(&world.run_command("doctor -vv --timeout 0.3"));
        assert_unwritten(&world);
    }
}

#[test]
fn no_answer_to_an_import_makes_it_show_or_store_the_token() {
    let faults = [
        "GET /locations/* status=403",
        "POST /contacts/ status=401",
        "POST /contacts/ status=403",
        "POST /contacts/ status=422",
        "POST /contacts/ drop=after times=1",
        "POST /contacts/ status=500 html times=1",
        "POST /contacts/ truncate times=1",
        "POST /contacts/*/notes status=400",
    ];
    for fault in faults {
        let world = world().with_env("GHL_BULK_SETTLE_S", "0");
        world.control_request("POST", "faults", &json!([fault]));
        world.write_sheet("in.csv", "Name,Email,Notes\nAnn,ann@example.com,hello\n");
        assert_unprinted(&world.run_command("import in.csv --yes --out res -vv --timeout 0.3"));
        assert_unprinted(&world.run_command("resume -vv --timeout 0.3 --json"));
        assert_unwritten(&world);
    }
}

#[test]
fn no_wrong_use_makes_it_show_or_store_the_token() {
    let world = world();
    fs::write(world.path("file"), "").unwrap();
    fs::write(world.path("locations.csv"), "a,NOT_SET\n").unwrap();
    let lines = [
        "export --location elsewhere -vv",
        "export --api-url http://192.0.2.1 -vv",
        "export --api-url nonsense -vv",
        "export --out file/below -vv",
        "export --format pdf -vv",
        "export --filter nonsense -vv",
        "export --locations locations.csv -vv",
        "export --locations missing.csv -vv",
        "resume 20200101-000000-aaaa -vv",
        "import missing.csv --yes -vv",
        "import locations.csv --map missing.toml --yes -vv",
        "import locations.csv --location elsewhere --yes -vv",
        "map missing.csv -vv",
        "undo 20200101-000000-aaaa -vv",
        "doctor --location elsewhere -vv",
        "doctor --api-url http://127.0.0.1:9 -vv",
        "doctor --locations missing.csv -vv",
        "doctor --ca-file missing.pem -vv",
        "export --profile missing -vv",
        "whoami --location elsewhere -vv",
        "export --all-locations -vv",
        "login --sandbox -vv",
        "login --oauth -vv",
        "nonsense -vv",
    ];
    for line in lines {
        let done = world.run_command(line);
        assert_ne!(done.code, 0, "{line}");
        assert_unprinted(&done);
    }
    assert_unwritten(&world);
}

#[test]
fn a_token_that_cannot_be_sent_is_not_repeated() {
    for token in
        [format!("{SECRET} {SECRET}"), format!("{SECRET}\u{fc}"), format!("{SECRET}\n{SECRET}")]
    {
        let world = World::new().with_env("GHL_TOKEN", &token);
        assert_unprinted(&world.run_command("export -vv").exits(8));
    }
    let world = World::new().without_env("GHL_TOKEN").with_env("GHL_TOKEN_FILE", "token");
    world.write_private_file("token", &[SECRET.as_bytes(), b" \xff"].concat());
    assert_unprinted(&world.run_command("export -vv").exits(8));
}

#[test]
fn a_token_in_the_address_is_refused_without_being_repeated() {
    let world = World::new();
    let host = world.url().strip_prefix("http://").unwrap().to_owned();
    let escaped = SECRET.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let world = world.with_env("GHL_API_URL", &format!("http://user:{escaped}@{host}"));
    assert_unprinted(&world.run_command("export -vv").exits(2));
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_does_not_show_the_token() {
    let world = world();
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold"]));
    let export = RunningCommand::start(&world, "export --out out -vv");
    world.get_control("held?at_least=1");
    let shown = fs::read(format!("/proc/{}/cmdline", export.id())).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains(SECRET));
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    assert_unprinted(&export.wait_for_exit().exits(0));
}

#[test]
fn a_redirect_does_not_carry_the_token_to_another_host() {
    let elsewhere = world();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let target = elsewhere.url().to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A request's head fits into one read here; what follows does not matter.
            let mut head = [0; 8192];
            let read = stream.read(&mut head).unwrap();
            let path = String::from_utf8_lossy(&head[..read]);
            let path = path.split(' ').nth(1).unwrap_or("/").to_owned();
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: {target}{path}\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let elsewhere = elsewhere.with_env("GHL_API_URL", &url);
    assert_unprinted(&elsewhere.run_command("export --out out -vv").exits(2));
    assert_eq!(elsewhere.get_control("log")["requests"], 0);
}
