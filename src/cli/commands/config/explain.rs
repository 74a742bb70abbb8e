//! What holds, and where it comes from: each setting, and each flag of a command.
//!
//! It asks for no token and runs no program. Values that look like a token are hidden, wherever they stand.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory};

use crate::cli::account::token_source::{DEFAULT, kept};
use crate::cli::args::command_line::{at, built, deepest, given};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::config::{Applied, Place, Profile, Said, off_switches, secret_scan, with};
use crate::cli::output::error::Failure;
use crate::cli::{Cli, account};
use crate::mapping::closest;

/// Everything there is to tell.
pub(crate) struct Explained {
    /// The command whose flags are told, if one was named.
    pub(crate) command: Option<String>,
    pub(crate) settings: Vec<Entry>,
    pub(crate) flags: Vec<Entry>,
}

/// A setting or flag.
pub(crate) struct Entry {
    pub(crate) name: String,
    /// None when nothing is set.
    pub(crate) value: Option<String>,
    pub(crate) source: Source,
}

/// Where a value comes from.
pub(crate) enum Source {
    Flag,
    Variable(String),
    /// A line, and the profile that it belongs to.
    Config(Place, Option<String>),
    /// What `login` has stored.
    Stored,
    BuiltIn,
    Unset,
}

impl Entry {
    fn new(name: &str, value: impl AsRef<str>, source: Source) -> Self {
        Self { name: name.to_owned(), value: Some(shown(value.as_ref())), source }
    }

    fn unset(name: &str) -> Self {
        Self { name: name.to_owned(), value: None, source: Source::Unset }
    }
}

/// Hides what might be a secret.
fn shown(value: &str) -> String {
    if secret_scan::holds_token(value) {
        return "(hidden: it looks like a token)".to_owned();
    }
    match reqwest::Url::parse(value) {
        Ok(mut url)
            if url.has_host() && (url.password().is_some() || !url.username().is_empty()) =>
        {
            // Both can only fail for addresses without a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            format!("{url} (without its user name and password)")
        }
        _ => value.to_owned(),
    }
}

/// What holds for a command, or for any if none is named.
pub(crate) fn explain(path: &[&str], global: &Global) -> Result<Explained, Failure> {
    let built = built();
    check(&built, path)?;
    Ok(Explained {
        command: (!path.is_empty()).then(|| path.join(" ")),
        settings: settings(global)?,
        flags: flags(&built, path, global)?,
    })
}

fn check(cli: &clap::Command, path: &[&str]) -> Result<(), Failure> {
    let mut cli = cli;
    for name in path {
        let Some(below) = cli.find_subcommand(name) else {
            let there: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
            let failure = Failure::usage(format!("there is no command `{}`", path.join(" ")));
            return Err(match closest(name, there) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`ghl-bulk --help` lists them"),
            });
        };
        cli = below;
    }
    Ok(())
}

fn settings(global: &Global) -> Result<Vec<Entry>, Failure> {
    let profile = global.profile.as_ref();
    let (mut location, token) = (location(global)?, token(global));
    if location.value.is_none() && matches!(token.source, Source::Stored) {
        // It is not opened: that may ask for a passphrase.
        location.source = Source::Stored;
    }
    Ok(vec![
        config_file(global),
        chosen(global),
        location,
        address(global),
        token,
        match profile.and_then(|profile| profile.store.as_ref()) {
            Some(store) => said("store", &store.value, store, profile),
            None => Entry::unset("store"),
        },
        protected(global)?,
        place("home", dirs::home_dir(), "GHL_BULK_HOME"),
        place("config", dirs::config(), "GHL_BULK_CONFIG"),
    ])
}

