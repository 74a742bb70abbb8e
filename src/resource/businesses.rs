//! Businesses: the companies contacts can belong to.

use super::column::{TableColumn, extra_column, json_column, text_column, timestamp_column};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The businesses of the location, one row each.
pub const BUSINESSES: ResourceSpec = ResourceSpec {
    name: "businesses",
    doc: "The businesses of the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The business's id."),
        text_column("name", "name", "Name."),
        text_column("phone", "phone", "Phone number."),
        text_column("email", "email", "E-mail address."),
        text_column("website", "website", "Web site."),
        text_column("address", "address", "Street and number."),
        text_column("city", "city", "City."),
        text_column("state", "state", "State, province or region."),
        text_column("postal_code", "postalCode", "Postal code."),
        text_column("country", "country", "Country, as typed."),
        text_column("description", "description", "What the business is, in free text."),
        text_column("location_id", "locationId", "The id of the location (sub-account)."),
        json_column("created_by", "createdBy", "Who created it."),
        json_column("updated_by", "updatedBy", "Who last changed it."),
        timestamp_column("created_at", "createdAt", "When it was created, in UTC."),
        timestamp_column("updated_at", "updatedAt", "When it was last changed, in UTC."),
        extra_column(),
    ]
}
