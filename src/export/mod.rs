//! Export: writes a location into files.
//!
//! An export creates a run. The pull fills its spool, publish follows the pull and writes the
//! tables, and at the end the output directory is replaced in one step. If anything stops it, the
//! run can be resumed; the output directory is not touched until everything is complete.

mod business;
mod contact_list;
mod error;
mod estimate;
mod export_tables;
mod facts;
mod finish;
mod from_snapshot;
mod incremental;
mod known_warnings;
mod request;
mod templates;

use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::concurrency;
use crate::context::{self, EngineContext};
use crate::event::{CancelCause, CancelSignal, ExportReport, RunEvent, RunPhase, SharedObserver};
use crate::id::{LocationId, RunId};
use crate::publish::{self, LockedOutputDir, OutputDir, PublishReport, RunningPull};
use crate::pull::{self, ContactKeyList, NoteMethod, OptionalList, Pull, PullOptions};
use crate::run::{self, Run, RunKind, RunMetadata, RunState, RunStore, Spool, SpoolReader, stream};

use finish::{commit_output, manifest_facts, warn_odd_rows, warn_type_mismatches};
use known_warnings::WarningLog;

pub use contact_list::ContactListFile;
pub use error::{ExportError, ExportHalted};
pub use estimate::{ExportEstimate, estimate_cost};
pub use export_tables::ExportTables;
pub use facts::ExportWarning;
pub use from_snapshot::publish_snapshot;
pub use incremental::{
    IncrementalOptions, MirrorExport, SchemaContract, check_output, describe_change, publish_mirror,
};
pub use known_warnings::{KnownWarnings, stored_warnings};
pub use request::{ChildRequest, ExportFilters, ExportRequest, NoteReading, SinceTime};
pub use templates::TemplateSnapshot;

/// Exports a location. `known` are the warnings of the run before.
///
/// # Errors
/// Whatever stops it; [`resume`] continues the run in the error.
pub async fn export_location(
    context: &EngineContext,
    request: ExportRequest,
    known: Option<KnownWarnings>,
) -> Result<ExportReport, ExportHalted> {
    // Before the first request: an export whose files cannot be written costs no request.
    request.parse_templates()?;
    let id = RunId::new(jiff::Timestamp::now());
    let location = context.client.location_id();
    let output = lock_output(&context.home, &request, &id, location)?;
    let mut request = business::resolve_id(&context.client, request).await?;
    let list = match &mut request.contacts {
        Some(contact_list) => Some(Box::pin(contact_list.read_contacts(&context.client)).await?),
        None => None,
    };
    let meta = RunMetadata {
        run: id,
        location: context.client.location_id().clone(),
        kind: RunKind::Export,
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| ExportError::Request(error.to_string()))?,
    };
    let run = context.home.create_run(meta)?;
    if request.reads_whole_location() {
        let server = pull::server_name(&request.url, request.sandbox);
        run.write_fact(&pull::WHOLE_LOCATION, &server.to_owned())?;
    }
    let warnings = WarningLog::new(context.observer.clone(), known, Vec::new());
    let job = ExportJob::new(context, run, request, warnings);
    ExportJob { list, ..job }.run(output).await
}

/// Resumes an export. `errors_only` requests only the records that could not be read; `replace` replaces
/// whatever is in the output directory; `known` are the warnings of the run before.
///
/// # Errors
/// As [`export_location`].
pub async fn resume(
    context: &EngineContext,
    run: Run,
    errors_only: bool,
    replace: bool,
    known: Option<KnownWarnings>,
) -> Result<ExportReport, ExportHalted> {
    let mut request = stored_request(&run)?;
    request.replace |= replace;
    let list = match &mut request.contacts {
        // Killed before the list was stored.
        Some(contact_list) if !pull::has_stored_list(&SpoolReader::open(&run.db_path())?)? => {
            Some(Box::pin(contact_list.read_contacts(&context.client)).await?)
        }
        _ => None,
    };
    let complete = run.state()?.is_finished();
    let again = errors_only && complete;
    let output = lock_output(&context.home, &request, &run.meta.run, &run.meta.location)?;
    if again {
        run.write_fact(&facts::ERRORS_ONLY, &true)?;
    }
    run.set_state(RunState::Running)?;
    let errors_only = again || run.read_fact(&facts::ERRORS_ONLY)?.unwrap_or(false);
    let earlier = run.read_fact(&facts::WARNINGS)?.unwrap_or_default();
    let warnings = WarningLog::new(context.observer.clone(), known, earlier);
    let job = ExportJob::new(context, run, request, warnings);
    ExportJob { list, resumed: true, errors_only, ..job }.run(output).await
}

