//! Resolves names of users and businesses, and counts the unresolved ones.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::RowValidator;
use super::field_rule::FieldRule;
use super::row_context::RowContext;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::directory::{NameIndex, NameLookupError};
use crate::model::{LocationDirectory, MappingTarget};
use crate::sheet::SheetColumn;

/// The maximum number of distinct names stored: a wrong column may contain as many as the sheet has rows.
const KEPT: usize = 1_000;

/// A name that the location does not have, or has more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnresolvedName {
    /// The column's index; `None` for a constant of the mapping.
    pub column: Option<usize>,
    /// The column's header, or the target.
    pub field: String,
    /// The name.
    pub value: String,
    /// Similar names, the closest first.
    pub candidates: Vec<String>,
    /// The number of rows with this name.
    pub rows: u64,
    /// What is wrong. May contain untrusted text.
    pub message: String,
}

/// The location's users and businesses, and the names that do not match any of them.
#[derive(Debug)]
pub(super) struct NameResolver {
    users: NameIndex,
    user_ids: Vec<String>,
    businesses: NameIndex,
    business_ids: Vec<String>,
    unknown: Mutex<UnresolvedByName>,
}

/// By target, column and name.
type UnresolvedByName = HashMap<(MappingTarget, Option<usize>, String), UnresolvedCount>;

#[derive(Debug)]
struct UnresolvedCount {
    error: NameLookupError,
    rows: u64,
}

impl NameResolver {
    pub(super) fn new(directory: LocationDirectory) -> Self {
        Self {
            users: NameIndex::from_users(&directory.users),
            user_ids: directory.users.into_iter().map(|user| user.id).collect(),
            businesses: NameIndex::from_businesses(&directory.businesses),
            business_ids: directory.businesses.into_iter().map(|business| business.id).collect(),
            unknown: Mutex::default(),
        }
    }

    /// The unresolved names by column, the most frequent first.
    pub(super) fn list_unresolved(&self, columns: &[SheetColumn]) -> Vec<UnresolvedName> {
        let header = |column: Option<usize>, target: &MappingTarget| match column
            .and_then(|it| columns.get(it))
        {
            Some(column) if !column.name.is_empty() => column.name.clone(),
            _ => target.to_string(),
        };
        let mut all: Vec<UnresolvedName> = self
            .lock_unresolved()
            .iter()
            .map(|((target, column, value), missed)| UnresolvedName {
                column: *column,
                field: header(*column, target),
                value: value.clone(),
                candidates: missed.error.candidates.clone(),
                rows: missed.rows,
                message: missed.error.message.clone(),
            })
            .collect();
        all.sort_by(|one, other| {
            (one.column, other.rows, &one.value).cmp(&(other.column, one.rows, &other.value))
        });
        all
    }

    fn lock_unresolved(&self) -> MutexGuard<'_, UnresolvedByName> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an unresolved name; similar names are searched only once.
    fn count_unresolved(
        &self,
        book: &NameIndex,
        several: &[usize],
        (step, column): (&FieldRule, Option<usize>),
        text: &str,
    ) -> NameLookupError {
        let mut missed = self.lock_unresolved();
        let name = (step.target.clone(), column, text.to_owned());
        if let Some(known) = missed.get_mut(&name) {
            known.rows += 1;
            return known.error.clone();
        }
        if missed.len() >= KEPT {
            return book.lookup_error_without_hints(text, several);
        }
        let error = book.lookup_error(text, several);
        missed.insert(name, UnresolvedCount { error: error.clone(), rows: 1 });
        error
    }
}

impl RowValidator {
    /// Resolves a text to the id of a user.
    pub(super) fn resolve_user_id(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        text: &str,
        work: &RowContext<'_>,
    ) -> Result<String, Diagnostic> {
        let codes = [DiagnosticCode::R_OWNER_UNKNOWN, DiagnosticCode::R_OWNER_AMBIGUOUS];
        let index = self.resolve_name(&self.names.users, codes, step, column, text, work)?;
        Ok(self.names.user_ids[index].clone())
    }

    /// Resolves a text to the id of a business.
    pub(super) fn resolve_business_id(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        text: &str,
        work: &RowContext<'_>,
    ) -> Result<String, Diagnostic> {
        let codes = [DiagnosticCode::R_BUSINESS_UNKNOWN, DiagnosticCode::R_BUSINESS_AMBIGUOUS];
        let index = self.resolve_name(&self.names.businesses, codes, step, column, text, work)?;
        Ok(self.names.business_ids[index].clone())
    }

    fn resolve_name(
        &self,
        book: &NameIndex,
        [unknown, ambiguous]: [DiagnosticCode; 2],
        step: &FieldRule,
        column: Option<usize>,
        text: &str,
        work: &RowContext<'_>,
    ) -> Result<usize, Diagnostic> {
        book.find_unique(text).map_err(|several| {
            // A row that is rejected anyway needs no name, so it does not refuse the sheet.
            let error = if work.is_rejected() {
                book.lookup_error_without_hints(text, several)
            } else {
                self.names.count_unresolved(book, several, (step, column), text)
            };
            let code = if error.ambiguous { ambiguous } else { unknown };
            work.rejection_for_rule(code, step, column, error.message)
        })
    }
}
