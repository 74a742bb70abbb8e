//! Identity: which contact a row is about, and what the mode makes of that.
//!
//! A row names its contact by id, e-mail and phone, or by a custom field. Each is looked up on its own by
//! the caller; here they are held against one another. Whenever they could mean two contacts, or a write
//! could take a value away from somebody the row is not about, the row is rejected: the server would pick
//! one and drop the other in silence (api.md §5.8).

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::validate::Rejection;
use crate::id::ContactId;
use crate::model::directory::Directory;
use crate::model::draft::Draft;
use crate::model::policy::{ExistingRule, IdentityKey, Mode, Policy};
use crate::model::target::Field;

/// A rejection of what the row says as a whole. `field` is the target that it is about.
pub(crate) fn rejection(code: &'static str, field: &str, message: impl Into<String>) -> Rejection {
    Rejection { code, field: field.to_owned(), column: None, message: message.into() }
}

/// The contacts that the account has for what a row says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The contact of the draft's id, if it exists.
    pub by_id: Option<ContactId>,
    /// Those whose primary e-mail address is the draft's.
    pub by_email: Vec<ContactId>,
    /// Those that have the draft's e-mail address only as an additional one.
    pub by_other_email: Vec<ContactId>,
    /// Those whose primary phone number is the draft's.
    pub by_phone: Vec<ContactId>,
    /// Those whose custom field holds the draft's value of it, where that is the key.
    pub by_key: Vec<ContactId>,
    /// The primary e-mail addresses of the contacts of `by_phone`; one without any is not in it.
    pub emails: BTreeMap<ContactId, String>,
}

/// What is to become of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The contact is created.
    Create,
    /// It is created although other contacts have its e-mail address or phone number. The server must not
    /// be left to look for it by these: it would find the others.
    CreateBeside {
        /// Whether others have its e-mail address.
        email: bool,
        /// Whether others have its phone number.
        phone: bool,
    },
    /// The contact is updated.
    Update(ContactId),
    /// The contact's tags are added to, and nothing else.
    Tag(ContactId),
    /// Tags are taken from the contact, and nothing else.
    Untag(ContactId),
    /// The contact exists and is left alone.
    Skip(ContactId),
}

impl Action {
    /// The contact, where there is one.
    #[must_use]
    pub fn contact(&self) -> Option<&ContactId> {
        match self {
            Self::Create | Self::CreateBeside { .. } => None,
            Self::Update(id) | Self::Tag(id) | Self::Untag(id) | Self::Skip(id) => Some(id),
        }
    }
}

/// The contact that a row is about; nothing when the account has none.
///
/// # Errors
/// When the row's id, e-mail, phone or key could mean more than one contact, or when a write would be
/// refused by the server or would take another contact's address or number.
pub fn resolve(
    draft: &Draft,
    found: &Found,
    policy: &Policy,
    directory: &Directory,
) -> Result<Option<ContactId>, Rejection> {
    let who = if let Some(id) = &draft.contact {
        Some(named(id, found)?)
    } else if let IdentityKey::Custom(key) = &policy.key {
        keyed(key, found)?
    } else {
        return usual(draft, found, directory);
    };
    refuse_taken(who.as_ref(), draft, found, directory)?;
    Ok(who)
}

/// The contact that a row wants to be deleted, or whose notes or tasks; nothing when it is gone already.
///
/// # Errors
/// As [`resolve`]; and whatever the location allows, a row must not name two contacts.
pub fn resolve_for_removal(
    draft: &Draft,
    found: &Found,
    policy: &Policy,
    directory: &Directory,
) -> Result<Option<ContactId>, Rejection> {
    if draft.contact.is_some() && found.by_id.is_none() {
        return Ok(None);
    }
    let Some(who) = resolve(draft, found, policy, directory)? else { return Ok(None) };
    for (field, owners) in [(Field::Email, &found.by_email), (Field::Phone, &found.by_phone)] {
        if let Some(other) = owners.first().filter(|_| !owners.contains(&who)) {
            return Err(two(field, &who, other));
        }
    }
    Ok(Some(who))
}

