//! The custom fields of a row.

use serde_json::Value as Json;

use super::RowValidator;
use super::cell_value::shorten_for_message;
use super::cleaned_value::CleanedValue;
use super::field_rule::{FieldRule, FieldRuleSource};
use super::row_context::RowContext;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

impl RowValidator {
    pub(super) fn set_custom_field(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let Some(custom) = &step.custom else {
            let message = format!(
                "the location has no custom field called `{}`; the value is left out",
                shorten_for_message(&value.into_text())
            );
            work.add_warning(DiagnosticCode::W_CUSTOM_FIELD_UNKNOWN, step, column, message);
            return Ok(());
        };
        let Some(value) = self.read_value(step, column, value, work)? else { return Ok(()) };
        let there = work.draft.custom.get_mut(&custom.id);
        match (there, value) {
            (Some(_), _) if matches!(step.source, FieldRuleSource::Constant(_)) => {}
            // Several columns for one field with several values.
            (Some(Json::Array(there)), Json::Array(more)) => {
                there.extend(more);
                let mut seen = std::collections::HashSet::new();
                there.retain(|item| seen.insert(item.to_string()));
            }
            (Some(there), value) => *there = value,
            (None, value) => {
                work.draft.custom.insert(custom.id.clone(), value);
            }
        }
        Ok(())
    }
}
