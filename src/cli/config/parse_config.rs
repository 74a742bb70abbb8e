//! The configuration file, read with the line of everything.
//!
//! All that is wrong is collected, so that one look at the file repairs it. A text that holds what looks
//! like a token is refused before anything of it could be repeated in a message.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{
    ConfigFile, ConfigPosition, ConfigValue, NAME, Profile, STORES, TokenCommandSetting,
    flag_defaults, is_profile_name, secret_scan,
};
use crate::cli::output::error::CliError;
use crate::import::problem_lines;
use crate::mapping::{Problem, closest_name};

const TOP: [&str; 3] = ["default_profile", "defaults", "profiles"];
const PROFILE: [&str; 7] =
    ["location", "api_url", "token_command", "token_file", "store", "protected", "defaults"];
/// Keys that people would put a secret under.
const SECRET: [&str; 7] =
    ["token", "access_token", "refresh_token", "api_key", "password", "secret", "client_secret"];

/// A value with its place.
pub(super) type SpannedValue<'a, 't> = &'a Spanned<DeValue<'t>>;

/// Where in the file something stands, and what was found wrong so far.
pub(super) struct ConfigParser<'f> {
    file: &'f Path,
    starts: Vec<usize>,
    problems: Vec<Problem>,
}

/// Reads a configuration.
pub(super) fn parse_config(
    bytes: &[u8],
    file: &Path,
    cli: &clap::Command,
) -> Result<ConfigFile, CliError> {
    let mut reader = ConfigParser::new(bytes, file);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = reader.line_at(error.valid_up_to());
        reader.error_for(&Problem::new(line, "this is no UTF-8 text"))
    })?;
    // An editor's mark stays where it is but becomes blank, so that places stay the same.
    let text = text.replacen('\u{feff}', "   ", usize::from(text.starts_with('\u{feff}')));
    if let Some(line) = secret_scan::find_token_line(&text) {
        let problem = Problem::new(line, "this looks like a token, which must not stand here");
        return Err(reader.error_for(&problem.with_hint(INSTEAD)));
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    if let Some(error) = errors.first() {
        return Err(reader.error_for(&reader.toml_syntax_problem(&text, error)));
    }
    let config = reader.parse_top_level(table.get_ref(), cli);
    reader.into_result(config)
}

const INSTEAD: &str = "take it out and make a new one where others may have seen it; `ghl-bulk login` \
    keeps tokens safely, and `token_command` or `token_file` say where one is kept";

impl<'f> ConfigParser<'f> {
    fn new(bytes: &[u8], file: &'f Path) -> Self {
        let breaks = memchr::memchr_iter(b'\n', bytes).map(|at| at + 1);
        Self { file, starts: std::iter::once(0).chain(breaks).collect(), problems: Vec::new() }
    }

