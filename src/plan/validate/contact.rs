//! The contact's part of a row: fields, addresses, tags, and who it is.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::Checker;
use super::cell_value::{Value, shortened};
use super::field_rule::{Source, Step};
use super::outcome::Rejection;
use super::read_cell::line;
use super::row_context::{Work, whole_row};
use crate::model::Target;
use crate::model::target::Field;
use crate::value;

/// How many addresses and numbers a contact has beside its own (formats.md §1).
const MOST_OTHERS: usize = 10;
const MULTI_EMAIL: &str = "W_MULTI_EMAIL";
/// The addresses of leads that Facebook makes for trying out a form (formats.md §3.4).
const TEST_ADDRESSES: [&str; 2] = ["test@meta.com", "test@fb.com"];

impl Step {
    /// Empties what it fills.
    pub(super) fn clear(&self, work: &mut Work<'_>) {
        let draft = &mut work.draft;
        match &self.target {
            Target::Field(field) => {
                draft.fields.insert(*field, Json::Null);
            }
            Target::Custom(_) => {
                if let Some(custom) = &self.custom {
                    draft.custom.insert(custom.id.clone(), Json::Null);
                }
            }
            Target::Owner => draft.owner = Some(Json::Null),
            Target::Business => draft.business = Some(String::new()),
            Target::Tags => draft.replaces_tags |= self.replaces,
            _ => {}
        }
    }
}

impl Checker {
    /// Puts a value where it goes.
    pub(super) fn put(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        match &step.target {
            Target::ContactId => Self::put_contact(step, column, value, work),
            Target::SourceId => {
                work.draft.source_id = Some(line(value.into_text()));
                Ok(())
            }
            Target::Field(Field::Email) | Target::AdditionalEmails => {
                self.put_emails(step, column, value, work)
            }
            Target::Field(Field::Phone) | Target::AdditionalPhones => {
                self.put_phones(step, column, value, work)
            }
            Target::Field(field) => self.put_field(*field, step, column, value, work),
            Target::Custom(_) => self.put_custom(step, column, value, work),
            Target::Tags => {
                work.draft.tags.extend(step.items(&value.into_text()));
                work.draft.replaces_tags |= step.replaces && !work.draft.tags.is_empty();
                Ok(())
            }
            Target::Dnd | Target::DndChannel(_) | Target::OptIn => {
                self.put_consent(step, column, &value, work)
            }
            Target::Owner => {
                work.draft.owner = Some(self.user(step, column, &value.into_text(), work)?.into());
                Ok(())
            }
            Target::Business => {
                work.draft.business =
                    Some(self.business(step, column, &value.into_text(), work)?);
                Ok(())
            }
            Target::Note(part) => self.put_note(*part, step, column, value, work),
            Target::Task(part) => self.put_task(*part, step, column, value, work),
            Target::Ignore | Target::Undecided => Ok(()),
        }
    }

    fn put_contact(
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let text = value.into_text();
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        match text.parse() {
            Ok(contact) if plain => {
                work.draft.contact = Some(contact);
                Ok(())
            }
            _ => {
                let message = format!(
                    "`{}` is no contact id: those are letters, digits, `-` and `_`",
                    shortened(&text)
                );
                Err(work.reject("R_INVALID_CONTACT_ID", step, column, message))
            }
        }
    }

    fn put_emails(
        &self,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let read = match value::emails(&value.into_text(), step.split.as_deref()) {
            Ok(read) => read,
            Err(trouble) => return self.unreadable(step, column, &trouble, work),
        };
        // Whether several addresses are one too many is known when the whole row is.
        let notices = read.notices.into_iter().filter(|notice| notice.code != MULTI_EMAIL);
        work.note_all(notices, step, column);
        let mut addresses = read.value;
        let test =
            |address: &&String| TEST_ADDRESSES.iter().any(|it| address.eq_ignore_ascii_case(it));
        if let Some(address) = addresses.iter().find(test) {
            let message = format!("`{address}` is the address of a lead that was made for a test");
            return Err(work.reject("R_TEST_LEAD", step, column, message));
        }
        let is_own = step.target == Target::Field(Field::Email);
        if is_own && !work.draft.fields.contains_key(&Field::Email) && !addresses.is_empty() {
            work.draft.fields.insert(Field::Email, addresses.remove(0).into());
        }
        work.draft.additional_emails.append(&mut addresses);
        Ok(())
    }

