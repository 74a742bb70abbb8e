//! Translation: the ids of a snapshot's custom fields, users and businesses as the target location has them.
//!
//! Within one location an id that still exists means the same. Otherwise a custom field is found by its key, then by its
//! name, and must have the same type; a user by e-mail address; a business by name. Tags are texts and need none.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::SnapshotContact;
use crate::model::directory::{CustomField, LocationDirectory, LocationUser};
use crate::model::remote::RemoteContact;

/// What kind of name the target lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameKind {
    /// A custom field.
    CustomField,
    /// A user.
    User,
    /// A business.
    Business,
}

impl NameKind {
    /// The singular name.
    #[must_use]
    pub fn singular_name(self) -> &'static str {
        match self {
            Self::CustomField => "custom field",
            Self::User => "user",
            Self::Business => "business",
        }
    }
}

/// A name that the target location lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingName {
    /// What it names.
    pub kind: NameKind,
    /// The name, as people know it; the id where the snapshot has no name.
    pub name: String,
    /// The type of a custom field; empty for other names.
    pub detail: String,
    /// Whether the snapshot has no such name either: the record pointed to something that was deleted before.
    pub is_dangling: bool,
}

/// The names that the target location lacks, with the number of records that have each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingNames(pub BTreeMap<MissingName, u64>);

impl MissingNames {
    fn add(&mut self, missing: MissingName) {
        *self.0.entry(missing).or_default() += 1;
    }
}

/// Which users stand in for users of the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSubstitutes {
    /// The target's user id by the id or the lower-case e-mail address of the snapshot's user.
    pub by_name: HashMap<String, String>,
    /// The target's user for all whom it lacks.
    pub for_missing: Option<String>,
}

/// The ids of a snapshot in terms of a target location.
#[derive(Debug)]
pub struct Translation {
    fields: HashMap<String, String>,
    users: HashMap<String, String>,
    businesses: HashMap<String, String>,
    /// The names of the snapshot's ids that have no counterpart.
    lacking: HashMap<(NameKind, String), MissingName>,
    for_missing_user: Option<String>,
    /// Whether the snapshot has businesses: without, it does not know what their ids mean.
    knows_businesses: bool,
}

impl Translation {
    /// Matches the names of a snapshot with those of the target.
    #[must_use]
    pub fn new(
        source: &LocationDirectory,
        target: &LocationDirectory,
        substitutes: &UserSubstitutes,
    ) -> Self {
        let mut translation = Self {
            fields: HashMap::new(),
            users: HashMap::new(),
            businesses: HashMap::new(),
            lacking: HashMap::new(),
            for_missing_user: substitutes.for_missing.clone(),
            knows_businesses: !source.businesses.is_empty(),
        };
        let same_location = source.location == target.location;
        translation.match_fields(source, target, same_location);
        translation.match_users(source, target, substitutes);
        translation.match_businesses(source, target);
        if same_location {
            // What is new since the snapshot is not in it; its ids need no name.
            translation.keep_ids(target);
        }
        translation
    }

    fn match_fields(&mut self, source: &LocationDirectory, target: &LocationDirectory, same: bool) {
        let mut taken = HashSet::new();
        for field in &source.fields {
            match find_field(field, target, same).filter(|it| taken.insert(it.id.clone())) {
                Some(found) => drop(self.fields.insert(field.id.clone(), found.id.clone())),
                None => self.lack(NameKind::CustomField, &field.id, &field.name, &field.data_type),
            }
        }
    }

    fn match_users(
        &mut self,
        source: &LocationDirectory,
        target: &LocationDirectory,
        substitutes: &UserSubstitutes,
    ) {
        for user in &source.users {
            let email = user.email.to_lowercase();
            let chosen = [&user.id, &email].into_iter().find_map(|it| substitutes.by_name.get(it));
            let by_email = || {
                let same =
                    |it: &&LocationUser| !email.is_empty() && it.email.to_lowercase() == email;
                target.users.iter().find(same)
            };
            let by_id = || target.users.iter().find(|it| it.id == user.id);
            let found = chosen.cloned().or_else(|| Some(by_id().or_else(by_email)?.id.clone()));
            if let Some(id) = found {
                self.users.insert(user.id.clone(), id);
            } else {
                let name = if email.is_empty() { &user.name } else { &user.email };
                self.lack(NameKind::User, &user.id, name, "");
            }
        }
    }

