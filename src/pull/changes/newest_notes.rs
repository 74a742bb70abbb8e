//! The newest notes of the location, read by search until they meet what the mirror has: a note of a contact that has not
//! changed is found without reading everything.
//!
//! The search only adds notes. Its index may lag, so that it may still show a text that was changed or a note that was
//! deleted: where it shows something else than the mirror, the list of the contact is read. A search that does not show
//! the newest notes first proves nothing; then only a walk finds such notes.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::moved_contacts::MovedContacts;
use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::api::{self, ApiResponse, NoteOrder, NotePage, NoteQuery, NoteRef, NoteSearchDialect};
use crate::diagnostic::EventWarningCode;
use crate::id::ContactId;
use crate::mirror::{MirrorReader, RecordKind};
use crate::pull::ChildKind;
use crate::pull::notes::SEARCH_PAGE;
use crate::resource::{NOTES, RowDigester};
use crate::run::{RunError, SpoolReader, SpoolWrite, StreamProgress, stream};
use crate::text::hash_text;

/// Notes of the first page. As a rule none of them is new.
const FIRST_PAGE: usize = 100;
/// Most pages, which are as many notes as an offset reaches for certain.
const MAX_PAGES: usize = 20;

/// What became of reading the newest notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewestNotes {
    /// They were not read.
    #[default]
    Unread,
    /// Every new note was seen.
    Complete,
    /// Some may not have been seen: the search failed, or what it shows moved meanwhile.
    Incomplete,
    /// There are too many.
    TooMany,
}

/// What a sync's spool says of the newest notes.
///
/// # Errors
/// When the spool cannot be read.
pub fn find_newest_notes(spool: &SpoolReader) -> Result<NewestNotes, RunError> {
    let cursor = spool.stream_progress(stream::NOTE_SEARCH)?.cursor;
    Ok(cursor.and_then(|cursor| serde_json::from_str(&cursor).ok()).unwrap_or_default())
}

/// Compares pages with the mirror.
struct NewestNotesComparison<'a> {
    mirror: MirrorReader,
    digester: RowDigester,
    since_ms: i64,
    moved: &'a BTreeSet<String>,
    deleted: BTreeSet<String>,
    /// The contacts whose own lists were read: they say more.
    own_lists: HashSet<String>,
    /// The contacts whose lists have to be read.
    differing: BTreeSet<ContactId>,
    seen: HashSet<u64>,
    last_added: Option<i64>,
}

/// What a page says.
#[derive(Default)]
struct ComparedPage {
    /// Notes that the mirror does not have.
    new_rows: Vec<String>,
    is_unordered: bool,
    /// Whether it has a note of the page before.
    overlaps: bool,
    /// Notes from before the reading begins.
    old_rows: u64,
    /// Those of them that the mirror does not have as they are.
    unknown_old_rows: u64,
}

/// What a note of the search is to the mirror.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NoteNovelty {
    New,
    Differs,
    Known,
    /// It belongs to no contact that the mirror has, or the contact's own list was read.
    Irrelevant,
}

impl NewestNotesComparison<'_> {
    fn compare_page(&mut self, page: &ApiResponse<NotePage>) -> Result<ComparedPage, PullError> {
        let mut compared = ComparedPage::default();
        let rows = api::parse_list_rows(&page.body, "notes").unwrap_or_default();
        for (place, (row, note)) in rows.into_iter().zip(&page.head.rows).enumerate() {
            let Some(note) = note else { continue };
            if !self.seen.insert(hash_text(&note.id)) {
                compared.overlaps = true;
                continue;
            }
            if let Some(added) = note.added {
                compared.is_unordered |= self.last_added.is_some_and(|last| added > last);
                self.last_added = Some(added);
            }
            let is_old = note.added.is_some_and(|added| added < self.since_ms);
            compared.old_rows += u64::from(is_old);
            let is_broken = page.broken.iter().any(|broken| broken.place == place);
            match self.judge_note(note, row.get())? {
                NoteNovelty::New if !is_broken => compared.new_rows.push(row.get().to_owned()),
                NoteNovelty::New | NoteNovelty::Differs => {
                    self.differing.extend(note.contacts.first().cloned());
                }
                NoteNovelty::Known | NoteNovelty::Irrelevant => continue,
            }
            compared.unknown_old_rows += u64::from(is_old);
        }
        Ok(compared)
    }

    fn judge_note(&self, note: &NoteRef, row: &str) -> Result<NoteNovelty, PullError> {
        let Some(contact) = note.contacts.first().map(ContactId::as_str) else {
            return Ok(NoteNovelty::Irrelevant);
        };
        if self.own_lists.contains(contact) || self.deleted.contains(contact) {
            return Ok(NoteNovelty::Irrelevant);
        }
        let contact_version = self.mirror.find_version(RecordKind::Contact, contact)?;
        let exists = contact_version.is_some_and(|contact| contact.is_live);
        if !exists && !self.moved.contains(contact) {
            return Ok(NoteNovelty::Irrelevant);
        }
        Ok(match self.mirror.find_version(RecordKind::Note, &note.id)? {
            None => NoteNovelty::New,
            Some(known) if known.is_live && known.digest == self.digester.digest_row(row) => {
                NoteNovelty::Known
            }
            Some(_) => NoteNovelty::Differs,
        })
    }
}

