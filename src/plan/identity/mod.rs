//! Identity: which contact a row is about, and what to do with it in the import's mode.
//!
//! A row identifies its contact by id, e-mail and phone, or by a custom field. The caller looks up
//! each of them separately; here the results are combined. If they could mean two contacts, or a
//! write could take a value from another contact, the row is rejected: the server would silently
//! pick one and drop the other (api.md §5.8).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::ContactId;
use crate::model::directory::LocationDirectory;
use crate::model::draft::ContactDraft;
use crate::model::policy::{
    ExistingRule, IdentityKey, ImportMode, ImportPolicy, MissingContactRule,
};
use crate::model::target::Field;

/// A rejection of the row as a whole. `field` is the target that caused it.
pub(crate) fn row_rejection(
    code: DiagnosticCode,
    field: &str,
    message: impl Into<String>,
) -> Diagnostic {
    Diagnostic::new(code, message).in_field(field)
}

/// The contacts that match a row's values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactMatches {
    /// The contact with the draft's id, if it exists.
    pub by_id: Option<ContactId>,
    /// Contacts whose primary e-mail address is the draft's.
    pub by_email: Vec<ContactId>,
    /// Contacts that have the draft's e-mail address only as an additional one.
    pub by_other_email: Vec<ContactId>,
    /// Contacts whose primary phone number is the draft's.
    pub by_phone: Vec<ContactId>,
    /// Contacts whose custom field has the draft's value, if that field is the key.
    pub by_key: Vec<ContactId>,
    /// The primary e-mail addresses of the contacts in `by_phone`, where they have one.
    pub emails: BTreeMap<ContactId, String>,
    /// How messages name the contacts, where that is known; see `ContactMatches::label_of`.
    pub labels: BTreeMap<ContactId, String>,
}

impl ContactMatches {
    /// All contacts, each once.
    #[must_use]
    pub fn contact_ids(&self) -> BTreeSet<&ContactId> {
        let lists = [&self.by_email, &self.by_other_email, &self.by_phone, &self.by_key];
        self.by_id.iter().chain(lists.into_iter().flatten()).collect()
    }

    /// How messages name a contact.
    fn label_of(&self, id: &ContactId) -> String {
        self.labels.get(id).cloned().unwrap_or_else(|| format!("contact `{id}`"))
    }
}

/// What is to be done with the contact that a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactAction {
    /// The contact is created.
    Create,
    /// It is created although other contacts have its e-mail address or phone number. The server
    /// must not match it by these: it would find the others.
    CreateBeside {
        /// Whether other contacts have its e-mail address.
        email: bool,
        /// Whether other contacts have its phone number.
        phone: bool,
    },
    /// The contact is updated.
    Update(ContactId),
    /// Tags are added to the contact, and nothing else.
    Tag(ContactId),
    /// Tags are removed from the contact, and nothing else.
    Untag(ContactId),
    /// The contact exists and is left unchanged.
    Skip(ContactId),
}

impl ContactAction {
    /// The contact, if it exists.
    #[must_use]
    pub fn contact_id(&self) -> Option<&ContactId> {
        match self {
            Self::Create | Self::CreateBeside { .. } => None,
            Self::Update(id) | Self::Tag(id) | Self::Untag(id) | Self::Skip(id) => Some(id),
        }
    }
}

/// The contact of a row; `None` if it does not exist.
///
/// # Errors
/// When the row's id, e-mail, phone or key could mean more than one contact, or when the server
/// would reject a write or take another contact's address or number.
pub fn resolve_contact(
    draft: &ContactDraft,
    found: &ContactMatches,
    policy: &ImportPolicy,
    directory: &LocationDirectory,
) -> Result<Option<ContactId>, Diagnostic> {
    let who = if let Some(id) = &draft.contact {
        Some(match_by_id(id, found)?)
    } else {
        match &policy.key {
            IdentityKey::Custom(key) => match_by_key(&format!("customFields.{key}"), found)?,
            IdentityKey::Name => match_by_name(draft, found)?,
            IdentityKey::Usual => return match_by_email_and_phone(draft, found, directory),
        }
    };
    reject_taken_values(who.as_ref(), draft, found, directory)?;
    Ok(who)
}

