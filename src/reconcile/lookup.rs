//! Probes: the reads by which an op's work is found.
//!
//! Each class has its own (see guarantees): the search for duplicates reads what the server itself checks;
//! the marker and the dates go through the search index, which lags; children are listed. A hit of an
//! index is read again by its id, because only that is fresh (api.md §2.10).

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::classify::{self, Window};
use super::{Case, Doubt, Error, Finding, Reference};
use crate::api::{self, Bounds, Filter, Kind, SEARCH_LIMIT};
use crate::id::ContactId;
use crate::model::remote::Live;
use crate::model::{Change, Class};

/// Pages of contacts that one walk over a stretch of time reads at most. At full speed 5,000 contacts are
/// made in 500 s, longer than any such stretch with the usual settle time.
const PAGES: usize = 10;

/// The e-mail address and phone of a contact to be made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Identity<'a> {
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
}

impl Identity<'_> {
    pub(super) fn is_none(&self) -> bool {
        self.email.is_none() && self.phone.is_none()
    }

    pub(super) fn is_some(&self) -> bool {
        !self.is_none()
    }
}

/// By what the contact is known that a change makes.
pub(super) fn identity(change: &Change) -> Identity<'_> {
    let (Change::Create { body } | Change::Upsert { body }) = change else {
        return Identity::default();
    };
    let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    Identity { email: text("email"), phone: text("phone") }
}

impl Doubt {
    /// The probe of the op's class; nothing when there is no hit.
    pub(super) async fn probe(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        match &case.op.change {
            Change::CreateNote { .. } | Change::CreateTask { .. } => self.recounted(case).await,
            _ => match case.op.class {
                Class::Marked => self.marked(case).await,
                Class::Once => self.alone_in_window(case).await,
                _ => self.identified(case).await,
            },
        }
    }

    /// One look for a contact that was refused and may exist all the same.
    pub(super) async fn probe_created_now(
        &self,
        case: &Case<'_>,
    ) -> Result<Option<Finding>, Error> {
        let identified = identity(&case.op.change).is_some();
        let mut found = if identified { self.identified(case).await? } else { None };
        if found.is_none() && (!identified || case.op.class == Class::Marked) {
            found = self.probe(case).await?;
        }
        Ok(found.filter(Finding::is_applied))
    }

