//! Labels: how a message names a contact, so that a person can recognize and open it.

use super::RemoteContact;
use crate::id::{ContactId, LocationId};
use crate::model::target::Field;

/// The contact's page in `HighLevel`.
#[must_use]
pub fn contact_url(location: &LocationId, contact: &ContactId) -> String {
    let (location, contact) = (location.escaped_segment(), contact.escaped_segment());
    format!("https://app.gohighlevel.com/v2/location/{location}/contacts/detail/{contact}")
}

/// Names a contact by its name, e-mail address (or phone number) and page; by its id if nothing else is known.
#[must_use]
pub fn contact_label(
    location: &LocationId,
    id: &ContactId,
    contact: Option<&RemoteContact>,
) -> String {
    let url = contact_url(location, id);
    let address = contact.and_then(|contact| {
        contact.native_field(Field::Email).or_else(|| contact.native_field(Field::Phone))
    });
    let name = contact.map(RemoteContact::full_name).filter(|name| !name.is_empty());
    match (name, address) {
        (Some(name), Some(address)) => format!("{name}, {address} ({url})"),
        (Some(name), None) => format!("{name} ({url})"),
        (None, Some(address)) => format!("{address} ({url})"),
        (None, None) => format!("contact `{id}` ({url})"),
    }
}
