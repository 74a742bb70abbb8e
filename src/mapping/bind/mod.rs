//! A mapping meets a sheet: names become columns, and every column is accounted for.

mod auxiliary_columns;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::Columns;
use super::header::fold;
use super::{Bound, DUPLICATE_HEADER, Mapping, Missing, Plan, Problem, Rule};
use crate::model::target::Target;
use crate::sheet::{Column, Warning};

impl Mapping {
    /// Finds the mapping's columns in a sheet.
    ///
    /// # Errors
    /// All problems: columns that the sheet lacks, columns that nobody has decided about, and columns
    /// that share what only one can have ([`DUPLICATE_HEADER`]).
    pub fn bind(&self, columns: &[Column]) -> Result<Plan, Vec<Problem>> {
        let mut binding = Binding::new(self, columns);
        // Patterns take what is left, so they come last, wherever they stand.
        let (patterns, named): (Vec<&Rule>, Vec<&Rule>) =
            self.rules.iter().partition(|rule| binding.is_pattern(rule));
        for rule in named {
            binding.named(rule);
        }
        for rule in patterns {
            binding.pattern(rule);
        }
        binding.conflicts();
        binding.finish()
    }
}

/// Warnings about names that several columns share, which nothing else has complained about.
#[must_use]
pub fn duplicate_headers(columns: &[Column]) -> Vec<Warning> {
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, column) in
        columns.iter().enumerate().filter(|(_, column)| !column.name.trim().is_empty())
    {
        seen.entry(column.name.trim()).or_default().push(at);
    }
    let mut warnings: Vec<Warning> = seen
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| {
            let letters: Vec<&str> =
                places.iter().map(|at| columns[*at].letters.as_str()).collect();
            let message = format!("`{name}` is the header of columns {}", and(&letters));
            Warning { code: "W_DUPLICATE_HEADER", column: Some(places[1]), message }
        })
        .collect();
    warnings.sort_by_key(|warning| warning.column);
    warnings
}

/// Which targets are one: none for those that take many columns.
pub(super) fn single(target: &Target) -> Option<String> {
    match target {
        Target::Custom(name) => Some(format!("customFields.{}", fold(name))),
        target if target.takes_many() => None,
        target => Some(target.to_string()),
    }
}

/// The columns that a rule reads beside those of its value.
#[derive(Debug, Clone, Copy, Default)]
struct Beside {
    when: Option<usize>,
    named_by: Option<usize>,
}

struct Binding<'m, 'c> {
    mapping: &'m Mapping,
    columns: Columns<'c>,
    /// Ignored by name or letter; such columns are out of all rules.
    ignored: Vec<bool>,
    /// Ignored by a pattern, or this program's own: only what no rule names.
    passed: Vec<bool>,
    used: Vec<bool>,
    bound: Vec<Bound>,
    problems: Vec<Problem>,
}

impl<'m, 'c> Binding<'m, 'c> {
    fn new(mapping: &'m Mapping, columns: &'c [Column]) -> Self {
        let passed = columns.iter().map(|column| is_own(column.name.trim())).collect();
        let columns = Columns::new(columns);
        let none = vec![false; columns.len()];
        let mut binding = Self {
            mapping,
            columns,
            ignored: none.clone(),
            passed,
            used: none,
            bound: Vec::with_capacity(mapping.rules.len()),
            problems: Vec::new(),
        };
        binding.ignore();
        binding
    }

    fn ignore(&mut self) {
        let rules = self.mapping.rules.iter().filter(|rule| rule.to == Target::Ignore);
        for name in self.mapping.ignore.iter().chain(rules.flat_map(|rule| &rule.from)) {
            if self.columns.is_pattern(name) {
                for (at, _) in self.columns.fitting(name) {
                    self.passed[at] = true;
                }
            } else {
                for at in self.columns.named(name, self.letters()) {
                    self.ignored[at] = true;
                }
            }
        }
    }

    /// Whether bare letters name columns. In a preset `CC` is a header or nothing.
    fn letters(&self) -> bool {
        self.mapping.missing == Missing::Stop
    }

