//! The input: a sheet that was looked over, and the mapping that says what its columns mean.

pub(super) mod load_directory;
pub(super) mod propose_mapping;
pub(super) mod user_presets;

mod deletion_input;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;
use super::request::{Request, Unmapped};
use super::results;
use super::source::propose_mapping::{as_asked, samples};
use super::source::user_presets::Presets;
use crate::mapping::preset::Preset;
use crate::mapping::propose::Proposal;
use crate::mapping::{self, Mapping, Problem, Rule};
use crate::model::{Directory, Mode, Policy, Target};
use crate::plan::Removed;
use crate::sheet::{Column, Reading, Sheet};

/// Characters of a column's name that are shown.
const SHOWN: usize = 100;

/// A sheet and what is known about its mapping before the account was asked.
pub(super) struct Input {
    pub(super) sheet: Sheet,
    mapping: Given,
    presets: Presets,
    /// SHA-256 of the mapping's file.
    pub(super) mapping_digest: Option<String>,
}

/// What says what the columns mean.
enum Given {
    Mapping(Box<Mapping>),
    Preset(Box<Preset>),
    Nothing,
}

/// How the input is understood: the mapping that met the sheet, and the policy.
pub(super) struct Understood {
    /// What the mapping is called.
    pub(super) name: String,
    pub(super) plan: mapping::Plan,
    pub(super) policy: Policy,
    /// What to tell about the file as a whole: code and sentence.
    pub(super) warnings: Vec<(String, String)>,
    pub(super) shown: Vec<Shown>,
    /// What the rows delete, if they delete.
    pub(super) removes: Option<Removed>,
}

/// A column and where it goes, as the summary shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The column's header.
    pub column: String,
    /// The target.
    pub target: String,
}

impl Input {
    /// Looks the sheet over and reads the mapping's file; sends nothing.
    pub(super) fn open(request: &Request) -> Result<Self, Error> {
        if let Some(out) = request.out.as_deref().filter(|out| is_overwritten(&request.file, out)) {
            return Err(Error::Request(format!(
                "`{}` would be overwritten by the result files; name another directory than `{}` with `--out`",
                request.file.display(),
                out.display()
            )));
        }
        // A mapping file says all; then nobody's presets are in the way.
        let presets = request.presets.as_deref().filter(|_| request.mapping.is_none());
        let presets = Presets::read(presets)?;
        let (mapping, mapping_digest) = match (&request.mapping, &request.preset) {
            (Some(path), _) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| Error::File { path: path.clone(), source })?;
                let name = path.display().to_string();
                let mapping = Mapping::parse(&text, &name)
                    .map_err(|problems| Error::Mapping { name, problems })?;
                (Given::Mapping(Box::new(mapping)), Some(super::run_files::digest(text.as_bytes())))
            }
            (None, Some(name)) => (Given::Preset(Box::new(presets.named(name)?.clone())), None),
            (None, None) => (Given::Nothing, None),
        };
        let own = match &mapping {
            Given::Mapping(mapping) => mapping.reading.clone(),
            Given::Preset(preset) => preset.mapping.reading.clone(),
            Given::Nothing => Reading::default(),
        };
        let reading = as_asked(own, request.reading.clone());
        let sheet = Sheet::open(&request.file, &reading, &|name| presets.knows(name))?;
        if let Given::Preset(preset) = &mapping {
            presets.must_fit(preset, &sheet.columns)?;
        }
        Ok(Self { sheet, mapping, presets, mapping_digest })
    }

    /// Whether a column may go to one of these targets, as far as is known before the account was asked.
    pub(super) fn may_name(&self, targets: &[Target]) -> bool {
        let names = |mapping: &Mapping| {
            mapping.rules.iter().any(|rule| targets.contains(&rule.to))
                || mapping.constants.iter().any(|constant| targets.contains(&constant.to))
        };
        match &self.mapping {
            Given::Mapping(mapping) => names(mapping),
            // The columns that a preset does not know may name them.
            Given::Preset(_) | Given::Nothing => true,
        }
    }

    /// Finds out what the columns mean in this location.
    pub(super) fn understand(
        &self,
        request: &Request,
        directory: &Directory,
    ) -> Result<Understood, Error> {
        let columns = &self.sheet.columns;
        let mut mapping = match &self.mapping {
            Given::Mapping(mapping) => Mapping::clone(mapping),
            Given::Preset(preset) => {
                let samples = samples(&self.sheet)?;
                confident(
                    Proposal::for_preset(preset, columns, &samples, Some(directory)),
                    request,
                )?
            }
            Given::Nothing => {
                let samples = samples(&self.sheet)?;
                let presets = self.presets.candidates()?;
                confident(Proposal::new(columns, &samples, presets, Some(directory)), request)?
            }
        };
        let name = mapping.name.clone();
        let wrong = |problems| self.wrong(&name, problems);
        let file = request.file.file_name().map(|name| name.to_string_lossy());
        mapping = mapping.for_file(&file.unwrap_or_default());
        mapping = mapping.overlay(rules(request)?, &request.ignore, columns).map_err(wrong)?;
        let policy = policy(&mapping, request)?;
        if policy.mode == Mode::Delete {
            return self.understand_removal(mapping, policy, directory);
        }
        let undecided: Vec<_> =
            mapping.rules.iter().filter(|rule| rule.to == Target::Undecided).collect();
        if !undecided.is_empty() {
            return Err(wrong(undecided.into_iter().map(undecided_rule).collect()));
        }
        let plan = mapping.plan(columns, directory).map_err(wrong)?;
        let unmapped = names(columns, &plan.unmapped);
        let complete = matches!(self.mapping, Given::Mapping(_));
        if !unmapped.is_empty() && (complete || request.unmapped == Unmapped::Error) {
            return Err(Error::Unmapped { name: name.clone(), columns: unmapped });
        }
        let warnings = self.warnings(&unmapped);
        let shown = shown(&plan, columns);
        Ok(Understood { name, plan, policy, warnings, shown, removes: None })
    }

    /// What is wrong with the mapping, by the lines of its file where it has one that somebody wrote.
    pub(super) fn wrong(&self, name: &str, mut problems: Vec<Problem>) -> Error {
        if !matches!(self.mapping, Given::Mapping(_)) {
            for problem in &mut problems {
                problem.line = 0;
            }
        }
        Error::Mapping { name: name.to_owned(), problems }
    }

    /// What is to be told of the sheet, whatever its columns mean.
    pub(super) fn of_sheet(&self) -> Vec<(String, String)> {
        let duplicates = mapping::duplicate_headers(&self.sheet.columns);
        let of_sheet = self.sheet.warnings.iter().chain(&duplicates);
        of_sheet.map(|it| (it.code.to_owned(), it.message.clone())).collect()
    }

    fn warnings(&self, unmapped: &[String]) -> Vec<(String, String)> {
        let mut all = self.of_sheet();
        if !unmapped.is_empty() {
            let message = format!(
                "{} not imported: {}; `--map` gives them a target, `--ignore-column` silences this",
                columns_are(unmapped),
                some_of(unmapped)
            );
            all.push(("W_UNMAPPED_COLUMNS".to_owned(), message));
        }
        all
    }
}

