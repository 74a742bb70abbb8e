//! Classifies a record found by a look-up: is it the op's result? Pure functions.

use serde_json::Value;

use super::{CONTACT_GONE, EXISTS_NOW, OpResolution};
use crate::id::ContactId;
use crate::model::remote::RemoteContact;
use crate::model::verify::{self, ThreeWayResult};
use crate::model::{Field, Op, OpChange};

/// The window in which the op's result can have been added, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CreationWindow {
    /// By whichever clock is earlier.
    pub(super) from: i64,
    /// By the clock that the responses show. What was added before is the op's result only if it is equal to it.
    pub(super) certain_from: i64,
    pub(super) to: i64,
}

/// Classifies a contact that has the e-mail address or phone of one to be created.
pub(super) fn classify_created(
    change: &OpChange,
    window: CreationWindow,
    remote: &RemoteContact,
) -> OpResolution {
    if is_added_since(change, window, remote) && !has_other_identity(change, remote) {
        return classify_applied(change, remote, None);
    }
    blocked_by_existing(remote)
}

/// The resolution for a contact that blocks one to be created.
pub(super) fn blocked_by_existing(remote: &RemoteContact) -> OpResolution {
    OpResolution::Refused {
        code: EXISTS_NOW,
        message: format!(
            "contact `{}` with this e-mail address or phone was added after the import was planned; plan the row again",
            remote.id
        ),
        contact: Some(remote.id.to_string()),
    }
}

/// Whether a contact has a different e-mail address or phone than one to be created, and so is
/// another contact that shares the other of the two.
pub(super) fn has_other_identity(change: &OpChange, remote: &RemoteContact) -> bool {
    let SentIdentity { email, phone } = sent_identity(change);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let emails = remote.native_field(Field::Email).zip(email);
    let phones = remote.native_field(Field::Phone).zip(phone);
    emails.is_some_and(|(remote, sent)| remote.to_lowercase() != sent.to_lowercase())
        || phones.is_some_and(|(remote, sent)| digits(remote) != digits(sent))
}

/// The resolution of an op that was applied, from the current record.
#[must_use]
pub fn classify_applied(
    change: &OpChange,
    remote: &RemoteContact,
    message: Option<&str>,
) -> OpResolution {
    let made = change.creates_contact().then(|| remote.id.to_string());
    let differences = verify::find_mismatches(change, remote);
    if differences.is_empty() && message.is_none() {
        OpResolution::Applied { made }
    } else {
        OpResolution::Differs { made, differences, message: message.map(str::to_owned) }
    }
}

/// Classifies an update from the current, the previous and the planned values.
pub(super) fn classify_updated(op: &Op, remote: &RemoteContact) -> OpResolution {
    match verify::compare_three_way(&op.change, &op.before, remote) {
        ThreeWayResult::Applied => OpResolution::Applied { made: None },
        ThreeWayResult::NotApplied => OpResolution::NotApplied,
        ThreeWayResult::Conflict(fields) => OpResolution::Conflict { fields },
    }
}

/// The resolution for a contact that is gone.
#[must_use]
pub fn contact_gone(id: &ContactId) -> OpResolution {
    let message = format!("contact `{id}` no longer exists");
    OpResolution::Refused { code: CONTACT_GONE, message, contact: None }
}

/// Whether a contact was added after the op was first sent, however late. Where the clocks leave that open, and without
/// a date, it counts as the op's result if it is equal to it.
pub(super) fn is_added_since(
    change: &OpChange,
    window: CreationWindow,
    remote: &RemoteContact,
) -> bool {
    let added = remote.added_ms;
    if added.is_some_and(|added| added >= window.certain_from) {
        return true;
    }
    added.is_none_or(|added| added >= window.from)
        && verify::find_mismatches(change, remote).is_empty()
}

/// Whether a contact without identity can be the op's result: it has everything that was sent, and
/// it was added while the request may have been applied.
pub(super) fn is_equal_in_window(
    change: &OpChange,
    window: CreationWindow,
    remote: &RemoteContact,
) -> bool {
    let added = remote.added_ms.is_some_and(|at| (window.from..=window.to).contains(&at));
    added && verify::find_mismatches(change, remote).is_empty()
}

/// Whether a contact matches the identity.
pub(super) fn matches_identity(
    remote: &RemoteContact,
    email: Option<&str>,
    phone: Option<&str>,
) -> bool {
    let same = |field, value: Option<&str>| {
        let pair = remote.native_field(field).zip(value);
        pair.is_some_and(|(remote, value)| remote.to_lowercase() == value.to_lowercase())
    };
    same(Field::Email, email) || same(Field::Phone, phone)
}

/// Whether an existing child is equal to one to be created.
#[must_use]
pub fn equals_child(change: &OpChange, child: &Value) -> bool {
    match change {
        OpChange::CreateNote { body } => verify::note_matches_body(body, child),
        OpChange::CreateTask { body } => verify::task_matches_body(body, child),
        _ => false,
    }
}

/// The e-mail address and phone of a contact to be created.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SentIdentity<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
}

impl SentIdentity<'_> {
    pub(super) fn is_none(&self) -> bool {
        self.email.is_none() && self.phone.is_none()
    }

    pub(super) fn is_some(&self) -> bool {
        !self.is_none()
    }
}

/// The identity of the contact that a change creates.
pub(super) fn sent_identity(change: &OpChange) -> SentIdentity<'_> {
    let (OpChange::Create { body } | OpChange::Upsert { body }) = change else {
        return SentIdentity::default();
    };
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    SentIdentity { email: text("email"), phone: text("phone") }
}

#[cfg(test)]
mod tests;
