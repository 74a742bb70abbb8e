//! Look-ups: the reads that find an op's result.
//!
//! Each idempotency class has its own: the duplicate search reads what the server itself checks;
//! the marker and the dates go through the search index, which lags; children are listed. A record
//! found through the index is read again by its id, because only that is fresh (api.md §2.10). The
//! notes search is not used: what it shows would have to be listed again to be compared with the
//! number before, and what it hides proves nothing.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::classify::{self, CreationWindow, SentIdentity, sent_identity};
use super::{ChildBaseline, InDoubtOp, OpResolution, ReconcileError, Reconciler};
use crate::api::{self, ApiErrorKind, ContactSearchFilter, LookupValue, RetryPolicy, SEARCH_LIMIT};
use crate::id::ContactId;
use crate::model::remote::RemoteContact;
use crate::model::{IdempotencyClass, OpChange};

/// The maximum number of pages that one walk over a time window reads. At full speed 5,000 contacts
/// are created in 500 s, longer than any such window with the usual settle time.
const PAGES: usize = 10;

impl Reconciler {
    /// The look-up for the op's idempotency class; None if it finds nothing.
    pub(super) async fn probe_once(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        match &case.op.change {
            OpChange::CreateNote { .. } | OpChange::CreateTask { .. } => {
                self.find_added_child(case).await
            }
            _ => match case.op.class {
                IdempotencyClass::Marked => self.find_by_marker(case).await,
                IdempotencyClass::Once => self.find_unique_in_window(case).await,
                _ => self.find_by_identity(case).await,
            },
        }
    }

    /// A single look-up for a contact whose create was refused and that may exist nevertheless.
    pub(super) async fn probe_refused_create(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let identified = sent_identity(&case.op.change).is_some();
        let mut found = if identified { self.find_by_identity(case).await? } else { None };
        if found.is_none() && (!identified || case.op.class == IdempotencyClass::Marked) {
            found = self.probe_once(case).await?;
        }
        Ok(found.filter(OpResolution::is_applied))
    }

