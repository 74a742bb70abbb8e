//! Applying: sends a plan's ops and records the outcome of each row.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::planning::summary::problem_summary::ProblemCounter;
use super::planning::summary::{PlanSummary, ProblemSummary};
use super::results::field_outcome::{self, FieldOutcome};
use super::results::recreated_file::{self, RecreatedFile};
use super::results::row_outcome::RowOutcomes;
use super::results::source_sheet::{REJECTED_CSV, REJECTED_WORKBOOK, SourceSheet};
use super::results::{self, RowOutcomeCounts};
use super::{
    FRESH, ImportError, ImportHalted, ImportPlan, ImportStage, TAG_BATCH, current_stage, deletion,
    deletion_target, facts, output_dir, restore, run_files, sample, stored_request, undo,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::diagnostic::Diagnostic;
use crate::event::RunPhase;
use crate::id::{LocationId, RunId};
use crate::model::{ImportPolicy, LocationDirectory};
use crate::push::{self, Push};
use crate::run::{ImportStore, Ledger, LedgerReader, Run, RunError, RunKind, RunState};

/// The outcome of an import.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// The run's id.
    pub run: RunId,
    /// What the run did, such as `import`.
    pub kind: RunKind,
    /// The location's id.
    pub location: LocationId,
    /// The directory of the result files.
    pub out: PathBuf,
    /// The result files.
    #[serde(rename = "paths")]
    pub files: Vec<PathBuf>,
    /// How many rows ended with each outcome.
    #[serde(rename = "rows")]
    pub tally: RowOutcomeCounts,
    /// Why rows that were sent were rejected or are in doubt, each reason with an example.
    pub failures: Vec<ProblemSummary>,
    /// Values that the server accepted and the account did not keep, by target, each with an example.
    pub not_kept: Vec<ProblemSummary>,
    /// The custom fields that were created or, by an undo, deleted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub custom_fields: Vec<FieldOutcome>,
    /// Contacts that exist twice in the location although they were sent once.
    pub duplicates: u64,
    /// Requests sent, by route, including retries.
    pub requests: std::collections::BTreeMap<String, u64>,
    /// How many responses were 429.
    pub refused: u64,
    /// Whether rows were deliberately left for later (`--sample`).
    pub sampled: bool,
    /// The time that this process spent applying.
    #[serde(serialize_with = "serialize_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

impl ImportReport {
    /// How many values the account did not keep.
    #[must_use]
    pub fn count_not_kept(&self) -> u64 {
        self.not_kept.iter().map(|target| target.count).sum()
    }

    /// The file of the rejected rows that is fixed and imported again: of the same type as the sheet.
    #[must_use]
    pub fn rejected_file(&self) -> &'static str {
        let is_workbook = self.files.iter().any(|path| path.ends_with(REJECTED_WORKBOOK));
        if is_workbook { REJECTED_WORKBOOK } else { REJECTED_CSV }
    }
}

fn serialize_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// Applies a plan, or what remains of it.
///
/// # Errors
/// Any error that stops it; [`super::resume`] continues the run.
pub async fn apply_plan(
    context: &EngineContext,
    planned: ImportPlan,
) -> Result<ImportReport, ImportHalted> {
    let begun = Instant::now();
    let ended = apply_and_report(context, &planned, begun).await;
    ended.map_err(|error| super::halt_run(context, &planned.run, error))
}

async fn apply_and_report(
    context: &EngineContext,
    planned: &ImportPlan,
    begun: Instant,
) -> Result<ImportReport, ImportError> {
    if planned.run.meta.kind == RunKind::Undo {
        undo::recheck_and_mark_undone(context, planned).await?;
    } else if planned.run.meta.kind == RunKind::Restore {
        restore::recheck(context, planned).await?;
    } else if planned.account_read_at.elapsed() > FRESH
        && let Some(what) = deletion_target(&planned.run)?
    {
        deletion::recheck_records(context, &planned.run, what, ImportStage::Applying).await?;
    }
    planned.run.write_fact(&facts::STAGE, &ImportStage::Applying)?;
    planned.run.set_state(RunState::Running)?;
    context.start_phase(RunPhase::Applying);
    let pushed = push_ops(context, planned).await;
    context.start_phase(RunPhase::Results);
    // The files are written even when the work was stopped: they show how far it got.
    let finished = write_report(context, planned, begun, pushed.as_ref().ok()).await;
    let report = match (pushed, finished) {
        (Ok(_), finished) => finished?,
        (Err(_), Err(bug @ ImportError::Bug(_))) => return Err(bug),
        // The reason for the stop matters more than a file that cannot be written now.
        (Err(error), _) => return Err(error),
    };
    match results::final_state::state_from_counts(report.tally, report.count_not_kept()) {
        RunState::Paused => {
            let reason = "a part of the rows was to be applied, and it is".to_owned();
            planned.run.new_recorder().record_stop(RunState::Paused, reason)?;
        }
        state => planned.run.set_state(state)?,
    }
    Ok(report)
}

