//! The contacts of one business, for a server whose search has no business filter.
//!
//! The list of a business's contacts lacks most fields (api.md §3.3). It supplies only the ids, and
//! each contact is then read on its own.

use std::pin::pin;

use futures::StreamExt;

use super::{Pull, PullError};
use crate::api::{self, ApiErrorKind};
use crate::concurrency;
use crate::id::{BusinessId, ContactId};
use crate::run::{SpoolWrite, StreamProgress, pack_responses, stream};

impl Pull {
    /// Reads the business's contacts after the search rejected the filter with `refusal`.
    pub(super) async fn pull_business_contacts(
        &self,
        refusal: api::ApiError,
    ) -> Result<(), PullError> {
        let Some(business) = &self.options.business else { return Err(refusal.into()) };
        if self.options.filter.filters.len() > 1 || self.options.filter.query.is_some() {
            return Err(refusal.into());
        }
        let client = self.client.clone();
        let ids = futures::stream::iter(self.list_business_contact_ids(business).await?);
        let responses = concurrency::run_in_order(ids, self.request_concurrency(), move |id| {
            let client = client.clone();
            async move { (client.get_contact(&id).await, id) }
        });
        let mut responses = pin!(responses);
        let mut progress = StreamProgress::default();
        while let Some((response, id)) = responses.next().await {
            let stream = stream::CONTACTS_SINGLE.to_owned();
            match response {
                Ok(response) => {
                    for child in &self.options.children {
                        self.defer_child_request(*child, &id).await?;
                    }
                    self.record_broken(stream::CONTACTS, None, id.as_str(), &response.broken)
                        .await?;
                    progress.rows += 1;
                    let body = pack_responses([(id.as_str(), response.body.as_ref())]);
                    let progress = progress.clone();
                    self.write_to_spool(SpoolWrite::Entry { stream, rows: 1, body, progress })
                        .await?;
                }
                // Deleted since the list was read, so it no longer belongs to the business.
                Err(error) if error.kind == ApiErrorKind::Gone => {}
                Err(error) => self.record_failure(&stream, id.as_str(), error).await?,
            }
        }
        let progress = StreamProgress { done: true, ..progress };
        self.write_to_spool(SpoolWrite::ProgressOnly {
            stream: stream::CONTACTS.to_owned(),
            progress,
        })
        .await
    }

    async fn list_business_contact_ids(
        &self,
        business: &BusinessId,
    ) -> Result<Vec<ContactId>, PullError> {
        let mut ids = Vec::new();
        loop {
            let page = self.client.list_business_contacts(business, ids.len()).await?.head;
            if page.rows.is_empty() {
                return Ok(ids);
            }
            ids.extend(page.rows.into_iter().flatten().map(|row| row.id));
        }
    }
}
