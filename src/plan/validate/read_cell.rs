//! Reads a value by its type, and converts it to the form to send.

use serde_json::Value as Json;

use super::RowValidator;
use super::cleaned_value::CleanedValue;
use super::field_rule::FieldRule;
use super::row_context::RowContext;
use super::value_type::TargetValueType;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::target::Field;
use crate::model::{DecimalSign, MappingTarget};
use crate::value;

/// The value to send, or `None` for a placeholder, and the notices.
pub(super) type JsonReadResult = Result<(Option<Json>, Vec<Diagnostic>), Diagnostic>;

impl RowValidator {
    /// Reads a value; `None` if it was left out or is empty.
    pub(super) fn read_value(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<Option<Json>, Diagnostic> {
        match self.parse_value(step, column, value, work) {
            Ok((value, notices)) => {
                work.add_notices(notices, step, column);
                Ok(value.map(|value| step.stringify_for_text_field(value)))
            }
            Err(trouble) => {
                self.report_unreadable(step, column, trouble, work)?;
                Ok(None)
            }
        }
    }

    fn parse_value(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> JsonReadResult {
        let text = match &step.kind {
            TargetValueType::Date | TargetValueType::Birthday => {
                let read = self.read_date(step, value)?;
                return Ok((read.value.map(|day| day.to_string().into()), read.notices));
            }
            TargetValueType::Moment => {
                let read = self.read_datetime(step, value)?;
                // A missing time only matters for a due date.
                let notices = read
                    .notices
                    .into_iter()
                    .filter(|notice| notice.code != DiagnosticCode::W_DUE_NO_TIME);
                return Ok((read.value.map(Json::from), notices.collect()));
            }
            TargetValueType::Number | TargetValueType::Money => {
                return read_number(
                    &step.kind,
                    value,
                    self.policy.decimal.map(DecimalSign::character),
                );
            }
            TargetValueType::Boolean => {
                return Ok((read_boolean(&value)?.map(Json::from), Vec::new()));
            }
            _ => value.into_text(),
        };
        self.parse_text_value(step, column, text, work)
    }

    fn parse_text_value(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        text: String,
        work: &mut RowContext<'_>,
    ) -> JsonReadResult {
        Ok(match &step.kind {
            TargetValueType::Phone => {
                let country = self.phone_country(work, &text)?;
                let read = value::parse_phone(&text, country)?;
                (Some(read.value.into()), read.notices)
            }
            TargetValueType::Emails => {
                let read = value::parse_emails(&text, step.split.as_deref())?;
                // A text field has room for all of them.
                let notices =
                    read.notices.into_iter().filter(|it| it.code != DiagnosticCode::W_MULTI_EMAIL);
                (Some(read.value.join("; ").into()), notices.collect())
            }
            TargetValueType::Country => (Some(value::parse_country(&text)?.into()), Vec::new()),
            TargetValueType::Timezone => (Some(value::parse_timezone(&text)?.into()), Vec::new()),
            TargetValueType::Url => {
                let read = value::parse_url(&text)?;
                (Some(read.value.into()), read.notices)
            }
            TargetValueType::PostalCode => {
                let read = value::parse_postal_code(&text, work.country);
                (Some(read.value.into()), read.notices)
            }
            TargetValueType::List => (non_empty_list(step.split_values(&text)), Vec::new()),
            TargetValueType::One(options) => {
                self.read_option(options, (step, column), &text, work)?
            }
            TargetValueType::Many(options) => {
                self.read_options(options, (step, column), &text, work)?
            }
            TargetValueType::Line if is_person_name(&step.target) => {
                (Some(value::name_to_single_line(&text).into()), Vec::new())
            }
            TargetValueType::Line => (Some(single_line(text).into()), Vec::new()),
            _ => (Some(text.into()), Vec::new()),
        })
    }
}

impl FieldRule {
    /// The values of a cell that may contain several, with the text transform applied.
    pub(super) fn split_values(&self, text: &str) -> Vec<String> {
        let split = self.split.as_deref();
        if self.words.is_empty() {
            return value::parse_list(text, split);
        }
        let items = match self.words.replacement_for(text) {
            Some(words) => value::parse_list(words, split),
            None => value::parse_list(text, split)
                .into_iter()
                .map(|item| self.words.replace_and_strip(item))
                .collect(),
        };
        items
            .into_iter()
            .map(|item| self.words.add_prefix(item))
            .filter(|it| !it.is_empty())
            .collect()
    }

    /// Formats a value as text for a text field.
    fn stringify_for_text_field(&self, value: Json) -> Json {
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

fn is_person_name(target: &MappingTarget) -> bool {
    matches!(target, MappingTarget::Field(Field::FirstName | Field::LastName | Field::Name))
}

/// Puts a text on one line.
pub(super) fn single_line(text: String) -> String {
    if text.contains(['\n', '\r']) { value::to_single_line(&text) } else { text }
}

/// Reads a boolean; `None` for a placeholder.
pub(super) fn read_boolean(value: &CleanedValue) -> Result<Option<bool>, Diagnostic> {
    match value {
        CleanedValue::Bool(yes) => Ok(Some(*yes)),
        CleanedValue::Text(text) | CleanedValue::Number(_, text) => value::parse_boolean(text),
        CleanedValue::Date(date) => Err(Diagnostic::new(
            DiagnosticCode::R_BOOLEAN_UNKNOWN,
            format!("{date} is neither yes nor no"),
        )),
    }
}

fn read_number(
    kind: &TargetValueType,
    value: CleanedValue,
    decimal: Option<char>,
) -> JsonReadResult {
    let mut notices = Vec::new();
    if let CleanedValue::Text(text) = &value
        && decimal.is_none()
        && value::is_ambiguous_number(text)
    {
        let message = format!(
            "`{text}` is read with `.` as the decimal sign, but it may group thousands; set it with `--decimal`"
        );
        notices.push(Diagnostic::new(DiagnosticCode::W_NUMBER_AMBIGUOUS, message));
    }
    let number = match value {
        CleanedValue::Number(number, _) => number,
        CleanedValue::Text(text) if matches!(kind, TargetValueType::Money) => {
            value::parse_money(&text, decimal)?
        }
        CleanedValue::Text(text) => value::parse_number(&text, decimal)?,
        other => {
            let message = format!("`{}` is not a number", other.into_text());
            return Err(Diagnostic::new(DiagnosticCode::W_NUMBER_INVALID, message));
        }
    };
    // JSON can represent neither infinity nor NaN.
    match serde_json::Number::from_f64(number) {
        Some(number) => Ok((Some(number.into()), notices)),
        None => Err(Diagnostic::new(
            DiagnosticCode::W_NUMBER_INVALID,
            format!("{number} cannot be sent"),
        )),
    }
}

fn non_empty_list(items: Vec<String>) -> Option<Json> {
    (!items.is_empty()).then(|| items.into())
}