/// The contact that a row deletes, or whose notes or tasks it deletes; `None` if it no longer
/// exists.
///
/// # Errors
/// As [`resolve_contact`]; in addition, a row must not match two contacts even where the location
/// allows duplicates.
pub fn resolve_for_deletion(
    draft: &ContactDraft,
    found: &ContactMatches,
    policy: &ImportPolicy,
    directory: &LocationDirectory,
) -> Result<Option<ContactId>, Diagnostic> {
    if draft.contact.is_some() && found.by_id.is_none() {
        return Ok(None);
    }
    let Some(who) = resolve_contact(draft, found, policy, directory)? else { return Ok(None) };
    for (field, owners) in [(Field::Email, &found.by_email), (Field::Phone, &found.by_phone)] {
        if let Some(other) = owners.first().filter(|_| !owners.contains(&who)) {
            return Err(two_contacts_rejection(found, field, &who, other));
        }
    }
    Ok(Some(who))
}

/// Decides what the policy's mode does with a row.
///
/// # Errors
/// As [`resolve_contact`], and when the mode requires that the contact exists, or that it does not.
pub fn decide_action(
    draft: &ContactDraft,
    found: &ContactMatches,
    policy: &ImportPolicy,
    directory: &LocationDirectory,
) -> Result<ContactAction, Diagnostic> {
    let who = resolve_contact(draft, found, policy, directory)?;
    match (policy.mode, who) {
        (ImportMode::Upsert | ImportMode::Update, Some(id)) => Ok(ContactAction::Update(id)),
        (ImportMode::Tag, Some(id)) => Ok(ContactAction::Tag(id)),
        (ImportMode::Untag, Some(id)) => Ok(ContactAction::Untag(id)),
        // Deletions are planned separately; nothing is done with the row here.
        (ImportMode::Delete, Some(id)) => Ok(ContactAction::Skip(id)),
        (ImportMode::Create, Some(id)) => match policy.on_existing {
            ExistingRule::Skip => Ok(ContactAction::Skip(id)),
            ExistingRule::Update => Ok(ContactAction::Update(id)),
            ExistingRule::Reject => Err(row_rejection(
                DiagnosticCode::R_EXISTS,
                identity_target(draft),
                format!(
                    "{} exists already, and this import only creates contacts",
                    found.label_of(&id)
                ),
            )),
        },
        (ImportMode::Update | ImportMode::Tag | ImportMode::Untag | ImportMode::Delete, None) => {
            Err(contact_not_found(draft))
        }
        (ImportMode::Upsert, None) if !may_create(draft, policy) => Err(contact_not_found(draft)),
        (ImportMode::Create, None) if task_without_contact(draft).is_some() => {
            Err(contact_not_found(draft))
        }
        (ImportMode::Upsert | ImportMode::Create, None)
            if policy.key == IdentityKey::Name
                && !policy.allow_name_only
                && has_only_name(draft) =>
        {
            let message = "no contact has this name, and one with only a name could not be found again by anything else; \
                 check the name, or use `--allow-name-only`";
            Err(row_rejection(DiagnosticCode::R_NO_MATCH_KEY, Field::Name.name(), message))
        }
        (ImportMode::Upsert | ImportMode::Create, None) => Ok(create_action(draft, found)),
    }
}

/// Whether a row may create its contact. One with nothing but notes or tasks is about a contact that exists, unless the
/// import says otherwise; an id never creates.
fn may_create(draft: &ContactDraft, policy: &ImportPolicy) -> bool {
    let is_wanted = policy.missing_contact == MissingContactRule::Create
        && draft.contact.is_none()
        && task_without_contact(draft).is_none();
    is_wanted || !has_only_children(draft)
}

fn create_action(draft: &ContactDraft, found: &ContactMatches) -> ContactAction {
    let emails = !(found.by_email.is_empty() && found.by_other_email.is_empty());
    let email = emails && draft.email_key().is_some();
    let phone = !found.by_phone.is_empty() && draft.phone_key().is_some();
    if email || phone {
        ContactAction::CreateBeside { email, phone }
    } else {
        ContactAction::Create
    }
}

/// Whether a row is only about notes and tasks: it has nothing of the contact but its identity.
#[must_use]
pub fn has_only_children(draft: &ContactDraft) -> bool {
    let has_children = !(draft.notes.is_empty() && draft.tasks.is_empty());
    has_children && !draft.has_contact_changes()
}

