//! Arguments, environment and configuration, put together: flag > environment > profile > defaults.
//!
//! The arguments are parsed twice. The first time says which command and profile are meant; the second has
//! the configuration's defaults in place of the built-in ones, so that clap reads them as it reads flags.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches};

use super::global::GlobalArgs;
use crate::cli::Cli;
use crate::cli::config::dirs;
use crate::cli::config::{self, ConfigFile};
use crate::cli::output::error::CliError;

/// Commands that must work with any configuration: they have no use for one, or help to repair it.
const WITHOUT: [&[&str]; 3] = [&["config", "path"], &["completions"], &["man"]];

/// What was put together with the arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigLayers {
    pub(crate) config: ConfigFile,
    /// The options of every command that were typed.
    pub(crate) typed: Vec<OsString>,
    /// The flags, by clap's names, that the configuration has set.
    pub(crate) by_default: BTreeSet<String>,
}

/// Why there are no arguments to work with.
pub(crate) enum CommandLineError {
    /// Help, the version, or a mistake in what was typed.
    Usage(clap::Error),
    /// A mistake in the configuration.
    Config(Box<ConfigFileError>),
}

/// A mistake in the configuration, and how to tell.
pub(crate) struct ConfigFileError {
    pub(crate) failure: CliError,
    pub(crate) global: GlobalArgs,
}

impl From<clap::Error> for CommandLineError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Parses the words of a command line, the program's name first.
pub(crate) fn parse(words: Vec<OsString>) -> Result<Cli, CommandLineError> {
    let matches = parse_without_config(&words)?;
    let cli = Cli::from_arg_matches(&matches)?;
    let (path, _) = deepest_subcommand(&matches);
    if WITHOUT.contains(&path.as_slice()) {
        return Ok(cli);
    }
    parse_with_config(&cli.global, &matches, words).map_err(|failure| {
        CommandLineError::Config(Box::new(ConfigFileError { failure, global: cli.global }))
    })
}

/// The arguments without a configuration; errors as the plain command line tells them.
fn parse_without_config(words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    config::accept_switch_values(Cli::command())
        .try_get_matches_from(words)
        .map_err(|error| Cli::command().try_get_matches_from(words).err().unwrap_or(error))
}

fn parse_with_config(
    plain: &GlobalArgs,
    matches: &ArgMatches,
    words: Vec<OsString>,
) -> Result<Cli, CliError> {
    let (path, matches) = deepest_subcommand(matches);
    let config = ConfigFile::load(dirs::config_dir().as_deref())?;
    let profile = config.select_profile(plain.requested_profile())?;
    let name = profile.as_ref().map(|profile| profile.name.as_str());
    let applied = config.applicable_defaults(name, &path, &given_flags(matches));
    let by_default = applied.iter().map(|default| default.id.clone()).collect();
    let line =
        config::apply_defaults(config::accept_switch_values(Cli::command()), &path, &applied);
    let parsed = line.try_get_matches_from(words).and_then(|all| Cli::from_arg_matches(&all));
    let mut cli = parsed.map_err(|error| config::conflicting_defaults_error(&applied, &error))?;
    let typed = typed_options(matches);
    cli.global.profile = profile;
    cli.global.sources = ConfigLayers { config, typed, by_default };
    Ok(cli)
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

/// The command at a path, which is known to exist.
pub(crate) fn subcommand_at<'c>(cli: &'c clap::Command, path: &[&str]) -> &'c clap::Command {
    path.iter().fold(cli, |cli, name| cli.find_subcommand(name).expect("clap has parsed it"))
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
