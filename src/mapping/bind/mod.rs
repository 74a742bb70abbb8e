//! Binds a mapping to a sheet: resolves names to columns, and accounts for every column.

mod auxiliary_columns;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::columns::ColumnLookup;
use super::header::fold_name;
use super::{
    BoundConstant, BoundMapping, BoundRule, DUPLICATE_HEADER, Mapping, MappingRule, OnMissing,
    mapping_problem,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::result_columns::is_result_column;
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;

impl Mapping {
    /// Finds the mapping's columns in a sheet.
    ///
    /// # Errors
    /// All problems: columns that the sheet lacks, columns without a decision, and columns with the same
    /// single-column target ([`DUPLICATE_HEADER`]).
    pub fn bind_columns(&self, columns: &[SheetColumn]) -> Result<BoundMapping, Vec<Diagnostic>> {
        let mut binding = MappingBinder::new(self, columns);
        // Patterns match the remaining columns, so they come last, wherever they are in the file.
        let (patterns, named): (Vec<&MappingRule>, Vec<&MappingRule>) =
            self.rules.iter().partition(|rule| binding.is_pattern_rule(rule));
        for rule in named {
            binding.bind_named_rule(rule);
        }
        binding.bind_constants();
        for rule in patterns {
            binding.bind_pattern_rule(rule);
        }
        binding.report_target_conflicts();
        binding.finish()
    }
}

/// Warnings about names shared by several columns, unless another problem already reports them.
#[must_use]
pub fn duplicate_headers(columns: &[SheetColumn]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, column) in
        columns.iter().enumerate().filter(|(_, column)| !column.name.trim().is_empty())
    {
        seen.entry(column.name.trim()).or_default().push(at);
    }
    let mut warnings: Vec<Diagnostic> = seen
        .into_iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(name, places)| {
            let letters: Vec<&str> =
                places.iter().map(|at| columns[*at].letters.as_str()).collect();
            let message = format!("`{name}` is the header of columns {}", join_with_and(&letters));
            Diagnostic::new(DiagnosticCode::W_DUPLICATE_HEADER, message).at_column(places[1])
        })
        .collect();
    warnings.sort_by_key(|warning| warning.place.column);
    warnings
}

/// The key of a target that accepts only one column; `None` for targets that accept several.
pub(super) fn exclusive_target_key(target: &MappingTarget) -> Option<String> {
    match target {
        MappingTarget::Custom(name) => Some(format!("customFields.{}", fold_name(name))),
        target if target.accepts_multiple_columns() => None,
        target => Some(target.to_string()),
    }
}

/// The columns that a rule reads in addition to its value.
#[derive(Debug, Clone, Default)]
struct AuxiliaryColumns {
    when: Vec<Option<usize>>,
    named_by: Option<usize>,
}

struct MappingBinder<'m, 'c> {
    mapping: &'m Mapping,
    columns: ColumnLookup<'c>,
    /// Columns ignored by name or letter, which no rule may use.
    ignored: Vec<bool>,
    /// Columns ignored by a pattern, or added by this program, unless a rule names them.
    passed: Vec<bool>,
    used: Vec<bool>,
    bound: Vec<BoundRule>,
    constants: Vec<BoundConstant>,
    problems: Vec<Diagnostic>,
}

impl<'m, 'c> MappingBinder<'m, 'c> {
    fn new(mapping: &'m Mapping, columns: &'c [SheetColumn]) -> Self {
        let passed = columns.iter().map(|column| is_result_column(column.name.trim())).collect();
        let columns = ColumnLookup::new(columns);
        let none = vec![false; columns.len()];
        let mut binding = Self {
            mapping,
            columns,
            ignored: none.clone(),
            passed,
            used: none,
            bound: Vec::with_capacity(mapping.rules.len()),
            constants: Vec::with_capacity(mapping.constants.len()),
            problems: Vec::new(),
        };
        binding.mark_ignored_columns();
        binding
    }

    fn mark_ignored_columns(&mut self) {
        let rules = self.mapping.rules.iter().filter(|rule| rule.to == MappingTarget::Ignore);
        for name in self.mapping.ignore.iter().chain(rules.flat_map(|rule| &rule.from)) {
            if self.columns.is_pattern(name) {
                for (at, _) in self.columns.match_pattern(name) {
                    self.passed[at] = true;
                }
            } else {
                for at in self.columns.find_by_name(name, self.accepts_bare_letters()) {
                    self.ignored[at] = true;
                }
            }
        }
    }

