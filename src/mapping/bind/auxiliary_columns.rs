//! What rules read beside their columns, and when two of them are for one target.

use super::super::{DUPLICATE_HEADER, Missing, Problem, Rule};
use super::{Beside, Binding, and};

impl Binding<'_, '_> {
    /// The columns beside those of the rule's value; `star` is what its pattern stands for. None when the
    /// rule does not apply to this sheet: the sheet lacks such a column, which a mapping for this very
    /// sheet is told of.
    pub(super) fn beside(&mut self, rule: &Rule, star: &str) -> Option<Beside> {
        let mut beside = Beside::default();
        if let Some(when) = &rule.when {
            beside.when = self.one(rule, &when.column).ok()?;
            // A column that is not there is one of empty cells.
            if beside.when.is_none() && !when.test.holds("") {
                return None;
            }
        }
        if let Some(named_by) = &rule.named_by {
            beside.named_by = Some(self.one(rule, &named_by.replace('*', star)).ok()??);
        }
        for at in [beside.when, beside.named_by].into_iter().flatten() {
            self.used[at] = true;
        }
        Some(beside)
    }

    /// The column of a name, if the sheet has it and need not.
    fn one(&mut self, rule: &Rule, name: &str) -> Result<Option<usize>, ()> {
        match self.columns.named(name, self.letters()).as_slice() {
            [at] => Ok(Some(*at)),
            [] if self.mapping.missing == Missing::Skip => Ok(None),
            [] => {
                self.lacking(rule, name);
                Err(())
            }
            several => {
                let letters: Vec<&str> =
                    several.iter().map(|at| self.columns.letters(*at)).collect();
                let message = format!("`{name}` is the header of columns {}", and(&letters));
                let hint = format!("name one by its letter, as in `[{}]`", letters[0]);
                self.problems
                    .push(Problem::new(rule.line, message).hint(hint).code(DUPLICATE_HEADER));
                Err(())
            }
        }
    }

    /// Whether some rules for one target could bring two values in one row.
    pub(super) fn compete(&self, places: &[usize]) -> bool {
        places.iter().enumerate().any(|(number, one)| {
            places[number + 1..].iter().any(|other| {
                let (one, other) = (&self.bound[*one], &self.bound[*other]);
                let apart = match (&one.rule.when, &other.rule.when) {
                    (Some(first), Some(second)) => {
                        one.when.is_some()
                            && one.when == other.when
                            && first.test.excludes(&second.test)
                    }
                    _ => false,
                };
                !(apart || one.rule.fallback || other.rule.fallback)
            })
        })
    }
}
