//! The contact of a row: fields, addresses, tags and identity.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::RowValidator;
use super::cell_value::shorten_for_message;
use super::cleaned_value::CleanedValue;
use super::field_rule::{FieldRule, FieldRuleSource};
use super::read_cell::single_line;
use super::row_context::{PhoneCountry, RowContext, whole_row_rejection};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::MappingTarget;
use crate::model::target::Field;
use crate::value;

/// The maximum number of additional e-mail addresses, and of additional phone numbers, of a contact: the limit of
/// `HighLevel`'s own CSV import (help article 155000005143).
const MOST_OTHERS: usize = 10;
const MULTI_EMAIL: DiagnosticCode = DiagnosticCode::W_MULTI_EMAIL;
/// The addresses in the test leads of Facebook's lead ads testing tool.
const TEST_ADDRESSES: [&str; 2] = ["test@meta.com", "test@fb.com"];

impl FieldRule {
    /// Clears the rule's target.
    pub(super) fn clear_target(&self, work: &mut RowContext<'_>) {
        let draft = &mut work.draft;
        match &self.target {
            MappingTarget::Field(field) => {
                draft.fields.insert(*field, Json::Null);
            }
            MappingTarget::Custom(_) => {
                if let Some(custom) = &self.custom {
                    draft.custom.insert(custom.id.clone(), Json::Null);
                }
            }
            MappingTarget::Owner => draft.owner = Some(Json::Null),
            MappingTarget::Business => draft.business = Some(String::new()),
            MappingTarget::Tags => draft.replaces_tags |= self.replaces,
            _ => {}
        }
    }
}

impl RowValidator {
    /// Stores a value in its target.
    pub(super) fn store_value(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        match &step.target {
            MappingTarget::ContactId => Self::set_contact_id(step, column, value, work),
            MappingTarget::SourceId => {
                work.draft.source_id = Some(single_line(value.into_text()));
                Ok(())
            }
            MappingTarget::Field(Field::Email) | MappingTarget::AdditionalEmails => {
                self.add_emails(step, column, value, work)
            }
            MappingTarget::Field(Field::Phone) | MappingTarget::AdditionalPhones => {
                self.add_phones(step, column, value, work)
            }
            MappingTarget::Field(field) => self.set_native_field(*field, step, column, value, work),
            MappingTarget::PhoneCountry => {
                Self::set_phone_country(step, column, value, work);
                Ok(())
            }
            MappingTarget::Custom(_) => self.set_custom_field(step, column, value, work),
            MappingTarget::Tags => {
                let mut tags = step.split_values(&value.into_text());
                // What was exported from an account is as it is there.
                if !self.resolved.has_contact_ids {
                    tags = drop_placeholder_tags(step, column, tags, work);
                }
                work.draft.tags.extend(tags);
                work.draft.replaces_tags |= step.replaces && !work.draft.tags.is_empty();
                Ok(())
            }
            MappingTarget::Dnd | MappingTarget::DndChannel(_) | MappingTarget::OptIn => {
                self.record_consent(step, column, &value, work)
            }
            MappingTarget::Owner => {
                work.draft.owner =
                    Some(self.resolve_user_id(step, column, &value.into_text(), work)?.into());
                Ok(())
            }
            MappingTarget::Business => {
                work.draft.business =
                    Some(self.resolve_business_id(step, column, &value.into_text(), work)?);
                Ok(())
            }
            MappingTarget::Note(part) => self.set_note_part(*part, step, column, value, work),
            MappingTarget::Task(part) => self.set_task_part(*part, step, column, value, work),
            MappingTarget::Ignore | MappingTarget::Undecided => Ok(()),
        }
    }

    fn set_contact_id(
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let text = value.into_text();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        match text.parse() {
            Ok(contact) if plain => {
                work.draft.contact = Some(contact);
                Ok(())
            }
            _ => {
                let message = format!(
                    "`{}` is not a contact id, which has only letters, digits, `-` and `_`",
                    shorten_for_message(&text)
                );
                Err(work.rejection_for_rule(
                    DiagnosticCode::R_INVALID_CONTACT_ID,
                    step,
                    column,
                    message,
                ))
            }
        }
    }

