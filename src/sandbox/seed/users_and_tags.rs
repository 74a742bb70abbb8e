//! The seeded metadata of a location: its own record, users, tags, businesses, calendars.

use serde_json::{Value, json};

use super::super::oauth::COMPANY;
use super::super::store::location_metadata::{LocationMetadata, TIME_ZONE};
use super::field_definitions;
use super::rng::SeededRng;
use super::word_lists::{BUSINESSES, TAGS, USERS};

/// The metadata of the location with this number; ids differ from location to location.
pub(super) fn build_metadata(seed: u64, number: usize, location: &str) -> LocationMetadata {
    let mut rng = SeededRng::for_record(seed ^ 0x6c69_7374, number);
    let rng = &mut rng;
    let users: Vec<Value> =
        (0..USERS.len()).map(|number| build_user(number, location, rng)).collect();
    let tags = TAGS
        .iter()
        .map(|name| json!({ "id": rng.random_id(), "name": name, "locationId": location }))
        .collect();
    let businesses = BUSINESSES.iter().map(|name| build_business(name, location, rng)).collect();
    let calendars = (0..3).map(|number| build_calendar(number, location, &users, rng)).collect();
    LocationMetadata {
        location: location_record(number, location),
        fields: field_definitions::build_definitions(location, rng),
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
        "timezone": TIME_ZONE,
        "email": "owner@example.com",
        "phone": "+12125550100",
        "firstName": "Sandbox",
        "lastName": "Owner",
        "business": { "name": "Sandbox", "country": "US", "timezone": TIME_ZONE },
        "social": {},
    })
}

fn build_user(number: usize, location: &str, rng: &mut SeededRng) -> Value {
    let (first, last) = USERS[number];
    let email = format!("user{number}@example.com");
    let mut user = json!({
        "id": rng.random_id(), "name": format!("{first} {last}"), "firstName": first, "lastName": last,
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

fn build_business(name: &str, location: &str, rng: &mut SeededRng) -> Value {
    // Twenty-four hexadecimal digits, unlike every other id.
    let id = format!("{:012x}{:012x}", rng.next_u64() >> 16, rng.next_u64() >> 16);
    json!({
        "id": id, "name": name, "phone": null, "email": null, "website": "https://example.com",
        "address": null, "city": null, "description": null, "state": null, "postalCode": null,
        "country": "US", "locationId": location,
        "createdBy": { "source": "WEB_USER", "channel": "APP", "timestamp": "2019-01-01T00:00:00.000Z" },
        "createdAt": "2019-01-01T00:00:00.000Z", "updatedAt": "2024-02-29T12:00:00.000Z",
    })
}

fn build_calendar(number: usize, location: &str, users: &[Value], rng: &mut SeededRng) -> Value {
    let names = ["Consultation", "Demo; 30 min", "Support \u{1f6e0}"];
    json!({
        "id": rng.random_id(), "groupId": rng.random_id(), "locationId": location, "name": names[number],
        "description": "", "slug": format!("sandbox-{number}"), "isActive": number != 2,
        "calendarType": "round_robin", "slotDuration": 30,
        "teamMembers": [{ "userId": users[number]["id"], "priority": 0.5 }],
    })
}
