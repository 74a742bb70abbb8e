//! Finds out which form of the notes search a server accepts and how far it reaches, with at most three requests. Only
//! to divide the notes by author it sends more, one per user.

use serde::{Deserialize, Serialize};

use super::batch_size::BatchSizes;
use super::location_pages::{LocationPass, NotePart};
use super::partitions::NotePartitioner;
use super::{NoteSearchState, NoteStrategy, PROBE};
use crate::api::{
    self, ApiError, ApiErrorKind, NOTE_SEARCH_LIMIT, NoteOrder, NotePage, NoteQuery,
    NoteSearchDialect, NoteSearchVersion,
};
use crate::pull::committed_page::ChildCursor;
use crate::pull::{Pull, PullError, retry_failed};
use crate::run::LocationFacts;
use crate::text::format_count;

/// Most requests of the negotiation.
pub(super) const MAX_REQUESTS: u32 = 3;

/// How many rows an offset reaches on a server that limits it (api.md §4: unknown for notes, 10,000 in the vendor's
/// other searches).
pub(super) const USUAL_REACH: u64 = 10_000;

/// Most notes that are read page by page: the ids of all are kept in memory to prove that none is missing.
pub(super) const MAX_LOCATION_NOTES: u64 = 500_000;

/// The smaller page that is asked for where the usual one is refused.
const SMALL_LIMIT: usize = 100;

/// The name under which a location's facts keep what was learnt.
const FACT: &str = "notes_search";

/// What is learnt about a location's notes search.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct KnownNoteSearch {
    pub(super) dialect: NoteSearchDialect,
    pub(super) batch: BatchSizes,
    /// How many notes an offset reaches; 0 for all of them.
    pub(super) reach: Option<u64>,
    /// Why the last run that tried the search did not trust it, unless it did.
    #[serde(default)]
    pub(super) distrust: Option<String>,
    /// Whether it has shown the newest notes in another order than was asked for, since it was last proven.
    #[serde(default)]
    pub(super) unordered: bool,
    /// Whether it has shown other notes than those of the contacts it was asked for, since it was last proven.
    #[serde(default)]
    pub(super) unrelated: bool,
}

impl KnownNoteSearch {
    /// What earlier runs learnt.
    pub(super) fn load(facts: &LocationFacts) -> Self {
        facts.read_fact(FACT).unwrap_or_default()
    }
}

/// A negotiation under way.
struct Negotiation<'p> {
    pull: &'p Pull,
    known: KnownNoteSearch,
    requests: u32,
}

impl Pull {
    /// Negotiates the search. The inner error is the reason why it cannot be used.
    pub(super) async fn negotiate_note_search(
        &self,
    ) -> Result<Result<NoteSearchState, String>, PullError> {
        let known = KnownNoteSearch::load(&self.location_facts);
        let mut negotiation = Negotiation { pull: self, known, requests: 0 };
        let page = match negotiation.find_dialect().await? {
            Ok(page) => page,
            Err(reason) => return Ok(Err(reason)),
        };
        let total = api::believable_total(page.total, page.rows.len() as u64);
        let strategy = match total {
            Some(total) if self.covers_all_contacts() => negotiation.plan_passes(total).await?,
            _ => None,
        };
        self.location_facts.write_fact(FACT, &negotiation.known);
        let strategy = strategy.unwrap_or(NoteStrategy::Contacts { next: ChildCursor::default() });
        let KnownNoteSearch { dialect, batch, .. } = negotiation.known;
        let (first_refusal, verified, left) = (None, false, false);
        Ok(Ok(NoteSearchState { strategy, dialect, batch, total, first_refusal, verified, left }))
    }

    /// Keeps what a run learnt about the requests that a server accepts.
    pub(super) fn remember_note_search(&self, dialect: &NoteSearchDialect, batch: &BatchSizes) {
        let known = KnownNoteSearch::load(&self.location_facts);
        let (dialect, batch) = (dialect.clone(), batch.clone());
        self.location_facts.write_fact(FACT, &KnownNoteSearch { dialect, batch, ..known });
    }

