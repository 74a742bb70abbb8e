//! Phone numbers of a contact: the first is the primary one, the others are additional.

use super::RowValidator;
use super::cleaned_value::CleanedValue;
use super::field_rule::FieldRule;
use super::row_context::RowContext;
use super::severity;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::target::Field;
use crate::model::{InvalidPhoneRule, MappingTarget};
use crate::value;

impl RowValidator {
    /// The country of numbers without a country code.
    pub(super) fn phone_country<'a>(&'a self, work: &RowContext<'_>) -> Option<&'a str> {
        work.country.or(self.resolved.country.as_deref())
    }

    pub(super) fn add_phones(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let text = value.into_text();
        let read = match value::parse_phones(&text, self.phone_country(work), step.split.as_deref())
        {
            Ok(read) => read,
            Err(trouble) => return self.report_invalid_phone(step, column, trouble, work),
        };
        work.add_notices(read.notices, step, column);
        let mut numbers = read.value;
        if step.target == MappingTarget::Field(Field::Phone)
            && !work.draft.fields.contains_key(&Field::Phone)
            && !numbers.is_empty()
        {
            work.draft.fields.insert(Field::Phone, numbers.remove(0).into());
        }
        work.draft.additional_phones.append(&mut numbers);
        Ok(())
    }

    /// Rejects the row for an invalid number, unless the policy is to leave such numbers out.
    pub(super) fn report_invalid_phone(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        trouble: Diagnostic,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        if self.policy.on_invalid_phone == InvalidPhoneRule::Reject {
            let code = severity::rejection_code(trouble.code);
            return Err(work.locate(trouble, column, &step.target.to_string()).with_code(code));
        }
        let message = format!("{}; the row is imported without it", trouble.message);
        work.add_warning(DiagnosticCode::W_PHONE_INVALID, step, column, message);
        Ok(())
    }
}