/// The id of the task by which alone a row is identified.
fn task_without_contact(draft: &ContactDraft) -> Option<&str> {
    let named = draft.contact.is_some() || !draft.fields.is_empty() || !draft.custom.is_empty();
    draft.tasks.iter().find_map(|task| task.id.as_deref()).filter(|_| !named)
}

fn contact_not_found(draft: &ContactDraft) -> Diagnostic {
    if let Some(id) = task_without_contact(draft) {
        let message = format!(
            "the location has no task `{id}`; it may have been deleted or belong to another location"
        );
        return row_rejection(DiagnosticCode::R_NOT_FOUND, "task.id", message);
    }
    let message = "the location has no contact for this row, and this import does not create \
     one; check the value, or create the contact first";
    let message = if has_only_children(draft) && draft.contact.is_none() {
        format!("{message} (`--missing-contact create` does)")
    } else {
        message.to_owned()
    };
    row_rejection(DiagnosticCode::R_NOT_FOUND, identity_target(draft), message)
}

/// The target that identifies a row's contact.
fn identity_target(draft: &ContactDraft) -> &'static str {
    if draft.contact.is_some() {
        "contactId"
    } else if draft.email_key().is_none() && draft.phone_key().is_some() {
        Field::Phone.name()
    } else {
        Field::Email.name()
    }
}

/// A stale id must not create a contact in any mode.
fn match_by_id(id: &ContactId, found: &ContactMatches) -> Result<ContactId, Diagnostic> {
    found.by_id.clone().ok_or_else(|| {
        let message = format!(
            "the location has no contact `{id}`; it may have been deleted or belong to another \
             location; to copy contacts from another location, leave the column out with \
             `--ignore-column`"
        );
        row_rejection(DiagnosticCode::R_NOT_FOUND, "contactId", message)
    })
}

fn match_by_key(field: &str, found: &ContactMatches) -> Result<Option<ContactId>, Diagnostic> {
    match found.by_key.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(ambiguous_rejection(found, field, several)),
    }
}

/// By the full name. A row with nothing else changes none of the contacts that have it, so it may be about any of them.
fn match_by_name(
    draft: &ContactDraft,
    found: &ContactMatches,
) -> Result<Option<ContactId>, Diagnostic> {
    match found.by_key.as_slice() {
        [first, _, ..] if has_only_name(draft) => Ok(Some(first.clone())),
        _ => match_by_key(Field::Name.name(), found),
    }
}

/// Whether a row has nothing but the name of its contact.
fn has_only_name(draft: &ContactDraft) -> bool {
    let name = |field: &Field| matches!(field, Field::FirstName | Field::LastName | Field::Name);
    let fields = draft.fields.iter().filter(|(field, _)| name(field));
    let names = ContactDraft {
        fields: fields.map(|(field, value)| (*field, value.clone())).collect(),
        written: draft.written.clone(),
        unread: draft.unread.clone(),
        ..ContactDraft::default()
    };
    *draft == names
}

/// By e-mail and phone, each on its own.
fn match_by_email_and_phone(
    draft: &ContactDraft,
    found: &ContactMatches,
    directory: &LocationDirectory,
) -> Result<Option<ContactId>, Diagnostic> {
    let by_email = match_by_email(draft, found)?;
    let phone = draft.phone_key().map_or(&[][..], |_| &found.by_phone);
    match (by_email, phone) {
        (who, []) => Ok(who),
        (Some(who), phone) if phone.contains(&who) => Ok(Some(who)),
        (Some(who), phone) => Err(two_contacts_rejection(found, Field::Phone, &who, &phone[0])),
        (None, [one]) if draft.email_key().is_none() => Ok(Some(one.clone())),
        (None, several) if draft.email_key().is_none() => {
            Err(ambiguous_rejection(found, Field::Phone.name(), several))
        }
        (None, phone) => match_by_phone_with_new_email(phone, found, directory),
    }
}

fn match_by_email(
    draft: &ContactDraft,
    found: &ContactMatches,
) -> Result<Option<ContactId>, Diagnostic> {
    if draft.email_key().is_none() {
        return Ok(None);
    }
    match (found.by_email.as_slice(), found.by_other_email.as_slice()) {
        ([one], _) => Ok(Some(one.clone())),
        ([], []) => Ok(None),
        ([], [other, ..]) => Err(row_rejection(
            DiagnosticCode::R_SECONDARY_EMAIL,
            Field::Email.name(),
            format!(
                "{} has this address as an additional one, and a write would \
                 replace its primary address with it; identify the contact by its id or its \
                 primary address",
                found.label_of(other)
            ),
        )),
        (several, _) => Err(ambiguous_rejection(found, Field::Email.name(), several)),
    }
}

