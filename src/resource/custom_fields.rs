//! Custom fields: their definitions, as a table of its own.
//!
//! The table says which column of `contacts` holds a field's values; the API knows nothing of that name.

use super::column::{Column, Kind, Wire, boolean, extra, integer, json, text};
use super::fields::Fields;
use super::table::Resource;

/// The definitions of the location's custom fields, one row each.
pub const CUSTOM_FIELDS: Resource = Resource {
    name: "custom_fields",
    doc: "The definitions of the location's custom fields, one row each.",
    columns,
    derived: &[],
};

fn columns(fields: &Fields) -> Vec<Column> {
    let mut columns = identity(fields);
    columns.extend(rules());
    columns.push(extra());
    columns
}

fn identity(fields: &Fields) -> Vec<Column> {
    vec![
        text("id", "id", "The field's id."),
        text("name", "name", "The field's name, as users see it."),
        text(
            "field_key",
            "fieldKey",
            "The field's key, with its model: `contact.occupancy_status`.",
        ),
        Column {
            name: "column_name".to_owned(),
            kind: Kind::Text,
            wire: Wire::ById(fields.names()),
            doc: "The column of the table `contacts` that holds the field's values; null for fields of other models.",
        },
    ]
}

fn rules() -> Vec<Column> {
    vec![
        text(
            "data_type",
            "dataType",
            "The type of the field's values, such as `TEXT`, `MONETORY` or `MULTIPLE_OPTIONS`.",
        ),
        integer("position", "position", "The field's place among those of its folder."),
        text("placeholder", "placeholder", "What an empty field shows in a form."),
        json(
            "picklist_options",
            "picklistOptions",
            "The values to choose from: texts, or objects for lists of text boxes.",
        ),
        boolean(
            "is_allowed_custom_option",
            "isAllowedCustomOption",
            "Whether values beside `picklist_options` are allowed.",
        ),
        boolean(
            "is_multi_file_allowed",
            "isMultiFileAllowed",
            "Whether the field takes several files.",
        ),
        integer("max_file_limit", "maxFileLimit", "The most files the field takes."),
        text("model", "model", "What the field belongs to: `contact` or `opportunity`."),
        text("parent_id", "parentId", "The id of the folder the field is in."),
        text("location_id", "locationId", "The id of the location (sub-account)."),
    ]
}
