//! A mapping with the command line's words laid over it: they win.

use super::bind::single;
use super::columns::Columns;
use super::{DUPLICATE_HEADER, Mapping, Problem, Rule};
use crate::sheet::Column;

impl Mapping {
    /// Lays rules ([`Mapping::inline`]) and columns to ignore over the mapping, for one sheet. What the
    /// mapping said about those columns, or about targets that take one column, is gone.
    ///
    /// # Errors
    /// When the sheet has no such columns, or several.
    pub fn overlay(
        mut self,
        rules: Vec<Rule>,
        ignore: &[String],
        columns: &[Column],
    ) -> Result<Self, Vec<Problem>> {
        let columns = Columns::new(columns);
        let mut problems = Vec::new();
        let dropped = resolve_all(&columns, ignore, &mut problems);
        for rule in rules {
            match resolved(&columns, rule, &dropped) {
                Ok((rule, taken)) => self.lay(&columns, &rule, &taken),
                Err(problem) => problems.push(problem),
            }
        }
        self.ignore.extend(ignore.iter().filter(|name| columns.is_pattern(name)).cloned());
        self.ignore.extend(dropped.iter().map(|at| columns.reference(*at)));
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    fn lay(&mut self, columns: &Columns, rule: &Rule, taken: &[usize]) {
        let is_taken = |name: &String| {
            let named = columns.named(name, true);
            !columns.is_pattern(name)
                && !named.is_empty()
                && named.iter().all(|at| taken.contains(at))
        };
        for old in &mut self.rules {
            old.from.retain(|name| !is_taken(name));
        }
        let target = single(&rule.to);
        self.rules
            .retain(|old| !old.from.is_empty() && (target.is_none() || single(&old.to) != target));
        self.constants.retain(|old| target.is_none() || single(&old.to) != target);
        self.unignore(columns, taken);
        // A name may have become several columns, which are not to be joined.
        self.rules
            .extend(rule.from.iter().map(|name| Rule { from: vec![name.clone()], ..rule.clone() }));
    }

    /// Takes columns out of the ignored ones; those that share a name with them stay there.
    fn unignore(&mut self, columns: &Columns, taken: &[usize]) {
        let mut kept = Vec::with_capacity(self.ignore.len());
        for name in std::mem::take(&mut self.ignore) {
            let named =
                if columns.is_pattern(&name) { Vec::new() } else { columns.named(&name, true) };
            if named.iter().any(|at| taken.contains(at)) {
                let others = named.iter().filter(|at| !taken.contains(at));
                kept.extend(others.map(|at| columns.reference(*at)));
            } else {
                kept.push(name);
            }
        }
        self.ignore = kept;
    }
}

fn resolve_all(columns: &Columns, names: &[String], problems: &mut Vec<Problem>) -> Vec<usize> {
    let mut places = Vec::new();
    for name in names.iter().filter(|name| !columns.is_pattern(name)) {
        let found = columns.named(name, true);
        if found.is_empty() {
            problems.push(lacking(columns, name));
        }
        places.extend(found);
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// The rule, naming its column so that nothing else can be meant, and that column.
fn resolved(
    columns: &Columns,
    rule: Rule,
    dropped: &[usize],
) -> Result<(Rule, Vec<usize>), Problem> {
    let mut taken = Vec::new();
    let mut from = Vec::new();
    for name in &rule.from {
        if columns.is_pattern(name) {
            from.push(name.clone());
            continue;
        }
        let mut named = columns.named(name, true);
        if named.is_empty() {
            return Err(lacking(columns, name));
        }
        named.retain(|at| !dropped.contains(at));
        if named.len() > 1 && !rule.to.takes_many() {
            let letters: Vec<&str> = named.iter().map(|at| columns.letters(*at)).collect();
            let message = format!(
                "`{name}` is the header of columns {}; name one by its letter",
                letters.join(" and ")
            );
            return Err(Problem::new(0, message).code(DUPLICATE_HEADER));
        }
        from.extend(named.iter().map(|at| columns.reference(*at)));
        taken.extend(named);
    }
    Ok((Rule { from, ..rule }, taken))
}

fn lacking(columns: &Columns, name: &str) -> Problem {
    Problem::new(0, format!("the sheet has no column `{name}`")).did_you_mean(columns.closest(name))
}
