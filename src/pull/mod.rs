//! The pull: reads a whole location from the API into the run's spool.
//!
//! Pages of contacts are committed with the cursor after them, child responses with the position
//! after those, so a killed pull resumes after the last commit. Page n+1 is requested while the
//! children of page n are read. A child that cannot be read is set aside and retried once at the
//! end; if that fails, too, it is recorded in the spool as a failure and never fails the run. The
//! pull knows nothing about tables or files.

mod appointments;
mod broken_records;
mod business_contacts;
mod businesses;
pub mod changes;
mod children;
mod committed_page;
mod contacts;
mod contacts_and_children;
mod filter_check;
mod foreign_contacts;
mod gaps;
mod metadata;
mod missing_lists;
mod missing_tasks;
mod notes;
mod retry_failed;
mod selected;
mod tasks;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::{
    self, ApiClient, ApiEndpoint, ApiErrorKind, ContactSearchFilter, HaltReason, MissingRows,
};
use crate::concurrency::ConcurrencyLimits;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::event::{CancelSignal, RunEvent, RunWarning, SharedObserver};
use crate::run::{
    self, FetchFailure, LocationFacts, RunFact, SpoolReader, SpoolWrite, StreamProgress,
};

pub use children::ChildKind;
pub use notes::{
    FEW_CONTACTS, FRESH_MS, NoteCost, NoteStrategyCosts, SpooledNotes, estimate_note_cost,
    find_spooled_notes,
};
pub use selected::{
    ContactKey, ContactKeyList, SelectionCost, UnclearContactKey, estimate_cost, find_contacts,
    has_stored_list, infer_contact_key, looks_like_contact_id, parse_email_key, parse_id_key,
    parse_phone_key, search_contacts_by_id, trim_key_text,
};

/// Of a run that reads a whole location with tasks and notes: its server, as [`server_name`] has it.
pub const WHOLE_LOCATION: RunFact<String> = RunFact::new("whole_location");

/// What tells servers apart: the URL of the API, or that it is the simulator in this program.
#[must_use]
pub fn server_name(url: &str, is_embedded_sandbox: bool) -> &str {
    if is_embedded_sandbox { "sandbox" } else { url }
}

/// What to pull.
#[derive(Debug, Clone)]
pub struct PullOptions {
    /// Selects the contacts.
    pub filter: ContactSearchFilter,
    /// Whether only the contacts listed with [`Pull::store_contact_list`] are pulled.
    pub selected_only: bool,
    /// The contacts of this business, for a server whose search has no business filter.
    pub business: Option<crate::id::BusinessId>,
    /// Which child records are pulled, too.
    pub children: BTreeSet<ChildKind>,
    /// Which lists of the location are pulled in addition to those of every export.
    pub lists: BTreeSet<OptionalList>,
    /// Most requests in flight.
    pub concurrency: NonZeroUsize,
    /// How long a record may be hidden from the search while it exists (api.md §2.10: up to 34 s).
    pub settle: Duration,
    /// Whether only records that could not be read before are requested.
    pub errors_only: bool,
    /// How notes may be read.
    pub note_method: NoteMethod,
}

/// How notes may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteMethod {
    /// Contact by contact.
    EachContact,
    /// By search where that is proven, and contact by contact where it is not.
    Search,
    /// By search; where they take a request for each of many contacts, the caller reads them.
    SearchOrLeave,
}

/// A list of the location that is pulled only when it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OptionalList {
    /// The businesses.
    Businesses,
    /// The calendars, for their names, where appointments are read contact by contact. Otherwise the calendars are read
    /// with their events anyway.
    CalendarNames,
}

/// Why a pull ended early.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The API failed.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// What was stored cannot be read.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The mirror that the location is compared with cannot be read.
    #[error(transparent)]
    Mirror(#[from] crate::mirror::MirrorError),
    /// The spool accepts no more writes; its writer knows the reason.
    #[error("nothing can be stored")]
    Store,
}

impl PullError {
    /// The rate limiter's reason, if it ended the pull.
    #[must_use]
    pub fn halt_reason(&self) -> Option<HaltReason> {
        match self {
            Self::Api(api::ApiError { kind: ApiErrorKind::Halted(halt), .. }) => Some(*halt),
            _ => None,
        }
    }
}

