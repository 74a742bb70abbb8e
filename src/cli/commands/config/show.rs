//! What was explained, as a table for people or as JSON for programs.

use serde_json::{Value, json};

use super::explain::{Entry, Explained, Source};
use crate::cli::output::text_format::{safe, safe_json};

/// A table whose columns stand in line, in a pipe, too.
pub(crate) fn text(explained: &Explained) -> String {
    let rows = |entries: &[Entry]| entries.iter().map(row).collect::<Vec<_>>();
    let mut all = vec![["SETTING", "VALUE", "FROM"].map(str::to_owned)];
    all.extend(rows(&explained.settings));
    all.push([String::new(), String::new(), String::new()]);
    let whose =
        explained.command.as_deref().map(|command| format!("FLAG OF {}", command.to_uppercase()));
    all.push([whose.unwrap_or_else(|| "FLAG".to_owned()), "VALUE".to_owned(), "FROM".to_owned()]);
    all.extend(rows(&explained.flags));
    let width =
        |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, values) = (width(0), width(1));
    let line = |[name, value, from]: &[String; 3]| {
        let line = format!("{name:<names$}  {value:<values$}  {from}");
        format!("{}\n", line.trim_end())
    };
    all.iter().map(line).collect()
}

fn row(entry: &Entry) -> [String; 3] {
    let value = entry.value.as_deref().unwrap_or("-");
    [
        safe(&entry.name).into_owned(),
        safe(value).into_owned(),
        safe(&from(&entry.source)).into_owned(),
    ]
}

fn from(source: &Source) -> String {
    match source {
        Source::Flag => "flag".to_owned(),
        Source::Variable(name) => format!("environment variable {name}"),
        Source::Config(place, profile) => {
            let profile = profile.as_ref().map(|name| format!(" [profile {name}]"));
            format!("config.toml line {}{}", place.line, profile.unwrap_or_default())
        }
        Source::Stored => "stored by `ghl-bulk login`".to_owned(),
        Source::BuiltIn => "default".to_owned(),
        Source::Unset => "not set".to_owned(),
    }
}

/// One object on one line; every entry has all keys.
pub(crate) fn json(explained: &Explained) -> String {
    let all = |entries: &[Entry]| entries.iter().map(fields).collect::<Vec<_>>();
    let text = json!({
        "command": explained.command,
        "settings": all(&explained.settings),
        "flags": all(&explained.flags),
    });
    safe_json(text.to_string()) + "\n"
}

fn fields(entry: &Entry) -> Value {
    let (kind, variable, line, profile) = match &entry.source {
        Source::Flag => ("flag", None, None, None),
        Source::Variable(name) => ("environment", Some(name), None, None),
        Source::Config(place, profile) => ("config", None, Some(place.line), profile.as_ref()),
        Source::Stored => ("stored", None, None, None),
        Source::BuiltIn => ("default", None, None, None),
        Source::Unset => ("unset", None, None, None),
    };
    json!({
        "name": entry.name, "value": entry.value, "source": kind, "variable": variable,
        "line": line, "profile": profile,
    })
}
