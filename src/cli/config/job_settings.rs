//! The jobs of the configuration: each setting is the default of a flag of `job run`.
//!
//! A table, such as `keep = { daily = 14 }`, is a flag that is given once for each of its keys: `--keep daily=14`. A
//! command is a list of texts, which becomes JSON: `--hooks 'before=["mount", "/backup"]'`.

use clap::{Arg, ArgAction};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::flag_defaults::{find_flag, invalid_value_reason, read_default};
use super::parse_config::ConfigParser;
use super::{ConfigValue, DefaultScope, FlagDefault, NAME, is_plain_name};
use crate::toml_doc::{SpannedTomlValue, toml_to_json};

/// Settings that are named differently in a job.
const OTHER_NAMES: [(&str, &str); 4] = [
    ("location", "write `locations = [\"ID\"]`"),
    ("profile", "write `locations = [\"PROFILE\"]`"),
    ("all-locations", "write `locations = \"all\"`"),
    ("location-name", "write `locations = [\"PATTERN*\"]`"),
];
/// Tables whose keys are the flags of a command, which has the same name.
const TABLES_OF_FLAGS: [&str; 2] = ["export", "sync"];

/// Reads a job: its name, and its settings.
pub(super) fn parse_job(
    reader: &mut ConfigParser,
    name: &Spanned<DeString>,
    value: SpannedTomlValue,
    cli: &clap::Command,
) -> (ConfigValue<String>, Vec<FlagDefault>) {
    let job = reader.with_position(name.get_ref().to_string(), name);
    if !is_plain_name(&job.value) {
        let message = format!("`{}` cannot be a job's name", job.value);
        reader.report_with_hint(name, message, NAME);
    }
    let what = format!("jobs.{}", job.value);
    let Some(table) = reader.doc.read_table(&what, value) else { return (job, Vec::new()) };
    let command = ["job", "run"].iter().try_fold(cli, |cli, name| cli.find_subcommand(name));
    let command = command.expect("`job run` exists");
    let mut settings = Vec::new();
    for (key, value) in table {
        let Some((id, values)) = read_setting(reader, key, value, command, cli) else { continue };
        settings.push(FlagDefault {
            scope: DefaultScope::Job(job.value.clone()),
            command: vec!["job".to_owned(), "run".to_owned()],
            id,
            values,
            place: reader.position_of(key),
        });
    }
    (job, settings)
}

fn read_setting(
    reader: &mut ConfigParser,
    key: &Spanned<DeString>,
    value: SpannedTomlValue,
    command: &clap::Command,
    cli: &clap::Command,
) -> Option<(String, Vec<String>)> {
    let written = key.get_ref().as_ref();
    let name = written.replace('_', "-");
    if let Some((_, instead)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        let message = format!("`{written}` is no setting of a job");
        reader.report_with_hint(key, message, instead);
        return None;
    }
    let values = match (find_flag(command, &name), value.get_ref()) {
        (Some(arg), DeValue::Table(table)) if is_repeated(arg) => {
            let pairs = if TABLES_OF_FLAGS.contains(&name.as_str()) {
                let command = cli.find_subcommand(&name).expect("the command exists");
                table_of_flags(reader, table, command)?
            } else {
                table_as_pairs(reader, written, table)?
            };
            (arg, pairs)
        }
        (Some(arg), DeValue::Array(_)) if !is_repeated(arg) => {
            let Some(words) = command_as_json(value.get_ref()) else {
                let expected = "text, or a list of texts: a program and its arguments";
                reader.doc.report_wrong_type(written, value, expected);
                return None;
            };
            (arg, vec![words])
        }
        _ => return read_default(reader, key, value, command),
    };
    let (arg, values) = values;
    for one in &values {
        if let Some((message, hint)) = invalid_value_reason(command, arg, one) {
            let problem = reader.doc.problem_at(value, format!("`{written}` {message}"));
            reader.doc.problems.push(match hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            });
            return None;
        }
    }
    Some((arg.get_id().to_string(), values))
}

fn is_repeated(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The flags of another command, each as it would be typed but for the dashes.
fn table_of_flags(
    reader: &mut ConfigParser,
    table: &DeTable,
    command: &clap::Command,
) -> Option<Vec<String>> {
    let mut pairs = Some(Vec::new());
    for (key, value) in table {
        let Some((id, values)) = read_default(reader, key, value, command) else {
            pairs = None;
            continue;
        };
        let arg = command.get_arguments().find(|arg| *arg.get_id() == *id);
        let long = arg.and_then(Arg::get_long).unwrap_or_default();
        if let Some(pairs) = &mut pairs {
            pairs.extend(values.iter().map(|value| format!("{long}={value}")));
        }
    }
    pairs
}

/// Each key with each of its values.
fn table_as_pairs(
    reader: &mut ConfigParser,
    setting: &str,
    table: &DeTable,
) -> Option<Vec<String>> {
    let mut pairs = Vec::new();
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let values = match value.get_ref() {
            DeValue::Array(items) => items.iter().map(|item| pair_value(item.get_ref())).collect(),
            one => pair_value(one).map(|one| vec![one]),
        };
        let Some(values) = values else {
            let expected = "text, a number or a list of them";
            reader.doc.report_wrong_type(&format!("{setting}.{name}"), value, expected);
            return None;
        };
        pairs.extend(values.iter().map(|value: &String| format!("{name}={value}")));
    }
    Some(pairs)
}

fn pair_value(value: &DeValue) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        list @ DeValue::Array(_) => command_as_json(list),
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// A program and its arguments as a JSON array.
fn command_as_json(value: &DeValue) -> Option<String> {
    let DeValue::Array(words) = value else { return None };
    let all_texts = words.iter().all(|word| word.get_ref().is_str());
    let json = toml_to_json(value).filter(|_| all_texts && !words.is_empty())?;
    Some(json.to_string())
}