async fn push_ops(
    context: &EngineContext,
    planned: &ImportPlan,
) -> Result<push::PushReport, ImportError> {
    let db = planned.run.db_path();
    let facts_of_location = context.home.location_facts(context.client.location_id());
    context.client.attach_location_facts(facts_of_location);
    let policy: ImportPolicy = planned.run.read_fact(&facts::POLICY)?.unwrap_or_default();
    let directory = facts::load_directory(&planned.run)?;
    let marker = policy.marker.as_deref().zip(directory.as_ref());
    let marker = marker.and_then(|(name, directory)| directory.find_field(name).ok());
    let only = match planned.sample {
        Some(sample) => {
            let db = db.clone();
            Some(
                concurrency::run_blocking(move || {
                    sample::choose_sample_rows(&ImportStore::open(&db)?, sample)
                })
                .await?,
            )
        }
        None => None,
    };
    let (ledger, writer) = Ledger::open(&db)?;
    let push = Push {
        client: context.client.clone(),
        ledger: ledger.clone(),
        db,
        observer: context.observer.clone(),
        stop: context.stop.clone(),
        concurrency: context.concurrency,
        settle: context.settle,
        marker: marker.map(|field| field.id.clone()),
        max_errors: planned.max_errors.map(|it| it.limit_for(planned.summary.rows)),
        only,
        tag_batch: TAG_BATCH,
    };
    let work = async {
        let pushed = push.run().await;
        let closed = ledger.close().await;
        (pushed, closed)
    };
    let writing = concurrency::start_thread("ledger", writer)
        .map_err(|source| RunError::NoThread { source })?;
    let ((), (pushed, closed)) = tokio::join!(writing, work);
    // The ledger's own error takes precedence: the push only knows that the ledger accepts no more writes.
    closed?;
    Ok(pushed?)
}

async fn write_report(
    context: &EngineContext,
    planned: &ImportPlan,
    begun: Instant,
    pushed: Option<&push::PushReport>,
) -> Result<ImportReport, ImportError> {
    let (db, out) = (planned.run.db_path(), planned.out.clone());
    let location = planned.run.meta.location.clone();
    let sheet = facts::load_source_sheet(&planned.run)?;
    let rows = planned.summary.rows;
    let duplicates = pushed.map(|pushed| pushed.duplicates.clone()).unwrap_or_default();
    let count = duplicates.len() as u64;
    let directory = facts::load_directory(&planned.run)?;
    let recreated = RecreatedFile::of_run(planned.run.meta.kind);
    let write = ResultWriter { db, location, out, sheet, directory, expected: rows, recreated };
    let work = move || write.write_results(&duplicates);
    let WrittenResults { files, tally, failures, not_kept, custom_fields } =
        concurrency::run_blocking(work).await?;
    let report = ImportReport {
        run: planned.run.meta.run.clone(),
        kind: planned.run.meta.kind,
        location: planned.run.meta.location.clone(),
        out: planned.out.clone(),
        files,
        tally,
        failures,
        not_kept,
        custom_fields,
        duplicates: count,
        requests: context.client.request_counts(),
        refused: context.client.rate_limiter().throttled_count(),
        sampled: planned.sample.is_some() && tally.pending > 0,
        elapsed: begun.elapsed(),
    };
    let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
    run_files::write_atomically(&planned.out.join("summary.json"), text.as_bytes())?;
    Ok(report)
}

/// The result files, and what they contain.
struct WrittenResults {
    files: Vec<PathBuf>,
    tally: RowOutcomeCounts,
    failures: Vec<ProblemSummary>,
    not_kept: Vec<ProblemSummary>,
    custom_fields: Vec<FieldOutcome>,
}

/// What the result files are made from.
struct ResultWriter {
    db: PathBuf,
    location: LocationId,
    out: PathBuf,
    sheet: SourceSheet,
    directory: Option<LocationDirectory>,
    /// How many rows the sheet has.
    expected: u64,
    /// The form of the file with the new ids.
    recreated: RecreatedFile,
}

