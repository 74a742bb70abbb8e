//! The seeded contacts.
//!
//! Most are ordinary. Every fortieth number has its own awkwardness, so that the first forty
//! contacts show all of them: scripts, quotes, line ends, formulas, escapes, absences, odd shapes.

use std::fmt::Write as _;

use super::super::store::contact::{LookupKeys, StoredContact};
use super::super::store::location_metadata::LocationMetadata;
use super::super::text::{format_iso, write_json_string};
use super::field_definitions::{self, FieldSampler};
use super::person::{SeededPerson, additional_email, generate_person};
use super::rng::SeededRng;
use super::word_lists::{CITIES, FIRST_PLAIN_TAGS, SOURCES, TAGS};

/// 2019-01-01T00:00:00Z.
const EPOCH: i64 = 1_546_300_800_000;
/// Until the end of June 2025.
const SPAN: i64 = 204_940_800_000;

/// What the records of a location refer to.
#[derive(Debug)]
pub(super) struct SeedContext {
    pub(super) seed: u64,
    pub(super) location: String,
    pub(super) users: Vec<String>,
    pub(super) user_details: Vec<serde_json::Value>,
    pub(super) businesses: Vec<(String, String)>,
    pub(super) calendars: Vec<(String, String)>,
}

/// The contacts of a location, drawn by their number.
#[derive(Debug)]
pub(super) struct ContactGenerator {
    world: SeedContext,
    count: usize,
    fields: Vec<FieldSampler>,
}

/// A row under construction.
struct JsonRowBuilder(Vec<u8>);

impl JsonRowBuilder {
    fn push_key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // The keys are plain words; only values need escapes.
        self.0.push(b'"');
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn push_text(&mut self, key: &str, text: Option<&str>) {
        self.push_key(key);
        match text {
            Some(text) => write_json_string(&mut self.0, text),
            None => self.0.extend_from_slice(b"null"),
        }
    }

    fn push_json(&mut self, key: &str, json: &str) {
        self.push_key(key);
        self.0.extend_from_slice(json.as_bytes());
    }

    fn finish(mut self) -> String {
        self.0.push(b'}');
        String::from_utf8(self.0).expect("rows are made of texts")
    }
}

impl ContactGenerator {
    pub(super) fn new(
        seed: u64,
        count: usize,
        location: &str,
        metadata: &LocationMetadata,
    ) -> Self {
        let text = |value: &serde_json::Value, key: &str| {
            value[key].as_str().unwrap_or_default().to_owned()
        };
        let pairs = |list: &[serde_json::Value], key: &str| {
            list.iter().map(|one| (text(one, "id"), text(one, key))).collect()
        };
        let users: Vec<String> = metadata.users.iter().map(|user| text(user, "id")).collect();
        let world = SeedContext {
            seed,
            location: location.to_owned(),
            user_details: users.iter().map(|id| metadata.user_details(id)).collect(),
            users,
            businesses: pairs(&metadata.businesses, "name"),
            calendars: pairs(&metadata.calendars, "groupId"),
        };
        Self { world, count, fields: field_definitions::field_samplers(&metadata.fields) }
    }

    pub(super) fn context(&self) -> &SeedContext {
        &self.world
    }

