//! The presets, listed and shown.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::import::{PresetLibrary, problem_lines};
use crate::mapping::preset::{self, Preset, PresetDirection};
use crate::text::{escape_for_terminal, escape_json_line};

/// Lists the presets on stdout: name, direction, subject; an unusable preset is an error.
pub(crate) fn print_list(
    presets: &PresetLibrary,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let text = if settings.json {
        let all: Vec<Value> = presets.all().iter().map(preset_json).collect();
        escape_json_line(Value::Array(all).to_string()) + "\n"
    } else {
        format_table(presets)
    };
    print_stdout(&text)?;
    if presets.invalid_presets().is_empty() {
        return Ok(CliExitCode::Done);
    }
    let lines = presets.invalid_presets().iter().flat_map(|broken| {
        let path = broken.path.display();
        problem_lines(&broken.problems).into_iter().map(move |line| format!("`{path}`: {line}"))
    });
    Err(CliError::usage("presets of yours are wrong, and not in the list")
        .with_lines(lines.collect())
        .with_hint("repair them, or take them out of the directory"))
}

fn format_table(presets: &PresetLibrary) -> String {
    let names = presets.all().iter().map(|preset| preset.name.chars().count());
    let width = names.max().unwrap_or(0).max(4);
    let mut text = format!("{:<width$}  {:<9}  {}\n", "NAME", "DIRECTION", "WHAT");
    for preset in presets.all() {
        let by_name = !preset.is_detectable() && preset.import_refusal().is_none();
        let how = if by_name { " (only with `--preset`)" } else { "" };
        let own = match (preset.own, is_built_in(&preset.name)) {
            (true, true) => " (yours, in place of the program's)",
            (true, false) => " (yours)",
            (false, _) => "",
        };
        let (name, title) = (escape_for_terminal(&preset.name), escape_for_terminal(&preset.title));
        let template = template_note(preset);
        let line =
            format!("{name:<width$}  {:<9}  {title}{own}{how}{template}\n", direction_name(preset));
        text.push_str(&line);
    }
    text
}

/// How it is exported with, if it has a template.
fn template_note(preset: &Preset) -> String {
    let Some(template) = &preset.template else { return String::new() };
    match template.systems.first() {
        Some(system) => format!(" (template of {})", escape_for_terminal(system)),
        None => " (with a template)".to_owned(),
    }
}

/// Whether a preset of this name comes with the program.
pub(crate) fn is_built_in(name: &str) -> bool {
    preset::builtin_presets().iter().any(|preset| preset.name.eq_ignore_ascii_case(name.trim()))
}

fn direction_name(preset: &Preset) -> &'static str {
    match preset.direction {
        PresetDirection::Import => "import",
        PresetDirection::Both => "both",
        PresetDirection::Export => "export",
    }
}

fn preset_json(preset: &Preset) -> Value {
    let file = preset.own.then(|| preset.mapping.name.clone());
    json!({
        "name": preset.name, "what": preset.title, "direction": preset.direction,
        "entity": preset.entity, "detected": preset.is_detectable(), "file": file,
        "template": preset.template.as_ref().map(|it| json!({ "systems": it.systems, "file": it.file })),
    })
}

/// Prints a preset's text on stdout.
pub(crate) fn print_preset(presets: &PresetLibrary, name: &str) -> Result<CliExitCode, CliError> {
    print_stdout(presets.find_by_name(name)?.text.as_bytes())?;
    Ok(CliExitCode::Done)
}

/// The path of a preset of this name.
pub(crate) fn preset_path(dir: Option<&Path>, name: &str) -> Result<PathBuf, CliError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let outer = name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']);
    if name.is_empty() || name.len() > 80 || outer || !name.chars().all(plain) {
        return Err(CliError::usage(format!("`{name}` cannot be a preset's name"))
            .with_hint("letters, digits, `-`, `_` and blanks make one; it is a file's name"));
    }
    let dir = dir.ok_or_else(|| {
        CliError::usage("there is no directory to store presets in")
            .with_hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    Ok(dir.join(format!("{name}.toml")))
}
