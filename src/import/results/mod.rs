//! The result files: each row of the sheet in exactly one of them.
//!
//! All are a function of the run's store: rows, decisions and the ledger. They are written to temporary
//! names, synced and renamed, so that none is ever half there, and can be made again at will. Cells that
//! a spreadsheet would run are guarded, reversibly.

pub(super) mod recreated_file;
pub(super) mod resolve;
pub(super) mod row_outcome;
pub(super) mod status;

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use csv::Writer;
use tempfile::NamedTempFile;

use super::Error;
use super::results::row_outcome::{Fate, Fates};
use crate::failpoint::{self, Point};
use crate::plan::diff::FieldChange;
use crate::run::{Decision, Judged, Noted, Rows};
use crate::table::{CsvSafe, guard};

/// Rows written together.
const LOT: usize = 1_000;

/// The names of all files that an import writes.
pub(super) const FILES: [&str; 10] = [
    "plan.csv",
    "succeeded.csv",
    "unchanged.csv",
    "rejected.csv",
    "in_doubt.csv",
    "pending.csv",
    "warnings.csv",
    "duplicates.csv",
    super::results::recreated_file::FILE,
    "summary.json",
];

/// Columns of ours, which are ignored when a result file is fed back.
pub(super) const OWN: [&str; 9] = [
    "_contact_id",
    "_action",
    "_reason",
    "_reject_line",
    "_reject_code",
    "_reject_field",
    "_reject_reason",
    "_doubt_op",
    "_doubt_decision",
];

/// How many rows ended how. Together they are all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tally {
    /// Applied, or merged into a row that was.
    pub succeeded: u64,
    /// Nothing was to be done.
    pub unchanged: u64,
    /// Rejected by the check, the plan, the server or a conflict.
    pub rejected: u64,
    /// A person must decide.
    pub in_doubt: u64,
    /// Not done yet.
    pub pending: u64,
}

impl Tally {
    /// All rows counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.succeeded + self.unchanged + self.rejected + self.in_doubt + self.pending
    }
}

/// Writes the files of a plan: `plan.csv`, `rejected.csv`, `warnings.csv`.
pub(super) fn write_plan(
    rows: &Rows,
    out: &Path,
    columns: &[String],
) -> Result<Vec<PathBuf>, Error> {
    let fates = Fates::none();
    let mut files = vec![plan(rows, out)?, warnings(rows, &fates, out)?];
    let (rejected, _) = outcomes(rows, &fates, out, columns, &["rejected.csv"])?;
    files.extend(rejected);
    Ok(files)
}

/// Writes all result files; counts.
pub(super) fn write(
    rows: &Rows,
    fates: &Fates,
    out: &Path,
    columns: &[String],
) -> Result<(Vec<PathBuf>, Tally), Error> {
    let mut files = vec![warnings(rows, fates, out)?];
    failpoint::reach(Point::DuringResults);
    let all = ["succeeded.csv", "unchanged.csv", "rejected.csv", "in_doubt.csv", "pending.csv"];
    let (written, tally) = outcomes(rows, fates, out, columns, &all)?;
    files.extend(written);
    Ok((files, tally))
}

/// Counts without writing.
pub(super) fn tally(rows: &Rows, fates: &Fates) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    each(rows, |row, decision| {
        let (_, count) = place(&mut tally, fates, decision, row.n);
        *count += 1;
        Ok(())
    })?;
    Ok(tally)
}

/// Looks at every row with its decision.
fn each(
    rows: &Rows,
    mut look: impl FnMut(&Judged, &Decision) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let lot = rows.rows(after, LOT)?;
        let Some(last) = lot.last() else { return Ok(()) };
        let decisions: HashMap<u64, Decision> = rows.decisions(after, LOT)?.into_iter().collect();
        after = last.n;
        let undecided =
            Decision { action: super::action::PENDING.to_owned(), ..Decision::default() };
        for row in &lot {
            look(row, decisions.get(&row.n).unwrap_or(&undecided))?;
        }
    }
}