impl ResultWriter {
    fn write_results(
        &self,
        duplicates: &[push::DuplicatedRow],
    ) -> Result<WrittenResults, ImportError> {
        let (db, out) = (&self.db, &self.out);
        let mut outcomes = RowOutcomes::from_ledger(&LedgerReader::open(db)?)?;
        let rows = ImportStore::open(db)?;
        outcomes.name_conflicting_contacts(&rows, &self.location)?;
        run_files::create_dir_all(out)?;
        let (mut files, tally) = results::write_all(&rows, &outcomes, out, &self.sheet)?;
        if !duplicates.is_empty() {
            let header = ["row", "contact_ids"].map(str::to_owned);
            let mut table = results::AtomicCsvWriter::new(out, "duplicates.csv", &header)?;
            for duplicate in duplicates {
                table.write_record(&[duplicate.row.to_string(), duplicate.ids.join("; ")])?;
            }
            files.push(table.commit()?);
        }
        files.extend(recreated_file::write_csv(&LedgerReader::open(db)?, out, self.recreated)?);
        verify_row_total(tally, self.expected)?;
        let failures = summarize_failures(&rows, &outcomes)?;
        let not_kept = outcomes.not_kept().summarize(&rows, self.directory.as_ref())?;
        let custom_fields = field_outcome::load_field_outcomes(&LedgerReader::open(db)?)?;
        Ok(WrittenResults { files, tally, failures, not_kept, custom_fields })
    }
}

fn summarize_failures(
    rows: &ImportStore,
    outcomes: &RowOutcomes,
) -> Result<Vec<ProblemSummary>, ImportError> {
    let mut failures = ProblemCounter::default();
    for (row, why) in outcomes.failures() {
        let failure = Diagnostic::new(why.code, why.reason.clone()).in_field(why.field.clone());
        failures.add(rows, row, &failure, 1)?;
    }
    Ok(failures.into_summaries())
}

/// Checks that every row is in exactly one result.
fn verify_row_total(tally: RowOutcomeCounts, expected: u64) -> Result<(), ImportError> {
    if tally.total() == expected {
        return Ok(());
    }
    Err(ImportError::Bug(format!(
        "{expected} rows were read, but {} are accounted for: {tally:?}",
        tally.total()
    )))
}

/// Writes the result files of a finished or interrupted run again, to the same or another directory.
///
/// # Errors
/// When the run is not an import, its planning was not finished, or the files cannot be written.
pub fn rewrite_results(
    run: &Run,
    to: Option<PathBuf>,
) -> Result<(ImportReport, PlanSummary), ImportError> {
    let begun = Instant::now();
    let Some(summary): Option<PlanSummary> = run.read_fact(&facts::SUMMARY)? else {
        return Err(ImportError::Request(format!("run `{}` has no plan yet", run.meta.run)));
    };
    let out = match to {
        Some(out) => out,
        None if run.meta.kind == RunKind::Undo => {
            undo::output_dir(run, &undo::stored_request(run)?)
        }
        None if run.meta.kind == RunKind::Restore => {
            restore::output_dir(run, &restore::stored_request(run)?)
        }
        None => output_dir(run, &stored_request(run)?),
    };
    let sheet = facts::load_source_sheet(run)?;
    run_files::create_dir_all(&out)?;
    if current_stage(run)? != ImportStage::Applying {
        let files = results::write_plan_files(
            &ImportStore::open(&run.db_path())?,
            &out,
            &sheet,
            &summary.field_rows(),
        )?;
        let outcomes = RowOutcomes::from_ledger(&LedgerReader::open(&run.db_path())?)?;
        let tally = results::count_outcomes(&ImportStore::open(&run.db_path())?, &outcomes)?;
        let (failures, not_kept, custom_fields) = (Vec::new(), Vec::new(), Vec::new());
        let written = WrittenResults { files, tally, failures, not_kept, custom_fields };
        return Ok((build_report(run, out, written, begun), summary));
    }
    let write = ResultWriter {
        db: run.db_path(),
        location: run.meta.location.clone(),
        out: out.clone(),
        sheet,
        directory: facts::load_directory(run)?,
        expected: summary.rows,
        recreated: RecreatedFile::of_run(run.meta.kind),
    };
    let written = write.write_results(&[])?;
    Ok((build_report(run, out, written, begun), summary))
}

fn build_report(run: &Run, out: PathBuf, written: WrittenResults, begun: Instant) -> ImportReport {
    let WrittenResults { files, tally, failures, not_kept, custom_fields } = written;
    ImportReport {
        run: run.meta.run.clone(),
        kind: run.meta.kind,
        location: run.meta.location.clone(),
        out,
        files,
        tally,
        failures,
        not_kept,
        custom_fields,
        duplicates: 0,
        requests: std::collections::BTreeMap::new(),
        refused: 0,
        sampled: false,
        elapsed: begun.elapsed(),
    }
}
