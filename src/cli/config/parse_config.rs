//! The configuration file, read with the line of everything.
//!
//! All errors are collected, so that the file can be repaired at once. A text that contains what looks
//! like a token is refused before anything of it could be repeated in a message.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{
    ConfigFile, ConfigPosition, ConfigValue, DefaultScope, NAME, Profile, TokenCommandSetting,
    flag_defaults, is_plain_name, job_settings, secret_scan,
};
use crate::auth::CredentialStoreKind;
use crate::cli::output::error::CliError;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::toml_doc::{SpannedTomlValue, TomlDocument};

const TOP: [&str; 6] =
    ["default_profile", "default_repository", "defaults", "jobs", "profiles", "repositories"];
const PROFILE: [&str; 7] =
    ["location", "api_url", "token_command", "token_file", "store", "protected", "defaults"];
/// Keys that people would put a secret under.
const SECRET: [&str; 7] =
    ["token", "access_token", "refresh_token", "api_key", "password", "secret", "client_secret"];

/// The file, and what was found wrong so far.
pub(super) struct ConfigParser<'f> {
    file: &'f Path,
    pub(super) doc: TomlDocument,
}

/// Reads a configuration.
pub(super) fn parse_config(
    bytes: &[u8],
    file: &Path,
    cli: &clap::Command,
) -> Result<ConfigFile, CliError> {
    let mut reader = ConfigParser { file, doc: TomlDocument::new(bytes, DiagnosticCode::E_CONFIG) };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = reader.doc.line_at(error.valid_up_to());
        reader.error_for(&reader.doc.problem_at_line(line, "this is not UTF-8 text"))
    })?;
    // An editor's mark stays where it is but becomes blank, so that places stay the same.
    let text = text.replacen('\u{feff}', "   ", usize::from(text.starts_with('\u{feff}')));
    if let Some(line) = secret_scan::find_token_line(&text) {
        let problem = reader
            .doc
            .problem_at_line(line, "this looks like a token, which must not be in this file");
        return Err(reader.error_for(&problem.with_hint(INSTEAD)));
    }
    let config = match reader.doc.parse_document(&text) {
        Some(table) => reader.parse_top_level(&table, cli),
        None => ConfigFile::default(),
    };
    reader.into_result(config)
}

const INSTEAD: &str = "remove it, and replace the token if others may have seen it; `ghl-bulk login` \
    stores tokens safely, and `token_command` or `token_file` say where one is kept";