    /// The line of a place, from 1.
    fn line_at(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// The place of a key or value.
    pub(super) fn position_of<T>(&self, part: &Spanned<T>) -> ConfigPosition {
        ConfigPosition { file: self.file.to_owned(), line: self.line_at(part.span().start) }
    }

    fn with_position<T, V>(&self, value: T, part: &Spanned<V>) -> ConfigValue<T> {
        ConfigValue { value, place: self.position_of(part) }
    }

    fn toml_syntax_problem(&self, text: &str, error: &toml::de::Error) -> Problem {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = self.line_at(at);
        let column = text.get(self.starts[line - 1]..at).map_or(0, |before| before.chars().count());
        let said = error.message().trim();
        Problem::new(line, format!("column {}: this is no TOML: {said}", column + 1))
    }

    /// The failure of one problem.
    fn error_for(&self, problem: &Problem) -> CliError {
        let file = self.file.display();
        let failure = CliError::usage(format!("{file} line {}: {}", problem.line, problem.message));
        match &problem.hint {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }

    /// The configuration, unless something was wrong with it.
    fn into_result(mut self, config: ConfigFile) -> Result<ConfigFile, CliError> {
        self.problems.sort_by_key(|problem| problem.line);
        let Some((first, others)) = self.problems.split_first() else { return Ok(config) };
        Err(self.error_for(first).with_lines(problem_lines(others)))
    }

    pub(super) fn report_problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn problem_at<T>(&self, part: &Spanned<T>, message: impl Display) -> Problem {
        Problem::new(self.line_at(part.span().start), message.to_string())
    }

    /// Reports a value of a wrong type. The value itself is not repeated.
    pub(super) fn report_wrong_type(&mut self, key: &str, value: SpannedValue, expected: &str) {
        let found = value.get_ref().type_str();
        let found = if found == "datetime" { "date or time" } else { found };
        let message = format!("`{key}` must be {expected}, and is of the type {found}");
        self.report_problem(self.problem_at(value, message));
    }

    /// Reports a key that is none of those known.
    fn report_unknown_key(
        &mut self,
        key: &Spanned<toml::de::DeString>,
        place: &str,
        known: &[&'static str],
    ) {
        let name = key.get_ref().as_ref();
        if SECRET.contains(&name.to_lowercase().replace('-', "_").as_str()) {
            let message =
                format!("`{name}` has no place here: a secret must not stand in this file");
            return self.report_problem(self.problem_at(key, message).with_hint(INSTEAD));
        }
        let list = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let hint = match closest_name(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{place} can have {list}"),
        };
        self.report_problem(
            self.problem_at(key, format!("{place} has no key `{name}`")).with_hint(hint),
        );
    }

    fn parse_top_level(&mut self, table: &DeTable, cli: &clap::Command) -> ConfigFile {
        let mut config = ConfigFile::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "default_profile" => {
                    config.default_profile = self.expect_text("default_profile", value);
                }
                "defaults" => {
                    if let Some(table) = self.expect_table("defaults", value) {
                        config
                            .defaults
                            .extend(flag_defaults::read_defaults(self, table, None, cli));
                    }
                }
                "profiles" => {
                    for (name, value) in self.expect_table("profiles", value).into_iter().flatten()
                    {
                        let (profile, defaults) = self.parse_profile(name, value, cli);
                        config.profiles.push(profile);
                        config.defaults.extend(defaults);
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
        value: SpannedValue,
        cli: &clap::Command,
    ) -> (Profile, Vec<super::FlagDefault>) {
        let mut profile = Profile::with_name(name.get_ref());
        profile.place = Some(self.position_of(name));
        let mut given = Vec::new();
        if !is_profile_name(&profile.name) {
            let message = format!("`{}` cannot be a profile's name", profile.name);
            self.report_problem(self.problem_at(name, message).with_hint(NAME));
        }
        let what = format!("profiles.{}", profile.name);
        let Some(table) = self.expect_table(&what, value) else { return (profile, given) };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "location" => profile.location = self.parse_location(value),
                "api_url" => profile.api_url = self.parse_api_url(value),
                "token_command" => profile.token_command = self.parse_token_command(value),
                "token_file" => profile.token_file = self.parse_path("token_file", value),
                "store" => profile.store = self.parse_store(value),
                "protected" => profile.protected = self.expect_bool("protected", value),
                "defaults" => {
                    if let Some(table) = self.expect_table("defaults", value) {
                        given = flag_defaults::read_defaults(self, table, Some(&profile.name), cli);
                    }
                }
                _ => self.report_unknown_key(key, "a profile", &PROFILE),
            }
        }
        if let (Some(_), Some(second)) = (&profile.token_command, &profile.token_file) {
            let message = "`token_command` and `token_file` exclude each other";
            self.report_problem(
                Problem::new(second.place.line, message).with_hint("keep one of them"),
            );
        }
        (profile, given)
    }

    fn expect_table<'a, 't>(
        &mut self,
        key: &str,
        value: SpannedValue<'a, 't>,
    ) -> Option<&'a DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.report_wrong_type(key, value, "a table");
        }
        table
    }

    fn expect_text(&mut self, key: &str, value: SpannedValue) -> Option<ConfigValue<String>> {
        match value.get_ref().as_str() {
            Some(text) if text.trim().is_empty() => {
                self.report_problem(self.problem_at(value, format_args!("`{key}` is blank")));
                None
            }
            Some(text) => Some(self.with_position(text.trim().to_owned(), value)),
            None => {
                self.report_wrong_type(key, value, "a text");
                None
            }
        }
    }

    fn expect_bool(&mut self, key: &str, value: SpannedValue) -> Option<ConfigValue<bool>> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.report_wrong_type(key, value, "true or false");
        }
        Some(self.with_position(truth?, value))
    }

    fn parse_location(
        &mut self,
        value: SpannedValue,
    ) -> Option<ConfigValue<crate::id::LocationId>> {
        let text = self.expect_text("location", value)?;
        match text.value.parse() {
            Ok(_) if text.value.contains(|c: char| c == ',' || c.is_whitespace()) => {
                let message = "`location` is one location's id";
                let hint = "it stands in the browser's address behind `/location/`; write a profile for each";
                self.report_problem(self.problem_at(value, message).with_hint(hint));
                None
            }
            Ok(location) => Some(ConfigValue { value: location, place: text.place }),
            Err(error) => {
                self.report_problem(self.problem_at(value, format_args!("`location`: {error}")));
                None
            }
        }
    }

    fn parse_api_url(&mut self, value: SpannedValue) -> Option<ConfigValue<String>> {
        let text = self.expect_text("api_url", value)?;
        let wrong = match reqwest::Url::parse(&text.value) {
            Err(_) => "it is no address such as `https://services.leadconnectorhq.com`",
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "it holds a user name or password, which must not stand here"
            }
            Ok(_) => return Some(text),
        };
        self.report_problem(self.problem_at(value, format_args!("`api_url`: {wrong}")));
        None
    }

    fn parse_token_command(
        &mut self,
        value: SpannedValue,
    ) -> Option<ConfigValue<TokenCommandSetting>> {
        const EXPECTED: &str = "a text, or a list of texts: the program and its arguments";
        let command = match value.get_ref() {
            DeValue::String(_) => {
                TokenCommandSetting::Line(self.expect_text("token_command", value)?.value)
            }
            DeValue::Array(items) => {
                let word = |item: &Spanned<DeValue>| item.get_ref().as_str().map(str::to_owned);
                let words: Option<Vec<String>> = items.iter().map(word).collect();
                let Some(words) = words else {
                    self.report_wrong_type("token_command", value, EXPECTED);
                    return None;
                };
                if words.first().is_none_or(|program| program.trim().is_empty()) {
                    self.report_problem(self.problem_at(value, "`token_command` names no program"));
                    return None;
                }
                TokenCommandSetting::List(words)
            }
            _ => {
                self.report_wrong_type("token_command", value, EXPECTED);
                return None;
            }
        };
        Some(self.with_position(command, value))
    }

    /// A path: from `~/` on in the user's directory, otherwise from where the file stands.
    fn parse_path(&mut self, key: &str, value: SpannedValue) -> Option<ConfigValue<PathBuf>> {
        let text = self.expect_text(key, value)?;
        let home = ["HOME", "USERPROFILE"].into_iter().find_map(std::env::var_os);
        let path = match (text.value.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => Path::new(&home).join(rest),
            _ => self.file.parent().unwrap_or(Path::new("")).join(&text.value),
        };
        Some(ConfigValue { value: path, place: text.place })
    }

    fn parse_store(&mut self, value: SpannedValue) -> Option<ConfigValue<String>> {
        let text = self.expect_text("store", value)?;
        if STORES.contains(&text.value.as_str()) {
            return Some(text);
        }
        let message = format!("`store` cannot be `{}`", text.value);
        let hint = match closest_name(&text.value, STORES) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "it can be `keyring`, `file` or `age`".to_owned(),
        };
        self.report_problem(self.problem_at(value, message).with_hint(hint));
        None
    }
}
