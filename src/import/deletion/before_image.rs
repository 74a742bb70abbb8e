//! Reading contacts whole, many side by side.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;

use crate::api::{self, Bounds, Client, Kind, TaskPage, TaskPlace};
use crate::concurrency;
use crate::context::Context;
use crate::id::ContactId;
use crate::import::Error;
use crate::plan::{Image, Removed};

/// Contacts named in one task search (its maximum is unknown, api.md §4).
const TASK_CONTACTS: usize = 100;

/// What was read of a contact.
#[derive(Debug, PartialEq)]
pub(super) enum Read {
    /// All that is needed.
    Whole(Image),
    /// It is gone.
    Gone,
    /// Not all, and why.
    Not(String),
}

/// Reads contacts.
pub(super) struct Reader {
    client: Client,
    at_once: NonZeroUsize,
    what: Removed,
}

impl Reader {
    pub(super) fn new(context: &Context, what: Removed) -> Self {
        Self { client: context.client.clone(), at_once: context.concurrency, what }
    }

    /// Reads these contacts, each as far as it is to be deleted.
    ///
    /// # Errors
    /// What keeps any of them from being read.
    pub(super) async fn read(&self, lot: Vec<String>) -> Result<Vec<(String, Read)>, Error> {
        let (client, what) = (self.client.clone(), self.what);
        let alone = concurrency::each(futures::stream::iter(lot), self.at_once, move |contact| {
            let client = client.clone();
            async move { Ok((contact.clone(), one(&client, &contact, what).await?)) }
        });
        let alone: Vec<Result<(String, Read), Error>> = alone.collect().await;
        let mut all: Vec<(String, Read)> = alone.into_iter().collect::<Result<_, _>>()?;
        if what != Removed::Notes {
            self.tasks(&mut all).await?;
        }
        Ok(all)
    }

    async fn tasks(&self, all: &mut [(String, Read)]) -> Result<(), Error> {
        let whole = all.iter().filter(|(_, read)| matches!(read, Read::Whole(_)));
        let ids: Vec<ContactId> = whole.filter_map(|(id, _)| id.parse().ok()).collect();
        let client = self.client.clone();
        let lots: Vec<Vec<ContactId>> = ids.chunks(TASK_CONTACTS).map(<[_]>::to_vec).collect();
        let lots = concurrency::each(futures::stream::iter(lots), self.at_once, move |lot| {
            let client = client.clone();
            async move { tasks_of(&client, lot).await }
        });
        let found: Vec<Result<HashMap<String, Tasks>, Error>> = lots.collect().await;
        let mut found: HashMap<String, Tasks> =
            found.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        for (contact, read) in all {
            let (Read::Whole(image), Some(tasks)) = (&mut *read, found.remove(contact)) else {
                continue;
            };
            match tasks {
                Ok(tasks) => image.tasks = tasks,
                Err(why) => *read = Read::Not(why),
            }
        }
        Ok(())
    }
}

/// A contact's tasks, or why they cannot be read.
type Tasks = Result<Vec<Value>, String>;

/// A contact with its notes; or what of it is needed.
async fn one(client: &Client, contact: &str, what: Removed) -> Result<Read, Error> {
    let Ok(id) = contact.parse::<ContactId>() else { return Ok(Read::Gone) };
    let mut image = Image::default();
    if what == Removed::Contacts {
        match client.contact_raw(&id).await {
            Ok(answer) => match answer.head {
                Some(raw) => image.contact = parsed(raw.get().as_bytes())?,
                None => return Ok(Read::Gone),
            },
            Err(error) => return unreadable(error),
        }
    }
    if what != Removed::Tasks {
        match client.contact_notes(&id, Bounds::PATIENT).await {
            Ok(answer) => image.notes = list(&answer.body, "notes")?,
            Err(error) => return unreadable(error),
        }
    }
    Ok(Read::Whole(image))
}

/// What it means that a record cannot be read.
fn unreadable(error: api::Error) -> Result<Read, Error> {
    match error.kind {
        Kind::Gone => Ok(Read::Gone),
        _ if ends_the_run(&error) => Err(error.into()),
        _ => Ok(Read::Not(error.to_string())),
    }
}

/// Without the scope nothing could be kept of any contact.
fn ends_the_run(error: &api::Error) -> bool {
    error.fatal() || error.kind == Kind::Scope
}

/// The tasks of some contacts, by contact. Where they cannot be searched together, each contact's own list
/// says what it has.
async fn tasks_of(client: &Client, lot: Vec<ContactId>) -> Result<HashMap<String, Tasks>, Error> {
    let mut all: HashMap<String, Tasks> =
        lot.iter().map(|id| (id.to_string(), Ok(Vec::new()))).collect();
    match pages(client, &lot).await {
        Ok(Some(tasks)) => {
            for task in tasks {
                let owner = task["contactId"].as_str().and_then(|id| all.get_mut(id));
                if let Some(Ok(own)) = owner {
                    own.push(task);
                }
            }
            return Ok(all);
        }
        Err(Error::Api(error)) if !ends_the_run(&error) => {}
        Err(error) => return Err(error),
        Ok(None) => {}
    }
    for id in lot {
        let tasks = match client.contact_tasks(&id, Bounds::PATIENT).await {
            Ok(answer) => Ok(list(&answer.body, "tasks")?),
            Err(error) if error.kind == Kind::Gone => Ok(Vec::new()),
            Err(error) if ends_the_run(&error) => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        all.insert(id.to_string(), tasks);
    }
    Ok(all)
}

/// All pages of a task search; nothing when it gives the same page again and again.
async fn pages(client: &Client, lot: &[ContactId]) -> Result<Option<Vec<Value>>, Error> {
    let (mut tasks, mut place) = (Vec::new(), TaskPlace::START);
    let mut last: Option<TaskPage> = None;
    loop {
        let answer = client.search_tasks(lot, api::SEARCH_LIMIT, &place).await?;
        let page = answer.head;
        if page.rows == 0 {
            return Ok(Some(tasks));
        }
        let behind = page.behind(&place);
        let again = last.is_some_and(|last| last.first == page.first);
        if again || behind == place {
            return Ok(None);
        }
        // A short page may be all that the server gives at a time.
        tasks.extend(list(&answer.body, "tasks")?);
        (place, last) = (behind, Some(page));
    }
}

fn list(body: &Bytes, name: &str) -> Result<Vec<Value>, Error> {
    let mut answer = parsed(body)?;
    match answer[name].take() {
        Value::Array(list) => Ok(list),
        _ => Err(Error::Answer(format!("there is no list `{name}`"))),
    }
}

fn parsed(text: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(text).map_err(|error| Error::Answer(error.to_string()))
}