/// A setting of the profile.
fn said<T>(name: &str, value: &str, said: &Said<T>, profile: Option<&Profile>) -> Entry {
    let profile = profile.map(|profile| profile.name.clone());
    Entry::new(name, value, Source::Config(said.place.clone(), profile))
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn place(name: &str, path: Option<std::path::PathBuf>, by: &str) -> Entry {
    let Some(path) = path else { return Entry::unset(name) };
    let source = match variable(by) {
        Some(_) => Source::Variable(by.to_owned()),
        None => Source::BuiltIn,
    };
    Entry::new(name, path.display().to_string(), source)
}

fn config_file(global: &Global) -> Entry {
    let config = &global.sources.config;
    let Some(file) = &config.file else { return Entry::unset("config file") };
    let there = if config.exists { "" } else { " (there is none)" };
    let mut entry = place("config file", Some(file.clone()), "GHL_BULK_CONFIG");
    entry.value = entry.value.map(|path| path + there);
    entry
}

fn chosen(global: &Global) -> Entry {
    let Some(profile) = &global.profile else { return Entry::unset("profile") };
    let default = global.sources.config.default_profile.as_ref();
    let source = match default.filter(|_| global.named_profile().is_none()) {
        Some(default) => Source::Config(default.place.clone(), None),
        None => by_flag(global, "profile", "GHL_BULK_PROFILE"),
    };
    let known = if profile.place.is_some() { "" } else { " (not in config.toml)" };
    Entry::new("profile", format!("{}{known}", profile.name), source)
}

/// The flag, if it was typed, or else the variable.
fn by_flag(global: &Global, flag: &str, name: &str) -> Source {
    let typed = format!("--{flag}=");
    let is_typed = |word: &OsString| word.to_string_lossy().starts_with(&typed);
    if global.sources.typed.iter().any(is_typed) {
        return Source::Flag;
    }
    Source::Variable(name.to_owned())
}

fn location(global: &Global) -> Result<Entry, Failure> {
    let locations = global.locations()?;
    let said_by = global.profile.as_ref().and_then(|profile| profile.location.as_ref());
    let value = locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    Ok(match said_by {
        _ if !global.location.is_empty() => Entry::new("location", value, Source::Flag),
        _ if variable("GHL_LOCATION_ID").is_some() => {
            Entry::new("location", value, Source::Variable("GHL_LOCATION_ID".to_owned()))
        }
        Some(location) => said("location", &value, location, global.profile.as_ref()),
        None => Entry::unset("location"),
    })
}

fn address(global: &Global) -> Entry {
    let said_by = global.profile.as_ref().and_then(|profile| profile.api_url.as_ref());
    match (&global.api_url, said_by) {
        (Some(url), _) => Entry::new("api-url", url, by_flag(global, "api-url", "GHL_API_URL")),
        (None, Some(url)) => said("api-url", &url.value, url, global.profile.as_ref()),
        (None, None) => Entry::new("api-url", account::URL, Source::BuiltIn),
    }
}

/// Where the token would come from. Nobody is asked for it.
fn token(global: &Global) -> Entry {
    let profile = global.profile.as_ref();
    let file = |path: &OsStr| format!("in the file {}", path.display());
    if global.sandbox {
        return Entry::new("token", "the sandbox's", Source::BuiltIn);
    }
    if variable("GHL_TOKEN").is_some() {
        return Entry::new("token", "GHL_TOKEN", Source::Variable("GHL_TOKEN".to_owned()));
    }
    if let Some(path) = variable("GHL_TOKEN_FILE") {
        return Entry::new("token", file(&path), Source::Variable("GHL_TOKEN_FILE".to_owned()));
    }
    if let Some(command) = profile.and_then(|profile| profile.token_command.as_ref()) {
        let value = format!("token command: what {} prints", command.value.program());
        return said("token", &value, command, profile);
    }
    if let Some(path) = profile.and_then(|profile| profile.token_file.as_ref()) {
        return said("token", &file(path.value.as_os_str()), path, profile);
    }
    stored(global.profile_name().unwrap_or(DEFAULT))
}

/// The token that `login` has stored for a profile, which is not opened.
fn stored(profile: &str) -> Entry {
    match kept(profile) {
        Ok(Some(safe)) => Entry::new("token", safe.describe(), Source::Stored),
        Ok(None) => Entry::unset("token"),
        Err(failure) => Entry::new("token", failure.message, Source::Stored),
    }
}

fn protected(global: &Global) -> Result<Entry, Failure> {
    let own = global.profile.as_ref().filter(|profile| profile.is_protected());
    let config = &global.sources.config;
    let locations = global.locations()?;
    let mut naming = locations.iter().filter_map(|it| config.protecting(it, None));
    let by = own.or_else(|| naming.next()).or(global.profile.as_ref());
    Ok(match by.and_then(|profile| Some((profile, profile.protected.as_ref()?))) {
        Some((profile, at)) => said("protected", &at.value.to_string(), at, Some(profile)),
        None => Entry::new("protected", "false", Source::BuiltIn),
    })
}

/// The flags of a command, or those of every command.
fn flags(built: &clap::Command, path: &[&str], global: &Global) -> Result<Vec<Entry>, Failure> {
    let words = std::iter::once("ghl-bulk").chain(path.iter().copied()).map(OsString::from);
    let words: Vec<OsString> = words.chain(global.sources.typed.iter().cloned()).collect();
    let line = || optional(off_switches(Cli::command()));
    let wrong = |error: clap::Error| Failure::usage(error.to_string());
    let first = line().try_get_matches_from(&words).map_err(wrong)?;
    let config = &global.sources.config;
    let applied = config.holding(global.profile_name(), path, &given(deepest(&first).1));
    let matches = with(line(), path, &applied).try_get_matches_from(&words).map_err(wrong)?;
    let (_, matches) = deepest(&matches);
    let told = |arg: &&Arg| {
        let known = ["help", "version", "profile", "location", "api-url"];
        arg.get_long().is_some_and(|long| !known.contains(&long))
    };
    let mut args: Vec<&Arg> = at(built, path).get_arguments().filter(told).collect();
    args.sort_by_key(|arg| arg.is_global_set());
    Ok(args.into_iter().map(|arg| entry(arg, matches, &applied)).collect())
}

/// The command line in which nothing must be given.
fn optional(cli: clap::Command) -> clap::Command {
    cli.subcommand_required(false)
        .arg_required_else_help(false)
        .mut_args(|arg| arg.required(false))
        .mut_subcommands(optional)
}

fn entry(arg: &Arg, matches: &ArgMatches, applied: &Applied) -> Entry {
    let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
    let name = format!("--{long}");
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => Source::Flag,
        Some(ValueSource::EnvVariable) => {
            let variable = arg.get_env().unwrap_or_default();
            Source::Variable(variable.to_string_lossy().into_owned())
        }
        _ => match applied.iter().find(|default| default.id == id) {
            Some(default) => Source::Config(default.place.clone(), default.profile.clone()),
            None => Source::BuiltIn,
        },
    };
    if matches!(arg.get_action(), ArgAction::Count) {
        return Entry::new(&name, matches.get_count(id).to_string(), source);
    }
    let values = matches.get_raw(id).into_iter().flatten();
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    if values.is_empty() {
        return Entry::unset(&name);
    }
    Entry::new(&name, values.join(","), source)
}
