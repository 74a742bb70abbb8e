//! The commands that the steps of a job run: this program's own, in processes of their own.
//!
//! A process of its own keeps what goes wrong in a step, and the memory it needs, apart from the job, which must report
//! the failure.

use std::ffi::OsString;

use super::args::{JobOptionArgs, JobStep};
use crate::cli::output::error::CliError;
use crate::cli::settings::Settings;

/// Options of every command that a job decides for its steps, or whose value it passes on by itself.
const OWN_OPTIONS: [&str; 7] =
    ["--json", "--quiet", "--verbose", "--progress", "--deadline", "--daily-reserve", "--wait"];

/// Locations that one command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LocationGroup {
    /// Those of the environment, the profile or the options of the job.
    Default,
    /// All of the agency.
    All,
    /// Those of the agency whose names fit.
    Patterns(Vec<String>),
    Ids(Vec<String>),
    /// That of a profile.
    Profile(String),
}

impl LocationGroup {
    fn words(&self) -> Vec<String> {
        match self {
            Self::Default => Vec::new(),
            Self::All => vec!["--all-locations".to_owned()],
            Self::Patterns(all) => all.iter().map(|one| format!("--location-name={one}")).collect(),
            Self::Ids(all) => vec![format!("--location={}", all.join(","))],
            Self::Profile(name) => vec![format!("--profile={name}")],
        }
    }
}

/// What a job runs, with what it needs to know for it.
pub(super) struct StepCommands<'a> {
    options: &'a JobOptionArgs,
    settings: &'a Settings,
    groups: Vec<LocationGroup>,
}

impl<'a> StepCommands<'a> {
    /// Checks whether the options suffice for the steps.
    pub(super) fn new(
        options: &'a JobOptionArgs,
        settings: &'a Settings,
    ) -> Result<Self, CliError> {
        for (place, step) in options.steps.iter().enumerate() {
            let of_repository = *step == JobStep::Backup || step.is_about_repository();
            if of_repository && options.repository.is_none() {
                let message = format!("the step `{}` needs a repository", step.name());
                return Err(CliError::usage(message).with_hint(
                    "add `repository = \"NAME\"` to the job, or `--repository DIR`; `ghl-bulk backup init` makes one",
                ));
            }
            if step.needs_backup() && !options.steps[..place].contains(&JobStep::Backup) {
                let message =
                    format!("the step `{}` needs the step `backup` before it", step.name());
                return Err(CliError::usage(message).with_hint(
                    "a job only removes snapshots when it has added one; `ghl-bulk backup forget` and `prune` do it without",
                ));
            }
            if *step == JobStep::Forget && options.keep.is_empty() {
                return Err(CliError::usage("the step `forget` needs rules")
                    .with_hint("add `keep = { daily = 14, weekly = 8 }` to the job"));
            }
            if *step == JobStep::Export && !options.export.iter().any(|pair| pair.key == "out") {
                return Err(CliError::usage("the step `export` needs an output directory")
                    .with_hint("add `export = { out = \"/DIR\" }` to the job"));
            }
        }
        if options.steps.is_empty() {
            return Err(CliError::usage("the job has no steps").with_hint(
                "add `steps = [\"backup\", \"verify\"]` to the job, or `--steps sync`",
            ));
        }
        let groups = group_locations(&options.locations, settings)?;
        Ok(Self { options, settings, groups })
    }

    /// The command lines of a step, without the program's name.
    pub(super) fn of_step(&self, step: JobStep) -> Vec<Vec<OsString>> {
        if step.is_about_repository() {
            return vec![self.command_line(&self.repository_words(step), &LocationGroup::Default)];
        }
        let words = self.location_words(step);
        self.groups.iter().map(|group| self.command_line(&words, group)).collect()
    }

    /// The command line that removes old runs, if the job does that.
    pub(super) fn removal_of_runs(&self) -> Option<Vec<OsString>> {
        let age = self.options.runs_keep.as_ref()?;
        let words = ["runs", "prune", "--yes", "--older-than", age].map(str::to_owned);
        Some(self.command_line(&words, &LocationGroup::Default))
    }

    /// The command line that tells the state of the repository, if the job has one.
    pub(super) fn repository_status(&self) -> Option<Vec<OsString>> {
        let repository = self.options.repository.as_deref()?;
        let words = ["backup", "status", "--to", repository].map(str::to_owned);
        Some(self.command_line(&words, &LocationGroup::Default))
    }