    fn add_emails(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let read = match value::parse_emails(&value.into_text(), step.split.as_deref()) {
            Ok(read) => read,
            Err(trouble) => return self.report_unreadable(step, column, trouble, work),
        };
        // Whether there are too many addresses is only known once the whole row was read.
        let notices = read.notices.into_iter().filter(|notice| notice.code != MULTI_EMAIL);
        work.add_notices(notices, step, column);
        let mut addresses = read.value;
        let test =
            |address: &&String| TEST_ADDRESSES.iter().any(|it| address.eq_ignore_ascii_case(it));
        if let Some(address) = addresses.iter().find(test) {
            let message = format!("`{address}` is the address of a test lead");
            return Err(work.rejection_for_rule(
                DiagnosticCode::R_TEST_LEAD,
                step,
                column,
                message,
            ));
        }
        let is_own = step.target == MappingTarget::Field(Field::Email);
        if is_own && !work.draft.fields.contains_key(&Field::Email) && !addresses.is_empty() {
            work.draft.fields.insert(Field::Email, addresses.remove(0).into());
        }
        work.draft.additional_emails.append(&mut addresses);
        Ok(())
    }

    fn set_native_field(
        &self,
        field: Field,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        if field == Field::Country {
            return self.set_country(step, column, value, work);
        }
        let Some(value) = self.read_value(step, column, value, work)? else { return Ok(()) };
        if field == Field::Name
            && let Some(text) = value.as_str()
            && self.store_reversed_name(step, column, text, work)
        {
            return Ok(());
        }
        store_native_value(field, step, value, work);
        Ok(())
    }

    /// Stores a name of the form `Last, First` as its parts; false if it has another form. What was exported from an
    /// account is as it is there.
    fn store_reversed_name(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        name: &str,
        work: &mut RowContext<'_>,
    ) -> bool {
        let Some((first, last)) = value::split_last_first(name) else { return false };
        let has_part = |field| work.draft.fields.contains_key(&field);
        if self.resolved.has_contact_ids || has_part(Field::FirstName) || has_part(Field::LastName)
        {
            return false;
        }
        work.draft.fields.insert(Field::FirstName, first.into());
        work.draft.fields.insert(Field::LastName, last.into());
        let message = format!("the name was read as first name `{first}` and last name `{last}`");
        work.add_warning(DiagnosticCode::W_NAME_REVERSED, step, column, message);
        true
    }

    fn set_country(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        let text = value.clone().into_text();
        if Self::take_dial_code(step, column, &text, work) {
            return Ok(());
        }
        let Some(value) = self.read_value(step, column, value, work)? else {
            work.phone_country.get_or_insert(PhoneCountry::Unreadable(text));
            return Ok(());
        };
        let country = value.as_str().and_then(|code| value::parse_country(code).ok());
        work.country = work.country.or(country);
        store_native_value(Field::Country, step, value, work);
        Ok(())
    }
    /// Completes the contact after all cells were read: the meaning of some depends on others.
    pub(super) fn finish_contact(&self, work: &mut RowContext<'_>) {
        drop_redundant_name(work);
        promote_additional_to_primary(work);
        dedup_ignoring_case(&mut work.draft.tags);
        normalize_additional_values(work);
        if !work.is_identity_rejected()
            && let Err(rejection) = self.require_identity(work)
        {
            work.reject(rejection);
        }
    }

    /// Ensures that the row identifies its contact well enough to be imported twice without creating duplicates.
    fn require_identity(&self, work: &RowContext<'_>) -> Result<(), Diagnostic> {
        let draft = &work.draft;
        let key = self.resolved.key.as_ref().is_some_and(|key| key.identifies_row(draft))
            || work.waiting.iter().any(|issue| self.is_unreadable_key(&issue.cell));
        let known = draft.contact.is_some()
            || draft.email_key().is_some()
            || draft.phone_key().is_some()
            || key;
        if known {
            return Ok(());
        }
        if self.resolved.children_only {
            // The location-wide search returns the contact of a task.
            if work.task.id.is_some() && !self.resolved.has_notes {
                return Ok(());
            }
            let message =
                "a note or task needs its contact: an id, an e-mail address or a phone number";
            return Err(whole_row_rejection(DiagnosticCode::R_NO_CONTACT_ID, "contactId", message));
        }
        let names = [Field::FirstName, Field::LastName, Field::Name];
        let has_name =
            names.iter().any(|field| draft.fields.get(field).is_some_and(Json::is_string));
        match has_name {
            true if self.policy.allow_name_only => Ok(()),
            true => Err(whole_row_rejection(
                DiagnosticCode::R_NO_MATCH_KEY,
                "email",
                "the row has only a name, by which a contact cannot be found again: every import \
                 would create another one; add an e-mail address or phone number, or use \
                 `--allow-name-only`",
            )),
            false => Err(whole_row_rejection(
                DiagnosticCode::R_NO_IDENTITY,
                "email",
                "the row has no usable e-mail address, phone number, contact id or name",
            )),
        }
    }
}

