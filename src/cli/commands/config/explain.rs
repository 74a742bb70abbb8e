//! The effective settings and flags of a command, and where each comes from.
//!
//! It asks for no token and runs no program. Values that look like a token are hidden, wherever they are.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, CommandFactory};

use crate::choice::Choice as _;
use crate::cli::account::token_source::{DEFAULT, find_stored_login};
use crate::cli::args::command_line::{build_command_line, deepest_subcommand, given_flags};
use crate::cli::config::dirs;
use crate::cli::config::{
    AppliedDefaults, ConfigPosition, ConfigValue, DefaultScope, DefaultsCall, Profile,
    accept_switch_values, apply_defaults, secret_scan, subcommand_at,
};
use crate::cli::output::error::CliError;
use crate::cli::settings::{LocationOrigin, Settings};
use crate::cli::{Cli, account};
use crate::mapping::closest_name;

/// Everything that `config explain` shows.
pub(crate) struct ConfigExplanation {
    /// The command whose flags are explained, if one was named.
    pub(crate) command: Option<String>,
    pub(crate) settings: Vec<ExplainedSetting>,
    pub(crate) flags: Vec<ExplainedSetting>,
}

/// A setting or flag.
pub(crate) struct ExplainedSetting {
    pub(crate) name: String,
    /// `None` when it is not set.
    pub(crate) value: Option<String>,
    pub(crate) source: SettingSource,
}

/// Where a value comes from.
pub(crate) enum SettingSource {
    Flag,
    Variable(String),
    /// A line, and the profile that it belongs to.
    Config(ConfigPosition, Option<String>),
    /// What `login` has stored.
    Stored,
    BuiltIn,
    Unset,
}

impl ExplainedSetting {
    fn new(name: &str, value: impl AsRef<str>, source: SettingSource) -> Self {
        Self { name: name.to_owned(), value: Some(hide_secrets(value.as_ref())), source }
    }

    fn unset(name: &str) -> Self {
        Self { name: name.to_owned(), value: None, source: SettingSource::Unset }
    }
}

