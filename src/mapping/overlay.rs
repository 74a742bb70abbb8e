//! Overrides a mapping with the options of the command line.

use super::bind::exclusive_target_key;
use super::columns::ColumnLookup;
use super::{DUPLICATE_HEADER, Mapping, MappingRule, mapping_problem};
use crate::diagnostic::Diagnostic;
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;

impl Mapping {
    /// Overrides the mapping for one sheet with rules ([`Mapping::parse_inline_rule`]) and columns to ignore. The
    /// mapping's own rules for these columns, and for single-column targets, are dropped.
    ///
    /// # Errors
    /// When the sheet has no such column, or several.
    pub fn with_overrides(
        mut self,
        rules: Vec<MappingRule>,
        ignore: &[String],
        columns: &[SheetColumn],
    ) -> Result<Self, Vec<Diagnostic>> {
        let columns = ColumnLookup::new(columns);
        let mut problems = Vec::new();
        let dropped = resolve_columns(&columns, ignore, &mut problems);
        let mut decided: Vec<(usize, MappingTarget)> = Vec::new();
        for rule in rules {
            match resolve_rule(&columns, rule, &dropped) {
                Ok((rule, taken)) => {
                    problems.extend(second_rule_problem(&columns, &rule, &taken, &decided));
                    decided.extend(taken.iter().map(|at| (*at, rule.to.clone())));
                    self.apply_override(&columns, &rule, &taken);
                }
                Err(problem) => problems.push(problem),
            }
        }
        self.ignore.extend(ignore.iter().filter(|name| columns.is_pattern(name)).cloned());
        self.ignore.extend(dropped.iter().map(|at| columns.unambiguous_reference(*at)));
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    fn apply_override(&mut self, columns: &ColumnLookup, rule: &MappingRule, taken: &[usize]) {
        let is_taken = |name: &String| {
            let named = columns.find_by_name(name, true);
            !columns.is_pattern(name)
                && !named.is_empty()
                && named.iter().all(|at| taken.contains(at))
        };
        for old in &mut self.rules {
            old.from.retain(|name| !is_taken(name));
        }
        let target = exclusive_target_key(&rule.to);
        self.rules.retain(|old| {
            !old.from.is_empty() && (target.is_none() || exclusive_target_key(&old.to) != target)
        });
        self.constants.retain(|old| target.is_none() || exclusive_target_key(&old.to) != target);
        self.remove_from_ignored(columns, taken);
        // A name may match several columns, which must not be joined.
        self.rules.extend(
            rule.from.iter().map(|name| MappingRule { from: vec![name.clone()], ..rule.clone() }),
        );
    }

    /// Removes columns from the ignored ones; others with the same name remain ignored.
    fn remove_from_ignored(&mut self, columns: &ColumnLookup, taken: &[usize]) {
        let mut remaining = Vec::with_capacity(self.ignore.len());
        for name in std::mem::take(&mut self.ignore) {
            let named = if columns.is_pattern(&name) {
                Vec::new()
            } else {
                columns.find_by_name(&name, true)
            };
            if named.iter().any(|at| taken.contains(at)) {
                let others = named.iter().filter(|at| !taken.contains(at));
                remaining.extend(others.map(|at| columns.unambiguous_reference(*at)));
            } else {
                remaining.push(name);
            }
        }
        self.ignore = remaining;
    }
}

fn resolve_columns(
    columns: &ColumnLookup,
    names: &[String],
    problems: &mut Vec<Diagnostic>,
) -> Vec<usize> {
    let mut places = Vec::new();
    for name in names.iter().filter(|name| !columns.is_pattern(name)) {
        let found = columns.find_by_name(name, true);
        if found.is_empty() {
            problems.push(missing_column_problem(columns, name));
        }
        places.extend(found);
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// Resolves a rule: returns it with an unambiguous column name, and that column.
fn resolve_rule(
    columns: &ColumnLookup,
    rule: MappingRule,
    dropped: &[usize],
) -> Result<(MappingRule, Vec<usize>), Diagnostic> {
    let mut taken = Vec::new();
    let mut from = Vec::new();
    for name in &rule.from {
        if columns.is_pattern(name) {
            from.push(name.clone());
            continue;
        }
        let mut named = columns.find_by_name(name, true);
        if named.is_empty() {
            return Err(missing_column_problem(columns, name));
        }
        named.retain(|at| !dropped.contains(at));
        if named.len() > 1 && !rule.to.accepts_multiple_columns() {
            let letters: Vec<&str> = named.iter().map(|at| columns.column_letters(*at)).collect();
            let message = format!(
                "`{name}` is the header of columns {}; name one by its letter",
                letters.join(" and ")
            );
            return Err(mapping_problem(0, message).with_code(DUPLICATE_HEADER));
        }
        from.extend(named.iter().map(|at| columns.unambiguous_reference(*at)));
        taken.extend(named);
    }
    Ok((MappingRule { from, ..rule }, taken))
}

/// The problem that an earlier rule of the command line maps a column to another target.
fn second_rule_problem(
    columns: &ColumnLookup,
    rule: &MappingRule,
    taken: &[usize],
    decided: &[(usize, MappingTarget)],
) -> Option<Diagnostic> {
    let (at, other) = decided.iter().find(|(at, to)| taken.contains(at) && *to != rule.to)?;
    let message = format!(
        "column {} has two rules, for `{other}` and for `{}`",
        columns.column_letters(*at),
        rule.to
    );
    let hint = "keep one; a mapping file can use a column for several targets";
    Some(mapping_problem(0, message).with_hint(hint))
}

fn missing_column_problem(columns: &ColumnLookup, name: &str) -> Diagnostic {
    mapping_problem(0, format!("the sheet has no column `{name}`"))
        .did_you_mean(columns.closest_header(name))
}
