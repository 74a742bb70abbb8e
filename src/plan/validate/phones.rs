//! Phone numbers of a contact: the first is its own, the rest is beside it.

use super::Checker;
use super::cell_value::Value;
use super::field_rule::Step;
use super::outcome::Rejection;
use super::row_context::Work;
use super::severity;
use crate::model::Target;
use crate::model::target::Field;
use crate::value::{self, Unreadable};

impl Checker {
    /// The country of numbers that do not say theirs.
    pub(super) fn country<'a>(&'a self, work: &Work<'_>) -> Option<&'a str> {
        work.country.or(self.resolved.country.as_deref())
    }

    pub(super) fn put_phones(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let text = value.into_text();
        let read = match value::phones(&text, self.country(work), step.split.as_deref()) {
            Ok(read) => read,
            Err(trouble) => return self.unusable_phone(step, column, trouble, work),
        };
        work.note_all(read.notices, step, column);
        let mut numbers = read.value;
        if step.target == Target::Field(Field::Phone)
            && !work.draft.fields.contains_key(&Field::Phone)
            && !numbers.is_empty()
        {
            work.draft.fields.insert(Field::Phone, numbers.remove(0).into());
        }
        work.draft.additional_phones.append(&mut numbers);
        Ok(())
    }

    /// A number that cannot be used rejects its row, unless such numbers are to be left out.
    pub(super) fn unusable_phone(
        &self,
        step: &Step,
        column: Option<usize>,
        trouble: Unreadable,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        if !self.policy.drop_invalid_phone {
            return Err(work.reject(
                severity::rejecting(trouble.code),
                step,
                column,
                trouble.message,
            ));
        }
        let message = format!("{}; the row goes without it", trouble.message);
        work.warn("W_PHONE_INVALID", step, column, message);
        Ok(())
    }
}
