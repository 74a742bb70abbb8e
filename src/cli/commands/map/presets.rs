//! The presets, listed and shown.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::text_format::{safe, safe_json};
use crate::import::{Presets, problem_lines};
use crate::mapping::preset::{self, Direction, Preset};

/// Lists the presets on stdout: name, direction, what; those that cannot be used are an error.
pub(crate) fn list(presets: &Presets, global: &Global) -> Result<Code, Failure> {
    let text = if global.json {
        let all: Vec<Value> = presets.all().iter().map(fields).collect();
        safe_json(Value::Array(all).to_string()) + "\n"
    } else {
        table(presets)
    };
    print(&text)?;
    if presets.broken().is_empty() {
        return Ok(Code::Done);
    }
    let lines = presets.broken().iter().flat_map(|broken| {
        let path = broken.path.display();
        problem_lines(&broken.problems).into_iter().map(move |line| format!("`{path}`: {line}"))
    });
    Err(Failure::usage("presets of yours are wrong, and not in the list")
        .lines(lines.collect())
        .hint("repair them, or take them out of the directory"))
}

fn table(presets: &Presets) -> String {
    let names = presets.all().iter().map(|preset| preset.name.chars().count());
    let width = names.max().unwrap_or(0).max(4);
    let mut text = format!("{:<width$}  {:<9}  {}\n", "NAME", "DIRECTION", "WHAT");
    for preset in presets.all() {
        let how = if preset.is_detected() { "" } else { " (only with `--preset`)" };
        let own = match (preset.own, built_in(&preset.name)) {
            (true, true) => " (yours, in place of the program's)",
            (true, false) => " (yours)",
            (false, _) => "",
        };
        let (name, title) = (safe(&preset.name), safe(&preset.title));
        let layout = layout(preset);
        let line = format!("{name:<width$}  {:<9}  {title}{own}{how}{layout}\n", direction(preset));
        text.push_str(&line);
    }
    text
}

/// How it is exported with, if it has a layout.
fn layout(preset: &Preset) -> String {
    let Some(layout) = &preset.layout else { return String::new() };
    match layout.systems.first() {
        Some(system) => format!(" (layout of {})", safe(system)),
        None => " (with a layout)".to_owned(),
    }
}

/// Whether a preset of this name comes with the program.
pub(crate) fn built_in(name: &str) -> bool {
    preset::presets().iter().any(|preset| preset.name.eq_ignore_ascii_case(name.trim()))
}

fn direction(preset: &Preset) -> &'static str {
    match preset.direction {
        Direction::Import => "import",
        Direction::Both => "both",
    }
}

fn fields(preset: &Preset) -> Value {
    let file = preset.own.then(|| preset.mapping.name.clone());
    json!({
        "name": preset.name, "what": preset.title, "direction": preset.direction,
        "entity": preset.entity, "detected": preset.is_detected(), "file": file,
        "layout": preset.layout.as_ref().map(|it| json!({ "systems": it.systems, "file": it.file })),
    })
}

/// Prints a preset's text on stdout.
pub(crate) fn show(presets: &Presets, name: &str) -> Result<Code, Failure> {
    print(&presets.named(name)?.text)?;
    Ok(Code::Done)
}

/// Where a preset of this name is kept.
pub(crate) fn path(dir: Option<&Path>, name: &str) -> Result<PathBuf, Failure> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let outer = name.starts_with(['.', ' ']) || name.ends_with(['.', ' ']);
    if name.is_empty() || name.len() > 80 || outer || !name.chars().all(plain) {
        return Err(Failure::usage(format!("`{name}` cannot be a preset's name"))
            .hint("letters, digits, `-`, `_` and blanks make one; it is a file's name"));
    }
    let dir = dir.ok_or_else(|| {
        Failure::usage("there is no place to keep presets in")
            .hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    Ok(dir.join(format!("{name}.toml")))
}

/// Prints a text on stdout; nobody who reads it to its end is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
