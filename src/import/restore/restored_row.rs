//! One row of a restore: what is recreated or put back, and what is left alone.

use serde_json::Value;

use super::prior_restores::MadeKind;
use super::request::{AddressTakenRule, RestoreScope};
use super::restore_decider::RestoreDecider;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::failpoint::{self, FailPoint};
use crate::import::ImportError;
use crate::import::planning::validate_rows::parse_draft;
use crate::import::stored_contact::describe_contact;
use crate::model::remote::{RemoteContact, equality, short_hash};
use crate::model::{ContactDraft, Field, Op, OpChange};
use crate::plan::deletion::RecreationDraft;
use crate::plan::diff::{RowOrigin, RowPlan, former_id};
use crate::plan::identity::{ContactAction, is_unique_field};
use crate::plan::restore::{
    MissingNames, SnapshotContact, anonymise, lost_records, restore_fields, undo_changes,
};
use crate::run::{ContactPart, IdentityKind, RowAction, StoredRow};

/// What is decided about a row.
pub(super) enum RowVerdict {
    /// These writes, and whether the contact is recreated.
    Write(Box<PlannedRestore>),
    /// Nothing needs to be done, for this reason.
    Nothing(RowAction, String),
    /// It cannot be restored.
    Reject(Diagnostic),
}

/// The writes for a row.
pub(super) struct PlannedRestore {
    /// The contact's former id.
    pub(super) former: String,
    pub(super) planned: RowPlan,
    pub(super) contact: SnapshotContact,
    /// The contact as the server sent it when the snapshot was made.
    pub(super) raw: Value,
    pub(super) missing: MissingNames,
    /// Fields that changed again since, which are left as they are.
    pub(super) conflicts: Vec<String>,
    pub(super) recreates: bool,
}

/// A row, with what the snapshot has.
struct RowCase<'a> {
    decider: &'a RestoreDecider<'a>,
    row: &'a StoredRow,
    /// The contact's former id.
    former: String,
    raw: Value,
    contact: SnapshotContact,
    missing: MissingNames,
}

impl RestoreDecider<'_> {
    /// Decides on a row.
    pub(super) fn decide_row(&self, row: &StoredRow) -> Result<RowVerdict, ImportError> {
        let draft = parse_draft(row.draft.as_deref().unwrap_or("{}"))?;
        let former = draft.source_id.unwrap_or_default();
        let Some(mut case) = self.load_case(row, former)? else {
            return Err(ImportError::Bug(format!("row {} has no contact of the snapshot", row.n)));
        };
        if let Some(why) = self.rows.contact_children(ContactPart::ReadError, &case.former)?.pop() {
            let rejection = Diagnostic::new(DiagnosticCode::R_EXISTS, why);
            return Ok(RowVerdict::Reject(rejection.in_field("contactId")));
        }
        let own = if draft.contact.is_some() { self.load_remote(&case.former)? } else { None };
        let made = self.prior.find_made(MadeKind::Contact, &case.former);
        let restored = match made {
            Some(made) => self.load_remote(&made.id)?,
            None => None,
        };
        let scope = self.request.scope;
        match (own, restored) {
            (Some(current), _) => case.decide_existing(&current),
            (None, Some(restored)) if scope.recreates() => {
                let run = made.map(|made| made.run.to_string()).unwrap_or_default();
                Ok(case.complete_restored(&restored, &run))
            }
            (None, Some(restored)) => case.decide_existing(&restored),
            (None, None) if scope.recreates() => case.recreate(made.map(|made| made.id.as_str())),
            (None, None) => Ok(RowVerdict::Nothing(
                RowAction::AlreadyGone,
                "the account no longer has the contact; `ghl-bulk restore --missing` recreates it"
                    .to_owned(),
            )),
        }
    }

    fn load_case<'a>(
        &'a self,
        row: &'a StoredRow,
        former: String,
    ) -> Result<Option<RowCase<'a>>, ImportError> {
        let of = |part| -> Result<Vec<Value>, ImportError> {
            let bodies = self.rows.contact_children(part, &former)?;
            Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
        };
        let Some(raw) = of(ContactPart::SnapshotContact)?.pop() else { return Ok(None) };
        let Some(remote) = RemoteContact::from_json_value(&raw) else { return Ok(None) };
        let (notes, tasks) = (of(ContactPart::SnapshotNotes)?, of(ContactPart::SnapshotTasks)?);
        let mut contact = SnapshotContact { remote, notes, tasks };
        let mut missing = MissingNames::default();
        self.translation.translate(&mut contact, &mut missing);
        if self.request.anonymise {
            anonymise(&mut contact, &self.directory.fields);
        }
        Ok(Some(RowCase { decider: self, row, former, raw, contact, missing }))
    }

    fn load_remote(&self, id: &str) -> Result<Option<RemoteContact>, ImportError> {
        let Some((body, _)) = self.rows.find_contact(id)? else { return Ok(None) };
        let remote = serde_json::from_str(&body);
        remote.map(Some).map_err(|error| ImportError::Bug(format!("a contact: {error}")))
    }
}