fn store_native_value(
    field: Field,
    step: &FieldRule,
    value: serde_json::Value,
    work: &mut RowContext<'_>,
) {
    match &step.source {
        FieldRuleSource::Constant(_) => {
            work.draft.fields.entry(field).or_insert(value);
        }
        FieldRuleSource::Columns { .. } => {
            work.draft.fields.insert(field, value);
        }
    }
}

/// Drops tags that stand for no value, with a warning.
fn drop_placeholder_tags(
    step: &FieldRule,
    column: Option<usize>,
    mut tags: Vec<String>,
    work: &mut RowContext<'_>,
) -> Vec<String> {
    let is_nothing = |tag: &String| {
        column.is_some()
            && step.words.is_empty()
            && value::find_placeholder(tag).is_some_and(|kind| kind != value::Placeholder::Filler)
    };
    if let Some(first) = tags.iter().find(|tag| is_nothing(tag)) {
        let message = format!(
            "the tag `{}` stands for no value, so it is left out",
            shorten_for_message(first)
        );
        work.add_warning(DiagnosticCode::W_PLACEHOLDER, step, column, message);
        tags.retain(|tag| !is_nothing(tag));
    }
    tags
}

/// A full name counts only if its parts are missing. Some systems put the e-mail address into it.
fn drop_redundant_name(work: &mut RowContext<'_>) {
    let text = |field| work.draft.fields.get(&field).and_then(Json::as_str);
    let Some(name) = text(Field::Name) else { return };
    let in_parts = text(Field::FirstName).is_some() || text(Field::LastName).is_some();
    let is_address = text(Field::Email).is_some_and(|email| email.eq_ignore_ascii_case(name));
    if in_parts || is_address {
        work.draft.fields.remove(&Field::Name);
    }
}

/// The first additional address or number becomes the primary one if there is none. For a contact that is
/// identified by its id, this would be an unrequested change.
fn promote_additional_to_primary(work: &mut RowContext<'_>) {
    let draft = &mut work.draft;
    if draft.contact.is_some() {
        return;
    }
    if !draft.additional_emails.is_empty() && !draft.fields.contains_key(&Field::Email) {
        draft.fields.insert(Field::Email, draft.additional_emails.remove(0).into());
    }
    if !draft.additional_phones.is_empty() && !draft.fields.contains_key(&Field::Phone) {
        draft.fields.insert(Field::Phone, draft.additional_phones.remove(0).into());
    }
}

/// Normalizes the additional addresses and numbers.
fn normalize_additional_values(work: &mut RowContext<'_>) {
    let draft = &mut work.draft;
    if draft.additional_emails.is_empty() && draft.additional_phones.is_empty() {
        return;
    }
    if let Some(own) = draft.email_key() {
        draft.additional_emails.retain(|other| other.to_lowercase() != own);
    }
    if let Some(own) = draft.phone_key().map(str::to_owned) {
        draft.additional_phones.retain(|other| *other != own);
    }
    dedup_ignoring_case(&mut draft.additional_emails);
    dedup_ignoring_case(&mut draft.additional_phones);
    let (emails, phones) = (&draft.additional_emails, &draft.additional_phones);
    let excess = [
        excess_rejection(emails, &MappingTarget::AdditionalEmails, "e-mail addresses"),
        excess_rejection(phones, &MappingTarget::AdditionalPhones, "phone numbers"),
    ];
    excess.into_iter().flatten().for_each(|rejection| work.reject(rejection));
}

/// A contact has at most eleven. The API accepts one; which of the others are missing from the contact, and must be
/// reported, is only known once the contact is.
fn excess_rejection(others: &[String], target: &MappingTarget, what: &str) -> Option<Diagnostic> {
    let rejection = || {
        let message = format!(
            "{} additional {what} are too many; a contact can have {MOST_OTHERS}",
            others.len()
        );
        whole_row_rejection(DiagnosticCode::R_TOO_MANY_VALUES, &target.to_string(), message)
    };
    (others.len() > MOST_OTHERS).then(rejection)
}

/// Removes duplicates that differ only in case; the first one stays.
fn dedup_ignoring_case(texts: &mut Vec<String>) {
    if texts.len() > 1 {
        let mut seen = HashSet::new();
        texts.retain(|text| seen.insert(text.to_lowercase()));
    }
}
