//! Phone numbers of a contact: the first is the primary one, the others are additional.

use super::RowValidator;
use super::cell_value::shorten_for_message;
use super::cleaned_value::CleanedValue;
use super::field_rule::FieldRule;
use super::row_context::{PhoneCountry, RowContext};
use super::severity;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::target::Field;
use crate::model::{InvalidPhoneRule, MappingTarget};
use crate::value;

impl RowValidator {
    /// The country of numbers without a country code.
    ///
    /// # Errors
    /// When the row has one that cannot be read: the usual country would make another number of it.
    pub(super) fn phone_country<'a>(
        &'a self,
        work: &RowContext<'_>,
        number: &str,
    ) -> Result<Option<&'a str>, Diagnostic> {
        match &work.phone_country {
            Some(PhoneCountry::Known(country)) => Ok(Some(country)),
            Some(PhoneCountry::Unreadable(country)) if !value::has_country_code(number) => {
                let message = format!(
                    "`{}` has no country code, and the row's country, `{}`, is not a known one",
                    shorten_for_message(number),
                    shorten_for_message(country)
                );
                Err(Diagnostic::new(DiagnosticCode::R_INVALID_PHONE, message))
            }
            Some(PhoneCountry::Unreadable(_)) => Ok(None),
            None => Ok(work.country.or(self.resolved.country.as_deref())),
        }
    }

    /// Reads the country of the row's phone numbers, which is not stored.
    pub(super) fn set_phone_country(
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) {
        let text = value.into_text();
        let country = value::parse_dial_code(&text).or_else(|| value::parse_country(&text).ok());
        if let Some(country) = country {
            work.phone_country = Some(PhoneCountry::Known(country));
            return;
        }
        let message = format!(
            "`{}` is neither a dialling code nor a known country",
            shorten_for_message(&text)
        );
        work.add_warning(DiagnosticCode::W_COUNTRY_UNKNOWN, step, column, message);
        work.phone_country = Some(PhoneCountry::Unreadable(text));
    }

    /// Takes a dialling code in a column of countries for what it is; false if the text is something else.
    pub(super) fn take_dial_code(
        step: &FieldRule,
        column: Option<usize>,
        text: &str,
        work: &mut RowContext<'_>,
    ) -> bool {
        let Some(country) = value::parse_dial_code(text) else { return false };
        work.phone_country.get_or_insert(PhoneCountry::Known(country));
        let message = format!(
            "`{}` is a dialling code: it is used for the row's phone numbers, and no country is stored",
            shorten_for_message(text)
        );
        work.add_warning(DiagnosticCode::W_DIAL_CODE, step, column, message);
        true
    }

    pub(super) fn add_phones(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let text = value.into_text();
        let read = self
            .phone_country(work, &text)
            .and_then(|country| value::parse_phones(&text, country, step.split.as_deref()));
        let read = match read {
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
