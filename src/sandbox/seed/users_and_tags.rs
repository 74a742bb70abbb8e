//! The seeded metadata of a location: its own record, users, tags, businesses, calendars.

use serde_json::{Value, json};

use super::super::oauth::COMPANY;
use super::super::store::location_metadata::Metadata;
use super::field_definitions;
use super::rng::Chance;
use super::word_lists::{BUSINESSES, TAGS, USERS};

/// The metadata of the location with this number; ids differ from location to location.
pub(super) fn metadata(seed: u64, number: usize, location: &str) -> Metadata {
    let mut chance = Chance::of(seed ^ 0x6c69_7374, number);
    let chance = &mut chance;
    let users: Vec<Value> = (0..USERS.len()).map(|number| user(number, location, chance)).collect();
    let tags = TAGS
        .iter()
        .map(|name| json!({ "id": chance.id(), "name": name, "locationId": location }))
        .collect();
    let businesses = BUSINESSES.iter().map(|name| business(name, location, chance)).collect();
    let calendars = (0..3).map(|number| calendar(number, location, &users, chance)).collect();
    Metadata {
        location: location_record(number, location),
        fields: field_definitions::definitions(location, chance),
        tags,
        users,
        businesses,
        calendars,
    }
}

fn location_record(number: usize, location: &str) -> Value {
    json!({
        "id": location,
        "companyId": COMPANY,
        "name": format!("Sandbox Location {}", number + 1),
        "address": "1 Sandbox Way",
        "city": "New York",
        "state": "NY",
        "country": "US",
        "postalCode": "10001",
        "website": "https://example.com",
        "timezone": "America/New_York",
        "email": "owner@example.com",
        "phone": "+12125550100",
        "firstName": "Sandbox",
        "lastName": "Owner",
        "business": { "name": "Sandbox", "country": "US", "timezone": "America/New_York" },
        "social": {},
    })
}

fn user(number: usize, location: &str, chance: &mut Chance) -> Value {
    let (first, last) = USERS[number];
    let email = format!("user{number}@example.com");
    let mut user = json!({
        "id": chance.id(), "name": format!("{first} {last}"), "firstName": first, "lastName": last,
        "email": email, "phone": "+12125550101", "extension": "", "deleted": false,
        "roles": { "type": "account", "role": "user", "locationIds": [location] },
    });
    if number == 0 {
        user["roles"]["role"] = "admin".into();
    }
    if number == USERS.len() - 1 {
        user["deleted"] = true.into();
        user["phone"] = Value::Null;
    }
    user
}

fn business(name: &str, location: &str, chance: &mut Chance) -> Value {
    // Twenty-four hexadecimal digits, unlike every other id.
    let id = format!("{:012x}{:012x}", chance.next() >> 16, chance.next() >> 16);
    json!({
        "id": id, "name": name, "phone": null, "email": null, "website": "https://example.com",
        "address": null, "city": null, "description": null, "state": null, "postalCode": null,
        "country": "US", "locationId": location,
        "createdBy": { "source": "WEB_USER", "channel": "APP", "timestamp": "2019-01-01T00:00:00.000Z" },
        "createdAt": "2019-01-01T00:00:00.000Z", "updatedAt": "2024-02-29T12:00:00.000Z",
    })
}

fn calendar(number: usize, location: &str, users: &[Value], chance: &mut Chance) -> Value {
    let names = ["Consultation", "Demo; 30 min", "Support \u{1f6e0}"];
    json!({
        "id": chance.id(), "groupId": chance.id(), "locationId": location, "name": names[number],
        "description": "", "slug": format!("sandbox-{number}"), "isActive": number != 2,
        "calendarType": "round_robin", "slotDuration": 30,
        "teamMembers": [{ "userId": users[number]["id"], "priority": 0.5 }],
    })
}
