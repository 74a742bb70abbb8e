//! What prior imports into the same location did, so that importing a file twice creates nothing twice.
//!
//! Contacts with an identity are found in the account itself. Notes, tasks and contacts without an identity
//! are not; they are recognised by the stable names of their ops in the ledgers of prior runs, except those
//! that an undo has reverted. An op has two such names: its place in the file, and what it writes to which
//! contact. The second one recognises it in a file that has grown, or in a `rejected.csv`.

use std::collections::HashMap;
use std::path::Path;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::{ContactId, LocationId, RunId};
use crate::import::ImportError;
use crate::model::{Op, OpChange, op_codec};
use crate::plan::diff::RowPlan;
use crate::run::{self, OpRecord, OpState, RowAction, RunError, RunKind, RunReceipt, RunStore};

/// The outcomes of prior ops, by their stable names.
#[derive(Debug, Default)]
pub(crate) struct PriorRuns {
    known: HashMap<String, PriorOp>,
    /// The runs that cannot be read completely, and why.
    unreadable: Vec<(RunId, RunError)>,
}

#[derive(Debug, Clone)]
struct PriorOp {
    state: OpState,
    run: RunId,
    made: Option<String>,
    /// The other name under which it is also stored here.
    like: Option<String>,
}

impl PriorRuns {
    /// Reads the ledgers of a location's prior imports, including those of version 0.1.0, and of the undos that
    /// reverted parts of them. A ledger that cannot be read is skipped and named in a warning.
    pub(crate) fn load_ledgers(
        home: &RunStore,
        location: &LocationId,
        own: &RunId,
    ) -> Result<Self, ImportError> {
        let mut runs = home.list_receipts()?;
        runs.retain(|run| run.meta.location == *location && run.meta.run != *own);
        // What was undone may have been done again.
        runs.sort_by_key(|run| run.meta.created);
        let mut prior = Self::default();
        for RunReceipt { meta, db, .. } in runs {
            let read = match meta.kind {
                RunKind::Import | RunKind::Restore => prior.add_import(&meta.run, &db),
                RunKind::Undo => prior.subtract_undo(&db),
                RunKind::Export | RunKind::Sync => Ok(()),
            };
            prior.unreadable.extend(read.err().map(|error| (meta.run, error)));
        }
        Ok(prior)
    }

    /// Warns of the runs whose work cannot be recognised.
    pub(crate) fn unreadable_warnings(&self) -> impl Iterator<Item = Diagnostic> {
        self.unreadable.iter().map(|(run, error)| {
            let message = format!(
                "run `{run}` cannot be read: {error}; notes, tasks and contacts without e-mail address and \
                 phone that it created are not recognized, and may be created again"
            );
            Diagnostic::new(DiagnosticCode::W_PRIOR_RUN_UNREADABLE, message)
        })
    }

    fn add_import(&mut self, run: &RunId, db: &Path) -> Result<(), RunError> {
        let states = [OpState::Applied, OpState::Differs, OpState::Sent, OpState::InDoubt];
        let add = |record: OpRecord| {
            if record.class.is_found_in_account() {
                return Ok(());
            }
            let like = op_codec::decode_op(&record)?.like;
            let known = PriorOp { state: record.state, run: run.clone(), made: record.made, like };
            if let Some(like) = &known.like {
                self.known.insert(like.clone(), known.clone());
            }
            self.known.insert(record.key, known);
            Ok(())
        };
        run::for_each_op_in_state(db, &states, add)
    }

    fn subtract_undo(&mut self, db: &Path) -> Result<(), RunError> {
        for key in run::reverted_op_keys(db)? {
            if let Some(PriorOp { like: Some(like), .. }) = self.known.remove(&key) {
                self.known.remove(&like);
            }
        }
        Ok(())
    }

    /// The plan of a row without what a prior run has done; a rejection if it is not known whether it was done.
    pub(crate) fn drop_completed_ops(&self, mut planned: RowPlan) -> Result<RowPlan, Diagnostic> {
        let found = |op: &Op| {
            let countable = !op.class.is_found_in_account();
            let by = |name: &String| self.known.get(name).filter(|_| countable);
            by(&op.key).or_else(|| by(op.like.as_ref()?))
        };
        let mut unsettled = planned.ops.iter().filter_map(found);
        if let Some(PriorOp { run, .. }) = unsettled.find(|known| !is_applied(known.state)) {
            return Err(Diagnostic::new(
                DiagnosticCode::R_IN_DOUBT_EARLIER,
                format!(
                    "run `{run}` sent this row, and it is not known whether that succeeded; settle that first: \
                     `ghl-bulk resume {run}`, then `ghl-bulk runs resolve {run} in_doubt.csv`"
                ),
            ));
        }
        let before = planned.ops.len();
        let makes = planned.ops.iter().find(|op| op.change.creates_contact());
        let made = makes.and_then(found).and_then(|known| known.made.as_deref()?.parse().ok());
        let alike = planned.ops.iter().filter(|op| !self.known.contains_key(&op.key));
        let alike: Vec<Diagnostic> =
            alike.filter_map(|op| Some(done_earlier_warning(op, &found(op)?.run))).collect();
        planned.warnings.extend(alike);
        planned.ops.retain(|op| found(op).is_none());
        if let Some(contact) = made {
            planned.ops.iter_mut().for_each(|op| op.contact = Some(ContactId::clone(&contact)));
            planned.contact = Some(contact);
        }
        if planned.ops.is_empty() && before > 0 {
            planned.action = RowAction::DoneEarlier;
            planned.changes.clear();
        }
        Ok(planned)
    }
}

/// Adds a note that an op of another file has written the same.
fn done_earlier_warning(op: &Op, run: &RunId) -> Diagnostic {
    let what = match op.change {
        OpChange::CreateNote { .. } => "note",
        OpChange::CreateTask { .. } => "task",
        _ => "contact",
    };
    let message = format!(
        "run `{run}` has already created the same {what}; if this is a different one, map a column that \
         distinguishes them to `sourceId`"
    );
    Diagnostic::new(DiagnosticCode::W_DONE_EARLIER, message).in_field(what)
}

fn is_applied(state: OpState) -> bool {
    matches!(state, OpState::Applied | OpState::Differs)
}
