//! Applying: a plan's ops are pushed, and what became of the rows is written down.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::planning::summary::Summary;
use super::results::recreated_file;
use super::results::row_outcome::Fates;
use super::results::{self, Tally};
use super::{
    Error, FRESH, Halted, Planned, Stage, TAG_BATCH, UNDO, deletion, drift, out, removes, request,
    run_files, stage, undo,
};
use crate::concurrency;
use crate::context::Context;
use crate::id::{LocationId, RunId};
use crate::model::{Directory, Policy};
use crate::push::{self, Push};
use crate::run::{Ledger, LedgerReader, Rows, Run, State};

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// What was done: `import` or `undo`.
    pub kind: String,
    /// The location.
    pub location: LocationId,
    /// The directory of the result files.
    pub out: PathBuf,
    /// The result files.
    #[serde(rename = "paths")]
    pub files: Vec<PathBuf>,
    /// How many rows ended how.
    #[serde(rename = "rows")]
    pub tally: Tally,
    /// Contacts that stand in the location twice although they were sent once.
    pub duplicates: u64,
    /// Requests sent, by route, retries included.
    pub requests: std::collections::BTreeMap<String, u64>,
    /// Answers 429 among them.
    pub refused: u64,
    /// Whether rows were left for later on purpose (`--sample`).
    pub sampled: bool,
    /// Time this process spent on applying.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// Applies a plan, or what is left of it.
///
/// # Errors
/// Whatever stops it; the run goes on with [`super::resume`].
pub async fn apply(context: &Context, planned: Planned) -> Result<Report, Halted> {
    let id = planned.run.meta.run.clone();
    let halted = |error| Halted { run: Some(id), error };
    let begun = Instant::now();
    carry_out(context, &planned, begun).await.map_err(halted)
}

async fn carry_out(context: &Context, planned: &Planned, begun: Instant) -> Result<Report, Error> {
    if planned.run.meta.kind == UNDO {
        undo::begin(context, planned).await?;
    } else if planned.looked.elapsed() > FRESH
        && let Some(what) = removes(&planned.run)?
    {
        deletion::recheck(context, &planned.run, what, Stage::Applying).await?;
    }
    planned.run.note("stage", &Stage::Applying)?;
    let pushed = push_ops(context, planned).await;
    // The files are made whatever stopped the work: they say how far it came.
    let finished = finish(context, planned, begun, pushed.as_ref().ok()).await;
    let report = match (pushed, finished) {
        (Ok(_), finished) => finished?,
        (Err(_), Err(bug @ Error::Bug(_))) => return Err(bug),
        // The reason of the stop matters more than a file that cannot be written now.
        (Err(error), _) => return Err(error),
    };
    planned.run.set_state(state_by(report.tally))?;
    Ok(report)
}

/// Where a run stands whose rows ended like this.
pub(super) fn state_by(tally: Tally) -> State {
    match tally {
        Tally { pending: 1.., .. } => State::Unfinished,
        // Rows in doubt wait for a person, not for another try.
        Tally { rejected: 0, in_doubt: 0, .. } => State::Complete,
        _ => State::Partial,
    }
}

async fn push_ops(context: &Context, planned: &Planned) -> Result<push::Pushed, Error> {
    let db = planned.run.db();
    let policy: Policy = planned.run.noted("policy")?.unwrap_or_default();
    let directory: Option<Directory> = planned.run.noted("directory")?;
    let marker = policy.marker.as_deref().zip(directory.as_ref());
    let marker = marker.and_then(|(name, directory)| directory.field(name).ok());
    let only = match planned.sample {
        Some(sample) => {
            let db = db.clone();
            Some(concurrency::blocking(move || drift::sample(&Rows::open(&db)?, sample)).await?)
        }
        None => None,
    };
    let (ledger, writer) = Ledger::open(&db)?;
    let push = Push {
        client: context.client.clone(),
        ledger: ledger.clone(),
        db,
        watcher: context.watcher.clone(),
        stop: context.stop.clone(),
        concurrency: context.concurrency,
        settle: context.settle,
        marker: marker.map(|field| field.id.clone()),
        max_errors: planned.max_errors.map(|it| it.of(planned.summary.rows)),
        only,
        tag_batch: TAG_BATCH,
    };
    let work = async {
        let pushed = push.run().await;
        let closed = ledger.close().await;
        (pushed, closed)
    };
    let ((), (pushed, closed)) = tokio::join!(concurrency::blocking(writer), work);
    // What the ledger says about itself goes first: the push only knows that it takes nothing any more.
    closed?;
    Ok(pushed?)
}

