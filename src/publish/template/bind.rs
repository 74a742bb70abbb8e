//! Binding: which columns of a table fill a column of a layout.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::warnings::Rest;
use crate::mapping::preset::Layout;
use crate::mapping::preset::template::{self, Column, Fill};
use crate::model::draft::priority_of;
use crate::model::target::{Field, NotePart, Target, TaskPart};
use crate::resource::{Kind, Table};
use crate::table::Texts;

/// A column of a layout in one table.
#[derive(Debug)]
pub(super) struct Bound {
    /// What fills it, in the order of preference.
    pub(super) sources: Vec<Source>,
    /// Where the contact's phone number stands, if the column asks for it.
    pub(super) phone: Option<Source>,
}

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A column of the table.
    Column(usize, Kind),
    /// First and last name, or else the whole one.
    Name([usize; 2], usize),
    /// Whether the contact is not to be disturbed on a channel.
    Channel(usize, &'static str),
    /// The priority in a task's text.
    Priority(usize),
    /// A task's text without its priority.
    WithoutPriority(usize),
    /// What the row's contact says, by the place of its fill; and where the contact's id stands.
    Person(usize, usize),
}

/// The fills of a column that are about a row's contact.
pub(super) fn of_contact(column: &Column) -> impl Iterator<Item = Fill> {
    let phone = column.unless_phone.as_ref().map(|_| Fill::Target(Target::Field(Field::Phone)));
    let own = column.fill.iter().filter(|fill| fill.is_of_contact()).cloned();
    own.chain(phone)
}

/// The columns of a layout in a table. `people` are the fills that are kept of contacts; what is used is
/// not left behind.
pub(super) fn columns(
    layout: &Layout,
    table: &Table,
    people: &[Fill],
    rest: &mut Rest,
) -> Vec<Bound> {
    let has_priority =
        layout.columns.iter().any(|column| column.fill.iter().any(Fill::is_priority));
    let mut source = |fill: &Fill| {
        let own = own(fill, table, has_priority);
        rest.is_used(own.as_ref());
        own.or_else(|| person(fill, table, people))
    };
    let columns = layout.columns.iter().map(|column| Bound {
        sources: column.fill.iter().filter_map(&mut source).collect(),
        phone: column
            .unless_phone
            .as_ref()
            .and_then(|_| source(&Fill::Target(Target::Field(Field::Phone)))),
    });
    columns.collect()
}

/// Fills of contacts, each by itself.
pub(super) fn fills(fills: &[Fill], table: &Table) -> Vec<Bound> {
    let bound =
        |fill: &Fill| Bound { sources: own(fill, table, false).into_iter().collect(), phone: None };
    fills.iter().map(bound).collect()
}

fn person(fill: &Fill, table: &Table, people: &[Fill]) -> Option<Source> {
    let place = people.iter().position(|known| known == fill)?;
    Some(Source::Person(place, table.position("contact_id")?))
}

/// Where a table has a fill; nothing when its rows have no such thing.
fn own(fill: &Fill, table: &Table, has_priority: bool) -> Option<Source> {
    let is_contacts = table.name == template::CONTACTS;
    let column = |name: &str| {
        let place = table.position(name)?;
        Some(Source::Column(place, table.columns[place].kind))
    };
    let target = match fill {
        Fill::Added => return column("date_added"),
        Fill::Updated => return column("date_updated"),
        Fill::Target(target) => target,
    };
    match target {
        Target::ContactId => column(if is_contacts { "id" } else { "contact_id" }),
        Target::Task(part) if table.name == template::TASKS => {
            task(*part, table, has_priority, column)
        }
        Target::Note(part) if table.name == template::NOTES => column(note(*part)),
        _ if !is_contacts => None,
        Target::Field(Field::Name) => {
            let parts = [table.position("first_name")?, table.position("last_name")?];
            Some(Source::Name(parts, table.position("name")?))
        }
        Target::DndChannel(channel) => {
            Some(Source::Channel(table.position("dnd_settings")?, channel.name()))
        }
        Target::Custom(name) => column(&custom(name, table)?),
        other => column(native(other)?),
    }
}

