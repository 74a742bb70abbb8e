//! Businesses: the companies contacts can belong to.

use super::column::{Column, extra, json, text, time};
use super::fields::Fields;
use super::table::Resource;

/// The businesses of the location, one row each.
pub const BUSINESSES: Resource = Resource {
    name: "businesses",
    doc: "The businesses of the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &Fields) -> Vec<Column> {
    vec![
        text("id", "id", "The business's id."),
        text("name", "name", "Name."),
        text("phone", "phone", "Phone number."),
        text("email", "email", "E-mail address."),
        text("website", "website", "Web site."),
        text("address", "address", "Street and number."),
        text("city", "city", "City."),
        text("state", "state", "State, province or region."),
        text("postal_code", "postalCode", "Postal code."),
        text("country", "country", "Country, as typed."),
        text("description", "description", "What the business is, in free text."),
        text("location_id", "locationId", "The id of the location (sub-account)."),
        json("created_by", "createdBy", "Who created it."),
        json("updated_by", "updatedBy", "Who last changed it."),
        time("created_at", "createdAt", "When it was created, in UTC."),
        time("updated_at", "updatedAt", "When it was last changed, in UTC."),
        extra(),
    ]
}
