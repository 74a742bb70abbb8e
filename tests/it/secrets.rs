//! The token: it leaves this program in one header and nowhere else.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::outcome::everything_below;
use crate::process::Process;
use crate::world::{Done, World};

/// What makes the token known; the sandbox takes it for a full one.
const SECRET: &str = "7c41e6f2-kept-secret";

fn world() -> World {
    World::new().env("GHL_TOKEN", &format!("pit-sandbox-without:{SECRET}"))
}

#[track_caller]
fn assert_untold(done: &Done) {
    assert!(!done.stdout.contains(SECRET), "stdout: {}", done.stdout);
    assert!(!done.stderr.contains(SECRET), "stderr: {}", done.stderr);
}

/// No file of the world holds the token, in clear or compressed only as far as a search can see.
#[track_caller]
fn assert_unwritten(world: &World) {
    let files = everything_below(&world.path("."));
    assert!(!files.is_empty());
    for file in files {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{}", file.display());
    }
}

#[test]
fn no_command_shows_or_stores_the_token() {
    let world = world();
    assert_untold(&world.run("export --out out --format parquet,csv,jsonl -vv").exits(0));
    let run = world.only_run();
    let commands = [
        "export --estimate -vv".to_owned(),
        "export --estimate --json".to_owned(),
        "export --out out --format jsonl --with tasks,notes,appointments -vv".to_owned(),
        "export --out other --format csv --json -vv".to_owned(),
        "runs list -vv".to_owned(),
        "runs list --json".to_owned(),
        format!("runs show {run} -vv"),
        format!("runs show {run} --json"),
        format!("runs publish {run} --format csv --out again -vv"),
        format!("resume {run} -vv"),
        "schema tables -vv".to_owned(),
        "schema events -vv".to_owned(),
        "whoami -vv".to_owned(),
        "whoami --json -vv".to_owned(),
        "logout -vv".to_owned(),
        "login --help".to_owned(),
        "completions bash".to_owned(),
        "export --help".to_owned(),
        "--help".to_owned(),
    ];
    for command in commands {
        assert_untold(&world.run(&command).exits(0));
    }
    assert_unwritten(&world);
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
        world.control("POST", "faults", &json!([fault]));
        assert_untold(&world.run("export --out out -vv --timeout 0.3"));
        assert_untold(&world.run("resume -vv --timeout 0.3 --json"));
        assert_unwritten(&world);
    }
}

#[test]
fn no_import_shows_or_stores_the_token() {
    let world = world();
    world.sheet("in.csv", "Name,Email,Notes\nAnn,ann@example.com,hello\nBad,bad@@,\n");
    world.sheet("more.csv", "Name,Email\nBob,bob@example.com\n");
    assert_untold(&world.run("map in.csv -o map.toml -vv").exits(0));
    assert_untold(&world.run("import in.csv --dry-run --out plan -vv").exits(3));
    assert_untold(&world.run("import in.csv --map map.toml --yes --out res --json -vv").exits(3));
    assert_untold(&world.run("import more.csv --yes --out more -vv").exits(0));
    let runs = world.run("runs list").exits(0).stdout;
    let run = runs.lines().rfind(|line| line.contains("complete")).unwrap();
    let run = run.split_whitespace().next().unwrap();
    for command in [
        format!("runs show {run} --json -vv"),
        format!("runs results {run} --out again -vv"),
        format!("undo {run} --yes --out undone -vv"),
        "runs list --json -vv".to_owned(),
        "import --help".to_owned(),
    ] {
        assert_untold(&world.run(&command).exits(0));
    }
    assert_unwritten(&world);
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
        let world = world().env("GHL_BULK_SETTLE_S", "0");
        world.control("POST", "faults", &json!([fault]));
        world.sheet("in.csv", "Name,Email,Notes\nAnn,ann@example.com,hello\n");
        assert_untold(&world.run("import in.csv --yes --out res -vv --timeout 0.3"));
        assert_untold(&world.run("resume -vv --timeout 0.3 --json"));
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
        "export --format xlsx -vv",
        "export --filter nonsense -vv",
        "export --locations locations.csv -vv",
        "export --locations missing.csv -vv",
        "resume 20200101-000000-aaaa -vv",
        "import missing.csv --yes -vv",
        "import locations.csv --map missing.toml --yes -vv",
        "import locations.csv --location elsewhere --yes -vv",
        "map missing.csv -vv",
        "undo 20200101-000000-aaaa -vv",
        "whoami --location elsewhere -vv",
        "export --all-locations -vv",
        "login --sandbox -vv",
        "login --oauth -vv",
        "nonsense -vv",
    ];
    for line in lines {
        let done = world.run(line);
        assert_ne!(done.code, 0, "{line}");
        assert_untold(&done);
    }
    assert_unwritten(&world);
}

#[test]
fn a_token_that_cannot_be_sent_is_not_repeated() {
    for token in
        [format!("{SECRET} {SECRET}"), format!("{SECRET}\u{fc}"), format!("{SECRET}\n{SECRET}")]
    {
        let world = World::new().env("GHL_TOKEN", &token);
        assert_untold(&world.run("export -vv").exits(8));
    }
    let world = World::new().without("GHL_TOKEN").env("GHL_TOKEN_FILE", "token");
    world.private("token", &[SECRET.as_bytes(), b" \xff"].concat());
    assert_untold(&world.run("export -vv").exits(8));
}

#[test]
fn a_token_in_the_address_is_refused_without_being_repeated() {
    let world = World::new();
    let host = world.url().strip_prefix("http://").unwrap().to_owned();
    let world = world.env("GHL_API_URL", &format!("http://user:{SECRET}@{host}"));
    assert_untold(&world.run("export -vv").exits(2));
    assert_eq!(world.ask("log")["requests"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_does_not_show_the_token() {
    let world = world();
    world.control("POST", "faults", &json!(["GET /contacts/*/notes hold"]));
    let export = Process::start(&world, "export --out out -vv");
    world.ask("held?at_least=1");
    let shown = fs::read(format!("/proc/{}/cmdline", export.id())).unwrap();
    assert!(!String::from_utf8_lossy(&shown).contains(SECRET));
    world.control("DELETE", "faults", &Value::Null);
    world.control("POST", "release", &Value::Null);
    assert_untold(&export.end().exits(0));
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
    let elsewhere = elsewhere.env("GHL_API_URL", &url);
    assert_untold(&elsewhere.run("export --out out -vv").exits(2));
    assert_eq!(elsewhere.ask("log")["requests"], 0);
}