/// Redacts a value that might be a secret.
fn hide_secrets(value: &str) -> String {
    if secret_scan::contains_token(value) {
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

/// The effective settings of a command, or of all commands.
pub(crate) fn explain_settings(
    path: &[&str],
    settings: &Settings,
) -> Result<ConfigExplanation, CliError> {
    let built = build_command_line();
    check_command_path(&built, path)?;
    Ok(ConfigExplanation {
        command: (!path.is_empty()).then(|| path.join(" ")),
        settings: list_settings(settings)?,
        flags: list_flags(&built, path, settings)?,
    })
}

fn check_command_path(cli: &clap::Command, path: &[&str]) -> Result<(), CliError> {
    let mut cli = cli;
    for name in path {
        let Some(below) = cli.find_subcommand(name) else {
            let there: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
            let failure = CliError::usage(format!("there is no command `{}`", path.join(" ")));
            return Err(match closest_name(name, there) {
                Some(near) => failure.with_hint(format!("did you mean `{near}`?")),
                None => failure.with_hint("`ghl-bulk --help` lists them"),
            });
        };
        cli = below;
    }
    Ok(())
}

fn list_settings(settings: &Settings) -> Result<Vec<ExplainedSetting>, CliError> {
    let profile = settings.profile();
    let (mut location, token) = (location_setting(settings)?, token_setting(settings));
    if location.value.is_none() && matches!(token.source, SettingSource::Stored) {
        // It is not opened: that may ask for a passphrase.
        location.source = SettingSource::Stored;
    }
    Ok(vec![
        config_file_setting(settings),
        chosen_profile_setting(settings),
        location,
        api_url_setting(settings),
        token,
        match profile.and_then(|profile| profile.store.as_ref()) {
            Some(store) => profile_setting("store", store.value.word(), store, profile),
            None => ExplainedSetting::unset("store"),
        },
        protected_setting(settings)?,
        path_setting("home", dirs::runs_home_dir(), "GHL_BULK_HOME"),
        path_setting("config", dirs::config_dir(), "GHL_BULK_CONFIG"),
    ])
}

/// A setting of the profile.
fn profile_setting<T>(
    name: &str,
    value: &str,
    said: &ConfigValue<T>,
    profile: Option<&Profile>,
) -> ExplainedSetting {
    let profile = profile.map(|profile| profile.name.clone());
    ExplainedSetting::new(name, value, SettingSource::Config(said.place.clone(), profile))
}

fn env_var(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn path_setting(name: &str, path: Option<std::path::PathBuf>, by: &str) -> ExplainedSetting {
    let Some(path) = path else { return ExplainedSetting::unset(name) };
    let source = match env_var(by) {
        Some(_) => SettingSource::Variable(by.to_owned()),
        None => SettingSource::BuiltIn,
    };
    ExplainedSetting::new(name, path.display().to_string(), source)
}

fn config_file_setting(settings: &Settings) -> ExplainedSetting {
    let config = settings.config();
    let Some(file) = &config.file else { return ExplainedSetting::unset("config file") };
    let there = if config.exists { "" } else { " (there is none)" };
    let mut entry = path_setting("config file", Some(file.clone()), "GHL_BULK_CONFIG");
    entry.value = entry.value.map(|path| path + there);
    entry
}

fn chosen_profile_setting(settings: &Settings) -> ExplainedSetting {
    let Some(profile) = settings.profile() else { return ExplainedSetting::unset("profile") };
    let default = settings.config().default_profile.as_ref();
    let source = match default.filter(|_| settings.requested_profile().is_none()) {
        Some(default) => SettingSource::Config(default.place.clone(), None),
        None => flag_or_env_source(settings, "profile", "GHL_BULK_PROFILE"),
    };
    let known = if profile.place.is_some() { "" } else { " (not in config.toml)" };
    ExplainedSetting::new("profile", format!("{}{known}", profile.name), source)
}

/// The flag, if it was typed, or else the variable.
fn flag_or_env_source(settings: &Settings, flag: &str, name: &str) -> SettingSource {
    let typed = format!("--{flag}=");
    let is_typed = |word: &OsString| word.to_string_lossy().starts_with(&typed);
    if settings.layers.typed.iter().any(is_typed) {
        return SettingSource::Flag;
    }
    SettingSource::Variable(name.to_owned())
}

fn location_setting(settings: &Settings) -> Result<ExplainedSetting, CliError> {
    let locations = settings.locations()?;
    let said_by = settings.profile().and_then(|profile| profile.location.as_ref());
    let value = locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    Ok(match said_by {
        _ if settings.location_origin == LocationOrigin::Flag => {
            ExplainedSetting::new("location", value, SettingSource::Flag)
        }
        _ if env_var("GHL_LOCATION_ID").is_some() => ExplainedSetting::new(
            "location",
            value,
            SettingSource::Variable("GHL_LOCATION_ID".to_owned()),
        ),
        Some(location) => profile_setting("location", &value, location, settings.profile()),
        None => ExplainedSetting::unset("location"),
    })
}

fn api_url_setting(settings: &Settings) -> ExplainedSetting {
    let said_by = settings.profile().and_then(|profile| profile.api_url.as_ref());
    match (&settings.given_api_url, said_by) {
        (Some(url), _) => ExplainedSetting::new(
            "api-url",
            url,
            flag_or_env_source(settings, "api-url", "GHL_API_URL"),
        ),
        (None, Some(url)) => profile_setting("api-url", &url.value, url, settings.profile()),
        (None, None) => ExplainedSetting::new("api-url", account::URL, SettingSource::BuiltIn),
    }
}

/// Where the token would come from. No source is asked for it.
fn token_setting(settings: &Settings) -> ExplainedSetting {
    let profile = settings.profile();
    let file = |path: &OsStr| format!("in the file {}", path.display());
    if settings.sandbox {
        return ExplainedSetting::new("token", "the sandbox's", SettingSource::BuiltIn);
    }
    if env_var("GHL_TOKEN").is_some() {
        return ExplainedSetting::new(
            "token",
            "GHL_TOKEN",
            SettingSource::Variable("GHL_TOKEN".to_owned()),
        );
    }
    if let Some(path) = env_var("GHL_TOKEN_FILE") {
        return ExplainedSetting::new(
            "token",
            file(&path),
            SettingSource::Variable("GHL_TOKEN_FILE".to_owned()),
        );
    }
    if let Some(command) = profile.and_then(|profile| profile.token_command.as_ref()) {
        let value = format!("token command: what {} prints", command.value.program_name());
        return profile_setting("token", &value, command, profile);
    }
    if let Some(path) = profile.and_then(|profile| profile.token_file.as_ref()) {
        return profile_setting("token", &file(path.value.as_os_str()), path, profile);
    }
    stored_token_setting(settings.profile_name().unwrap_or(DEFAULT))
}

/// The token that `login` has stored for a profile, which is not opened.
fn stored_token_setting(profile: &str) -> ExplainedSetting {
    match find_stored_login(profile) {
        Ok(Some(store)) => {
            ExplainedSetting::new("token", store.describe_storage(), SettingSource::Stored)
        }
        Ok(None) => ExplainedSetting::unset("token"),
        Err(failure) => ExplainedSetting::new("token", failure.message, SettingSource::Stored),
    }
}

fn protected_setting(settings: &Settings) -> Result<ExplainedSetting, CliError> {
    let own = settings.profile().filter(|profile| profile.is_protected());
    let config = settings.config();
    let locations = settings.locations()?;
    let mut naming = locations.iter().filter_map(|it| config.protecting_profile(it, None));
    let by = own.or_else(|| naming.next()).or(settings.profile());
    Ok(match by.and_then(|profile| Some((profile, profile.protected.as_ref()?))) {
        Some((profile, at)) => {
            profile_setting("protected", &at.value.to_string(), at, Some(profile))
        }
        None => ExplainedSetting::new("protected", "false", SettingSource::BuiltIn),
    })
}

/// The flags of a command, or those of every command.
fn list_flags(
    built: &clap::Command,
    path: &[&str],
    settings: &Settings,
) -> Result<Vec<ExplainedSetting>, CliError> {
    let words = std::iter::once("ghl-bulk").chain(path.iter().copied()).map(OsString::from);
    let words: Vec<OsString> = words.chain(settings.layers.typed.iter().cloned()).collect();
    let line = || make_args_optional(accept_switch_values(Cli::command()));
    let wrong = |error: clap::Error| CliError::usage(error.to_string());
    let first = line().try_get_matches_from(&words).map_err(wrong)?;
    let config = settings.config();
    let given = &given_flags(deepest_subcommand(&first).1);
    let call = DefaultsCall { profile: settings.profile_name(), job: None, path, given };
    let applied = config.applicable_defaults(&call, build_command_line);
    let matches =
        apply_defaults(line(), path, &applied).try_get_matches_from(&words).map_err(wrong)?;
    let (_, matches) = deepest_subcommand(&matches);
    let is_explained = |arg: &&Arg| {
        let known = ["help", "version", "profile", "location", "api-url"];
        arg.get_long().is_some_and(|long| !known.contains(&long))
    };
    let mut args: Vec<&Arg> =
        subcommand_at(built, path).get_arguments().filter(is_explained).collect();
    args.sort_by_key(|arg| arg.is_global_set());
    Ok(args.into_iter().map(|arg| flag_entry(arg, matches, &applied)).collect())
}

/// The command line without required arguments.
fn make_args_optional(cli: clap::Command) -> clap::Command {
    cli.subcommand_required(false)
        .arg_required_else_help(false)
        .mut_args(|arg| arg.required(false))
        .mut_subcommands(make_args_optional)
}

fn flag_entry(arg: &Arg, matches: &ArgMatches, applied: &AppliedDefaults) -> ExplainedSetting {
    let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
    let name = format!("--{long}");
    let source = match matches.value_source(id) {
        Some(ValueSource::CommandLine) => SettingSource::Flag,
        Some(ValueSource::EnvVariable) => {
            let variable = arg.get_env().unwrap_or_default();
            SettingSource::Variable(variable.to_string_lossy().into_owned())
        }
        _ => match applied.iter().find(|default| default.id == id) {
            Some(default) => {
                let profile = match &default.scope {
                    DefaultScope::Profile(name) => Some(name.clone()),
                    DefaultScope::Job(_) | DefaultScope::All => None,
                };
                SettingSource::Config(default.place.clone(), profile)
            }
            None => SettingSource::BuiltIn,
        },
    };
    if matches!(arg.get_action(), ArgAction::Count) {
        return ExplainedSetting::new(&name, matches.get_count(id).to_string(), source);
    }
    let values = matches.get_raw(id).into_iter().flatten();
    let values: Vec<String> = values.map(|value| value.to_string_lossy().into_owned()).collect();
    if values.is_empty() {
        return ExplainedSetting::unset(&name);
    }
    ExplainedSetting::new(&name, values.join(","), source)
}