impl PullOptions {
    /// Whether all contacts are pulled.
    fn covers_all_contacts(&self) -> bool {
        self.filter.is_empty() && !self.selected_only
    }
}

/// What all stages of a pull share.
#[derive(Clone)]
pub struct Pull {
    /// The API client.
    pub client: ApiClient,
    /// What to pull.
    pub options: PullOptions,
    /// The spool's database, for reading.
    pub db: PathBuf,
    /// The spool, for writing.
    pub writes: mpsc::Sender<SpoolWrite>,
    /// Receives events.
    pub observer: SharedObserver,
    /// Signals cancellation.
    pub cancel: CancelSignal,
    /// What earlier runs learnt about the location.
    pub location_facts: LocationFacts,
    /// When this process began to pull.
    pub started: Instant,
}

/// Responses that a pull buffers behind a slow one. At 100 requests per 10 s this outlasts a
/// stalled connection; a notes response has about 1 KB.
const WINDOW: usize = 1024;

impl Pull {
    /// Pulls everything that is not in the spool yet.
    ///
    /// # Errors
    /// When the run cannot continue now; everything stored is kept, and another call resumes from
    /// it.
    pub async fn run(self) -> Result<(), PullError> {
        self.client.attach_location_facts(self.location_facts.clone());
        let result = Box::pin(self.pull_all()).await;
        if let Err(PullError::Api(error)) = &result
            && matches!(error.kind, ApiErrorKind::EndpointFailing(_))
        {
            self.mark_failures_of_endpoint(error.route).await?;
        }
        result
    }

    async fn pull_all(&self) -> Result<(), PullError> {
        if !self.options.errors_only {
            Box::pin(self.pull_metadata()).await?;
            self.choose_note_strategy().await?;
            let children = self.children_read_per_contact().await?;
            let sampler = self.create_note_sampler().await?;
            // Each runs to its own end: the first to stop must not drop what the others have in
            // flight.
            let searched = (!children.contains(&ChildKind::Notes)
                && self.includes_child(ChildKind::Notes))
            .then_some(&sampler);
            let (contacts, tasks, events, businesses, notes) = tokio::join!(
                self.pull_contacts_and_children(&children, searched),
                self.pull_location_tasks(),
                self.pull_calendar_events(),
                self.pull_businesses(),
                self.pull_location_notes(&sampler),
            );
            contacts.and(tasks).and(events).and(businesses).and(notes)?;
            if !self.options.selected_only {
                self.fill_gaps(&self.children_of_late_contacts().await?).await?;
                self.check_filter().await?;
            }
            self.pull_tasks_of_contacts().await?;
            Box::pin(self.finish_notes(&sampler)).await?;
        } else if self.options.selected_only {
            Box::pin(self.retry_selected_contacts()).await?;
        } else if self.had_hidden_contacts()? {
            self.fill_gaps(&self.children_of_late_contacts().await?).await?;
        }
        self.warn_of_foreign_contacts().await?;
        self.retry_failed_records().await
    }

    /// Which kinds of children are read contact by contact.
    async fn children_read_per_contact(&self) -> Result<Vec<ChildKind>, PullError> {
        let mut children = Vec::new();
        if self.includes_child(ChildKind::Notes) && self.reads_notes_per_contact()? {
            children.push(ChildKind::Notes);
        }
        if self.includes_child(ChildKind::Tasks) && self.decide_tasks_per_contact().await? {
            children.push(ChildKind::Tasks);
        }
        if self.includes_child(ChildKind::Appointments) && self.reads_appointments_per_contact() {
            children.push(ChildKind::Appointments);
        }
        Ok(children)
    }

    /// Which kinds of children are read one by one for a contact that is found after the walk.
    async fn children_of_late_contacts(&self) -> Result<Vec<ChildKind>, PullError> {
        let mut children = self.children_read_per_contact().await?;
        if self.includes_child(ChildKind::Notes) && !children.contains(&ChildKind::Notes) {
            children.push(ChildKind::Notes);
        }
        Ok(children)
    }

