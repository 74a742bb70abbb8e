//! Unreadable cells of a row, compared with the account.

use serde_json::Value;

use super::{RemoteChildren, change_text, damage, literal};
use crate::diagnostic::Diagnostic;
use crate::model::draft::{ContactDraft, UnreadableCell};
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::{Field, MappingTarget, NotePart};

/// The unreadable cells whose text differs from the account. A cell with the same text requests no
/// change.
#[must_use]
pub fn differing_unreadable_cells<'d>(
    draft: &'d ContactDraft,
    remote: Option<&RemoteContact>,
    children: &RemoteChildren,
) -> Vec<&'d UnreadableCell> {
    let note_date = MappingTarget::Note(NotePart::Date).to_string();
    let says = |to: &str, text: &str| {
        let current = remote.and_then(|remote| remote_value(draft, to, remote, children));
        current.is_some_and(|current| {
            let current_text = change_text::format_value(&current);
            equality::same_text(&current_text, text)
                || literal::is_json_text_of(text, &current)
                || damage::is_damaged_copy(text, &current_text)
                || to == note_date && is_same_moment(text, &current)
        })
    };
    let is_name = MappingTarget::Field(Field::Name).to_string();
    let says = |to: &str, text: &str| {
        // The display name may be in lower case, and other than the parts.
        let current = remote.and_then(|remote| remote.native_field(Field::Name));
        let has_name = to == is_name
            && current.is_some_and(|current| equality::same_field(Field::Name, current, text));
        has_name || says(to, text)
    };
    let differs = |unread: &&UnreadableCell| {
        let other =
            paired_name_cell(draft, unread).is_some_and(|other| says(&other.to, &unread.text));
        !other && !says(&unread.to, &unread.text)
    };
    draft.unread.iter().filter(differs).collect()
}

fn is_same_moment(text: &str, current: &Value) -> bool {
    let moment = equality::parse_epoch_millis(text);
    moment.is_some() && moment == equality::value_epoch_millis(current)
}

/// Warnings about unreadable cells that are what a spreadsheet leaves of the account's value.
#[must_use]
pub fn damaged_cell_warnings(
    draft: &ContactDraft,
    remote: Option<&RemoteContact>,
    children: &RemoteChildren,
) -> Vec<Diagnostic> {
    let warning = |unread: &UnreadableCell| {
        let current = remote_value(draft, &unread.to, remote?, children)?;
        let current = change_text::format_value(&current);
        let is_damaged = damage::is_damaged_copy(&unread.text, &current);
        is_damaged.then(|| {
            let place = unread.diagnostic.place.column;
            let field = &unread.diagnostic.field;
            damage::damage_warning(field, &unread.text, &current).at_column(place)
        })
    };
    draft.unread.iter().filter_map(warning).collect()
}

/// In a row with one name for both person and company, the same cell as the other of the two:
/// either may match.
fn paired_name_cell<'d>(
    draft: &'d ContactDraft,
    unread: &UnreadableCell,
) -> Option<&'d UnreadableCell> {
    let other = match unread.to.parse().ok()? {
        MappingTarget::Field(Field::Name) => Field::CompanyName,
        MappingTarget::Field(Field::CompanyName) => Field::Name,
        _ => return None,
    };
    draft.unread.iter().find(|it| {
        it.to == other.name() && it.diagnostic.place.column == unread.diagnostic.place.column
    })
}

/// The account's value of a target.
fn remote_value(
    draft: &ContactDraft,
    to: &str,
    remote: &RemoteContact,
    children: &RemoteChildren,
) -> Option<Value> {
    let part = |list: &[Value], id: Option<&String>, name: &str| {
        let child =
            list.iter().find(|child| equality::has_id(child, id.map_or("", String::as_str)))?;
        child.get(name).cloned()
    };
    match to.parse::<MappingTarget>().ok()? {
        // A full name is stored in its parts.
        MappingTarget::Field(Field::Name) => Some(remote.full_name().into()),
        MappingTarget::Field(field) => remote.native_field(field).map(Value::from),
        MappingTarget::Custom(id) => remote.custom.get(&id).cloned(),
        MappingTarget::Owner => remote.owner.clone().map(Value::from),
        MappingTarget::Business => remote.business.clone().map(Value::from),
        MappingTarget::Note(name) => {
            let id = draft.notes.iter().find_map(|note| note.id.as_ref());
            part(&children.notes, id, name.name())
        }
        MappingTarget::Task(name) => {
            let id = draft.tasks.iter().find_map(|task| task.id.as_ref());
            part(&children.tasks, id, name.name())
        }
        _ => None,
    }
}