    /// Keeps how many notes an offset reaches, after a page behind them was refused.
    pub(super) fn remember_note_reach(&self, reach: u64) {
        let known = KnownNoteSearch::load(&self.location_facts);
        self.location_facts.write_fact(FACT, &KnownNoteSearch { reach: Some(reach), ..known });
    }

    /// Keeps why the search is not trusted, or that it is.
    pub(super) fn remember_note_distrust(&self, distrust: Option<String>) {
        let known = KnownNoteSearch::load(&self.location_facts);
        let known = KnownNoteSearch { distrust, unordered: false, unrelated: false, ..known };
        self.location_facts.write_fact(FACT, &known);
    }

    /// In which form the newest notes are searched for; `None` where what the search shows is no proof.
    pub(in crate::pull) fn newest_note_dialect(&self) -> Option<NoteSearchDialect> {
        let known = KnownNoteSearch::load(&self.location_facts);
        let is_proven = known.distrust.is_none() && !known.unordered && known.dialect.sorted;
        is_proven.then_some(known.dialect)
    }

    /// Keeps that the search does not keep to the contacts that it is asked for.
    pub(super) fn remember_unrelated_notes(&self) {
        let known = KnownNoteSearch::load(&self.location_facts);
        self.location_facts.write_fact(FACT, &KnownNoteSearch { unrelated: true, ..known });
    }

    /// Keeps that the search does not show the newest notes first.
    pub(in crate::pull) fn remember_unordered_notes(&self) {
        let known = KnownNoteSearch::load(&self.location_facts);
        self.location_facts.write_fact(FACT, &KnownNoteSearch { unordered: true, ..known });
    }
}

impl Negotiation<'_> {
    /// The first page of notes, in a form that the server accepts; the inner error is why there is none.
    async fn find_dialect(&mut self) -> Result<Result<NotePage, String>, PullError> {
        loop {
            self.requests += 1;
            let query = NoteQuery::default();
            let error =
                match self.pull.client.search_notes(&self.known.dialect, &query, PROBE).await {
                    Ok(response) => return Ok(Ok(response.head)),
                    Err(error) if error.is_fatal() => return Err(error.into()),
                    Err(error) => error,
                };
            if error.kind == ApiErrorKind::Scope {
                return Ok(Err(missing_scope_reason(self.pull.count_contacts()?)));
            }
            match simpler_dialect(&self.known.dialect, &error) {
                Some(dialect) if self.requests < MAX_REQUESTS => self.known.dialect = dialect,
                _ => return Ok(Err(format!("the notes search cannot be used ({error})"))),
            }
        }
    }

    /// The passes over pages that show all of the location's notes; `None` where they cannot.
    async fn plan_passes(&mut self, total: u64) -> Result<Option<NoteStrategy>, PullError> {
        if total > MAX_LOCATION_NOTES {
            return Ok(None);
        }
        self.learn_reach(total).await?;
        let reach = self.known.reach.unwrap_or(USUAL_REACH);
        let whole = NotePart::default();
        let passes = if reach == 0 || total <= reach {
            Some(vec![LocationPass::new(&whole, NoteOrder::Oldest, None)])
        } else if !self.known.dialect.sorted {
            None
        } else if total <= 2 * reach {
            Some(LocationPass::in_both_orders(&whole, reach))
        } else {
            self.divide_notes(total, reach).await?
        };
        Ok(passes.map(|passes| NoteStrategy::Location { passes, pass: 0, skip: 0 }))
    }

    /// The passes over parts of the notes, where an offset does not reach all of them even from both ends.
    async fn divide_notes(
        &mut self,
        total: u64,
        reach: u64,
    ) -> Result<Option<Vec<LocationPass>>, PullError> {
        let dialect = &self.known.dialect;
        let partitioner = NotePartitioner { pull: self.pull, dialect, total, reach };
        if total <= 4 * reach && self.requests < MAX_REQUESTS {
            self.requests += 1;
            if let Some(passes) = partitioner.divide_by_source().await? {
                return Ok(Some(passes));
            }
        }
        let Some(contacts) = self.pull.count_contacts()? else { return Ok(None) };
        let by_contacts = self.known.batch.fewest_requests(contacts);
        partitioner.divide_by_author(by_contacts).await
    }

    /// Finds out how far an offset reaches, if that matters and is not known. What an earlier run learnt is tried again
    /// where it says that less than usual can be reached: it may have been a passing fault.
    async fn learn_reach(&mut self, total: u64) -> Result<(), PullError> {
        let is_unclear = match self.known.reach {
            None => total > USUAL_REACH,
            Some(reach) => reach > 0 && reach < USUAL_REACH && total > reach,
        };
        if is_unclear && self.requests < MAX_REQUESTS {
            let usual = self.known.reach.unwrap_or(USUAL_REACH);
            self.known.reach = Some(self.probe_reach(total, usual).await?);
        }
        Ok(())
    }

    /// How many notes an offset reaches: 0 for all, if the last note can be skipped to, and else as many as is usual.
    async fn probe_reach(&mut self, total: u64, usual: u64) -> Result<u64, PullError> {
        self.requests += 1;
        let query = NoteQuery { skip: total - 1, limit: Some(1), ..NoteQuery::default() };
        match self.pull.client.search_notes(&self.known.dialect, &query, PROBE).await {
            Ok(response) if !response.head.rows.is_empty() => Ok(0),
            Err(error) if error.is_fatal() => Err(error.into()),
            _ => Ok(usual),
        }
    }
}

