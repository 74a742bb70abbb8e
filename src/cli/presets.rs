//! The presets, listed and shown.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::exit::Code;
use super::failure::Failure;
use super::global::Global;
use super::text::{safe, safe_json};
use crate::import::{Presets, problem_lines};
use crate::plan::preset::{Direction, Preset};

/// Lists the presets on stdout: name, direction, what; those that cannot be used are an error.
pub(super) fn list(presets: &Presets, global: &Global) -> Result<Code, Failure> {
    let text = if global.json {
        let all: Vec<Value> = presets.all().iter().map(|it| fields(presets, it)).collect();
        safe_json(Value::Array(all).to_string()) + "\n"
    } else {
        table(presets)
    };
    print(&text)?;
    let Some(broken) = presets.broken().first() else { return Ok(Code::Done) };
    let lines = problem_lines(&broken.problems).join("\n  ");
    Err(Failure::usage(format!("the preset `{}` is wrong:\n  {lines}", broken.path.display()))
        .hint("repair it, or take it out of the directory"))
}

fn table(presets: &Presets) -> String {
    let names = presets.all().iter().map(|preset| preset.name.chars().count());
    let width = names.max().unwrap_or(0).max(4);
    let mut text = format!("{:<width$}  {:<9}  {}\n", "NAME", "DIRECTION", "WHAT");
    for preset in presets.all() {
        let how = if preset.is_detected() { "" } else { " (only with `--preset`)" };
        let own = if presets.is_own(preset) { " (yours)" } else { "" };
        let (name, title) = (safe(&preset.name), safe(&preset.title));
        let line = format!("{name:<width$}  {:<9}  {title}{own}{how}\n", direction(preset));
        text.push_str(&line);
    }
    text
}

fn direction(preset: &Preset) -> &'static str {
    match preset.direction {
        Direction::Import => "import",
        Direction::Both => "both",
    }
}

fn fields(presets: &Presets, preset: &Preset) -> Value {
    let file = presets.is_own(preset).then(|| preset.mapping.name.clone());
    json!({
        "name": preset.name, "what": preset.title, "direction": preset.direction,
        "entity": preset.entity, "detected": preset.is_detected(), "file": file,
    })
}

/// Prints a preset's text on stdout.
pub(super) fn show(presets: &Presets, name: &str) -> Result<Code, Failure> {
    print(&presets.named(name)?.text)?;
    Ok(Code::Done)
}

/// Where a preset of this name is kept.
pub(super) fn path(dir: Option<&Path>, name: &str) -> Result<PathBuf, Failure> {
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
pub(super) fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
