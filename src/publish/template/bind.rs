//! Binds the columns of a template to the columns of a table.

use super::cell_source::TemplateCellSource;
use super::unused_columns::UnusedColumns;
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{self, FieldSource, TemplateColumn};
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};
use crate::resource::{ColumnSource, TableColumn, TableSchema, custom_column_name};

/// A template column bound to one table.
#[derive(Debug)]
pub(super) struct BoundTemplateColumn {
    /// Where its value comes from, in order of preference.
    pub(super) sources: Vec<TemplateCellSource>,
    /// Where the contact's phone number is, if the column requires one.
    pub(super) phone: Option<TemplateCellSource>,
}

/// The column's fields that come from the row's contact.
pub(super) fn contact_fields(column: &TemplateColumn) -> impl Iterator<Item = FieldSource> {
    let phone = column
        .unless_phone
        .as_ref()
        .map(|_| FieldSource::Target(MappingTarget::Field(Field::Phone)));
    let own = column.fill.iter().filter(|field| field.is_contact_field()).cloned();
    own.chain(phone)
}

/// Binds the columns of a template to a table. `contacts` are the contact fields that the lookup
/// stores. Columns that are used here are removed from the unused ones.
pub(super) fn bind_columns(
    template: &ExportTemplate,
    table: &TableSchema,
    contacts: &[FieldSource],
    unused: &mut UnusedColumns,
) -> Vec<BoundTemplateColumn> {
    let has_priority =
        template.columns.iter().any(|column| column.fill.iter().any(FieldSource::is_task_priority));
    let mut source = |field: &FieldSource| {
        let own = table_source(field, table, has_priority);
        unused.mark_used(own.as_ref());
        own.or_else(|| contact_lookup_source(field, table, contacts))
    };
    let columns = template.columns.iter().map(|column| BoundTemplateColumn {
        sources: column.fill.iter().filter_map(&mut source).collect(),
        phone: column
            .unless_phone
            .as_ref()
            .and_then(|_| source(&FieldSource::Target(MappingTarget::Field(Field::Phone)))),
    });
    columns.collect()
}

/// Binds contact fields, one column each.
pub(super) fn bind_contact_fields(
    fields: &[FieldSource],
    table: &TableSchema,
) -> Vec<BoundTemplateColumn> {
    let bound = |field: &FieldSource| BoundTemplateColumn {
        sources: table_source(field, table, false).into_iter().collect(),
        phone: None,
    };
    fields.iter().map(bound).collect()
}

fn contact_lookup_source(
    field: &FieldSource,
    table: &TableSchema,
    contacts: &[FieldSource],
) -> Option<TemplateCellSource> {
    let place = contacts.iter().position(|known| known == field)?;
    Some(TemplateCellSource::Person(place, table.column_index("contact_id")?))
}

/// The source of a field in a table; `None` when its rows have no such value.
fn table_source(
    field: &FieldSource,
    table: &TableSchema,
    has_priority: bool,
) -> Option<TemplateCellSource> {
    let is_contacts = table.name == template::CONTACTS;
    let column = |name: &str| {
        let place = table.column_index(name)?;
        Some(TemplateCellSource::Column(place, table.columns[place].kind))
    };
    let target = match field {
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

/// The contact column of a mapping target, if it has one.
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

/// The column of a custom field, found by its key, its id, or the key derived from its name.
fn custom_field_column(name: &str, table: &TableSchema) -> Option<String> {
    let column_name = custom_column_name(name);
    let is_it = |column: &&TableColumn| match &column.source {
        ColumnSource::Field(id) => {
            column.name == name || Some(&column.name) == column_name.as_ref() || id == name
        }
        _ => false,
    };
    table.columns.iter().find(is_it).map(|column| column.name.clone())
}
