//! Do not disturb: set on request, lifted only if allowed, and never lifted where it is permanent.

use serde_json::{Map, Value, json};

use super::RowPlanBuilder;
use super::update_bodies::UpdateBodies;
use crate::diagnostic::DiagnosticCode;
use crate::model::remote::{ChannelState, RemoteContact};
use crate::model::target::Channel;
use crate::model::verify::remote_channel_value;

/// Adds the row's settings to the body of a new contact. An upsert may match an existing contact,
/// so it must not lift anything.
pub(super) fn add_to_create_body(
    work: &mut RowPlanBuilder<'_>,
    body: &mut Map<String, Value>,
    may_exist: bool,
) {
    let draft = work.draft;
    let may_lift = !may_exist || work.planner.policy.allow_resubscribe;
    if let Some(dnd) = draft.dnd.filter(|dnd| *dnd || may_lift) {
        body.insert("dnd".to_owned(), dnd.into());
        work.add_field_change("dnd", String::new(), dnd.to_string());
    }
    let mut settings = Map::new();
    for (channel, blocked) in draft.channels.iter().filter(|(_, blocked)| **blocked || may_lift) {
        let status = dnd_status(*blocked);
        settings.insert(channel.name().to_owned(), json!({ "status": status }));
        work.add_field_change(&channel_field_name(*channel), String::new(), status.to_owned());
    }
    if !settings.is_empty() {
        body.insert("dndSettings".to_owned(), settings.into());
    }
}

/// Adds the settings that differ to the body of an update.
pub(super) fn add_to_update_body(
    work: &mut RowPlanBuilder<'_>,
    remote: &RemoteContact,
    bodies: &mut UpdateBodies,
) {
    let draft = work.draft;
    if let Some(dnd) = draft.dnd.filter(|dnd| *dnd != remote.dnd) {
        let permanent = remote.channels.values().any(ChannelState::is_permanent);
        if dnd || may_lift_block(work, "dnd", permanent) {
            bodies.body.insert("dnd".to_owned(), dnd.into());
            bodies.before.insert("dnd".to_owned(), remote.dnd.into());
            work.add_field_change("dnd", remote.dnd.to_string(), dnd.to_string());
        }
    }
    let mut settings = Map::new();
    for (channel, blocked) in &draft.channels {
        let state = remote.channels.get(channel);
        if state.is_some_and(ChannelState::is_blocked) == *blocked {
            continue;
        }
        let permanent = state.is_some_and(ChannelState::is_permanent);
        if *blocked || may_lift_block(work, &channel_field_name(*channel), permanent) {
            let old = state.map_or_else(String::new, |state| state.status.clone());
            work.add_field_change(
                &channel_field_name(*channel),
                old,
                dnd_status(*blocked).to_owned(),
            );
            settings.insert(channel.name().to_owned(), json!({ "status": dnd_status(*blocked) }));
        }
    }
    if !settings.is_empty() {
        let (settings, old) = merge_channel_settings(settings, remote);
        bodies.body.insert("dndSettings".to_owned(), settings.into());
        bodies.before.insert("dndSettings".to_owned(), old.into());
    }
}

/// All channels of the contact with the changed ones, and all as they were. It is unknown whether
/// the server keeps channels that a body leaves out (api.md §5.18), and an opt-out must not be
/// lost.
fn merge_channel_settings(
    mut settings: Map<String, Value>,
    remote: &RemoteContact,
) -> (Map<String, Value>, Map<String, Value>) {
    for channel in remote.channels.keys() {
        let entry = settings.entry(channel.name());
        entry.or_insert_with(|| remote_channel_value(remote, *channel));
    }
    let was = |name: &String| {
        let current = Channel::from_name(name).map(|channel| remote_channel_value(remote, channel));
        let current = current.filter(|value| !value.is_null());
        (name.clone(), current.unwrap_or_else(|| json!({ "status": dnd_status(false) })))
    };
    let old = settings.keys().map(was).collect();
    (settings, old)
}

/// Whether a block may be lifted; if not, adds a warning.
fn may_lift_block(work: &mut RowPlanBuilder<'_>, field: &str, permanent: bool) -> bool {
    if work.planner.policy.allow_resubscribe && !permanent {
        return true;
    }
    let why = if permanent {
        "the contact has opted out permanently, and an import cannot lift that"
    } else {
        "do not disturb is on, which an import lifts only with `--allow-resubscribe`"
    };
    work.add_warning(DiagnosticCode::W_DND_NOT_LIFTED, field, format!("{why}; it stays on"));
    false
}

fn dnd_status(blocked: bool) -> &'static str {
    if blocked { "active" } else { "inactive" }
}

fn channel_field_name(channel: Channel) -> String {
    format!("dndSettings.{}", channel.name())
}
