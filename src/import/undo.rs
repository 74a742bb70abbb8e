//! Undo: the reversal of an import, as a plan of its own.
//!
//! What the import wrote stands in its ledger with what it replaced. Each write is held against the
//! account as it is now, and taken back only where it still stands; what somebody edited since is left
//! alone and named. The plan is applied, resumed and reported like any other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::decide::record;
use super::judge::{json, kind, rejected};
use super::lanes::Lanes;
use super::live::Fetch;
use super::spill::Spill;
use super::summary::Summary;
use super::undo_row::{self, Undone};
use super::{Account, Error, Halted, KIND, Planned, Stage, TAG_BATCH, UNDO};
use crate::api;
use crate::context::Context;
use crate::flight;
use crate::id::{ContactId, RunId};
use crate::plan::check::Rejection;
use crate::plan::live::Live;
use crate::plan::{Change, Op};
use crate::run::{self, Decision, LedgerReader, Meta, Noted, OpRecord, OpState, Rows, Run};

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
/// When the import is at work, cannot be read, or the account cannot be asked.
pub async fn plan_undo(context: &Context, of: Run, undo: Undo) -> Result<Planned, Halted> {
    let location = of.meta.location.clone();
    let held = context.home.hold(&location)?;
    let id = RunId::new(jiff::Timestamp::now());
    let meta = Meta {
        run: id,
        location,
        kind: UNDO.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&undo).map_err(|error| Error::Bug(error.to_string()))?,
    };
    let run = context.home.create(meta)?;
    make_plan(context, run, of, undo, held, false).await
}

/// Takes up an undo that has no plan yet.
pub(super) async fn replan(
    context: &Context,
    run: Run,
    held: run::Lock,
) -> Result<Planned, Halted> {
    let undo = options(&run)?;
    let of = context.home.open(&undo.of)?;
    make_plan(context, run, of, undo, held, true).await
}

/// What an undo was asked for.
pub(super) fn options(run: &Run) -> Result<Undo, Error> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| Error::Bug(format!("the run's options: {error}")))
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
    let out = undo.out.clone().unwrap_or_else(|| undo.base.join(run.meta.run.segment()));
    let work = Work { context, run: &run, of: &of, undo: &undo, out: out.clone() };
    match work.plan().await {
        Ok(summary) => {
            Ok(Planned { run, summary, out, sample: None, max_errors: None, _location: held })
        }
        Err(error) => Err(Halted { run: Some(id), error }),
    }
}

struct Work<'a> {
    context: &'a Context,
    run: &'a Run,
    of: &'a Run,
    undo: &'a Undo,
    out: PathBuf,
}

impl Work<'_> {
    async fn plan(&self) -> Result<Summary, Error> {
        if self.of.meta.kind != KIND {
            return Err(Error::Request(format!("run `{}` is no import", self.of.meta.run)));
        }
        let columns: Vec<String> = self.of.noted("columns")?.unwrap_or_default();
        self.run.note("columns", &columns)?;
        if let Some(directory) = self.of.noted::<Value>("directory")? {
            self.run.note("directory", &directory)?;
        }
        let (db, of, created) = (self.run.db(), self.of.db(), self.undo.created);
        flight::blocking(move || copy(&db, &of, created)).await?;
        // Only the search shows opportunities, which a deletion would take along.
        let whole = self.undo.created == Created::Delete;
        let fetch = Fetch::new(self.context, self.run.db(), None).whole(whole);
        fetch.all().await?;
        if self.undo.created == Created::Delete {
            self.appointments().await?;
        }
        let (db, of) = (self.run.db(), self.of.db());
        let (undo, out, began) = (self.undo.clone(), self.out.clone(), self.of.meta.created);
        let work = move || decide(&db, &of, &undo, &out, &columns, began);
        let summary = flight::blocking(work).await?;
        self.run.note("summary", &summary)?;
        super::files::write(&self.out.join("summary.json"), json(&summary).as_bytes())?;
        self.run.note("stage", &Stage::Planned)?;
        Ok(summary)
    }

    /// The appointments of contacts that may be deleted.
    async fn appointments(&self) -> Result<(), Error> {
        let db = self.run.db();
        let made = flight::blocking(move || {
            Ok::<_, Error>(Rows::open(&db)?.values(kind::MADE, "", usize::MAX)?)
        });
        for contact in made.await? {
            let Ok(id) = contact.parse::<ContactId>() else { continue };
            let answer = self.context.client.contact_appointments(&id, api::Bounds::PATIENT).await;
            let count = match answer {
                Err(error) if error.kind == api::Kind::Gone => continue,
                answer => answer?.head.rows,
            };
            let db = self.run.db();
            let store = move || {
                let rows = Rows::open(&db)?;
                (0..count).try_for_each(|n| {
                    rows.keep_child(kind::APPOINTMENTS, &contact, &n.to_string(), "{}")
                })
            };
            flight::blocking(store).await?;
        }
        Ok(())
    }
}

