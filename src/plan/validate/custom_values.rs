//! Custom fields' part of a row.

use serde_json::Value as Json;

use super::Checker;
use super::cell_value::{Value, shortened};
use super::field_rule::{Source, Step};
use super::outcome::Rejection;
use super::row_context::Work;

impl Checker {
    pub(super) fn put_custom(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let Some(custom) = &step.custom else {
            let message = format!(
                "the location has no custom field of the name that the row gives `{}`; it is left out",
                shortened(&value.into_text())
            );
            work.warn("W_CUSTOM_FIELD_UNKNOWN", step, column, message);
            return Ok(());
        };
        let Some(value) = self.read(step, column, value, work)? else { return Ok(()) };
        let there = work.draft.custom.get_mut(&custom.id);
        match (there, value) {
            (Some(_), _) if matches!(step.source, Source::Constant(_)) => {}
            // Several columns of one field of several values.
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