    fn match_businesses(&mut self, source: &LocationDirectory, target: &LocationDirectory) {
        for business in &source.businesses {
            let by_id = target.businesses.iter().find(|it| it.id == business.id);
            let name = business.name.trim().to_lowercase();
            let mut named =
                target.businesses.iter().filter(|it| it.name.trim().to_lowercase() == name);
            let by_name = named.next().filter(|_| named.next().is_none());
            match by_id.or(by_name) {
                Some(found) => {
                    drop(self.businesses.insert(business.id.clone(), found.id.clone()));
                }
                None => self.lack(NameKind::Business, &business.id, &business.name, ""),
            }
        }
    }

    fn keep_ids(&mut self, target: &LocationDirectory) {
        for field in &target.fields {
            self.fields.entry(field.id.clone()).or_insert_with(|| field.id.clone());
        }
        for user in &target.users {
            self.users.entry(user.id.clone()).or_insert_with(|| user.id.clone());
        }
        for business in &target.businesses {
            self.businesses.entry(business.id.clone()).or_insert_with(|| business.id.clone());
        }
    }

    fn lack(&mut self, kind: NameKind, id: &str, name: &str, detail: &str) {
        let name = if name.trim().is_empty() { id } else { name }.to_owned();
        let missing = MissingName { kind, name, detail: detail.to_owned(), is_dangling: false };
        self.lacking.insert((kind, id.to_owned()), missing);
    }

    fn missing(&self, kind: NameKind, id: &str) -> MissingName {
        let known = self.lacking.get(&(kind, id.to_owned()));
        let is_dangling = kind != NameKind::Business || self.knows_businesses;
        let unnamed =
            || MissingName { kind, name: id.to_owned(), detail: String::new(), is_dangling };
        known.cloned().unwrap_or_else(unnamed)
    }

    /// Replaces the ids in a contact, its notes and tasks. What the target lacks is removed, and added to `missing`; a
    /// note whose author is unknown only loses the author, because people leave and their notes stay.
    pub fn translate(&self, contact: &mut SnapshotContact, missing: &mut MissingNames) {
        self.translate_contact(&mut contact.remote, missing);
        for note in &mut contact.notes {
            let author = note["userId"].as_str().and_then(|id| self.users.get(id));
            let author = author.map_or(Value::Null, |id| Value::from(id.clone()));
            if let Some(user) = note.get_mut("userId") {
                *user = author;
            }
        }
        for task in &mut contact.tasks {
            let Some(id) = task["assignedTo"].as_str().filter(|id| !id.is_empty()) else {
                continue;
            };
            let found = self.translate_user(id, missing);
            task["assignedTo"] = found.map_or(Value::Null, Value::from);
        }
    }

    /// Replaces the ids in a contact.
    pub fn translate_contact(&self, contact: &mut RemoteContact, missing: &mut MissingNames) {
        contact.owner = contact.owner.take().and_then(|id| self.translate_user(&id, missing));
        contact.business = contact.business.take().and_then(|id| {
            let found = self.businesses.get(&id).cloned();
            if found.is_none() {
                missing.add(self.missing(NameKind::Business, &id));
            }
            found
        });
        for (id, value) in std::mem::take(&mut contact.custom) {
            match self.fields.get(&id) {
                Some(own) => drop(contact.custom.insert(own.clone(), value)),
                None => missing.add(self.missing(NameKind::CustomField, &id)),
            }
        }
    }

    fn translate_user(&self, id: &str, missing: &mut MissingNames) -> Option<String> {
        let found = self.users.get(id).or(self.for_missing_user.as_ref()).cloned();
        if found.is_none() {
            missing.add(self.missing(NameKind::User, id));
        }
        found
    }
}

/// The target's field for one of a snapshot: in the same location the one with its id, else that with its key, else with
/// its name. It must have the same type: a value of another one would be refused, or stored as something else.
fn find_field<'t>(
    field: &CustomField,
    target: &'t LocationDirectory,
    same: bool,
) -> Option<&'t CustomField> {
    let by_id = target.fields.iter().find(|it| same && it.id == field.id);
    let by_key = || target.fields.iter().find(|it| !it.key.is_empty() && it.key == field.key);
    let name = field.name.trim().to_lowercase();
    let by_name = || {
        let mut named = target.fields.iter().filter(|it| it.name.trim().to_lowercase() == name);
        named.next().filter(|_| named.next().is_none())
    };
    let found = by_id.or_else(by_key).or_else(by_name)?;
    (found.data_type == field.data_type).then_some(found)
}
