//! The configuration: profiles and defaults of flags, as `config.toml` holds them.
//!
//! A profile says which location is meant, where its token comes from, and what its flags are by default.
//! Everything knows its line. The file must not hold a token: a file with one is refused, and
//! messages never repeat a value that might be one. The values of flags are checked by clap.

pub(super) mod dirs;

mod flag_defaults;
mod job_settings;
mod parse_config;
mod repositories;
pub(super) mod secret_scan;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use flag_defaults::FlagDefault;
pub(super) use flag_defaults::{
    AppliedDefaults, DefaultScope, DefaultsCall, accept_switch_values, apply_defaults,
    subcommand_at,
};

pub(super) use repositories::{NamedRepository, RepositoryPlace};

use super::output::error::CliError;
use crate::auth::{CredentialStoreKind, TokenCommand};
use crate::id::LocationId;
use crate::mapping::closest_name;
use crate::toml_doc::read_toml_file;

/// The file's name in the configuration directory.
pub(super) const FILE: &str = "config.toml";

/// The content of the configuration file; empty without a file.
#[derive(Debug, Clone, Default)]
pub(super) struct ConfigFile {
    /// The file, whether it exists or not; `None` without a configuration directory.
    pub(super) file: Option<PathBuf>,
    pub(super) exists: bool,
    pub(super) default_profile: Option<ConfigValue<String>>,
    profiles: Vec<Profile>,
    /// The names of the jobs.
    jobs: Vec<ConfigValue<String>>,
    defaults: Vec<FlagDefault>,
    /// The name of the repository that is meant where none is named.
    pub(super) default_repository: Option<ConfigValue<String>>,
    pub(super) repositories: Vec<NamedRepository>,
}

/// A line of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigPosition {
    pub(super) file: PathBuf,
    /// Counted from 1.
    pub(super) line: usize,
}

/// As messages name it: `/home/ada/.config/ghl-bulk/config.toml line 12`.
impl fmt::Display for ConfigPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line {}", self.file.display(), self.line)
    }
}

/// A setting and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigValue<T> {
    pub(super) value: T,
    pub(super) place: ConfigPosition,
}

/// The program that prints the token, such as a vault's client. It may hold secrets of its own and is
/// shown nowhere but by the name of its program.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum TokenCommandSetting {
    /// A line for the shell.
    Line(String),
    /// A program and its arguments, without a shell; never empty.
    List(Vec<String>),
}

impl TokenCommandSetting {
    /// The name of the program, as far as it is plain that it is one and no secret.
    pub(super) fn program_name(&self) -> &str {
        let first = match self {
            // `VAULT_TOKEN=… vault read` begins with what must not be shown.
            Self::Line(line) => line.split_whitespace().find(|word| !word.contains('=')),
            Self::List(words) => words.first().map(String::as_str),
        };
        let plain = |c: char| c.is_alphanumeric() || "-_./\\:~".contains(c);
        let path = first.filter(|path| path.chars().all(plain));
        let name = path.and_then(|path| path.rsplit(['/', '\\']).next()).unwrap_or_default();
        if name.is_empty() { "a program" } else { name }
    }
}

impl From<&TokenCommandSetting> for TokenCommand {
    fn from(setting: &TokenCommandSetting) -> Self {
        match setting {
            TokenCommandSetting::Line(line) => Self::Shell(line.clone()),
            TokenCommandSetting::List(words) => Self::Program(words.clone()),
        }
    }
}

impl fmt::Debug for TokenCommandSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Command({} …)", self.program_name())
    }
}

/// The profile that was chosen, or one that could be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Profile {
    pub(super) name: String,
    /// Where its table begins. `None` when `config.toml` does not have it: then all else is empty, and it
    /// is no error as long as a token is stored for its name.
    pub(super) place: Option<ConfigPosition>,
    pub(super) location: Option<ConfigValue<LocationId>>,
    pub(super) api_url: Option<ConfigValue<String>>,
    /// Never together with `token_file`.
    pub(super) token_command: Option<ConfigValue<TokenCommandSetting>>,
    /// Absolute.
    pub(super) token_file: Option<ConfigValue<PathBuf>>,
    /// The default of `login --store`.
    pub(super) store: Option<ConfigValue<CredentialStoreKind>>,
    /// Whether writing to its location needs the location's name.
    pub(super) protected: Option<ConfigValue<bool>>,
}