impl RowCase<'_> {
    /// A contact that the account has.
    fn decide_existing(&mut self, current: &RemoteContact) -> Result<RowVerdict, ImportError> {
        match self.decider.request.scope {
            RestoreScope::Missing | RestoreScope::All => {
                Ok(RowVerdict::Nothing(RowAction::Skip, "the account has the contact".to_owned()))
            }
            RestoreScope::Chosen | RestoreScope::Children => self.restore_children(current),
            RestoreScope::Fields => {
                let fields = &self.decider.fields;
                let draft = restore_fields(&current.id, &self.contact.remote, fields);
                self.put_back(current, draft, Vec::new())
            }
            RestoreScope::Undo => self.undo_fields(current),
        }
    }

    fn undo_fields(&mut self, current: &RemoteContact) -> Result<RowVerdict, ImportError> {
        let rows = self.decider.rows;
        let part = ContactPart::LaterSnapshotContact;
        let later = rows.contact_children(part, &self.former)?.pop();
        let Some(mut later) = later.and_then(|it| RemoteContact::from_json_slice(it.as_bytes()))
        else {
            let reason = "it was deleted between the two snapshots, and exists again".to_owned();
            return Ok(RowVerdict::Nothing(RowAction::Skip, reason));
        };
        // What only the later snapshot has is taken away, so that the target need not have it.
        let mut ignored = MissingNames::default();
        self.decider.translation.translate_contact(&mut later, &mut ignored);
        let undo = undo_changes(
            (&self.contact.remote, &later),
            current,
            &self.decider.fields,
            self.decider.directory,
        );
        if is_empty_draft(&undo.draft) && !undo.conflicts.is_empty() {
            let message = "it has changed again since the later snapshot, so it is left unchanged";
            let rejection = Diagnostic::new(DiagnosticCode::R_CONFLICT, message.to_owned());
            return Ok(RowVerdict::Reject(rejection.in_field(undo.conflicts.join(", "))));
        }
        self.put_back(current, undo.draft, undo.conflicts)
    }

    /// Gives an existing contact values of the snapshot.
    fn put_back(
        &mut self,
        current: &RemoteContact,
        draft: ContactDraft,
        conflicts: Vec<String>,
    ) -> Result<RowVerdict, ImportError> {
        if let Some(rejection) = self.reject_taken_address(current, &draft)? {
            return Ok(RowVerdict::Reject(rejection));
        }
        let recreation = RecreationDraft { draft, ..RecreationDraft::default() };
        let mut verdict = self.plan_parts(current, recreation);
        if let RowVerdict::Write(it) = &mut verdict {
            it.planned.action = RowAction::Restore;
            it.conflicts = conflicts;
        }
        Ok(verdict)
    }

    /// The notes and tasks that a contact has lost.
    fn restore_children(&mut self, current: &RemoteContact) -> Result<RowVerdict, ImportError> {
        let decider = self.decider;
        let of = |part| -> Result<Vec<Value>, ImportError> {
            let bodies = decider.rows.contact_children(part, current.id.as_str())?;
            Ok(bodies.iter().filter_map(|body| serde_json::from_str(body).ok()).collect())
        };
        let (notes, tasks) = (of(ContactPart::Notes)?, of(ContactPart::Tasks)?);
        self.contact.notes = lost_records(&self.contact.notes, &notes, is_same_note);
        self.contact.tasks = lost_records(&self.contact.tasks, &tasks, is_same_task);
        // An earlier restore may have made one that was edited since.
        let exists = |kind, list: &[Value], record: &Value| {
            let former = equality::child_id(record).unwrap_or_default();
            let made = decider.prior.find_made(kind, former);
            made.is_some_and(|made| list.iter().any(|it| equality::has_id(it, &made.id)))
        };
        self.contact.notes.retain(|note| !exists(MadeKind::Note, &notes, note));
        self.contact.tasks.retain(|task| !exists(MadeKind::Task, &tasks, task));
        Ok(self.plan_children(current))
    }

    /// What is left to do for a contact that an earlier restore has made.
    fn complete_restored(&mut self, restored: &RemoteContact, run: &str) -> RowVerdict {
        self.drop_made_children();
        match self.plan_children(restored) {
            RowVerdict::Nothing(..) => RowVerdict::Nothing(
                RowAction::DoneEarlier,
                format!("run `{run}` has restored it as contact `{}`", restored.id),
            ),
            verdict => verdict,
        }
    }

    /// Leaves out the notes and tasks that earlier restores have made.
    fn drop_made_children(&mut self) {
        let prior = self.decider.prior;
        let is_open = |kind, record: &Value| {
            prior.find_made(kind, equality::child_id(record).unwrap_or_default()).is_none()
        };
        self.contact.notes.retain(|note| is_open(MadeKind::Note, note));
        self.contact.tasks.retain(|task| is_open(MadeKind::Task, task));
    }

    fn plan_children(&mut self, current: &RemoteContact) -> RowVerdict {
        let directory = &self.decider.directory;
        let mut recreation = RecreationDraft::default();
        recreation.add_notes(&self.contact.notes, directory);
        recreation.add_tasks(&self.contact.tasks, directory);
        recreation.draft.contact = Some(current.id.clone());
        self.plan_parts(current, recreation)
    }

    fn plan_parts(
        &mut self,
        current: &RemoteContact,
        mut recreation: RecreationDraft,
    ) -> RowVerdict {
        let salt = current.id.to_string();
        recreation.draft.source_id = Some(self.decider.source_id(&self.former, &salt));
        let decider = self.decider;
        let planned =
            decider.planner.plan_restored_parts(self.row.n, &self.origin(), &recreation, current);
        match planned {
            Err(rejection) => RowVerdict::Reject(rejection),
            Ok(planned) if planned.ops.is_empty() => RowVerdict::Nothing(
                RowAction::Unchanged,
                "the account has everything that the snapshot has".to_owned(),
            ),
            Ok(planned) => self.build_verdict(planned, &salt, false),
        }
    }

    fn origin(&self) -> RowOrigin<'_> {
        RowOrigin {
            location: &self.decider.directory.location,
            input: &self.decider.request.repository_id,
            place: &self.row.place,
        }
    }

    fn build_verdict(&mut self, mut planned: RowPlan, salt: &str, recreates: bool) -> RowVerdict {
        for op in &mut planned.ops {
            if let Some(key) = self.child_key(op, salt) {
                op.key = key;
            }
        }
        RowVerdict::Write(Box::new(PlannedRestore {
            former: self.former.clone(),
            planned,
            contact: self.contact.clone(),
            raw: std::mem::take(&mut self.raw),
            missing: std::mem::take(&mut self.missing),
            conflicts: Vec::new(),
            recreates,
        }))
    }

    /// The name of an op that makes a note or task: it is made of the record's former id, because its place among the
    /// others changes from one snapshot to the next.
    fn child_key(&self, op: &Op, salt: &str) -> Option<String> {
        let table = match op.change {
            OpChange::CreateNote { .. } => "notes",
            OpChange::CreateTask { .. } => "tasks",
            _ => return None,
        };
        let former = former_id(&op.before)?;
        let target = &self.decider.directory.location;
        let source = self.decider.source_id(&self.former, salt);
        Some(short_hash(&format!("restore {target}\n{source}\n{table} {former}")))
    }

    /// Recreates a contact. `before` is the one that an earlier restore has made, if that is gone, too.
    fn recreate(&mut self, before: Option<&str>) -> Result<RowVerdict, ImportError> {
        let decider = self.decider;
        let others = self.holders_of_address()?;
        if let Some((field, other)) = others.blocking {
            return self.use_other(field, &other);
        }
        let salt = before.unwrap_or_default();
        let mut recreation = self.contact.recreation_draft(decider.directory);
        recreation.draft.source_id = Some(decider.source_id(&self.former, salt));
        if let Some((field, earlier)) = others.dropped {
            // Better a person without the number than no person.
            recreation.draft.fields.remove(&field);
            let message =
                format!("record {earlier} has it, too, and the location allows each only once");
            let loss = Diagnostic::new(DiagnosticCode::W_NOT_BROUGHT_BACK, message);
            recreation.warnings.push(loss.in_field(field.name()));
        }
        if failpoint::is_kill_due(FailPoint::RestoreFault) {
            recreation.draft.fields.remove(&Field::LastName);
        }
        let tag = decider.request.tag.iter().filter(|tag| !self.contact.remote.has_tag(tag));
        recreation.draft.tags.extend(tag.cloned());
        let planned = decider.planner.plan_recreated_contact(
            self.row.n,
            &self.origin(),
            &recreation,
            &self.contact.remote,
            &others.action,
        );
        Ok(match planned {
            Err(rejection) => RowVerdict::Reject(rejection),
            Ok(planned) => self.build_verdict(planned, salt, true),
        })
    }

    /// Another contact has the address or number.
    fn use_other(&mut self, field: Field, other: &str) -> Result<RowVerdict, ImportError> {
        let decider = self.decider;
        let what = if field == Field::Phone { "phone number" } else { "e-mail address" };
        let Some(current) = decider.load_remote(other)? else {
            let message = format!("{other} has the same {what}, and the location allows each once");
            let rejection = Diagnostic::new(DiagnosticCode::R_EXISTS, message);
            return Ok(RowVerdict::Reject(rejection.in_field(field.name())));
        };
        match decider.request.on_existing {
            AddressTakenRule::Reject => {
                let who = describe_contact(decider.rows, &decider.directory.location, &current.id)?;
                let message = format!(
                    "{who} now has this {what}, so a second contact is not made; `--on-existing attach` gives that one the \
                     notes and tasks, `update` the fields, too"
                );
                let rejection = Diagnostic::new(DiagnosticCode::R_EXISTS, message);
                Ok(RowVerdict::Reject(rejection.in_field(field.name())))
            }
            AddressTakenRule::Attach => {
                self.drop_made_children();
                Ok(self.plan_children(&current))
            }
            AddressTakenRule::Update => {
                self.drop_made_children();
                let mut recreation = self.contact.recreation_draft(decider.directory);
                recreation.draft.contact = Some(current.id.clone());
                Ok(self.plan_parts(&current, recreation))
            }
        }
    }

    /// Who has the contact's address or number now.
    fn holders_of_address(&self) -> Result<AddressHolders, ImportError> {
        let decider = self.decider;
        let remote = &self.contact.remote;
        let directory = &decider.directory;
        let email = remote.native_field(Field::Email).map(str::to_lowercase);
        let phone = remote.native_field(Field::Phone);
        let blocked = |field, other: String| AddressHolders {
            blocking: Some((field, other)),
            dropped: None,
            action: ContactAction::Create,
        };
        let by_email = decider.others_with(IdentityKind::Email, email.as_deref(), &self.former)?;
        if let Some(other) = by_email.first() {
            return Ok(blocked(Field::Email, other.clone()));
        }
        let by_phone = decider.others_with(IdentityKind::Phone, phone, &self.former)?;
        let is_alone = email.is_none() || is_unique_field(directory, Field::Phone);
        if let Some(other) = by_phone.first().filter(|_| is_alone) {
            return Ok(blocked(Field::Phone, other.clone()));
        }
        let email_row = decider.earlier_row(Field::Email, email.as_deref(), self.row.n)?;
        let phone_row = decider.earlier_row(Field::Phone, phone, self.row.n)?;
        let refused = |field, earlier: Option<u64>| {
            Some((field, earlier.filter(|_| is_unique_field(directory, field))?))
        };
        let dropped = match (refused(Field::Email, email_row), refused(Field::Phone, phone_row)) {
            (Some((field, n)), other) if other.is_some() || phone.is_none() => {
                return Ok(blocked(field, format!("record {n}")));
            }
            (None, Some((field, n))) if email.is_none() => {
                return Ok(blocked(field, format!("record {n}")));
            }
            (by_email, by_phone) => by_email.or(by_phone),
        };
        let taken = (email_row.is_some(), phone_row.is_some() || !by_phone.is_empty());
        let is_beside = directory.allows_duplicates && (taken.0 || taken.1);
        let beside = ContactAction::CreateBeside { email: taken.0, phone: taken.1 };
        let action = if is_beside { beside } else { ContactAction::Create };
        Ok(AddressHolders { blocking: None, dropped, action })
    }

    /// The rejection of a row that would give a contact the address of another one.
    fn reject_taken_address(
        &self,
        current: &RemoteContact,
        draft: &ContactDraft,
    ) -> Result<Option<Diagnostic>, ImportError> {
        let decider = self.decider;
        let values = [
            (IdentityKind::Email, Field::Email, draft.email_key()),
            (IdentityKind::Phone, Field::Phone, draft.phone_key().map(str::to_owned)),
        ];
        for (kind, field, value) in values {
            let own = current.native_field(field);
            let Some(value) = value
                .filter(|value| own.is_none_or(|own| !equality::same_field(field, own, value)))
            else {
                continue;
            };
            let others = decider.others_with(kind, Some(&value), current.id.as_str())?;
            if let Some(other) = others.first().and_then(|other| other.parse().ok()) {
                let who = describe_contact(decider.rows, &decider.directory.location, &other)?;
                let message = format!("{who} now has the former value, so it is not put back");
                let rejection = Diagnostic::new(DiagnosticCode::R_EXISTS, message);
                return Ok(Some(rejection.in_field(field.name())));
            }
        }
        Ok(None)
    }
}

