//! The accounts a command works on: location, token and address, or the embedded sandbox.

use std::env;
use std::path::Path;
use std::sync::Arc;

use super::failure::Failure;
use super::global::Global;
use crate::api::{Client, Config, Pace, Token, is_loopback};
use crate::event::{Stop, Watcher};
use crate::id::LocationId;
use crate::sandbox::{self, Running, Settings};

/// HighLevel's address (api.md §1.1).
const URL: &str = "https://services.leadconnectorhq.com";

/// A location and how to reach it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) location: LocationId,
    /// The environment variable that holds its token, where it is another than `GHL_TOKEN`.
    pub(super) variable: Option<String>,
    token: Token,
}

/// The accounts, and the sandbox that serves them for as long as this value lives.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) all: Vec<Account>,
    pub(super) url: String,
    _sandbox: Option<Running>,
}

impl Accounts {
    /// The accounts that the options and the environment name.
    pub(super) fn find(global: &Global, file: Option<&Path>) -> Result<Self, Failure> {
        if global.sandbox {
            return Self::embedded(global.locations()?);
        }
        let listed = file.map(read).transpose()?;
        let all = match listed {
            Some(listed) => listed,
            None => with_one_token(&global.locations()?)?,
        };
        let url = global.api_url.clone().unwrap_or_else(|| URL.to_owned());
        Ok(Self { all, url: checked(url, global.allow_http)?, _sandbox: None })
    }

    /// The account of a run: its location, at the address it was begun with unless told otherwise.
    pub(super) fn of_run(
        global: &Global,
        location: &LocationId,
        url: &str,
        variable: Option<&str>,
        sandbox: bool,
    ) -> Result<Self, Failure> {
        if sandbox {
            return Self::embedded(vec![location.clone()]);
        }
        let url = global.api_url.clone().unwrap_or_else(|| url.to_owned());
        let all = match variable {
            None => with_one_token(std::slice::from_ref(location))?,
            Some(name) => vec![Account {
                location: location.clone(),
                variable: Some(name.to_owned()),
                token: token_in(name)?,
            }],
        };
        Ok(Self { all, url: checked(url, global.allow_http)?, _sandbox: None })
    }

    fn embedded(mut locations: Vec<LocationId>) -> Result<Self, Failure> {
        if locations.is_empty() {
            locations.push(sandbox::LOCATION.parse().expect("the sandbox's location is an id"));
        }
        let settings = Settings {
            locations: locations.iter().map(ToString::to_string).collect(),
            // A try-out need not take the minutes that the real limit takes.
            limit: sandbox::Limit::NONE,
            ..Settings::default()
        };
        let running = sandbox::start(settings).map_err(|error| {
            Failure::usage(format!("the sandbox cannot listen on this machine: {error}"))
        })?;
        let token = Token::new(sandbox::TOKEN).expect("the sandbox's token can be sent");
        let account = |location| Account { location, variable: None, token: token.clone() };
        let all = locations.into_iter().map(account).collect();
        Ok(Self { all, url: running.url().to_owned(), _sandbox: Some(running) })
    }
}

impl Account {
    /// A client for the account.
    pub(super) fn client(
        &self,
        url: &str,
        global: &Global,
        stop: &Stop,
        watcher: &Watcher,
    ) -> Result<Client, Failure> {
        let config = Config {
            url: url.to_owned(),
            credential: Arc::new(self.token.clone()),
            location: self.location.clone(),
            transport: global.transport(),
        };
        let pace = Pace::new(global.budget(), stop.clone(), watcher.clone());
        Client::new(&config, pace, watcher.clone())
            .map_err(|error| Failure::usage(error.to_string()))
    }
}

fn with_one_token(locations: &[LocationId]) -> Result<Vec<Account>, Failure> {
    if locations.is_empty() {
        return Err(Failure::usage("no location is given").hint(
            "give `--location ID` or set `GHL_LOCATION_ID`; it stands in the browser's address \
             behind `/location/`. `--sandbox` needs none",
        ));
    }
    let token = token()?;
    let account = |location: &LocationId| Account {
        location: location.clone(),
        variable: None,
        token: token.clone(),
    };
    Ok(locations.iter().map(account).collect())
}

/// The token of the environment.
fn token() -> Result<Token, Failure> {
    use super::exit::Code::Access;
    if let Ok(text) = env::var("GHL_TOKEN") {
        return Token::new(&text)
            .map_err(|error| Failure::new(Access, format!("`GHL_TOKEN` is no token: {error}")));
    }
    let Some(path) = env::var_os("GHL_TOKEN_FILE") else {
        return Err(Failure::new(Access, "no token is given").hint(
            "set `GHL_TOKEN` to a Private Integration Token (Settings > Private Integrations), or \
             `GHL_TOKEN_FILE` to a file that holds one. `--sandbox` needs none",
        ));
    };
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::new(Access, format!("the token file `{shown}`: {error}")))?;
    Token::new(&text)
        .map_err(|error| Failure::new(Access, format!("`{shown}` holds no token: {error}")))
}

/// The token in an environment variable that a list of locations names.
fn token_in(name: &str) -> Result<Token, Failure> {
    use super::exit::Code::Access;
    let text = env::var(name).map_err(|_| {
        Failure::new(
            Access,
            format!("the environment variable `{name}`, which should hold the token, is not set"),
        )
    })?;
    Token::new(&text)
        .map_err(|error| Failure::new(Access, format!("`{name}` holds no token: {error}")))
}

/// Reads a list of locations: one id a line, then perhaps a comma and the name of the environment
/// variable that holds the location's token. Empty lines and `#` lines are passed over.
fn read(path: &Path) -> Result<Vec<Account>, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("`{shown}`: {error}")))?;
    let mut all: Vec<Account> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: String| Failure::usage(format!("`{shown}` line {}: {why}", number + 1));
        let (id, variable) = match line.split_once([',', ';', '\t']) {
            Some((id, variable)) => (id.trim(), variable.trim()),
            None => (line, ""),
        };
        if number == 0 && ["location", "location_id", "id"].contains(&id.to_lowercase().as_str()) {
            continue;
        }
        let location: LocationId =
            id.parse().map_err(|error: crate::id::Invalid| wrong(error.to_string()))?;
        if all.iter().any(|account| account.location == location) {
            return Err(wrong(format!("location `{location}` stands here a second time")));
        }
        let token = match variable {
            "" => token()?,
            name => token_in(name).map_err(|error| wrong(error.message))?,
        };
        let variable = (!variable.is_empty()).then(|| variable.to_owned());
        all.push(Account { location, variable, token });
    }
    if all.is_empty() {
        return Err(Failure::usage(format!("`{shown}` names no location")));
    }
    Ok(all)
}

/// An address that a token may be sent to: https, or http to this machine unless more is allowed.
fn checked(url: String, allow_http: bool) -> Result<String, Failure> {
    let wrong = |why: &str| Err(Failure::usage(format!("`--api-url`: {why}")));
    let Ok(parsed) = reqwest::Url::parse(&url) else {
        return wrong("it is no address such as `https://services.leadconnectorhq.com`");
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("it holds a user name or password; the token goes into `GHL_TOKEN`");
    }
    match parsed.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) || allow_http => Ok(url),
        "http" => wrong(
            "plain http would show the token to the network; use https, or `--allow-http` where the \
             network is yours",
        ),
        _ => wrong("it is neither https nor http"),
    }
}
