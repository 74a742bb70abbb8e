//! The contacts of one business, for a server whose search does not know businesses.
//!
//! The list of a business's contacts is short of most fields (api.md §3.3), so it gives the ids, and
//! every contact is then read by itself.

use std::pin::pin;

use futures::StreamExt;

use super::{Pull, PullError};
use crate::api::{self, ApiErrorKind};
use crate::concurrency;
use crate::id::{BusinessId, ContactId};
use crate::run::{SpoolWrite, StreamProgress, pack_responses, stream};

impl Pull {
    /// Reads the business's contacts, after the search refused to. `refusal` is what it said.
    pub(super) async fn pull_business_contacts(
        &self,
        refusal: api::ApiError,
    ) -> Result<(), PullError> {
        let Some(business) = &self.plan.business else { return Err(refusal.into()) };
        if self.plan.filter.filters.len() > 1 || self.plan.filter.query.is_some() {
            return Err(refusal.into());
        }
        let client = self.client.clone();
        let ids = futures::stream::iter(self.list_business_contact_ids(business).await?);
        let asked = concurrency::run_in_order(ids, self.request_concurrency(), move |id| {
            let client = client.clone();
            async move { (client.get_contact(&id).await, id) }
        });
        let mut asked = pin!(asked);
        let mut progress = StreamProgress::default();
        while let Some((answer, id)) = asked.next().await {
            let stream = stream::CONTACTS_SINGLE.to_owned();
            match answer {
                Ok(answer) => {
                    for child in &self.plan.children {
                        self.defer_child_request(*child, &id).await?;
                    }
                    progress.rows += 1;
                    let body = pack_responses([(id.as_str(), answer.body.as_ref())]);
                    let progress = progress.clone();
                    self.write_to_spool(SpoolWrite::Entry { stream, rows: 1, body, progress })
                        .await?;
                }
                // Deleted since the list was made: no contact of the business any more.
                Err(error) if error.kind == ApiErrorKind::Gone => {}
                Err(error) => self.record_failure(&stream, id.as_str(), error).await?,
            }
        }
        let progress = StreamProgress { done: true, ..progress };
        self.write_to_spool(SpoolWrite::Moved { stream: stream::CONTACTS.to_owned(), progress })
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
