//! Binds the columns of a template to the columns of a table.

use super::cell_source::TemplateCellSource;
use super::unused_columns::UnusedColumns;
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{self, ExportedField, FieldSource, TemplateColumn};
use crate::model::target::{Field, MappingTarget, TaskPart};
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
    // Targets are named like the API's keys, and a table knows which column has which key.
    let column = |key: &str| {
        let place = table.column_index_of_key(key)?;
        Some(TemplateCellSource::Column(place, table.columns[place].kind))
    };
    let target = match field {
        FieldSource::Added => return column("dateAdded").or_else(|| column("createdAt")),
        FieldSource::Updated => return column("dateUpdated").or_else(|| column("updatedAt")),
        FieldSource::Exported(field) if field.table() != table.name => return None,
        FieldSource::Exported(field @ ExportedField::AppointmentCalendar) => {
            return table.column_index_of_key(field.key()).map(TemplateCellSource::Calendar);
        }
        FieldSource::Exported(field) => return column(field.key()),
        FieldSource::Target(target) => target,
    };
    match target {
        MappingTarget::ContactId => column(if is_contacts { "id" } else { "contactId" }),
        MappingTarget::Task(part) if table.name == template::TASKS => {
            task_source(*part, table, has_priority, column)
        }
        MappingTarget::Note(part) if table.name == template::NOTES => column(part.name()),
        _ if !is_contacts => None,
        MappingTarget::Field(Field::Name) => {
            let key = |field: Field| table.column_index_of_key(field.name());
            let parts = [key(Field::FirstName)?, key(Field::LastName)?];
            Some(TemplateCellSource::Name(parts, key(Field::Name)?))
        }
        MappingTarget::DndChannel(channel) => {
            let settings = table.column_index_of_key("dndSettings")?;
            Some(TemplateCellSource::Channel(settings, channel.name()))
        }
        MappingTarget::Custom(name) => {
            let place = custom_field_index(name, table)?;
            Some(TemplateCellSource::Column(place, table.columns[place].kind))
        }
        // The one target that is not named like its key: it takes a name as well as an id.
        MappingTarget::Business => column("businessId"),
        other => column(&other.to_string()),
    }
}

fn task_source(
    part: TaskPart,
    table: &TableSchema,
    has_priority: bool,
    column: impl Fn(&str) -> Option<TemplateCellSource>,
) -> Option<TemplateCellSource> {
    let body = table.column_index_of_key(TaskPart::Body.name())?;
    match part {
        TaskPart::Body if has_priority => Some(TemplateCellSource::WithoutPriority(body)),
        TaskPart::Priority => Some(TemplateCellSource::Priority(body)),
        other => column(other.name()),
    }
}

/// The index of a custom field's column, found by its key, its column name, its id, or the key derived
/// from its name.
fn custom_field_index(name: &str, table: &TableSchema) -> Option<usize> {
    let column_name = custom_column_name(name);
    let is_it = |column: &TableColumn| match &column.source {
        ColumnSource::Field(field) => {
            field.key == name
                || column.name == name
                || Some(&column.name) == column_name.as_ref()
                || field.id == name
        }
        _ => false,
    };
    table.columns.iter().position(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::target::NotePart;
    use crate::resource::{CONTACTS, CustomFieldColumns, NOTES, ResourceSpec, TASKS};

    fn column_name(resource: &ResourceSpec, target: MappingTarget) -> Option<String> {
        let table = resource.table_schema(&CustomFieldColumns::default());
        match table_source(&FieldSource::Target(target), &table, false)? {
            TemplateCellSource::Column(place, _) => Some(table.columns[place].name.clone()),
            _ => None,
        }
    }

    #[test]
    fn every_target_that_the_server_returns_has_a_column() {
        for field in Field::ALL.iter().filter(|field| **field != Field::Name) {
            let column = column_name(&CONTACTS, MappingTarget::Field(*field));
            // The API accepts a gender but does not return it.
            assert_eq!(column.is_some(), *field != Field::Gender, "{field:?}: {column:?}");
        }
        for part in NotePart::ALL {
            assert!(column_name(&NOTES, MappingTarget::Note(*part)).is_some(), "{part:?}");
        }
        for part in TaskPart::ALL.iter().filter(|part| **part != TaskPart::Priority) {
            assert!(column_name(&TASKS, MappingTarget::Task(*part)).is_some(), "{part:?}");
        }
    }

    #[test]
    fn a_target_is_found_under_each_spelling_of_its_key() {
        for (resource, target, expected) in [
            (&CONTACTS, "contactId", "id"),
            (&CONTACTS, "address1", "address1"),
            (&CONTACTS, "companyName", "company_name"),
            (&CONTACTS, "assignedTo", "assigned_to"),
            (&CONTACTS, "business", "business_id"),
            (&CONTACTS, "additionalPhones", "additional_phones"),
            (&CONTACTS, "tags", "tags"),
            (&CONTACTS, "dnd", "dnd"),
            (&TASKS, "contactId", "contact_id"),
            (&TASKS, "task.id", "id"),
            (&NOTES, "note.userId", "user_id"),
        ] {
            let column = column_name(resource, target.parse().unwrap());
            assert_eq!(column.as_deref(), Some(expected), "{target}");
        }
        assert_eq!(column_name(&CONTACTS, MappingTarget::OptIn), None);
        assert_eq!(column_name(&NOTES, MappingTarget::Tags), None);
    }
}
