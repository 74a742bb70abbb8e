//! Undo: the reversal of an import, as a plan of its own.
//!
//! What the import wrote stands in its ledger with what it replaced. Each write is held against the
//! account as it is now, and taken back only where it still stands; what somebody edited since is left
//! alone and named. The plan is applied, resumed and reported like any other. Before it is applied later
//! than it was made, the account is looked at once more: what has been edited in between stays.

mod applied_ops;
mod fetch_current;
mod plan_rows;
mod recheck;
mod recreate_deleted;
mod revert_row;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::recreate_deleted::Done;
use self::revert_row::Undone;
use super::planning::summary::Summary;
use super::planning::validate_rows::{json, kind};
use super::source::load_directory;
use super::{Account, Error, FRESH, Halted, Planned, Stage, UNDO, removes, run_files};
use crate::concurrency;
use crate::context::Context;
use crate::event::Event;
use crate::id::RunId;
use crate::model::{Directory, Policy};
use crate::run::{self, LedgerReader, Meta, OpRecord, OpState, Rows, Run, State};

/// What is to be taken back, and how. Stored in the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The import.
    pub of: RunId,
    /// What becomes of contacts that it made.
    pub created: Created,
    /// The tag that they get.
    pub tag: String,
    /// The directory of the result files, absolute; nothing for one named by the run in `base`.
    pub out: Option<PathBuf>,
    /// The directory in which unnamed result directories are made, absolute.
    pub base: PathBuf,
    /// The account.
    pub account: Account,
}

/// What becomes of contacts that an import made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Created {
    /// They get a tag.
    Tag,
    /// They are deleted, if nothing was changed or attached since; else they get the tag.
    Delete,
    /// They stay as they are.
    Keep,
}

/// Plans an undo; sends nothing that changes anything.
///
/// # Errors
/// [`Error::Unsettled`] when nobody knows yet what became of some of the import's requests; else when it
/// is at work, cannot be read, or the account cannot be asked.
pub async fn plan_undo(context: &Context, of: Run, undo: Undo) -> Result<Planned, Halted> {
    let location = of.meta.location.clone();
    let held = context.home.hold(&location)?;
    let meta = Meta {
        run: RunId::new(jiff::Timestamp::now()),
        location,
        kind: UNDO.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&undo).map_err(|error| Error::Bug(error.to_string()))?,
    };
    let run = context.home.create(meta)?;
    make_plan(context, run, of, undo, held, false).await
}

/// Takes up an undo where it stands.
pub(super) async fn resume(
    context: &Context,
    run: Run,
    stage: Stage,
    held: run::Lock,
) -> Result<Planned, Halted> {
    let undo = options(&run)?;
    if stage == Stage::Planning {
        let of = context.home.open(&undo.of)?;
        return make_plan(context, run, of, undo, held, true).await;
    }
    context.watcher.observe(&super::started(&run, true));
    let id = run.meta.run.clone();
    let halted = |error: Error| Halted { run: Some(id), error };
    let summary = match recheck::run(context, &run, &undo, stage).await {
        Ok(()) => super::noted_summary(&run),
        Err(error) => Err(error),
    };
    let summary = summary.map_err(halted)?;
    Ok(planned(run, &undo, summary, held))
}

/// What an undo was asked for.
pub(super) fn options(run: &Run) -> Result<Undo, Error> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| Error::Bug(format!("the run's options: {error}")))
}

/// The directory of an undo's files.
pub(super) fn out(run: &Run, undo: &Undo) -> PathBuf {
    undo.out.clone().unwrap_or_else(|| undo.base.join(run.meta.run.segment()))
}

fn planned(run: Run, undo: &Undo, summary: Summary, held: run::Lock) -> Planned {
    Planned {
        out: out(&run, undo),
        sample: None,
        max_errors: None,
        looked: Instant::now(),
        run,
        summary,
        _location: held,
    }
}

async fn make_plan(
    context: &Context,
    run: Run,
    of: Run,
    undo: Undo,
    held: run::Lock,
    resumed: bool,
) -> Result<Planned, Halted> {
    context.watcher.observe(&super::started(&run, resumed));
    let id = run.meta.run.clone();
    let work = Work { context, run: &run, of: &of, undo: &undo };
    match work.plan().await {
        Ok(summary) => Ok(planned(run, &undo, summary, held)),
        Err(error) => Err(super::refused_or_halted(context, run, &id, error)),
    }
}

