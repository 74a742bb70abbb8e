//! Removal: reading whole what is to be deleted, before anything is.
//!
//! A contact is read by its own endpoint, because a search lags behind writes (api.md §2.10), its notes
//! one contact at a time, because there is no other way, and its tasks a hundred contacts a search. What
//! cannot be read whole is named and stays. Before a plan is applied that somebody has looked at for long,
//! the records are read once more: what has changed is not deleted.

mod before_image;
mod recheck_images;

use std::path::PathBuf;

use serde_json::Value;

use self::before_image::{Read, Reader};
use super::Error;
use super::planning::validate_rows::{json, kind};
use crate::api::{self, TaskPlace};
use crate::concurrency;
use crate::context::Context;
use crate::event::Event;
use crate::model::remote::equality;
use crate::plan::Removed;
use crate::run::Rows;

pub(super) use recheck_images::recheck;

/// Contacts read between two writes to the store.
const LOT: usize = 200;

/// What is read, and with what.
pub(super) struct Images<'a> {
    pub(super) context: &'a Context,
    pub(super) db: PathBuf,
    pub(super) what: Removed,
}

impl Images<'_> {
    /// Finds the contacts of tasks that rows name without them.
    pub(super) async fn owners_of_tasks(&self) -> Result<(), Error> {
        let wanted = self.with_rows(|rows| Ok(rows.names(kind::TASK)?)).await?;
        if wanted == 0 {
            return Ok(());
        }
        let (mut place, mut first) = (TaskPlace::START, None);
        loop {
            let page = self.context.client.search_tasks(&[], api::SEARCH_LIMIT, &place).await?;
            let behind = page.head.behind(&place);
            let again = page.head.first.is_some() && page.head.first == first;
            if page.head.rows == 0 || again {
                return Ok(());
            }
            first.clone_from(&page.head.first);
            let body = page.body;
            self.with_rows(move |rows| name_owners(rows, &body)).await?;
            if behind == place {
                return Ok(());
            }
            place = behind;
        }
    }

    /// Reads all contacts that are to go, or whose notes or tasks are, into the store.
    pub(super) async fn keep(&self) -> Result<(), Error> {
        let reader = Reader::new(self.context, self.what);
        let total = Some(self.with_rows(|rows| Ok(rows.names(kind::GOING)?)).await?);
        let (mut last, mut done) = (String::new(), 0);
        loop {
            let after = last.clone();
            let lot =
                self.with_rows(move |rows| Ok(rows.values(kind::GOING, &after, LOT)?)).await?;
            let Some(end) = lot.last() else { return Ok(()) };
            last.clone_from(end);
            done += lot.len() as u64;
            let read = reader.read(lot).await?;
            self.with_rows(move |rows| {
                rows.together(|rows| {
                    read.iter().try_for_each(|(contact, read)| store(rows, contact, read))
                })
            })
            .await?;
            self.context.watcher.observe(&Event::Progress { what: "kept", done, total });
        }
    }

    async fn with_rows<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rows) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let db = self.db.clone();
        concurrency::blocking(move || work(&Rows::open(&db)?)).await
    }
}

fn store(rows: &Rows, contact: &str, read: &Read) -> Result<(), Error> {
    match read {
        Read::Whole(image) => rows.keep_child(kind::IMAGE, contact, "", &json(image))?,
        Read::Gone => {}
        Read::Not(why) => rows.keep_child(kind::UNREADABLE, contact, "", why)?,
    }
    Ok(())
}

/// Says whose the tasks of a page are, as far as rows name them.
fn name_owners(rows: &Rows, body: &[u8]) -> Result<(), Error> {
    let page: Value =
        serde_json::from_slice(body).map_err(|error| Error::Answer(error.to_string()))?;
    rows.together(|rows| {
        for task in page["tasks"].as_array().into_iter().flatten() {
            let (Some(id), Some(contact)) = (equality::id_of(task), task["contactId"].as_str())
            else {
                continue;
            };
            if rows.is_named(kind::TASK, id)? {
                rows.matched(kind::TASK, id, contact)?;
            }
        }
        Ok(())
    })
}
