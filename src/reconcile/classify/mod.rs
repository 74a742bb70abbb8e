//! Judging a hit: is what was found the op's own work? Pure.

use serde_json::Value;

use super::lookup::{Identity, identity};
use super::{CONTACT_GONE, EXISTS_NOW, Finding};
use crate::id::ContactId;
use crate::model::remote::Live;
use crate::model::verify::{self, ThreeWay};
use crate::model::{Change, Field, Op};

/// When the work of an op can have been added, by the server's clock in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// Judges a contact that has the e-mail address or phone of one to be created.
pub(super) fn created(change: &Change, window: Window, live: &Live) -> Finding {
    if came_since(change, window, live) && !is_another(change, live) {
        return differ(change, live, None);
    }
    exists(live)
}

/// A contact that stands in the way of one to be created.
pub(super) fn exists(live: &Live) -> Finding {
    Finding::Refused {
        code: EXISTS_NOW,
        message: format!(
            "contact `{}` with this e-mail address or phone has come since the plan; plan the row again",
            live.id
        ),
        contact: Some(live.id.to_string()),
    }
}

/// Whether a contact has another e-mail address or phone than one to be created, and so is somebody else,
/// who shares the other of the two.
pub(super) fn is_another(change: &Change, live: &Live) -> bool {
    let Identity { email, phone } = identity(change);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let emails = live.field(Field::Email).zip(email);
    let phones = live.field(Field::Phone).zip(phone);
    emails.is_some_and(|(live, sent)| live.to_lowercase() != sent.to_lowercase())
        || phones.is_some_and(|(live, sent)| digits(live) != digits(sent))
}

/// What an op that was applied came to, by what stands there.
#[must_use]
pub fn differ(change: &Change, live: &Live, message: Option<&str>) -> Finding {
    let made = change.makes_the_contact().then(|| live.id.to_string());
    let differences = verify::differences(change, live);
    if differences.is_empty() && message.is_none() {
        Finding::Applied { made }
    } else {
        Finding::Differs { made, differences, message: message.map(str::to_owned) }
    }
}

/// Judges an update by what stands there now, before and as it should be.
pub(super) fn updated(op: &Op, live: &Live) -> Finding {
    match verify::three_way(&op.change, &op.before, live) {
        ThreeWay::Applied => Finding::Applied { made: None },
        ThreeWay::NotApplied => Finding::NotApplied,
        ThreeWay::Conflict(fields) => Finding::Conflict { fields },
    }
}

/// A contact that is gone.
#[must_use]
pub fn gone(id: &ContactId) -> Finding {
    let message = format!("contact `{id}` does not exist any more");
    Finding::Refused { code: CONTACT_GONE, message, contact: None }
}

/// Whether a contact was added after the op was first sent, however late. One that does not say when is
/// taken for the op's work if it equals it.
pub(super) fn came_since(change: &Change, window: Window, live: &Live) -> bool {
    match live.added_ms {
        Some(added) => added >= window.from,
        None => verify::differences(change, live).is_empty(),
    }
}

/// Whether a contact without identity can be the op's work: everything that was sent is there, and it was
/// added while the request may have been applied.
pub(super) fn equal_in_window(change: &Change, window: Window, live: &Live) -> bool {
    let added = live.added_ms.is_some_and(|at| (window.from..=window.to).contains(&at));
    added && verify::differences(change, live).is_empty()
}

/// Whether a contact has an identity.
pub(super) fn has_identity(live: &Live, email: Option<&str>, phone: Option<&str>) -> bool {
    let same = |field, value: Option<&str>| {
        let pair = live.field(field).zip(value);
        pair.is_some_and(|(live, value)| live.to_lowercase() == value.to_lowercase())
    };
    same(Field::Email, email) || same(Field::Phone, phone)
}

/// Whether a child that exists equals one to be created.
#[must_use]
pub fn equals_child(change: &Change, child: &Value) -> bool {
    match change {
        Change::CreateNote { body } => verify::same_note(body, child),
        Change::CreateTask { body } => verify::same_task(body, child),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