    fn put_field(
        &self,
        field: Field,
        step: &Step,
        column: Option<usize>,
        value: Value,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let Some(value) = self.read(step, column, value, work)? else { return Ok(()) };
        if field == Field::Country {
            work.country =
                work.country.or(value.as_str().and_then(|code| value::country(code).ok()));
        }
        match &step.source {
            Source::Constant(_) => {
                work.draft.fields.entry(field).or_insert(value);
            }
            Source::Columns { .. } => {
                work.draft.fields.insert(field, value);
            }
        }
        Ok(())
    }

    /// What is left to do when all of a row was read: what one cell means only beside others.
    pub(super) fn finish_contact(&self, work: &mut Work<'_>) -> Result<(), Rejection> {
        settle_name(work);
        promote(work);
        once(&mut work.draft.tags);
        others(work)?;
        self.identify(work)
    }

    /// Whether the row says whom it is about, well enough to be imported twice without doubling anybody.
    fn identify(&self, work: &Work<'_>) -> Result<(), Rejection> {
        let draft = &work.draft;
        let key = self.resolved.key.as_ref().and_then(|key| draft.custom.get(key));
        let known = draft.contact.is_some()
            || draft.email_key().is_some()
            || draft.phone_key().is_some()
            || key.is_some_and(|value| !value.is_null());
        if known {
            return Ok(());
        }
        if self.resolved.children_only {
            let message =
                "a note or task needs its contact: an id, an e-mail address or a phone number";
            return Err(whole_row("R_NO_CONTACT_ID", "contactId", message));
        }
        let names = [Field::FirstName, Field::LastName, Field::Name];
        let has_name =
            names.iter().any(|field| draft.fields.get(field).is_some_and(Json::is_string));
        match has_name {
            true if self.policy.allow_name_only => Ok(()),
            true => Err(whole_row(
                "R_NO_MATCH_KEY",
                "email",
                "the row has only a name, by which a contact cannot be found again: every import would \
                 make another one; add an e-mail address or phone number, or use `--allow-name-only`",
            )),
            false => Err(whole_row(
                "R_NO_IDENTITY",
                "email",
                "the row has no usable e-mail address, phone number, contact id or name",
            )),
        }
    }
}

/// A whole name counts only where its parts are missing. Some systems write the address for it.
fn settle_name(work: &mut Work<'_>) {
    let fields = &mut work.draft.fields;
    let text = |field| fields.get(&field).and_then(Json::as_str);
    let Some(name) = text(Field::Name) else { return };
    let in_parts = text(Field::FirstName).is_some() || text(Field::LastName).is_some();
    let is_address = text(Field::Email).is_some_and(|email| email.eq_ignore_ascii_case(name));
    if in_parts || is_address {
        fields.remove(&Field::Name);
    }
}

/// The first of the other addresses and numbers is the contact's own where it has none. Of a contact
/// that is known by its id, that would be a change that nobody asked for.
fn promote(work: &mut Work<'_>) {
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

/// Addresses and numbers beside the contact's own.
fn others(work: &mut Work<'_>) -> Result<(), Rejection> {
    let draft = &mut work.draft;
    if draft.additional_emails.is_empty() && draft.additional_phones.is_empty() {
        return Ok(());
    }
    if let Some(own) = draft.email_key() {
        draft.additional_emails.retain(|other| other.to_lowercase() != own);
    }
    if let Some(own) = draft.phone_key().map(str::to_owned) {
        draft.additional_phones.retain(|other| *other != own);
    }
    once(&mut draft.additional_emails);
    once(&mut draft.additional_phones);
    let emails = std::mem::take(&mut work.draft.additional_emails);
    let phones = std::mem::take(&mut work.draft.additional_phones);
    too_many(&emails, &Target::AdditionalEmails, "e-mail addresses")?;
    too_many(&phones, &Target::AdditionalPhones, "phone numbers")?;
    (work.draft.additional_emails, work.draft.additional_phones) = (emails, phones);
    Ok(())
}

/// Eleven are all that a contact has. The API takes one; which of the others the contact lacks, and so are
/// to be told, is seen when the contact is known.
fn too_many(others: &[String], target: &Target, what: &str) -> Result<(), Rejection> {
    if others.len() > MOST_OTHERS {
        let message =
            format!("{} additional {what} are too many: a contact has {MOST_OTHERS}", others.len());
        return Err(whole_row("R_TOO_MANY_VALUES", &target.to_string(), message));
    }
    Ok(())
}

/// Leaves the first of those that differ in nothing but case.
fn once(texts: &mut Vec<String>) {
    if texts.len() > 1 {
        let mut seen = HashSet::new();
        texts.retain(|text| seen.insert(text.to_lowercase()));
    }
}