fn task(
    part: TaskPart,
    table: &Table,
    has_priority: bool,
    column: impl Fn(&str) -> Option<Source>,
) -> Option<Source> {
    let body = table.position("body")?;
    match part {
        TaskPart::Id => column("id"),
        TaskPart::Title => column("title"),
        TaskPart::Body if has_priority => Some(Source::WithoutPriority(body)),
        TaskPart::Body => column("body"),
        TaskPart::DueDate => column("due_date"),
        TaskPart::Completed => column("completed"),
        TaskPart::AssignedTo => column("assigned_to"),
        TaskPart::Priority => Some(Source::Priority(body)),
    }
}

fn note(part: NotePart) -> &'static str {
    match part {
        NotePart::Body => "body",
        NotePart::Id => "id",
        NotePart::Title => "title",
        NotePart::Color => "color",
        NotePart::Pinned => "pinned",
        NotePart::User => "user_id",
        NotePart::Date => "date_added",
    }
}

/// The column of a target that is a member of a contact's row.
fn native(target: &Target) -> Option<&'static str> {
    Some(match target {
        Target::Tags => "tags",
        Target::Dnd => "dnd",
        Target::Owner => "assigned_to",
        Target::Business => "business_id",
        Target::AdditionalEmails => "additional_emails",
        Target::AdditionalPhones => "additional_phones",
        Target::Field(field) => match field {
            Field::FirstName => "first_name",
            Field::LastName => "last_name",
            Field::Email => "email",
            Field::Phone => "phone",
            Field::CompanyName => "company_name",
            Field::Address1 => "address1",
            Field::City => "city",
            Field::State => "state",
            Field::PostalCode => "postal_code",
            Field::Country => "country",
            Field::Website => "website",
            Field::Timezone => "timezone",
            Field::DateOfBirth => "date_of_birth",
            Field::Source => "source",
            Field::Name | Field::Gender => return None,
        },
        _ => return None,
    })
}

/// The column of a custom field, by its key, its id or what a name becomes as a key.
fn custom(name: &str, table: &Table) -> Option<String> {
    use crate::resource::Wire;
    let key: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let is_it = |column: &&crate::resource::Column| match &column.wire {
        Wire::Field(id) => {
            column.name == name || column.name == format!("custom_{key}") || id == name
        }
        _ => false,
    };
    table.columns.iter().find(is_it).map(|column| column.name.clone())
}

impl Source {
    /// The columns of the table that it reads.
    pub(super) fn reads(&self) -> Vec<usize> {
        match self {
            Self::Column(place, _)
            | Self::Channel(place, _)
            | Self::Priority(place)
            | Self::WithoutPriority(place) => vec![*place],
            Self::Name(parts, whole) => vec![parts[0], parts[1], *whole],
            Self::Person(..) => Vec::new(),
        }
    }

    /// What a row has of it: nothing, one text or several. Not what its contact has.
    pub(super) fn of<'b>(&self, texts: &Texts<'b>, row: usize) -> Vec<Cow<'b, str>> {
        let one = |place: usize| texts.get(place, row).into_iter().next().unwrap_or_default();
        let some = |text: String| if text.is_empty() { Vec::new() } else { vec![Cow::Owned(text)] };
        match self {
            Self::Column(place, _) => texts.get(*place, row),
            Self::Name(parts, whole) => {
                let parts = parts.map(one);
                let parts: Vec<&str> = parts
                    .iter()
                    .map(|part| &**part)
                    .filter(|part| !part.trim().is_empty())
                    .collect();
                if parts.is_empty() { texts.get(*whole, row) } else { some(parts.join(" ")) }
            }
            Self::Channel(place, channel) => {
                let settings: Json = serde_json::from_str(&one(*place)).unwrap_or_default();
                let status = settings[*channel]["status"].as_str();
                let blocked = status.map(|status| matches!(status, "active" | "permanent"));
                blocked.map(|it| Cow::Owned(it.to_string())).into_iter().collect()
            }
            Self::Priority(place) => {
                some(priority_of(&one(*place)).0.unwrap_or_default().to_owned())
            }
            Self::WithoutPriority(place) => some(priority_of(&one(*place)).1),
            Self::Person(..) => Vec::new(),
        }
    }
}
