//! What earlier imports into the same location did: so that a file fed twice creates nothing twice.
//!
//! Contacts with an identity are found in the account itself. Notes, tasks and contacts without
//! identity are not; they are known by the stable names of their ops in the ledgers of earlier runs, less
//! those that an undo has taken back.

use std::collections::HashMap;
use std::path::Path;

use super::Error;
use super::judge::kind;
use crate::id::{ContactId, LocationId, RunId};
use crate::plan::check::Rejection;
use crate::plan::diff::Planned;
use crate::plan::{Class, Op};
use crate::run::{self, Home, LedgerReader, OpState, Rows};

/// What became of ops, by their stable names.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    known: HashMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    state: OpState,
    run: RunId,
    made: Option<String>,
}

impl Earlier {
    /// Reads the ledgers of a location's earlier imports, and of the undos that took some of it back. A
    /// run that cannot be read is passed over: it is damaged, and named where runs are listed.
    pub(super) fn read(home: &Home, location: &LocationId, own: &RunId) -> Result<Self, Error> {
        let runs = home.list()?.into_iter().filter_map(|it| Some((it.known.ok()?.0, it.dir)));
        let mut runs: Vec<_> =
            runs.filter(|(meta, _)| meta.location == *location && meta.run != *own).collect();
        // What was undone may have been done again.
        runs.sort_by_key(|(meta, _)| meta.created);
        let mut earlier = Self { known: HashMap::new() };
        for (meta, dir) in runs {
            let db = dir.join("run.db");
            match meta.kind.as_str() {
                super::KIND => earlier.add(&meta.run, &db),
                super::UNDO => earlier.take_away(&db),
                _ => {}
            }
        }
        Ok(earlier)
    }

    fn add(&mut self, run: &RunId, db: &Path) {
        let states = [OpState::Applied, OpState::Differs, OpState::Sent, OpState::InDoubt];
        let Ok(keys) = run::keys_with_state(db, &states) else { return };
        for (key, state, made) in keys {
            self.known.insert(key, Known { state, run: run.clone(), made });
        }
    }

    fn take_away(&mut self, db: &Path) {
        let Ok(keys) = undone(db) else { return };
        for key in keys {
            self.known.remove(&key);
        }
    }

    /// A row's plan without what an earlier run has done; a rejection where nobody knows whether it did.
    pub(super) fn without_what_is_done(&self, mut planned: Planned) -> Result<Planned, Rejection> {
        let found = |op: &Op| {
            let countable = matches!(op.class, Class::Countable | Class::Once | Class::Marked);
            self.known.get(&op.key).filter(|_| countable)
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
        planned.ops.retain(|op| found(op).is_none());
        if let Some(contact) = made {
            planned.ops.iter_mut().for_each(|op| op.contact = Some(ContactId::clone(&contact)));
            planned.contact = Some(contact);
        }
        if planned.ops.is_empty() && before > 0 {
            planned.action = super::action::DONE_EARLIER;
            planned.changes.clear();
        }
        Ok(planned)
    }
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