    /// The second, independent look-up: the contacts that were added while the request may have
    /// been applied.
    pub(super) async fn probe_creation_window(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let is_child =
            matches!(case.op.change, OpChange::CreateNote { .. } | OpChange::CreateTask { .. });
        if is_child || case.op.class == IdempotencyClass::Once {
            // These have no second look-up.
            return Ok(None);
        }
        let identity = sent_identity(&case.op.change);
        let window = self.creation_window(case);
        let hit = |remote: &RemoteContact| match case.op.class {
            IdempotencyClass::Marked => self.carries_marker(&case.op.change, remote),
            _ if identity.is_some() => {
                classify::matches_identity(remote, identity.email, identity.phone)
            }
            _ => classify::is_equal_in_window(&case.op.change, window, remote),
        };
        for remote in self.contacts_added_in_window(case).await?.iter().filter(|remote| hit(remote))
        {
            if let Some(own) = self.confirm_by_id(case, &remote.id).await? {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    /// By e-mail address, then by phone: all contacts that have it, where the token may look them
    /// up; then the contact that the server would call a duplicate, which may be another one: two
    /// rows may share a phone number.
    async fn find_by_identity(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let SentIdentity { email, phone } = sent_identity(&case.op.change);
        for (email, phone) in [(email, None), (None, phone)] {
            let known: Vec<ContactId> = self
                .look_up_identity(email, phone)
                .await?
                .into_iter()
                .map(|remote| remote.id)
                .collect();
            for id in &known {
                if let Some(own) = self.confirm_by_id(case, id).await? {
                    return Ok(Some(own));
                }
            }
            if let Some(id) = self.duplicate_contact_id(email, phone).await?
                && !known.contains(&id)
                && let Some(own) = self.confirm_by_id(case, &id).await?
            {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    /// All contacts with this primary or additional value; none where the token may not look them
    /// up. That one is missing proves nothing.
    pub(super) async fn look_up_identity(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Vec<RemoteContact>, ReconcileError> {
        let value = match (email, phone) {
            (Some(email), _) => LookupValue::Email(email),
            (None, Some(phone)) => LookupValue::Phone(phone),
            (None, None) => return Ok(Vec::new()),
        };
        let _seat = self.acquire_request_slot().await;
        let rows = self.client.look_up_contacts(value).await?.unwrap_or_default();
        let read = |row: &RawValue| RemoteContact::from_json_slice(row.get().as_bytes());
        Ok(rows.iter().filter_map(|row| read(row)).collect())
    }

    async fn duplicate_contact_id(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Option<ContactId>, ReconcileError> {
        if email.is_none() && phone.is_none() {
            return Ok(None);
        }
        let _seat = self.acquire_request_slot().await;
        let answer = match self.client.find_duplicate_contact(email, phone).await {
            // The server rejects this value; the other one or the second look-up may find the
            // contact.
            Err(error) if error.kind == ApiErrorKind::Refused => return Ok(None),
            answer => answer?,
        };
        let found =
            answer.head.and_then(|raw| RemoteContact::from_json_slice(raw.get().as_bytes()));
        Ok(found.map(|remote| remote.id))
    }

    async fn find_by_marker(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        match self.search_by_marker(&case.op.change).await?.first() {
            Some(remote) => self.confirm_by_id(case, &remote.id).await,
            None => Ok(None),
        }
    }

    /// Whether a contact is the op's result, judged by its own record. Whether another contact
    /// blocks the op is for the server to say when the op is sent again.
    async fn confirm_by_id(
        &self,
        case: &InDoubtOp<'_>,
        id: &ContactId,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let Some(remote) = self.fetch_contact(id).await? else { return Ok(None) };
        if case.op.class == IdempotencyClass::Marked {
            // No other writer uses this marker, whatever the clocks say.
            let ours = self.carries_marker(&case.op.change, &remote);
            return Ok(ours.then(|| classify::classify_applied(&case.op.change, &remote, None)));
        }
        Ok(Some(self.classify_ownership(case, &remote).await?).filter(OpResolution::is_applied))
    }

    /// Whether a contact with the op's e-mail address or phone is the op's result, by everything
    /// known: two rows of one sheet may share a phone number.
    pub(super) async fn classify_ownership(
        &self,
        case: &InDoubtOp<'_>,
        remote: &RemoteContact,
    ) -> Result<OpResolution, ReconcileError> {
        let finding =
            classify::classify_created(&case.op.change, self.creation_window(case), remote);
        if !finding.is_applied() || self.claim_contact(remote.id.as_str(), case.op.id).await? {
            return Ok(finding);
        }
        Ok(classify::blocked_by_existing(remote))
    }

    /// The contacts that carry the marker of one to be created, oldest first.
    pub(super) async fn search_by_marker(
        &self,
        change: &OpChange,
    ) -> Result<Vec<RemoteContact>, ReconcileError> {
        let Some((field, value)) = self.marker_value(change) else { return Ok(Vec::new()) };
        let field = format!("customFields.{field}");
        self.search_contacts(vec![json!({ "field": field, "operator": "eq", "value": value })], 1)
            .await
    }

    fn carries_marker(&self, change: &OpChange, remote: &RemoteContact) -> bool {
        let marker = self.marker_value(change);
        marker.is_some_and(|(field, value)| remote.custom.get(field) == Some(value))
    }

    fn marker_value<'c>(&self, change: &'c OpChange) -> Option<(&str, &'c Value)> {
        let marker = self.marker.as_deref()?;
        let (OpChange::Create { body } | OpChange::Upsert { body }) = change else { return None };
        let fields = body.get("customFields")?.as_array()?;
        let field = fields.iter().find(|field| field["id"] == marker)?;
        let value = field.get("field_value").or_else(|| field.get("value"))?;
        Some((marker, value))
    }

    /// The one contact that is equal to what was sent and was added in the window, unless another
    /// op created it.
    async fn find_unique_in_window(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let window = self.creation_window(case);
        let equal =
            |remote: &RemoteContact| classify::is_equal_in_window(&case.op.change, window, remote);
        let mut own = Vec::new();
        for remote in self.contacts_added_in_window(case).await?.into_iter().filter(equal) {
            if self.claim_contact(remote.id.as_str(), case.op.id).await? {
                own.push(remote);
            }
        }
        Ok(match own.as_slice() {
            [] => None,
            [remote] => Some(OpResolution::Applied { made: Some(remote.id.to_string()) }),
            several => Some(OpResolution::Undecidable {
                message: format!(
                    "{} equal contacts were added when this one was sent, and it is unknown which of \
                     them it is",
                    several.len()
                ),
            }),
        })
    }

    /// The contacts that were added while the op's request may have been applied.
    async fn contacts_added_in_window(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Vec<RemoteContact>, ReconcileError> {
        let CreationWindow { from, to, .. } = self.creation_window(case);
        let window = json!({ "gte": from, "lte": to });
        let filter = json!({ "field": "dateAdded", "operator": "range", "value": window });
        self.search_contacts(vec![filter], PAGES).await
    }

    /// A search ordered by date added, limited to this many pages of the usual size.
    pub(super) async fn search_contacts(
        &self,
        filters: Vec<Value>,
        pages: usize,
    ) -> Result<Vec<RemoteContact>, ReconcileError> {
        let filter = ContactSearchFilter { filters, query: None };
        let (mut found, mut after, mut read) = (Vec::new(), None, 0);
        // Of whatever size the pages are.
        let most = (pages * SEARCH_LIMIT) as u64;
        while read < most {
            let seat = self.acquire_request_slot().await;
            let answer = self.client.search_contacts(&filter, SEARCH_LIMIT, after.as_ref()).await?;
            drop(seat);
            let rows = api::parse_list_rows(&answer.body, "contacts").unwrap_or_default();
            found.extend(
                rows.into_iter()
                    .filter_map(|row| RemoteContact::from_json_slice(row.get().as_bytes())),
            );
            read += answer.head.rows.len() as u64;
            if answer.head.is_last(read) {
                break;
            }
            after = answer.head.next;
        }
        Ok(found)
    }

    /// The current contact; None if it is gone.
    pub async fn fetch_contact(
        &self,
        id: &ContactId,
    ) -> Result<Option<RemoteContact>, ReconcileError> {
        let _seat = self.acquire_request_slot().await;
        match self.client.get_raw_contact(id).await {
            Ok(answer) => {
                Ok(answer.head.and_then(|raw| RemoteContact::from_json_slice(raw.get().as_bytes())))
            }
            Err(error) if error.kind == ApiErrorKind::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn find_added_child(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<Option<OpResolution>, ReconcileError> {
        let Some(id) = case.contact else { return Ok(None) };
        let Some(children) = self.fetch_children(id, &case.op.change).await? else {
            return Ok(Some(classify::contact_gone(id)));
        };
        let now = ChildBaseline::from_children(&case.op.change, &children);
        let before = case.reference.clone().unwrap_or_default();
        Ok(before.added_child(&now).map(|made| OpResolution::Applied { made }))
    }

    /// The contact's notes or tasks, whichever the change writes; None if the contact is gone.
    pub async fn fetch_children(
        &self,
        id: &ContactId,
        change: &OpChange,
    ) -> Result<Option<Vec<Value>>, ReconcileError> {
        let _seat = self.acquire_request_slot().await;
        let (list, answer) = match change {
            OpChange::CreateTask { .. }
            | OpChange::UpdateTask { .. }
            | OpChange::CompleteTask { .. }
            | OpChange::DeleteTask { .. } => {
                ("tasks", self.client.list_contact_tasks(id, RetryPolicy::PERSISTENT).await)
            }
            _ => ("notes", self.client.list_contact_notes(id, RetryPolicy::PERSISTENT).await),
        };
        let route = if list == "tasks" {
            api::ApiEndpoint::ContactTasks
        } else {
            api::ApiEndpoint::ContactNotes
        };
        match answer.and_then(|answer| answer.require_whole(route)) {
            Ok(answer) => {
                let rows = api::parse_list_rows(&answer.body, list).unwrap_or_default();
                let read = |row: &RawValue| serde_json::from_str(row.get()).ok();
                Ok(Some(rows.into_iter().filter_map(read).collect()))
            }
            Err(error) if error.kind == ApiErrorKind::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn acquire_request_slot(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.seats.acquire().await.expect("the semaphore is never closed")
    }
}
