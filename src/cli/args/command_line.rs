//! Arguments, environment and configuration, put together: flag > environment > profile > defaults.
//!
//! The arguments are parsed twice. The first time says which command and profile are meant; the second has
//! the configuration's defaults in place of the built-in ones, so that clap reads them as it reads flags.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches};

use super::global::GlobalArgs;
use crate::cli::config::dirs;
use crate::cli::config::{self, ConfigFile, DefaultsCall};
use crate::cli::output::error::CliError;
use crate::cli::settings::{ConfigLayers, Settings};
use crate::cli::{Cli, CliCommand};

/// Commands that must work with any configuration: they have no use for one, or help to repair it.
const WITHOUT: [&[&str]; 3] = [&["config", "path"], &["completions"], &["man"]];

/// A parsed command line: a command, and the settings it runs with.
pub(crate) struct CommandLine {
    pub(crate) command: CliCommand,
    pub(crate) settings: Settings,
}

/// Why the command line gives no command to run.
pub(crate) enum CommandLineError {
    /// Help, the version, or a mistake in what was typed.
    Usage(clap::Error),
    /// A mistake in the configuration.
    Config(Box<ConfigFileError>),
}

/// A mistake in the configuration, and whether it is reported as JSON.
pub(crate) struct ConfigFileError {
    pub(crate) failure: CliError,
    pub(crate) json: bool,
}

impl From<clap::Error> for CommandLineError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Parses the words of a command line, the program's name first.
pub(crate) fn parse(words: Vec<OsString>) -> Result<CommandLine, CommandLineError> {
    let matches = parse_without_config(&words)?;
    let Cli { command, global } = Cli::from_arg_matches(&matches)?;
    let (path, _) = deepest_subcommand(&matches);
    if WITHOUT.contains(&path.as_slice()) {
        let settings = Settings::new(global, ConfigLayers::default());
        return Ok(CommandLine { command, settings });
    }
    let json = global.json;
    parse_with_config(&global, &matches, words)
        .map_err(|failure| CommandLineError::Config(Box::new(ConfigFileError { failure, json })))
}

/// The arguments without a configuration; errors are those of the plain command line.
fn parse_without_config(words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    config::accept_switch_values(Cli::command())
        .try_get_matches_from(words)
        .map_err(|error| Cli::command().try_get_matches_from(words).err().unwrap_or(error))
}

fn parse_with_config(
    plain: &GlobalArgs,
    matches: &ArgMatches,
    words: Vec<OsString>,
) -> Result<CommandLine, CliError> {
    let (path, matches) = deepest_subcommand(matches);
    let config = ConfigFile::load(dirs::config_dir().as_deref(), build_command_line)?;
    let requested = plain.profile.as_deref().filter(|name| !name.is_empty());
    let profile = config.select_profile(requested)?;
    let name = profile.as_ref().map(|profile| profile.name.as_str());
    let given = given_flags(matches);
    let job = (path == ["job", "run"]).then(|| matches.get_one::<String>("job")).flatten();
    let call =
        DefaultsCall { profile: name, job: job.map(String::as_str), path: &path, given: &given };
    let applied = config.applicable_defaults(&call, build_command_line);
    let by_default = applied.iter().map(|default| default.id.clone()).collect();
    let line =
        config::apply_defaults(config::accept_switch_values(Cli::command()), &path, &applied);
    let parsed = line.try_get_matches_from(words).and_then(|all| Cli::from_arg_matches(&all));
    let Cli { command, global } =
        parsed.map_err(|error| config::conflicting_defaults_error(&applied, &error))?;
    let typed = typed_options(matches);
    let layers = ConfigLayers { config, profile, typed, by_default };
    Ok(CommandLine { command, settings: Settings::new(global, layers) })
}

/// The flags that were typed or that the environment gives.
pub(crate) fn given_flags(matches: &ArgMatches) -> BTreeSet<String> {
    let is_given = |id: &&clap::Id| {
        matches!(
            matches.value_source(id.as_str()),
            Some(ValueSource::CommandLine | ValueSource::EnvVariable)
        )
    };
    matches.ids().filter(is_given).map(ToString::to_string).collect()
}

/// The command line with everything that clap adds to it, to look things up in.
pub(crate) fn build_command_line() -> clap::Command {
    let mut cli = config::accept_switch_values(Cli::command());
    cli.build();
    cli
}

/// The command that was named, and its matches, which hold those of every command, too.
pub(crate) fn deepest_subcommand(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, below)) = matches.subcommand() {
        path.push(name);
        matches = below;
    }
    (path, matches)
}

/// The options of every command that were typed, as they could be typed again.
fn typed_options(matches: &ArgMatches) -> Vec<OsString> {
    let mut words = Vec::new();
    for arg in Cli::command().get_arguments() {
        let (id, Some(long)) = (arg.get_id().as_str(), arg.get_long()) else { continue };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if matches!(arg.get_action(), ArgAction::Count) {
            let times = usize::from(matches.get_count(id));
            words.extend(std::iter::repeat_n(format!("--{long}").into(), times));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let mut word = OsString::from(format!("--{long}="));
            word.push(value);
            words.push(word);
        }
    }
    words
}
