//! Tags: the location's dictionary of them. A contact's own tags are a column of `contacts`.

use super::column::{Column, extra, text};
use super::fields::Fields;
use super::table::Resource;

/// The tags of the location, one row each.
pub const TAGS: Resource = Resource {
    name: "tags",
    doc: "The tags known to the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &Fields) -> Vec<Column> {
    vec![
        text("id", "id", "The tag's id."),
        text("name", "name", "The tag, as contacts carry it."),
        text("location_id", "locationId", "The id of the location (sub-account)."),
        extra(),
    ]
}
