//! Custom fields: their definitions, as a table of its own.
//!
//! The table also has the column of `contacts` that contains a field's values; the API does not
//! know that name.

use super::column::{
    ColumnKind, ColumnSource, TableColumn, boolean_column, extra_column, integer_column,
    json_column, text_column,
};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The definitions of the location's custom fields, one row each.
pub const CUSTOM_FIELDS: ResourceSpec = ResourceSpec {
    name: "custom_fields",
    doc: "The definitions of the location's custom fields, one row each.",
    columns,
    derived: &[],
};

fn columns(fields: &CustomFieldColumns) -> Vec<TableColumn> {
    let mut columns = identity_columns(fields);
    columns.extend(definition_columns());
    columns.push(extra_column());
    columns
}

fn identity_columns(fields: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The field's id."),
        text_column("name", "name", "The field's name, as users see it."),
        text_column(
            "field_key",
            "fieldKey",
            "The field's key, with its model: `contact.occupancy_status`.",
        ),
        TableColumn {
            name: "column_name".to_owned(),
            kind: ColumnKind::Text,
            source: ColumnSource::ById(fields.column_names_by_id()),
            doc: "The column of the table `contacts` with the field's values; null for fields of other models.",
        },
    ]
}

fn definition_columns() -> Vec<TableColumn> {
    vec![
        text_column(
            "data_type",
            "dataType",
            "The type of the field's values, such as `TEXT`, `MONETORY` or `MULTIPLE_OPTIONS`.",
        ),
        integer_column("position", "position", "The field's position in its folder."),
        text_column(
            "placeholder",
            "placeholder",
            "The placeholder that an empty field shows in a form.",
        ),
        json_column(
            "picklist_options",
            "picklistOptions",
            "The values to choose from: texts, or objects for lists of text boxes.",
        ),
        boolean_column(
            "is_allowed_custom_option",
            "isAllowedCustomOption",
            "Whether values other than `picklist_options` are allowed.",
        ),
        boolean_column(
            "is_multi_file_allowed",
            "isMultiFileAllowed",
            "Whether the field accepts several files.",
        ),
        integer_column("max_file_limit", "maxFileLimit", "The maximum number of files."),
        text_column("model", "model", "What the field belongs to: `contact` or `opportunity`."),
        text_column("parent_id", "parentId", "The id of the folder the field is in."),
        text_column("location_id", "locationId", "The id of the location (sub-account)."),
    ]
}