    fn includes_child(&self, child: ChildKind) -> bool {
        self.options.children.contains(&child)
    }

    fn request_concurrency(&self) -> ConcurrencyLimits {
        let workers = self.options.concurrency;
        let buffer = NonZeroUsize::new(WINDOW).expect("a constant").max(workers);
        ConcurrencyLimits { workers, buffer }
    }

    /// For responses that may be large: few of them are in memory at a time.
    fn low_memory_concurrency(&self) -> ConcurrencyLimits {
        let few = NonZeroUsize::new(4).expect("a constant").min(self.options.concurrency);
        ConcurrencyLimits { workers: few, buffer: few }
    }

    fn open_reader(&self) -> Result<SpoolReader, PullError> {
        Ok(SpoolReader::open(&self.db)?)
    }

    fn stream_progress(&self, stream: &str) -> Result<StreamProgress, PullError> {
        Ok(self.open_reader()?.stream_progress(stream)?)
    }

    async fn write_to_spool(&self, write: SpoolWrite) -> Result<(), PullError> {
        self.writes.send(write).await.map_err(|_| PullError::Store)
    }

    fn report_progress(&self, what: &'static str, done: u64, total: Option<u64>) {
        self.observer.observe(&RunEvent::Progress { what, done, total });
    }

    fn report_warning(&self, code: EventWarningCode, message: String) {
        self.report_warning_about(code, None::<&str>, message);
    }

    /// Reports a warning about something that has a name.
    fn report_warning_about<S: ToString>(
        &self,
        code: EventWarningCode,
        subjects: impl IntoIterator<Item = S>,
        message: String,
    ) {
        let subjects = subjects.into_iter().map(|subject| subject.to_string());
        let warning = RunWarning::new(code, message).about(subjects);
        self.observer.observe(&RunEvent::Warning(warning));
    }

    /// Records that a list lacks rows, by what the response itself says.
    async fn record_missing_rows(
        &self,
        stream: &str,
        subject: &str,
        missing: Option<MissingRows>,
    ) -> Result<(), PullError> {
        let Some(missing) = missing else { return Ok(()) };
        let failure = FetchFailure {
            stream: stream.to_owned(),
            subject: subject.to_owned(),
            code: FetchFailureCode::Incomplete,
            message: missing.to_string(),
            status: None,
            trace_id: None,
            transient: false,
            records: missing.count(),
        };
        self.write_to_spool(SpoolWrite::Failed(failure)).await
    }

    /// Records a failure to read one record, unless it must end the whole run.
    async fn record_failure(
        &self,
        stream: &str,
        subject: &str,
        error: api::ApiError,
    ) -> Result<(), PullError> {
        if error.is_fatal() {
            return Err(error.into());
        }
        self.write_to_spool(SpoolWrite::Failed(failure_from_api_error(stream, subject, &error)))
            .await
    }
}

fn failure_from_api_error(stream: &str, subject: &str, error: &api::ApiError) -> FetchFailure {
    let code = match error.kind {
        ApiErrorKind::Gone => FetchFailureCode::Gone,
        ApiErrorKind::Scope => FetchFailureCode::Scope,
        ApiErrorKind::TooLarge => FetchFailureCode::TooLarge,
        ApiErrorKind::Exhausted | ApiErrorKind::Unreachable | ApiErrorKind::Untrusted => {
            FetchFailureCode::NoAnswer
        }
        ApiErrorKind::Refused
        | ApiErrorKind::Token
        | ApiErrorKind::TokenSource
        | ApiErrorKind::Location
        | ApiErrorKind::EndpointFailing(_)
        | ApiErrorKind::Halted(_) => FetchFailureCode::Refused,
    };
    FetchFailure {
        stream: stream.to_owned(),
        subject: subject.to_owned(),
        code,
        message: error.to_string(),
        status: error.status,
        trace_id: error.trace_id.clone(),
        transient: matches!(error.kind, ApiErrorKind::Exhausted | ApiErrorKind::Unreachable),
        records: 1,
    }
}

/// The warning for a missing scope.
fn missing_scope_message(route: ApiEndpoint) -> String {
    format!("the token lacks the scope `{}`", route.required_scope())
}
