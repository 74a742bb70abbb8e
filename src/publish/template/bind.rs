//! Binding: which columns of a table fill a column of a layout.

use super::cell_source::TemplateCellSource;
use super::unused_columns::UnusedColumns;
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{self, FieldSource, TemplateColumn};
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};
use crate::resource::{ColumnSource, TableColumn, TableSchema, custom_column_name};

/// A column of a layout in one table.
#[derive(Debug)]
pub(super) struct BoundTemplateColumn {
    /// What fills it, in the order of preference.
    pub(super) sources: Vec<TemplateCellSource>,
    /// Where the contact's phone number stands, if the column asks for it.
    pub(super) phone: Option<TemplateCellSource>,
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
    let column_name = custom_column_name(name);
    let is_it = |column: &&TableColumn| match &column.wire {
        ColumnSource::Field(id) => {
            column.name == name || Some(&column.name) == column_name.as_ref() || id == name
        }
        _ => false,
    };
    table.columns.iter().find(is_it).map(|column| column.name.clone())
}
