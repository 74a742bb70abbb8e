//! How messages name the contacts of a run: by what its store knows about them.

use crate::id::{ContactId, LocationId};
use crate::import::ImportError;
use crate::model::remote::RemoteContact;
use crate::model::remote::contact_label::contact_label;
use crate::plan::BeforeImage;
use crate::run::{ContactPart, ImportStore};

/// Names a contact by its name, e-mail address and page in `HighLevel`, as far as the store has them.
pub(super) fn describe_contact(
    rows: &ImportStore,
    location: &LocationId,
    id: &ContactId,
) -> Result<String, ImportError> {
    let stored: Option<RemoteContact> = if let Some((body, _)) = rows.find_contact(id.as_str())? {
        serde_json::from_str(&body).ok()
    } else {
        let image = rows.contact_children(ContactPart::BeforeImage, id.as_str())?.pop();
        let image = image.and_then(|image| serde_json::from_str::<BeforeImage>(&image).ok());
        image.and_then(|image| image.remote_contact())
    };
    Ok(contact_label(location, id, stored.as_ref()))
}
