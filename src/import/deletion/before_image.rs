//! Reads complete copies of contacts, many concurrently.
//!
//! The notes are read contact by contact: what the copy lacks is lost with the contact, and the index of the notes
//! search may hide a note, or show an older text of it, without any sign.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;

use crate::api::{
    self, ApiClient, ApiEndpoint, ApiErrorKind, RetryPolicy, TaskSearchPosition, TaskWalkStep,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::id::ContactId;
use crate::import::ImportError;
use crate::plan::{BeforeImage, DeletedRecordKind};

/// Contacts in one task search (the maximum is unknown, api.md §4).
const TASK_CONTACTS: usize = 100;

/// The result of reading a contact.
#[derive(Debug, PartialEq)]
pub(super) enum ImageReadResult {
    /// Everything that is needed.
    Whole(BeforeImage),
    /// The contact no longer exists.
    Gone,
    /// Not everything could be read, and why.
    Not(String),
}

/// Reads contacts.
pub(super) struct BeforeImageReader {
    client: ApiClient,
    at_once: NonZeroUsize,
    what: DeletedRecordKind,
}

impl BeforeImageReader {
    pub(super) fn new(context: &EngineContext, what: DeletedRecordKind) -> Self {
        Self { client: context.client.clone(), at_once: context.concurrency, what }
    }

    /// Reads these contacts, each as far as it is to be deleted.
    ///
    /// # Errors
    /// Any error that prevents one of them from being read.
    pub(super) async fn read_images(
        &self,
        lot: Vec<String>,
    ) -> Result<Vec<(String, ImageReadResult)>, ImportError> {
        let (client, what) = (self.client.clone(), self.what);
        let alone =
            concurrency::run_unordered(futures::stream::iter(lot), self.at_once, move |contact| {
                let client = client.clone();
                async move {
                    Ok((contact.clone(), read_contact_and_notes(&client, &contact, what).await?))
                }
            });
        let alone: Vec<Result<(String, ImageReadResult), ImportError>> = alone.collect().await;
        let mut all: Vec<(String, ImageReadResult)> =
            alone.into_iter().collect::<Result<_, _>>()?;
        if what != DeletedRecordKind::Notes {
            self.attach_tasks(&mut all).await?;
        }
        Ok(all)
    }

    async fn attach_tasks(&self, all: &mut [(String, ImageReadResult)]) -> Result<(), ImportError> {
        let whole = all.iter().filter(|(_, read)| matches!(read, ImageReadResult::Whole(_)));
        let ids: Vec<ContactId> = whole.filter_map(|(id, _)| id.parse().ok()).collect();
        let client = self.client.clone();
        let lots: Vec<Vec<ContactId>> = ids.chunks(TASK_CONTACTS).map(<[_]>::to_vec).collect();
        let lots =
            concurrency::run_unordered(futures::stream::iter(lots), self.at_once, move |lot| {
                let client = client.clone();
                async move { read_tasks_by_contact(&client, lot).await }
            });
        let found: Vec<Result<HashMap<String, ContactTasksResult>, ImportError>> =
            lots.collect().await;
        let mut found: HashMap<String, ContactTasksResult> =
            found.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        for (contact, read) in all {
            let (ImageReadResult::Whole(image), Some(tasks)) = (&mut *read, found.remove(contact))
            else {
                continue;
            };
            match tasks {
                Ok(tasks) => image.tasks = tasks,
                Err(why) => *read = ImageReadResult::Not(why),
            }
        }
        Ok(())
    }
}

/// A contact's tasks, or why they cannot be read.
type ContactTasksResult = Result<Vec<Value>, String>;

/// A contact with its notes, or the part of it that is needed.
async fn read_contact_and_notes(
    client: &ApiClient,
    contact: &str,
    what: DeletedRecordKind,
) -> Result<ImageReadResult, ImportError> {
    let Ok(id) = contact.parse::<ContactId>() else { return Ok(ImageReadResult::Gone) };
    let mut image = BeforeImage::default();
    if what == DeletedRecordKind::Contacts {
        match client.get_raw_contact(&id).await {
            Ok(answer) => match answer.head {
                Some(raw) => image.contact = parse_json(raw.get().as_bytes())?,
                None => return Ok(ImageReadResult::Gone),
            },
            Err(error) => return classify_read_error(error),
        }
    }
    if what != DeletedRecordKind::Tasks {
        let notes = client.list_contact_notes(&id, RetryPolicy::PERSISTENT).await;
        match notes.and_then(|answer| answer.require_whole(ApiEndpoint::ContactNotes)) {
            Ok(answer) => image.notes = parse_list(&answer.body, "notes")?,
            Err(error) => return classify_read_error(error),
        }
    }
    Ok(ImageReadResult::Whole(image))
}

/// Classifies the error of a record that cannot be read.
fn classify_read_error(error: api::ApiError) -> Result<ImageReadResult, ImportError> {
    match error.kind {
        ApiErrorKind::Gone => Ok(ImageReadResult::Gone),
        _ if is_fatal_for_run(&error) => Err(error.into()),
        _ => Ok(ImageReadResult::Not(error.to_string())),
    }
}

/// Without the scope, no contact could be saved.
fn is_fatal_for_run(error: &api::ApiError) -> bool {
    error.is_fatal() || error.kind == ApiErrorKind::Scope
}

/// The tasks of some contacts, by contact. Where they cannot be searched together, they are read from the list
/// of each contact.
async fn read_tasks_by_contact(
    client: &ApiClient,
    lot: Vec<ContactId>,
) -> Result<HashMap<String, ContactTasksResult>, ImportError> {
    let mut all: HashMap<String, ContactTasksResult> =
        lot.iter().map(|id| (id.to_string(), Ok(Vec::new()))).collect();
    match search_all_tasks(client, &lot).await {
        Ok(Some(tasks)) => {
            for task in tasks {
                let owner = task["contactId"].as_str().and_then(|id| all.get_mut(id));
                if let Some(Ok(own)) = owner {
                    own.push(task);
                }
            }
            return Ok(all);
        }
        Err(ImportError::Api(error)) if !is_fatal_for_run(&error) => {}
        Err(error) => return Err(error),
        Ok(None) => {}
    }
    for id in lot {
        let tasks = client.list_contact_tasks(&id, RetryPolicy::PERSISTENT).await;
        let tasks = match tasks.and_then(|answer| answer.require_whole(ApiEndpoint::ContactTasks)) {
            Ok(answer) => Ok(parse_list(&answer.body, "tasks")?),
            Err(error) if error.kind == ApiErrorKind::Gone => Ok(Vec::new()),
            Err(error) if is_fatal_for_run(&error) => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        all.insert(id.to_string(), tasks);
    }
    Ok(all)
}

/// All pages of a task search; `None` if it returns the same page again and again.
async fn search_all_tasks(
    client: &ApiClient,
    lot: &[ContactId],
) -> Result<Option<Vec<Value>>, ImportError> {
    let (mut tasks, mut place) = (Vec::new(), TaskSearchPosition::default());
    loop {
        let answer = client.search_tasks(lot, &place).await?;
        match answer.head.next_step(&place) {
            TaskWalkStep::End => return Ok(Some(tasks)),
            TaskWalkStep::Repeated => return Ok(None),
            TaskWalkStep::Continue(next) => place = next,
        }
        tasks.extend(parse_list(&answer.body, "tasks")?);
    }
}

fn parse_list(body: &Bytes, name: &str) -> Result<Vec<Value>, ImportError> {
    let mut answer = parse_json(body)?;
    match answer[name].take() {
        Value::Array(list) => Ok(list),
        _ => Err(ImportError::Answer(format!("there is no list `{name}`"))),
    }
}

fn parse_json(text: &[u8]) -> Result<Value, ImportError> {
    serde_json::from_slice(text).map_err(|error| ImportError::Answer(error.to_string()))
}
