//! A full name for a contact whose name is stored in parts: the parts that an edit of it changes.
//!
//! The server would split a full name in its own way, so the parts are written.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::update_bodies::UpdateBodies;
use super::{RowPlanBuilder, literal};
use crate::diagnostic::DiagnosticCode;
use crate::model::draft::ContactDraft;
use crate::model::remote::RemoteContact;
use crate::model::target::Field;

/// First and last name.
const PARTS: [Field; 2] = [Field::FirstName, Field::LastName];

/// Whether a row has a first or a last name of its own.
pub(super) fn has_parts(draft: &ContactDraft) -> bool {
    PARTS.iter().any(|part| draft.fields.contains_key(part))
}

/// Writes the parts of the name that a row's full name changes. A row with parts of its own has them from there: once
/// an edit of them is applied, its full name is the old one.
pub(super) fn plan_name_edit(
    work: &mut RowPlanBuilder<'_>,
    wanted: Option<&str>,
    remote: &RemoteContact,
    bodies: &mut UpdateBodies,
) {
    let Some(wanted) = wanted.filter(|_| !has_parts(work.draft)) else { return };
    let whole = remote.full_name();
    if lower_words(wanted) == lower_words(&whole)
        || literal::cell_equals_text(work.draft, Field::Name.name(), &whole)
    {
        return;
    }
    let Some(parts) = split_edited_name(wanted, remote) else {
        let message = format!(
            "the contact is called `{whole}`, and `{wanted}` does not say which part of that it changes; map first \
             and last name separately"
        );
        work.add_warning(DiagnosticCode::W_NAME_NOT_UPDATED, Field::Name.name(), message);
        return;
    };
    for (field, new) in PARTS.into_iter().zip(parts) {
        let current = remote.native_field(field);
        if current == Some(new.as_str()) {
            continue;
        }
        bodies.body.insert(field.name().to_owned(), new.as_str().into());
        bodies.before.insert(field.name().to_owned(), current.map_or(Value::Null, Value::from));
        work.add_field_change(field.name(), current.unwrap_or_default().to_owned(), new);
    }
}

/// The first and the last name after an edit: the part that is still there stays. `None` if a part would get lost.
fn split_edited_name(wanted: &str, remote: &RemoteContact) -> Option<[String; 2]> {
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let [first, last] = PARTS.map(|part| remote.native_field(part).unwrap_or_default());
    let lower = lower_words(wanted);
    let (first_words, last_words) = (lower_words(first), lower_words(last));
    let keeps_last =
        !last_words.is_empty() && words.len() > last_words.len() && lower.ends_with(&last_words);
    let keeps_first = !first_words.is_empty()
        && words.len() > first_words.len()
        && lower.starts_with(&first_words);
    let at = match (keeps_last, keeps_first) {
        (true, _) => words.len() - last_words.len(),
        (false, true) => first_words.len(),
        // Neither is left: the first word is the first name.
        (false, false) if words.len() > 1 => 1,
        (false, false) => return None,
    };
    Some([words[..at].join(" "), words[at..].join(" ")])
}

/// The words of a name as they are compared: in lower case, and with accents in one form.
fn lower_words(text: &str) -> Vec<String> {
    text.split_whitespace().map(|word| word.nfc().collect::<String>().to_lowercase()).collect()
}