/// The ops that an import applied, by row.
fn applied(of: &std::path::Path) -> Result<BTreeMap<u64, Vec<OpRecord>>, Error> {
    let mut rows: BTreeMap<u64, Vec<OpRecord>> = BTreeMap::new();
    LedgerReader::open(of)?.each_op(|op| {
        if matches!(op.state, OpState::Applied | OpState::Differs) {
            rows.entry(op.row).or_default().push(op);
        }
        Ok(())
    })?;
    Ok(rows)
}

/// Copies the rows that did something, and names what must be looked at.
fn copy(db: &std::path::Path, of: &std::path::Path, created: Created) -> Result<(), Error> {
    let (rows, source) = (Rows::open(db)?, Rows::open(of)?);
    rows.clear()?;
    rows.together(|rows| {
        for (n, ops) in applied(of)? {
            let Some(row) = source.row(n)? else { continue };
            rows.add(&row)?;
            let Some(contact) = contact_of(&ops) else { continue };
            rows.name(kind::ID, &contact, n)?;
            let makes =
                ops.iter().any(|op| op.step == 0 && op.made.is_some() && op.contact.is_none());
            if makes && created == Created::Delete {
                [kind::MADE, kind::NOTES, kind::TASKS]
                    .iter()
                    .try_for_each(|kind| rows.name(kind, &contact, n))?;
            }
            for op in &ops {
                match undo_row::op(op)?.change {
                    Change::CreateNote { .. } | Change::UpdateNote { .. } => {
                        rows.name(kind::NOTES, &contact, n)?;
                    }
                    Change::CreateTask { .. }
                    | Change::UpdateTask { .. }
                    | Change::CompleteTask { .. } => rows.name(kind::TASKS, &contact, n)?,
                    _ => {}
                }
            }
        }
        Ok(())
    })
}

/// The contact that a row's ops are about.
fn contact_of(ops: &[OpRecord]) -> Option<String> {
    let made = ops.iter().find(|op| op.step == 0 && op.contact.is_none());
    let made = made.and_then(|op| op.made.clone());
    made.or_else(|| ops.iter().find_map(|op| op.contact.clone()))
}

fn decide(
    db: &std::path::Path,
    of: &std::path::Path,
    undo: &Undo,
    out: &std::path::Path,
    columns: &[String],
    began: jiff::Timestamp,
) -> Result<Summary, Error> {
    let rows = Rows::open(db)?;
    let dir = db.parent().unwrap_or(std::path::Path::new("."));
    let (mut lanes, mut spill) = (Lanes::default(), Spill::new(dir)?);
    rows.together(|rows| {
        for (n, ops) in applied(of)? {
            let contact = contact_of(&ops);
            let live = live(rows, contact.as_deref())?;
            let undone =
                undo_row::undo(rows, &ops, contact.as_deref(), live.as_ref(), undo, began)?;
            keep(rows, n, contact.as_deref(), &undone)?;
            lanes.join(n, [("id", contact.as_deref())]);
            for (step, undone) in undone.steps.into_iter().enumerate() {
                let op = Op {
                    id: 0,
                    key: key(undo, n, step),
                    row: n,
                    step: u32::try_from(step).unwrap_or(u32::MAX),
                    lane: 0,
                    class: undone.class,
                    contact: contact.as_deref().and_then(|id| id.parse().ok()),
                    change: undone.change,
                    before: undone.before,
                };
                spill.push(&record(&op, spill.next()))?;
            }
        }
        Ok::<(), Error>(())
    })?;
    let summary = Summary::count(&rows, spill.ops()?, Vec::new(), TAG_BATCH)?;
    spill.store(db, &mut lanes)?;
    super::files::make(out)?;
    super::results::write_plan(&rows, out, columns)?;
    Ok(summary)
}

fn key(undo: &Undo, row: u64, step: usize) -> String {
    let hash = Sha256::digest(format!("undo {} {row} {step}", undo.of).as_bytes());
    super::files::hexadecimal(&hash[..16])
}

fn live(rows: &Rows, contact: Option<&str>) -> Result<Option<Live>, Error> {
    let Some(contact) = contact else { return Ok(None) };
    let Some((body, _)) = rows.kept(contact)? else { return Ok(None) };
    serde_json::from_str(&body).map(Some).map_err(|error| Error::Bug(format!("a contact: {error}")))
}

fn keep(rows: &Rows, n: u64, contact: Option<&str>, undone: &Undone) -> Result<(), Error> {
    if !undone.conflicts.is_empty() {
        let fields = undone.conflicts.join(", ");
        let message = "edited since the import, and left alone".to_owned();
        if undone.steps.is_empty() {
            let rejection = Rejection { code: "R_CONFLICT", field: fields, column: None, message };
            return Ok(rows.decide(n, &rejected(&rejection))?);
        }
        rows.warn(&Noted { n, code: "W_EDITED_SINCE".to_owned(), field: fields, message })?;
    }
    let action = if undone.steps.is_empty() { "unchanged" } else { undone.action };
    let decision = Decision {
        action: action.to_owned(),
        contact: contact.map(str::to_owned),
        changes: (!undone.changes.is_empty()).then(|| json(&undone.changes)),
        reason: undone.reason.map(str::to_owned),
        ..Decision::default()
    };
    Ok(rows.decide(n, &decision)?)
}