/// Whether a draft changes nothing of its contact.
fn is_empty_draft(draft: &ContactDraft) -> bool {
    draft.fields.is_empty() && !draft.has_contact_changes()
}

/// Who has a contact's address or number.
struct AddressHolders {
    /// The contact, or the earlier record, because of which it is not made.
    blocking: Option<(Field, String)>,
    /// The value that an earlier record has, and without which it is made.
    dropped: Option<(Field, u64)>,
    /// How it is made otherwise.
    action: ContactAction,
}

/// Whether a note says the same: what was recreated begins with the day of the old one.
fn is_same_note(snapshot: &Value, current: &Value) -> bool {
    let text = |note: &Value| note["body"].as_str().unwrap_or_default().trim().to_owned();
    let (one, other) = (text(snapshot), text(current));
    let undated = other.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    !one.is_empty()
        && (equality::same_text(&one, &other)
            || undated.is_some_and(|(_, rest)| equality::same_text(&one, rest)))
}

fn is_same_task(snapshot: &Value, current: &Value) -> bool {
    let text = |task: &Value, key: &str| task[key].as_str().unwrap_or_default().trim().to_owned();
    let due = |task: &Value| equality::value_epoch_millis(&task["dueDate"]).map(|ms| ms / 1000);
    text(snapshot, "title") == text(current, "title")
        && equality::same_text(&text(snapshot, "body"), &text(current, "body"))
        && due(snapshot) == due(current)
}
