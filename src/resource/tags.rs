//! Tags: the location's list of tags. A contact's own tags are a column of `contacts`.

use super::column::{TableColumn, extra_column, text_column};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The tags of the location, one row each.
pub const TAGS: ResourceSpec = ResourceSpec {
    name: "tags",
    doc: "The tags of the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The tag's id."),
        text_column("name", "name", "The tag's text."),
        text_column("location_id", "locationId", "The id of the location (sub-account)."),
        extra_column(),
    ]
}