/// An undo about to be applied: a plan that somebody has looked at for long is held against the account
/// once more, and the import is told that it was taken back.
pub(super) async fn begin(context: &Context, planned: &Planned) -> Result<(), Error> {
    let undo = options(&planned.run)?;
    if planned.looked.elapsed() > FRESH {
        recheck::run(context, &planned.run, &undo, Stage::Applying).await?;
    }
    if !planned.summary.changes() {
        return Ok(());
    }
    match context.home.open(&undo.of) {
        Ok(of) => {
            of.note(UNDONE_BY, &planned.run.meta.run)?;
            // Its rest must not be applied by a `resume` that takes the latest unfinished run.
            if of.state()? == State::Unfinished {
                of.set_state(State::Partial)?;
            }
            Ok(())
        }
        Err(error) if error.kind() == run::Kind::Missing => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Where an import keeps the name of the run that took it back.
pub(super) const UNDONE_BY: &str = "undone_by";

/// The undo that took an import back, or began to.
///
/// # Errors
/// When the run cannot be read.
pub fn undone_by(run: &Run) -> Result<Option<RunId>, Error> {
    Ok(run.noted(UNDONE_BY)?)
}

struct Work<'a> {
    context: &'a Context,
    run: &'a Run,
    of: &'a Run,
    undo: &'a Undo,
}

impl Work<'_> {
    async fn plan(&self) -> Result<Summary, Error> {
        self.say_what_is_open().await?;
        let columns: Vec<String> = self.of.noted("columns")?.unwrap_or_default();
        self.run.note("columns", &columns)?;
        if removes(self.of)?.is_some() {
            // What is made anew must fit the location as it is now.
            let directory = load_directory::directory(&self.context.client, true, true).await?;
            self.run.note("directory", &directory)?;
        } else if let Some(directory) = self.of.noted::<Value>("directory")? {
            self.run.note("directory", &directory)?;
        }
        let (db, of, created) = (self.run.db(), self.of.db(), self.undo.created);
        concurrency::blocking(move || applied_ops::copy(&db, &of, created)).await?;
        self.look().look().await?;
        let (db, out, taking) = (self.run.db(), out(self.run, self.undo), self.taking()?);
        let path = out.join("summary.json");
        let work = move || plan_rows::decide(&db, &taking, &out, &columns);
        let summary = concurrency::blocking(work).await?;
        self.run.note("summary", &summary)?;
        run_files::write(&path, json(&summary).as_bytes())?;
        self.run.note("stage", &Stage::Planned)?;
        Ok(summary)
    }

    /// What the import has not done, or nobody knows about, is not taken back.
    async fn say_what_is_open(&self) -> Result<(), Error> {
        let db = self.of.db();
        let counts = concurrency::blocking(move || LedgerReader::open(&db)?.counts()).await?;
        let count = |state| counts.get(&state).copied().unwrap_or(0);
        let id = &self.of.meta.run;
        if count(OpState::Sent) > 0 {
            return Err(Error::Unsettled { run: id.clone(), ops: count(OpState::Sent) });
        }
        let say = |code, message| self.context.watcher.observe(&Event::Warning { code, message });
        match count(OpState::Pending) {
            0 => {}
            ops => say(
                "undo_pending",
                format!("never sent, and so not taken back: {} of run `{id}`", writes(ops)),
            ),
        }
        match count(OpState::InDoubt) {
            0 => {}
            ops => say(
                "undo_in_doubt",
                format!(
                    "nobody knows what became of {} of run `{id}`; they are left alone. When you have \
                     told it by `ghl-bulk runs resolve {id} in_doubt.csv`, undo it once more",
                    writes(ops)
                ),
            ),
        }
        Ok(())
    }

    fn look(&self) -> fetch_current::Look<'_> {
        fetch_current::Look { context: self.context, run: self.run, of: self.of, undo: self.undo }
    }

    fn taking(&self) -> Result<Taking, Error> {
        Taking::of(self.context, self.run, self.of, self.undo)
    }
}

/// What is needed to say what becomes of each row.
struct Taking {
    /// The import's database.
    of: PathBuf,
    undo: Undo,
    /// When the import began.
    began: jiff::Timestamp,
    directory: Option<Directory>,
    /// The import's policy, and what earlier undos of it have made anew, where it deleted.
    policy: Policy,
    done: Done,
}

impl Taking {
    fn of(context: &Context, run: &Run, of: &Run, undo: &Undo) -> Result<Self, Error> {
        let done = match removes(of)? {
            Some(_) => Done::read(&context.home, &of.meta, &run.meta.run)?,
            None => Done::default(),
        };
        Ok(Self {
            policy: of.noted("policy")?.unwrap_or_default(),
            done,
            of: of.db(),
            undo: undo.clone(),
            began: of.meta.created,
            directory: run.noted("directory")?,
        })
    }

    /// Says what becomes of every row that the import applied something of, in order.
    fn each(
        &self,
        rows: &Rows,
        mut take: impl FnMut(u64, Option<&str>, Undone) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let applied = applied_ops::Applied::open(&self.of)?;
        let shared: HashMap<String, Vec<u64>> = rows.repeated(kind::ID)?.into_iter().collect();
        applied.each(|row, ops| {
            let contact = applied_ops::contact_of(&ops);
            let mut undone = self.row(rows, row.n, &ops, contact.as_deref())?;
            let siblings = contact.as_ref().and_then(|contact| shared.get(contact));
            for n in siblings.into_iter().flatten().filter(|n| **n != row.n) {
                if undone.conflicts.is_empty() {
                    break;
                }
                let ops = applied.of_row(*n)?;
                undone.leave_to(&self.row(rows, *n, &ops, contact.as_deref())?);
            }
            take(row.n, contact.as_deref(), undone)
        })
    }

    fn row(
        &self,
        rows: &Rows,
        n: u64,
        records: &[OpRecord],
        contact: Option<&str>,
    ) -> Result<Undone, Error> {
        let live = applied_ops::live(rows, contact)?;
        let case = revert_row::Case {
            rows,
            n,
            records,
            contact,
            live: live.as_ref(),
            undo: &self.undo,
            began: self.began,
            directory: self.directory.as_ref(),
            policy: &self.policy,
            done: &self.done,
        };
        case.undone()
    }
}

fn writes(count: u64) -> String {
    if count == 1 { "1 write".to_owned() } else { format!("{count} writes") }
}
