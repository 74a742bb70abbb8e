//! What rules read beside their columns, and when two of them are for one target.

use super::super::{DUPLICATE_HEADER, MappingRule, OnMissing, mapping_problem};
use super::{AuxiliaryColumns, MappingBinder, join_with_and};

impl MappingBinder<'_, '_> {
    /// The columns beside those of the rule's value; `star` is what its pattern stands for. None when the
    /// rule does not apply to this sheet: the sheet lacks such a column, which a mapping for this very
    /// sheet is told of.
    pub(super) fn find_auxiliary_columns(
        &mut self,
        rule: &MappingRule,
        star: &str,
    ) -> Option<AuxiliaryColumns> {
        let mut beside = AuxiliaryColumns::default();
        if let Some(when) = &rule.when {
            beside.when = self.find_single_column(rule, &when.column).ok()?;
            // A column that is not there is one of empty cells.
            if beside.when.is_none() && !when.test.matches_text("") {
                return None;
            }
        }
        if let Some(named_by) = &rule.named_by {
            beside.named_by =
                Some(self.find_single_column(rule, &named_by.replace('*', star)).ok()??);
        }
        for at in [beside.when, beside.named_by].into_iter().flatten() {
            self.used[at] = true;
        }
        Some(beside)
    }

    /// The column of a name, if the sheet has it and need not.
    fn find_single_column(&mut self, rule: &MappingRule, name: &str) -> Result<Option<usize>, ()> {
        match self.columns.find_by_name(name, self.accepts_bare_letters()).as_slice() {
            [at] => Ok(Some(*at)),
            [] if self.mapping.missing == OnMissing::Skip => Ok(None),
            [] => {
                self.report_missing_column(rule, name);
                Err(())
            }
            several => {
                let letters: Vec<&str> =
                    several.iter().map(|at| self.columns.column_letters(*at)).collect();
                let message =
                    format!("`{name}` is the header of columns {}", join_with_and(&letters));
                let hint = format!("name one by its letter, as in `[{}]`", letters[0]);
                self.problems.push(
                    mapping_problem(rule.line, message).with_hint(hint).with_code(DUPLICATE_HEADER),
                );
                Err(())
            }
        }
    }

    /// Whether some rules for one target could bring two values in one row.
    pub(super) fn can_conflict(&self, places: &[usize]) -> bool {
        places.iter().enumerate().any(|(number, one)| {
            places[number + 1..].iter().any(|other| {
                let (one, other) = (&self.bound[*one], &self.bound[*other]);
                let apart = match (&one.rule.when, &other.rule.when) {
                    (Some(first), Some(second)) => {
                        one.when.is_some()
                            && one.when == other.when
                            && first.test.is_disjoint_from(&second.test)
                    }
                    _ => false,
                };
                !(apart || one.rule.fallback || other.rule.fallback)
            })
        })
    }
}
