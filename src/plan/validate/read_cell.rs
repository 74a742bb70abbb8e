//! Reading: a value by its kind, in the form in which it is sent.

use serde_json::Value as Json;

use super::Checker;
use super::cell_value::Value;
use super::date_order::unreadable;
use super::field_rule::Step;
use super::outcome::Rejection;
use super::row_context::Work;
use super::value_type::{Kind, Options};
use crate::value::{self, Notice, Unreadable};

/// What is sent, or nothing for what stands for nothing; and what is noteworthy.
type Reading = Result<(Option<Json>, Vec<Notice>), Unreadable>;

impl Checker {
    /// Reads a value; nothing when it was left out, or says nothing.
    pub(super) fn read(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<Option<Json>, Rejection> {
        match self.reading(step, value, work) {
            Ok((value, notices)) => {
                work.note_all(notices, step, column);
                Ok(value.map(|value| step.shaped(value)))
            }
            Err(trouble) => {
                self.unreadable(step, column, &trouble, work)?;
                Ok(None)
            }
        }
    }

    fn reading(&self, step: &Step, value: Value, work: &mut Work<'_>) -> Reading {
        let text = match &step.kind {
            Kind::Date | Kind::Birthday => {
                let read = self.day(step, value)?;
                return Ok((read.value.map(|day| day.to_string().into()), read.notices));
            }
            Kind::Moment => {
                let read = self.moment(step, value)?;
                // Only of a due date is it noteworthy that it has no time.
                let notices =
                    read.notices.into_iter().filter(|notice| notice.code != "W_DUE_NO_TIME");
                return Ok((read.value.map(Json::from), notices.collect()));
            }
            Kind::Number | Kind::Money => return number(&step.kind, value, self.policy.decimal),
            Kind::Boolean => return Ok((yes(&value)?.map(Json::from), Vec::new())),
            _ => value.into_text(),
        };
        self.text_reading(step, text, work)
    }

    fn text_reading(&self, step: &Step, text: String, work: &mut Work<'_>) -> Reading {
        Ok(match &step.kind {
            Kind::Phone => {
                let country = work.country.or(self.resolved.country.as_deref());
                let read = value::phone(&text, country)?;
                (Some(read.value.into()), read.notices)
            }
            Kind::Emails => {
                let read = value::emails(&text, step.split.as_deref())?;
                // In a field of text there is room for all of them.
                let notices = read.notices.into_iter().filter(|it| it.code != "W_MULTI_EMAIL");
                (Some(read.value.join("; ").into()), notices.collect())
            }
            Kind::Country => (Some(value::country(&text)?.into()), Vec::new()),
            Kind::Timezone => (Some(value::timezone(&text)?.into()), Vec::new()),
            Kind::Url => {
                let read = value::url(&text)?;
                (Some(read.value.into()), read.notices)
            }
            Kind::PostalCode => {
                let read = value::postal_code(&text, work.country);
                (Some(read.value.into()), read.notices)
            }
            Kind::List => (list(step.items(&text)), Vec::new()),
            Kind::One(options) => (Some(option(options, &text)?.into()), Vec::new()),
            Kind::Many(options) => (several(options, step, &text)?, Vec::new()),
            Kind::Line => (Some(line(text).into()), Vec::new()),
            _ => (Some(text.into()), Vec::new()),
        })
    }
}

impl Step {
    /// The values of a cell that may hold several, with their words put right.
    pub(super) fn items(&self, text: &str) -> Vec<String> {
        let split = self.split.as_deref();
        if self.words.is_empty() {
            return value::list(text, split);
        }
        let items = match self.words.standing_for(text) {
            Some(words) => value::list(words, split),
            None => {
                value::list(text, split).into_iter().map(|item| self.words.bare(item)).collect()
            }
        };
        items
            .into_iter()
            .map(|item| self.words.prefixed(item))
            .filter(|it| !it.is_empty())
            .collect()
    }

    /// What was read as a field of text takes it.
    fn shaped(&self, value: Json) -> Json {
        if !self.custom.as_ref().is_some_and(|custom| custom.is_text) {
            return value;
        }
        match value {
            Json::Number(number) => {
                number.as_f64().map_or_else(|| number.to_string(), |it| it.to_string()).into()
            }
            Json::Bool(yes) => yes.to_string().into(),
            Json::Array(items) => {
                let items: Vec<_> = items.iter().filter_map(Json::as_str).collect();
                items.join("; ").into()
            }
            value => value,
        }
    }
}

/// A text on one line.
pub(super) fn line(text: String) -> String {
    if text.contains(['\n', '\r']) { value::one_line(&text) } else { text }
}

/// Yes or no; nothing for a text that says neither and nothing else.
pub(super) fn yes(value: &Value) -> Result<Option<bool>, Unreadable> {
    match value {
        Value::Bool(yes) => Ok(Some(*yes)),
        Value::Text(text) | Value::Number(_, text) => value::boolean(text),
        Value::Date(date) => {
            Err(unreadable("R_BOOLEAN_UNKNOWN", format!("{date} is neither yes nor no")))
        }
    }
}

fn number(kind: &Kind, value: Value, decimal: Option<char>) -> Reading {
    let number = match value {
        Value::Number(number, _) => number,
        Value::Text(text) if matches!(kind, Kind::Money) => value::money(&text, decimal)?,
        Value::Text(text) => value::number(&text, decimal)?,
        other => {
            let message = format!("`{}` is no number", other.into_text());
            return Err(unreadable("W_NUMBER_INVALID", message));
        }
    };
    // JSON knows neither infinity nor what is no number.
    match serde_json::Number::from_f64(number) {
        Some(number) => Ok((Some(number.into()), Vec::new())),
        None => Err(unreadable("W_NUMBER_INVALID", format!("{number} cannot be sent"))),
    }
}

fn list(items: Vec<String>) -> Option<Json> {
    (!items.is_empty()).then(|| items.into())
}

fn option(options: &Options, text: &str) -> Result<String, Unreadable> {
    options.spelled(text).map_err(|message| unreadable("R_OPTION_UNKNOWN", message))
}

/// The options that a cell names. An option that holds a separator may be the whole cell.
fn several(options: &Options, step: &Step, text: &str) -> Result<Option<Json>, Unreadable> {
    if options.has(text) {
        return Ok(list(vec![option(options, text)?]));
    }
    let mut chosen: Vec<String> = Vec::new();
    for item in step.items(text) {
        let item = option(options, &item)?;
        if !chosen.contains(&item) {
            chosen.push(item);
        }
    }
    Ok(list(chosen))
}
