//! Fates: what became of each row, from the states of its ops.

use std::collections::HashMap;

use serde_json::Value;

use super::Error;
use crate::run::{LedgerReader, OpRecord, OpState};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It had no op.
    Nothing,
    Succeeded,
    Rejected,
    InDoubt,
    Pending,
}

/// Why a row failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Why {
    pub(super) op: u64,
    pub(super) code: String,
    pub(super) field: String,
    pub(super) reason: String,
    pub(super) sent: String,
}

/// The rows that have ops.
#[derive(Debug, Default)]
pub(super) struct Fates {
    rows: HashMap<u64, (Fate, Option<Box<Why>>, Option<String>)>,
}

impl Fates {
    /// Before anything was sent.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// Reads the ledger.
    pub(super) fn read(ledger: &LedgerReader) -> Result<Self, Error> {
        let mut fates = Self::default();
        let mut sent = Vec::new();
        ledger.each_op(|op| {
            if op.state == OpState::InDoubt {
                sent.push((op.row, op.id));
            }
            fates.add(&op);
            Ok(())
        })?;
        for (row, op) in sent {
            let attempt = ledger.last_attempt(op)?;
            if let (Some((_, Some(why), _)), Some(attempt)) = (fates.rows.get_mut(&row), attempt) {
                let at = jiff::Timestamp::from_millisecond(attempt.at_ms).unwrap_or_default();
                why.sent = at.to_string();
            }
        }
        Ok(fates)
    }

    fn add(&mut self, op: &OpRecord) {
        let fate = match op.state {
            OpState::Applied | OpState::Differs => Fate::Succeeded,
            OpState::Refused | OpState::Conflict => Fate::Rejected,
            OpState::InDoubt => Fate::InDoubt,
            // Its row failed by another op, which says why.
            OpState::Skipped => Fate::Rejected,
            OpState::Pending | OpState::Sent => Fate::Pending,
        };
        let entry = self.rows.entry(op.row).or_insert((Fate::Succeeded, None, None));
        if rank(fate) > rank(entry.0) {
            entry.0 = fate;
        }
        let says = matches!(op.state, OpState::Refused | OpState::Conflict | OpState::InDoubt);
        if says && entry.1.is_none() {
            entry.1 = Some(Box::new(why(op)));
        }
        if op.step == 0 && op.made.is_some() {
            entry.2.clone_from(&op.made);
        }
    }

    pub(super) fn of(&self, row: u64) -> Fate {
        self.rows.get(&row).map_or(Fate::Nothing, |(fate, ..)| *fate)
    }

    pub(super) fn why(&self, row: u64) -> Option<&Why> {
        self.rows.get(&row)?.1.as_deref()
    }

    /// The contact that was made for a row.
    pub(super) fn made(&self, row: u64) -> Option<&str> {
        self.rows.get(&row)?.2.as_deref()
    }
}

/// What counts when a row's ops ended differently.
fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Nothing => 0,
        Fate::Succeeded => 1,
        Fate::Pending => 2,
        Fate::Rejected => 3,
        Fate::InDoubt => 4,
    }
}

fn why(op: &OpRecord) -> Why {
    let said: Value =
        op.said.as_deref().and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default();
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    let fallback = match op.state {
        OpState::Conflict => "R_CONFLICT",
        OpState::InDoubt => "R_IN_DOUBT",
        _ => "R_REFUSED",
    };
    let code = text("code");
    Why {
        op: op.id,
        code: if code.is_empty() { fallback.to_owned() } else { code },
        field: text("field"),
        reason: text("message"),
        sent: String::new(),
    }
}