impl Profile {
    /// A profile of which only the name is known.
    pub(super) fn with_name(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn is_protected(&self) -> bool {
        self.protected.as_ref().is_some_and(|protected| protected.value)
    }
}

impl ConfigFile {
    /// Reads the file of a configuration directory. No directory and no file are an empty configuration.
    /// Defaults are checked against the flags of the command line, which is built when there is a file.
    pub(super) fn load(
        dir: Option<&Path>,
        cli: impl FnOnce() -> clap::Command,
    ) -> Result<Self, CliError> {
        let Some(dir) = dir else { return Ok(Self::default()) };
        let file = dir.join(FILE);
        let unreadable = |error: &io::Error| {
            let failure = CliError::usage(format!("{}: {error}", file.display()));
            if error.kind() == io::ErrorKind::NotADirectory {
                return failure
                    .with_hint("`GHL_BULK_CONFIG` names a directory, in which `config.toml` is");
            }
            failure.with_hint(
                "make it readable for you, or set `GHL_BULK_CONFIG` to another directory",
            )
        };
        let mut config = match read_toml_file(&file) {
            Ok(bytes) => {
                Self { exists: true, ..parse_config::parse_config(&bytes, &file, &cli())? }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::default(),
            Err(error) => return Err(unreadable(&error)),
        };
        config.file = Some(file);
        Ok(config)
    }

    /// The names of the profiles, as they are in the file.
    pub(super) fn profile_names(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|profile| profile.name.as_str())
    }

    /// The profile of a name that was given, or else the default one.
    pub(super) fn select_profile(&self, given: Option<&str>) -> Result<Option<Profile>, CliError> {
        let default = || self.default_profile.as_ref().map(|name| name.value.as_str());
        let Some(name) = given.or_else(default) else { return Ok(None) };
        if !is_plain_name(name) {
            return Err(
                CliError::usage(format!("`{name}` cannot be a profile's name")).with_hint(NAME)
            );
        }
        let known = self.profiles.iter().find(|profile| profile.name == name);
        Ok(Some(known.cloned().unwrap_or_else(|| Profile::with_name(name))))
    }

    /// The defaults that apply to a call.
    pub(super) fn applicable_defaults(
        &self,
        call: &DefaultsCall<'_>,
        cli: impl FnOnce() -> clap::Command,
    ) -> AppliedDefaults<'_> {
        flag_defaults::applicable_defaults(&self.defaults, call, cli)
    }

    /// The jobs, in the order of the file.
    pub(super) fn jobs(&self) -> &[ConfigValue<String>] {
        &self.jobs
    }

    /// The settings of a job, as flags of `job run`: the name, and the values as they would be typed.
    pub(super) fn job_settings<'c>(
        &'c self,
        job: &'c str,
    ) -> impl Iterator<Item = (&'c str, &'c [String])> {
        let of_job = |default: &&FlagDefault| default.scope == DefaultScope::Job(job.to_owned());
        let all = self.defaults.iter().filter(of_job);
        all.map(|default| (default.id.as_str(), default.values.as_slice()))
    }

    /// The error for an unknown profile: the known names, and the closest.
    pub(super) fn unknown_profile_error(&self, name: &str) -> CliError {
        let by_default = self.default_profile.as_ref().filter(|default| default.value == name);
        let message = match by_default {
            Some(default) => format!("{}: there is no profile `{name}`", default.place),
            None => format!("there is no profile `{name}`"),
        };
        let names: Vec<&str> = self.profile_names().collect();
        let file = self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        let list = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = match closest_name(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? There are {list}"),
            None if names.is_empty() => {
                format!(
                    "{file} has no profiles: add `[profiles.{name}]`, or run `ghl-bulk login --profile {name}`"
                )
            }
            None => format!("there are {list}, in {file}"),
        };
        CliError::usage(message).with_hint(hint)
    }

    /// A protected profile that names a location, or that has this name.
    pub(super) fn protecting_profile(
        &self,
        location: &LocationId,
        name: Option<&str>,
    ) -> Option<&Profile> {
        let fits = |profile: &&Profile| {
            profile.location.as_ref().is_some_and(|named| named.value == *location)
                || name == Some(profile.name.as_str())
        };
        self.profiles.iter().filter(|profile| profile.is_protected()).find(fits)
    }
}

/// Why defaults that are right, each by itself, do not go together with the rest.
pub(super) fn conflicting_defaults_error(
    applied: &AppliedDefaults,
    error: &clap::Error,
) -> CliError {
    let line = |default: &&FlagDefault| format!("{}: `{}`", default.place, default.id);
    let text = error.to_string();
    let said = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    CliError::usage(format!("the defaults in the configuration conflict: {said}"))
        .with_lines(applied.iter().map(line).collect())
        .with_hint("give the flags, which override their defaults")
}

/// The characters that the name of a profile or job may have.
const NAME: &str = "use letters, digits, `-` and `_`, at most 64 of them";

/// Whether a text can be the name of a profile or a job. It becomes the name of files.
pub(super) fn is_plain_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.len() <= 64 && !text.starts_with('-') && text.chars().all(plain)
}