/// Locks the output directory, unless it contains something that the export must not replace.
fn lock_output(
    home: &RunStore,
    request: &ExportRequest,
    run: &RunId,
    location: &LocationId,
) -> Result<LockedOutputDir, ExportError> {
    let output = OutputDir::new(&request.out)?.lock_for_run(run, request.file_mode, home)?;
    if !request.replace {
        publish::ensure_replaceable(output.output_path(), run, location, &request.scope())?;
    }
    Ok(output)
}

/// The request that a run was created with.
///
/// # Errors
/// When the run has none.
pub fn stored_request(run: &Run) -> Result<ExportRequest, ExportError> {
    serde_json::from_value(run.meta.options.clone()).map_err(|error| {
        ExportError::Run(run::RunError::Damaged {
            path: run.db_path(),
            why: format!("its options: {error}"),
        })
    })
}

/// Writes the files of a finished run again, in other formats or to another directory, without a
/// request.
///
/// # Errors
/// When the run is not finished, or the files cannot be written.
pub fn republish_files(
    home: &RunStore,
    run: &Run,
    request: &ExportRequest,
    observer: &SharedObserver,
) -> Result<ExportReport, ExportError> {
    let started = Instant::now();
    if !run.state()?.is_finished() {
        let run = &run.meta.run;
        return Err(ExportError::Request(format!(
            "run `{run}` is not finished; finish it with `ghl-bulk resume {}`",
            home.short_ids().shorten(run)
        )));
    }
    let output = lock_output(home, request, &run.meta.run, &run.meta.location)?;
    let facts = manifest_facts(run, request)?;
    let options = request.publish_options(facts.clone(), home)?;
    let published =
        publish::write_export(&run.db_path(), output.staging_dir(), &options, None, observer);
    commit_output(run, facts, output, published, started, 0, observer)
}

/// The execution of one run.
struct ExportJob {
    context: EngineContext,
    run: Run,
    request: ExportRequest,
    /// The selected contacts, if the spool does not contain them yet.
    list: Option<ContactKeyList>,
    resumed: bool,
    errors_only: bool,
    /// What the run warns of; also the observer in the context.
    warnings: Arc<WarningLog>,
    started: Instant,
}

impl ExportJob {
    fn new(
        context: &EngineContext,
        run: Run,
        request: ExportRequest,
        warnings: WarningLog,
    ) -> Self {
        let warnings = Arc::new(warnings);
        Self {
            context: EngineContext { observer: warnings.clone(), ..context.clone() },
            run,
            request,
            list: None,
            resumed: false,
            errors_only: false,
            warnings,
            started: Instant::now(),
        }
    }

    async fn run(self, output: LockedOutputDir) -> Result<ExportReport, ExportHalted> {
        let run = self.run.meta.run.clone();
        self.context.client.rate_limiter().announce_run(&run);
        self.context.observer.observe(&RunEvent::Started {
            run: run.clone(),
            location: self.run.meta.location.clone(),
            kind: RunKind::Export,
            resumed: self.resumed,
        });
        let (recorder, stop) = (self.run.new_recorder(), self.context.stop.clone());
        let (db, warnings) = (self.run.db_path(), Arc::clone(&self.warnings));
        let ended = self.run_to_completion(output).await;
        // Without a record of them, the next run shows its warnings as new: no reason to fail.
        let _ = warnings.store(&recorder);
        ended.map_err(|error| {
            let began = SpoolReader::open(&db).and_then(|spool| spool.last_seq());
            let (state, reason) = state_after_error(&error, &stop, began.is_ok_and(|seq| seq > 0));
            // The error itself matters more than a record of it.
            let _ = recorder.record_stop(state, reason);
            ExportHalted { run: Some((run, state)), error }
        })
    }

    async fn run_to_completion(self, output: LockedOutputDir) -> Result<ExportReport, ExportError> {
        self.context.start_phase(RunPhase::Reading);
        if self.resumed {
            self.report_stored_progress()?;
        }
        let published = match self.pull_and_publish(&output).await {
            Ok(published) => published,
            Err(error) => {
                // Recorded for the manifest; a failure here matters less than the reason of the
                // stop.
                let _ = self.record_request_counts();
                return Err(error);
            }
        };
        self.run.write_fact(&facts::FETCHED_AT, &jiff::Timestamp::now())?;
        self.record_request_counts()?;
        let facts = manifest_facts(&self.run, &self.request)?;
        let refused = self.context.client.rate_limiter().throttled_count();
        let observer = self.context.observer.clone();
        let (run, started) = (self.run, self.started);
        let templates_only = self.request.formats.is_empty();
        let report = concurrency::run_blocking(move || {
            // Without the tables there is no `extra`; the template warnings report what is missing.
            if !templates_only {
                warn_type_mismatches(&published, &observer);
            }
            warn_odd_rows(&published, &observer);
            commit_output(&run, facts, output, Ok(published), started, refused, &observer)
        });
        report.await
    }

