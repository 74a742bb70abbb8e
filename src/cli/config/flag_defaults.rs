//! Defaults of flags: read from the file, checked against the existing flags, and set beneath what was
//! given.
//!
//! A default counts as its flag, only weaker: a flag that is given and one that excludes it
//! make it give way. What a value means is asked of clap, which takes it as if it were typed.

use std::any::TypeId;
use std::cmp::Reverse;
use std::collections::BTreeSet;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::ConfigPosition;
use super::parse_config::ConfigParser;
use crate::mapping::closest_name;
use crate::toml_doc::SpannedTomlValue;

/// Flags without a default, and why.
const NEVER: [(&str, &str); 7] = [
    ("yes", "an import would then be applied without confirmation"),
    ("confirm-location", "it is a check to make each time"),
    ("confirm-delete", "it is a check to make each time"),
    ("allow-http", "it exposes the token to the network and must be visible where it is used"),
    ("profile", "write `default_profile = \"NAME\"` at the top of the file"),
    ("location", "write `location = \"ID\"` below `[profiles.NAME]`"),
    ("api-url", "write `api_url = \"URL\"` below `[profiles.NAME]`"),
];
/// A default of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct FlagDefault {
    /// The job or profile that it is for.
    pub(in crate::cli) scope: DefaultScope,
    /// The command that it is for, such as `runs publish`; all that have the flag, if empty.
    pub(super) command: Vec<String>,
    /// The flag's name in clap.
    pub(in crate::cli) id: String,
    /// As they would be typed.
    pub(super) values: Vec<String>,
    pub(in crate::cli) place: ConfigPosition,
}

/// What a default holds for, strongest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum DefaultScope {
    /// A job of this name.
    Job(String),
    /// Commands with this profile.
    Profile(String),
    /// Everything.
    All,
}

/// The call that defaults are looked up for.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct DefaultsCall<'a> {
    pub(in crate::cli) profile: Option<&'a str>,
    /// The job that `job run` runs.
    pub(in crate::cli) job: Option<&'a str>,
    /// The command, such as `["runs", "publish"]`.
    pub(in crate::cli) path: &'a [&'a str],
    /// The flags that were given, by clap's names.
    pub(in crate::cli) given: &'a BTreeSet<String>,
}

impl DefaultsCall<'_> {
    fn is_in(&self, scope: &DefaultScope) -> bool {
        match scope {
            DefaultScope::Job(name) => self.job == Some(name),
            DefaultScope::Profile(name) => self.profile == Some(name),
            DefaultScope::All => true,
        }
    }
}

/// The defaults that hold in a call, strongest first and one for a flag.
pub(in crate::cli) type AppliedDefaults<'c> = Vec<&'c FlagDefault>;

/// Reads a table of defaults, with those of single commands in tables of their own.
pub(super) fn read_defaults(
    reader: &mut ConfigParser,
    table: &DeTable,
    scope: &DefaultScope,
    cli: &clap::Command,
) -> Vec<FlagDefault> {
    let mut found = Vec::new();
    collect_defaults(reader, table, scope, &mut Vec::new(), cli, &mut found);
    found
}

fn collect_defaults(
    reader: &mut ConfigParser,
    table: &DeTable,
    scope: &DefaultScope,
    command: &mut Vec<String>,
    cli: &clap::Command,
    found: &mut Vec<FlagDefault>,
) {
    for (key, value) in table {
        if let DeValue::Table(inner) = value.get_ref() {
            // `import` is a command where `map` can be a flag, too: a table is always a command.
            match direct_subcommands(cli).find(|below| below.get_name() == key.get_ref().as_ref()) {
                Some(cli) => {
                    command.push(cli.get_name().to_owned());
                    collect_defaults(reader, inner, scope, command, cli, found);
                    command.pop();
                }
                None => report_unknown_command(reader, key, cli),
            }
            continue;
        }
        let Some((id, values)) = read_default(reader, key, value, cli) else { continue };
        let default = FlagDefault {
            scope: scope.clone(),
            command: command.clone(),
            id,
            values,
            place: reader.position_of(key),
        };
        found.push(default);
    }
}

/// The commands right below a command.
fn direct_subcommands(cli: &clap::Command) -> impl Iterator<Item = &clap::Command> {
    cli.get_subcommands().filter(|command| command.get_name() != "help")
}

/// The command itself and all below it.
fn command_and_descendants(cli: &clap::Command) -> Vec<&clap::Command> {
    let below = direct_subcommands(cli).flat_map(command_and_descendants);
    std::iter::once(cli).chain(below).collect()
}

