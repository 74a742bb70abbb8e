//! The options of `job run`, which are the settings of a job in `config.toml`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;

use crate::api::QuotaReserve;
use crate::auth::TokenCommand;
use crate::cli::args::alert_arg::{AlertArg, parse_alert};
use crate::cli::args::at_once_arg::parse_at_once;
use crate::cli::commands::sync::parse_long_duration;

/// The options of a job.
#[derive(Debug, clap::Args)]
pub(super) struct JobOptionArgs {
    /// What is done, in this order; a step that fails does not stop the others
    #[arg(long, value_enum, value_name = "STEP", value_delimiter = ',')]
    pub(super) steps: Vec<JobStep>,

    /// The locations: `all` of the agency, ids, names of profiles, or patterns of names such as `Acme*`; by default the
    /// one of the environment or the profile
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(super) locations: Vec<String>,

    /// The repository of backups: a name from `config.toml`, or a directory
    #[arg(long, value_name = "NAME|DIR")]
    pub(super) repository: Option<String>,

    /// Requests that all syncs of a location may send in a day (UTC): a number, or a share of the daily quota
    #[arg(long, value_name = "N|N%")]
    pub(super) max_requests: Option<QuotaReserve>,

    /// How long to wait for another process that backs up into the repository
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration, hide_short_help = true)]
    pub(super) lock_wait: Option<Duration>,

    /// How many locations are worked on at a time
    #[arg(long, value_name = "N", value_parser = parse_at_once, hide_short_help = true)]
    pub(super) parallel_locations: Option<NonZeroUsize>,

    /// Snapshots that `forget` keeps, as `RULE=N`: `last`, `daily`, `weekly`, `monthly`, `yearly`, or `within=30d`
    #[arg(long, value_name = "RULE=N", value_parser = parse_keep_rule)]
    pub(super) keep: Vec<SettingPair>,

    /// Flags of the step `export`, as `FLAG=VALUE`, such as `out=/lake/ghl`
    #[arg(long, value_name = "FLAG=VALUE", value_parser = parse_pair)]
    pub(super) export: Vec<SettingPair>,

    /// Flags of the steps `sync` and `backup`, as `FLAG=VALUE`, such as `walk-every=7d`
    #[arg(long, value_name = "FLAG=VALUE", value_parser = parse_pair)]
    pub(super) sync: Vec<SettingPair>,

    /// Changes from one backup to the next that are reported, as `WHAT=N%`: `deleted`, `changed`, `field_emptied`
    #[arg(long, value_name = "WHAT=N%", value_parser = parse_alert, hide_short_help = true)]
    pub(super) alerts: Vec<AlertArg>,

    /// Remove runs that are older than this, at the end of the job
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    pub(super) runs_keep: Option<String>,

    /// A file with the URL that is requested at the beginning (`/start`) and at the end (`/fail` on failure) of the job;
    /// the summary is sent to it
    #[arg(long, value_name = "FILE", conflicts_with = "ping_command")]
    pub(super) ping_file: Option<PathBuf>,

    /// A command that prints this URL: a line for the shell, or a JSON array
    #[arg(long, value_name = "COMMAND", value_parser = parse_ping_command)]
    pub(super) ping_command: Option<PingCommand>,

    /// Exit codes that count as success for the ping, the hooks and the metrics
    #[arg(
        long,
        value_name = "CODE",
        value_delimiter = ',',
        default_value = "0,3",
        hide_short_help = true
    )]
    pub(super) ok: Vec<u8>,

    /// A file for Prometheus' textfile collector, which the job replaces at its end
    #[arg(long, value_name = "FILE")]
    pub(super) metrics: Option<PathBuf>,

    /// How long logs of the job are kept
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration, default_value = "30d", hide_short_help = true)]
    pub(super) logs_keep: Duration,

    /// A command that is run `before` the job, on `success`, on `failure`, or `finally`: as `WHEN=PROGRAM`, or with
    /// arguments as `WHEN=["PROGRAM","ARGUMENT"]`; without a shell
    #[arg(long, value_name = "WHEN=COMMAND")]
    pub(super) hooks: Vec<Hook>,

    /// How long a hook may run before it is killed
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration, default_value = "5m", hide_short_help = true)]
    pub(super) hook_timeout: Duration,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub(super) enum JobStep {
    /// Bring the local copies up to date
    Sync,
    /// Sync, and add a snapshot to the repository
    Backup,
    /// Check the repository
    Verify,
    /// Forget snapshots, by `--keep`; only after a backup of the same job
    Forget,
    /// Remove what was forgotten from the repository; only after a backup of the same job
    Prune,
    /// Write the local copies into files (`export --incremental`)
    Export,
}

