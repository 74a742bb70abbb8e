//! Users: the account's users, referenced by id in contacts, tasks and notes.

use super::column::{TableColumn, boolean_column, extra_column, json_column, text_column};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The users of the location, one row each.
pub const USERS: ResourceSpec = ResourceSpec {
    name: "users",
    doc: "The users of the location, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The user's id."),
        text_column("name", "name", "Full name."),
        text_column("first_name", "firstName", "First name."),
        text_column("last_name", "lastName", "Last name."),
        text_column("email", "email", "E-mail address."),
        text_column("phone", "phone", "Phone number, as typed."),
        text_column("extension", "extension", "Extension of the phone number."),
        json_column("roles", "roles", "The user's role: an object of `{type, role, locationIds}`."),
        json_column("permissions", "permissions", "The user's permissions: an object of booleans."),
        boolean_column("deleted", "deleted", "Whether the user was deleted."),
        extra_column(),
    ]
}
