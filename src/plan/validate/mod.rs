//! The check: a sheet's row becomes a [`Draft`](crate::model::Draft), or a rejection that says what is wrong with it.
//!
//! A [`Survey`] looks at the whole sheet first, for what a column's values only say together. Then a
//! [`Checker`] judges row by row, each for itself: it resolves the mapping's targets against the
//! directory once, reads every cell as its target wants it, and never guesses. What would change who a
//! contact is, or whether it may be contacted, rejects its row when it cannot be read; any other field is
//! left out with a warning. The check knows nobody's live state and no other row.

mod cell_value;
mod column_scan;
mod compile;
mod consent;
mod contact;
mod custom_values;
mod date_order;
mod deferred;
mod deletion_row;
mod field_rule;
mod note_text;
mod notes_and_tasks;
mod outcome;
mod phones;
mod read_cell;
mod references;
mod row_context;
mod row_filter;
mod severity;
mod totals;
mod value_type;

#[cfg(test)]
mod tests;

use jiff::civil::Date;

use crate::mapping;
use crate::mapping::Problem;
use crate::model::{Directory, Mode, Policy};
use crate::sheet::{Column, Row};
use compile::Resolved;
use references::Names;
use row_context::Work;
use totals::Tally;

pub use column_scan::{Findings, Survey};
pub use outcome::{Judged, Rejection, Warned};
pub use references::Unknown;

/// Judges rows. It may be shared by threads.
#[derive(Debug)]
pub struct Checker {
    resolved: Resolved,
    columns: Vec<Column>,
    policy: Policy,
    names: Names,
    tally: Tally,
    today: Date,
}

impl Checker {
    /// Resolves a mapping that has met its sheet against the directory. `columns` are the sheet's,
    /// `findings` the survey's of the same mapping and sheet; `today` decides what is in the future.
    ///
    /// # Errors
    /// What keeps the mapping from being used with this location: names that it does not have, custom
    /// fields that cannot be written, converters that do not go with their field.
    pub fn new(
        plan: mapping::Plan,
        columns: &[Column],
        directory: Directory,
        policy: Policy,
        findings: Findings,
        today: Date,
    ) -> Result<Self, Vec<Problem>> {
        let resolved = Resolved::new(&plan, columns, &directory, &policy, findings)?;
        Ok(Self {
            tally: Tally::new(resolved.steps.len(), plan.unmapped),
            names: Names::new(directory),
            columns: columns.to_vec(),
            resolved,
            policy,
            today,
        })
    }

    /// Whether the sheet says nothing about contacts but whose its notes and tasks are.
    #[must_use]
    pub fn is_children_only(&self) -> bool {
        self.resolved.children_only
    }

    /// Judges a row.
    #[must_use]
    pub fn check(&self, row: &Row) -> Judged {
        let mut work = Work::new(row, &self.columns);
        self.tally.see_unmapped(row, &self.columns);
        match self.judge(&mut work) {
            Ok(()) => Judged { outcome: Ok(work.draft), warnings: work.warnings },
            Err(rejection) => Judged { outcome: Err(rejection), warnings: work.lasting() },
        }
    }

    /// What the rows that were checked so far say as a whole: cells of columns that are not imported
    /// hold errors, empty cells did not clear.
    #[must_use]
    pub fn summary(&self) -> Vec<Warned> {
        self.tally.summary(&self.resolved.steps, &self.columns)
    }

    /// The names of users and businesses that the location does not have, or has more than once, in the
    /// rows that were checked so far. Their rows were rejected.
    #[must_use]
    pub fn unknown_names(&self) -> Vec<Unknown> {
        self.names.unknown(&self.columns)
    }

    fn judge(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        work.form()?;
        for step in &self.resolved.steps {
            self.step(step, work)?;
        }
        let outcome = self.finish(work);
        Self::settle(work, outcome)
    }

    fn finish(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        if self.policy.mode == Mode::Delete {
            return self.finish_removal(work);
        }
        self.finish_contact(work)?;
        self.finish_consent(work);
        self.finish_children(work)
    }
}
