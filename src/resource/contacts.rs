//! Contacts: people, and what the account knows about them.
//!
//! The columns follow the row of `POST /contacts/search`, which has everything a flat export needs.
//! The endpoint for one contact uses other spellings (`address1`, `fullNameLowerCase`, a date of
//! birth in text); the list endpoint sends names in lower case and the original ones under `…Raw`.

use super::column::{
    TableColumn, boolean_column, date_column, extra_column, json_column, text_column,
    text_list_column, timestamp_column,
};
use super::derived::{DerivedKey, DerivedRule};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The contacts of a location, one row each.
pub const CONTACTS: ResourceSpec = ResourceSpec {
    name: "contacts",
    doc: "The contacts of the location, with tags and custom fields, one row each.",
    columns,
    derived: &[
        DerivedKey {
            key: "searchAfter",
            rule: DerivedRule::Cursor { time: "dateAdded", ids: &["id", "_id"] },
        },
        DerivedKey { key: "firstNameLowerCase", rule: DerivedRule::Lower("firstName") },
        DerivedKey { key: "lastNameLowerCase", rule: DerivedRule::Lower("lastName") },
        DerivedKey { key: "emailLowerCase", rule: DerivedRule::Lower("email") },
    ],
};

fn columns(fields: &CustomFieldColumns) -> Vec<TableColumn> {
    let last = extra_column();
    let before = standard_columns().filter(|column| column.name != last.name);
    let mut columns: Vec<_> = before.collect();
    columns.extend_from_slice(fields.columns());
    columns.push(last);
    columns
}

/// The columns that every account has.
pub(super) fn standard_columns() -> impl Iterator<Item = TableColumn> {
    let groups = [
        person_columns(),
        address_columns(),
        consent_columns(),
        relation_columns(),
        history_columns(),
        vec![extra_column()],
    ];
    groups.into_iter().flatten()
}

fn person_columns() -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The contact's id.").with_fallback_keys(&["_id"]),
        text_column(
            "location_id",
            "locationId",
            "The id of the location (sub-account) the contact belongs to.",
        ),
        text_column("first_name", "firstName", "First name, as typed, if the server provides it.")
            .with_preferred_keys(&["firstNameRaw"]),
        text_column("last_name", "lastName", "Last name, as typed, if the server provides it.")
            .with_preferred_keys(&["lastNameRaw"]),
        text_column(
            "name",
            "contactName",
            "Display name. The server's search index stores it in lower case.",
        )
        .with_fallback_keys(&["name", "fullNameLowerCase"]),
        text_column("email", "email", "Primary e-mail address."),
        text_column("phone", "phone", "Primary phone number, in E.164 form (`+14155551234`)."),
        text_column("company_name", "companyName", "Company the contact works for."),
        text_column("type", "type", "Kind of contact, such as `lead` or `customer`."),
        text_column("source", "source", "Where the contact came from, in free text."),
    ]
}

fn address_columns() -> Vec<TableColumn> {
    vec![
        text_column("address1", "address", "Street and number.").with_fallback_keys(&["address1"]),
        text_column("city", "city", "City."),
        text_column("state", "state", "State, province or region."),
        text_column("postal_code", "postalCode", "Postal code, with its leading zeros."),
        text_column("country", "country", "Country, as an ISO 3166 two-letter code."),
        text_column("website", "website", "Web site."),
        text_column("timezone", "timezone", "Time zone, as an IANA name (`America/New_York`)."),
        date_column("date_of_birth", "dateOfBirth", "Date of birth, a day without time or zone."),
    ]
}

fn consent_columns() -> Vec<TableColumn> {
    vec![
        boolean_column(
            "dnd",
            "dnd",
            "Do not disturb: true if the contact must not be messaged on any channel.",
        ),
        json_column(
            "dnd_settings",
            "dndSettings",
            "Do not disturb by channel: an object of `{status, message, code}`; `active` and `permanent` mean blocked.",
        ),
        json_column(
            "inbound_dnd_settings",
            "inboundDndSettings",
            "Do not disturb for messages from the contact: an object of `{all: {status, message}}`, mostly empty.",
        ),
        text_list_column("tags", "tags", "Tags of the contact, in the server's order."),
    ]
}

fn relation_columns() -> Vec<TableColumn> {
    vec![
        text_column(
            "assigned_to",
            "assignedTo",
            "The id of the user the contact is assigned to; see the table `users`.",
        ),
        text_list_column("followers", "followers", "The ids of the users who follow the contact."),
        text_column("business_id", "businessId", "The id of the business the contact belongs to."),
        text_list_column(
            "additional_emails",
            "additionalEmails",
            "E-mail addresses in addition to the primary one.",
        ),
        text_list_column(
            "additional_phones",
            "additionalPhones",
            "Phone numbers in addition to the primary one.",
        ),
        boolean_column(
            "valid_email",
            "validEmail",
            "Whether the primary e-mail address is valid; null if it was not checked.",
        ),
    ]
}

fn history_columns() -> Vec<TableColumn> {
    vec![
        json_column(
            "attribution_source",
            "attributionSource",
            "How the contact first arrived: session source, campaign, referrer and the like.",
        ),
        json_column(
            "last_attribution_source",
            "lastAttributionSource",
            "How the contact last arrived, in the same form as `attribution_source`.",
        ),
        json_column(
            "opportunities",
            "opportunities",
            "The contact's opportunities: an array of objects with pipeline, stage, value and status.",
        ),
        timestamp_column("date_added", "dateAdded", "When the contact was created, in UTC."),
        timestamp_column(
            "date_updated",
            "dateUpdated",
            "When the contact was last changed, in UTC.",
        ),
    ]
}
