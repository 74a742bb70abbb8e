//! Reads the names of the location for a plan.

use bytes::Bytes;

use crate::api::{ApiClient, ApiEndpoint};
use crate::import::ImportError;
use crate::model::LocationDirectory;

/// Businesses per page of the list (api.md §6.3).
const PAGE: usize = 100;

/// The location and its custom fields, as the API sent them. What a sheet means depends on them; only then it is known
/// which other names are needed, which may need another scope.
pub(crate) struct LocationResponses {
    location: Bytes,
    fields: Bytes,
}

impl LocationResponses {
    /// Reads them.
    pub(crate) async fn fetch(client: &ApiClient) -> Result<Self, ImportError> {
        let location = client.get_location().await?.body;
        let fields = client.list_custom_fields().await?.require_whole(ApiEndpoint::CustomFields)?;
        Ok(Self { location, fields: fields.body })
    }

    /// The directory without users and businesses.
    pub(crate) fn directory(&self, client: &ApiClient) -> Result<LocationDirectory, ImportError> {
        self.directory_with(client, None, &[])
    }

    /// The directory with those names that are needed, which are read now.
    pub(crate) async fn fetch_names(
        &self,
        client: &ApiClient,
        users: bool,
        businesses: bool,
    ) -> Result<LocationDirectory, ImportError> {
        let users = if users {
            Some(client.list_users().await?.require_whole(ApiEndpoint::Users)?.body)
        } else {
            None
        };
        let pages = if businesses { fetch_business_pages(client).await? } else { Vec::new() };
        self.directory_with(client, users.as_deref(), &pages)
    }

    fn directory_with(
        &self,
        client: &ApiClient,
        users: Option<&[u8]>,
        businesses: &[Vec<u8>],
    ) -> Result<LocationDirectory, ImportError> {
        let id = client.location_id().clone();
        LocationDirectory::from_responses(id, &self.location, &self.fields, users, businesses)
            .map_err(|error| ImportError::Answer(error.to_string()))
    }
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
