//! The diff: compares a draft with the remote contact and plans the writes that make them equal.
//!
//! Only differences are sent; values that the server treats as equal cost no request. Every write
//! is an [`Op`] with a stable key, an idempotency class, and the values that it replaces. Ops get
//! their number and serial group later: those depend on the whole plan, which this module does not
//! see.

pub(crate) mod change_text;
mod consent;
mod contact;
mod create;
mod damage;
mod deferred_names;
mod deletion_ops;
mod extra_values;
mod idempotency;
mod literal;
mod notes_and_tasks;
mod recreate_ops;
mod update_bodies;
mod whole_name;

#[cfg(test)]
mod tests;

pub use deferred_names::{damaged_cell_warnings, differing_unreadable_cells};
pub use recreate_ops::former_id;

pub(crate) use notes_and_tasks::{
    child_target, is_property_unchanged, to_update_value, truncate_to_seconds,
};

use std::cell::RefCell;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::identity::{ContactAction, has_only_children, row_rejection};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::IdempotencyClass;
use crate::model::directory::{CustomField, LocationDirectory};
use crate::model::draft::ContactDraft;
use crate::model::op::{Op, OpChange};
use crate::model::policy::{ExtraValuesRule, ImportPolicy, TagRule};
use crate::model::remote::{RemoteContact, equality, short_hash};

use crate::id::{ContactId, LocationId};
use crate::run::RowAction;

/// The origin of a row, from which its ops' keys are derived.
#[derive(Debug, Clone, Copy)]
pub struct RowOrigin<'a> {
    /// The location.
    pub location: &'a LocationId,
    /// The digest of the input.
    pub input: &'a str,
    /// The row's position in it, such as `line 5`.
    pub place: &'a str,
}

/// The notes and tasks that a row refers to by id, as the server lists them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RemoteChildren {
    /// The notes.
    pub notes: Vec<Value>,
    /// The tasks.
    pub tasks: Vec<Value>,
}

/// The plan for a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowPlan {
    /// In a word.
    pub action: RowAction,
    /// The contact, where it exists.
    pub contact: Option<ContactId>,
    /// The writes, in order; number and serial group are 0.
    pub ops: Vec<Op>,
    /// What they change, field by field.
    pub changes: Vec<FieldChange>,
    /// What of the row cannot be written, or is not.
    pub warnings: Vec<Diagnostic>,
}

/// The change of one field, as texts in cell form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The target's name.
    pub field: String,
    /// The current value; empty for none.
    pub old: String,
    /// The new value; empty for none.
    pub new: String,
}

/// Plans rows under one policy against one location.
#[derive(Debug)]
pub struct RowPlanner<'a> {
    policy: &'a ImportPolicy,
    directory: &'a LocationDirectory,
    fields: HashMap<&'a str, &'a CustomField>,
    marker: Option<&'a CustomField>,
    /// The custom field for further e-mail addresses and phone numbers.
    extra: Option<&'a CustomField>,
    /// How often earlier rows write the same content.
    alike: RefCell<HashMap<String, u64>>,
}

impl<'a> RowPlanner<'a> {
    /// Creates a planner. Unknown fields of the policy are ignored here; the caller rejects them before.
    #[must_use]
    pub fn new(policy: &'a ImportPolicy, directory: &'a LocationDirectory) -> Self {
        let fields = directory.fields.iter().map(|field| (&*field.id, field)).collect();
        let named = |name: &str, field: &CustomField| {
            let key = name.strip_prefix("contact.").unwrap_or(name);
            field.id == name || field.key == key || field.name.eq_ignore_ascii_case(name)
        };
        let marker = policy
            .marker
            .as_deref()
            .and_then(|name| directory.fields.iter().find(|field| named(name, field)));
        let extra = match &policy.extra_values {
            ExtraValuesRule::Custom(name) => directory.find_field(name).ok(),
            _ => None,
        };
        Self { policy, directory, fields, marker, extra, alike: RefCell::default() }
    }