async fn finish(
    context: &Context,
    planned: &Planned,
    begun: Instant,
    pushed: Option<&push::Pushed>,
) -> Result<Report, Error> {
    let (db, out) = (planned.run.db(), planned.out.clone());
    let columns: Vec<String> = planned.run.noted("columns")?.unwrap_or_default();
    let rows = planned.summary.rows;
    let duplicates = pushed.map(|pushed| pushed.duplicates.clone()).unwrap_or_default();
    let count = duplicates.len() as u64;
    let (files, tally) =
        concurrency::blocking(move || write_results(&db, &out, &columns, rows, &duplicates))
            .await?;
    let report = Report {
        run: planned.run.meta.run.clone(),
        kind: planned.run.meta.kind.clone(),
        location: planned.run.meta.location.clone(),
        out: planned.out.clone(),
        files,
        tally,
        duplicates: count,
        requests: context.client.sent(),
        refused: context.client.pace().refused(),
        sampled: planned.sample.is_some() && tally.pending > 0,
        elapsed: begun.elapsed(),
    };
    let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
    run_files::write(&planned.out.join("summary.json"), text.as_bytes())?;
    Ok(report)
}

fn write_results(
    db: &Path,
    out: &Path,
    columns: &[String],
    expected: u64,
    duplicates: &[push::Duplicate],
) -> Result<(Vec<PathBuf>, Tally), Error> {
    let fates = Fates::read(&LedgerReader::open(db)?)?;
    let rows = Rows::open(db)?;
    run_files::make(out)?;
    let (mut files, tally) = results::write(&rows, &fates, out, columns)?;
    if !duplicates.is_empty() {
        let header = ["row", "contact_ids"].map(str::to_owned);
        let mut table = results::Table::new(out, "duplicates.csv", &header)?;
        for duplicate in duplicates {
            table.record(&[duplicate.row.to_string(), duplicate.ids.join("; ")])?;
        }
        files.push(table.close()?);
    }
    files.extend(recreated_file::write(&LedgerReader::open(db)?, out)?);
    conserve(tally, expected)?;
    Ok((files, tally))
}

/// Every row stands in exactly one result.
fn conserve(tally: Tally, expected: u64) -> Result<(), Error> {
    if tally.total() == expected {
        return Ok(());
    }
    Err(Error::Bug(format!(
        "{expected} rows were read, but {} are accounted for: {tally:?}",
        tally.total()
    )))
}

/// Makes a finished or interrupted run's result files again, there or in another directory.
///
/// # Errors
/// When the run is no import, was not planned to the end, or the files cannot be written.
pub fn results(run: &Run, to: Option<PathBuf>) -> Result<(Report, Summary), Error> {
    let begun = Instant::now();
    let Some(summary) = run.noted::<Summary>("summary")? else {
        return Err(Error::Request(format!("run `{}` has no plan yet", run.meta.run)));
    };
    let out = match to {
        Some(out) => out,
        None if run.meta.kind == UNDO => undo::out(run, &undo::options(run)?),
        None => out(run, &request(run)?),
    };
    let columns: Vec<String> = run.noted("columns")?.unwrap_or_default();
    run_files::make(&out)?;
    if stage(run)? != Stage::Applying {
        let files = results::write_plan(&Rows::open(&run.db())?, &out, &columns)?;
        let fates = Fates::read(&LedgerReader::open(&run.db())?)?;
        let tally = results::tally(&Rows::open(&run.db())?, &fates)?;
        return Ok((report_of(run, out, files, tally, begun), summary));
    }
    let (files, tally) = write_results(&run.db(), &out, &columns, summary.rows, &[])?;
    Ok((report_of(run, out, files, tally, begun), summary))
}

fn report_of(run: &Run, out: PathBuf, files: Vec<PathBuf>, tally: Tally, begun: Instant) -> Report {
    Report {
        run: run.meta.run.clone(),
        kind: run.meta.kind.clone(),
        location: run.meta.location.clone(),
        out,
        files,
        tally,
        duplicates: 0,
        requests: std::collections::BTreeMap::new(),
        refused: 0,
        sampled: false,
        elapsed: begun.elapsed(),
    }
}
