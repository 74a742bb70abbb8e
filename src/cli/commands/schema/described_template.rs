//! The files for other systems: what fills each column, and what an import reads from it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::mapping::preset::{self, ExportTemplate, Preset, PresetDirection};
use crate::text::escape_for_terminal;

/// A column of a file.
struct DescribedColumn<'p> {
    name: &'p str,
    /// The fields that fill it; the first one with a value does.
    from: Vec<String>,
    /// The fields that an import writes it to; none if it is not read.
    to: Vec<String>,
}

/// The built-in presets that have a template.
fn templates() -> impl Iterator<Item = (&'static Preset, &'static ExportTemplate)> {
    let presets = preset::builtin_presets().iter();
    presets.filter_map(|preset| preset.template.as_ref().map(|template| (preset, template)))
}

fn describe_columns<'p>(
    preset: &'p Preset,
    template: &'p ExportTemplate,
) -> Vec<DescribedColumn<'p>> {
    let targets = |column: &str| {
        let rules = preset.mapping.rules.iter();
        let reading =
            rules.filter(|rule| rule.from.iter().any(|from| from.eq_ignore_ascii_case(column)));
        let mut targets: Vec<String> = reading.map(|rule| rule.to.to_string()).collect();
        targets.dedup();
        targets
    };
    let columns = template.columns.iter().map(|column| DescribedColumn {
        name: &column.name,
        from: column.fill.iter().map(ToString::to_string).collect(),
        to: targets(&column.name),
    });
    columns.collect()
}

/// The files as text, a line for each column.
pub(super) fn templates_text() -> String {
    let mut text = String::new();
    for (preset, template) in templates() {
        let systems = template.systems.join(", ");
        let name = &preset.name;
        let read = match preset.direction {
            PresetDirection::Export => "never imported".to_owned(),
            _ => format!("read by `import --preset {name}`"),
        };
        // Writing to a string never fails.
        let _ = writeln!(
            text,
            "{} ({systems}{}): {}, written by `export --template {name}`, {read}",
            escape_for_terminal(&template.file),
            if template.is_upload { "; for upload: no `'` before formulas" } else { "" },
            template.tables.join(" and "),
        );
        for column in describe_columns(preset, template) {
            let from = if column.from.is_empty() {
                "(empty)".to_owned()
            } else {
                column.from.join(", else ")
            };
            let to =
                if column.to.is_empty() { "(not read)".to_owned() } else { column.to.join(", ") };
            let _ = writeln!(text, "  {from:<44} -> {:<16} -> {to}", column.name);
        }
        text.push('\n');
    }
    text
}

/// The files as JSON.
pub(super) fn templates_json() -> Value {
    let files = templates().map(|(preset, template)| {
        let columns = describe_columns(preset, template).into_iter().map(
            |DescribedColumn { name, from, to }| json!({ "name": name, "from": from, "to": to }),
        );
        json!({
            "file": template.file, "preset": preset.name, "systems": template.systems,
            "tables": template.tables, "upload": template.is_upload, "columns": columns.collect::<Vec<_>>(),
        })
    });
    files.collect()
}