    /// Whether a rule is one pattern; one among several names is only a part of what is joined.
    fn is_pattern(&self, rule: &Rule) -> bool {
        matches!(rule.from.as_slice(), [one] if self.columns.is_pattern(one))
    }

    /// Binds a rule that names its columns.
    fn named(&mut self, rule: &Rule) {
        if rule.to == Target::Ignore {
            return;
        }
        let mut found: Vec<usize> = Vec::with_capacity(rule.from.len());
        let mut excused = false;
        for name in &rule.from {
            match self.find(rule, name) {
                Some(named) => found.extend(named),
                None => excused = true,
            }
        }
        let mut seen = HashSet::new();
        found.retain(|at| seen.insert(*at));
        if !excused && !found.is_empty() {
            self.bind(rule, found);
        }
    }

    /// The columns of one name of a rule; none when that is a problem, which is reported.
    fn find(&mut self, rule: &Rule, name: &str) -> Option<Vec<usize>> {
        if self.columns.is_pattern(name) {
            let fitting = self.columns.fitting(name).map(|(at, _)| at);
            return Some(fitting.filter(|at| !self.ignored[*at]).collect());
        }
        let mut named = self.columns.named(name, self.letters());
        if named.is_empty() && self.mapping.missing == Missing::Stop {
            self.lacking(rule, name);
            return None;
        }
        named.retain(|at| !self.ignored[*at]);
        let several_are_fine = rule.from.len() == 1 && rule.to.takes_many();
        if named.len() > 1 && !several_are_fine {
            self.shared(rule, &named);
            return None;
        }
        Some(named)
    }

    fn bind(&mut self, rule: &Rule, found: Vec<usize>) {
        let Some(beside) = self.beside(rule, "") else { return };
        for at in &found {
            self.used[*at] = true;
        }
        if rule.to == Target::Undecided {
            for at in found {
                self.undecided(rule, at);
            }
        } else if rule.from.len() > 1 {
            self.push(rule, rule.to.clone(), found, beside);
        } else {
            for at in found {
                self.push(rule, rule.to.clone(), vec![at], beside);
            }
        }
    }

    fn push(&mut self, rule: &Rule, to: Target, columns: Vec<usize>, beside: Beside) {
        let from = columns.iter().map(|at| self.columns.name(*at).to_owned()).collect();
        let Beside { when, named_by } = beside;
        // Headers may be shared and letters may be headers; this is neither.
        let place = |name: &str| {
            let found = self.columns.named(name, self.letters());
            found.first().map(|at| format!("[{}]", self.columns.letters(*at)))
        };
        let template = rule.template.as_ref().map(|template| template.renamed(place));
        let star = matches!(&rule.to, Target::Custom(name) if name.trim() == "*");
        let by_star = star && named_by.is_none();
        let rule = Rule { from, to, template, ..rule.clone() };
        self.bound.push(Bound { rule, columns, when, named_by, by_star });
    }

    /// Binds a rule of one pattern to the columns that nothing else names.
    fn pattern(&mut self, rule: &Rule) {
        if rule.to == Target::Ignore {
            return;
        }
        let fitting: Vec<(usize, String)> = self
            .columns
            .fitting(&rule.from[0])
            .filter(|(at, _)| !self.used[*at] && !self.ignored[*at])
            .collect();
        if fitting.is_empty() && self.mapping.missing == Missing::Stop {
            let message = format!("no column's header fits `{}`", rule.from[0]);
            self.problems.push(Problem::new(rule.line, message));
        }
        for (at, star) in fitting {
            let Some(beside) = self.beside(rule, &star) else { continue };
            self.used[at] = true;
            match &rule.to {
                Target::Undecided => self.undecided(rule, at),
                to if rule.named_by.is_some() => self.push(rule, to.clone(), vec![at], beside),
                Target::Custom(name) if name.contains('*') && star.trim().is_empty() => {
                    self.undecided(rule, at);
                }
                Target::Custom(name) => {
                    let to = Target::Custom(name.replace('*', star.trim()));
                    self.push(rule, to, vec![at], beside);
                }
                to => self.push(rule, to.clone(), vec![at], beside),
            }
        }
    }