/// Who has a flag of this name, and the flag: the command itself, or else those below it.
fn flag_owners<'c>(cli: &'c clap::Command, name: &str) -> Vec<(&'c clap::Command, &'c Arg)> {
    let own = |cli: &'c clap::Command| Some((cli, find_flag(cli, name)?));
    match own(cli) {
        Some(own) => vec![own],
        None => command_and_descendants(cli).into_iter().filter_map(own).collect(),
    }
}

pub(super) fn find_flag<'c>(cli: &'c clap::Command, name: &str) -> Option<&'c Arg> {
    let named = |arg: &&Arg| {
        arg.get_long() == Some(name)
            || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    };
    cli.get_arguments().find(named)
}

/// One default, if nothing is wrong with it.
pub(super) fn read_default(
    reader: &mut ConfigParser,
    key: &Spanned<DeString>,
    value: SpannedTomlValue,
    cli: &clap::Command,
) -> Option<(String, Vec<String>)> {
    let written = key.get_ref().as_ref();
    let name = written.replace('_', "-");
    if let Some((_, why)) = NEVER.iter().find(|(never, _)| *never == name) {
        let message = format!("`{written}` cannot have a default");
        reader.doc.problems.push(reader.doc.problem_at(key, message).with_hint(*why));
        return None;
    }
    let owners = flag_owners(cli, &name);
    let Some((_, arg)) = owners.first() else {
        report_unknown_flag(reader, key, &name, cli);
        return None;
    };
    let values = values_as_typed(reader, written, value, arg)?;
    for (owner, arg) in &owners {
        if let Some((message, hint)) =
            values.iter().find_map(|value| invalid_value_reason(owner, arg, value))
        {
            let message = match owners.len() {
                1 => format!("`{written}` {message}"),
                _ => format!("`{written}` of `{}` {message}", owner.get_name()),
            };
            let problem = reader.doc.problem_at(value, message);
            reader.doc.problems.push(match hint {
                Some(hint) => problem.with_hint(hint),
                None => problem,
            });
            return None;
        }
    }
    Some((arg.get_id().to_string(), values))
}

fn report_unknown_flag(
    reader: &mut ConfigParser,
    key: &Spanned<DeString>,
    name: &str,
    cli: &clap::Command,
) {
    let family = command_and_descendants(cli);
    let args = family.iter().flat_map(|command| command.get_arguments());
    let names: BTreeSet<&str> =
        args.filter_map(Arg::get_long).filter(|name| !cannot_have_default(name)).collect();
    let whose = match cli.get_bin_name().filter(|_| cli.get_name() != "ghl-bulk") {
        Some(name) => format!("`{name}` has no flag"),
        None => "no command has a flag".to_owned(),
    };
    let problem = reader.doc.problem_at(key, format!("{whose} `{}`", key.get_ref()));
    reader.doc.problems.push(match closest_name(name, names) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem
            .with_hint("`--help` of a command lists its flags; they are written without `--`"),
    });
}

fn cannot_have_default(name: &str) -> bool {
    matches!(name, "help" | "version") || NEVER.iter().any(|(never, _)| *never == name)
}

fn report_unknown_command(reader: &mut ConfigParser, key: &Spanned<DeString>, cli: &clap::Command) {
    let name = key.get_ref().as_ref();
    let problem = reader.doc.problem_at(key, format!("there is no command `{name}`"));
    let names: Vec<&str> = direct_subcommands(cli).map(clap::Command::get_name).collect();
    reader.doc.problems.push(match closest_name(name, names.iter().copied()) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None if names.is_empty() => problem.with_hint("the default of a flag cannot be a table"),
        None => problem.with_hint(format!("there are `{}`", names.join("`, `"))),
    });
}

/// A value as it would be typed.
fn values_as_typed(
    reader: &mut ConfigParser,
    key: &str,
    value: SpannedTomlValue,
    arg: &Arg,
) -> Option<Vec<String>> {
    let several = matches!(arg.get_action(), ArgAction::Append);
    let expected = match arg.get_action() {
        _ if arg.get_value_parser().type_id() == TypeId::of::<bool>() => "true or false",
        ArgAction::Count => "a whole number",
        ArgAction::Append => "text, a number or a list of them",
        _ => "text or a number",
    };
    let typed = |value: &DeValue| match value {
        DeValue::Boolean(truth) => (expected == "true or false").then(|| truth.to_string()),
        _ if expected == "true or false" => None,
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number.to_string()),
        _ if expected == "a whole number" => None,
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Datetime(time) => Some(time.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    };
    let values = match value.get_ref() {
        DeValue::Array(items) if several => {
            items.iter().map(|item| typed(item.get_ref())).collect::<Option<Vec<_>>>()
        }
        one => typed(one).map(|one| vec![one]),
    };
    if values.is_none() {
        reader.doc.report_wrong_type(key, value, expected);
    }
    values
}

