//! The harness of every test: a temporary directory, a sandbox of its own, a clean environment, and
//! the real binary.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ghl_bulk::sandbox::{self, FaultRule, LocationRateLimit, RunningSandbox, SandboxSettings};
use serde_json::Value;

/// A world of its own for one test.
pub(crate) struct World {
    dir: tempfile::TempDir,
    sandbox: RunningSandbox,
    env: BTreeMap<String, String>,
}

/// The output and exit code of a command that has ended.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl World {
    /// A world with 60 contacts and no limit.
    pub(crate) fn new() -> Self {
        Self::with_settings(|_| {})
    }

    /// A world whose sandbox is set up as the test needs it.
    pub(crate) fn with_settings(change: impl FnOnce(&mut SandboxSettings)) -> Self {
        let mut settings = SandboxSettings {
            contacts: 60,
            limit: LocationRateLimit::NONE,
            ..SandboxSettings::default()
        };
        change(&mut settings);
        let location = settings.locations[0].clone();
        let sandbox = sandbox::start(settings).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let env = [
            ("GHL_API_URL", sandbox.url().to_owned()),
            ("GHL_TOKEN", sandbox::TOKEN.to_owned()),
            ("GHL_LOCATION_ID", location),
            ("GHL_BULK_HOME", dir.path().join("home").display().to_string()),
            ("GHL_BULK_SETTLE_S", "2".to_owned()),
            ("GHL_BULK_RETRY_FOR", "1s".to_owned()),
        ];
        let env = env.map(|(key, value)| (key.to_owned(), value)).into();
        Self { dir, sandbox, env }
    }

    /// A world with these faults.
    pub(crate) fn with_faults(faults: &[&str]) -> Self {
        let faults: Vec<FaultRule> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        Self::with_settings(|settings| settings.faults = faults)
    }

    /// The same world with an environment variable added or changed.
    pub(crate) fn with_env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same world without an environment variable.
    pub(crate) fn without_env(mut self, key: &str) -> Self {
        self.env.remove(key);
        self
    }

    /// The working directory of the commands.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write_private_file(&self, name: &str, bytes: &[u8]) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(self.path(name), bytes).unwrap();
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// The sandbox's address.
    pub(crate) fn url(&self) -> &str {
        self.sandbox.url()
    }

    /// A command line, split at blanks; an argument with blanks is in single quotes.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ghl-bulk"));
        command.args(words(line)).current_dir(self.dir.path()).env_clear().envs(&self.env);
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run_command(&self, line: &str) -> CommandOutput {
        CommandOutput::from_output(self.command(line).output().unwrap())
    }

    /// Runs a command to its end with an address space of 512 MiB.
    pub(crate) fn run_in_little_memory(&self, line: &str) -> CommandOutput {
        let plain = self.command(line);
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg("ulimit -v 524288; exec \"$0\" \"$@\"");
        command.arg(plain.get_program()).args(plain.get_args()).env_clear();
        for (name, value) in plain.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.env("MALLOC_ARENA_MAX", "1").current_dir(plain.get_current_dir().unwrap());
        CommandOutput::from_output(command.output().unwrap())
    }

    /// Starts a command that the test will kill or wait for.
    pub(crate) fn start_command(&self, line: &str) -> Child {
        self.command(line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Sends a request to a control route of the sandbox.
    pub(crate) fn control_request(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let host = self.url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        // Far longer than anything takes: a test that waits in vain fails rather than hang.
        stream.set_read_timeout(Some(Duration::from_mins(2))).unwrap();
        write!(
            stream,
            "{method} /__sandbox/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    /// Reads a control route of the sandbox.
    pub(crate) fn get_control(&self, path: &str) -> Value {
        self.control_request("GET", path, &Value::Null)
    }

    /// The rows of a JSON Lines file of an export.
    pub(crate) fn read_rows(&self, file: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// A JSON file.
    pub(crate) fn read_json(&self, file: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(file)).unwrap()).unwrap()
    }

    /// The only run there is.
    pub(crate) fn only_run_id(&self) -> String {
        self.try_only_run_id().expect("there is a run")
    }

    /// The only run, if there is one.
    pub(crate) fn try_only_run_id(&self) -> Option<String> {
        let mut runs =
            if self.path("home/runs").exists() { self.list_files("home/runs") } else { Vec::new() };
        // What was being created has no database yet.
        runs.retain(|name| self.path(&format!("home/runs/{name}/run.db")).exists());
        assert!(runs.len() <= 1, "{runs:?}");
        runs.pop()
    }

    /// The names in a directory, sorted.
    pub(crate) fn list_files(&self, dir: impl AsRef<Path>) -> Vec<String> {
        let names = std::fs::read_dir(self.dir.path().join(dir)).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// The short id of a run.
pub(crate) fn short_id(run: &str) -> &str {
    run.rsplit('-').next().unwrap()
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut begun) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '\'' => (quoted, begun) = (!quoted, true),
            ' ' if !quoted => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            c => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

impl CommandOutput {
    fn from_output(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Asserts the exit code; shows everything when it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Asserts that the command has printed this to stderr.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no `{part}` in: {}", self.stderr);
        self
    }

    /// Asserts that the command has not printed this to stderr.
    #[track_caller]
    pub(crate) fn does_not_say(&self, part: &str) -> &Self {
        assert!(!self.stderr.contains(part), "`{part}` in: {}", self.stderr);
        self
    }

    /// The events on stdout.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last event: the summary.
    pub(crate) fn summary(&self) -> Value {
        self.events().pop().unwrap()
    }
}
