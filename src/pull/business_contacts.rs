//! The contacts of one business, for a server whose search does not know businesses.
//!
//! The list of a business's contacts is short of most fields (api.md §3.3), so it gives the ids, and
//! every contact is then read by itself.

use std::pin::pin;

use futures::StreamExt;

use super::{Error, Pull};
use crate::api::{self, Kind};
use crate::concurrency;
use crate::id::{BusinessId, ContactId};
use crate::run::{Progress, Write, pack, stream};

impl Pull {
    /// Reads the business's contacts, after the search refused to. `refusal` is what it said.
    pub(super) async fn walk_business(&self, refusal: api::Error) -> Result<(), Error> {
        let Some(business) = &self.plan.business else { return Err(refusal.into()) };
        if self.plan.filter.filters.len() > 1 || self.plan.filter.query.is_some() {
            return Err(refusal.into());
        }
        let client = self.client.clone();
        let ids = futures::stream::iter(self.contacts_of(business).await?);
        let asked = concurrency::ordered(ids, self.width(), move |id| {
            let client = client.clone();
            async move { (client.contact(&id).await, id) }
        });
        let mut asked = pin!(asked);
        let mut progress = Progress::default();
        while let Some((answer, id)) = asked.next().await {
            let stream = stream::CONTACTS_SINGLE.to_owned();
            match answer {
                Ok(answer) => {
                    for child in &self.plan.children {
                        self.ask_later(*child, &id).await?;
                    }
                    progress.rows += 1;
                    let body = pack([(id.as_str(), answer.body.as_ref())]);
                    let progress = progress.clone();
                    self.store(Write::Entry { stream, rows: 1, body, progress }).await?;
                }
                // Deleted since the list was made: no contact of the business any more.
                Err(error) if error.kind == Kind::Gone => {}
                Err(error) => self.set_aside(&stream, id.as_str(), error).await?,
            }
        }
        let progress = Progress { done: true, ..progress };
        self.store(Write::Moved { stream: stream::CONTACTS.to_owned(), progress }).await
    }

    async fn contacts_of(&self, business: &BusinessId) -> Result<Vec<ContactId>, Error> {
        let mut ids = Vec::new();
        loop {
            let page = self.client.contacts_by_business(business, ids.len()).await?.head;
            if page.rows.is_empty() {
                return Ok(ids);
            }
            ids.extend(page.rows.into_iter().flatten().map(|row| row.id));
        }
    }
}
