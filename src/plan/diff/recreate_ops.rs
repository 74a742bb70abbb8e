//! Recreates deleted records: the ops of a new contact, each with the former id of its record.

use serde_json::{Map, Value, json};

use super::{RemoteChildren, RowOrigin, RowPlan, RowPlanner};
use crate::diagnostic::Diagnostic;
use crate::model::op::{Op, OpChange};
use crate::model::remote::RemoteContact;
use crate::model::verify::remote_channel_value;
use crate::plan::deletion::{BeforeImage, RecreationDraft};
use crate::plan::identity::ContactAction;
use crate::run::RowAction;

/// The key in an op's before-image for the former id of a recreated record.
const FORMER_ID: &str = "was";

impl RowPlanner<'_> {
    /// Plans a deleted contact with its notes and tasks to be recreated. `action` has the other
    /// contacts with its values.
    ///
    /// # Errors
    /// As for a contact of a sheet.
    pub fn plan_recreation(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        image: &BeforeImage,
        action: &ContactAction,
    ) -> Result<RowPlan, Diagnostic> {
        let (Some(recreation), Some(remote)) =
            (image.recreation_draft(self.directory), image.remote_contact())
        else {
            return Ok(RowPlan::default());
        };
        self.plan_recreated_contact(row, source, &recreation, &remote, action)
    }

    /// Plans a contact to be recreated from a draft of what `remote` was.
    ///
    /// # Errors
    /// As for a contact of a sheet.
    pub fn plan_recreated_contact(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        recreation: &RecreationDraft,
        remote: &RemoteContact,
        action: &ContactAction,
    ) -> Result<RowPlan, Diagnostic> {
        let none = RemoteChildren::default();
        let mut planned = self.plan_row(row, source, &recreation.draft, action, None, &none)?;
        planned.action = RowAction::Recreate;
        planned.warnings.extend(recreation.warnings.iter().cloned());
        record_former_ids(&mut planned.ops, recreation, remote);
        Ok(planned)
    }

    /// Plans notes and tasks of a snapshot, and with them fields, for a contact that exists.
    ///
    /// # Errors
    /// As for a contact of a sheet.
    pub fn plan_restored_parts(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        recreation: &RecreationDraft,
        current: &RemoteContact,
    ) -> Result<RowPlan, Diagnostic> {
        let action = ContactAction::Update(current.id.clone());
        let none = RemoteChildren::default();
        let draft = &recreation.draft;
        let mut planned = self.plan_row(row, source, draft, &action, Some(current), &none)?;
        planned.warnings.extend(recreation.warnings.iter().cloned());
        record_former_ids(&mut planned.ops, recreation, current);
        Ok(planned)
    }
}

/// Records the former id in each op that recreates a record.
fn record_former_ids(ops: &mut [Op], recreation: &RecreationDraft, remote: &RemoteContact) {
    let (mut notes, mut tasks) = (recreation.notes.iter(), recreation.tasks.iter());
    for op in ops {
        let was = match &mut op.change {
            OpChange::Create { body } | OpChange::Upsert { body } => {
                restore_dnd_reasons(body, remote);
                Some(remote.id.to_string())
            }
            OpChange::CreateNote { .. } => notes.next().cloned(),
            OpChange::CreateTask { .. } => tasks.next().cloned(),
            _ => None,
        };
        if let Some(was) = was {
            op.before = json!({ FORMER_ID: was });
        }
    }
}

/// A blocked channel is restored with its reason: a permanent opt-out stays one.
fn restore_dnd_reasons(body: &mut Map<String, Value>, remote: &RemoteContact) {
    let Some(Value::Object(settings)) = body.get_mut("dndSettings") else { return };
    for (channel, _) in remote.channels.iter().filter(|(_, state)| state.is_blocked()) {
        if let Some(setting) = settings.get_mut(channel.name()) {
            *setting = remote_channel_value(remote, *channel);
        }
    }
}

/// The former id of the record that an op recreates, from its before-image.
#[must_use]
pub fn former_id(before: &Value) -> Option<&str> {
    before.get(FORMER_ID)?.as_str()
}