/// What the policy's mode makes of a row.
///
/// # Errors
/// As [`resolve`], and when the mode needs a contact that is not there, or one that is not there yet.
pub fn decide(
    draft: &Draft,
    found: &Found,
    policy: &Policy,
    directory: &Directory,
) -> Result<Action, Rejection> {
    let who = resolve(draft, found, policy, directory)?;
    match (policy.mode, who) {
        (Mode::Upsert | Mode::Update, Some(id)) => Ok(Action::Update(id)),
        (Mode::Tag, Some(id)) => Ok(Action::Tag(id)),
        (Mode::Untag, Some(id)) => Ok(Action::Untag(id)),
        // What is to go is planned on its own; here nothing becomes of it.
        (Mode::Delete, Some(id)) => Ok(Action::Skip(id)),
        (Mode::Create, Some(id)) => match policy.on_existing {
            ExistingRule::Skip => Ok(Action::Skip(id)),
            ExistingRule::Update => Ok(Action::Update(id)),
            ExistingRule::Reject => Err(rejection(
                "R_EXISTS",
                key_of(draft),
                format!("contact `{id}` exists already, and only new ones are to be created"),
            )),
        },
        (Mode::Update | Mode::Tag | Mode::Untag | Mode::Delete, None) => Err(not_there(draft)),
        (Mode::Upsert, None) if only_children(draft) => Err(not_there(draft)),
        (Mode::Upsert | Mode::Create, None) => Ok(creation(draft, found)),
    }
}

fn creation(draft: &Draft, found: &Found) -> Action {
    let emails = !(found.by_email.is_empty() && found.by_other_email.is_empty());
    let email = emails && draft.email_key().is_some();
    let phone = !found.by_phone.is_empty() && draft.phone_key().is_some();
    if email || phone { Action::CreateBeside { email, phone } } else { Action::Create }
}

/// Whether a row is there for its notes and tasks: what it says of the contact is how to know it.
#[must_use]
pub fn only_children(draft: &Draft) -> bool {
    let has_children = !(draft.notes.is_empty() && draft.tasks.is_empty());
    has_children && !draft.is_about_the_contact()
}

fn not_there(draft: &Draft) -> Rejection {
    let message = "no contact of the location is the row's, and this import creates none for it; \
                   check the value, or create the contact first";
    rejection("R_NOT_FOUND", key_of(draft), message)
}

/// The target by which a row's contact is known.
fn key_of(draft: &Draft) -> &'static str {
    if draft.contact.is_some() {
        "contactId"
    } else if draft.email_key().is_none() && draft.phone_key().is_some() {
        Field::Phone.name()
    } else {
        Field::Email.name()
    }
}

/// A stale id must not create a contact, whatever the mode.
fn named(id: &ContactId, found: &Found) -> Result<ContactId, Rejection> {
    found.by_id.clone().ok_or_else(|| {
        let message = format!(
            "the location has no contact `{id}`; it may have been deleted, or belong to another location; to \
             bring contacts of another location over, leave the column out: `--ignore-column`"
        );
        rejection("R_NOT_FOUND", "contactId", message)
    })
}

fn keyed(key: &str, found: &Found) -> Result<Option<ContactId>, Rejection> {
    match found.by_key.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        several => Err(ambiguous(&format!("customFields.{key}"), several)),
    }
}

/// By e-mail and phone, each on its own.
fn usual(
    draft: &Draft,
    found: &Found,
    directory: &Directory,
) -> Result<Option<ContactId>, Rejection> {
    let by_email = by_email(draft, found)?;
    let phone = draft.phone_key().map_or(&[][..], |_| &found.by_phone);
    match (by_email, phone) {
        (who, []) => Ok(who),
        (Some(who), phone) if phone.contains(&who) => Ok(Some(who)),
        (Some(who), phone) => Err(two(Field::Phone, &who, &phone[0])),
        (None, [one]) if draft.email_key().is_none() => Ok(Some(one.clone())),
        (None, several) if draft.email_key().is_none() => {
            Err(ambiguous(Field::Phone.name(), several))
        }
        (None, phone) => by_phone_of_another_email(phone, found, directory),
    }
}