impl ConfigParser<'_> {
    /// The place of a key or value.
    pub(super) fn position_of<T>(&self, part: &Spanned<T>) -> ConfigPosition {
        ConfigPosition { file: self.file.to_owned(), line: self.doc.line_of(part) }
    }

    pub(super) fn with_position<T, V>(&self, value: T, part: &Spanned<V>) -> ConfigValue<T> {
        ConfigValue { value, place: self.position_of(part) }
    }

    /// The failure of one problem.
    fn error_for(&self, problem: &Diagnostic) -> CliError {
        let file = self.file.display();
        let (code, message) = (problem.code, problem.message_with_place());
        let failure = CliError::usage(format!("{file} {message} ({code})"));
        match &problem.hint {
            Some(hint) => failure.with_hint(hint.as_ref()),
            None => failure,
        }
    }

    /// The configuration, unless something was wrong with it.
    fn into_result(mut self, config: ConfigFile) -> Result<ConfigFile, CliError> {
        self.doc.problems.sort_by_key(|problem| problem.place.line);
        let Some((first, others)) = self.doc.problems.split_first() else { return Ok(config) };
        let lines = others.iter().map(|problem| problem.list_line(first.code)).collect();
        Err(self.error_for(first).with_lines(lines))
    }

    pub(super) fn report<T>(&mut self, part: &Spanned<T>, message: impl Display) {
        self.doc.report_problem(self.doc.line_of(part), message);
    }

    pub(super) fn report_with_hint<T>(
        &mut self,
        part: &Spanned<T>,
        message: impl Display,
        hint: &str,
    ) {
        let problem = self.doc.problem_at(part, message).with_hint(hint);
        self.doc.problems.push(problem);
    }

    pub(super) fn report_unknown_key(
        &mut self,
        key: &Spanned<toml::de::DeString>,
        place: &str,
        known: &[&'static str],
    ) {
        let name = key.get_ref().as_ref();
        if SECRET.contains(&name.to_lowercase().replace('-', "_").as_str()) {
            let message = format!("`{name}` is not allowed: a secret must not be in this file");
            return self.report_with_hint(key, message, INSTEAD);
        }
        self.doc.report_unknown_key(self.doc.line_of(key), name, place, known);
    }

    fn parse_top_level(&mut self, table: &DeTable, cli: &clap::Command) -> ConfigFile {
        let mut config = ConfigFile::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "default_profile" => {
                    config.default_profile = self.read_setting("default_profile", value);
                }
                "default_repository" => {
                    config.default_repository = self.read_setting("default_repository", value);
                }
                "repositories" => {
                    if let Some(table) = self.doc.read_table("repositories", value) {
                        config.repositories = self.parse_repositories(table);
                    }
                }
                "defaults" => {
                    if let Some(table) = self.doc.read_table("defaults", value) {
                        config.defaults.extend(flag_defaults::read_defaults(
                            self,
                            table,
                            &DefaultScope::All,
                            cli,
                        ));
                    }
                }
                "profiles" => {
                    for (name, value) in
                        self.doc.read_table("profiles", value).into_iter().flatten()
                    {
                        let (profile, defaults) = self.parse_profile(name, value, cli);
                        config.profiles.push(profile);
                        config.defaults.extend(defaults);
                    }
                }
                "jobs" => {
                    for (name, value) in self.doc.read_table("jobs", value).into_iter().flatten() {
                        let (name, settings) = job_settings::parse_job(self, name, value, cli);
                        config.jobs.push(name);
                        config.defaults.extend(settings);
                    }
                }
                _ => self.report_unknown_key(key, "the file", &TOP),
            }
        }
        config
    }

    fn parse_profile(
        &mut self,
        name: &Spanned<toml::de::DeString>,
        value: SpannedTomlValue,
        cli: &clap::Command,
    ) -> (Profile, Vec<super::FlagDefault>) {
        let mut profile = Profile::with_name(name.get_ref());
        profile.place = Some(self.position_of(name));
        let mut given = Vec::new();
        if !is_plain_name(&profile.name) {
            let message = format!("`{}` cannot be a profile's name", profile.name);
            self.report_with_hint(name, message, NAME);
        }
        let what = format!("profiles.{}", profile.name);
        let Some(table) = self.doc.read_table(&what, value) else { return (profile, given) };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "location" => profile.location = self.parse_location(value),
                "api_url" => profile.api_url = self.parse_api_url(value),
                "token_command" => {
                    profile.token_command = self.parse_command("token_command", value);
                }
                "token_file" => profile.token_file = self.parse_path("token_file", value),
                "store" => profile.store = self.parse_store(value),
                "protected" => {
                    let protected = self.doc.read_bool("protected", value);
                    profile.protected = protected.map(|it| self.with_position(it, value));
                }
                "defaults" => {
                    if let Some(table) = self.doc.read_table("defaults", value) {
                        let scope = DefaultScope::Profile(profile.name.clone());
                        given = flag_defaults::read_defaults(self, table, &scope, cli);
                    }
                }
                _ => self.report_unknown_key(key, "a profile", &PROFILE),
            }
        }
        if let (Some(_), Some(second)) = (&profile.token_command, &profile.token_file) {
            let message = "`token_command` and `token_file` exclude each other";
            let problem = self.doc.problem_at_line(second.place.line, message);
            self.doc.problems.push(problem.with_hint("keep one of them"));
        }
        (profile, given)
    }

    /// A text without outer blanks.
    pub(super) fn read_setting(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<ConfigValue<String>> {
        let text = self.doc.read_non_blank_text(key, value)?;
        Some(self.with_position(text.trim().to_owned(), value))
    }

    fn parse_location(
        &mut self,
        value: SpannedTomlValue,
    ) -> Option<ConfigValue<crate::id::LocationId>> {
        let text = self.read_setting("location", value)?;
        match text.value.parse() {
            Ok(_) if text.value.contains(|c: char| c == ',' || c.is_whitespace()) => {
                let message = "`location` must be the id of one location";
                let hint =
                    "in the browser's address it follows `/location/`; write a profile for each";
                self.report_with_hint(value, message, hint);
                None
            }
            Ok(location) => Some(ConfigValue { value: location, place: text.place }),
            Err(error) => {
                self.report(value, format_args!("`location`: {error}"));
                None
            }
        }
    }

    fn parse_api_url(&mut self, value: SpannedTomlValue) -> Option<ConfigValue<String>> {
        let text = self.read_setting("api_url", value)?;
        let wrong = match reqwest::Url::parse(&text.value) {
            Err(_) => "it is not an address such as `https://services.leadconnectorhq.com`",
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "it holds a user name or password, which must not be in this file"
            }
            Ok(_) => return Some(text),
        };
        self.report(value, format_args!("`api_url`: {wrong}"));
        None
    }

    /// A command: a line for the shell, or a program with its arguments.
    pub(super) fn parse_command(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<ConfigValue<TokenCommandSetting>> {
        const EXPECTED: &str = "text, or a list of texts: the program and its arguments";
        let command = match value.get_ref() {
            DeValue::String(_) => TokenCommandSetting::Line(self.read_setting(key, value)?.value),
            DeValue::Array(items) => {
                let word = |item: &Spanned<DeValue>| item.get_ref().as_str().map(str::to_owned);
                let words: Option<Vec<String>> = items.iter().map(word).collect();
                let Some(words) = words else {
                    self.doc.report_wrong_type(key, value, EXPECTED);
                    return None;
                };
                if words.first().is_none_or(|program| program.trim().is_empty()) {
                    self.report(value, format_args!("`{key}` does not name a program"));
                    return None;
                }
                TokenCommandSetting::List(words)
            }
            _ => {
                self.doc.report_wrong_type(key, value, EXPECTED);
                return None;
            }
        };
        Some(self.with_position(command, value))
    }

    /// A path: in the user's directory after `~/`, otherwise relative to the file's directory.
    pub(super) fn parse_path(
        &mut self,
        key: &str,
        value: SpannedTomlValue,
    ) -> Option<ConfigValue<PathBuf>> {
        let text = self.read_setting(key, value)?;
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(std::env::var_os);
        let path = match (text.value.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => self.file.parent().unwrap_or(Path::new("")).join(&text.value),
        };
        Some(ConfigValue { value: path, place: text.place })
    }

    fn parse_store(&mut self, value: SpannedTomlValue) -> Option<ConfigValue<CredentialStoreKind>> {
        let store = self.doc.read_choice("store", value)?;
        Some(self.with_position(store, value))
    }
}