    /// Plans a row: its action has been decided, and `remote` is its contact.
    ///
    /// # Errors
    /// When the row refers to a contact, note or task that does not exist, or nothing prevents
    /// creating the contact twice and the policy skips such rows.
    pub fn plan_row(
        &self,
        row: u64,
        source: &RowOrigin<'_>,
        draft: &ContactDraft,
        action: &ContactAction,
        remote: Option<&RemoteContact>,
        children: &RemoteChildren,
    ) -> Result<RowPlan, Diagnostic> {
        let planned = RowPlan { contact: action.contact_id().cloned(), ..RowPlan::default() };
        let draft = &*self.with_extra_field(draft, remote);
        let mut work = RowPlanBuilder { planner: self, row, source, draft, planned };
        work.planned.action = match action {
            ContactAction::Skip(_) => RowAction::Skip,
            ContactAction::Create | ContactAction::CreateBeside { .. } => {
                work.plan_create(action, children)?
            }
            ContactAction::Update(id) => {
                work.plan_update(require_remote_contact(id, remote)?, children)?
            }
            ContactAction::Tag(id) => {
                work.plan_tag_addition(require_remote_contact(id, remote)?, RowAction::Tag)
            }
            ContactAction::Untag(id) => work.plan_tag_removal(require_remote_contact(id, remote)?),
        };
        Ok(work.planned)
    }

    /// A custom field's name in plans and warnings: its key if the location has the field.
    fn custom_field_name(&self, id: &str) -> String {
        let key = self.fields.get(id).map_or(id, |field| &*field.key);
        format!("customFields.{key}")
    }
}

fn require_remote_contact<'l>(
    id: &ContactId,
    remote: Option<&'l RemoteContact>,
) -> Result<&'l RemoteContact, Diagnostic> {
    let message = || format!("contact `{id}` was deleted before it could be read");
    remote.ok_or_else(|| row_rejection(DiagnosticCode::R_NOT_FOUND, "contactId", message()))
}

/// The plan of one row under construction.
struct RowPlanBuilder<'w> {
    planner: &'w RowPlanner<'w>,
    row: u64,
    source: &'w RowOrigin<'w>,
    draft: &'w ContactDraft,
    planned: RowPlan,
}

