//! Planning: from a surveyed sheet to ops in the run's store.

pub(super) mod decide;
pub(super) mod fetch_remote;
pub(super) mod location_ops;
pub(super) mod merge_rows;
pub(super) mod op_buffer;
pub(super) mod ordering_groups;
pub(super) mod prior_runs;
pub(super) mod refetch_contacts;
mod shared_values;
pub(super) mod summary;
pub(super) mod task_owners;
pub(super) mod validate_rows;

use std::cell::RefCell;
use std::path::PathBuf;

use self::location_ops::push_field_ops;
use self::op_buffer::OpBuffer;
use self::ordering_groups::OrderingGroups;
use self::summary::{DeletionSummary, PlanSummary};
use super::request::ImportRequest;
use super::results::source_sheet::SourceSheet;
use super::source::load_directory::LocationResponses;
use super::source::new_fields::directory_with_new_fields;
use super::source::{ImportSource, ResolvedSource};
use super::{
    ImportError, TAG_BATCH, deletion, facts, mark_planned, output_dir, results, run_files,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::{RunEvent, RunPhase};
use crate::model::{
    LocationDirectory, MappingTarget, MatchKey, NoIdentityRule, NotePart, TaskPart,
};
use crate::plan::DeletedRecordKind;
use crate::plan::diff::RowPlanner;
use crate::run::{ImportStore, Run};

/// Targets of columns whose cells name users.
const NAME_USERS: [MappingTarget; 3] = [
    MappingTarget::Owner,
    MappingTarget::Note(NotePart::User),
    MappingTarget::Task(TaskPart::AssignedTo),
];

/// Makes the plan of one run.
pub(super) struct PlanningJob<'a> {
    pub(super) context: &'a EngineContext,
    pub(super) run: &'a Run,
    pub(super) request: &'a ImportRequest,
}

