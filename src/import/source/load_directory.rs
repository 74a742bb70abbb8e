//! Reads the names of the location for a plan.

use crate::api::{ApiClient, ApiEndpoint};
use crate::import::ImportError;
use crate::model::LocationDirectory;

/// Businesses per page of the list (api.md §6.3).
const PAGE: usize = 100;

/// Reads the location and its custom fields, and its users and businesses if they are needed.
pub(crate) async fn fetch_directory(
    client: &ApiClient,
    users: bool,
    businesses: bool,
) -> Result<LocationDirectory, ImportError> {
    let location = client.get_location().await?;
    let fields = client.list_custom_fields().await?.require_whole(ApiEndpoint::CustomFields)?;
    let users = if users {
        Some(client.list_users().await?.require_whole(ApiEndpoint::Users)?.body)
    } else {
        None
    };
    let pages = if businesses { fetch_business_pages(client).await? } else { Vec::new() };
    let id = client.location_id().clone();
    LocationDirectory::from_responses(id, &location.body, &fields.body, users.as_deref(), &pages)
        .map_err(|error| ImportError::Answer(error.to_string()))
}

async fn fetch_business_pages(client: &ApiClient) -> Result<Vec<Vec<u8>>, ImportError> {
    let mut pages = Vec::new();
    loop {
        let page = client.list_businesses(pages.len() * PAGE).await?;
        let rows = page.head.rows;
        pages.push(page.body.to_vec());
        if rows < PAGE {
            return Ok(pages);
        }
    }
}
