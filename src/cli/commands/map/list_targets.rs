//! The targets that a column can have: those of every location, and the custom fields of this one.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::mapping::{
    TargetDescription, custom_field_target, describe_builtin_targets, is_writable_field,
};
use crate::model::directory::CustomField;
use crate::text::{escape_for_terminal, escape_json_line, truncate_text};

/// How many characters of a field's options are shown.
const LONGEST_OPTIONS: usize = 60;

/// Lists the targets on stdout. `fields` are the location's custom fields, if they are known.
pub(crate) fn print_targets(
    fields: Option<&[CustomField]>,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let targets = describe_builtin_targets();
    let text = if settings.json {
        let targets: Vec<Value> = targets.iter().map(target_json).collect();
        let fields =
            fields.map(|all| all.iter().map(|field| field_json(field, all)).collect::<Vec<_>>());
        let all = json!({ "targets": targets, "custom_fields": fields });
        escape_json_line(all.to_string()) + "\n"
    } else {
        format_targets(&targets) + &format_fields(fields)
    };
    print_stdout(&text)?;
    Ok(CliExitCode::Done)
}

fn target_json(target: &TargetDescription) -> Value {
    json!({
        "target": target.name, "what": target.meaning,
        "several_columns": target.accepts_multiple_columns,
    })
}

fn field_json(field: &CustomField, all: &[CustomField]) -> Value {
    json!({
        "target": custom_field_target(field, all).to_string(), "label": field.name, "key": field.key, "id": field.id,
        "type": field.data_type, "options": field.options, "writable": is_writable_field(field),
    })
}

fn format_targets(targets: &[TargetDescription]) -> String {
    let width = column_width("TARGET", targets.iter().map(|target| target.name.as_str()));
    let mut text = format!("{:<width$}  {}\n", "TARGET", "WHAT");
    for target in targets {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{:<width$}  {}", target.name, target.meaning);
    }
    text
}

fn format_fields(fields: Option<&[CustomField]>) -> String {
    let Some(fields) = fields else { return String::new() };
    if fields.is_empty() {
        return "\nThe location has no custom fields.\n".to_owned();
    }
    let shown = |text: &str| escape_for_terminal(text).into_owned();
    let rows: Vec<[String; 3]> = fields
        .iter()
        .map(|field| {
            let target = custom_field_target(field, fields).to_string();
            [shown(&target), shown(&field.data_type), shown(&field.name)]
        })
        .collect();
    let width =
        |at: usize, title| column_width(title, rows.iter().map(move |row| row[at].as_str()));
    let (name, kind, label) = (width(0, "CUSTOM FIELD"), width(1, "TYPE"), width(2, "LABEL"));
    let mut text = format!(
        "\n{:<name$}  {:<kind$}  {:<label$}  {}\n",
        "CUSTOM FIELD", "TYPE", "LABEL", "OPTIONS"
    );
    for ([target, data_type, title], field) in rows.iter().zip(fields) {
        let options = if is_writable_field(field) {
            shown(&truncate_text(&field.options.join(", "), LONGEST_OPTIONS))
        } else {
            "(cannot be written)".to_owned()
        };
        let line = format!("{target:<name$}  {data_type:<kind$}  {title:<label$}  {options}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The width of the longest text, in characters.
fn column_width<'t>(title: &'t str, texts: impl Iterator<Item = &'t str>) -> usize {
    texts.chain([title]).map(|text| text.chars().count()).max().unwrap_or(0)
}
