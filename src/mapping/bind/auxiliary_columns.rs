//! Finds the columns that rules read in addition to their value, and conflicts between rules for one target.

use super::super::{
    BoundConstant, BoundRule, DUPLICATE_HEADER, MappingRule, OnMissing, mapping_problem,
};
use super::{AuxiliaryColumns, MappingBinder, join_with_and};

impl MappingBinder<'_, '_> {
    /// Finds the columns that a rule needs in addition to its value; `star` is the text matched by its pattern.
    /// `None` if the sheet lacks such a column, so that the rule does not apply; a mapping written for this sheet
    /// also gets an error.
    pub(super) fn find_auxiliary_columns(
        &mut self,
        rule: &MappingRule,
        star: &str,
    ) -> Option<AuxiliaryColumns> {
        let mut auxiliary = AuxiliaryColumns::default();
        for when in &rule.when {
            let column = self.find_single_column(rule, &when.column).ok()?;
            // A missing column counts as a column of empty cells.
            if column.is_none() && !when.test.matches_text("") {
                return None;
            }
            auxiliary.when.push(column);
        }
        if let Some(named_by) = &rule.named_by {
            auxiliary.named_by =
                Some(self.find_single_column(rule, &named_by.replace('*', star)).ok()??);
        }
        for at in auxiliary.when.iter().chain([&auxiliary.named_by]).flatten() {
            self.used[*at] = true;
        }
        Some(auxiliary)
    }

    /// Finds the columns that the conditions of constants test. A constant without its column is for no row.
    pub(super) fn bind_constants(&mut self) {
        let mapping = self.mapping;
        for constant in &mapping.constants {
            let rule = MappingRule {
                to: constant.to.clone(),
                when: constant.when.clone(),
                line: constant.line,
                ..MappingRule::default()
            };
            if let Some(AuxiliaryColumns { when, .. }) = self.find_auxiliary_columns(&rule, "") {
                self.constants.push(BoundConstant { constant: constant.clone(), when });
            }
        }
    }

    /// Finds the column with this name, if the sheet has it; it may be optional.
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

    /// Whether rules for one target could give two values for one row.
    pub(super) fn can_conflict(&self, places: &[usize]) -> bool {
        places.iter().enumerate().any(|(number, one)| {
            places[number + 1..].iter().any(|other| {
                let (one, other) = (&self.bound[*one], &self.bound[*other]);
                !(exclude_each_other(one, other) || one.rule.fallback || other.rule.fallback)
            })
        })
    }
}

/// Whether no row can meet the conditions of both rules.
fn exclude_each_other(one: &BoundRule, other: &BoundRule) -> bool {
    let tests = |rule: &BoundRule| {
        let conditions = rule.when.iter().zip(&rule.rule.when);
        let known = conditions.filter_map(|(column, when)| Some(((*column)?, when.test.clone())));
        known.collect::<Vec<_>>()
    };
    let others = tests(other);
    tests(one).iter().any(|(column, test)| {
        others.iter().any(|(other, excluded)| column == other && test.is_disjoint_from(excluded))
    })
}
