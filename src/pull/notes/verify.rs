//! Proves the notes search: the notes of a sample of contacts, also read by the endpoint of each contact.
//!
//! That endpoint is the authority. A note that the search lacks is explained by the lag of its index if it was
//! written lately; a text that differs, or a note that only the search has, if a second look finds no difference.
//! Nothing else is explained.

use std::collections::HashMap;
use std::pin::pin;

use bytes::Bytes;
use futures::StreamExt;
use serde::Deserialize;

use super::batch_search::{BatchError, BatchResult};
use super::{NoteSearchState, NoteStrategy, SharedSampler};
use crate::api::{self, NotePage, NoteRef, RetryPolicy};
use crate::concurrency;
use crate::diagnostic::EventWarningCode;
use crate::id::{ContactId, IdHashes};
use crate::pull::children::ChildKind;
use crate::pull::{Pull, PullError};
use crate::run::{RunError, SpoolReader, SpoolWrite, pack_responses, stream};
use crate::text::{format_plural, hash_text, select_plural};

/// Contacts of the first batch of each size that are proven at once.
const PER_BATCH: usize = 3;

/// The notes of a contact: by id, a hash of the text and the date.
type NoteTexts = HashMap<Box<str>, (u64, Option<i64>)>;

/// The notes of some contacts.
type NotesByContact = HashMap<ContactId, NoteTexts>;

/// What the search returned.
struct FoundNotes {
    /// The notes of the sample.
    of_sample: NotesByContact,
    /// The ids of all notes, where they are to be counted: eight bytes of memory for each note.
    ids: Option<IdHashes>,
}

impl FoundNotes {
    /// Nothing yet of these contacts.
    fn new(sample: &[ContactId]) -> Self {
        let of_sample = sample.iter().map(|contact| (contact.clone(), NoteTexts::new())).collect();
        Self { of_sample, ids: None }
    }

    /// Adds a page: the texts of those notes that relate to the sample, and the ids of all if they are counted.
    fn add_page(&mut self, page: &[u8]) {
        for row in api::parse_list_rows(page, "notes").unwrap_or_default() {
            let Some(note) = api::parse_note_ref(row.get()) else { continue };
            if let Some(ids) = &mut self.ids {
                ids.add_id(&note.id);
            }
            for contact in &note.contacts {
                // Few notes are of the sample: only their texts are decoded.
                if let Some(notes) = self.of_sample.get_mut(contact) {
                    notes.insert(note.id.clone(), (note_text_hash(row.get()), note.added));
                }
            }
        }
    }
}

/// How the notes of a contact differ between the search and its own endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoteDifference {
    /// The search lacks a note that was written lately.
    Late,
    /// The search lacks an older note.
    Missing,
    /// Only the search has a note.
    Surplus,
    /// A text differs.
    Text,
}

/// What the comparison of a sample found.
#[derive(Debug, Default)]
struct SampleComparison {
    /// The contacts that were compared.
    compared: usize,
    /// The contacts whose notes differ, with all differences.
    differing: Vec<(ContactId, Vec<NoteDifference>)>,
    /// The answers of the contacts' own endpoint, for those that differ.
    answers: HashMap<ContactId, Bytes>,
}

impl SampleComparison {
    fn has(&self, kinds: &[NoteDifference]) -> bool {
        self.differing.iter().any(|(_, found)| found.iter().any(|kind| kinds.contains(kind)))
    }

    /// Why the search cannot be trusted, in one sentence.
    fn reason(&self, kinds: &[NoteDifference]) -> Option<String> {
        let of = |kind| {
            let contacts = self.differing.iter().filter(|(_, found)| found.contains(&kind));
            contacts.count() as u64
        };
        let kind = kinds.iter().copied().find(|kind| of(*kind) > 0)?;
        let contacts = format_plural(of(kind), "contact");
        let compared = self.compared;
        Some(match kind {
            NoteDifference::Late | NoteDifference::Missing => {
                format!("the search lacks notes of {contacts} of the {compared} that were compared")
            }
            NoteDifference::Surplus => format!(
                "the search shows notes that {contacts} of the {compared} that were compared {} not have",
                select_plural(of(kind), "does", "do")
            ),
            NoteDifference::Text => format!(
                "the search shows other texts for {contacts} of the {compared} that were compared"
            ),
        })
    }
}

impl Pull {
    /// Compares contacts of a batch that was just read. Returns why the search cannot be trusted.
    pub(super) async fn verify_batch(
        &self,
        contacts: &[ContactId],
        result: &BatchResult,
    ) -> Result<Option<String>, PullError> {
        let readable = contacts.iter().filter(|contact| !result.left.contains(contact));
        let readable: Vec<&ContactId> = readable.collect();
        let notes = |contact: &ContactId| {
            let rows = result.pages.iter().flat_map(|page| page.head.rows.iter().flatten());
            rows.filter(|note| note.contacts.contains(contact)).count()
        };
        let last = readable.last().copied();
        let most = readable.iter().copied().max_by_key(|contact| notes(contact));
        let none = readable.iter().copied().find(|contact| notes(contact) == 0);
        let mut sample: Vec<ContactId> = Vec::with_capacity(PER_BATCH);
        for contact in [last, most, none].into_iter().flatten() {
            if !sample.contains(contact) {
                sample.push(contact.clone());
            }
        }
        let mut found = FoundNotes::new(&sample);
        result.pages.iter().for_each(|page| found.add_page(&page.body));
        let compared = self.compare_sample(&sample, &found.of_sample).await?;
        Ok(compared.reason(&[NoteDifference::Missing]))
    }