/// The file that a row belongs into, and the count it belongs to.
fn place<'t>(
    tally: &'t mut Tally,
    fates: &Fates,
    decision: &Decision,
    n: u64,
) -> (&'static str, &'t mut u64) {
    use super::action;
    let fate = match decision.action.as_str() {
        action::REJECTED => Fate::Rejected,
        action::PENDING => Fate::Pending,
        action::MERGED => fates.of(leader(decision)),
        _ => fates.of(n),
    };
    match fate {
        Fate::Nothing => ("unchanged.csv", &mut tally.unchanged),
        Fate::Succeeded => ("succeeded.csv", &mut tally.succeeded),
        Fate::Rejected => ("rejected.csv", &mut tally.rejected),
        Fate::InDoubt => ("in_doubt.csv", &mut tally.in_doubt),
        Fate::Pending => ("pending.csv", &mut tally.pending),
    }
}

/// The row that a merged one was merged into: `merged into record 12 (line 14)`.
fn leader(decision: &Decision) -> u64 {
    let reason = decision.reason.as_deref().unwrap_or_default();
    let mut numbers = reason.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    numbers.next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn outcomes(
    rows: &Rows,
    fates: &Fates,
    out: &Path,
    columns: &[String],
    wanted: &[&'static str],
) -> Result<(Vec<PathBuf>, Tally), Error> {
    let source: Vec<bool> = columns.iter().map(|name| !OWN.contains(&name.as_str())).collect();
    let longest = rows.widest()?.max(columns.len());
    let mut files = Vec::new();
    for name in wanted {
        let mut header: Vec<String> = own(columns, &source);
        if *name == "rejected.csv" {
            header.extend(
                (columns.len()..longest).map(|i| format!("_extra_{}", i - columns.len() + 1)),
            );
        }
        header.extend(added(name).iter().map(|name| (*name).to_owned()));
        files.push((*name, Table::new(out, name, &header)?));
    }
    let mut tally = Tally::default();
    each(rows, |row, decision| {
        let (file, count) = place(&mut tally, fates, decision, row.n);
        *count += 1;
        let Some((name, table)) = files.iter_mut().find(|(name, _)| *name == file) else {
            return Ok(());
        };
        let all = cells(row)?;
        let mut record = own(&all, &source);
        if *name == "rejected.csv" {
            record
                .extend((columns.len()..longest).map(|i| all.get(i).cloned().unwrap_or_default()));
        }
        record.extend(additions(name, row, decision, fates).into_iter().map(harmless));
        table.record(&record)
    })?;
    let paths = files.into_iter().map(|(_, table)| table.close()).collect::<Result<_, _>>()?;
    Ok((paths, tally))
}

/// The cells of the source's own columns.
fn own(cells: &[String], source: &[bool]) -> Vec<String> {
    source
        .iter()
        .enumerate()
        .filter(|(_, own)| **own)
        .map(|(i, _)| cells.get(i).cloned().unwrap_or_default())
        .collect()
}

fn cells(row: &Judged) -> Result<Vec<String>, Error> {
    serde_json::from_str(&row.cells)
        .map_err(|error| Error::Bug(format!("the cells of row {}: {error}", row.n)))
}

/// The columns that a file has beside the source's.
fn added(name: &str) -> &'static [&'static str] {
    match name {
        "succeeded.csv" => &["_contact_id", "_action"],
        "unchanged.csv" => &["_contact_id", "_action", "_reason"],
        "rejected.csv" => &["_reject_line", "_reject_code", "_reject_field", "_reject_reason"],
        "in_doubt.csv" => {
            &["_doubt_line", "_doubt_op", "_doubt_what", "_doubt_sent", "_doubt_decision"]
        }
        _ => &[],
    }
}

fn additions(name: &str, row: &Judged, decision: &Decision, fates: &Fates) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let line = row.line.to_string();
    match name {
        "succeeded.csv" | "unchanged.csv" => {
            let made = fates.made(row.n).map(str::to_owned);
            let contact = made.unwrap_or_else(|| text(&decision.contact));
            let mut cells = vec![contact, decision.action.clone()];
            let said = || fates.why(row.n).map(|why| why.reason.clone()).unwrap_or_default();
            let reason = || decision.reason.clone().unwrap_or_else(said);
            cells.extend((name == "unchanged.csv").then(reason));
            cells
        }
        "rejected.csv" => match fates.why(row.n) {
            Some(why) => vec![line, why.code.clone(), why.field.clone(), why.reason.clone()],
            None => vec![line, text(&decision.code), text(&decision.field), text(&decision.reason)],
        },
        "in_doubt.csv" => {
            let why = fates.why(row.n).cloned().unwrap_or_default();
            vec![line, why.op.to_string(), why.reason, why.sent, String::new()]
        }
        _ => Vec::new(),
    }
}

