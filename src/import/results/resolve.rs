//! Resolving: the user's decisions on ops whose outcome could not be determined.
//!
//! `in_doubt.csv` lists each such op and has a column for the decision: `applied`, `not applied`, or the id of
//! the contact that the row created. The file may come back from a spreadsheet with another encoding, other
//! delimiters, or as a workbook, and lines may be missing. Either all its decisions are accepted or, if one
//! cannot be understood, none.

use std::collections::BTreeMap;
use std::path::Path;

use super::final_state::state_from_counts;
use super::row_outcome::RowOutcomes;
use crate::concurrency;
use crate::id::ContactId;
use crate::import::{ImportError, ImportStage, current_stage, facts, results};
use crate::model::result_columns::{self, DOUBT_DECISION, DOUBT_OP};
use crate::run::{
    AttemptOutcome, ImportStore, Ledger, LedgerReader, OpRecord, OpState, Run, RunError, RunState,
    SettledBy,
};
use crate::sheet::{Sheet, SheetReadOptions, SheetRow};

/// The result of a file of decisions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResolveReport {
    /// Ops that are settled now.
    pub settled: u64,
    /// Ops that will be sent again by `resume`.
    pub again: u64,
    /// Ops in the file without a decision.
    pub open: u64,
}

/// The shortest text that is accepted as a contact id: HighLevel's have 20 to 24 letters and digits.
const SHORTEST: usize = 16;

/// Writes the decisions of a file to the ledger, and updates the state of the run.
///
/// # Errors
/// When the file or the run cannot be read, or a decision cannot be understood; then none is accepted.
pub async fn resolve_in_doubt(run: &Run, file: &Path) -> Result<ResolveReport, ImportError> {
    let (db, path) = (run.db_path(), file.to_owned());
    let (resolved, decisions) =
        concurrency::run_blocking(move || read_decisions(&db, &path)).await?;
    settle_ops(run, decisions).await?;
    if current_stage(run)? == ImportStage::Applying {
        let db = run.db_path();
        let counted = concurrency::run_blocking(move || {
            let outcomes = RowOutcomes::from_ledger(&LedgerReader::open(&db)?)?;
            let tally = results::count_outcomes(&ImportStore::open(&db)?, &outcomes)?;
            Ok::<_, ImportError>((tally, outcomes.not_kept().total()))
        });
        let (tally, not_kept) = counted.await?;
        let undone = run.read_fact(&facts::UNDONE_BY)?.is_some();
        run.set_state(match state_from_counts(tally, not_kept) {
            // Nothing more is sent for an import that was undone.
            RunState::Paused if undone => RunState::Partial,
            state => state,
        })?;
    }
    Ok(resolved)
}

/// Records the outcomes of ops.
pub(crate) async fn settle_ops(
    run: &Run,
    decisions: Vec<(u64, AttemptOutcome)>,
) -> Result<(), ImportError> {
    let (ledger, writer) = Ledger::open(&run.db_path())?;
    let work = async {
        for (op, settled) in decisions {
            ledger.set_op_state(op, settled).await?;
        }
        ledger.close().await
    };
    let writing = concurrency::start_thread("ledger", writer)
        .map_err(|source| RunError::NoThread { source })?;
    let ((), closed) = tokio::join!(writing, work);
    Ok(closed?)
}

