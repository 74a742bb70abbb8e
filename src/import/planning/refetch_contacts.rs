//! Reads contacts by their ids, where the search alone is not trusted: it lags behind writes (api.md §2.10).

use std::path::Path;

use futures::StreamExt;

use super::validate_rows::to_json;
use crate::api;
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::RunEvent;
use crate::id::ContactId;
use crate::import::ImportError;
use crate::model::remote::RemoteContact;
use crate::run::ImportStore;

/// Contacts read between two writes to the store.
const LOT: usize = 200;

/// What a contact is when it is read by its id.
enum ContactState {
    Exists(Box<RemoteContact>),
    Gone,
    /// The token may not read it: it may exist.
    Forbidden,
}

/// Reads contacts by their ids, and stores the result in place of the search result. Gives those that the token may not
/// read: they are stored as if they were gone.
pub(crate) async fn refetch_contacts(
    context: &EngineContext,
    db: &Path,
    contacts: &[String],
) -> Result<Vec<String>, ImportError> {
    let total = Some(contacts.len() as u64);
    let (mut done, mut forbidden) = (0, Vec::new());
    for lot in contacts.chunks(LOT) {
        let client = context.client.clone();
        let found = concurrency::run_unordered(
            futures::stream::iter(lot.to_vec()),
            context.concurrency,
            move |contact| {
                let client = client.clone();
                async move { fetch_contact(&client, contact).await }
            },
        );
        let found: Vec<_> = found.collect().await;
        let found: Vec<(String, ContactState)> = found.into_iter().collect::<Result<_, _>>()?;
        done += found.len() as u64;
        let hidden = found.iter().filter(|(_, state)| matches!(state, ContactState::Forbidden));
        forbidden.extend(hidden.map(|(contact, _)| contact.clone()));
        let db = db.to_owned();
        concurrency::run_blocking(move || {
            ImportStore::open(&db)?.in_transaction(|rows| store_contacts(rows, &found))
        })
        .await?;
        let event = RunEvent::Progress { what: "checked", done, total };
        context.observer.observe(&event);
    }
    Ok(forbidden)
}

fn store_contacts(rows: &ImportStore, found: &[(String, ContactState)]) -> Result<(), ImportError> {
    for (contact, state) in found {
        match state {
            ContactState::Exists(remote) => {
                rows.put_contact(contact, &to_json(remote), &remote.content_digest())?;
            }
            ContactState::Gone | ContactState::Forbidden => rows.forget_contact(contact)?,
        }
    }
    Ok(())
}

async fn fetch_contact(
    client: &api::ApiClient,
    contact: String,
) -> Result<(String, ContactState), ImportError> {
    let Ok(id) = contact.parse::<ContactId>() else { return Ok((contact, ContactState::Gone)) };
    let state = match client.get_raw_contact(&id).await {
        Ok(answer) => {
            let row = answer.head;
            let remote = row.and_then(|row| RemoteContact::from_json_slice(row.get().as_bytes()));
            remote.map_or(ContactState::Gone, |remote| ContactState::Exists(Box::new(remote)))
        }
        Err(error) if error.kind == api::ApiErrorKind::Gone => ContactState::Gone,
        Err(error) if error.forbids_record() => ContactState::Forbidden,
        Err(error) => return Err(error.into()),
    };
    Ok((contact, state))
}