    async fn pull_and_publish(
        &self,
        output: &LockedOutputDir,
    ) -> Result<PublishReport, ExportError> {
        let (spool, writer) = Spool::open(&self.run.db_path())?;
        let (pull_ended, ended) = oneshot::channel();
        let live =
            RunningPull { committed: spool.watch_committed(), ended, handle: Handle::current() };
        let (db, staging) = (self.run.db_path(), output.staging_dir().to_owned());
        let facts = manifest_facts(&self.run, &self.request)?;
        let options = self.request.publish_options(facts, &self.context.home)?;
        let observer = self.context.observer.clone();
        let no_thread = |source| run::RunError::NoThread { source };
        let publishing = concurrency::start_thread("publish", move || {
            publish::write_export(&db, &staging, &options, Some(live), &observer)
        });
        let publishing = publishing.map_err(no_thread)?;
        let writing = concurrency::start_thread("spool", writer).map_err(no_thread)?;
        let publishing = async {
            let published = publishing.await;
            if published.is_err() {
                self.context.stop.cancel_with(CancelCause::Failure);
            }
            published
        };
        let pulling = self.pull_into_spool(spool, pull_ended);
        let ((), pull_result, published) = tokio::join!(writing, pulling, publishing);
        match (pull_result, published) {
            (Err(error), Ok(_) | Err(publish::PublishError::Abandoned)) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Ok(()), Ok(published)) => Ok(published),
        }
    }

    async fn pull_into_spool(
        &self,
        spool: Spool,
        pull_ended: oneshot::Sender<()>,
    ) -> Result<(), ExportError> {
        let pull = Pull {
            client: self.context.client.clone(),
            options: self.pull_options()?,
            db: self.run.db_path(),
            writes: spool.writer(),
            observer: self.context.observer.clone(),
            cancel: self.context.stop.clone(),
            location_facts: self.context.home.location_facts(&self.run.meta.location),
            started: tokio::time::Instant::now(),
        };
        let pull_result = async {
            if let Some(list) = &self.list {
                pull.store_contact_list(list).await?;
            }
            Box::pin(pull.run()).await
        };
        let pull_result = pull_result.await;
        // The spool knows what stopped it; the pull knows only that it accepts no more writes.
        let spool_result = spool.close().await;
        spool_result?;
        pull_result?;
        self.context.start_phase(RunPhase::Publishing);
        // If publish has failed, it reports the reason itself.
        let _ = pull_ended.send(());
        Ok(())
    }

    fn pull_options(&self) -> Result<PullOptions, ExportError> {
        let tables = self.request.tables;
        let lists = [
            (tables.businesses, OptionalList::Businesses),
            (self.request.needs_calendar_names()?, OptionalList::CalendarNames),
        ];
        let lists = lists.into_iter().filter_map(|(wanted, list)| wanted.then_some(list));
        Ok(PullOptions {
            filter: self.request.filters.to_api_filter(),
            selected_only: self.request.contacts.is_some(),
            business: self.request.filters.business_id.clone(),
            children: tables.child_kinds(),
            lists: lists.collect(),
            concurrency: self.context.concurrency,
            settle: self.context.settle,
            errors_only: self.errors_only,
            note_method: match self.request.notes_by {
                NoteReading::Auto => NoteMethod::Search,
                NoteReading::Contact => NoteMethod::EachContact,
            },
        })
    }

    /// Shows how far the processes before this one came.
    fn report_stored_progress(&self) -> Result<(), ExportError> {
        let stored = SpoolReader::open(&self.run.db_path())?.stream_progress(stream::CONTACTS)?;
        if stored.rows > 0 {
            self.context.observer.observe(&RunEvent::Progress {
                what: stream::CONTACTS,
                done: stored.rows,
                total: stored.total,
            });
        }
        Ok(())
    }

    fn record_request_counts(&self) -> Result<(), ExportError> {
        let mut requests = self.run.read_fact(&facts::REQUESTS)?.unwrap_or_default();
        for (route, sent) in self.context.client.request_counts() {
            *requests.entry(route).or_default() += sent;
        }
        Ok(self.run.write_fact(&facts::REQUESTS, &requests)?)
    }
}

/// The state of an export that an error stopped, and the reason. `began` is whether it has read anything.
fn state_after_error(error: &ExportError, stop: &CancelSignal, began: bool) -> (RunState, String) {
    match error {
        ExportError::Api(error) => context::state_after_api_error(error, stop, began),
        error => (context::state_after_error(began), error.to_string()),
    }
}