    /// Whether bare letters refer to columns. In a preset, `CC` can only be a header.
    fn accepts_bare_letters(&self) -> bool {
        self.mapping.missing == OnMissing::Stop
    }

    /// Whether a rule consists of one pattern; a pattern among several names is only one part to join.
    fn is_pattern_rule(&self, rule: &MappingRule) -> bool {
        matches!(rule.from.as_slice(), [one] if self.columns.is_pattern(one))
    }

    /// Binds a rule that names its columns.
    fn bind_named_rule(&mut self, rule: &MappingRule) {
        if rule.to == MappingTarget::Ignore {
            return;
        }
        let mut found: Vec<usize> = Vec::with_capacity(rule.from.len());
        let mut excused = false;
        for name in &rule.from {
            match self.find_columns(rule, name) {
                Some(named) => found.extend(named),
                None => excused = true,
            }
        }
        let mut seen = HashSet::new();
        found.retain(|at| seen.insert(*at));
        if !excused && !found.is_empty() {
            self.bind_found_columns(rule, found);
        }
    }

    /// Finds the columns for one name of a rule; `None` if there is a problem, which is reported.
    fn find_columns(&mut self, rule: &MappingRule, name: &str) -> Option<Vec<usize>> {
        if self.columns.is_pattern(name) {
            let fitting = self.columns.match_pattern(name).map(|(at, _)| at);
            return Some(fitting.filter(|at| !self.ignored[*at]).collect());
        }
        let mut named = self.columns.find_by_name(name, self.accepts_bare_letters());
        if named.is_empty() && self.mapping.missing == OnMissing::Stop {
            self.report_missing_column(rule, name);
            return None;
        }
        named.retain(|at| !self.ignored[*at]);
        let several_are_fine = rule.from.len() == 1 && rule.to.accepts_multiple_columns();
        if named.len() > 1 && !several_are_fine {
            self.report_ambiguous_header(rule, &named);
            return None;
        }
        Some(named)
    }

    fn bind_found_columns(&mut self, rule: &MappingRule, found: Vec<usize>) {
        let Some(auxiliary) = self.find_auxiliary_columns(rule, "") else { return };
        for at in &found {
            self.used[*at] = true;
        }
        if rule.to == MappingTarget::Undecided {
            for at in found {
                self.report_undecided_column(rule, at);
            }
        } else if rule.from.len() > 1 {
            self.push_bound_rule(rule, rule.to.clone(), found, auxiliary);
        } else {
            for at in found {
                self.push_bound_rule(rule, rule.to.clone(), vec![at], auxiliary.clone());
            }
        }
    }

    fn push_bound_rule(
        &mut self,
        rule: &MappingRule,
        to: MappingTarget,
        columns: Vec<usize>,
        auxiliary: AuxiliaryColumns,
    ) {
        let from = columns.iter().map(|at| self.columns.column_name(*at).to_owned()).collect();
        let AuxiliaryColumns { when, named_by } = auxiliary;
        // Headers may be duplicates, and letters may also be headers; this reference is unambiguous.
        let place = |name: &str| {
            let found = self.columns.find_by_name(name, self.accepts_bare_letters());
            found.first().map(|at| format!("[{}]", self.columns.column_letters(*at)))
        };
        let template = rule.template.as_ref().map(|template| template.with_renamed_columns(place));
        let star = matches!(&rule.to, MappingTarget::Custom(name) if name.trim() == "*");
        let by_star = star && named_by.is_none();
        let rule = MappingRule { from, to, template, ..rule.clone() };
        self.bound.push(BoundRule { rule, columns, when, named_by, by_star });
    }

    /// Binds a rule with one pattern to the columns that no other rule names.
    fn bind_pattern_rule(&mut self, rule: &MappingRule) {
        if rule.to == MappingTarget::Ignore {
            return;
        }
        let fitting: Vec<(usize, String)> = self
            .columns
            .match_pattern(&rule.from[0])
            .filter(|(at, _)| !self.used[*at] && !self.ignored[*at])
            .collect();
        if fitting.is_empty() && self.mapping.missing == OnMissing::Stop {
            let message = format!("no column header matches `{}`", rule.from[0]);
            self.problems.push(mapping_problem(rule.line, message));
        }
        for (at, star) in fitting {
            let Some(auxiliary) = self.find_auxiliary_columns(rule, &star) else { continue };
            self.used[at] = true;
            match &rule.to {
                MappingTarget::Undecided => self.report_undecided_column(rule, at),
                to if rule.named_by.is_some() => {
                    self.push_bound_rule(rule, to.clone(), vec![at], auxiliary);
                }
                MappingTarget::Custom(name) if name.contains('*') && star.trim().is_empty() => {
                    self.report_undecided_column(rule, at);
                }
                MappingTarget::Custom(name) => {
                    let to = MappingTarget::Custom(name.replace('*', star.trim()));
                    self.push_bound_rule(rule, to, vec![at], auxiliary);
                }
                to => self.push_bound_rule(rule, to.clone(), vec![at], auxiliary),
            }
        }
    }

