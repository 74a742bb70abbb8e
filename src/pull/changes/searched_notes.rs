//! The notes of contacts that have changed, by search, where that is proven: a request for many contacts instead of one
//! for each.
//!
//! The search only adds notes and confirms those that are known. Where it shows something else than the mirror has, or
//! lacks a note, the contact's own list is read. Its index may lag, so that contacts that were updated lately are looked
//! at again by a later sync: until then the mirror counts their notes as not read since the contact changed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::moved_contacts::MovedContacts;
use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::api::{self, ApiResponse, NotePage};
use crate::id::ContactId;
use crate::mirror::{MirrorReader, RecordKind};
use crate::pull::notes::SearchedNotes;
use crate::resource::{NOTES, RowDigester};
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Contacts whose notes were read by search: an entry of the stream [`stream::SEARCHED_CONTACTS`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedContacts {
    /// Those of which the index must have had everything.
    pub settled: Vec<String>,
    /// How many were updated so lately that they have to be looked at again.
    pub unsettled: u64,
}

/// Whether a sync's spool has contacts whose notes have to be looked at again.
///
/// # Errors
/// When the spool cannot be read.
pub fn has_unsettled_notes(spool: &SpoolReader) -> Result<bool, RunError> {
    let mut seq = 0;
    while let Some(entry) = spool.next_entry(stream::SEARCHED_CONTACTS, seq)? {
        seq = entry.seq;
        let searched: SearchedContacts = serde_json::from_slice(&entry.body).unwrap_or_default();
        if searched.unsettled > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Pull {
    /// Searches for the notes of contacts, and gives those contacts whose own list has to be read.
    pub(super) async fn search_notes_of_moved(
        &self,
        scope: &MirrorScope,
        moved: &MovedContacts,
        contacts: Vec<ContactId>,
    ) -> Result<Vec<ContactId>, PullError> {
        // Without the newest notes, a note that the index shows late would be missed.
        if !scope.searches_notes || self.newest_note_dialect().is_none() {
            return Ok(contacts);
        }
        let Some(found) = self.search_notes_of_changed(&contacts).await? else {
            return Ok(contacts);
        };
        let judged = JudgedNotes::judge(&open_mirror(scope)?, &contacts, found)?;
        let mut searched = SearchedContacts::default();
        for contact in contacts.iter().filter(|contact| !judged.doubtful.contains(*contact)) {
            if moved.is_fresh(contact.as_str()) {
                searched.unsettled += 1;
            } else {
                searched.settled.push(contact.to_string());
            }
        }
        self.store_searched_notes(judged.rows, &searched).await?;
        Ok(contacts.into_iter().filter(|contact| judged.doubtful.contains(contact)).collect())
    }

    async fn store_searched_notes(
        &self,
        rows: Vec<String>,
        searched: &SearchedContacts,
    ) -> Result<(), PullError> {
        if !rows.is_empty() {
            let body = Bytes::from(format!("{{\"notes\":[{}]}}", rows.join(",")));
            let rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let stream = stream::NOTE_SEARCH.to_owned();
            let progress = self.stream_progress(&stream)?;
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
        }
        let body = serde_json::to_vec(searched).expect("ids are plain JSON").into();
        let rows = u32::try_from(searched.settled.len()).unwrap_or(u32::MAX);
        let (stream, progress) = (stream::SEARCHED_CONTACTS.to_owned(), StreamProgress::default());
        self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
        self.flush_writes().await
    }
}

/// What a search means for the mirror.
struct JudgedNotes {
    /// Notes that are new, or as the mirror has them.
    rows: Vec<String>,
    /// The contacts whose own lists have to say what is right.
    doubtful: HashSet<ContactId>,
}

impl JudgedNotes {
    fn judge(
        mirror: &MirrorReader,
        contacts: &[ContactId],
        found: SearchedNotes,
    ) -> Result<Self, PullError> {
        let (mut doubtful, digester) = (found.left, RowDigester::new(&NOTES));
        let mut rows = BTreeMap::<ContactId, Vec<String>>::new();
        let mut shown = BTreeSet::<Box<str>>::new();
        for page in &found.pages {
            for (place, row) in page_rows(page).into_iter().enumerate() {
                let note = page.head.rows.get(place).and_then(Option::as_ref);
                let is_broken = page.broken.iter().any(|broken| broken.place == place);
                let Some(note) = note else { continue };
                let known = mirror.find_version(RecordKind::Note, &note.id)?;
                let is_as_known = known
                    .is_none_or(|known| known.is_live && known.digest == digester.digest_row(&row));
                // Of a note of several contacts, each one's list may say something else.
                if note.contacts.len() != 1 || is_broken || !is_as_known {
                    doubtful.extend(note.contacts.iter().cloned());
                } else if shown.insert(note.id.clone()) {
                    rows.entry(note.contacts[0].clone()).or_default().push(row);
                }
            }
        }
        for contact in contacts {
            let known = mirror.live_children(RecordKind::Note, contact.as_str())?;
            if !known.iter().all(|id| shown.contains(id.as_str())) {
                doubtful.insert(contact.clone());
            }
        }
        rows.retain(|contact, _| !doubtful.contains(contact));
        Ok(Self { rows: rows.into_values().flatten().collect(), doubtful })
    }
}

/// The rows of a page, in the order of its notes.
fn page_rows(page: &ApiResponse<NotePage>) -> Vec<String> {
    let rows = api::parse_list_rows(&page.body, "notes").unwrap_or_default();
    rows.into_iter().map(|row| row.get().to_owned()).collect()
}
