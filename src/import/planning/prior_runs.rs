//! What earlier imports into the same location did: so that a file fed twice creates nothing twice.
//!
//! Contacts with an identity are found in the account itself. Notes, tasks and contacts without
//! identity are not; they are known by the stable names of their ops in the ledgers of earlier runs, less
//! those that an undo has taken back. An op has two: where it stands in its file, and what it writes for
//! whom. By the second it is known again in a file that has grown, or in a `rejected.csv`.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::validate_rows::kind;
use crate::id::{ContactId, LocationId, RunId};
use crate::import::Error;
use crate::model::{Change, Class, Op};
use crate::plan::diff::Planned;
use crate::plan::validate::{Rejection, Warned};
use crate::run::{self, Home, LedgerReader, OpRecord, OpState, Rows};

/// What became of ops, by their stable names.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    known: HashMap<String, Known>,
}

#[derive(Debug, Clone)]
struct Known {
    state: OpState,
    run: RunId,
    made: Option<String>,
    /// The other name, under which it stands here too.
    like: Option<String>,
}

impl Earlier {
    /// Reads the ledgers of a location's earlier imports, and of the undos that took some of it back. A
    /// run that cannot be read is passed over: it is damaged, and named where runs are listed.
    pub(crate) fn read(home: &Home, location: &LocationId, own: &RunId) -> Result<Self, Error> {
        let runs = home.list()?.into_iter().filter_map(|it| Some((it.known.ok()?.0, it.dir)));
        let mut runs: Vec<_> =
            runs.filter(|(meta, _)| meta.location == *location && meta.run != *own).collect();
        // What was undone may have been done again.
        runs.sort_by_key(|(meta, _)| meta.created);
        let mut earlier = Self { known: HashMap::new() };
        for (meta, dir) in runs {
            let db = dir.join("run.db");
            match meta.kind.as_str() {
                crate::import::KIND => earlier.add(&meta.run, &db),
                crate::import::UNDO => earlier.take_away(&db),
                _ => {}
            }
        }
        Ok(earlier)
    }

    fn add(&mut self, run: &RunId, db: &Path) {
        let states = [OpState::Applied, OpState::Differs, OpState::Sent, OpState::InDoubt];
        let look = |op: OpRecord| {
            // The others are known by the account.
            if !["C", "M", "X"].contains(&op.class.as_str()) {
                return;
            }
            let like = like(&op.body);
            let known = Known { state: op.state, run: run.clone(), made: op.made, like };
            if let Some(like) = &known.like {
                self.known.insert(like.clone(), known.clone());
            }
            self.known.insert(op.key, known);
        };
        // A damaged run is named where runs are listed.
        let _ = run::each_with_state(db, &states, look);
    }

    fn take_away(&mut self, db: &Path) {
        let Ok(keys) = undone(db) else { return };
        for key in keys {
            if let Some(Known { like: Some(like), .. }) = self.known.remove(&key) {
                self.known.remove(&like);
            }
        }
    }

    /// A row's plan without what an earlier run has done; a rejection where nobody knows whether it did.
    pub(crate) fn without_what_is_done(&self, mut planned: Planned) -> Result<Planned, Rejection> {
        let found = |op: &Op| {
            let countable = matches!(op.class, Class::Countable | Class::Once | Class::Marked);
            let by = |name: &String| self.known.get(name).filter(|_| countable);
            by(&op.key).or_else(|| by(op.like.as_ref()?))
        };
        let mut unsettled = planned.ops.iter().filter_map(found);
        if let Some(Known { run, .. }) = unsettled.find(|known| !is_done(known.state)) {
            return Err(Rejection {
                code: "R_IN_DOUBT_EARLIER",
                field: String::new(),
                column: None,
                message: format!(
                    "run `{run}` sent this row, and nobody knows what became of it; settle that first: \
                     `ghl-bulk resume {run}`, then `ghl-bulk runs resolve {run} in_doubt.csv`"
                ),
            });
        }
        let before = planned.ops.len();
        let makes = planned.ops.iter().find(|op| op.change.makes_the_contact());
        let made = makes.and_then(found).and_then(|known| known.made.as_deref()?.parse().ok());
        let alike = planned.ops.iter().filter(|op| !self.known.contains_key(&op.key));
        let alike: Vec<Warned> = alike.filter_map(|op| Some(done(op, &found(op)?.run))).collect();
        planned.warnings.extend(alike);
        planned.ops.retain(|op| found(op).is_none());
        if let Some(contact) = made {
            planned.ops.iter_mut().for_each(|op| op.contact = Some(ContactId::clone(&contact)));
            planned.contact = Some(contact);
        }
        if planned.ops.is_empty() && before > 0 {
            planned.action = crate::import::action::DONE_EARLIER;
            planned.changes.clear();
        }
        Ok(planned)
    }
}

/// What an op writes, by the name that it has beside its key.
fn like(body: &str) -> Option<String> {
    if !body.contains("\"like\":") {
        return None;
    }
    let body: Value = serde_json::from_str(body).ok()?;
    body["like"].as_str().map(str::to_owned)
}

/// Says that an op of another file has written the same.
fn done(op: &Op, run: &RunId) -> Warned {
    let what = match op.change {
        Change::CreateNote { .. } => "note",
        Change::CreateTask { .. } => "task",
        _ => "contact",
    };
    let message = format!(
        "run `{run}` has made the same {what} already; should this be another one, map a column that tells \
         them apart to `sourceId`"
    );
    Warned { code: "W_DONE_EARLIER", column: None, field: what.to_owned(), message }
}

/// The stable names of the ops of which an undo has left nothing.
fn undone(db: &Path) -> Result<Vec<String>, run::Error> {
    let ledger = LedgerReader::open(db)?;
    let mut gone = Vec::new();
    for (key, op) in Rows::open(db)?.named(kind::UNDONE)? {
        if is_done(ledger.op(op)?.state) {
            gone.push(key);
        }
    }
    Ok(gone)
}

fn is_done(state: OpState) -> bool {
    matches!(state, OpState::Applied | OpState::Differs)
}
