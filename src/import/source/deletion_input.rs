//! Interprets a file that deletes: what it deletes, and which columns identify it.
//!
//! The other columns have no effect: they are neither read nor validated, but reported.

use super::left_out::list_left_out;
use super::{
    ImportSource, ResolvedSource, abbreviate_names, column_count_phrase, column_mappings,
    column_names,
};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::mapping::propose::{MappingProposal, ProposalStatus};
use crate::mapping::{Mapping, OnMissing};
use crate::model::{Field, ImportPolicy, LocationDirectory, MappingTarget, NotePart, TaskPart};
use crate::plan::DeletedRecordKind;

/// Settles what needs no decision: the columns that a deletion does not read.
pub(super) fn ignore_unread_columns(proposal: &mut MappingProposal) {
    let open = proposal.columns.iter().filter(|guess| {
        let best = guess.candidates.first().map(|candidate| &candidate.target);
        matches!(guess.status, ProposalStatus::Proposed | ProposalStatus::Rivals(_))
            && !best.is_some_and(may_identify_record)
    });
    let open: Vec<String> = open.map(|guess| format!("[{}]", guess.column.letters)).collect();
    proposal.mark_settled(&[], &open);
}

impl ImportSource {
    /// What the rows delete, and how they identify it.
    pub(super) fn resolve_deletion(
        &self,
        mapping: Mapping,
        policy: ImportPolicy,
        directory: &LocationDirectory,
    ) -> Result<ResolvedSource, ImportError> {
        let (name, columns) = (mapping.name.clone(), &self.sheet.columns);
        let wrong = |problems| self.mapping_error(&name, problems);
        // Custom fields are no evidence for the kind of a file, and the location may lack them.
        let mut kinds = mapping.clone();
        kinds.missing = OnMissing::Skip;
        kinds.constants.clear();
        kinds.rules.retain(|rule| {
            rule.named_by.is_none()
                && !matches!(rule.to, MappingTarget::Custom(_) | MappingTarget::Undecided)
        });
        let whole = kinds.bind_to_location(columns, directory).map_err(wrong)?;
        let removes = DeletedRecordKind::from_mapping(&whole).map_err(ImportError::Request)?;
        let mut keys = mapping;
        keys.constants.clear();
        keys.rules.retain(|rule| removes.reads_target(&rule.to, &policy, directory));
        let mut plan = keys.bind_to_location(columns, directory).map_err(wrong)?;
        if plan.bound.is_empty() {
            let message = "no column contains contact ids, e-mail addresses or phone numbers; \
             set one with `--map COLUMN=contactId`";
            return Err(ImportError::Request(message.to_owned()));
        }
        let left_out = list_left_out(&plan, columns);
        let ignored = column_names(columns, &std::mem::take(&mut plan.unmapped));
        let mut warnings = self.sheet_warnings();
        if !ignored.is_empty() {
            let message = format!(
                "{} ignored: {}",
                column_count_phrase(&ignored),
                abbreviate_names(&ignored)
            );
            warnings.push(Diagnostic::new(DiagnosticCode::W_IGNORED_COLUMNS, message));
        }
        let shown = column_mappings(&plan, columns);
        Ok(ResolvedSource {
            name,
            plan,
            policy,
            warnings,
            shown,
            left_out,
            removes: Some(removes),
            new_fields: Vec::new(),
        })
    }
}

/// Whether a deletion may read a column with this target.
fn may_identify_record(target: &MappingTarget) -> bool {
    matches!(
        target,
        MappingTarget::ContactId
            | MappingTarget::Field(Field::Email | Field::Phone)
            | MappingTarget::Note(NotePart::Id)
            | MappingTarget::Task(TaskPart::Id)
    )
}
