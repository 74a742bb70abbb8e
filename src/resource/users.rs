//! Users: those who work in the account, as contacts, tasks and notes name them by id.

use super::column::{Column, boolean, extra, json, text};
use super::fields::Fields;
use super::table::Resource;

/// The users of the location, one row each.
pub const USERS: Resource = Resource {
    name: "users",
    doc: "The users of the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &Fields) -> Vec<Column> {
    vec![
        text("id", "id", "The user's id."),
        text("name", "name", "Full name."),
        text("first_name", "firstName", "First name."),
        text("last_name", "lastName", "Last name."),
        text("email", "email", "E-mail address."),
        text("phone", "phone", "Phone number, as typed."),
        text("extension", "extension", "Extension of the phone number."),
        json("roles", "roles", "What the user is: an object of `{type, role, locationIds}`."),
        json("permissions", "permissions", "What the user may do: an object of switches."),
        boolean("deleted", "deleted", "Whether the user was deleted."),
        extra(),
    ]
}