    /// The step of a repository: what it is called with.
    fn repository_words(&self, step: JobStep) -> Vec<String> {
        let mut words = vec!["backup".to_owned(), step.name().to_owned()];
        words.extend(self.option("--to", self.options.repository.as_deref()));
        if step == JobStep::Forget {
            words.push("--yes".to_owned());
            words.extend(
                self.options.keep.iter().map(|rule| format!("--keep-{}={}", rule.key, rule.value)),
            );
        }

        words
    }

    fn location_words(&self, step: JobStep) -> Vec<String> {
        let options = self.options;
        let mut words = vec![step.name().to_owned()];
        match step {
            JobStep::Export => {
                words.push("--incremental".to_owned());
                words.extend(
                    options.export.iter().map(|flag| format!("--{}={}", flag.key, flag.value)),
                );
            }
            JobStep::Backup => {
                words.extend(self.option("--to", options.repository.as_deref()));
                let wait = options.lock_wait.map(|wait| format!("{}s", wait.as_secs()));
                words.extend(self.option("--lock-wait", wait.as_deref()));
                words.extend(options.alerts.iter().map(|alert| format!("--alert={alert}")));
            }
            _ => {}
        }
        if step != JobStep::Export {
            words.extend(options.sync.iter().map(|flag| format!("--{}={}", flag.key, flag.value)));
            let most = options.max_requests.map(|most| most.to_string());
            words.extend(self.option("--max-requests", most.as_deref()));
        }
        let at_once = options.parallel_locations.map(|number| number.to_string());
        words.extend(self.option("--at-once", at_once.as_deref()));
        words
    }

    #[expect(clippy::unused_self, reason = "reads like the other methods that build words")]
    fn option(&self, name: &str, value: Option<&str>) -> Option<String> {
        value.map(|value| format!("{name}={value}"))
    }

    /// The words of a command with the options of every command that the job was given.
    fn command_line(&self, words: &[String], group: &LocationGroup) -> Vec<OsString> {
        let replaced: &[&str] = match group {
            LocationGroup::Default => &[],
            LocationGroup::Profile(_) => &["--location", "--profile"],
            _ => &["--location"],
        };
        let is_own = |word: &OsString| {
            let text = word.to_string_lossy();
            let name = text.split('=').next().unwrap_or_default();
            OWN_OPTIONS.contains(&name) || replaced.contains(&name)
        };
        let mut line: Vec<OsString> = words.iter().map(OsString::from).collect();
        line.extend(group.words().into_iter().map(OsString::from));
        line.extend(self.settings.layers.typed.iter().filter(|word| !is_own(word)).cloned());
        line.push("--json".into());
        line.push(format!("--daily-reserve={}", self.settings.quota.reserve).into());
        line.push(format!("--wait={}", self.settings.quota.wait).into());
        line.extend(self.settings.deadline.map(|time| format!("--deadline={time}").into()));
        line
    }
}

/// Sorts what was given as locations by the commands that are needed for them.
fn group_locations(given: &[String], settings: &Settings) -> Result<Vec<LocationGroup>, CliError> {
    if given.is_empty() {
        return Ok(vec![LocationGroup::Default]);
    }
    if given.iter().any(|one| one == "all") {
        if given.len() > 1 {
            return Err(CliError::usage("`all` stands for every location of the agency")
                .with_hint("leave out the other locations, or `all`"));
        }
        return Ok(vec![LocationGroup::All]);
    }
    let (mut patterns, mut ids, mut groups) = (Vec::new(), Vec::new(), Vec::new());
    for one in given.iter().map(|one| one.trim()) {
        if one.contains(['*', '?']) {
            patterns.push(one.to_owned());
        } else if settings.config().profile_names().any(|name| name == one) {
            groups.push(LocationGroup::Profile(one.to_owned()));
        } else {
            ids.push(check_location_id(one)?);
        }
    }
    if !patterns.is_empty() {
        groups.push(LocationGroup::Patterns(patterns));
    }
    if !ids.is_empty() {
        groups.push(LocationGroup::Ids(ids));
    }
    Ok(groups)
}

fn check_location_id(text: &str) -> Result<String, CliError> {
    let id = text.parse::<crate::id::LocationId>();
    id.map(|id| id.to_string()).map_err(|error| {
        CliError::usage(format!("`locations`: {error}"))
            .with_hint("give ids, names of profiles, patterns of names, or `all`")
    })
}
