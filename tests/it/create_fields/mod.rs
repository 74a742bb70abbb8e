//! Custom fields that an import creates: planned, created before anything else, found again after a kill, and deleted
//! by an undo if no contact has a value.

mod interrupted;
mod planned;
mod taken_back;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::raw_http::{RawClient, list_rows};
use crate::world::World;

/// A sheet with two columns that nothing knows.
pub(crate) const SHEET: &str = "Email,First Name,Favourite colour,Shoe size\n\
     ada@example.com,Ada,teal,38\n\
     bob@example.com,Bob,ochre,44.5\n\
     cyn@example.com,Cyn,,41\n";

/// Both columns.
pub(crate) const BOTH: &str = "--create-fields 'Favourite colour,Shoe size'";

impl World {
    /// The custom fields of the location, as a client sees them.
    pub(crate) fn list_fields(&self) -> Vec<Value> {
        let path = format!("/locations/{LOCATION}/customFields");
        list_rows(self, &path, "customFields")
    }

    /// The custom field of this name.
    #[track_caller]
    pub(crate) fn field_named(&self, name: &str) -> Value {
        let all = self.list_fields();
        let mut found = all.iter().filter(|field| field["name"] == name);
        let one = found.next().unwrap_or_else(|| panic!("no field is `{name}`: {all:#?}")).clone();
        assert!(found.next().is_none(), "several fields are `{name}`");
        one
    }

    /// Creates a custom field as another client would.
    pub(crate) fn create_field(&self, name: &str, data_type: &str) {
        let path = format!("/locations/{LOCATION}/customFields");
        let body = json!({"name": name, "dataType": data_type, "model": "contact"});
        let answer = RawClient::new(self.url()).send_request("POST", &path, &body);
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Whether the location has a custom field of this name.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.list_fields().iter().any(|field| field["name"] == name)
    }

    /// A contact's value of a custom field.
    pub(crate) fn field_value(&self, email: &str, field: &Value) -> Value {
        let contact = self.contact_by_email(email);
        let values = contact["contact"]["customFields"].as_array().cloned().unwrap_or_default();
        let value = values.into_iter().find(|value| value["id"] == field["id"]);
        value.map_or(Value::Null, |value| value["value"].clone())
    }

    /// The requests that create custom fields.
    pub(crate) fn count_field_requests(&self) -> usize {
        let writes = self.list_writes();
        writes
            .iter()
            .filter(|line| line.starts_with("POST") && line.ends_with("customFields"))
            .count()
    }
}
