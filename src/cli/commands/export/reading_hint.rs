//! How to read the files of an export: the commands that are printed at its end.
//!
//! None of them guesses a type that the file does not say: phone numbers and postal codes stay text.

use crate::cli::config::dirs;
use crate::event::{ExportReport, WrittenFile};
use crate::import::PresetLibrary;
use crate::resource::ResourceSpec;
use crate::text::{escape_for_terminal, quote_path_for_shell};

/// Whether files of a preset can be imported.
fn is_importable(preset: &str) -> bool {
    let presets = PresetLibrary::load(dirs::presets_dir().as_deref());
    presets.is_ok_and(|presets| presets.find_for_import(preset).is_ok())
}

/// The commands for what was written.
pub(super) fn reading_hint(report: &ExportReport) -> Option<String> {
    let of_template = |file: &&WrittenFile| ResourceSpec::from_name(&file.table).is_none();
    let table = report.files.iter().find(|file| file.table == "contacts");
    // Files that are only exported cannot be taken back.
    let is_imported = |file: &&WrittenFile| of_template(file) && is_importable(&file.table);
    let file = table.or_else(|| report.files.iter().find(is_imported))?;
    let path = report.out.join(&file.file).display().to_string();
    if of_template(&file) {
        let (path, preset) =
            (quote_path_for_shell(&path), escape_for_terminal(&file.table).into_owned());
        return Some(format!(
            "take an edited one back:\n  ghl-bulk import {path} --preset {preset} --dry-run"
        ));
    }
    let out = quote_path_for_shell(&report.out.display().to_string());
    let path = escape_for_terminal(&path).into_owned();
    let (rows, frame) = match file.format.as_str() {
        "parquet" => (format!("'{path}'"), format!("read_parquet('{path}')")),
        "csv" => (
            format!("read_csv('{path}', all_varchar = true)"),
            format!("read_csv('{path}', dtype=str)"),
        ),
        "xlsx" => (String::new(), format!("read_excel('{path}', dtype=str)")),
        _ => (format!("'{path}'"), format!("read_json('{path}', lines=True, dtype=False)")),
    };
    let mut lines = vec!["look at it:".to_owned()];
    if !rows.is_empty() {
        lines.push(format!("  duckdb -c \"SELECT * FROM {rows} LIMIT 10\""));
    }
    lines.push(format!("  python -c \"import pandas; print(pandas.{frame})\""));
    lines.push(match file.format.as_str() {
        "parquet" | "jsonl" => {
            format!("  ghl-bulk schema --ddl duckdb --export {out} | duckdb -bail crm.duckdb")
        }
        _ => format!("  ghl-bulk schema --read pandas --export {out}"),
    });
    Some(lines.join("\n"))
}
