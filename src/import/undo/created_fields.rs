//! Custom fields that an import created: an undo deletes those of which no contact keeps a value.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::applied_ops::load_remote_contact;
use super::revert_row::RowRevert;
use crate::api::ApiEndpoint;
use crate::concurrency;
use crate::context::EngineContext;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::model::{CustomField, OpChange, op_codec};
use crate::run::{ImportStore, LedgerReader, OpState};

/// A custom field that an import created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CreatedField {
    pub(super) id: String,
    pub(super) name: String,
}

/// Reads which fields an import created, and which of them the location still has.
pub(super) async fn fetch_created_fields(
    context: &EngineContext,
    of: &Path,
) -> Result<Vec<CreatedField>, ImportError> {
    let of = of.to_owned();
    let created = concurrency::run_blocking(move || load_created_fields(&of)).await?;
    if created.is_empty() {
        return Ok(created);
    }
    let answer = context.client.list_custom_fields().await?;
    let answer = answer.require_whole(ApiEndpoint::CustomFields)?;
    let current = CustomField::list_from_response(&answer.body)
        .map_err(|error| ImportError::Answer(error.to_string()))?;
    let is_left = |field: &CreatedField| current.iter().any(|it| it.id == field.id);
    Ok(created.into_iter().filter(is_left).collect())
}

fn load_created_fields(of: &Path) -> Result<Vec<CreatedField>, ImportError> {
    let mut created = Vec::new();
    for record in LedgerReader::open(of)?.ops_of_row(0)? {
        let is_applied = matches!(record.state, OpState::Applied | OpState::Differs);
        if !is_applied || op_codec::found_nothing_to_do(&record)? {
            continue;
        }
        let OpChange::CreateField { body } = op_codec::decode_op(&record)?.change else { continue };
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        created.extend(record.made.map(|id| CreatedField { id, name }));
    }
    Ok(created)
}

/// The fields of which contacts keep a value after the undo, each with one of the contacts.
#[derive(Debug, Default)]
pub(super) struct UsedFields(BTreeMap<String, String>);

impl UsedFields {
    /// Adds what the contact of a row keeps. A value that another row of the same contact removes counts as kept: a
    /// field too many does no harm.
    pub(super) fn add_row(
        &mut self,
        fields: &[CreatedField],
        rows: &ImportStore,
        contact: Option<&str>,
        undone: &RowRevert,
    ) -> Result<(), ImportError> {
        let open = fields.iter().filter(|field| !self.0.contains_key(&field.id));
        let open: Vec<_> = open.collect();
        if open.is_empty() || undone.steps.iter().any(|step| step.step.change == OpChange::Delete) {
            return Ok(());
        }
        let Some(remote) = load_remote_contact(rows, contact)? else { return Ok(()) };
        for field in open {
            let has_value = remote.custom.get(&field.id).is_some_and(|value| !value.is_null());
            if has_value
                && !undone.steps.iter().any(|step| writes_field(&step.step.change, &field.id))
            {
                self.0.insert(field.id.clone(), remote.id.to_string());
            }
        }
        Ok(())
    }

    /// The fields that can be deleted. What is left is reported.
    pub(super) fn select_unused(
        &self,
        fields: Vec<CreatedField>,
        rows: &ImportStore,
    ) -> Result<Vec<CreatedField>, ImportError> {
        let (used, unused): (Vec<_>, Vec<_>) =
            fields.into_iter().partition(|field| self.0.contains_key(&field.id));
        for field in used {
            let message = format!(
                "the custom field `{}` is left, because contact `{}` keeps a value",
                field.name, self.0[&field.id]
            );
            rows.insert_warning(0, &Diagnostic::new(DiagnosticCode::W_FIELD_KEPT, message))?;
        }
        Ok(unused)
    }
}

/// Whether a change writes a custom field: an undo writes back what was there before the import, which is nothing.
fn writes_field(change: &OpChange, id: &str) -> bool {
    let OpChange::Update { body } = change else { return false };
    let fields = body.get("customFields").and_then(Value::as_array).into_iter().flatten();
    fields.into_iter().any(|field| field["id"] == id)
}
