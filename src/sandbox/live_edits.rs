//! Random changes, as users of the account make them: what `watch` sees in an account that is in use.
//!
//! The same seed makes the same choices in the same account. Notes and tasks move their contact's `dateUpdated` here, so
//! that a sync finds them at once; whether the service does so is unknown (api.md §5.9).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::control::external_edits;
use super::endpoints::tasks::build_task;
use super::http::app::SandboxApp;
use super::seed::SeededRng;
use super::store::contact::SearchRow;
use super::store::state::{ContactPosition, SandboxState, now_millis};
use super::text::format_iso;

const FIRST: [&str; 8] = ["Ada", "Grace", "Edsger", "Barbara", "Alan", "Donald", "Frances", "Tony"];
const LAST: [&str; 8] =
    ["Lovelace", "Hopper", "Dijkstra", "Liskov", "Turing", "Knuth", "Allen", "Hoare"];
const CITIES: [&str; 6] = ["Ghent", "Bruges", "Leuven", "Antwerp", "Namur", "Mons"];
const TAGS: [&str; 4] = ["vip", "newsletter", "called back", "trial"];
const NOTES: [&str; 4] = [
    "Asked for a quote.",
    "Wants to be called on Monday.",
    "Met at the fair.",
    "Paid the invoice.",
];
const TASKS: [&str; 4] =
    ["Send the offer", "Call back", "Prepare the meeting", "Check the contract"];
/// An account is not emptied by random deletions.
const FEWEST_CONTACTS: usize = 10;
/// New tasks are due within this time.
const TASK_TIME_MS: i64 = 48 * 3_600_000;

/// Starts the changes that the settings ask for. They end when the value is dropped.
pub(super) fn start(app: &Arc<SandboxApp>) -> Option<LiveTask> {
    let (rate, seed) = {
        let state = app.lock_state();
        (state.settings.live?, state.settings.seed)
    };
    let mut ticks = tokio::time::interval(Duration::from_mins(1) / rate.get());
    let (app, mut edits) = (Arc::clone(app), LiveEdits::new(seed));
    Some(LiveTask(tokio::spawn(async move {
        // The first tick comes at once, before a client has read anything.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let done = edits.edit_at_random(&mut app.lock_state());
            tracing::debug!("live: {done}");
        }
    })))
}

/// The task that changes the account.
#[derive(Debug)]
pub(super) struct LiveTask(tokio::task::JoinHandle<()>);

impl Drop for LiveTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A stream of random changes.
#[derive(Debug)]
pub(super) struct LiveEdits {
    rng: SeededRng,
    number: u32,
}

impl LiveEdits {
    pub(super) fn new(seed: u64) -> Self {
        Self { rng: SeededRng::new(seed ^ 0x006c_6976_6521), number: 0 }
    }

    /// Makes a change in the first location. Says what it was.
    pub(super) fn edit_at_random(&mut self, state: &mut SandboxState) -> String {
        self.number += 1;
        let ids: Vec<String> =
            state.stores[0].existing_contacts().map(|contact| contact.id.to_string()).collect();
        let choice = self.rng.next_below(100);
        let id = ids.get(self.rng.next_below(ids.len())).cloned();
        let Some((id, place)) = id.and_then(|id| Some((id.clone(), state.find_contact(&id)?)))
        else {
            return self.add_contact(state);
        };
        match choice {
            0..15 => self.add_contact(state),
            15..23 if ids.len() > FEWEST_CONTACTS => {
                state.stores[place.store].remove(place.slot, true);
                format!("deleted contact {id}")
            }
            23..40 => self.add_note(state, place, &id),
            40..47 => self.delete_note(state, place, &id),
            47..62 => self.add_task(state, place, &id),
            62..70 => self.complete_task(state, place, &id),
            _ => self.edit_contact(state, place, &id),
        }
    }

