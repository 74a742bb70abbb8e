//! Making anew what an import deleted.
//!
//! The API cannot restore a record, so a new one takes its place, made by the same writes as any import's:
//! none is made twice, whatever happens in between. Where somebody has the address by now, nobody is
//! doubled: that is named. What an earlier undo of the same import has made is not made again.

use std::collections::HashMap;

use super::super::Error;
use super::super::planning::validate_rows::kind;
use super::super::results::row_outcome::did_nothing;
use super::Undo;
use super::plan_rows::key;
use super::revert_row::{Case, Taken, Undone};
use crate::id::{ContactId, RunId};
use crate::import::UNDO;
use crate::model::remote::Live;
use crate::model::{Change, Class, Directory, Field, IdentitylessRule, Op, Policy};
use crate::plan::Image;
use crate::plan::deletion::{note_fields, task_fields};
use crate::plan::diff::{Planned, Planner, Source};
use crate::plan::identity::{Action, is_unique};
use crate::plan::revert::{Step, shown};
use crate::plan::validate::Rejection;
use crate::run::{Home, LedgerReader, Meta, OpRecord, OpState};

/// What earlier undos of an import have made anew, by stable names.
#[derive(Debug, Default)]
pub(super) struct Done {
    made: HashMap<String, Option<String>>,
}

impl Done {
    /// Reads the ledgers of the other undos of an import.
    ///
    /// # Errors
    /// When nobody knows yet what became of some of their requests.
    pub(super) fn read(home: &Home, of: &Meta, own: &RunId) -> Result<Self, Error> {
        let mut done = Self::default();
        for run in home.list()? {
            // A damaged run is named where runs are listed.
            let Ok((meta, _)) = &run.known else { continue };
            let undo = serde_json::from_value::<Undo>(meta.options.clone());
            let same = meta.kind == UNDO && undo.is_ok_and(|undo| undo.of == of.run);
            if same && meta.run != *own {
                done.add(&meta.run, &LedgerReader::open(&run.dir.join("run.db"))?)?;
            }
        }
        Ok(done)
    }

    fn add(&mut self, run: &RunId, ledger: &LedgerReader) -> Result<(), Error> {
        let mut unsettled = 0;
        ledger.each_op(|op| {
            match op.state {
                OpState::Sent | OpState::InDoubt => unsettled += 1,
                OpState::Applied | OpState::Differs if !did_nothing(&op) => {
                    let OpRecord { key, made, .. } = op;
                    self.made.insert(key, made);
                }
                _ => {}
            }
            Ok(())
        })?;
        if unsettled > 0 {
            return Err(Error::Unsettled { run: run.clone(), ops: unsettled });
        }
        Ok(())
    }

    fn has(&self, key: &str) -> bool {
        self.made.contains_key(key)
    }

    fn made(&self, key: &str) -> Option<ContactId> {
        self.made.get(key)?.as_deref()?.parse().ok()
    }
}

const BROUGHT_BACK: &str = "it was brought back already";

