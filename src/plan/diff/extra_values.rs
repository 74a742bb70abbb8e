//! Further e-mail addresses and phone numbers: the API writes one of each (api.md §5.13), so the others become a note or
//! the value of a text field, or are left out.
//!
//! As soon as the contact lacks one of a row's values, the note or field has all of them: so what is written does not
//! depend on which of them the contact has, and importing the row again writes nothing more.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::contact::missing_additional_values;
use super::{RowPlanBuilder, RowPlanner};
use crate::diagnostic::DiagnosticCode;
use crate::model::IdempotencyClass;
use crate::model::draft::ContactDraft;
use crate::model::op::OpChange;
use crate::model::policy::ExtraValuesRule;
use crate::model::remote::{RemoteContact, short_hash};
use crate::plan::identity::has_only_children;

/// What separates the values in a text field.
const SEPARATOR: &str = "; ";

impl RowPlanner<'_> {
    /// The draft with its further values in the text field for them, if there is one and the contact lacks a value.
    pub(super) fn with_extra_field<'d>(
        &self,
        draft: &'d ContactDraft,
        remote: Option<&RemoteContact>,
    ) -> Cow<'d, ContactDraft> {
        let Some(field) = self.extra.filter(|_| lacks_values(draft, remote)) else {
            return Cow::Borrowed(draft);
        };
        // A column may be mapped to the field, too.
        let own = draft.custom.get(&field.id).and_then(Value::as_str);
        let own = own.into_iter().filter(|text| !text.is_empty());
        let extra = draft.additional_emails.iter().chain(&draft.additional_phones);
        let values: Vec<&str> = own.chain(extra.map(String::as_str)).collect();
        let values = values.join(SEPARATOR);
        let mut draft = draft.clone();
        draft.custom.insert(field.id.clone(), values.into());
        Cow::Owned(draft)
    }
}

impl RowPlanBuilder<'_> {
    /// Plans what the policy wants for the values that the contact lacks and that the API cannot write.
    pub(super) fn plan_extra_values(&mut self, remote: Option<&RemoteContact>) {
        match self.planner.policy.extra_values {
            ExtraValuesRule::Warn if remote.is_some() && has_only_children(self.draft) => {}
            ExtraValuesRule::Warn => self.warn_unsendable_additional(remote),
            ExtraValuesRule::Note if lacks_values(self.draft, remote) => self.plan_extra_note(),
            // The field is part of the draft.
            ExtraValuesRule::Note | ExtraValuesRule::Custom(_) | ExtraValuesRule::Drop => {}
        }
    }

    /// Creates a note with a line for each value. It is recognized by its text, also in a file that has changed.
    fn plan_extra_note(&mut self) {
        let draft = self.draft;
        let emails = draft.additional_emails.iter().map(|email| format!("Other e-mail: {email}"));
        let phones = draft.additional_phones.iter().map(|phone| format!("Other phone: {phone}"));
        let lines: Vec<String> = emails.chain(phones).collect();
        let text = lines.join("\n");
        self.add_field_change("note", String::new(), text.clone());
        let kind = format!("extra values {}", short_hash(&text));
        let body = Map::from_iter([("body".to_owned(), Value::from(text))]);
        let change = OpChange::CreateNote { body };
        self.push_op(&kind, 0, IdempotencyClass::Countable, change, Value::Null);
    }

    /// Warns about the addresses and numbers that the API cannot write.
    fn warn_unsendable_additional(&mut self, remote: Option<&RemoteContact>) {
        let (emails, phones) = missing_additional_values(self.draft, remote);
        let parts = [
            (DiagnosticCode::W_MULTI_EMAIL, "additionalEmails", "e-mail address", emails),
            (DiagnosticCode::W_MULTI_PHONE, "additionalPhones", "phone number", phones),
        ];
        for (code, field, what, values) in parts {
            if !values.is_empty() {
                let message = format!(
                    "`{}` cannot be sent: the API accepts one {what} per contact; add the others in \
                     HighLevel, or write them into a note or a custom field with `--extra-values`",
                    values.join("`, `")
                );
                self.add_warning(code, field, message);
            }
        }
    }
}

/// Whether the contact lacks one of the row's further values.
fn lacks_values(draft: &ContactDraft, remote: Option<&RemoteContact>) -> bool {
    let (emails, phones) = missing_additional_values(draft, remote);
    !(emails.is_empty() && phones.is_empty())
}