/// Why a command would refuse a value of a flag, and what to do.
pub(super) fn invalid_value_reason(
    cli: &clap::Command,
    arg: &Arg,
    value: &str,
) -> Option<(String, Option<String>)> {
    let name = arg.get_long()?;
    if matches!(arg.get_action(), ArgAction::Count) {
        let fits = value.parse::<u8>();
        return fits.is_err().then(|| ("must be a number from 0 to 255".to_owned(), None));
    }
    let words = [cli.get_name().to_owned(), format!("--{name}={value}")];
    let error = cli.clone().try_get_matches_from(words).err()?;
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => Some(("is blank".to_owned(), None)),
        ErrorKind::InvalidValue => {
            let valid = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(valid)) => valid.clone(),
                _ => Vec::new(),
            };
            let near = closest_name(value, valid.iter().map(String::as_str));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let hint = hint.unwrap_or_else(|| format!("it can be `{}`", valid.join("`, `")));
            Some((format!("cannot be `{value}`"), Some(hint)))
        }
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(&error).map(ToString::to_string);
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            Some((format!("cannot be `{value}`{why}"), None))
        }
        ErrorKind::WrongNumberOfValues
        | ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::NoEquals
        | ErrorKind::InvalidUtf8 => Some((format!("cannot be `{value}`"), None)),
        // All else is about other arguments.
        _ => None,
    }
}

/// The defaults that hold for a call: those of the job before those of the profile before the general ones, and those
/// of the command before those of all. What was given, and what excludes it, makes a default give way. `cli` is asked
/// only when there is a default to ask about.
pub(super) fn applicable_defaults<'c>(
    all: &'c [FlagDefault],
    call: &DefaultsCall<'_>,
    cli: impl FnOnce() -> clap::Command,
) -> AppliedDefaults<'c> {
    let fits = |default: &&FlagDefault| {
        call.is_in(&default.scope)
            && default.command.len() <= call.path.len()
            && default.command.iter().zip(call.path).all(|(one, other)| one == other)
    };
    let mut fitting: Vec<&FlagDefault> = all.iter().filter(fits).collect();
    fitting.sort_by_key(|it| (&it.scope, Reverse(it.command.len()), it.place.line));
    if fitting.is_empty() {
        return fitting;
    }
    let cli = cli();
    let cli = subcommand_at(&cli, call.path);
    let mut taken = call.given.clone();
    let mut applied = Vec::new();
    for default in fitting {
        let Some(arg) = cli.get_arguments().find(|arg| *arg.get_id() == default.id) else {
            continue;
        };
        if taken.contains(&default.id) || conflicts_with_given(cli, arg, &taken) {
            continue;
        }
        taken.insert(default.id.clone());
        applied.push(default);
    }
    applied
}

/// The command at a path, which is known to exist.
pub(in crate::cli) fn subcommand_at<'c>(
    cli: &'c clap::Command,
    path: &[&str],
) -> &'c clap::Command {
    path.iter().fold(cli, |cli, name| cli.find_subcommand(name).expect("clap has parsed it"))
}

/// Whether a flag and one of those given exclude each other.
fn conflicts_with_given(cli: &clap::Command, arg: &Arg, given: &BTreeSet<String>) -> bool {
    let named = |one: &Arg, id: &str| {
        cli.get_arg_conflicts_with(one).iter().any(|other| *other.get_id() == id)
    };
    let others = cli.get_arguments().filter(|other| given.contains(other.get_id().as_str()));
    let id = arg.get_id().as_str();
    others.into_iter().any(|other| named(arg, other.get_id().as_str()) || named(other, id))
}

/// The command line with these defaults for the command at a path.
pub(in crate::cli) fn apply_defaults(
    cli: clap::Command,
    path: &[&str],
    applied: &AppliedDefaults,
) -> clap::Command {
    applied.iter().fold(cli, |cli, default| set_default_value(cli, path, default))
}

fn set_default_value(cli: clap::Command, path: &[&str], default: &FlagDefault) -> clap::Command {
    let own = cli.get_arguments().any(|arg| *arg.get_id() == default.id);
    match path.split_first() {
        _ if own => cli.mut_arg(&default.id, |arg| arg.default_values(default.values.clone())),
        Some((name, rest)) => cli.mut_subcommand(name, |cli| set_default_value(cli, rest, default)),
        None => cli,
    }
}

/// The command line in which an on/off flag can be taken back: `--wait=false`. Only for parsing: help
/// shows flags as they are.
pub(in crate::cli) fn accept_switch_values(cli: clap::Command) -> clap::Command {
    let switch = |arg: Arg| {
        if !matches!(arg.get_action(), ArgAction::SetTrue) {
            return arg;
        }
        arg.action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(clap::value_parser!(bool))
            .default_missing_value("true")
            .default_value("false")
    };
    cli.mut_args(switch).mut_subcommands(accept_switch_values)
}