impl Case<'_> {
    /// What becomes of a row that deleted something.
    pub(super) fn anew(&self, op: &Op) -> Result<Undone, Error> {
        let Some(directory) = self.directory else {
            return Err(Error::Bug("an undo without the location's names".to_owned()));
        };
        match Image::read(&op.before) {
            Some(image) => self.contact_anew(op, &image, directory),
            None => Ok(self.child_anew(op, directory)),
        }
    }

    fn contact_anew(&self, op: &Op, image: &Image, directory: &Directory) -> Result<Undone, Error> {
        let mut undone = Undone { action: "bring_back", anew: true, ..Undone::default() };
        let Some(live) = image.live() else { return Ok(undone) };
        undone.email = live.field(Field::Email).map(str::to_lowercase);
        undone.phone = live.field(Field::Phone).map(str::to_owned);
        let policy = Policy {
            no_identity: IdentitylessRule::AtMostOnce,
            marker: self.policy.marker.clone(),
            ..Policy::default()
        };
        let place = format!("row {}", self.n);
        let source =
            Source { location: &directory.location, input: self.undo.of.as_str(), place: &place };
        let action = match self.beside(&live, directory)? {
            Ok(action) => action,
            Err(rejection) => {
                undone.refused = Some(rejection);
                Action::Create
            }
        };
        match Planner::new(&policy, directory).make_anew(self.n, &source, image, &action) {
            Ok(planned) => self.take_anew(&mut undone, planned, op),
            Err(rejection) => undone.refused = Some(rejection),
        }
        Ok(undone)
    }

    /// Leaves out what was made already, and what must not be made.
    fn take_anew(&self, undone: &mut Undone, planned: Planned, op: &Op) {
        let makes = planned.ops.iter().find(|op| op.change.makes_the_contact());
        undone.made = makes.and_then(|op| self.done.made(&op.key));
        if undone.made.is_some() {
            // Whoever has the address now is the one who was made.
            undone.refused = None;
        }
        if let Some(refused) = &undone.refused {
            undone.conflicts.push(refused.field.clone());
            return;
        }
        let ops = planned.ops.into_iter().filter(|op| !self.done.has(&op.key));
        let taken = ops.map(|op| Taken {
            step: Step { change: op.change, class: op.class, before: op.before },
            key: Some(op.key),
            undoes: Vec::new(),
        });
        undone.steps = taken.collect();
        if undone.steps.is_empty() {
            undone.reason = Some(BROUGHT_BACK);
            return;
        }
        let id = op.contact.as_ref().map(ToString::to_string).unwrap_or_default();
        undone.changes.push(super::revert_row::change("contact", &id, "a new one"));
        undone.changes.extend(planned.changes);
        undone.warnings = planned.warnings;
    }

    /// Beside whom the contact is made, or who stands in its place.
    fn beside(
        &self,
        live: &Live,
        directory: &Directory,
    ) -> Result<Result<Action, Rejection>, Error> {
        if let Some(there) = self.live {
            let message = format!("contact `{}` is there again", there.id);
            return Ok(Err(exists("contactId", message)));
        }
        let email = live.field(Field::Email).map(str::to_lowercase);
        let phone = live.field(Field::Phone);
        if let Some(other) = self.others(kind::EMAIL, email.as_deref())?.first() {
            let message = format!(
                "contact `{other}` has this e-mail address now, and no second one is made; change or delete \
                 that one first"
            );
            return Ok(Err(exists("email", message)));
        }
        let shared = self.others(kind::PHONE, phone)?;
        let alone = email.is_none() || is_unique(directory, Field::Phone);
        if let Some(other) = shared.first().filter(|_| alone) {
            let message = format!(
                "contact `{other}` has this phone number now, and no second one is made; change or delete \
                 that one first"
            );
            return Ok(Err(exists("phone", message)));
        }
        let email = self.comes_earlier(kind::EMAIL, email.as_deref())?;
        let phone = !shared.is_empty() || self.comes_earlier(kind::PHONE, phone)?;
        let beside = directory.allows_duplicates && (email || phone);
        Ok(Ok(if beside { Action::CreateBeside { email, phone } } else { Action::Create }))
    }

    /// Who has an address or number now, beside those whom the import deleted and a lagging search may
    /// still show.
    fn others(&self, kind: &str, value: Option<&str>) -> Result<Vec<String>, Error> {
        let Some(value) = value else { return Ok(Vec::new()) };
        let mut others = Vec::new();
        for contact in self.rows.matches(kind, value)? {
            if !self.rows.is_named(kind::ID, &contact)? {
                others.push(contact);
            }
        }
        Ok(others)
    }

    /// Whether an earlier row brings back somebody with the same value.
    fn comes_earlier(&self, kind: &str, value: Option<&str>) -> Result<bool, Error> {
        let Some(value) = value else { return Ok(false) };
        Ok(self.rows.first_named(kind, value)?.is_some_and(|first| first < self.n))
    }

    /// A note or task that was deleted is written anew, if its contact is there.
    fn child_anew(&self, op: &Op, directory: &Directory) -> Undone {
        let mut undone = Undone { action: "bring_back", ..Undone::default() };
        let (fields, id) = match &op.change {
            Change::DeleteNote { id } => (note_fields(&op.before, directory), id),
            Change::DeleteTask { id } => (task_fields(&op.before, directory), id),
            _ => {
                undone.reason = Some("what was deleted cannot be brought back");
                return undone;
            }
        };
        if self.done.has(&key(self.undo, self.n, 0)) {
            undone.reason = Some(BROUGHT_BACK);
            return undone;
        }
        let Some(fields) = fields else {
            undone.reason = Some("it had no text, which the API wants of a new one");
            return undone;
        };
        if self.live.is_none() {
            undone.reason = Some("the contact is gone");
            return undone;
        }
        let body = fields.into_iter().collect();
        let change = match &op.change {
            Change::DeleteTask { .. } => Change::CreateTask { body },
            _ => Change::CreateNote { body },
        };
        let step = Step { change, class: Class::Countable, before: serde_json::Value::Null };
        undone.changes = shown(&step, &|id| id.to_owned());
        let before = serde_json::json!({ "was": id });
        undone.steps.push(Taken { step: Step { before, ..step }, key: None, undoes: Vec::new() });
        undone
    }
}

fn exists(field: &str, message: String) -> Rejection {
    Rejection { code: "R_EXISTS", field: field.to_owned(), column: None, message }
}