/// Another form of request, after this one was refused.
pub(super) fn simpler_dialect(
    dialect: &NoteSearchDialect,
    error: &ApiError,
) -> Option<NoteSearchDialect> {
    if !retry_failed::is_query_rejected(error.kind) {
        return None;
    }
    let message = error.message.to_lowercase();
    let mut simpler = dialect.clone();
    if message.contains("version") || error.status == Some(404) {
        simpler.version = NoteSearchVersion::Common;
    } else if message.contains("limit") {
        simpler.limit = named_limit(&message).unwrap_or(SMALL_LIMIT).min(dialect.limit);
    } else if message.contains("sort") {
        simpler.sorted = false;
    } else if message.contains("count") {
        simpler.counted = false;
    } else {
        simpler.limit = dialect.limit.min(SMALL_LIMIT);
        (simpler.sorted, simpler.counted) = (false, false);
    }
    (simpler != *dialect).then_some(simpler)
}

/// The largest page, where a refusal names it: the last number in it.
fn named_limit(message: &str) -> Option<usize> {
    let mut numbers = message.split(|c: char| !c.is_ascii_digit());
    let last = numbers.rfind(|digits| !digits.is_empty())?;
    last.parse().ok().filter(|limit| (1..=NOTE_SEARCH_LIMIT).contains(limit))
}

pub(super) fn missing_scope_reason(contacts: Option<u64>) -> String {
    let cost = contacts.map_or_else(String::new, |contacts| {
        format!(
            ", with which about {} instead of {} requests would be enough",
            format_count(contacts.div_ceil(50) + 20),
            format_count(contacts)
        )
    });
    format!("the token lacks the scope `notes.readonly`{cost}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_may_name_the_largest_page() {
        assert_eq!(named_limit("limit must not be greater than 10"), Some(10));
        assert_eq!(named_limit("limit must be a number from 1 to 250"), Some(250));
        assert_eq!(named_limit("limit must not be less than 0"), None);
        assert_eq!(named_limit("invalid limit"), None);
    }

    #[test]
    fn the_warning_about_the_scope_says_what_it_costs() {
        assert_eq!(
            missing_scope_reason(Some(100_000)),
            "the token lacks the scope `notes.readonly`, with which about 2,020 instead of 100,000 requests would be enough"
        );
        assert_eq!(missing_scope_reason(None), "the token lacks the scope `notes.readonly`");
    }
}
