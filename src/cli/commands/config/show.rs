//! Shows the explanation as a table or as JSON.

use serde_json::{Value, json};

use super::explain::{ConfigExplanation, ExplainedSetting, SettingSource};
use crate::text::{escape_for_terminal, escape_json_line};

/// A table with aligned columns, also in a pipe.
pub(crate) fn render_table(explained: &ConfigExplanation) -> String {
    let rows = |entries: &[ExplainedSetting]| entries.iter().map(table_row).collect::<Vec<_>>();
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

fn table_row(entry: &ExplainedSetting) -> [String; 3] {
    let value = entry.value.as_deref().unwrap_or("-");
    [
        escape_for_terminal(&entry.name).into_owned(),
        escape_for_terminal(value).into_owned(),
        escape_for_terminal(&source_label(&entry.source)).into_owned(),
    ]
}

fn source_label(source: &SettingSource) -> String {
    match source {
        SettingSource::Flag => "flag".to_owned(),
        SettingSource::Variable(name) => format!("environment variable {name}"),
        SettingSource::Config(place, profile) => {
            let profile = profile.as_ref().map(|name| format!(" [profile {name}]"));
            format!("config.toml line {}{}", place.line, profile.unwrap_or_default())
        }
        SettingSource::Stored => "stored by `ghl-bulk login`".to_owned(),
        SettingSource::BuiltIn => "default".to_owned(),
        SettingSource::Unset => "not set".to_owned(),
    }
}

/// One object on one line; every entry has all keys.
pub(crate) fn render_json(explained: &ConfigExplanation) -> String {
    let all = |entries: &[ExplainedSetting]| entries.iter().map(entry_json).collect::<Vec<_>>();
    let text = json!({
        "command": explained.command,
        "settings": all(&explained.settings),
        "flags": all(&explained.flags),
    });
    escape_json_line(text.to_string()) + "\n"
}

fn entry_json(entry: &ExplainedSetting) -> Value {
    let (kind, variable, line, profile) = match &entry.source {
        SettingSource::Flag => ("flag", None, None, None),
        SettingSource::Variable(name) => ("environment", Some(name), None, None),
        SettingSource::Config(place, profile) => {
            ("config", None, Some(place.line), profile.as_ref())
        }
        SettingSource::Stored => ("stored", None, None, None),
        SettingSource::BuiltIn => ("default", None, None, None),
        SettingSource::Unset => ("unset", None, None, None),
    };
    json!({
        "name": entry.name, "value": entry.value, "source": kind, "variable": variable,
        "line": line, "profile": profile,
    })
}