    /// Compares the sample with what was read, and accepts the search or rejects it.
    pub(super) async fn verify_note_search(
        &self,
        state: NoteSearchState,
        sampler: &SharedSampler,
    ) -> Result<(), PullError> {
        use NoteDifference::{Missing, Surplus, Text};
        let sample = sampler.lock().expect("no panic while it is held").choose();
        let mut found = self.collect_stored_notes(&sample, self.counts_all_notes(&state)).await?;
        let mut compared = self.compare_sample(&sample, &found.of_sample).await?;
        if let Some(reason) = compared.reason(&[Missing]) {
            return self.reject_note_strategy(state, &reason).await;
        }
        if compared.has(&[Surplus, Text]) {
            let mut second = self.look_twice(&state, &compared).await?;
            second.compared = compared.compared;
            if let Some(reason) = second.reason(&[Missing, Text, Surplus]) {
                return self.reject_note_strategy(state, &reason).await;
            }
            compared.answers.extend(second.answers);
        }
        if compared.compared * 2 < sample.len() {
            let reason = "the sample of contacts cannot be read".to_owned();
            return self.reject_note_strategy(state, &reason).await;
        }
        self.store_own_answers(compared.answers).await?;
        if let Some(reason) = self.look_again(&state, sampler).await? {
            return self.reject_note_strategy(state, &reason).await;
        }
        self.remember_note_distrust(None);
        if let (Some(ids), Some(total)) = (found.ids.take(), state.total) {
            self.tell_notes_without_contact(total, ids.count_distinct());
        }
        let progress = self.stream_progress(stream::NOTE_SEARCH)?;
        self.store_note_search_state(&NoteSearchState { verified: true, ..state }, progress).await
    }

    /// Whether the notes that were found are to be compared with the total: pages of the whole location show those without
    /// a contact, too.
    fn counts_all_notes(&self, state: &NoteSearchState) -> bool {
        let by_contacts = matches!(state.strategy, NoteStrategy::Contacts { .. });
        by_contacts && state.total.is_some() && self.covers_all_contacts()
    }

    /// Tells how many notes the location counts beyond those of its contacts.
    fn tell_notes_without_contact(&self, total: u64, count: u64) {
        // What was written since the count makes the difference smaller, never larger.
        let others = total.saturating_sub(count);
        if others > 0 {
            let message = format!(
                "the account counts {} more than its contacts have: {} of other records, such as opportunities, and not exported",
                format_plural(others, "note"),
                select_plural(others, "it is", "they are"),
            );
            self.report_warning(EventWarningCode::NotesWithoutContact, message);
        }
    }

    /// Compares the contacts that differ once more, after the index had time to follow.
    async fn look_twice(
        &self,
        state: &NoteSearchState,
        compared: &SampleComparison,
    ) -> Result<SampleComparison, PullError> {
        self.wait_for_index(self.options.settle).await;
        let contacts: Vec<_> =
            compared.differing.iter().map(|(contact, _)| contact.clone()).collect();
        let mut found = FoundNotes::new(&contacts);
        match self.search_notes_of(state, &contacts).await {
            Ok(result) => result.pages.iter().for_each(|page| found.add_page(&page.body)),
            Err(BatchError::Api(error)) => return Err(error.into()),
            // What cannot be looked at again stays different.
            Err(BatchError::Rejected(_)) => found.of_sample.clear(),
        }
        self.compare_sample(&contacts, &found.of_sample).await
    }

    /// Reads each contact's notes by its own endpoint and compares them.
    async fn compare_sample(
        &self,
        sample: &[ContactId],
        found: &NotesByContact,
    ) -> Result<SampleComparison, PullError> {
        let client = self.client.clone();
        let requests = futures::stream::iter(sample.to_vec());
        let answers =
            concurrency::run_in_order(requests, self.request_concurrency(), move |contact| {
                let client = client.clone();
                async move {
                    let answer =
                        client.list_contact_notes(&contact, RetryPolicy::BEST_EFFORT).await;
                    (contact, answer)
                }
            });
        let (mut answers, mut comparison) = (pin!(answers), SampleComparison::default());
        let (empty, since) = (NoteTexts::new(), self.fresh_since());
        while let Some((contact, answer)) = answers.next().await {
            let (body, is_whole) = match answer {
                Ok(answer) => (answer.body, answer.head.missing.is_none()),
                Err(error) if error.is_fatal() => return Err(error.into()),
                // It was deleted, or is read again with the others that failed.
                Err(_) => continue,
            };
            let Some(own) = own_notes(&body) else { continue };
            comparison.compared += 1;
            let mut differences =
                find_differences(&own, found.get(&contact).unwrap_or(&empty), since);
            // What a list lacks that has only its first rows is not what the search made up.
            differences.retain(|kind| is_whole || *kind != NoteDifference::Surplus);
            if !differences.is_empty() {
                comparison.answers.insert(contact.clone(), body);
                comparison.differing.push((contact, differences));
            }
        }
        Ok(comparison)
    }

