//! Cells: what a cell holds once it is cleaned, and what makes it unusable.

use jiff::civil::DateTime;

use super::Checker;
use super::field_rule::Step;
use super::outcome::Rejection;
use super::row_context::Work;
use super::value_type::Kind;
use crate::model::Target;
use crate::model::target::Field;
use crate::sheet::Cell;
use crate::value::{self, Unreadable};

/// The most bytes of a cell that is no note.
const LONGEST_CELL: usize = 64 * 1024;
/// What Facebook puts into the leads that it makes for trying out a form (formats.md §3.4).
const TEST_LEAD: &str = "<test lead:";

/// A cell's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    /// A spreadsheet's number and its text.
    Number(f64, String),
    Bool(bool),
    Date(DateTime),
}

/// What was taken from a cell.
#[derive(Debug)]
pub(super) enum Taken {
    Value(Value),
    /// It says nothing.
    Blank,
    /// It says something that cannot be used, which was warned of.
    Unusable,
}

impl Value {
    /// The value as text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(_, text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Date(date) => Cell::Date(date).text().into_owned(),
        }
    }
}

impl Checker {
    /// Takes a cell, cleaned and with its words put right.
    pub(super) fn take(
        &self,
        step: &Step,
        column: usize,
        work: &mut Work<'_>,
    ) -> Result<Taken, Rejection> {
        let row = work.row;
        let value = match row.cells.get(column).unwrap_or(&Cell::Empty) {
            Cell::Empty => return Ok(Taken::Blank),
            Cell::Text(raw) => return self.text(step, column, raw, work),
            Cell::Error(text) => return self.error(step, column, text, work),
            Cell::NoValue => return self.no_value(step, column, work),
            Cell::Number(number, text) => Value::Number(*number, text.clone()),
            Cell::Bool(value) => Value::Bool(*value),
            Cell::Date(date) => Value::Date(*date),
        };
        if step.is_plain() && self.resolved.empty_values.is_empty() {
            return Ok(Taken::Value(value));
        }
        let text = value.clone().into_text();
        if self.resolved.is_empty_value(&text) {
            return Ok(Taken::Blank);
        }
        if step.is_plain() {
            return Ok(Taken::Value(value));
        }
        Ok(worded(step, text))
    }

    fn text(
        &self,
        step: &Step,
        column: usize,
        raw: &str,
        work: &mut Work<'_>,
    ) -> Result<Taken, Rejection> {
        if raw.len() > LONGEST_CELL && !step.is_note() {
            let message = format!(
                "the cell holds {} bytes; more than {LONGEST_CELL} are taken only for notes",
                raw.len()
            );
            return Err(work.reject("R_CELL_TOO_LONG", step, Some(column), message));
        }
        let read = match value::clean(raw) {
            Ok(read) => read,
            Err(trouble) => {
                self.unreadable(step, Some(column), &trouble, work)?;
                return Ok(Taken::Unusable);
            }
        };
        work.note_all(read.notices, step, Some(column));
        let text = read.value;
        if text.is_empty() || self.resolved.is_empty_value(&text) {
            return Ok(Taken::Blank);
        }
        if text.starts_with('#') && value::is_spreadsheet_error(&text) {
            return self.error(step, column, &text, work);
        }
        if is_test_lead(&text) {
            let message = format!("`{}` marks a lead that was made for a test", shortened(&text));
            return Err(work.reject("R_TEST_LEAD", step, Some(column), message));
        }
        Ok(worded(step, text))
    }

    /// A spreadsheet's error value.
    fn error(
        &self,
        step: &Step,
        column: usize,
        text: &str,
        work: &mut Work<'_>,
    ) -> Result<Taken, Rejection> {
        let code = if step.identity { "R_SPREADSHEET_ERROR" } else { "W_SPREADSHEET_ERROR" };
        let message = format!("`{text}` is an error value of a spreadsheet");
        self.phone_or(step, column, Unreadable { code, message }, work)
    }

    /// A formula whose result the file does not hold.
    fn no_value(
        &self,
        step: &Step,
        column: usize,
        work: &mut Work<'_>,
    ) -> Result<Taken, Rejection> {
        let code = if step.identity { "R_FORMULA_NO_VALUE" } else { "W_FORMULA_NO_VALUE" };
        let message = "the cell holds a formula without its result; open and save the file in a spreadsheet program";
        self.phone_or(step, column, Unreadable { code, message: message.to_owned() }, work)
    }

    fn phone_or(
        &self,
        step: &Step,
        column: usize,
        trouble: Unreadable,
        work: &mut Work<'_>,
    ) -> Result<Taken, Rejection> {
        if matches!(step.target, Target::Field(Field::Phone) | Target::AdditionalPhones)
            && matches!(step.kind, Kind::Phone)
        {
            self.unusable_phone(step, Some(column), trouble, work)?;
        } else {
            self.unreadable(step, Some(column), &trouble, work)?;
        }
        Ok(Taken::Unusable)
    }
}

/// Lists put their words right when they are parted; columns that are joined get their prefix together.
fn worded(step: &Step, text: String) -> Taken {
    let words = &step.words;
    let text = match (step.part, &step.split) {
        (Some(part), Some(separators)) => part.taken(&value::pieces(&text, separators), &text),
        _ => text,
    };
    let text = if words.is_empty() {
        text
    } else if step.kind.is_list() {
        if words.standing_for(&text) == Some("") { String::new() } else { text }
    } else if step.is_joined() {
        words.bare(text)
    } else {
        words.prefixed(words.bare(text))
    };
    if text.is_empty() { Taken::Blank } else { Taken::Value(Value::Text(text)) }
}

fn is_test_lead(text: &str) -> bool {
    // Phone numbers have a sign before them: `p:<test lead: …>`.
    let text = text.strip_prefix("p:").unwrap_or(text);
    text.get(..TEST_LEAD.len()).is_some_and(|front| front.eq_ignore_ascii_case(TEST_LEAD))
}

/// The beginning of a text, for messages.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