    fn lacking(&mut self, rule: &Rule, name: &str) {
        let problem = Problem::new(rule.line, format!("the sheet has no column `{name}`"));
        self.problems.push(problem.did_you_mean(self.columns.closest(name)));
    }

    fn undecided(&mut self, rule: &Rule, at: usize) {
        let (name, letters) = (self.columns.name(at), self.columns.letters(at));
        let message = format!("nobody has decided where column {letters} (`{name}`) goes");
        let hint = "replace `\"?\"` by a target, or by `\"ignore\"`";
        self.problems.push(Problem::new(rule.line, message).hint(hint));
    }

    /// Several columns have the name of a rule that can read one.
    fn shared(&mut self, rule: &Rule, places: &[usize]) {
        for at in places {
            self.used[*at] = true;
        }
        let name = self.columns.name(places[0]);
        let letters: Vec<&str> = places.iter().map(|at| self.columns.letters(*at)).collect();
        let message = format!(
            "`{name}` is the header of columns {}; pick one with `--map {}={}` or `--ignore-column {}`",
            and(&letters),
            letters[0],
            rule.to,
            letters[letters.len() - 1]
        );
        self.problems.push(Problem::new(rule.line, message).code(DUPLICATE_HEADER));
    }

    /// Finds targets that take one value and have two sources.
    fn conflicts(&mut self) {
        let mut sources: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, bound) in self.bound.iter().enumerate() {
            // What a column names row by row is never known to be another's.
            if let Some(target) = single(&bound.rule.to).filter(|_| bound.named_by.is_none()) {
                sources.entry(target).or_default().push(at);
            }
        }
        for constant in &self.mapping.constants {
            if single(&constant.to).is_some_and(|target| sources.contains_key(&target)) {
                let message =
                    format!("`{}` has a constant and a column; only one can be", constant.to);
                self.problems.push(Problem::new(constant.line, message));
            }
        }
        let mut shared: Vec<Vec<usize>> =
            sources.into_values().filter(|places| self.compete(places)).collect();
        shared.sort_unstable();
        for places in shared {
            let problem = self.conflict(&places);
            self.problems.push(problem);
        }
    }

    fn conflict(&self, places: &[usize]) -> Problem {
        let rules: Vec<&Bound> = places.iter().map(|at| &self.bound[*at]).collect();
        let named = rules.iter().map(|bound| {
            let at = bound.columns[0];
            format!("{} (`{}`)", self.columns.letters(at), self.columns.name(at))
        });
        let named: Vec<String> = named.collect();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let to = &rules[0].rule.to;
        let (first, last) = (rules[0].columns[0], rules[rules.len() - 1].columns[0]);
        let message = format!(
            "columns {} all go to `{to}`, which takes one; pick one with `--map {}={to}` or `--ignore-column {}`",
            and(&named),
            self.columns.letters(first),
            self.columns.letters(last)
        );
        let line = rules[rules.len() - 1].rule.line;
        Problem::new(
            line,
            message.replace("all go", if named.len() == 2 { "both go" } else { "all go" }),
        )
        .code(DUPLICATE_HEADER)
    }

    fn finish(mut self) -> Result<Plan, Vec<Problem>> {
        if !self.problems.is_empty() {
            self.problems.sort_by_key(|problem| problem.line);
            return Err(self.problems);
        }
        let accounted = |at: &usize| self.used[*at] || self.ignored[*at] || self.passed[*at];
        let unmapped = (0..self.columns.len()).filter(|at| !accounted(at)).collect();
        Ok(Plan { bound: self.bound, constants: self.mapping.constants.clone(), unmapped })
    }
}

/// Whether a column is one that this program adds to its result files.
pub(crate) fn is_own(name: &str) -> bool {
    name.starts_with("_reject_") || matches!(name, "_contact_id" | "_action" | "_reason")
}

/// Some names as a list for people; of many, the first.
pub(crate) fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] if names.len() <= 6 => format!("{} and {last}", front.join(", ")),
        names => format!("{} and {} more", names[..5].join(", "), names.len() - 5),
    }
}