impl PlanningJob<'_> {
    /// Validates the rows, reads the account and decides.
    pub(super) async fn run(&self, input: ImportSource) -> Result<PlanSummary, ImportError> {
        self.context.start_phase(RunPhase::Reading);
        let client = &self.context.client;
        let responses = LocationResponses::fetch(client).await?;
        let understood = input.resolve_mapping(self.request, &responses.directory(client)?)?;
        let (users, businesses) =
            (understood.writes_to(&NAME_USERS), understood.writes_to(&[MappingTarget::Business]));
        let directory = responses.fetch_names(client, users, businesses).await?;
        let planned = directory_with_new_fields(&directory, &understood.new_fields);
        self.run.write_fact(&facts::DIRECTORY, &planned)?;
        self.run.write_fact(&facts::POLICY, &understood.policy)?;
        self.run.write_fact(&facts::INPUT_DIGEST, &input.sheet.digest)?;
        self.run.write_fact(&facts::MAPPING_DIGEST, &input.mapping_digest)?;
        facts::store_source_sheet(self.run, &SourceSheet::from_sheet(&input.sheet))?;
        validate_rows::check_text_fields(&understood.policy, &directory)?;
        let key = validate_rows::resolve_match_key(&understood.policy.key, &directory)?;
        self.run.write_fact(&facts::KEY_FIELD, &key)?;
        // No contact has a value of a new field, so it serves neither as a key nor as a marker.
        let directory = planned;
        self.run.write_fact(&facts::DELETES, &understood.removes)?;
        let removes = understood.removes;
        self.context.start_phase(RunPhase::Validating);
        let (input, understood, found) = self.validate_rows(input, understood, &directory).await?;
        if !found.opt_outs_left_out.is_empty() {
            return Err(ImportError::Undecided { columns: found.opt_outs_left_out });
        }
        if found.has_unexcused_names() {
            return Err(ImportError::UnknownNames(found.unknown));
        }
        if found.has_unexcused_options() {
            return Err(ImportError::UnknownOptions(found.unknown_options));
        }
        self.context.start_phase(RunPhase::Comparing);
        let owners =
            task_owners::TaskOwnerSearch { client: &self.context.client, db: self.run.db_path() };
        owners.find_owners().await?;
        if removes.is_none() {
            owners.name_owners().await?;
        }
        let fetch = fetch_remote::RemoteFetcher::new(self.context, self.run.db_path(), key.clone());
        fetch.for_deletion(removes.is_some()).fetch_all().await?;
        if let Some(what) = removes {
            self.save_before_images(what, &input, &understood, &directory, key.clone()).await?;
        }
        self.context.start_phase(RunPhase::Planning);
        let summary = self.decide_rows(input, understood, directory, key, found).await?;
        mark_planned(self.run, self.request.consent.covers(summary.deletions()))?;
        Ok(summary)
    }

    async fn validate_rows(
        &self,
        input: ImportSource,
        understood: ResolvedSource,
        directory: &LocationDirectory,
    ) -> Result<(ImportSource, ResolvedSource, validate_rows::SheetValidation), ImportError> {
        let (db, directory) = (self.run.db_path(), directory.clone());
        let observer = self.context.observer.clone();
        let work = move || {
            let rows = ImportStore::open(&db)?;
            rows.clear()?;
            let found = rows.in_transaction(|rows| {
                for warning in &understood.warnings {
                    rows.insert_warning(0, warning)?;
                }
                let found =
                    validate_rows::validate_rows(&input, &understood, &directory, rows, &observer)?;
                if !found.children_only && understood.removes.is_none() {
                    let policy = &understood.policy;
                    let key = validate_rows::resolve_match_key(&policy.key, &directory)?;
                    shared_values::drop_shared_values(rows, policy, key.as_ref())?;
                }
                Ok::<_, ImportError>(found)
            })?;
            Ok((input, understood, found))
        };
        concurrency::run_blocking(work).await
    }

    /// Reads complete copies of what is to be deleted.
    async fn save_before_images(
        &self,
        what: DeletedRecordKind,
        input: &ImportSource,
        understood: &ResolvedSource,
        directory: &LocationDirectory,
        key: Option<MatchKey>,
    ) -> Result<(), ImportError> {
        let images =
            deletion::BeforeImageFetcher { context: self.context, db: self.run.db_path(), what };
        let (db, directory) = (self.run.db_path(), directory.clone());
        let (policy, input_digest) = (understood.policy.clone(), input.sheet.digest.clone());
        let work = move || {
            let rows = ImportStore::open(&db)?;
            let decide = decide::RowDecider {
                rows: &rows,
                directory: &directory,
                planner: RowPlanner::new(&policy, &directory),
                policy: &policy,
                key,
                input_digest,
                children_only: what != DeletedRecordKind::Contacts,
                removes: Some(what),
                prior: prior_runs::PriorRuns::default(),
                excused: RefCell::default(),
            };
            decide.mark_contacts_to_read(what)
        };
        concurrency::run_blocking(work).await?;
        images.fetch_images().await
    }

    async fn decide_rows(
        &self,
        input: ImportSource,
        understood: ResolvedSource,
        directory: LocationDirectory,
        key: Option<MatchKey>,
        found: validate_rows::SheetValidation,
    ) -> Result<PlanSummary, ImportError> {
        let (db, out) = (self.run.db_path(), output_dir(self.run, self.request));
        let observer = self.context.observer.clone();
        let (home, dir) = (self.context.home.clone(), self.run.dir().to_owned());
        let meta = self.run.meta.clone();
        let sheet = SourceSheet::from_sheet(&input.sheet);
        let work = move || {
            let rows = ImportStore::open(&db)?;
            let decide = decide::RowDecider {
                rows: &rows,
                directory: &directory,
                planner: RowPlanner::new(&understood.policy, &directory),
                policy: &understood.policy,
                key,
                input_digest: input.sheet.digest.clone(),
                children_only: found.children_only,
                removes: understood.removes,
                prior: prior_runs::PriorRuns::load_ledgers(&home, &meta.location, &meta.run)?,
                excused: RefCell::default(),
            };
            for warning in decide.prior.unreadable_warnings() {
                rows.insert_warning(0, &warning)?;
            }
            let (mut groups, mut ops) = (OrderingGroups::default(), OpBuffer::new(&dir)?);
            // First, because other ops refer to them by number.
            push_field_ops(&understood.new_fields, &mut ops)?;
            let total = Some(rows.row_count()?);
            decide.decide_rows(&mut groups, &mut ops, &|done| {
                observer.observe(&RunEvent::Progress { what: "rows", done, total });
            })?;
            decide.refuse_unknown_cells(found.unknown, found.unknown_options)?;
            let mut summary = PlanSummary::from_rows_and_ops(
                &rows,
                ops.read_ops()?,
                understood.shown,
                TAG_BATCH,
            )?;
            summary.left_out = understood.left_out;
            summary.new_fields = understood.new_fields;
            if let Some(what) = understood.removes {
                summary.removal = Some(DeletionSummary::from_ops(what, ops.read_ops()?)?);
            }
            if summary.once > 0 && understood.policy.no_identity == NoIdentityRule::Stop {
                return Err(ImportError::Identityless(summary.once));
            }
            ops.store_in_ledger(&db, &mut groups)?;
            run_files::create_dir_all(&out)?;
            results::write_plan_files(&rows, &out, &sheet, &summary.field_rows())?;
            Ok(summary)
        };
        let summary: PlanSummary = concurrency::run_blocking(work).await?;
        self.run.write_fact(&facts::SUMMARY, &summary)?;
        let path = self.output_path("summary.json");
        let text = serde_json::to_string_pretty(&summary).expect("a summary is JSON");
        run_files::write_atomically(&path, text.as_bytes())?;
        Ok(summary)
    }

    fn output_path(&self, name: &str) -> PathBuf {
        output_dir(self.run, self.request).join(name)
    }
}
