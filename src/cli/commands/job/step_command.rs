//! The commands that the steps of a job run: this program's own, in processes of their own.
//!
//! A process of its own keeps what goes wrong in a step, and the memory it needs, apart from the job, which must report
//! the failure.

use std::ffi::OsString;

use super::args::{JobOptionArgs, JobStep};
use crate::cli::commands::backup::open_repository::RepositoryRef;
use crate::cli::output::error::CliError;
use crate::cli::settings::{LocationOrigin, Settings};

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
            Self::Ids(all) => all.iter().map(|id| format!("--location={id}")).collect(),
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
        let commands = Self { options, settings, groups };
        if commands.use_repository() {
            // The job's own, or the default one, which the commands find as well.
            RepositoryRef::resolve(options.repository.as_deref(), settings)?;
        }
        Ok(commands)
    }

    fn use_repository(&self) -> bool {
        let is_about = |step: &JobStep| *step == JobStep::Backup || step.is_about_repository();
        self.options.steps.iter().any(is_about)
    }

    /// The command lines of a step, without the program's name. A step of the repository is about the locations that the
    /// job has backed up before it, if there are some.
    pub(super) fn of_step(&self, step: JobStep, backed_up: Vec<String>) -> Vec<Vec<OsString>> {
        if step.is_about_repository() {
            let group = match backed_up.as_slice() {
                [] => LocationGroup::Default,
                _ => LocationGroup::Ids(backed_up),
            };
            return vec![self.command_line(&self.repository_words(step), &group)];
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
        if !self.use_repository() {
            return None;
        }
        let mut words = vec!["backup".to_owned(), "status".to_owned()];
        words.extend(option("--to", self.options.repository.as_deref()));
        Some(self.command_line(&words, &LocationGroup::Default))
    }

    /// The step of a repository: what it is called with.
    fn repository_words(&self, step: JobStep) -> Vec<String> {
        let mut words = vec!["backup".to_owned(), step.name().to_owned()];
        words.extend(option("--to", self.options.repository.as_deref()));
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
                words.extend(option("--to", options.repository.as_deref()));
                let wait = options.lock_wait.map(|wait| format!("{}s", wait.as_secs()));
                words.extend(option("--lock-wait", wait.as_deref()));
                words.extend(options.alerts.iter().map(|alert| format!("--alert={alert}")));
            }
            _ => {}
        }
        if step != JobStep::Export {
            words.extend(options.sync.iter().map(|flag| format!("--{}={}", flag.key, flag.value)));
            let most = options.max_requests.map(|most| most.to_string());
            words.extend(option("--max-requests", most.as_deref()));
        }
        let at_once = options.parallel_locations.map(|number| number.to_string());
        words.extend(option("--at-once", at_once.as_deref()));
        words
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

/// An option with its value, if it has one.
fn option(name: &str, value: Option<&str>) -> Option<String> {
    value.map(|value| format!("{name}={value}"))
}

/// Sorts what was given as locations by the commands that are needed for them.
fn group_locations(given: &[String], settings: &Settings) -> Result<Vec<LocationGroup>, CliError> {
    let is_setting = settings.layers.by_default.contains("locations");
    let is_typed = settings.location_origin == LocationOrigin::Flag;
    if is_typed && !given.is_empty() && !is_setting {
        return Err(CliError::usage("`--location` and `--locations` both name locations")
            .with_hint("give one of them"));
    }
    // A flag goes before the settings of the job.
    if given.is_empty() || is_typed {
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
