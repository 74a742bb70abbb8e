//! Binding: which columns of a table fill a column of a layout.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::warnings::UnusedColumns;
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{self, FieldSource, TemplateColumn};
use crate::model::draft::split_priority_line;
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};
use crate::resource::{ColumnKind, TableSchema};
use crate::table::BatchTexts;

/// A column of a layout in one table.
#[derive(Debug)]
pub(super) struct BoundTemplateColumn {
    /// What fills it, in the order of preference.
    pub(super) sources: Vec<TemplateCellSource>,
    /// Where the contact's phone number stands, if the column asks for it.
    pub(super) phone: Option<TemplateCellSource>,
}

/// Where values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateCellSource {
    /// A column of the table.
    Column(usize, ColumnKind),
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
pub(super) fn contact_fields(column: &TemplateColumn) -> impl Iterator<Item = FieldSource> {
    let phone = column
        .unless_phone
        .as_ref()
        .map(|_| FieldSource::Target(MappingTarget::Field(Field::Phone)));
    let own = column.fill.iter().filter(|fill| fill.is_contact_field()).cloned();
    own.chain(phone)
}

/// The columns of a layout in a table. `people` are the fills that are kept of contacts; what is used is
/// not left behind.
pub(super) fn bind_columns(
    layout: &ExportTemplate,
    table: &TableSchema,
    people: &[FieldSource],
    rest: &mut UnusedColumns,
) -> Vec<BoundTemplateColumn> {
    let has_priority =
        layout.columns.iter().any(|column| column.fill.iter().any(FieldSource::is_task_priority));
    let mut source = |fill: &FieldSource| {
        let own = table_source(fill, table, has_priority);
        rest.mark_used(own.as_ref());
        own.or_else(|| contact_lookup_source(fill, table, people))
    };
    let columns = layout.columns.iter().map(|column| BoundTemplateColumn {
        sources: column.fill.iter().filter_map(&mut source).collect(),
        phone: column
            .unless_phone
            .as_ref()
            .and_then(|_| source(&FieldSource::Target(MappingTarget::Field(Field::Phone)))),
    });
    columns.collect()
}

/// Fills of contacts, each by itself.
pub(super) fn bind_contact_fields(
    fills: &[FieldSource],
    table: &TableSchema,
) -> Vec<BoundTemplateColumn> {
    let bound = |fill: &FieldSource| BoundTemplateColumn {
        sources: table_source(fill, table, false).into_iter().collect(),
        phone: None,
    };
    fills.iter().map(bound).collect()
}

fn contact_lookup_source(
    fill: &FieldSource,
    table: &TableSchema,
    people: &[FieldSource],
) -> Option<TemplateCellSource> {
    let place = people.iter().position(|known| known == fill)?;
    Some(TemplateCellSource::Person(place, table.column_index("contact_id")?))
}

/// Where a table has a fill; nothing when its rows have no such thing.
fn table_source(
    fill: &FieldSource,
    table: &TableSchema,
    has_priority: bool,
) -> Option<TemplateCellSource> {
    let is_contacts = table.name == template::CONTACTS;
    let column = |name: &str| {
        let place = table.column_index(name)?;
        Some(TemplateCellSource::Column(place, table.columns[place].kind))
    };
    let target = match fill {
        FieldSource::Added => return column("date_added"),
        FieldSource::Updated => return column("date_updated"),
        FieldSource::Target(target) => target,
    };
    match target {
        MappingTarget::ContactId => column(if is_contacts { "id" } else { "contact_id" }),
        MappingTarget::Task(part) if table.name == template::TASKS => {
            task_source(*part, table, has_priority, column)
        }
        MappingTarget::Note(part) if table.name == template::NOTES => column(note_column(*part)),
        _ if !is_contacts => None,
        MappingTarget::Field(Field::Name) => {
            let parts = [table.column_index("first_name")?, table.column_index("last_name")?];
            Some(TemplateCellSource::Name(parts, table.column_index("name")?))
        }
        MappingTarget::DndChannel(channel) => {
            Some(TemplateCellSource::Channel(table.column_index("dnd_settings")?, channel.name()))
        }
        MappingTarget::Custom(name) => column(&custom_field_column(name, table)?),
        other => column(native_column(other)?),
    }
}

fn task_source(
    part: TaskPart,
    table: &TableSchema,
    has_priority: bool,
    column: impl Fn(&str) -> Option<TemplateCellSource>,
) -> Option<TemplateCellSource> {
    let body = table.column_index("body")?;
    match part {
        TaskPart::Id => column("id"),
        TaskPart::Title => column("title"),
        TaskPart::Body if has_priority => Some(TemplateCellSource::WithoutPriority(body)),
        TaskPart::Body => column("body"),
        TaskPart::DueDate => column("due_date"),
        TaskPart::Completed => column("completed"),
        TaskPart::AssignedTo => column("assigned_to"),
        TaskPart::Priority => Some(TemplateCellSource::Priority(body)),
    }
}

fn note_column(part: NotePart) -> &'static str {
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
fn native_column(target: &MappingTarget) -> Option<&'static str> {
    Some(match target {
        MappingTarget::Tags => "tags",
        MappingTarget::Dnd => "dnd",
        MappingTarget::Owner => "assigned_to",
        MappingTarget::Business => "business_id",
        MappingTarget::AdditionalEmails => "additional_emails",
        MappingTarget::AdditionalPhones => "additional_phones",
        MappingTarget::Field(field) => match field {
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
fn custom_field_column(name: &str, table: &TableSchema) -> Option<String> {
    use crate::resource::ColumnSource;
    let key: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    let is_it = |column: &&crate::resource::TableColumn| match &column.wire {
        ColumnSource::Field(id) => {
            column.name == name || column.name == format!("custom_{key}") || id == name
        }
        _ => false,
    };
    table.columns.iter().find(is_it).map(|column| column.name.clone())
}

impl TemplateCellSource {
    /// The columns of the table that it reads.
    pub(super) fn column_indexes(&self) -> Vec<usize> {
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
    pub(super) fn read_values<'b>(&self, texts: &BatchTexts<'b>, row: usize) -> Vec<Cow<'b, str>> {
        let one =
            |place: usize| texts.cell_texts(place, row).into_iter().next().unwrap_or_default();
        let some = |text: String| if text.is_empty() { Vec::new() } else { vec![Cow::Owned(text)] };
        match self {
            Self::Column(place, _) => texts.cell_texts(*place, row),
            Self::Name(parts, whole) => {
                let parts = parts.map(one);
                let parts: Vec<&str> = parts
                    .iter()
                    .map(|part| &**part)
                    .filter(|part| !part.trim().is_empty())
                    .collect();
                if parts.is_empty() { texts.cell_texts(*whole, row) } else { some(parts.join(" ")) }
            }
            Self::Channel(place, channel) => {
                let settings: Json = serde_json::from_str(&one(*place)).unwrap_or_default();
                let status = settings[*channel]["status"].as_str();
                let blocked = status.map(|status| matches!(status, "active" | "permanent"));
                blocked.map(|it| Cow::Owned(it.to_string())).into_iter().collect()
            }
            Self::Priority(place) => {
                some(split_priority_line(&one(*place)).0.unwrap_or_default().to_owned())
            }
            Self::WithoutPriority(place) => some(split_priority_line(&one(*place)).1),
            Self::Person(..) => Vec::new(),
        }
    }
}
