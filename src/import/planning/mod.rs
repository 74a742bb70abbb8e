//! Planning: from a sheet that was looked over to ops in the run's store.

pub(super) mod decide;
pub(super) mod fetch_remote;
pub(super) mod merge_rows;
pub(super) mod op_buffer;
pub(super) mod ordering;
pub(super) mod prior_runs;
pub(super) mod summary;
pub(super) mod validate_rows;

use std::cell::RefCell;
use std::path::PathBuf;

use super::planning::op_buffer::Spill;
use super::planning::ordering::Lanes;
use super::planning::summary::{Removal, Summary};
use super::request::Request;
use super::source::load_directory;
use super::source::{Input, Understood};
use super::{Error, Stage, TAG_BATCH, deletion, out, results, run_files};
use crate::concurrency;
use crate::context::Context;
use crate::model::{Directory, IdentitylessRule, NotePart, Target, TaskPart};
use crate::plan::Removed;
use crate::plan::diff::Planner;
use crate::run::{self, Rows, Run};

/// What a column may be for whose cells name users.
const NAME_USERS: [Target; 3] =
    [Target::Owner, Target::Note(NotePart::User), Target::Task(TaskPart::AssignedTo)];

/// A plan in the making.
pub(super) struct Planning<'a> {
    pub(super) context: &'a Context,
    pub(super) run: &'a Run,
    pub(super) request: &'a Request,
}

impl Planning<'_> {
    /// Judges, looks at the account, decides.
    pub(super) async fn plan(&self, input: Input) -> Result<Summary, Error> {
        let directory = self.directory(&input).await?;
        let understood = input.understand(self.request, &directory)?;
        self.run.note("directory", &directory)?;
        self.run.note("policy", &understood.policy)?;
        self.run.note("input_digest", &input.sheet.digest)?;
        self.run.note("mapping_digest", &input.mapping_digest)?;
        let columns: Vec<_> = input.sheet.columns.iter().map(|it| it.name.clone()).collect();
        self.run.note("columns", &columns)?;
        validate_rows::check_marker(understood.policy.marker.as_deref(), &directory)?;
        let key = validate_rows::custom_key(&understood.policy.key, &directory)?;
        self.run.note("key", &key)?;
        self.run.note("removes", &understood.removes)?;
        let removes = understood.removes;
        let (input, understood, found) = self.judge(input, understood, &directory).await?;
        if found.is_hopeless() {
            return Err(Error::UnknownNames(found.unknown));
        }
        let fetch = fetch_remote::Fetch::new(self.context, self.run.db(), key.clone());
        fetch.removes(removes.is_some()).all().await?;
        if let Some(what) = removes {
            self.keep_what_goes(what, &input, &understood, &directory, key.clone()).await?;
        }
        let summary = self.decide(input, understood, directory, key, found).await?;
        self.run.note("stage", &Stage::Planned)?;
        Ok(summary)
    }

    /// The location's names, as far as the mapping may need them.
    async fn directory(&self, input: &Input) -> Result<Directory, Error> {
        let users = input.may_name(&NAME_USERS);
        let businesses = input.may_name(&[Target::Business]);
        load_directory::directory(&self.context.client, users, businesses).await
    }

    async fn judge(
        &self,
        input: Input,
        understood: Understood,
        directory: &Directory,
    ) -> Result<(Input, Understood, validate_rows::Found), Error> {
        let (db, directory) = (self.run.db(), directory.clone());
        let watcher = self.context.watcher.clone();
        let work = move || {
            let rows = Rows::open(&db)?;
            rows.clear()?;
            let found = rows.together(|rows| {
                for (code, message) in &understood.warnings {
                    let (code, message) = (code.clone(), message.clone());
                    rows.warn(&run::Noted { n: 0, code, field: String::new(), message })?;
                }
                validate_rows::judge(&input, &understood, &directory, rows, &watcher)
            })?;
            Ok((input, understood, found))
        };
        concurrency::blocking(work).await
    }

    /// Reads whole what is to be deleted.
    async fn keep_what_goes(
        &self,
        what: Removed,
        input: &Input,
        understood: &Understood,
        directory: &Directory,
        key: Option<String>,
    ) -> Result<(), Error> {
        let images = deletion::Images { context: self.context, db: self.run.db(), what };
        images.owners_of_tasks().await?;
        let (db, directory) = (self.run.db(), directory.clone());
        let (policy, input_digest) = (understood.policy.clone(), input.sheet.digest.clone());
        let work = move || {
            let rows = Rows::open(&db)?;
            let decide = decide::Decide {
                rows: &rows,
                directory: &directory,
                planner: Planner::new(&policy, &directory),
                policy: &policy,
                key,
                input_digest,
                children_only: what != Removed::Contacts,
                removes: Some(what),
                earlier: prior_runs::Earlier::default(),
                excused: RefCell::default(),
            };
            decide.name_who_goes(what)
        };
        concurrency::blocking(work).await?;
        images.keep().await
    }

    async fn decide(
        &self,
        input: Input,
        understood: Understood,
        directory: Directory,
        key: Option<String>,
        found: validate_rows::Found,
    ) -> Result<Summary, Error> {
        let (db, out) = (self.run.db(), out(self.run, self.request));
        let (home, dir) = (self.context.home.clone(), self.run.dir().to_owned());
        let meta = self.run.meta.clone();
        let columns: Vec<_> = input.sheet.columns.iter().map(|it| it.name.clone()).collect();
        let work = move || {
            let rows = Rows::open(&db)?;
            let decide = decide::Decide {
                rows: &rows,
                directory: &directory,
                planner: Planner::new(&understood.policy, &directory),
                policy: &understood.policy,
                key,
                input_digest: input.sheet.digest.clone(),
                children_only: found.children_only,
                removes: understood.removes,
                earlier: prior_runs::Earlier::read(&home, &meta.location, &meta.run)?,
                excused: RefCell::default(),
            };
            let (mut lanes, mut ops) = (Lanes::default(), Spill::new(&dir)?);
            decide.run(&mut lanes, &mut ops)?;
            let unknown = decide.still_unknown(found.unknown);
            if !unknown.is_empty() {
                return Err(Error::UnknownNames(unknown));
            }
            let mut summary = Summary::count(&rows, ops.ops()?, understood.shown, TAG_BATCH)?;
            if let Some(what) = understood.removes {
                summary.removal = Some(Removal::count(what, ops.ops()?)?);
            }
            if summary.once > 0 && understood.policy.no_identity == IdentitylessRule::Stop {
                return Err(Error::Identityless(summary.once));
            }
            ops.store(&db, &mut lanes)?;
            run_files::make(&out)?;
            results::write_plan(&rows, &out, &columns)?;
            Ok(summary)
        };
        let summary: Summary = concurrency::blocking(work).await?;
        self.run.note("summary", &summary)?;
        let path = self.out_file("summary.json");
        let text = serde_json::to_string_pretty(&summary).expect("a summary is JSON");
        run_files::write(&path, text.as_bytes())?;
        Ok(summary)
    }

    fn out_file(&self, name: &str) -> PathBuf {
        out(self.run, self.request).join(name)
    }
}
