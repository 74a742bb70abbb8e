//! Completion in the shell: `ghl-bulk completions SHELL` prints a script with which the shell asks the program
//! itself, by an environment variable, how to go on. So runs, profiles and presets are completed as well as flags.
//!
//! Promises that whatever cannot be read, such as a broken configuration, only leads to fewer proposals: a message
//! in the middle of a command line would not be read.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};

use super::Cli;
use super::args::command_line::build_command_line;
use super::config::ConfigFile;
use super::config::dirs;
use super::output::exit_code::{CliExitCode, print_clap_error};
use crate::import::PresetLibrary;
use crate::mapping::preset::Preset;
use crate::run::RunSummary;

/// The variable by which a shell asks; its value is the shell's name.
const VARIABLE: &str = "GHL_BULK_COMPLETE";
/// The program, as it is typed.
const PROGRAM: &str = "ghl-bulk";

/// Answers a shell that asks how a command line goes on. `None` when none asks.
pub(super) fn answer_shell() -> Option<ExitCode> {
    let answered = CompleteEnv::with_factory(completed_command_line)
        .var(VARIABLE)
        .bin(PROGRAM)
        .try_complete(std::env::args_os(), std::env::current_dir().ok().as_deref());
    match answered {
        Ok(false) => None,
        Ok(true) => Some(CliExitCode::Done.into()),
        Err(error) => Some(print_clap_error(&error)),
    }
}

/// The script that sets up completion in a shell. It calls the program by the path by which it was called now.
pub(super) fn registration_script(shell: &str) -> Vec<u8> {
    let shells = Shells::builtins();
    let shell: &dyn EnvCompleter =
        shells.completer(shell).expect("clap completes every shell of its list");
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, PROGRAM, PROGRAM, &path_to_call(), &mut script)
        .expect("writing to memory does not fail");
    script
}

/// A name that is on the path stays a name; a path is made absolute, because shells change directories.
fn path_to_call() -> String {
    let called = std::env::args_os().next().unwrap_or_else(|| OsString::from(PROGRAM));
    let path = std::path::Path::new(&called);
    if path.components().count() == 1 {
        return called.to_string_lossy().into_owned();
    }
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).to_string_lossy().into_owned()
}

/// The command line, with proposals for the arguments whose values the program knows.
fn completed_command_line() -> clap::Command {
    add_candidates(Cli::command())
}

fn add_candidates(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| match arg.get_id().as_str() {
            "run" => arg.add(ArgValueCandidates::new(run_candidates)),
            "profile" => arg.add(ArgValueCandidates::new(profile_candidates)),
            "preset" => arg.add(ArgValueCandidates::new(imported_preset_candidates)),
            "show_preset" => arg.add(ArgValueCandidates::new(preset_candidates)),
            "template" => arg.add(ArgValueCandidates::new(template_candidates)),
            _ => arg,
        })
        .mut_subcommands(add_candidates)
}

/// All runs, the latest first.
fn run_candidates() -> Vec<CompletionCandidate> {
    let runs = dirs::runs_home().ok().and_then(|home| home.list_runs().ok()).unwrap_or_default();
    let candidate = |(place, run): (usize, &RunSummary)| {
        let help =
            run.known.as_ref().map(|(meta, _)| format!("{} of {}", meta.kind, meta.location));
        CompletionCandidate::new(run.id.to_string())
            .help(help.ok().map(Into::into))
            .display_order(Some(place))
    };
    runs.iter().rev().enumerate().map(candidate).collect()
}

/// The profiles of the configuration, and those that only have a login.
fn profile_candidates() -> Vec<CompletionCandidate> {
    let config = ConfigFile::load(dirs::config_dir().as_deref(), build_command_line);
    let mut names: Vec<String> =
        config.unwrap_or_default().profile_names().map(str::to_owned).collect();
    let logins = dirs::credentials_dir().and_then(|dir| std::fs::read_dir(dir).ok());
    for login in logins.into_iter().flatten().flatten() {
        let file = login.file_name();
        let name = file.to_str().and_then(|name| name.strip_suffix(".json"));
        names.extend(name.map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The presets, of the program and of the user.
fn preset_candidates() -> Vec<CompletionCandidate> {
    list_preset_candidates(|_| true)
}

/// The presets whose files can be imported.
fn imported_preset_candidates() -> Vec<CompletionCandidate> {
    list_preset_candidates(|preset| preset.import_refusal().is_none())
}

fn list_preset_candidates(is_wanted: fn(&Preset) -> bool) -> Vec<CompletionCandidate> {
    let Ok(presets) = PresetLibrary::load(dirs::presets_dir().as_deref()) else {
        return Vec::new();
    };
    let candidate = |preset: &Preset| {
        CompletionCandidate::new(preset.name.clone()).help(Some(preset.title.clone().into()))
    };
    presets.all().iter().filter(|preset| is_wanted(preset)).map(candidate).collect()
}

/// The systems with templates, and the presets that have one.
fn template_candidates() -> Vec<CompletionCandidate> {
    let Ok(presets) = PresetLibrary::load(dirs::presets_dir().as_deref()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    for preset in presets.all() {
        let Some(template) = &preset.template else { continue };
        names.extend(template.systems.iter().cloned());
        names.push(preset.name.clone());
    }
    names.sort();
    names.dedup();
    names.into_iter().map(CompletionCandidate::new).collect()
}
