//! Deletion: reads complete copies of what is to be deleted, before anything is deleted.
//!
//! A contact is read by its own endpoint, because a search lags behind writes (api.md §2.10), its notes one
//! contact at a time, because there is no other way, and its tasks for a hundred contacts per search. What
//! cannot be read completely is reported and not deleted. Before a plan is applied that was made a while ago,
//! the records are read again: what has changed is not deleted.

mod before_image;
mod recheck_images;

use std::path::PathBuf;

use self::before_image::{BeforeImageReader, ImageReadResult};
use super::ImportError;
use super::planning::validate_rows::to_json;
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::RunEvent;
use crate::plan::DeletedRecordKind;
use crate::run::{ContactPart, ImportStore, RowMark};

pub(super) use recheck_images::recheck_records;

/// Contacts read between two writes to the store.
const LOT: usize = 200;

/// Reads the records that a plan deletes.
pub(super) struct BeforeImageFetcher<'a> {
    pub(super) context: &'a EngineContext,
    pub(super) db: PathBuf,
    pub(super) what: DeletedRecordKind,
}

impl BeforeImageFetcher<'_> {
    /// Reads all contacts that are to be deleted, or whose notes or tasks are, into the store.
    pub(super) async fn fetch_images(&self) -> Result<(), ImportError> {
        let reader = BeforeImageReader::new(self.context, self.what);
        let total = Some(
            self.with_store(|rows| Ok(rows.count_distinct_values(RowMark::ContactToDelete)?))
                .await?,
        );
        let (mut last, mut done) = (String::new(), 0);
        loop {
            let after = last.clone();
            let lot = self
                .with_store(move |rows| {
                    Ok(rows.distinct_values_after(RowMark::ContactToDelete, &after, LOT)?)
                })
                .await?;
            let Some(end) = lot.last() else { return Ok(()) };
            last.clone_from(end);
            done += lot.len() as u64;
            let read = reader.read_images(lot).await?;
            self.with_store(move |rows| {
                rows.in_transaction(|rows| {
                    read.iter().try_for_each(|(contact, read)| store_image(rows, contact, read))
                })
            })
            .await?;
            self.context.observer.observe(&RunEvent::Progress { what: "kept", done, total });
        }
    }

    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ImportStore) -> Result<T, ImportError> + Send + 'static,
    ) -> Result<T, ImportError> {
        let db = self.db.clone();
        concurrency::run_blocking(move || work(&ImportStore::open(&db)?)).await
    }
}

fn store_image(
    rows: &ImportStore,
    contact: &str,
    read: &ImageReadResult,
) -> Result<(), ImportError> {
    match read {
        ImageReadResult::Whole(image) => {
            rows.put_child(ContactPart::BeforeImage, contact, "", &to_json(image))?;
        }
        ImageReadResult::Gone => {}
        ImageReadResult::Not(why) => rows.put_child(ContactPart::ReadError, contact, "", why)?,
    }
    Ok(())
}
