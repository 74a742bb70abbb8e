//! Edited records: writes that must not be sent any more, since somebody has changed what they are about.
//!
//! A plan that was only shown is refused as a whole; of one that is under way the record is left alone and
//! its row becomes a conflict.

use serde_json::json;

use super::results::resolve::settle_all;
use super::{Error, Stage};
use crate::run::{OpState, Run, Settled};

/// Rows named in an error.
const NAMED: usize = 10;

/// A write that is still to be sent and must not be.
pub(super) struct Edited {
    pub(super) op: u64,
    pub(super) row: u64,
    pub(super) contact: String,
    /// What has changed, for people.
    pub(super) fields: String,
}

/// Keeps these writes from being sent. `said` tells what became of their records, at a later stage.
///
/// # Errors
/// [`Error::Stale`] at [`Stage::Planned`].
pub(super) async fn hold_back(
    run: &Run,
    edited: &[Edited],
    stage: Stage,
    said: &str,
) -> Result<(), Error> {
    match stage {
        _ if edited.is_empty() => Ok(()),
        Stage::Planned => Err(stale(edited)),
        _ => settle_all(run, edited.iter().map(|it| (it.op, conflict(it, said))).collect()).await,
    }
}

fn stale(edited: &[Edited]) -> Error {
    let line = |it: &Edited| format!("record {}: contact {}: {}", it.row, it.contact, it.fields);
    let mut which: Vec<String> = edited.iter().map(line).collect();
    which.dedup();
    let more = which.len().saturating_sub(NAMED);
    which.truncate(NAMED);
    if more > 0 {
        which.push(format!("and {more} more"));
    }
    Error::Stale { what: "the account".to_owned(), which }
}

fn conflict(edited: &Edited, said: &str) -> Settled {
    let said = json!({ "code": "R_CONFLICT", "field": edited.fields, "message": said });
    Settled {
        state: OpState::Conflict,
        how: "look-up",
        status: None,
        trace_id: None,
        made: None,
        said: Some(said.to_string()),
    }
}
