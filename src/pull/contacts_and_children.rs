//! The walk over the contacts, and beside it the readers of their children.

use super::children::ChildKind;
use super::committed_page::PageReaders;
use super::notes::SharedSampler;
use super::{Pull, PullError};

impl Pull {
    /// Walks the contacts and reads their children at the same time: some kinds contact by contact, and notes by
    /// search, if there is a sampler for them.
    pub(super) async fn pull_contacts_and_children(
        &self,
        children: &[ChildKind],
        sampler: Option<&SharedSampler>,
    ) -> Result<(), PullError> {
        let (mut pages, start) = (PageReaders::default(), self.earliest_child_cursor(children)?);
        let per_contact = (!children.is_empty()).then(|| pages.add_reader(start.page));
        // The sample needs every contact, also those whose notes an earlier process read.
        let searched = sampler.map(|sampler| (sampler, pages.add_reader(0)));
        let (walked, followed, searched) = tokio::join!(
            self.walk_contacts(pages),
            async {
                match per_contact {
                    Some(pages) => self.pull_children_of_pages(children, start, pages).await,
                    None => Ok(()),
                }
            },
            async {
                match searched {
                    Some((sampler, pages)) => self.pull_note_batches(pages, sampler).await,
                    None => Ok(()),
                }
            }
        );
        followed.and(searched).and(walked)?;
        self.mark_children_done(children).await
    }
}