    /// The second, independent path: the contacts that were added while the request may have been
    /// applied.
    pub(super) async fn second_path(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        let is_child =
            matches!(case.op.change, Change::CreateNote { .. } | Change::CreateTask { .. });
        if is_child || case.op.class == Class::Once {
            // Neither has another path than its own.
            return Ok(None);
        }
        let identity = identity(&case.op.change);
        let window = self.window_of(case);
        let hit = |live: &Live| match case.op.class {
            Class::Marked => self.carries_marker(&case.op.change, live),
            _ if identity.is_some() => classify::has_identity(live, identity.email, identity.phone),
            _ => classify::equal_in_window(&case.op.change, window, live),
        };
        for live in self.added_meanwhile(case).await?.iter().filter(|live| hit(live)) {
            if let Some(own) = self.fresh(case, &live.id).await? {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    /// Whom the server itself would call a duplicate: by e-mail address, then by phone. Each may be
    /// another's: a row may share its number with the next one.
    async fn identified(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        let Identity { email, phone } = identity(&case.op.change);
        for (email, phone) in [(email, None), (None, phone)] {
            if let Some(id) = self.duplicate(email, phone).await?
                && let Some(own) = self.fresh(case, &id).await?
            {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    async fn duplicate(
        &self,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Result<Option<ContactId>, Error> {
        if email.is_none() && phone.is_none() {
            return Ok(None);
        }
        let _seat = self.seat().await;
        let answer = match self.client.duplicate_contact(email, phone).await {
            // It does not take this value: the other one or the second path may tell.
            Err(error) if error.kind == Kind::Refused => return Ok(None),
            answer => answer?,
        };
        let found = answer.head.and_then(|raw| Live::read(raw.get().as_bytes()));
        Ok(found.map(|live| live.id))
    }

    async fn marked(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        match self.with_marker(&case.op.change).await?.first() {
            Some(live) => self.fresh(case, &live.id).await,
            None => Ok(None),
        }
    }

    /// The op's own work, if a hit is that by its own record. Whether anything else stands in the way is
    /// for the server to say, when the op is sent again.
    async fn fresh(&self, case: &Case<'_>, id: &ContactId) -> Result<Option<Finding>, Error> {
        let Some(live) = self.contact(id).await? else { return Ok(None) };
        if case.op.class == Class::Marked {
            // Nobody else writes this marker, whatever the clocks say.
            let ours = self.carries_marker(&case.op.change, &live);
            return Ok(ours.then(|| classify::differ(&case.op.change, &live, None)));
        }
        Ok(Some(self.own(case, &live).await?).filter(Finding::is_applied))
    }

    /// Whether a contact that has the op's e-mail address or phone is the op's work, by all that is
    /// known: two rows of one sheet may share a number.
    pub(super) async fn own(&self, case: &Case<'_>, live: &Live) -> Result<Finding, Error> {
        let finding = classify::created(&case.op.change, self.window_of(case), live);
        if !finding.is_applied() || self.claim(live.id.as_str(), case.op.id).await? {
            return Ok(finding);
        }
        Ok(classify::exists(live))
    }

    /// The contacts that carry the marker of one to be made, the oldest first.
    pub(super) async fn with_marker(&self, change: &Change) -> Result<Vec<Live>, Error> {
        let Some((field, value)) = self.marker_value(change) else { return Ok(Vec::new()) };
        let field = format!("customFields.{field}");
        self.search(vec![json!({ "field": field, "operator": "eq", "value": value })], 1).await
    }

    fn carries_marker(&self, change: &Change, live: &Live) -> bool {
        let marker = self.marker_value(change);
        marker.is_some_and(|(field, value)| live.custom.get(field) == Some(value))
    }

    fn marker_value<'c>(&self, change: &'c Change) -> Option<(&str, &'c Value)> {
        let marker = self.marker.as_deref()?;
        let (Change::Create { body } | Change::Upsert { body }) = change else { return None };
        let fields = body.get("customFields")?.as_array()?;
        let field = fields.iter().find(|field| field["id"] == marker)?;
        let value = field.get("field_value").or_else(|| field.get("value"))?;
        Some((marker, value))
    }

    /// The one contact that equals what was sent and was added in the window, if no other op made it.
    async fn alone_in_window(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        let window = self.window_of(case);
        let equal = |live: &Live| classify::equal_in_window(&case.op.change, window, live);
        let mut own = Vec::new();
        for live in self.added_meanwhile(case).await?.into_iter().filter(equal) {
            if self.claim(live.id.as_str(), case.op.id).await? {
                own.push(live);
            }
        }
        Ok(match own.as_slice() {
            [] => None,
            [live] => Some(Finding::Applied { made: Some(live.id.to_string()) }),
            several => Some(Finding::Undecidable {
                message: format!(
                    "{} equal contacts were added when this one was sent, and nothing tells which of \
                     them it is",
                    several.len()
                ),
            }),
        })
    }

    /// Contacts that were added while the op's request may have been applied.
    async fn added_meanwhile(&self, case: &Case<'_>) -> Result<Vec<Live>, Error> {
        let Window { from, to } = self.window_of(case);
        let window = json!({ "gte": from, "lte": to });
        let filter = json!({ "field": "dateAdded", "operator": "range", "value": window });
        self.search(vec![filter], PAGES).await
    }

    /// A search, by the date of adding, of so many pages at most.
    pub(super) async fn search(
        &self,
        filters: Vec<Value>,
        pages: usize,
    ) -> Result<Vec<Live>, Error> {
        let filter = Filter { filters, query: None };
        let (mut found, mut after) = (Vec::new(), None);
        for _ in 0..pages {
            let seat = self.seat().await;
            let answer = self.client.search_contacts(&filter, SEARCH_LIMIT, after.as_ref()).await?;
            drop(seat);
            let rows = api::rows(&answer.body, "contacts").unwrap_or_default();
            found.extend(rows.into_iter().filter_map(|row| Live::read(row.get().as_bytes())));
            after = answer.head.next;
            if answer.head.rows.len() < SEARCH_LIMIT || after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// A contact as it stands now; nothing when it is gone.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn contact(&self, id: &ContactId) -> Result<Option<Live>, Error> {
        let _seat = self.seat().await;
        match self.client.contact_raw(id).await {
            Ok(answer) => Ok(answer.head.and_then(|raw| Live::read(raw.get().as_bytes()))),
            Err(error) if error.kind == Kind::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn recounted(&self, case: &Case<'_>) -> Result<Option<Finding>, Error> {
        let Some(id) = case.contact else { return Ok(None) };
        let Some(children) = self.children(id, &case.op.change).await? else {
            return Ok(Some(classify::gone(id)));
        };
        let now = Reference::of(&case.op.change, &children);
        let before = case.reference.clone().unwrap_or_default();
        Ok(before.added(&now).map(|made| Finding::Applied { made }))
    }

    /// A contact's notes, or tasks, as the change writes either; nothing when the contact is gone.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn children(
        &self,
        id: &ContactId,
        change: &Change,
    ) -> Result<Option<Vec<Value>>, Error> {
        let _seat = self.seat().await;
        let (list, answer) = match change {
            Change::CreateTask { .. } | Change::DeleteTask { .. } => {
                ("tasks", self.client.contact_tasks(id, Bounds::PATIENT).await)
            }
            _ => ("notes", self.client.contact_notes(id, Bounds::PATIENT).await),
        };
        match answer {
            Ok(answer) => {
                let rows = api::rows(&answer.body, list).unwrap_or_default();
                let read = |row: &RawValue| serde_json::from_str(row.get()).ok();
                Ok(Some(rows.into_iter().filter_map(read).collect()))
            }
            Err(error) if error.kind == Kind::Gone => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn seat(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.seats.acquire().await.expect("the seats are never closed")
    }
}
