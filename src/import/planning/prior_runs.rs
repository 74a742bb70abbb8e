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
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::{ContactId, LocationId, RunId};
use crate::import::ImportError;
use crate::model::{IdempotencyClass, Op, OpChange};
use crate::plan::diff::RowPlan;
use crate::run::{self, ImportStore, LedgerReader, OpRecord, OpState, RunStore};

/// What became of ops, by their stable names.
#[derive(Debug, Default)]
pub(crate) struct PriorRuns {
    known: HashMap<String, PriorOp>,
}

#[derive(Debug, Clone)]
struct PriorOp {
    state: OpState,
    run: RunId,
    made: Option<String>,
    /// The other name, under which it stands here too.
    like: Option<String>,
}

impl PriorRuns {
    /// Reads the ledgers of a location's earlier imports, and of the undos that took some of it back. A
    /// run that cannot be read is passed over: it is damaged, and named where runs are listed.
    pub(crate) fn load_ledgers(
        home: &RunStore,
        location: &LocationId,
        own: &RunId,
    ) -> Result<Self, ImportError> {
        let runs = home.list_runs()?.into_iter().filter_map(|it| Some((it.known.ok()?.0, it.dir)));
        let mut runs: Vec<_> =
            runs.filter(|(meta, _)| meta.location == *location && meta.run != *own).collect();
        // What was undone may have been done again.
        runs.sort_by_key(|(meta, _)| meta.created);
        let mut earlier = Self { known: HashMap::new() };
        for (meta, dir) in runs {
            let db = dir.join("run.db");
            match meta.kind.as_str() {
                crate::import::KIND => earlier.add_import(&meta.run, &db),
                crate::import::UNDO => earlier.subtract_undo(&db),
                _ => {}
            }
        }
        Ok(earlier)
    }

    fn add_import(&mut self, run: &RunId, db: &Path) {
        let states = [OpState::Applied, OpState::Differs, OpState::Sent, OpState::InDoubt];
        let look = |op: OpRecord| {
            // The others are known by the account.
            if !["C", "M", "X"].contains(&op.class.as_str()) {
                return;
            }
            let like = parse_content_key(&op.body);
            let known = PriorOp { state: op.state, run: run.clone(), made: op.made, like };
            if let Some(like) = &known.like {
                self.known.insert(like.clone(), known.clone());
            }
            self.known.insert(op.key, known);
        };
        // A damaged run is named where runs are listed.
        let _ = run::for_each_op_in_state(db, &states, look);
    }

    fn subtract_undo(&mut self, db: &Path) {
        let Ok(keys) = load_undone_keys(db) else { return };
        for key in keys {
            if let Some(PriorOp { like: Some(like), .. }) = self.known.remove(&key) {
                self.known.remove(&like);
            }
        }
    }

    /// A row's plan without what an earlier run has done; a rejection where nobody knows whether it did.
    pub(crate) fn drop_completed_ops(&self, mut planned: RowPlan) -> Result<RowPlan, Diagnostic> {
        let found = |op: &Op| {
            let countable = matches!(
                op.class,
                IdempotencyClass::Countable | IdempotencyClass::Once | IdempotencyClass::Marked
            );
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
            planned.action = crate::import::action::DONE_EARLIER;
            planned.changes.clear();
        }
        Ok(planned)
    }
}

/// What an op writes, by the name that it has beside its key.
fn parse_content_key(body: &str) -> Option<String> {
    if !body.contains("\"like\":") {
        return None;
    }
    let body: Value = serde_json::from_str(body).ok()?;
    body["like"].as_str().map(str::to_owned)
}

/// Says that an op of another file has written the same.
fn done_earlier_warning(op: &Op, run: &RunId) -> Diagnostic {
    let what = match op.change {
        OpChange::CreateNote { .. } => "note",
        OpChange::CreateTask { .. } => "task",
        _ => "contact",
    };
    let message = format!(
        "run `{run}` has made the same {what} already; if this is another one, map a column that \
         distinguishes them to `sourceId`"
    );
    Diagnostic::new(DiagnosticCode::W_DONE_EARLIER, message).in_field(what)
}

/// The stable names of the ops of which an undo has left nothing.
fn load_undone_keys(db: &Path) -> Result<Vec<String>, run::RunError> {
    let ledger = LedgerReader::open(db)?;
    let mut gone = Vec::new();
    for (key, op) in ImportStore::open(db)?.values_with_rows(kind::UNDONE)? {
        if is_applied(ledger.load_op(op)?.state) {
            gone.push(key);
        }
    }
    Ok(gone)
}

fn is_applied(state: OpState) -> bool {
    matches!(state, OpState::Applied | OpState::Differs)
}
