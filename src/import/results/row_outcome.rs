//! Fates: what became of each row, from the states of its ops.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::import::Error;
use crate::run::{LedgerReader, Noted, OpRecord, OpState};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It had no op.
    Nothing,
    Succeeded,
    Rejected,
    InDoubt,
    Pending,
}

/// Why a row failed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Why {
    pub(crate) op: u64,
    pub(crate) code: String,
    pub(crate) field: String,
    pub(crate) reason: String,
    pub(crate) sent: String,
}

/// A code for a value that the account does not hold as it was sent, though the write succeeded.
const ANSWER_DIFFERS: &str = "W_ANSWER_DIFFERS";
/// A code for what was not sent because another op of its row failed.
const SKIPPED: &str = "R_SKIPPED";

/// What is known of one row.
#[derive(Debug)]
struct Known {
    fate: Fate,
    why: Option<Box<Why>>,
    made: Option<String>,
}

/// The rows that have ops.
#[derive(Debug, Default)]
pub(crate) struct Fates {
    rows: HashMap<u64, Known>,
    differing: BTreeMap<u64, Vec<Noted>>,
}

impl Fates {
    /// Before anything was sent.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Reads the ledger.
    pub(crate) fn read(ledger: &LedgerReader) -> Result<Self, Error> {
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
            let why = fates.rows.get_mut(&row).and_then(|known| known.why.as_mut());
            if let (Some(why), Some(attempt)) = (why.filter(|why| why.op == op), attempt) {
                let at = jiff::Timestamp::from_millisecond(attempt.at_ms).unwrap_or_default();
                why.sent = at.to_string();
            }
        }
        Ok(fates)
    }

    fn add(&mut self, op: &OpRecord) {
        let fate = match op.state {
            OpState::Applied if did_nothing(op) => Fate::Nothing,
            OpState::Applied | OpState::Differs => Fate::Succeeded,
            // One that was skipped failed by another op of its row, which says why.
            OpState::Refused | OpState::Conflict | OpState::Skipped => Fate::Rejected,
            OpState::InDoubt => Fate::InDoubt,
            OpState::Pending | OpState::Sent => Fate::Pending,
        };
        let new = || Known { fate: Fate::Nothing, why: None, made: None };
        let known = self.rows.entry(op.row).or_insert_with(new);
        // A row in doubt is settled by its op in doubt, whatever else of it was refused.
        let open = known.why.as_ref().is_none_or(|why| why.code == SKIPPED)
            || known.fate == Fate::Nothing
            || (fate == Fate::InDoubt && known.fate != Fate::InDoubt);
        if rank(fate) > rank(known.fate) {
            known.fate = fate;
        }
        if matches!(fate, Fate::Rejected | Fate::InDoubt | Fate::Nothing) && open {
            known.why = Some(Box::new(why(op)));
        }
        // What a row makes for a contact that was there is a note or task.
        if op.step == 0 && op.contact.is_none() && op.made.is_some() {
            known.made.clone_from(&op.made);
        }
        if op.state == OpState::Differs {
            self.differing.entry(op.row).or_default().extend(differing(op));
        }
    }

    pub(crate) fn of(&self, row: u64) -> Fate {
        self.rows.get(&row).map_or(Fate::Nothing, |known| known.fate)
    }

    pub(crate) fn why(&self, row: u64) -> Option<&Why> {
        self.rows.get(&row)?.why.as_deref()
    }

    /// The contact that was made for a row.
    pub(crate) fn made(&self, row: u64) -> Option<&str> {
        self.rows.get(&row)?.made.as_deref()
    }

    /// What the account does not hold as it was sent, by row.
    pub(crate) fn differing(&self) -> impl Iterator<Item = &Noted> {
        self.differing.values().flatten()
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

fn said(op: &OpRecord) -> Value {
    op.said.as_deref().and_then(|said| serde_json::from_str(said).ok()).unwrap_or_default()
}

/// What an op that was applied with differences has to say.
fn differing(op: &OpRecord) -> Vec<Noted> {
    let said = said(op);
    let noted = |field: &str, message: String| Noted {
        n: op.row,
        code: ANSWER_DIFFERS.to_owned(),
        field: field.to_owned(),
        message,
    };
    let differences = said["differences"].as_array().into_iter().flatten().map(|it| {
        let field = it["field"].as_str().unwrap_or_default();
        noted(
            field,
            format!("sent {}, and the account has {}", shown(&it["sent"]), shown(&it["got"])),
        )
    });
    let message = said["message"].as_str().map(|message| noted("", message.to_owned()));
    differences.chain(message).collect()
}

/// Whether an op found that there was nothing to do any more.
pub(crate) fn did_nothing(op: &OpRecord) -> bool {
    op.state == OpState::Applied
        && op.said.as_ref().is_some_and(|said| said.contains("\"nothing\":"))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

fn why(op: &OpRecord) -> Why {
    let said = said(op);
    let text = |key: &str| said[key].as_str().unwrap_or_default().to_owned();
    let fallback = match op.state {
        OpState::Conflict => "R_CONFLICT",
        OpState::InDoubt => "R_IN_DOUBT",
        OpState::Skipped => SKIPPED,
        _ => "R_REFUSED",
    };
    let code = text("code");
    let reason = [text("message"), text("nothing")].concat();
    Why {
        op: op.id,
        code: if code.is_empty() { fallback.to_owned() } else { code },
        field: text("field"),
        reason,
        sent: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(id: u64, state: OpState, said: &str) -> OpRecord {
        OpRecord {
            id,
            key: String::new(),
            row: 1,
            step: 1,
            lane: 1,
            class: "C".to_owned(),
            bulk: false,
            contact: None,
            body: String::new(),
            state,
            made: None,
            said: Some(said.to_owned()),
        }
    }

    #[test]
    fn a_row_in_doubt_names_its_op_in_doubt_whatever_else_was_refused() {
        let mut fates = Fates::default();
        for (id, state) in [
            (1, OpState::Skipped),
            (2, OpState::Refused),
            (3, OpState::InDoubt),
            (4, OpState::InDoubt),
            (5, OpState::Refused),
            (6, OpState::Pending),
        ] {
            fates.add(&op(id, state, "{}"));
        }
        assert_eq!(fates.of(1), Fate::InDoubt);
        let why = fates.why(1).unwrap();
        assert_eq!((why.op, why.code.as_str()), (3, "R_IN_DOUBT"));
    }
}
