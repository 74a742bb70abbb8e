//! Making anew what was deleted: the writes of a new contact, and what each one stands for.

use serde_json::{Map, Value, json};

use super::{LiveChildren, Planned, Planner, Source};
use crate::model::op::{Change, Op};
use crate::model::remote::Live;
use crate::model::verify::channel_value;
use crate::plan::deletion::{Anew, Image};
use crate::plan::identity::Action;
use crate::plan::validate::Rejection;

/// What an op's before-image holds when it makes anew what had another id.
const WAS: &str = "was";

impl Planner<'_> {
    /// Plans a deleted contact anew, with its notes and tasks. `action` says beside whom.
    ///
    /// # Errors
    /// As for a contact of a sheet.
    pub fn make_anew(
        &self,
        row: u64,
        source: &Source<'_>,
        image: &Image,
        action: &Action,
    ) -> Result<Planned, Rejection> {
        let Some(anew) = image.anew(self.directory) else { return Ok(Planned::default()) };
        let none = LiveChildren::default();
        let mut planned = self.plan_row(row, source, &anew.draft, action, None, &none)?;
        planned.action = "bring_back";
        planned.warnings.extend(anew.warnings.iter().cloned());
        if let Some(live) = image.live() {
            name_former(&mut planned.ops, &anew, &live);
        }
        Ok(planned)
    }
}

/// Says of each new record which one it stands for.
fn name_former(ops: &mut [Op], anew: &Anew, live: &Live) {
    let (mut notes, mut tasks) = (anew.notes.iter(), anew.tasks.iter());
    for op in ops {
        let was = match &mut op.change {
            Change::Create { body } | Change::Upsert { body } => {
                keep_reasons(body, live);
                Some(live.id.to_string())
            }
            Change::CreateNote { .. } => notes.next().cloned(),
            Change::CreateTask { .. } => tasks.next().cloned(),
            _ => None,
        };
        if let Some(was) = was {
            op.before = json!({ WAS: was });
        }
    }
}

/// A blocked channel comes back with its reason: an opt-out for good stays one.
fn keep_reasons(body: &mut Map<String, Value>, live: &Live) {
    let Some(Value::Object(settings)) = body.get_mut("dndSettings") else { return };
    for (channel, _) in live.channels.iter().filter(|(_, state)| state.is_blocked()) {
        if let Some(setting) = settings.get_mut(channel.name()) {
            *setting = channel_value(live, *channel);
        }
    }
}

/// The former id of what an op makes anew, by its before-image.
#[must_use]
pub fn former(before: &Value) -> Option<&str> {
    before.get(WAS)?.as_str()
}
