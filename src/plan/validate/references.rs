//! Names of users and businesses: looked up, and counted where nothing is called so.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::Checker;
use super::field_rule::Step;
use super::outcome::Rejection;
use super::row_context::Work;
use crate::model::directory::{Book, NameError};
use crate::model::{Directory, Target};
use crate::sheet::Column;

/// How many different names are kept per checker: a wrong column may hold as many as the sheet has rows.
const KEPT: usize = 1_000;

/// A name that the location does not have, or has more than once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The column's index; nothing for a constant of the mapping.
    pub column: Option<usize>,
    /// The column's header, or the target.
    pub field: String,
    /// The name.
    pub value: String,
    /// What may have been meant, the nearest first.
    pub candidates: Vec<String>,
    /// How many rows have it.
    pub rows: u64,
    /// What is wrong. May hold text from outside.
    pub message: String,
}

/// The location's users and businesses, and the names that are none of theirs.
#[derive(Debug)]
pub(super) struct Names {
    users: Book,
    user_ids: Vec<String>,
    businesses: Book,
    business_ids: Vec<String>,
    unknown: Mutex<Unknowns>,
}

/// By target, column and name.
type Unknowns = HashMap<(Target, Option<usize>, String), Missed>;

#[derive(Debug)]
struct Missed {
    error: NameError,
    rows: u64,
}

impl Names {
    pub(super) fn new(directory: Directory) -> Self {
        Self {
            users: Book::users(&directory.users),
            user_ids: directory.users.into_iter().map(|user| user.id).collect(),
            businesses: Book::businesses(&directory.businesses),
            business_ids: directory.businesses.into_iter().map(|business| business.id).collect(),
            unknown: Mutex::default(),
        }
    }

    /// What was looked up in vain, by column, what most rows have first.
    pub(super) fn unknown(&self, columns: &[Column]) -> Vec<Unknown> {
        let header =
            |column: Option<usize>, target: &Target| match column.and_then(|it| columns.get(it)) {
                Some(column) if !column.name.is_empty() => column.name.clone(),
                _ => target.to_string(),
            };
        let mut all: Vec<Unknown> = self
            .missed()
            .iter()
            .map(|((target, column, value), missed)| Unknown {
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

    fn missed(&self) -> MutexGuard<'_, Unknowns> {
        self.unknown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a name that stands for nobody; the search for near ones is made once.
    fn miss(
        &self,
        book: &Book,
        several: &[usize],
        (step, column): (&Step, Option<usize>),
        text: &str,
    ) -> NameError {
        let mut missed = self.missed();
        let name = (step.target.clone(), column, text.to_owned());
        if let Some(known) = missed.get_mut(&name) {
            known.rows += 1;
            return known.error.clone();
        }
        if missed.len() >= KEPT {
            return book.briefly(text, several);
        }
        let error = book.why(text, several);
        missed.insert(name, Missed { error: error.clone(), rows: 1 });
        error
    }
}

impl Checker {
    /// The id of the user that a text names.
    pub(super) fn user(
        &self,
        step: &Step,
        column: Option<usize>,
        text: &str,
        work: &Work<'_>,
    ) -> Result<String, Rejection> {
        let codes = ["R_OWNER_UNKNOWN", "R_OWNER_AMBIGUOUS"];
        let index = self.named(&self.names.users, codes, step, column, text, work)?;
        Ok(self.names.user_ids[index].clone())
    }

    /// The id of the business that a text names.
    pub(super) fn business(
        &self,
        step: &Step,
        column: Option<usize>,
        text: &str,
        work: &Work<'_>,
    ) -> Result<String, Rejection> {
        let codes = ["R_BUSINESS_UNKNOWN", "R_BUSINESS_AMBIGUOUS"];
        let index = self.named(&self.names.businesses, codes, step, column, text, work)?;
        Ok(self.names.business_ids[index].clone())
    }

    fn named(
        &self,
        book: &Book,
        [unknown, ambiguous]: [&'static str; 2],
        step: &Step,
        column: Option<usize>,
        text: &str,
        work: &Work<'_>,
    ) -> Result<usize, Rejection> {
        book.place(text).map_err(|several| {
            let error = self.names.miss(book, several, (step, column), text);
            let code = if error.ambiguous { ambiguous } else { unknown };
            work.reject(code, step, column, error.message)
        })
    }
}
