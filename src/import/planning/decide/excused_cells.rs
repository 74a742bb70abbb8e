//! Excused cells: names and options that the location does not have, where the account has the same value.
//!
//! Such a cell requires no change, so it neither rejects its row nor stops the plan.

use super::RowDecider;
use crate::import::ImportError;
use crate::model::UnreadableCell;
use crate::plan::validate::{UnknownOptionCell, UnresolvedName};

impl RowDecider<'_> {
    /// Refuses the sheet if it has unknown names or options that the account does not have either.
    pub(crate) fn refuse_unknown_cells(
        &self,
        mut names: Vec<UnresolvedName>,
        mut options: Vec<UnknownOptionCell>,
    ) -> Result<(), ImportError> {
        for name in &mut names {
            name.rows = name.rows.saturating_sub(self.excused_rows(name.column, &name.value));
        }
        names.retain(|name| name.rows > 0);
        if !names.is_empty() {
            return Err(ImportError::UnknownNames(names));
        }
        for cell in &mut options {
            cell.rows = cell.rows.saturating_sub(self.excused_rows(cell.column, &cell.cell));
        }
        options.retain(|cell| cell.rows > 0);
        if options.is_empty() { Ok(()) } else { Err(ImportError::UnknownOptions(options)) }
    }

    /// How many rows have a text that the account has, too.
    fn excused_rows(&self, column: Option<usize>, text: &str) -> u64 {
        self.excused.borrow().get(&(column, text.to_owned())).copied().unwrap_or(0)
    }

    /// Counts unknown names and options as settled where the account has the same value: they require no change.
    pub(super) fn excuse_unknown_names<'d>(&self, names: impl Iterator<Item = &'d UnreadableCell>) {
        for unread in names {
            let name = (unread.diagnostic.place.column, unread.text.clone());
            *self.excused.borrow_mut().entry(name).or_default() += 1;
        }
    }
}
