//! The notes and tasks that a contact had before the run writes its own.
//!
//! A note or task has no key. Whether one that was sent but not answered was created can be found out only by
//! counting equal ones, so the number before is stored with the intent. The notes or tasks of an existing contact
//! are listed once, before the first write; a contact that this process created has only those that it wrote.
//!
//! They are listed by the contact's own endpoint, never by the notes search, although that takes many contacts per
//! request. Its index lags behind writes and deletions: a note that it hides makes the number too small, and an older
//! equal note would be taken for the one that was lost; a deleted note that it still shows makes the number too large,
//! and the note would be written twice. That it shows no note of a contact at all is no exception.

use std::collections::{HashMap, HashSet};
use std::mem::Discriminant;

use serde_json::Value;

use crate::id::ContactId;
use crate::model::OpChange;
use crate::reconcile::{self, ChildBaseline, Reconciler};

/// The children (notes and tasks) of a serial group's contacts, as far as the group has read or written them.
#[derive(Default)]
pub(super) struct KnownChildren {
    /// By contact and by the kind of change that creates them: notes or tasks.
    known: HashMap<(ContactId, Discriminant<OpChange>), Vec<Value>>,
    /// Contacts that this group has created.
    fresh: HashSet<ContactId>,
}

impl KnownChildren {
    /// Registers a contact that was just created.
    pub(super) fn add_created_contact(&mut self, contact: ContactId) {
        self.fresh.insert(contact);
    }

    /// Counts the equal children before this change. `None` if it creates no child, or the contact does not exist.
    pub(super) async fn load_baseline(
        &mut self,
        doubt: &Reconciler,
        contact: &ContactId,
        change: &OpChange,
    ) -> Result<Option<ChildBaseline>, reconcile::ReconcileError> {
        if !matches!(change, OpChange::CreateNote { .. } | OpChange::CreateTask { .. }) {
            return Ok(None);
        }
        let place = (contact.clone(), std::mem::discriminant(change));
        if !self.known.contains_key(&place) {
            let existing = if self.fresh.contains(contact) {
                Vec::new()
            } else {
                let Some(existing) = doubt.fetch_children(contact, change).await? else {
                    return Ok(None);
                };
                existing
            };
            self.known.insert(place.clone(), existing);
        }
        Ok(Some(ChildBaseline::from_children(change, &self.known[&place])))
    }

    /// Registers a child that was written.
    pub(super) fn add_written_child(
        &mut self,
        contact: &ContactId,
        change: &OpChange,
        made: Option<&str>,
    ) {
        let (OpChange::CreateNote { body } | OpChange::CreateTask { body }) = change else {
            return;
        };
        let place = (contact.clone(), std::mem::discriminant(change));
        if let Some(known) = self.known.get_mut(&place) {
            let mut child = body.clone();
            child.remove("id");
            if let Some(made) = made {
                child.insert("id".to_owned(), made.into());
            }
            known.push(Value::Object(child));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_second_of_two_equal_notes_counts_the_first() {
        let Value::Object(body) = json!({ "body": "hello" }) else { panic!() };
        let change = OpChange::CreateNote { body };
        let contact: ContactId = "c".parse().unwrap();
        let mut children = KnownChildren::default();
        let place = (contact.clone(), std::mem::discriminant(&change));
        children.known.insert(place.clone(), vec![json!({ "id": "old", "body": "hello" })]);
        children.add_written_child(&contact, &change, Some("new"));
        let reference = ChildBaseline::from_children(&change, &children.known[&place]);
        assert_eq!((reference.equal, reference.ids), (2, vec!["old".to_owned(), "new".to_owned()]));
    }
}