impl Pull {
    /// Reads the newest notes, and the lists of contacts of which the search shows something else than the mirror has.
    /// Gives those contacts.
    pub(super) async fn pull_newest_notes(
        &self,
        scope: &MirrorScope,
        moved: &MovedContacts,
    ) -> Result<BTreeSet<String>, PullError> {
        let Some(since_ms) = scope.newest_notes_since_ms else { return Ok(BTreeSet::new()) };
        let Some(dialect) = self.newest_note_dialect() else { return Ok(BTreeSet::new()) };
        let mut comparison = NewestNotesComparison {
            mirror: open_mirror(scope)?,
            digester: RowDigester::new(&NOTES),
            since_ms,
            moved: moved.differing(),
            deleted: self.load_deleted_contacts().await?,
            own_lists: self.scan_children(ChildKind::Notes).await?.own_lists,
            differing: BTreeSet::new(),
            seen: HashSet::new(),
            last_added: None,
        };
        if !self.stream_progress(stream::NOTE_SEARCH)?.done {
            let result = self.read_newest_pages(&dialect, &mut comparison).await?;
            let lists = comparison.differing.iter().cloned().collect();
            self.read_own_lists(ChildKind::Notes, lists).await?;
            self.store_newest_notes(Vec::new(), Some(result)).await?;
        }
        Ok(comparison.differing.iter().map(ToString::to_string).collect())
    }

    async fn read_newest_pages(
        &self,
        dialect: &NoteSearchDialect,
        comparison: &mut NewestNotesComparison<'_>,
    ) -> Result<NewestNotes, PullError> {
        let (mut skip, mut limit) = (0, FIRST_PAGE.min(dialect.limit));
        for _ in 0..MAX_PAGES {
            let query = NoteQuery {
                order: NoteOrder::Newest,
                skip,
                limit: Some(limit),
                ..NoteQuery::default()
            };
            let page = match self.client.search_notes(dialect, &query, SEARCH_PAGE).await {
                Ok(page) => page,
                Err(error) if error.is_fatal() => return Err(error.into()),
                Err(error) => {
                    self.warn_of_unread_notes(&error.to_string());
                    return Ok(NewestNotes::Incomplete);
                }
            };
            let (is_first, rows) = (skip == 0, page.head.rows.len() as u64);
            let compared = comparison.compare_page(&page)?;
            self.store_newest_notes(compared.new_rows, None).await?;
            if compared.is_unordered {
                self.remember_unordered_notes();
                self.warn_of_unread_notes("the search does not show the newest ones first");
                return Ok(NewestNotes::Incomplete);
            }
            let total = api::believable_total(page.head.total, skip + rows);
            let is_end = rows == 0 && is_first || total.is_some_and(|total| skip + rows >= total);
            // A note that was deleted between two pages moves the others to where nothing looks for them.
            if !is_first && !compared.overlaps {
                return Ok(NewestNotes::Incomplete);
            }
            if is_end || compared.old_rows > 0 && compared.unknown_old_rows == 0 {
                return Ok(NewestNotes::Complete);
            }
            if rows == 0 {
                return Ok(NewestNotes::Incomplete);
            }
            skip = (skip + rows).saturating_sub(1).max(1);
            limit = dialect.limit;
        }
        Ok(NewestNotes::TooMany)
    }

    fn warn_of_unread_notes(&self, reason: &str) {
        let message = format!(
            "the newest notes cannot be searched for: {reason}; notes of contacts that have not changed are found when \
             everything is read"
        );
        self.report_warning(EventWarningCode::NotesPerContact, message);
    }

    async fn store_newest_notes(
        &self,
        rows: Vec<String>,
        result: Option<NewestNotes>,
    ) -> Result<(), PullError> {
        let cursor =
            result.map(|result| serde_json::to_string(&result).expect("a word is plain JSON"));
        let progress = StreamProgress { done: cursor.is_some(), cursor, ..<_>::default() };
        let stream = stream::NOTE_SEARCH.to_owned();
        let write = if rows.is_empty() {
            SpoolWrite::ProgressOnly { stream, progress }
        } else {
            let body = Bytes::from(format!("{{\"notes\":[{}]}}", rows.join(",")));
            let rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            SpoolWrite::Entry { stream, rows, body, progress }
        };
        self.write_to_spool(write).await?;
        self.flush_writes().await
    }
}