    fn add_contact(&mut self, state: &mut SandboxState) -> String {
        let (first, last) = (*self.rng.pick(&FIRST), *self.rng.pick(&LAST));
        let number = self.rng.next_u64() % 1_000_000;
        let row = json!([{
            "firstName": first, "lastName": last, "contactName": format!("{first} {last}"),
            "email": format!("{}.{number}@example.net", first.to_lowercase()),
            "city": self.rng.pick(&CITIES), "tags": [self.rng.pick(&TAGS)],
        }]);
        let rows = row.as_array().map_or(&[][..], Vec::as_slice);
        // Rows of this form are always taken.
        let _ = external_edits::insert_contacts(state, 0, rows);
        format!("added contact {first} {last}")
    }

    fn edit_contact(
        &mut self,
        state: &mut SandboxState,
        place: ContactPosition,
        id: &str,
    ) -> String {
        let mut row = state.stores[place.store].contact(place.slot).parse_row();
        let key = match self.rng.next_below(3) {
            0 => {
                row.insert("city".to_owned(), (*self.rng.pick(&CITIES)).into());
                "city"
            }
            1 => {
                row.insert("companyName".to_owned(), format!("Company {}", self.number).into());
                "companyName"
            }
            _ => {
                let tag = *self.rng.pick(&TAGS);
                let tags = row.get("tags").and_then(Value::as_array).cloned().unwrap_or_default();
                let has = tags.iter().any(|known| known == tag);
                let mut tags: Vec<Value> = tags.into_iter().filter(|known| known != tag).collect();
                tags.extend((!has).then(|| tag.into()));
                row.insert("tags".to_owned(), tags.into());
                "tags"
            }
        };
        state.rewrite_contact(place, &mut row);
        format!("changed {key} of contact {id}")
    }

    fn add_note(&mut self, state: &mut SandboxState, place: ContactPosition, id: &str) -> String {
        let note = json!({ "body": self.rng.pick(&NOTES), "contactId": id });
        let note = note.as_object().cloned().unwrap_or_default();
        let note = external_edits::insert_note(state, place.store, note, Some(place.slot));
        touch(state, place);
        format!("added note {note} to contact {id}")
    }

    fn delete_note(
        &mut self,
        state: &mut SandboxState,
        place: ContactPosition,
        id: &str,
    ) -> String {
        let store = &mut state.stores[place.store];
        let notes = &store.contact(place.slot).notes;
        let Some(slot) = notes.get(self.rng.next_below(notes.len())).copied() else {
            return self.add_note(state, place, id);
        };
        store.delete_note(slot);
        touch(state, place);
        format!("deleted a note of contact {id}")
    }

    fn add_task(&mut self, state: &mut SandboxState, place: ContactPosition, id: &str) -> String {
        let (task, now) = (state.generate_id(), now_millis());
        let due = format_iso(now + self.rng.millis_below(TASK_TIME_MS));
        let fields = json!({
            "id": task, "contactId": id, "title": self.rng.pick(&TASKS), "dueDate": due, "completed": false,
        });
        let fields: SearchRow = fields.as_object().cloned().unwrap_or_default();
        let record = build_task(state, place, &fields, now, now);
        let store = &mut state.stores[place.store];
        store.tasks.insert((now, task.clone().into()), Some(place.slot));
        store.contact_mut(place.slot).tasks.push(record);
        touch(state, place);
        format!("added task {task} to contact {id}")
    }

    fn complete_task(
        &mut self,
        state: &mut SandboxState,
        place: ContactPosition,
        id: &str,
    ) -> String {
        let tasks = &state.stores[place.store].contact(place.slot).tasks;
        let number = self.rng.next_below(tasks.len());
        let Some(task) = tasks.get(number) else { return self.add_task(state, place, id) };
        let (mut fields, added, task) = (task.to_fields(), task.added, task.id.clone());
        let is_done = fields.get("completed") == Some(&Value::Bool(true));
        fields.insert("completed".to_owned(), (!is_done).into());
        let record = build_task(state, place, &fields, added, now_millis());
        state.stores[place.store].contact_mut(place.slot).tasks[number] = record;
        touch(state, place);
        let how = if is_done { "reopened" } else { "completed" };
        format!("{how} task {task} of contact {id}")
    }
}

/// Moves a contact's `dateUpdated`.
fn touch(state: &mut SandboxState, place: ContactPosition) {
    let mut row = state.stores[place.store].contact(place.slot).parse_row();
    state.rewrite_contact(place, &mut row);
}
