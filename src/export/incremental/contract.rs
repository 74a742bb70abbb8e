//! What happens when the custom fields behind columns have changed.

use super::super::ExportError;
use crate::choice::choice_enum;
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver};
use crate::mirror::{MirrorError, MirrorReader, RecordKind};
use crate::publish::{SchemaChange, SchemaChangeKind};
use crate::text::format_plural;

choice_enum! {
    /// What happens when the custom fields behind columns have changed.
    pub enum SchemaContract = Evolve {
        /// the tables follow: new columns are added, others stay
        Evolve = "evolve",
        /// nothing is written if a field was renamed, deleted or made again, or has another type
        Freeze = "freeze",
    }
}

impl SchemaContract {
    /// Refuses changes that queries over the tables would notice.
    ///
    /// # Errors
    /// With the changes.
    pub(super) fn check(self, changes: &[SchemaChange]) -> Result<(), ExportError> {
        let breaking: Vec<_> =
            changes.iter().filter(|change| !change.change.is_harmless()).cloned().collect();
        if self == Self::Evolve || breaking.is_empty() {
            return Ok(());
        }
        Err(ExportError::SchemaChanged(breaking))
    }
}

/// A sentence about a change.
#[must_use]
pub fn describe_change(change: &SchemaChange) -> String {
    let SchemaChange { column, field, .. } = change;
    match change.change {
        SchemaChangeKind::Added => format!("custom field \"{field}\" is new: column `{column}`"),
        SchemaChangeKind::Renamed => {
            let before = change.before.as_deref().unwrap_or_default();
            format!(
                "custom field \"{before}\" is called \"{field}\" now; its column is still `{column}`"
            )
        }
        SchemaChangeKind::Deleted => {
            format!(
                "custom field \"{field}\" was deleted; its column `{column}` stays, without values"
            )
        }
        SchemaChangeKind::Restored => {
            format!("custom field \"{field}\" is there again: column `{column}`")
        }
        SchemaChangeKind::Retyped => format!(
            "the values of custom field \"{field}\" have another type now, and another column; column `{column}` stays, without values"
        ),
        SchemaChangeKind::Recreated => format!(
            "custom field \"{field}\" has the key or the id of one before it, but not its type or its values: column `{column}` is new"
        ),
        SchemaChangeKind::Removed => format!("column `{column}` has another name now"),
    }
}

/// Says what has become of the custom fields. Of one that was deleted it says how many contacts have lost a value, since
/// this is how data is lost.
///
/// # Errors
/// When the mirror cannot be read.
pub(super) fn warn_schema_changes(
    changes: &[SchemaChange],
    mirror: &MirrorReader,
    (after, until): (i64, i64),
    observer: &SharedObserver,
) -> Result<(), MirrorError> {
    for change in changes.iter().filter(|change| change.change != SchemaChangeKind::Added) {
        let mut message = describe_change(change);
        let mut code = EventWarningCode::FieldsChanged;
        if change.change == SchemaChangeKind::Deleted {
            code = EventWarningCode::FieldEmptied;
            let emptied = count_emptied(mirror, &change.field_id, (after, until))?;
            message = format!("{message}; {} had a value", format_plural(emptied, "contact"));
        }
        let warning = RunWarning::new(code, message).about([change.column.clone()]);
        observer.observe(&RunEvent::Warning(warning));
    }
    Ok(())
}

/// How many contacts had a value of a field before, and have none now.
fn count_emptied(
    mirror: &MirrorReader,
    field_id: &str,
    (after, until): (i64, i64),
) -> Result<u64, MirrorError> {
    let needle = serde_json::Value::from(field_id).to_string();
    let (mut emptied, mut lost) = (Vec::new(), 0);
    mirror.for_each_net_change(RecordKind::Contact, (after, until), |changed| {
        if !changed.row.body.contains(&needle) {
            emptied.push(changed.row.id);
        }
        true
    })?;
    for id in emptied {
        let history = mirror.load_history(RecordKind::Contact, &id)?;
        let before = history.iter().rfind(|version| version.seq <= after);
        lost += u64::from(before.is_some_and(|version| version.body.contains(&needle)));
    }
    Ok(lost)
}