    /// Collects what the search returned for these contacts, and the ids of all that it returned if they are counted.
    async fn collect_stored_notes(
        &self,
        sample: &[ContactId],
        are_counted: bool,
    ) -> Result<FoundNotes, PullError> {
        let (db, mut found) = (self.db.clone(), FoundNotes::new(sample));
        found.ids = are_counted.then(IdHashes::default);
        let found = concurrency::run_blocking(move || {
            let (reader, mut seq) = (SpoolReader::open(&db)?, 0);
            while let Some(entry) = reader.next_entry(stream::NOTE_SEARCH, seq)? {
                seq = entry.seq;
                found.add_page(&entry.body);
            }
            Ok::<_, RunError>(found)
        });
        Ok(found.await?)
    }

    /// Stores the answers of the contacts' own endpoint: they are newer than those of the search.
    async fn store_own_answers(&self, answers: HashMap<ContactId, Bytes>) -> Result<(), PullError> {
        if answers.is_empty() {
            return Ok(());
        }
        let stream = ChildKind::Notes.stream_name().to_owned();
        let progress = self.stream_progress(&stream)?;
        let rows = u32::try_from(answers.len()).expect("a sample is small");
        let body = pack_responses(answers.iter().map(|(id, body)| (id.as_str(), body.as_ref())));
        self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await
    }
}

/// The notes in an answer of a contact's own endpoint; `None` if it is no list.
fn own_notes(body: &[u8]) -> Option<NoteTexts> {
    let page = NotePage::from_json(body).ok()?;
    let rows = api::parse_list_rows(body, "notes").ok()?;
    let notes = rows.into_iter().zip(page.rows).filter_map(|(row, note)| {
        let NoteRef { id, added, .. } = note?;
        Some((id, (note_text_hash(row.get()), added)))
    });
    Some(notes.collect())
}

fn note_text_hash(row: &str) -> u64 {
    #[derive(Deserialize)]
    struct NoteTextJson {
        #[serde(default)]
        body: Option<serde_json::Value>,
    }
    let text = serde_json::from_str::<NoteTextJson>(row).ok().and_then(|note| note.body);
    // No text, null and an empty one are the same.
    match text {
        None => hash_text(""),
        Some(serde_json::Value::String(text)) => hash_text(&text),
        Some(other) => hash_text(&other.to_string()),
    }
}

fn find_differences(own: &NoteTexts, found: &NoteTexts, since: i64) -> Vec<NoteDifference> {
    let mut differences = Vec::new();
    for (id, (text, added)) in own {
        match found.get(id) {
            None if added.is_some_and(|added| added >= since) => {
                differences.push(NoteDifference::Late);
            }
            None => differences.push(NoteDifference::Missing),
            Some((other, _)) if other != text => differences.push(NoteDifference::Text),
            Some(_) => {}
        }
    }
    if found.keys().any(|id| !own.contains_key(id)) {
        differences.push(NoteDifference::Surplus);
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(notes: &[(&str, u64, i64)]) -> NoteTexts {
        notes.iter().map(|(id, text, added)| ((*id).into(), (*text, Some(*added)))).collect()
    }

    #[test]
    fn only_notes_written_lately_may_be_missing_from_the_index() {
        use NoteDifference::{Late, Missing, Surplus, Text};
        let own = notes(&[("a", 1, 10), ("b", 2, 20)]);
        assert_eq!(find_differences(&own, &own, 15), []);
        assert_eq!(find_differences(&own, &notes(&[("a", 1, 10)]), 15), [Late]);
        assert_eq!(find_differences(&own, &notes(&[("b", 2, 20)]), 15), [Missing]);
        assert_eq!(find_differences(&own, &notes(&[("a", 9, 10), ("b", 2, 20)]), 15), [Text]);
        assert_eq!(find_differences(&notes(&[]), &notes(&[("x", 1, 1)]), 15), [Surplus]);
    }

    #[test]
    fn a_text_is_the_same_however_it_is_escaped() {
        let hash = note_text_hash;
        assert_eq!(hash(r#"{"body":"\u00e4/"}"#), hash(r#"{"body":"ä\/"}"#));
        assert_eq!(hash(r#"{"body":null}"#), hash(r#"{"id":1}"#));
        assert_ne!(hash(r#"{"body":"a"}"#), hash(r#"{"body":"b"}"#));
    }
}
