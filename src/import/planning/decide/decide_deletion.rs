//! Deciding on rows that delete: whom or what each one means, and whether enough of it is kept.
//!
//! The rows are gone through twice: once for the contacts that must be read whole, and when they have
//! been, once for the ops. Several rows that delete the same are one deletion.

use serde_json::Value;

use super::{Decide, Decision, Error, Judged, LOT, draft, following, rejected};
use crate::id::ContactId;
use crate::import::action;
use crate::import::planning::validate_rows::kind;
use crate::model::Draft;
use crate::plan::diff::{LiveChildren, Planned, Source};
use crate::plan::identity;
use crate::plan::validate::Rejection;
use crate::plan::{Image, Removed};
use crate::run::Rows;

/// What a row deletes, by name.
struct Named<'d> {
    contact: ContactId,
    /// The note or task.
    child: Option<&'d str>,
}

impl Named<'_> {
    /// What makes two rows delete the same.
    fn key(&self) -> String {
        match self.child {
            Some(id) => format!("{} {id}", self.contact),
            None => self.contact.to_string(),
        }
    }
}

impl Decide<'_> {
    /// Names the contacts that must be read whole before anything is deleted.
    pub(in crate::import) fn name_who_goes(&self, what: Removed) -> Result<(), Error> {
        self.rows.together(|rows| {
            let mut after = 0;
            loop {
                let lot = rows.rows(after, LOT)?;
                let Some(last) = lot.last() else { return Ok(()) };
                after = last.n;
                for row in &lot {
                    let Some(text) = &row.draft else { continue };
                    if let Ok(Some(named)) = self.named(&draft(text)?, what)? {
                        rows.name(kind::GOING, named.contact.as_str(), row.n)?;
                    }
                }
            }
        })
    }

    /// What a row deletes; nothing when that is gone already.
    fn named<'d>(
        &self,
        draft: &'d Draft,
        what: Removed,
    ) -> Result<Result<Option<Named<'d>>, Rejection>, Error> {
        let child = match what {
            Removed::Contacts => None,
            Removed::Notes => draft.notes.iter().find_map(|note| note.id.as_deref()),
            Removed::Tasks => draft.tasks.iter().find_map(|task| task.id.as_deref()),
        };
        let nameless = draft.contact.is_none()
            && draft.email_key().is_none()
            && draft.phone_key().is_none()
            && draft.custom.is_empty();
        if let Some(id) = child.filter(|_| nameless) {
            let owner =
                self.rows.matches(kind::TASK, id)?.into_iter().find_map(|it| it.parse().ok());
            return Ok(Ok(owner.map(|contact| Named { contact, child })));
        }
        let found = self.found(draft)?;
        let who = identity::resolve_for_removal(draft, &found, self.policy, self.directory);
        Ok(who.map(|who| who.map(|contact| Named { contact, child })))
    }

    /// What becomes of a row that deletes.
    pub(super) fn removal(
        &self,
        row: &Judged,
        draft: &Draft,
        what: Removed,
    ) -> Result<Result<Planned, Decision>, Error> {
        let named = match self.named(draft, what)? {
            Err(rejection) => return Ok(Err(rejected(&rejection))),
            Ok(None) => return Ok(Err(gone(what, None))),
            Ok(Some(named)) => named,
        };
        if let Some(first) = self.rows.first_named(kind::REMOVED, &named.key())? {
            let line = self.rows.row(first)?.map_or(0, |row| row.line);
            let one = what.one();
            let reason = format!("record {first} (line {line}) deletes the same {one}");
            return Ok(Err(following(action::MERGED, reason)));
        }
        let image = match image(self.rows, &named.contact)? {
            Err(decision) => return Ok(Err(decision)),
            Ok(None) => return Ok(Err(gone(what, Some(&named.contact)))),
            Ok(Some(image)) => image,
        };
        if let Some(decision) =
            self.unread(row, draft, image.live().as_ref(), &LiveChildren::default())?
        {
            return Ok(Err(decision));
        }
        let Some(planned) = self.planned(row, draft, &named, what, &image) else {
            return Ok(Err(gone(what, Some(&named.contact))));
        };
        self.rows.name(kind::REMOVED, &named.key(), row.n)?;
        Ok(Ok(planned))
    }

    /// The deletion of what a row names; nothing when its note or task is gone.
    fn planned(
        &self,
        row: &Judged,
        draft: &Draft,
        named: &Named<'_>,
        what: Removed,
        image: &Image,
    ) -> Option<Planned> {
        let source = Source {
            location: &self.directory.location,
            input: &self.input_digest,
            place: &row.place,
        };
        let Named { contact, child } = named;
        let Some(id) = child else {
            return Some(self.planner.remove_contact(row.n, &source, draft, contact, image));
        };
        let record: (&str, &Value) = (id, image.child(what, id)?);
        Some(match what {
            Removed::Tasks => self.planner.remove_task(row.n, &source, draft, contact, record),
            _ => self.planner.remove_note(row.n, &source, draft, contact, record),
        })
    }
}

/// A contact as it was read whole; nothing when it is gone, a decision when it cannot be read.
fn image(rows: &Rows, contact: &ContactId) -> Result<Result<Option<Image>, Decision>, Error> {
    if let Some(why) = rows.children(kind::UNREADABLE, contact.as_str())?.pop() {
        let message = format!(
            "not all of it can be read, so it could not be brought back, and is not deleted: {why}"
        );
        let rejection =
            Rejection { code: "R_NOT_KEPT", field: "contactId".to_owned(), column: None, message };
        return Ok(Err(Decision { contact: Some(contact.to_string()), ..rejected(&rejection) }));
    }
    let Some(text) = rows.children(kind::IMAGE, contact.as_str())?.pop() else {
        return Ok(Ok(None));
    };
    let mut image: Image = serde_json::from_str(&text)
        .map_err(|error| Error::Bug(format!("the image of contact `{contact}`: {error}")))?;
    image.opportunities = rows.children(kind::OPPORTUNITIES, contact.as_str())?.len();
    Ok(Ok(Some(image)))
}

/// What is gone already needs no deleting.
fn gone(what: Removed, contact: Option<&ContactId>) -> Decision {
    let reason = match (what, contact) {
        (Removed::Contacts, _) => {
            "the location has no such contact; it is gone already, or was never there".to_owned()
        }
        (what, Some(contact)) => format!(
            "contact `{contact}` has no such {0}; it is gone already, or another contact's",
            what.one()
        ),
        (what, None) => format!(
            "the location has no such {}, or not the contact; it is gone already, or was never there",
            what.one()
        ),
    };
    let contact = contact.map(ToString::to_string);
    Decision { contact, ..following(action::ALREADY_GONE, reason) }
}