/// No contact has the row's e-mail address, but one has its phone number.
fn match_by_phone_with_new_email(
    phone: &[ContactId],
    found: &ContactMatches,
    directory: &LocationDirectory,
) -> Result<Option<ContactId>, Diagnostic> {
    let without = phone.iter().any(|id| !found.emails.contains_key(id));
    match phone {
        // Nothing indicates another person, and the server would treat them as the same.
        [one] if without => Ok(Some(one.clone())),
        several if without => Err(ambiguous_rejection(found, Field::Phone.name(), several)),
        _ if is_unique_field(directory, Field::Phone) => {
            Err(taken_value_rejection(found, Field::Phone, &phone[0]))
        }
        _ => Ok(None),
    }
}

/// Rejects a row whose e-mail or phone belongs to a contact other than its own, where the location
/// requires it to be unique.
fn reject_taken_values(
    who: Option<&ContactId>,
    draft: &ContactDraft,
    found: &ContactMatches,
    directory: &LocationDirectory,
) -> Result<(), Diagnostic> {
    let email = draft.email_key().map_or(&[][..], |_| &found.by_email);
    let phone = draft.phone_key().map_or(&[][..], |_| &found.by_phone);
    for (field, owners) in [(Field::Email, email), (Field::Phone, phone)] {
        let own = who.is_some_and(|who| owners.contains(who));
        let Some(other) = owners.first().filter(|_| !own && is_unique_field(directory, field))
        else {
            continue;
        };
        return Err(match who {
            Some(who) => two_contacts_rejection(found, field, who, other),
            None => taken_value_rejection(found, field, other),
        });
    }
    Ok(())
}

/// Whether the location rejects a second contact with the same value.
#[must_use]
pub fn is_unique_field(directory: &LocationDirectory, field: Field) -> bool {
    !directory.allows_duplicates && is_identity_field(directory, field)
}

/// Whether the location matches contacts by the field. One that does not say matches by both, the
/// service's default (api.md §5.7).
#[must_use]
pub fn is_identity_field(directory: &LocationDirectory, field: Field) -> bool {
    let listed = directory.unique.iter().any(|name| name.eq_ignore_ascii_case(field.name()));
    matches!(field, Field::Email | Field::Phone) && (listed || directory.unique.is_empty())
}

fn two_contacts_rejection(
    found: &ContactMatches,
    field: Field,
    one: &ContactId,
    other: &ContactId,
) -> Diagnostic {
    let what = field_display_name(field);
    let (one, other) = (found.label_of(one), found.label_of(other));
    let message = format!(
        "the row is about {one}, but its {what} belongs to {other}; merge the two, or remove the \
         {what} from the row"
    );
    row_rejection(DiagnosticCode::R_TWO_CONTACTS, field.name(), message)
}

fn taken_value_rejection(found: &ContactMatches, field: Field, other: &ContactId) -> Diagnostic {
    let other = found.label_of(other);
    let (code, what) = match field {
        Field::Phone => (DiagnosticCode::R_PHONE_OF_ANOTHER, field_display_name(field)),
        _ => (DiagnosticCode::R_EMAIL_OF_ANOTHER, field_display_name(field)),
    };
    let message = format!(
        "the {what} belongs to {other}, and the location allows only one contact to have it; \
         identify that contact by its id, or remove the {what} from the row"
    );
    row_rejection(code, field.name(), message)
}

fn field_display_name(field: Field) -> &'static str {
    if field == Field::Phone { "phone number" } else { "e-mail address" }
}

fn ambiguous_rejection(found: &ContactMatches, field: &str, several: &[ContactId]) -> Diagnostic {
    let named: Vec<String> = several.iter().take(5).map(|id| found.label_of(id)).collect();
    let more = if several.len() > named.len() { ", …" } else { "" };
    let message = format!(
        "{} contacts have this value: {}{more}; identify the right one by its id",
        several.len(),
        named.join(", ")
    );
    row_rejection(DiagnosticCode::R_AMBIGUOUS_MATCH, field, message)
}