/// `1 column is`, `3 columns are`.
pub(super) fn columns_are(names: &[String]) -> String {
    let count = names.len();
    format!("{count} {}", if count == 1 { "column is" } else { "columns are" })
}

/// The first of some names, and how many more there are.
pub(super) fn some_of(names: &[String]) -> String {
    let first: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// Whether a file is where a result file will be.
fn is_overwritten(file: &Path, out: &Path) -> bool {
    let (Ok(file), Ok(out)) = (file.canonicalize(), out.canonicalize()) else { return false };
    results::FILES.iter().any(|name| out.join(name).canonicalize().is_ok_and(|path| path == file))
}

/// The rules of the command line.
fn rules(request: &Request) -> Result<Vec<Rule>, Error> {
    request.rules.iter().map(|text| Mapping::inline(text).map_err(Error::Request)).collect()
}

/// A proposal's mapping, when nothing in it has to be asked that the command line does not answer.
fn confident(mut proposal: Proposal, request: &Request) -> Result<Mapping, Error> {
    if !proposal.ambiguous.is_empty() {
        return Err(Error::Ambiguous(proposal.ambiguous));
    }
    proposal.settle(&rules(request)?, &request.ignore);
    if request.deletes() {
        deletion_input::settle(&mut proposal);
    }
    proposal.confident().map_err(|columns| Error::Undecided { columns })
}

fn undecided_rule(rule: &Rule) -> Problem {
    let column = rule.from.join("` and `");
    Problem::new(rule.line, format!("nobody has decided where `{column}` goes"))
        .hint("replace `?` by a target, or by `ignore`")
}

/// The policy: what the mapping says, and then what the command line says.
fn policy(mapping: &Mapping, request: &Request) -> Result<Policy, Error> {
    let mut policy = Policy::default();
    mapping.apply_options(&mut policy);
    let name = "the command line";
    let text = toml::to_string(&Told { format: 1, options: &request.options });
    let text = text.map_err(|error| Error::Bug(error.to_string()))?;
    let told = Mapping::parse(&text, name).map_err(|problems| {
        // The lines are those of a text that nobody has written.
        let problems = problems.into_iter().map(|problem| Problem { line: 0, ..problem }).collect();
        Error::Mapping { name: name.to_owned(), problems }
    })?;
    told.apply_options(&mut policy);
    Ok(policy)
}

/// The command line's options in the form of a mapping, so that one place judges both.
#[derive(Serialize)]
struct Told<'a> {
    format: u32,
    options: &'a BTreeMap<String, Value>,
}

/// The columns' names for people: a long one is cut, and without one the letters stand for it.
pub(super) fn names(columns: &[Column], indexes: &[usize]) -> Vec<String> {
    let name = |index: &usize| {
        let column = &columns[*index];
        match column.name.char_indices().nth(SHOWN) {
            _ if column.name.is_empty() => column.letters.clone(),
            Some((end, _)) => format!("{}…", &column.name[..end]),
            None => column.name.clone(),
        }
    };
    indexes.iter().map(name).collect()
}

fn shown(plan: &mapping::Plan, columns: &[Column]) -> Vec<Shown> {
    let of = |bound: &mapping::Bound| Shown {
        column: names(columns, &bound.columns).join(" + "),
        target: bound.rule.to.to_string(),
    };
    plan.bound.iter().filter(|bound| bound.rule.to != Target::Ignore).map(of).collect()
}

/// What a mapping's problems say, a line each.
#[must_use]
pub fn problem_lines(problems: &[Problem]) -> Vec<String> {
    let line = |problem: &Problem| {
        let place =
            if problem.line == 0 { String::new() } else { format!("line {}: ", problem.line) };
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let code = problem.code.map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{place}{}{code}{hint}", problem.message)
    };
    problems.iter().map(line).collect()
}
