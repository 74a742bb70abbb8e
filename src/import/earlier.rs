//! What earlier imports into the same location did: so that a file fed twice creates nothing twice.
//!
//! Contacts with an identity are found in the account itself. Notes, tasks and contacts without
//! identity are not; they are known by the stable names of their ops in the ledgers of earlier runs.

use std::collections::HashMap;

use super::Error;
use crate::id::{ContactId, LocationId, RunId};
use crate::plan::check::Rejection;
use crate::plan::diff::Planned;
use crate::plan::{Class, Op};
use crate::run::{self, Home, OpState};

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
    /// Reads the ledgers of a location's earlier imports. A run that cannot be read is passed over: it
    /// is damaged, and named where runs are listed.
    pub(super) fn read(home: &Home, location: &LocationId, own: &RunId) -> Result<Self, Error> {
        let mut known = HashMap::new();
        let states = [OpState::Applied, OpState::Differs, OpState::Sent, OpState::InDoubt];
        for summary in home.list()? {
            let Ok((meta, _)) = &summary.known else { continue };
            if meta.kind != super::KIND || meta.location != *location || meta.run == *own {
                continue;
            }
            let Ok(keys) = run::keys_with_state(&summary.dir.join("run.db"), &states) else {
                continue;
            };
            for (key, state, made) in keys {
                known.insert(key, Known { state, run: meta.run.clone(), made });
            }
        }
        Ok(Self { known })
    }

    /// A row's plan without what an earlier run has done; a rejection where nobody knows whether it did.
    pub(super) fn without_what_is_done(&self, mut planned: Planned) -> Result<Planned, Rejection> {
        let found = |op: &Op| {
            let countable = matches!(op.class, Class::Countable | Class::Once | Class::Marked);
            self.known.get(&op.key).filter(|_| countable)
        };
        let unsettled = planned.ops.iter().filter_map(found);
        if let Some(Known { run, .. }) = unsettled.filter(|known| !is_done(known.state)).next() {
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

fn is_done(state: OpState) -> bool {
    matches!(state, OpState::Applied | OpState::Differs)
}