fn read_decisions(
    db: &Path,
    path: &Path,
) -> Result<(ResolveReport, Vec<(u64, AttemptOutcome)>), ImportError> {
    let wrong = |why: String| ImportError::Request(format!("`{}`: {why}", path.display()));
    let sheet = Sheet::open(path, &SheetReadOptions::default(), &result_columns::is_result_column)?;
    let column = |name: &str| {
        let found = sheet.columns.iter().position(|column| column.name == name);
        found.ok_or_else(|| {
            wrong(format!("the file has no column `{name}`; use the run's own in_doubt.csv"))
        })
    };
    let (op, decision) = (column(DOUBT_OP)?, column(DOUBT_DECISION)?);
    let ledger = LedgerReader::open(db)?;
    let ops = ledger.count_by_state()?.values().sum();
    let mut decisions = BTreeMap::new();
    for row in sheet.rows()? {
        let row = row?;
        let wrong = |why: String| wrong(format!("{}: {why}", row.place));
        if let Some(fault) = &row.fault {
            return Err(wrong(fault.message.clone()));
        }
        let text = |at: usize| row.cells.get(at).map(|cell| cell.to_text().trim().to_owned());
        let (number, word) = (text(op).unwrap_or_default(), text(decision).unwrap_or_default());
        let id = number.parse().map_err(|_| wrong(format!("`{number}` is not an op number")))?;
        let made = find_op_in_doubt(&ledger, id, ops)
            .and_then(|record| parse_decision(&ledger, &record, &word));
        let made = made.map_err(|error| with_row_position(error, &row, path))?;
        if let Some(other) = decisions.insert(id, made.clone())
            && other != made
        {
            return Err(wrong(format!("op {id} is listed twice, with different decisions")));
        }
    }
    let mut resolved = ResolveReport::default();
    let mut all = Vec::new();
    for (op, settled) in decisions {
        let Some(settled) = settled else {
            resolved.open += 1;
            continue;
        };
        let again = settled.state == OpState::Pending;
        *(if again { &mut resolved.again } else { &mut resolved.settled }) += 1;
        all.extend(skipped_siblings(&ledger, op)?.into_iter().map(|op| (op, pending_outcome())));
        all.push((op, settled));
    }
    Ok((resolved, all))
}

fn with_row_position(error: ImportError, row: &SheetRow, path: &Path) -> ImportError {
    match error {
        ImportError::Request(why) => {
            ImportError::Request(format!("`{}`: {}: {why}", path.display(), row.place))
        }
        error => error,
    }
}

/// Finds an op in doubt of the run, which has `ops` ops.
fn find_op_in_doubt(ledger: &LedgerReader, id: u64, ops: u64) -> Result<OpRecord, ImportError> {
    if id == 0 || id > ops {
        return Err(ImportError::Request(format!(
            "this run has no op {id}; does the file belong to another run?"
        )));
    }
    let record = ledger.load_op(id)?;
    match record.state {
        OpState::InDoubt => Ok(record),
        OpState::Sent => Err(ImportError::Request(format!(
            "op {id} of this run was sent and its outcome has not been checked yet; run `ghl-bulk resume` first"
        ))),
        _ => Err(ImportError::Request(format!("op {id} of this run is not in doubt"))),
    }
}

/// The outcome that a word states for an op; `None` if it is not a decision yet.
fn parse_decision(
    ledger: &LedgerReader,
    record: &OpRecord,
    word: &str,
) -> Result<Option<AttemptOutcome>, ImportError> {
    let creates = record.step == 0 && record.contact.is_none();
    let plain = word.to_lowercase().replace(['-', '_'], " ");
    match plain.split_whitespace().collect::<Vec<_>>().join(" ").as_str() {
        "" => Ok(None),
        "not applied" | "no" => Ok(Some(pending_outcome())),
        "applied" | "yes" => match skipped_siblings(ledger, record.id)?.len() {
            more if creates && more > 0 => Err(ImportError::Request(format!(
                "{more} more writes of the row need the contact; enter its id instead of `{word}`"
            ))),
            _ => Ok(Some(applied_outcome(None))),
        },
        _ if !looks_like_contact_id(word) => Err(ImportError::Request(format!(
            "`{word}` is not a decision; enter `applied`, `not applied` or the contact's id"
        ))),
        _ if !creates => Err(ImportError::Request(format!(
            "op {} does not create a contact, so it takes no id; enter `applied` or `not applied`",
            record.id
        ))),
        _ => Ok(Some(applied_outcome(Some(word.to_owned())))),
    }
}

fn looks_like_contact_id(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    word.len() >= SHORTEST && word.chars().all(plain) && word.parse::<ContactId>().is_ok()
}

/// The ops of the same row that wait for this one.
fn skipped_siblings(ledger: &LedgerReader, op: u64) -> Result<Vec<u64>, ImportError> {
    let siblings = ledger.ops_of_row(ledger.load_op(op)?.row)?;
    let skipped = siblings.iter().filter(|sibling| sibling.state == OpState::Skipped);
    Ok(skipped.map(|sibling| sibling.id).collect())
}

fn applied_outcome(made: Option<String>) -> AttemptOutcome {
    AttemptOutcome { state: OpState::Applied, made, ..pending_outcome() }
}

fn pending_outcome() -> AttemptOutcome {
    AttemptOutcome {
        state: OpState::Pending,
        settled_by: SettledBy::Decision,
        status: None,
        trace_id: None,
        made: None,
        details: None,
    }
}
