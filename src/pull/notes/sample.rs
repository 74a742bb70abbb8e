//! Chooses the contacts whose notes are also read one by one, to prove the search.
//!
//! The sample has contacts from every stratum in which a search could go wrong: the oldest and newest contacts, those
//! with the most notes and the longest texts, and contacts chosen at random, many of which have no notes. Contacts
//! that changed shortly before the run are all in it, up to a bound: their notes may not be in the index yet.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::api::NotePage;
use crate::id::ContactId;
use crate::pull::committed_page::CommittedPage;
use crate::text::hash_text;

/// The smallest sample, if there are so many contacts.
const SMALLEST_SAMPLE: usize = 24;
/// The largest sample, contacts that changed lately apart.
const LARGEST_SAMPLE: usize = 100;
/// One contact of so many is in the sample of a large account.
const CONTACTS_PER_SAMPLE: u64 = 2_000;
/// How many contacts of each stratum are in the sample.
const PER_STRATUM: usize = 4;
/// Most contacts that are read one by one because they changed lately.
const MAX_FRESH: usize = 100;

/// Collects the sample while contacts and notes pass by.
#[derive(Debug)]
pub(in crate::pull) struct NoteSampler {
    /// When what the search shows may not be complete yet: milliseconds since 1970.
    fresh_since: i64,
    contacts: u64,
    oldest: Vec<ContactId>,
    newest: VecDeque<ContactId>,
    /// The contacts whose ids have the smallest hashes: a random choice that a resumed run repeats.
    random: BTreeMap<u64, ContactId>,
    fresh: Vec<ContactId>,
    most_notes: Vec<(usize, ContactId)>,
    longest: Vec<(usize, ContactId)>,
}

impl NoteSampler {
    pub(in crate::pull) fn new(fresh_since: i64) -> Self {
        Self {
            fresh_since,
            contacts: 0,
            oldest: Vec::new(),
            newest: VecDeque::new(),
            random: BTreeMap::new(),
            fresh: Vec::new(),
            most_notes: Vec::new(),
            longest: Vec::new(),
        }
    }

    /// Takes a page of contacts.
    pub(super) fn add_contacts(&mut self, page: &CommittedPage) {
        for (contact, updated) in page.contacts.iter().zip(&page.updated) {
            let Some(contact) = contact else { continue };
            self.contacts += 1;
            if self.oldest.len() < PER_STRATUM {
                self.oldest.push(contact.clone());
            }
            self.newest.push_back(contact.clone());
            if self.newest.len() > PER_STRATUM {
                self.newest.pop_front();
            }
            let hash = hash_text(contact.as_str());
            let last = self.random.last_key_value().map(|(last, _)| *last);
            if self.random.len() < LARGEST_SAMPLE || last.is_some_and(|last| hash < last) {
                self.random.insert(hash, contact.clone());
                if self.random.len() > LARGEST_SAMPLE {
                    self.random.pop_last();
                }
            }
            if updated.is_some_and(|updated| updated >= self.fresh_since)
                && self.fresh.len() < MAX_FRESH
            {
                self.fresh.push(contact.clone());
            }
        }
    }

    /// Takes a page of notes.
    pub(super) fn add_notes(&mut self, page: &NotePage) {
        let mut counts = HashMap::<&ContactId, usize>::new();
        for note in page.rows.iter().flatten() {
            let Some(contact) = note.contacts.first() else { continue };
            *counts.entry(contact).or_default() += 1;
            keep_largest(&mut self.longest, note.body_bytes, contact);
        }
        for (contact, count) in counts {
            keep_largest(&mut self.most_notes, count, contact);
        }
    }

    /// The sample, each contact once.
    pub(super) fn choose(&self) -> Vec<ContactId> {
        let wanted = sample_size(self.contacts);
        let strata = self.oldest.iter().chain(&self.newest);
        let strata = strata.chain(self.most_notes.iter().map(|(_, contact)| contact));
        let strata = strata.chain(self.longest.iter().map(|(_, contact)| contact));
        let mut sample: Vec<ContactId> = Vec::new();
        let add = |contact: &ContactId, sample: &mut Vec<ContactId>| {
            if !sample.contains(contact) {
                sample.push(contact.clone());
            }
        };
        strata.for_each(|contact| add(contact, &mut sample));
        for contact in self.random.values() {
            if sample.len() >= wanted {
                break;
            }
            add(contact, &mut sample);
        }
        self.fresh.iter().for_each(|contact| add(contact, &mut sample));
        sample
    }
}

/// The size of the sample for an account with so many contacts.
pub(super) fn sample_size(contacts: u64) -> usize {
    let wanted = usize::try_from(contacts / CONTACTS_PER_SAMPLE).unwrap_or(usize::MAX);
    wanted.clamp(SMALLEST_SAMPLE, LARGEST_SAMPLE)
}

/// Keeps the contacts with the largest numbers, each once.
fn keep_largest(largest: &mut Vec<(usize, ContactId)>, size: usize, contact: &ContactId) {
    if largest.len() == PER_STRATUM && largest.last().is_some_and(|(least, _)| size <= *least) {
        return;
    }
    match largest.iter_mut().find(|(_, known)| known == contact) {
        Some((known, _)) => *known = size.max(*known),
        None => largest.push((size, contact.clone())),
    }
    largest.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    largest.truncate(PER_STRATUM);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::NoteRef;

    fn page(from: usize, count: usize, updated: i64) -> CommittedPage {
        let contacts =
            (from..from + count).map(|n| Some(format!("c{n}").parse().unwrap())).collect();
        CommittedPage { ordinal: 0, contacts, updated: vec![Some(updated); count] }
    }

    fn note(contact: &str, body_bytes: usize) -> NoteRef {
        let contacts = vec![contact.parse().unwrap()];
        NoteRef { id: "n".into(), contacts, author: None, added: Some(5), body_bytes }
    }

    #[test]
    fn the_sample_has_every_stratum_once_and_grows_with_the_account() {
        let mut sampler = NoteSampler::new(100);
        sampler.add_contacts(&page(0, 1_000, 50));
        let rows = [note("c500", 9), note("c500", 9), note("c600", 90_000)];
        let rows = rows.into_iter().map(Some).collect();
        sampler.add_notes(&NotePage { rows, total: None });
        let sample = sampler.choose();
        assert_eq!(sample.len(), SMALLEST_SAMPLE);
        for expected in ["c0", "c999", "c500", "c600"] {
            assert!(sample.iter().any(|contact| contact.as_str() == expected), "{expected}");
        }
        sampler.add_contacts(&page(1_000, 200_000, 50));
        assert_eq!(sampler.choose().len(), LARGEST_SAMPLE);
        sampler.add_contacts(&page(300_000, 3, 100));
        assert!(sampler.choose().iter().any(|contact| contact.as_str() == "c300001"));
    }
}
