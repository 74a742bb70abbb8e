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
const WAS: &str = "was";

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
        let Some(anew) = image.recreation_draft(self.directory) else {
            return Ok(RowPlan::default());
        };
        let none = RemoteChildren::default();
        let mut planned = self.plan_row(row, source, &anew.draft, action, None, &none)?;
        planned.action = RowAction::Recreate;
        planned.warnings.extend(anew.warnings.iter().cloned());
        if let Some(live) = image.remote_contact() {
            record_former_ids(&mut planned.ops, &anew, &live);
        }
        Ok(planned)
    }
}

/// Records the former id in each op that recreates a record.
fn record_former_ids(ops: &mut [Op], anew: &RecreationDraft, live: &RemoteContact) {
    let (mut notes, mut tasks) = (anew.notes.iter(), anew.tasks.iter());
    for op in ops {
        let was = match &mut op.change {
            OpChange::Create { body } | OpChange::Upsert { body } => {
                restore_dnd_reasons(body, live);
                Some(live.id.to_string())
            }
            OpChange::CreateNote { .. } => notes.next().cloned(),
            OpChange::CreateTask { .. } => tasks.next().cloned(),
            _ => None,
        };
        if let Some(was) = was {
            op.before = json!({ WAS: was });
        }
    }
}

/// A blocked channel is restored with its reason: a permanent opt-out stays one.
fn restore_dnd_reasons(body: &mut Map<String, Value>, live: &RemoteContact) {
    let Some(Value::Object(settings)) = body.get_mut("dndSettings") else { return };
    for (channel, _) in live.channels.iter().filter(|(_, state)| state.is_blocked()) {
        if let Some(setting) = settings.get_mut(channel.name()) {
            *setting = remote_channel_value(live, *channel);
        }
    }
}

/// The former id of the record that an op recreates, from its before-image.
#[must_use]
pub fn former_id(before: &Value) -> Option<&str> {
    before.get(WAS)?.as_str()
}