    fn report_missing_column(&mut self, rule: &MappingRule, name: &str) {
        let problem = mapping_problem(rule.line, format!("the sheet has no column `{name}`"));
        self.problems.push(problem.did_you_mean(self.columns.closest_header(name)));
    }

    fn report_undecided_column(&mut self, rule: &MappingRule, at: usize) {
        let (name, letters) = (self.columns.column_name(at), self.columns.column_letters(at));
        let message = format!("column {letters} (`{name}`) has no target yet");
        let hint = "replace `\"?\"` with a target or with `\"ignore\"`";
        self.problems.push(mapping_problem(rule.line, message).with_hint(hint));
    }

    /// Reports that several columns have the name used by a rule that reads one column.
    fn report_ambiguous_header(&mut self, rule: &MappingRule, places: &[usize]) {
        for at in places {
            self.used[*at] = true;
        }
        let name = self.columns.column_name(places[0]);
        let letters: Vec<&str> = places.iter().map(|at| self.columns.column_letters(*at)).collect();
        let message = format!(
            "`{name}` is the header of columns {}; pick one with `--map {}={}` or `--ignore-column {}`",
            join_with_and(&letters),
            letters[0],
            rule.to,
            letters[letters.len() - 1]
        );
        self.problems.push(mapping_problem(rule.line, message).with_code(DUPLICATE_HEADER));
    }

    /// Reports targets that accept one value and have two sources.
    fn report_target_conflicts(&mut self) {
        let mut sources: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, bound) in self.bound.iter().enumerate() {
            // Fields that a column names row by row are unknown here, so they cannot conflict.
            if let Some(target) =
                exclusive_target_key(&bound.rule.to).filter(|_| bound.named_by.is_none())
            {
                sources.entry(target).or_default().push(at);
            }
        }
        for constant in &self.mapping.constants {
            if exclusive_target_key(&constant.to)
                .is_some_and(|target| sources.contains_key(&target))
            {
                let message =
                    format!("`{}` has a constant and a column; keep one of them", constant.to);
                self.problems.push(mapping_problem(constant.line, message));
            }
        }
        let mut shared: Vec<Vec<usize>> =
            sources.into_values().filter(|places| self.can_conflict(places)).collect();
        shared.sort_unstable();
        for places in shared {
            let problem = self.target_conflict_problem(&places);
            self.problems.push(problem);
        }
    }

    fn target_conflict_problem(&self, places: &[usize]) -> Diagnostic {
        let rules: Vec<&BoundRule> = places.iter().map(|at| &self.bound[*at]).collect();
        let named = rules.iter().map(|bound| {
            let at = bound.columns[0];
            format!("{} (`{}`)", self.columns.column_letters(at), self.columns.column_name(at))
        });
        let named: Vec<String> = named.collect();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let to = &rules[0].rule.to;
        let (first, last) = (rules[0].columns[0], rules[rules.len() - 1].columns[0]);
        let message = format!(
            "columns {} all go to `{to}`, which takes one; pick one with `--map {}={to}` or `--ignore-column {}`",
            join_with_and(&named),
            self.columns.column_letters(first),
            self.columns.column_letters(last)
        );
        let line = rules[rules.len() - 1].rule.line;
        mapping_problem(
            line,
            message.replace("all go", if named.len() == 2 { "both go" } else { "all go" }),
        )
        .with_code(DUPLICATE_HEADER)
    }

    fn finish(mut self) -> Result<BoundMapping, Vec<Diagnostic>> {
        if !self.problems.is_empty() {
            self.problems.sort_by_key(|problem| problem.place.line);
            return Err(self.problems);
        }
        let accounted = |at: &usize| self.used[*at] || self.ignored[*at] || self.passed[*at];
        let unmapped = (0..self.columns.len()).filter(|at| !accounted(at)).collect();
        Ok(BoundMapping { bound: self.bound, constants: self.constants, unmapped })
    }
}

/// Lists names for a message; of many, only the first ones.
pub(crate) fn join_with_and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [front @ .., last] if names.len() <= 6 => format!("{} and {last}", front.join(", ")),
        names => format!("{} and {} more", names[..5].join(", "), names.len() - 5),
    }
}
