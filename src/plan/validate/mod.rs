//! Validation: turns a sheet's row into a [`ContactDraft`](crate::model::draft::ContactDraft), or into a rejection
//! that says what is wrong with it.
//!
//! A [`ColumnScan`] first reads the whole sheet, for what a column's values only mean together. Then a
//! [`RowValidator`] validates each row on its own: it resolves the mapping's targets against the directory once,
//! reads every cell as its target requires, and never guesses. If a cell that decides who a contact is, or whether
//! it may be contacted, cannot be read, its row is rejected; any other field is left out with a warning. Validation
//! knows neither live contacts nor other rows.

mod apply_rule;
mod cell_value;
mod cleaned_value;
mod column_scan;
mod compile;
mod consent;
mod contact;
mod custom_values;
mod dates;
mod deferred;
mod deletion_row;
mod field_rule;
mod note_text;
mod notes_and_tasks;
mod outcome;
mod phones;
mod pick_list;
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

use crate::diagnostic::Diagnostic;
use crate::mapping;
use crate::model::{ImportMode, ImportPolicy, LocationDirectory};
use crate::sheet::{SheetColumn, SheetRow};
use compile::CompiledMapping;
use pick_list::UnknownOptionTally;
use references::NameResolver;
use row_context::RowContext;
use totals::ValidationTotals;

pub use column_scan::{ColumnScan, ColumnScanFindings};
pub use outcome::ValidatedRow;
pub use pick_list::UnknownOptionCell;
pub use references::UnresolvedName;

/// Validates rows. It can be shared between threads.
#[derive(Debug)]
pub struct RowValidator {
    resolved: CompiledMapping,
    columns: Vec<SheetColumn>,
    policy: ImportPolicy,
    names: NameResolver,
    tally: ValidationTotals,
    unknown_options: UnknownOptionTally,
    today: Date,
}

impl RowValidator {
    /// Resolves a mapping that was bound to its sheet against the directory. `columns` are the sheet's, `findings`
    /// come from the column scan of the same mapping and sheet, and `today` decides what is in the future.
    ///
    /// # Errors
    /// The problems that prevent the mapping from being used with this location: unknown names, custom fields that
    /// cannot be written, converters that do not fit their field.
    pub fn new(
        plan: mapping::BoundMapping,
        columns: &[SheetColumn],
        directory: LocationDirectory,
        policy: ImportPolicy,
        findings: ColumnScanFindings,
        today: Date,
    ) -> Result<Self, Vec<Diagnostic>> {
        let resolved = CompiledMapping::new(&plan, columns, &directory, &policy, findings)?;
        Ok(Self {
            tally: ValidationTotals::new(resolved.steps.len(), plan.unmapped),
            names: NameResolver::new(directory),
            unknown_options: UnknownOptionTally::default(),
            columns: columns.to_vec(),
            resolved,
            policy,
            today,
        })
    }

    /// Whether the sheet contains only notes and tasks, and the contacts they belong to.
    #[must_use]
    pub fn is_children_only(&self) -> bool {
        self.resolved.children_only
    }

    /// Validates a row.
    #[must_use]
    pub fn validate_row(&self, row: &SheetRow) -> ValidatedRow {
        let mut work = RowContext::new(row, &self.columns);
        self.tally.count_unmapped_errors(row, &self.columns);
        self.tally.count_opt_outs(row, &self.columns);
        if !self.resolved.empty_values.is_empty() && row.fault.is_none() {
            self.tally.count_emptied(row, |text| self.resolved.is_empty_value(text));
        }
        self.apply_rules(&mut work);
        work.into_validated_row()
    }

    /// The columns without a target that say of people that they must not be contacted: leaving them out would do harm.
    #[must_use]
    pub fn opt_outs_left_out(&self) -> Vec<Diagnostic> {
        self.tally.opt_outs_left_out(&self.columns)
    }

    /// Warnings about all rows validated so far: errors in columns that are not imported, empty cells that did not
    /// clear, and cells that `--empty-values` emptied.
    #[must_use]
    pub fn sheet_warnings(&self) -> Vec<Diagnostic> {
        self.tally.sheet_warnings(&self.resolved.steps, &self.columns)
    }

    /// The names of users and businesses in the rows validated so far that the location does not have, or has more
    /// than once. Their rows were rejected.
    #[must_use]
    pub fn unresolved_names(&self) -> Vec<UnresolvedName> {
        self.names.list_unresolved(&self.columns)
    }

    /// The cells of the rows validated so far with values that are not options of their field, if the policy is to ask
    /// about them.
    #[must_use]
    pub fn unknown_options(&self) -> Vec<UnknownOptionCell> {
        self.unknown_options.list_cells(&self.columns)
    }

    fn apply_rules(&self, work: &mut RowContext<'_>) {
        if let Err(fault) = work.check_row_structure() {
            // The cells of such a row may be in the wrong columns, so they say nothing.
            return work.reject(fault);
        }
        if let Some(rejection) = self.find_test_lead_mark(work) {
            return work.reject(rejection);
        }
        for step in &self.resolved.steps {
            if let Err(rejection) = self.apply_rule(step, work) {
                work.reject_for_rule(step, rejection);
            }
        }
        if self.policy.mode == ImportMode::Delete {
            self.finish_deletion(work);
        } else {
            self.finish_contact(work);
            self.resolve_consents(work);
            self.build_notes_and_tasks(work);
        }
        self.resolve_deferred(work);
    }
}
