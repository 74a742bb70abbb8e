//! The contacts of tasks that rows name by id alone. The API finds no task by its id, so the tasks of the location are
//! searched until all of them are found.

use std::path::PathBuf;

use serde_json::Value;

use super::validate_rows::{parse_draft, to_json};
use crate::api::{ApiClient, ApiEndpoint, TaskSearchPosition, TaskWalkStep, repeated_pages_error};
use crate::concurrency;
use crate::import::ImportError;
use crate::model::remote::equality;
use crate::run::{ContactPart, IdentityKind, ImportStore};

/// Task ids handled per batch.
const LOT: usize = 1_000;

/// Finds the contacts of tasks.
pub(in crate::import) struct TaskOwnerSearch<'a> {
    pub(in crate::import) client: &'a ApiClient,
    pub(in crate::import) db: PathBuf,
}

impl TaskOwnerSearch<'_> {
    /// Stores the contacts of the tasks that rows name without a contact, and these tasks.
    pub(in crate::import) async fn find_owners(&self) -> Result<(), ImportError> {
        let mut missing =
            self.with_store(|rows| Ok(rows.count_distinct_values(IdentityKind::TaskId)?)).await?;
        let mut place = TaskSearchPosition::default();
        while missing > 0 {
            let page = self.client.search_tasks(&[], &place).await?;
            let next = page.head.next_step(&place);
            let body = page.body;
            let found = self.with_store(move |rows| store_owners(rows, &body)).await?;
            missing = missing.saturating_sub(found);
            match next {
                TaskWalkStep::Continue(next) => place = next,
                TaskWalkStep::End => return Ok(()),
                TaskWalkStep::Repeated => {
                    return Err(repeated_pages_error(ApiEndpoint::SearchTasks).into());
                }
            }
        }
        Ok(())
    }

    /// Gives the rows of these tasks the contacts that were found.
    pub(in crate::import) async fn name_owners(&self) -> Result<(), ImportError> {
        self.with_store(|rows| {
            rows.in_transaction(|rows| {
                let mut after = String::new();
                loop {
                    let ids = rows.distinct_values_after(IdentityKind::TaskId, &after, LOT)?;
                    let Some(last) = ids.last() else { return Ok(()) };
                    after.clone_from(last);
                    for id in &ids {
                        name_owner(rows, id)?;
                    }
                }
            })
        })
        .await
    }

    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ImportStore) -> Result<T, ImportError> + Send + 'static,
    ) -> Result<T, ImportError> {
        let db = self.db.clone();
        concurrency::run_blocking(move || work(&ImportStore::open(&db)?)).await
    }
}

/// Stores the tasks of a page that rows name, with their contacts; returns how many were not known before.
fn store_owners(rows: &ImportStore, body: &[u8]) -> Result<u64, ImportError> {
    let page: Value =
        serde_json::from_slice(body).map_err(|error| ImportError::Answer(error.to_string()))?;
    rows.in_transaction(|rows| {
        let mut found = 0;
        for task in page["tasks"].as_array().into_iter().flatten() {
            let (Some(id), Some(contact)) = (equality::child_id(task), task["contactId"].as_str())
            else {
                continue;
            };
            if rows.has_row_value(IdentityKind::TaskId, id)? {
                found += u64::from(rows.matching_contacts(IdentityKind::TaskId, id)?.is_empty());
                rows.add_match(IdentityKind::TaskId, id, contact)?;
                rows.put_child(ContactPart::Tasks, contact, id, &task.to_string())?;
            }
        }
        Ok(found)
    })
}

/// Stores the contact of a task in the drafts of its rows.
fn name_owner(rows: &ImportStore, task: &str) -> Result<(), ImportError> {
    let owners = rows.matching_contacts(IdentityKind::TaskId, task)?;
    let Some(owner) = owners.into_iter().next() else { return Ok(()) };
    for n in rows.rows_with_value(IdentityKind::TaskId, task)? {
        let Some(draft) = rows.find_row(n)?.and_then(|row| row.draft) else { continue };
        let mut draft = parse_draft(&draft)?;
        draft.contact = owner.parse().ok();
        rows.replace_draft(n, &to_json(&draft))?;
        rows.add_row_value(IdentityKind::ContactId, &owner, n)?;
    }
    Ok(())
}