impl RowPlanBuilder<'_> {
    fn plan_create(
        &mut self,
        action: &ContactAction,
        children: &RemoteChildren,
    ) -> Result<RowAction, Diagnostic> {
        let strategy = idempotency::choose_create_strategy(self.planner, self.draft, action)?;
        create::plan_contact_creation(self, &strategy);
        self.plan_business_change(None);
        self.plan_extra_values(None);
        notes_and_tasks::plan_children(self, children)?;
        Ok(RowAction::Create)
    }

    fn plan_update(
        &mut self,
        remote: &RemoteContact,
        children: &RemoteChildren,
    ) -> Result<RowAction, Diagnostic> {
        if !has_only_children(self.draft) {
            contact::plan_contact_update(self, remote);
            if !self.replaces_tags() {
                self.plan_tag_addition(remote, RowAction::Update);
            }
            self.plan_business_change(Some(remote));
        }
        let own = self.planned.ops.len();
        self.plan_extra_values(Some(remote));
        notes_and_tasks::plan_children(self, children)?;
        Ok(match self.planned.ops.len() {
            0 => RowAction::Unchanged,
            _ if own == 0 => RowAction::NotesAndTasks,
            _ => RowAction::Update,
        })
    }

    /// Whether the row's tags replace the contact's, by its mapping or by the policy.
    fn replaces_tags(&self) -> bool {
        let replace = self.planner.policy.tags == TagRule::Replace;
        self.draft.replaces_tags || replace && !self.draft.tags.is_empty()
    }

    /// Adds the tags that the contact lacks. The row is `unchanged` when it lacks none.
    fn plan_tag_addition(&mut self, remote: &RemoteContact, action: RowAction) -> RowAction {
        let draft = self.draft;
        let missing = draft.tags.iter().filter(|tag| !remote.has_tag(tag));
        let missing: Vec<String> = missing.cloned().collect();
        if missing.is_empty() {
            return RowAction::Unchanged;
        }
        let all = [&remote.tags[..], &missing[..]].concat();
        self.add_field_change(
            "tags",
            change_text::format_list(&remote.tags),
            change_text::format_list(&all),
        );
        let before = remote.tags.clone().into();
        self.push_op(
            "add-tags",
            0,
            IdempotencyClass::Replayable,
            OpChange::AddTags { tags: missing },
            before,
        );
        action
    }

    fn plan_tag_removal(&mut self, remote: &RemoteContact) -> RowAction {
        let asked = |tag: &&String| self.draft.tags.iter().any(|one| equality::same_tag(one, tag));
        let (current, left): (Vec<&String>, Vec<&String>) = remote.tags.iter().partition(asked);
        if current.is_empty() {
            return RowAction::Unchanged;
        }
        let current: Vec<String> = current.into_iter().cloned().collect();
        self.add_field_change(
            "tags",
            change_text::format_list(&remote.tags),
            change_text::format_list(&left),
        );
        let before = remote.tags.clone().into();
        self.push_op(
            "remove-tags",
            0,
            IdempotencyClass::Replayable,
            OpChange::RemoveTags { tags: current },
            before,
        );
        RowAction::Untag
    }

    fn plan_business_change(&mut self, remote: Option<&RemoteContact>) {
        let current = remote.and_then(|remote| remote.business.clone());
        let Some(wanted) = self.draft.business.clone() else { return };
        let wanted = Some(wanted).filter(|id| !id.is_empty());
        if wanted == current {
            return;
        }
        let new = wanted.clone().unwrap_or_default();
        self.add_field_change("business", current.clone().unwrap_or_default(), new);
        let change = OpChange::SetBusiness { business: wanted };
        self.push_op("business", 0, IdempotencyClass::Replayable, change, current.into());
    }

    fn add_field_change(&mut self, field: &str, old: String, new: String) {
        self.planned.changes.push(FieldChange { field: field.to_owned(), old, new });
    }

    /// Says that a cell was not taken for an edit.
    fn add_damage_warning(&mut self, field: &str, cell: &str, current: &str) {
        self.planned.warnings.push(damage::damage_warning(field, cell, current));
    }

    fn add_warning(&mut self, code: DiagnosticCode, field: &str, message: String) {
        self.planned.warnings.push(Diagnostic::new(code, message).in_field(field));
    }

    fn push_op(
        &mut self,
        kind: &str,
        ordinal: usize,
        class: IdempotencyClass,
        change: OpChange,
        before: Value,
    ) {
        let like = self.content_key(kind, class, &change);
        let step = u32::try_from(self.planned.ops.len()).unwrap_or(u32::MAX);
        self.planned.ops.push(Op {
            id: 0,
            key: self.op_key(kind, ordinal),
            like,
            row: self.row,
            step,
            serial_group: 0,
            class,
            contact: self.planned.contact.clone(),
            after: Vec::new(),
            change,
            before,
        });
    }

    /// A key of the content, for writes whose result cannot be found in the account and that have
    /// no id in the source. Equal ones in one sheet are numbered.
    fn content_key(
        &self,
        kind: &str,
        class: IdempotencyClass,
        change: &OpChange,
    ) -> Option<String> {
        let named = self.draft.source_id.as_deref().is_some_and(|id| !id.is_empty());
        let findable = matches!(class, IdempotencyClass::Replayable | IdempotencyClass::Unique);
        let (OpChange::Create { body }
        | OpChange::CreateNote { body }
        | OpChange::CreateTask { body }) = change
        else {
            return None;
        };
        if named || findable {
            return None;
        }
        let mut body = body.clone();
        if let (Some(marker), Some(Value::Array(fields))) =
            (self.planner.marker, body.get_mut("customFields"))
        {
            fields.retain(|field| field["id"] != marker.id);
        }
        let contact = self.draft.contact.as_ref().map(ToString::to_string);
        let who = contact.or_else(|| self.draft.email_key());
        let who = who.or_else(|| self.draft.phone_key().map(str::to_owned)).unwrap_or_default();
        let location = self.source.location;
        let text = format!("{location}\nlike {}\n{who}\n{kind}\n{}", who.len(), Value::from(body));
        let mut alike = self.planner.alike.borrow_mut();
        let count = alike.entry(short_hash(&text)).or_default();
        *count += 1;
        Some(short_hash(&format!("{text}\n{count}")))
    }

    /// The stable key of one step of the row. The source's own id outlives the file; without one, a
    /// row is identified by the digest of its file and its position.
    fn op_key(&self, kind: &str, ordinal: usize) -> String {
        let RowOrigin { location, input, place } = self.source;
        let text = match self.draft.source_id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => format!("{location}\nid {}\n{id}\n{kind} {ordinal}", id.len()),
            None => format!("{location}\nin {input}\n{}\n{place}\n{kind} {ordinal}", place.len()),
        };
        short_hash(&text)
    }
}
