//! The facts that an import or undo stores in its run.

use super::results::source_sheet::SourceSheet;
use super::{ImportStage, PlanSummary};
use crate::id::RunId;
use crate::model::{ImportPolicy, LocationDirectory, MatchKey};
use crate::plan::DeletedRecordKind;
use crate::run::{LedgerReader, Run, RunError, RunFact, referenced_op};

/// How far it has got.
pub(super) const STAGE: RunFact<ImportStage> = RunFact::new("stage");
/// The names of the location as they were when the plan was made; fields that it creates have references as ids, which
/// [`load_directory`] resolves.
pub(super) const DIRECTORY: RunFact<LocationDirectory> = RunFact::new("directory");
/// The policy that results from the command line and the mapping.
pub(super) const POLICY: RunFact<ImportPolicy> = RunFact::new("policy");
/// SHA-256 of the sheet.
pub(super) const INPUT_DIGEST: RunFact<String> = RunFact::new("input_digest");
/// SHA-256 of the mapping file, if there is one.
pub(super) const MAPPING_DIGEST: RunFact<Option<String>> = RunFact::new("mapping_digest");
/// The sheet's columns.
pub(super) const COLUMNS: RunFact<Vec<String>> = RunFact::new("columns");
/// Whether the sheet is in a workbook; absent in an undo, whose rows go back to no sheet.
pub(super) const IS_WORKBOOK: RunFact<bool> = RunFact::new("is_workbook");
/// What identifies the rows' contacts instead of id, e-mail and phone, if something does.
pub(super) const KEY_FIELD: RunFact<Option<MatchKey>> = RunFact::new("key_field");
/// What the rows delete, if they delete.
pub(super) const DELETES: RunFact<Option<DeletedRecordKind>> = RunFact::new("deletes");
/// How many contacts a restore recreates that were not asked for by their ids yet.
pub(super) const UNCONFIRMED: RunFact<u64> = RunFact::new("unconfirmed");
/// The summary of the plan.
pub(super) const SUMMARY: RunFact<PlanSummary> = RunFact::new("summary");
/// For an import: the undo that reverted it, or began to.
pub(super) const UNDONE_BY: RunFact<RunId> = RunFact::new("undone_by");

/// Stores what the result files must know about the sheet.
pub(super) fn store_source_sheet(run: &Run, sheet: &SourceSheet) -> Result<(), RunError> {
    run.write_fact(&COLUMNS, &sheet.columns)?;
    run.write_fact(&IS_WORKBOOK, &sheet.is_workbook)
}

/// Loads what the result files must know about the sheet.
pub(super) fn load_source_sheet(run: &Run) -> Result<SourceSheet, RunError> {
    Ok(SourceSheet {
        columns: run.read_fact(&COLUMNS)?.unwrap_or_default(),
        is_workbook: run.read_fact(&IS_WORKBOOK)?.unwrap_or(false),
    })
}

/// Loads the names of the location, with the ids of the custom fields that the run has created.
pub(super) fn load_directory(run: &Run) -> Result<Option<LocationDirectory>, RunError> {
    let Some(mut directory) = run.read_fact(&DIRECTORY)? else { return Ok(None) };
    let created =
        directory.fields.iter_mut().filter_map(|field| Some((referenced_op(&field.id)?, field)));
    let mut created = created.peekable();
    if created.peek().is_some() {
        let ledger = LedgerReader::open(&run.db_path())?;
        for (op, field) in created {
            if let Some(id) = ledger.created_record(op)? {
                field.id = id;
            }
        }
    }
    Ok(Some(directory))
}
