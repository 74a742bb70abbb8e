//! Resolving: a person's decisions on ops that nobody could find out about.
//!
//! `in_doubt.csv` names each such op and leaves a column for the decision: `applied`, `not applied`, or
//! the id of the contact that the row made.

use std::path::Path;

use super::Error;
use crate::flight;
use crate::id::ContactId;
use crate::run::{Ledger, LedgerReader, OpState, Run, Settled};

/// What a file of decisions came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Ops that are settled now.
    pub settled: u64,
    /// Ops that will be sent again by `resume`.
    pub again: u64,
    /// Rows without a decision.
    pub open: u64,
}

/// Takes the decisions of a file into the ledger.
///
/// # Errors
/// When the file or the run cannot be read, or a decision cannot be understood; then none is taken.
pub async fn resolve(run: &Run, file: &Path) -> Result<Resolved, Error> {
    let (db, path) = (run.db(), file.to_owned());
    let (resolved, decisions) = flight::blocking(move || read(&db, &path)).await?;
    let (ledger, writer) = Ledger::open(&run.db())?;
    let work = async {
        for (op, settled) in decisions {
            ledger.set(op, settled).await?;
        }
        ledger.close().await
    };
    let ((), closed) = tokio::join!(flight::blocking(writer), work);
    closed?;
    Ok(resolved)
}

fn read(db: &Path, path: &Path) -> Result<(Resolved, Vec<(u64, Settled)>), Error> {
    let shown = path.display();
    let wrong = |why: String| Error::Request(format!("`{shown}`: {why}"));
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| {
            wrong(format!("there is no column `{name}`; give the run's own in_doubt.csv"))
        })
    };
    let (op, decision) = (column("_doubt_op")?, column("_doubt_decision")?);
    let mut open = Vec::new();
    LedgerReader::open(db)?.each_op(|record| {
        if record.state == OpState::InDoubt {
            open.push(record.id);
        }
        Ok(())
    })?;
    let (mut resolved, mut decisions) = (Resolved::default(), Vec::new());
    for (line, record) in reader.into_records().enumerate() {
        let record = record.map_err(|error| wrong(error.to_string()))?;
        let wrong = |why: String| wrong(format!("record {}: {why}", line + 1));
        let text = record.get(op).unwrap_or_default().trim();
        let id: u64 = text.parse().map_err(|_| wrong(format!("`{text}` is no number of an op")))?;
        if !open.contains(&id) {
            return Err(wrong(format!("op {id} of this run is not in doubt")));
        }
        let word = record.get(decision).unwrap_or_default().trim();
        match settled(word).map_err(wrong)? {
            None => resolved.open += 1,
            Some(settled) => {
                let again = settled.state == OpState::Pending;
                *(if again { &mut resolved.again } else { &mut resolved.settled }) += 1;
                decisions.push((id, settled));
            }
        }
    }
    Ok((resolved, decisions))
}

fn settled(word: &str) -> Result<Option<Settled>, String> {
    let (state, made) = match word.to_lowercase().replace(['-', '_'], " ").as_str() {
        "" => return Ok(None),
        "applied" | "yes" => (OpState::Applied, None),
        "not applied" | "no" => (OpState::Pending, None),
        _ => match word.parse::<ContactId>() {
            Ok(id) if !word.contains(' ') => (OpState::Applied, Some(id.to_string())),
            _ => {
                return Err(format!(
                    "`{word}` is no decision; write `applied`, `not applied` or the contact's id"
                ));
            }
        },
    };
    Ok(Some(Settled { state, how: "decision", status: None, trace_id: None, made, said: None }))
}