/// What we say ourselves, with what a terminal would obey made visible. The sheet's own cells stay as they
/// are: they are to be fed back. A line break stays one, in either spelling.
fn harmless(text: String) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let acts = |c: char| turns(c) || c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(acts) {
        return text;
    }
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_line = c == '\r' && rest.peek() == Some(&'\n');
        if acts(c) && !ends_line { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}

fn plan(rows: &Rows, out: &Path) -> Result<PathBuf, Error> {
    let header = ["row", "line", "action", "contact_id", "field", "old", "new"].map(str::to_owned);
    let mut table = Table::new(out, "plan.csv", &header)?;
    each(rows, |row, decision| {
        let (n, line) = (row.n.to_string(), row.line.to_string());
        let contact = decision.contact.clone().unwrap_or_default();
        let mut record = |field: &str, old: &str, new: &str| {
            let cells = [&n, &line, &decision.action, &contact, field, old, new];
            table.record(&cells.map(|cell| harmless(cell.to_owned())))
        };
        let changes = decision.changes.as_deref().map(serde_json::from_str::<Vec<FieldChange>>);
        match changes {
            Some(Ok(changes)) if !changes.is_empty() => {
                changes.iter().try_for_each(|it| record(&it.field, &it.old, &it.new))
            }
            _ => {
                let code = decision.code.as_deref().unwrap_or_default();
                record(code, "", decision.reason.as_deref().unwrap_or_default())
            }
        }
    })?;
    table.close()
}

/// What the plan had to say, and what the answers did.
fn warnings(rows: &Rows, fates: &Fates, out: &Path) -> Result<PathBuf, Error> {
    let header = ["row", "line", "field", "code", "message"].map(str::to_owned);
    let mut table = Table::new(out, "warnings.csv", &header)?;
    let last = rows.last()?;
    for from in (0..=last).step_by(LOT) {
        let lot = rows.warnings(from, from + LOT as u64)?;
        for warning in lot {
            write_warning(rows, &mut table, warning)?;
        }
    }
    for warning in fates.differing().cloned() {
        write_warning(rows, &mut table, warning)?;
    }
    table.close()
}

fn write_warning(rows: &Rows, table: &mut Table, warning: Noted) -> Result<(), Error> {
    let line = match warning.n {
        0 => String::new(),
        n => rows.row(n)?.map(|row| row.line.to_string()).unwrap_or_default(),
    };
    let n = if warning.n == 0 { String::new() } else { warning.n.to_string() };
    table.record(&[n, line, warning.field, warning.code, warning.message].map(harmless))
}

/// A CSV file that appears under its name when it is complete.
pub(super) struct Table {
    path: PathBuf,
    writer: Writer<BufWriter<NamedTempFile>>,
}

impl Table {
    pub(super) fn new(out: &Path, name: &str, header: &[String]) -> Result<Self, Error> {
        let path = out.join(name);
        let fail = |source| Error::File { path: path.clone(), source };
        let file = NamedTempFile::with_prefix_in(".ghl-bulk-", out).map_err(fail)?;
        let mut table = Self { path, writer: Writer::from_writer(BufWriter::new(file)) };
        table.record(header)?;
        Ok(table)
    }

    pub(super) fn record(&mut self, cells: &[String]) -> Result<(), Error> {
        let mut guarded = cells.iter().map(|cell| guard(cell, CsvSafe::Formulas));
        let written = guarded
            .try_for_each(|cell| self.writer.write_field(cell.as_bytes()))
            .and_then(|()| self.writer.write_record(None::<&[u8]>));
        written.map_err(|error| Error::File { path: self.path.clone(), source: error.into() })
    }

    pub(super) fn close(self) -> Result<PathBuf, Error> {
        let path = self.path;
        let fail = |source| Error::File { path: path.clone(), source };
        let file = self.writer.into_inner().map_err(|error| fail(error.into_error()))?;
        let file = file.into_inner().map_err(|error| fail(error.into_error()))?;
        file.as_file().sync_all().map_err(fail)?;
        file.persist(&path).map_err(|error| fail(error.error))?;
        // The name is as durable as its directory.
        if let Some(dir) = path.parent() {
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)?;
        }
        Ok(path)
    }
}