fn by_email(draft: &Draft, found: &Found) -> Result<Option<ContactId>, Rejection> {
    if draft.email_key().is_none() {
        return Ok(None);
    }
    match (found.by_email.as_slice(), found.by_other_email.as_slice()) {
        ([one], _) => Ok(Some(one.clone())),
        ([], []) => Ok(None),
        ([], [other, ..]) => Err(rejection(
            "R_SECONDARY_EMAIL",
            Field::Email.name(),
            format!(
                "contact `{other}` has this address as an additional one, and a write would put it in \
                 the place of the primary one; name the contact by its id or its primary address"
            ),
        )),
        (several, _) => Err(ambiguous(Field::Email.name(), several)),
    }
}

/// The row's e-mail address is nobody's, and its phone number is somebody's.
fn by_phone_of_another_email(
    phone: &[ContactId],
    found: &Found,
    directory: &Directory,
) -> Result<Option<ContactId>, Rejection> {
    let without = phone.iter().any(|id| !found.emails.contains_key(id));
    match phone {
        // Nothing says that it is somebody else, and the server would take it for the same.
        [one] if without => Ok(Some(one.clone())),
        several if without => Err(ambiguous(Field::Phone.name(), several)),
        _ if is_unique(directory, Field::Phone) => Err(of_another(Field::Phone, &phone[0])),
        _ => Ok(None),
    }
}

/// Rejects a row whose e-mail or phone belongs to another contact than the one it is about, where the
/// location lets only one have it.
fn refuse_taken(
    who: Option<&ContactId>,
    draft: &Draft,
    found: &Found,
    directory: &Directory,
) -> Result<(), Rejection> {
    let email = draft.email_key().map_or(&[][..], |_| &found.by_email);
    let phone = draft.phone_key().map_or(&[][..], |_| &found.by_phone);
    for (field, owners) in [(Field::Email, email), (Field::Phone, phone)] {
        let own = who.is_some_and(|who| owners.contains(who));
        let Some(other) = owners.first().filter(|_| !own && is_unique(directory, field)) else {
            continue;
        };
        return Err(match who {
            Some(who) => two(field, who, other),
            None => of_another(field, other),
        });
    }
    Ok(())
}

/// Whether the location refuses a second contact with the same value.
#[must_use]
pub fn is_unique(directory: &Directory, field: Field) -> bool {
    !directory.allows_duplicates && identifies(directory, field)
}

/// Whether the location knows contacts by the field. One that does not say goes by both, as the service
/// does by default (api.md §5.7).
#[must_use]
pub fn identifies(directory: &Directory, field: Field) -> bool {
    let listed = directory.unique.iter().any(|name| name.eq_ignore_ascii_case(field.name()));
    matches!(field, Field::Email | Field::Phone) && (listed || directory.unique.is_empty())
}

fn two(field: Field, one: &ContactId, other: &ContactId) -> Rejection {
    let what = said(field);
    let message = format!(
        "the row is about contact `{one}`, but its {what} is contact `{other}`'s; merge the two, or take \
         the {what} out of the row"
    );
    rejection("R_TWO_CONTACTS", field.name(), message)
}

fn of_another(field: Field, other: &ContactId) -> Rejection {
    let (code, what) = match field {
        Field::Phone => ("R_PHONE_OF_ANOTHER", said(field)),
        _ => ("R_EMAIL_OF_ANOTHER", said(field)),
    };
    let message = format!(
        "the {what} is contact `{other}`'s, and the location lets only one contact have it; name that \
         contact by its id, or take the {what} out of the row"
    );
    rejection(code, field.name(), message)
}

fn said(field: Field) -> &'static str {
    if field == Field::Phone { "phone number" } else { "e-mail address" }
}

fn ambiguous(field: &str, several: &[ContactId]) -> Rejection {
    let named: Vec<String> = several.iter().take(5).map(|id| format!("`{id}`")).collect();
    let more = if several.len() > named.len() { ", …" } else { "" };
    let message = format!(
        "{} contacts have this value: {}{more}; name the one that is meant by its id",
        several.len(),
        named.join(", ")
    );
    rejection("R_AMBIGUOUS_MATCH", field, message)
}
