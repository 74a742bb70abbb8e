//! The location's names, read for a plan.

use crate::api::Client;
use crate::import::Error;
use crate::model::Directory;

/// Businesses of a page of the list (api.md §6.3).
const PAGE: usize = 100;

/// Reads the location and its custom fields, and its users and businesses where they are needed.
pub(crate) async fn directory(
    client: &Client,
    users: bool,
    businesses: bool,
) -> Result<Directory, Error> {
    let location = client.location_details().await?;
    let fields = client.custom_fields().await?;
    let users = if users { Some(client.users().await?.body) } else { None };
    let pages = if businesses { businesses_of(client).await? } else { Vec::new() };
    let id = client.location().clone();
    Directory::read(id, &location.body, &fields.body, users.as_deref(), &pages)
        .map_err(|error| Error::Answer(error.to_string()))
}

async fn businesses_of(client: &Client) -> Result<Vec<Vec<u8>>, Error> {
    let mut pages = Vec::new();
    loop {
        let page = client.businesses(pages.len() * PAGE).await?;
        let rows = page.head.rows;
        pages.push(page.body.to_vec());
        if rows < PAGE {
            return Ok(pages);
        }
    }
}