impl JobStep {
    /// Its word in `config.toml`, in messages and in logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Backup => "backup",
            Self::Verify => "verify",
            Self::Forget => "forget",
            Self::Prune => "prune",
            Self::Export => "export",
        }
    }

    /// Whether it is carried out once for the repository, and not for the locations.
    pub(super) fn is_about_repository(self) -> bool {
        matches!(self, Self::Verify | Self::Forget | Self::Prune)
    }

    /// Whether it may only follow a backup of the same job: what is removed must be replaced.
    pub(super) fn needs_backup(self) -> bool {
        matches!(self, Self::Forget | Self::Prune)
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SettingPair {
    pub(super) key: String,
    pub(super) value: String,
}

fn parse_pair(text: &str) -> Result<SettingPair, String> {
    let (key, value) = text.split_once('=').unwrap_or((text, "true"));
    if key.trim().is_empty() {
        return Err("not a flag and its value, such as `out=lake`".to_owned());
    }
    Ok(SettingPair { key: key.trim().replace('_', "-"), value: value.to_owned() })
}

/// The rules of `backup forget`.
const KEEP_RULES: [&str; 6] = ["last", "daily", "weekly", "monthly", "yearly", "within"];

fn parse_keep_rule(text: &str) -> Result<SettingPair, String> {
    let pair = parse_pair(text)?;
    let fits = match pair.key.as_str() {
        "within" => parse_long_duration(&pair.value).is_ok(),
        rule => KEEP_RULES.contains(&rule) && pair.value.parse::<u32>().is_ok(),
    };
    if fits {
        return Ok(pair);
    }
    Err(format!(
        "not a rule such as `daily=14` or `within=30d`; there are `{}`",
        KEEP_RULES.join("`, `")
    ))
}

/// The age after which runs are removed, as `runs prune` takes it.
fn parse_age(text: &str) -> Result<String, String> {
    match parse_long_duration(text) {
        Ok(age) if !age.is_zero() => Ok(text.to_owned()),
        _ => Err("not an age such as `30d`".to_owned()),
    }
}

/// A command that prints a URL. It may hold secrets and is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PingCommand(pub(super) TokenCommand);

impl std::fmt::Debug for PingCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PingCommand(…)")
    }
}

fn parse_ping_command(text: &str) -> Result<PingCommand, String> {
    if text.trim().is_empty() {
        return Err("it does not name a program".to_owned());
    }
    if text.trim_start().starts_with('[') {
        return parse_program(text).map(|words| PingCommand(TokenCommand::Program(words)));
    }
    Ok(PingCommand(TokenCommand::Shell(text.to_owned())))
}

/// A program with its arguments as a JSON array of texts.
fn parse_program(text: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = serde_json::from_str(text)
        .map_err(|_| "not a JSON array of texts such as `[\"mount\", \"/backup\"]`".to_owned())?;
    match words.first() {
        Some(program) if !program.trim().is_empty() => Ok(words),
        _ => Err("it does not name a program".to_owned()),
    }
}

/// When a hook is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookTime {
    /// Before the steps. If it fails, the job does nothing; with code 75 that is no failure.
    Before,
    /// After a success.
    Success,
    /// After a failure.
    Failure,
    /// At the end, whatever has happened.
    Finally,
}

impl HookTime {
    const ALL: [Self; 4] = [Self::Before, Self::Success, Self::Failure, Self::Finally];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Finally => "finally",
        }
    }
}

/// A command, and when it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) time: HookTime,
    /// The program and its arguments; never empty.
    pub(super) command: Vec<String>,
}

impl FromStr for Hook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').unwrap_or((text, ""));
        let time = HookTime::ALL.into_iter().find(|time| time.name() == name.trim());
        let Some(time) = time else {
            let all = HookTime::ALL.map(HookTime::name).join("`, `");
            return Err(format!("a hook begins with `{all}`, and `=`"));
        };
        let command = match command.trim() {
            "" => return Err("it does not name a program".to_owned()),
            list if list.starts_with('[') => parse_program(list)?,
            program => vec![program.to_owned()],
        };
        Ok(Self { time, command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_a_time_and_a_program_with_its_arguments() {
        let hook: Hook = r#"before=["mount", "/backup"]"#.parse().unwrap();
        assert_eq!(hook.time, HookTime::Before);
        assert_eq!(hook.command, ["mount", "/backup"]);
        assert_eq!("finally=umount".parse::<Hook>().unwrap().command, ["umount"]);
        for wrong in
            ["", "before", "before=", "later=x", "before=[]", "before=[1]", "failure=[\"\"]"]
        {
            assert!(wrong.parse::<Hook>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_have_numbers_that_fit() {
        for right in ["daily=14", "within=30d", "last=1"] {
            assert!(parse_keep_rule(right).is_ok(), "{right}");
        }
        for wrong in ["daily", "daily=x", "hourly=3", "within=soon", "=3"] {
            assert!(parse_keep_rule(wrong).is_err(), "{wrong}");
        }
    }
}
