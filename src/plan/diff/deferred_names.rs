//! What could not be read of a row, held against what the account has.

use serde_json::Value;

use super::{LiveChildren, change_text, literal};
use crate::model::draft::{Draft, Unread};
use crate::model::remote::{Live, equality};
use crate::model::target::{Field, Target};

/// The cells that could not be read and say something else than the account. A cell that says the same
/// asks for nothing.
#[must_use]
pub fn unread<'d>(
    draft: &'d Draft,
    live: Option<&Live>,
    children: &LiveChildren,
) -> Vec<&'d Unread> {
    let says = |to: &str, text: &str| {
        let there = live.and_then(|live| there(draft, to, live, children));
        there.is_some_and(|there| {
            equality::text(&change_text::text(&there), text) || literal::as_json(text, &there)
        })
    };
    let differs = |unread: &&Unread| {
        let other = one_name(draft, unread).is_some_and(|other| says(&other.to, &unread.text));
        !other && !says(&unread.to, &unread.text)
    };
    draft.unread.iter().filter(differs).collect()
}

/// The same cell as the other name of a row that has one for person and company: either may say it.
fn one_name<'d>(draft: &'d Draft, unread: &Unread) -> Option<&'d Unread> {
    let other = match unread.to.parse().ok()? {
        Target::Field(Field::Name) => Field::CompanyName,
        Target::Field(Field::CompanyName) => Field::Name,
        _ => return None,
    };
    draft.unread.iter().find(|it| it.to == other.name() && it.column == unread.column)
}

/// What the account has at a target.
fn there(draft: &Draft, to: &str, live: &Live, children: &LiveChildren) -> Option<Value> {
    let part = |list: &[Value], id: Option<&String>, name: &str| {
        let child =
            list.iter().find(|child| equality::has_id(child, id.map_or("", String::as_str)))?;
        child.get(name).cloned()
    };
    match to.parse::<Target>().ok()? {
        // A name is known in its parts.
        Target::Field(Field::Name) => Some(live.whole_name().into()),
        Target::Field(field) => live.field(field).map(Value::from),
        Target::Custom(id) => live.custom.get(&id).cloned(),
        Target::Owner => live.owner.clone().map(Value::from),
        Target::Business => live.business.clone().map(Value::from),
        Target::Note(name) => {
            let id = draft.notes.iter().find_map(|note| note.id.as_ref());
            part(&children.notes, id, name.name())
        }
        Target::Task(name) => {
            let id = draft.tasks.iter().find_map(|task| task.id.as_ref());
            part(&children.tasks, id, name.name())
        }
        _ => None,
    }
}
