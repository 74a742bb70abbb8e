//! The metadata of a location: fields, tags, users, businesses, calendars.
//!
//! Lists as the service sends them, and the look-ups that writes need.

use serde_json::{Value, json};

/// The time zone of every location.
pub(crate) const TIME_ZONE: &str = "America/New_York";

/// Part of the service's list, with two names that are only aliases. Writes accept the others too.
pub(crate) const TIME_ZONES: [&str; 24] = [
    "Africa/Johannesburg",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Calcutta",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Etc/GMT+12",
    "Europe/Berlin",
    "Europe/Kiev",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "US/Pacific",
    "UTC",
];

/// The lists of one location.
#[derive(Debug, Default)]
pub(crate) struct LocationMetadata {
    pub(crate) location: Value,
    pub(crate) fields: Vec<Value>,
    pub(crate) tags: Vec<Value>,
    pub(crate) users: Vec<Value>,
    pub(crate) businesses: Vec<Value>,
    pub(crate) calendars: Vec<Value>,
}

impl LocationMetadata {
    /// The contact field with this id, or with this key with or without its `contact.` prefix.
    pub(crate) fn contact_field(&self, id: Option<&str>, key: Option<&str>) -> Option<&Value> {
        let contact = |field: &&Value| field["model"] == "contact";
        let by_id = |field: &&Value| field["id"].as_str() == id;
        if id.is_some() {
            return self.fields.iter().filter(contact).find(by_id);
        }
        let key = key?;
        self.fields.iter().filter(contact).find(|field| {
            let own = field["fieldKey"].as_str().unwrap_or_default();
            own == key || own.strip_prefix("contact.") == Some(key)
        })
    }

    pub(crate) fn has_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user["id"] == id)
    }

    /// A user as the task search shows one; null if the id is not one of the location's users.
    pub(crate) fn user_details(&self, id: &str) -> Value {
        let user = self.users.iter().find(|user| user["id"] == id);
        user.map_or(Value::Null, |user| {
            json!({
                "id": id, "firstName": user["firstName"], "lastName": user["lastName"],
                "profilePhoto": null,
            })
        })
    }

    pub(crate) fn business_name(&self, id: &Value) -> Option<Value> {
        let business = self.businesses.iter().find(|business| business["id"] == *id);
        business.map(|business| business["name"].clone())
    }

    pub(crate) fn knows_time_zone(name: &str) -> bool {
        let same = |zone: jiff::tz::TimeZone| zone.iana_name() == Some(name);
        TIME_ZONES.contains(&name) || jiff::tz::db().get(name).is_ok_and(same)
    }

    pub(crate) fn add_tag(&mut self, id: &str, name: &str, location: &str) {
        if !self.tags.iter().any(|tag| tag["name"] == name) {
            self.tags.push(json!({ "id": id, "name": name, "locationId": location }));
        }
    }
}