    /// The contact with this number, what it is found by, and its names.
    pub(super) fn generate_contact(
        &self,
        number: usize,
    ) -> (StoredContact, LookupKeys, SeededPerson) {
        let mut chance = SeededRng::for_record(self.world.seed, number);
        let id = chance.random_id();
        let added = date_added(number, self.count, self.world.seed);
        let updated = if chance.one_in(3) {
            added
        } else {
            added + chance.millis_below(EPOCH + SPAN - added)
        };
        let person = generate_person(number, &mut chance);
        let row = self.build_row(&id, number, (added, updated), &person, &mut chance);
        let mut contact = StoredContact::new(&id, added, updated, &row);
        if number % 7 == 3 {
            contact.extra =
                Some(r#"{"gender":"female","visitorId":"v-1","attachments":[]}"#.into());
        }
        let keys = LookupKeys {
            email: person.email.as_ref().map(|email| email.to_lowercase().into()),
            phone: person.phone.as_deref().map(Into::into),
            other_emails: additional_email(number)
                .map(|(email, _)| email.into())
                .into_iter()
                .collect(),
        };
        (contact, keys, person)
    }

    fn build_row(
        &self,
        id: &str,
        number: usize,
        (added, updated): (i64, i64),
        person: &SeededPerson,
        chance: &mut SeededRng,
    ) -> String {
        let mut row = JsonRowBuilder(Vec::with_capacity(2048));
        row.push_text("id", Some(id));
        row.push_text("locationId", Some(&self.world.location));
        push_names(&mut row, person);
        row.push_text("email", person.email.as_deref());
        let others = additional_email(number).map_or("[]".to_owned(), |(_, json)| json);
        row.push_json("additionalEmails", &others);
        row.push_text("phone", person.phone.as_deref());
        row.push_json(
            "additionalPhones",
            if number % 40 == 11 { r#"["+12125550199"]"# } else { "[]" },
        );
        row.push_text("phoneLabel", None);
        row.push_text("validEmail", None);
        row.push_text("type", Some(if chance.one_in(5) { "customer" } else { "lead" }));
        self.push_associations(&mut row, number, chance);
        Self::push_tags(&mut row, number, chance);
        self.push_custom_fields(&mut row, number, chance);
        push_dnd(&mut row, number);
        push_address(&mut row, number, person, chance);
        push_dates(&mut row, number, (added, updated), chance);
        push_other_fields(&mut row, number, chance);
        row.finish()
    }

    fn push_associations(&self, row: &mut JsonRowBuilder, number: usize, chance: &mut SeededRng) {
        let assigned = (!chance.one_in(3)).then(|| chance.pick(&self.world.users).as_str());
        // Somebody who is no user any more.
        let assigned = if number % 40 == 17 { Some("formerUser0000000001") } else { assigned };
        row.push_text("assignedTo", assigned);
        if number % 40 != 21 {
            let follower = chance.pick(&self.world.users);
            let followers =
                if chance.one_in(8) { format!("[\"{follower}\"]") } else { "[]".to_owned() };
            row.push_json("followers", &followers);
        }
        let business = chance.one_in(10).then(|| chance.pick(&self.world.businesses));
        row.push_text("businessName", business.map(|(_, name)| name.as_str()));
        row.push_text("businessId", business.map(|(id, _)| id.as_str()));
    }

    fn push_tags(row: &mut JsonRowBuilder, number: usize, chance: &mut SeededRng) {
        let tags: Vec<usize> = if number % 40 == 12 {
            (0..TAGS.len()).collect()
        } else {
            // Plain ones first, each once; a third tag is one of the odd ones.
            let odd = FIRST_PLAIN_TAGS + number % (TAGS.len() - FIRST_PLAIN_TAGS);
            let all = [number % FIRST_PLAIN_TAGS, (number + 3) % FIRST_PLAIN_TAGS, odd];
            all[..chance.next_below(4)].to_vec()
        };
        row.push_key("tags");
        row.0.push(b'[');
        for (place, tag) in tags.into_iter().enumerate() {
            if place > 0 {
                row.0.push(b',');
            }
            write_json_string(&mut row.0, TAGS[tag]);
        }
        row.0.push(b']');
    }

    fn push_custom_fields(&self, row: &mut JsonRowBuilder, number: usize, chance: &mut SeededRng) {
        row.push_key("customFields");
        row.0.push(b'[');
        let mut first = true;
        let (misfit, all) = (number % 40 == 16, number % 40 == 26);
        for field in &self.fields {
            if misfit || all || chance.one_in(5) {
                if !std::mem::take(&mut first) {
                    row.0.push(b',');
                }
                field.write_value(&mut row.0, misfit, chance);
            }
        }
        if number % 40 == 24 {
            if !first {
                row.0.push(b',');
            }
            // A field that was deleted; its values stay on the contacts.
            row.0.extend_from_slice(br#"{"id":"deletedField00000001","value":"left over"}"#);
        }
        row.0.push(b']');
    }
}

/// When a contact was added. Long runs of contacts share a moment, as after an import.
fn date_added(number: usize, count: usize, seed: u64) -> i64 {
    let runs = if count >= 5000 {
        [(count / 10, 1200), (count / 2, 600)]
    } else {
        [(count / 10, count / 25), (count / 2, count / 50)]
    };
    let run = runs.iter().find(|(start, length)| (*start..start + length).contains(&number));
    let leader =
        run.map_or(number - (number % 97) % 3 * usize::from(number % 97 < 3), |(start, _)| *start);
    let step = SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let place = i64::try_from(leader).unwrap_or_default() * step;
    let jitter = SeededRng::for_record(seed ^ 0x6461_7465, leader).millis_below(step);
    let time = EPOCH + place + jitter;
    // Imports and forms write whole seconds.
    if leader.is_multiple_of(5) { time - time % 1000 } else { time }
}

fn push_names(row: &mut JsonRowBuilder, person: &SeededPerson) {
    let (first, last) = (person.first.as_deref(), person.last.as_deref());
    let parts: Vec<&str> = [first, last].into_iter().flatten().collect();
    let whole = (!parts.is_empty()).then(|| parts.join(" ").to_lowercase());
    row.push_text("contactName", whole.as_deref());
    row.push_text("firstName", first);
    row.push_text("firstNameLowerCase", first.map(str::to_lowercase).as_deref());
    row.push_text("lastName", last);
    row.push_text("lastNameLowerCase", last.map(str::to_lowercase).as_deref());
    row.push_text("companyName", person.company.as_deref());
}

fn push_dnd(row: &mut JsonRowBuilder, number: usize) {
    let settings = match number % 40 {
        14 => {
            r#"{"SMS":{"status":"permanent","message":"STOP_KEYWORD","code":"103"},"RCS":{"status":"permanent","message":"STOP_KEYWORD"}}"#
        }
        15 => {
            r#"{"sms":{"status":"inactive","message":"","code":""},"email":{"status":"active","message":"User clicked on the unsubscribe link","code":""}}"#
        }
        28 => r#"{"Call":{"status":"active","message":"TWILIO_ERROR_CODE: 30003","code":"30003"}}"#,
        _ => "{}",
    };
    row.push_json("dnd", if number % 40 == 29 { "true" } else { "false" });
    row.push_json("dndSettings", settings);
    row.push_json(
        "inboundDndSettings",
        if number % 40 == 29 { r#"{"all":{"status":"active","message":""}}"# } else { "{}" },
    );
}

fn push_address(
    row: &mut JsonRowBuilder,
    number: usize,
    person: &SeededPerson,
    chance: &mut SeededRng,
) {
    let (_, state, _, country, zone) = CITIES[number % CITIES.len()];
    row.push_text("address", person.street.as_deref());
    row.push_text("city", person.city.as_deref());
    row.push_text("state", Some(state).filter(|state| !state.is_empty()));
    row.push_text("postalCode", person.postal.as_deref());
    row.push_text("country", Some(country));
    row.push_text("timezone", chance.one_in(2).then_some(zone));
    if number % 40 != 21 {
        row.push_text("website", chance.one_in(6).then_some("https://example.com/?a=1&b=2"));
    }
}

fn push_dates(
    row: &mut JsonRowBuilder,
    number: usize,
    (added, updated): (i64, i64),
    chance: &mut SeededRng,
) {
    let born = match number % 40 {
        // A leap day, and a day before 1970.
        22 => Some(951_782_400_000),
        30 => Some(-1_577_923_200_000),
        _ => chance.one_in(4).then(|| chance.millis_below(12_000) * 86_400_000),
    };
    row.push_json("dateOfBirth", &born.map_or("null".to_owned(), |born| born.to_string()));
    row.push_text("source", chance.one_in(2).then(|| *chance.pick(&SOURCES)));
    row.push_text("dateAdded", Some(&format_iso(added)));
    row.push_text("dateUpdated", Some(&format_iso(updated)));
}

fn push_other_fields(row: &mut JsonRowBuilder, number: usize, chance: &mut SeededRng) {
    if number % 40 != 21 {
        let mut opportunities = "[]".to_owned();
        if chance.one_in(20) {
            opportunities.clear();
            let value = chance.next_below(9000);
            write!(opportunities, "[{{\"id\":\"opp{number}\",\"pipelineId\":\"p1\",\"pipelineStageId\":\"s{}\",\"monetaryValue\":{value},\"status\":\"open\"}}]", value % 4)
                .expect("a string takes every text");
        }
        row.push_json("opportunities", &opportunities);
    }
    row.push_json(
        "attributionSource",
        r#"{"sessionSource":"CRM UI","medium":"manual","mediumId":null}"#,
    );
    row.push_json("lastAttributionSource", "{}");
    if number % 40 == 13 {
        row.push_json(
            "futureField",
            r#"{"nested":[1,2.5,null,{"deep":"✓"}],"big":12345678901234567890}"#,
        );
        row.push_text("anotherUnknown", Some("kept?"));
    }
}
