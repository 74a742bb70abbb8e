//! Contacts: people, and what the account knows about them.
//!
//! The columns follow the row of `POST /contacts/search`, which has everything a flat export needs. Reading one
//! contact gives other spellings (`address1`, `fullNameLowerCase`, a date of birth in text); the list endpoint gives
//! names in lower case and the typed ones under `…Raw`.

use super::column::{Column, boolean, date, extra, json, list, text, time};
use super::derived::{Derived, Rule};
use super::fields::Fields;
use super::table::Resource;

/// The contacts of a location, one row each.
pub const CONTACTS: Resource = Resource {
    name: "contacts",
    doc: "The contacts of the location, with tags and custom fields, one row each.",
    columns,
    derived: &[
        Derived { key: "searchAfter", rule: Rule::Cursor { time: "dateAdded", id: "id" } },
        Derived { key: "firstNameLowerCase", rule: Rule::Lower("firstName") },
        Derived { key: "lastNameLowerCase", rule: Rule::Lower("lastName") },
        Derived { key: "emailLowerCase", rule: Rule::Lower("email") },
    ],
};

fn columns(fields: &Fields) -> Vec<Column> {
    let last = extra();
    let before = fixed().filter(|column| column.name != last.name);
    let mut columns: Vec<_> = before.collect();
    columns.extend_from_slice(fields.columns());
    columns.push(last);
    columns
}

/// The columns every account has.
pub(super) fn fixed() -> impl Iterator<Item = Column> {
    let groups = [person(), address(), consent(), relations(), history(), vec![extra()]];
    groups.into_iter().flatten()
}

fn person() -> Vec<Column> {
    vec![
        text("id", "id", "The contact's id."),
        text(
            "location_id",
            "locationId",
            "The id of the location (sub-account) the contact belongs to.",
        ),
        text("first_name", "firstName", "First name, as typed where the server says so.")
            .better(&["firstNameRaw"]),
        text("last_name", "lastName", "Last name, as typed where the server says so.")
            .better(&["lastNameRaw"]),
        text(
            "name",
            "contactName",
            "Display name. The server's search index holds it in lower case.",
        )
        .or(&["name", "fullNameLowerCase"]),
        text("email", "email", "Primary e-mail address."),
        text("phone", "phone", "Primary phone number, in E.164 form (`+14155551234`)."),
        text("company_name", "companyName", "Company the contact works for."),
        text("type", "type", "Kind of contact, such as `lead` or `customer`."),
        text("source", "source", "Where the contact came from, in free text."),
    ]
}

fn address() -> Vec<Column> {
    vec![
        text("address1", "address", "Street and number.").or(&["address1"]),
        text("city", "city", "City."),
        text("state", "state", "State, province or region."),
        text("postal_code", "postalCode", "Postal code, with its leading zeros."),
        text("country", "country", "Country, as an ISO 3166 two-letter code."),
        text("website", "website", "Web site."),
        text("timezone", "timezone", "Time zone, as an IANA name (`America/New_York`)."),
        date("date_of_birth", "dateOfBirth", "Date of birth, a day without time or zone."),
    ]
}

fn consent() -> Vec<Column> {
    vec![
        boolean(
            "dnd",
            "dnd",
            "Do not disturb: true when the contact wants no message on any channel.",
        ),
        json(
            "dnd_settings",
            "dndSettings",
            "Do not disturb by channel: an object of `{status, message, code}`; `active` and `permanent` mean blocked.",
        ),
        list("tags", "tags", "Tags of the contact, in the server's order."),
    ]
}

fn relations() -> Vec<Column> {
    vec![
        text(
            "assigned_to",
            "assignedTo",
            "The id of the user the contact is assigned to; see the table `users`.",
        ),
        list("followers", "followers", "The ids of the users who follow the contact."),
        text("business_id", "businessId", "The id of the business the contact belongs to."),
        list("additional_emails", "additionalEmails", "E-mail addresses beside the primary one."),
        list("additional_phones", "additionalPhones", "Phone numbers beside the primary one."),
        boolean(
            "valid_email",
            "validEmail",
            "Whether the primary e-mail address was found to be valid; null when it was not checked.",
        ),
    ]
}

fn history() -> Vec<Column> {
    vec![
        json(
            "attribution_source",
            "attributionSource",
            "How the contact first arrived: session source, campaign, referrer and the like.",
        ),
        json(
            "last_attribution_source",
            "lastAttributionSource",
            "How the contact last arrived, in the same form as `attribution_source`.",
        ),
        json(
            "opportunities",
            "opportunities",
            "The contact's opportunities: an array of objects with pipeline, stage, value and status.",
        ),
        time("date_added", "dateAdded", "When the contact was created, in UTC."),
        time("date_updated", "dateUpdated", "When the contact was last changed, in UTC."),
    ]
}
