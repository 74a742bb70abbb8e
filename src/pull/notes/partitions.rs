//! Parts of the location's notes, where an offset does not reach all of them: by source, or by author.
//!
//! A request can name a source or an author, but not ask for the notes that have no author (api.md §4.2), and an author
//! may be a user who was deleted. So the parts are a plan, not a proof: whether they are all notes shows at the end,
//! when as many different ones were seen as the server counts. A location is divided only if that takes fewer requests
//! than searching by contacts.

use serde::Deserialize;

use super::PROBE;
use super::location_pages::{LocationPass, NotePart};
use crate::api::{self, NoteOrder, NoteQuery, NoteSearchDialect};
use crate::pull::{Pull, PullError};
use crate::run::stream;

/// The sources that a request can name.
const SOURCES: [&str; 2] = ["WEB_USER", "WORKFLOW"];

/// Divides the notes of a location.
pub(super) struct NotePartitioner<'p> {
    pub(super) pull: &'p Pull,
    pub(super) dialect: &'p NoteSearchDialect,
    /// The notes of the location.
    pub(super) total: u64,
    /// How many notes an offset reaches.
    pub(super) reach: u64,
}

/// The passes over a part of the notes.
struct PartPlan {
    /// The notes of the part.
    count: u64,
    passes: Vec<LocationPass>,
}

impl NotePartitioner<'_> {
    /// The passes over the notes that people wrote and those that workflows wrote, if each part can be reached. Takes
    /// one request.
    pub(super) async fn divide_by_source(&self) -> Result<Option<Vec<LocationPass>>, PullError> {
        let people = NotePart { source: Some(SOURCES[0].to_owned()), author: None };
        let workflows = NotePart { source: Some(SOURCES[1].to_owned()), author: None };
        let count = self.count_notes(&people).await?;
        let counts = count.and_then(|count| Some((count, self.total.checked_sub(count)?)));
        let parts = counts.and_then(|(count, rest)| {
            Some([self.plan_part(&people, count)?, self.plan_part(&workflows, rest)?])
        });
        Ok(parts.map(|parts| parts.map(|part| part.passes).concat()))
    }

    /// The passes over the notes of each user, if each part can be reached and all of it takes fewer than
    /// `max_requests`. Takes a request per user.
    pub(super) async fn divide_by_author(
        &self,
        max_requests: u64,
    ) -> Result<Option<Vec<LocationPass>>, PullError> {
        let authors = self.load_user_ids()?;
        let counting = authors.len() as u64;
        if authors.is_empty() || counting + self.count_pages(self.total) >= max_requests {
            return Ok(None);
        }
        let mut parts = Vec::new();
        for author in authors {
            let Some(plans) = self.plan_author(author).await? else { return Ok(None) };
            parts.extend(plans);
        }
        let counted: u64 = parts.iter().map(|part| part.count).sum();
        // More than there are: the filter does not divide them.
        let Some(rest) = self.total.checked_sub(counted) else { return Ok(None) };
        if rest > 0 {
            let workflows = NotePart { source: Some(SOURCES[1].to_owned()), author: None };
            let plan = self
                .count_notes(&workflows)
                .await?
                .and_then(|count| self.plan_part(&workflows, count));
            let Some(plan) = plan else { return Ok(None) };
            parts.push(plan);
        }
        let read: u64 = parts.iter().map(|part| self.count_pages(part.count)).sum();
        // What no part has is looked for from both ends. That also shows authors who are users no longer.
        let ends = if rest > 0 { 2 * self.count_pages(self.reach) } else { 1 };
        if counting + read + ends >= max_requests {
            return Ok(None);
        }
        let mut passes: Vec<_> = parts.into_iter().flat_map(|part| part.passes).collect();
        let whole = NotePart::default();
        let end = |order| LocationPass::new(&whole, order, Some(self.reach));
        passes.extend([NoteOrder::Newest, NoteOrder::Oldest].map(end));
        Ok(Some(passes))
    }

    /// The passes over an author's notes; by source, if one part is too large.
    async fn plan_author(&self, author: String) -> Result<Option<Vec<PartPlan>>, PullError> {
        let part = NotePart { source: None, author: Some(author) };
        let Some(count) = self.count_notes(&part).await? else { return Ok(None) };
        if let Some(plan) = self.plan_part(&part, count) {
            return Ok(Some(vec![plan]));
        }
        let mut plans = Vec::with_capacity(SOURCES.len());
        for source in SOURCES {
            let part = NotePart { source: Some(source.to_owned()), ..part.clone() };
            let count = self.count_notes(&part).await?;
            match count.and_then(|count| self.plan_part(&part, count)) {
                Some(plan) => plans.push(plan),
                None => return Ok(None),
            }
        }
        Ok(Some(plans))
    }

    /// The passes over a part; `None` if an offset does not reach all of it even from both ends.
    fn plan_part(&self, part: &NotePart, count: u64) -> Option<PartPlan> {
        let passes = match count {
            0 => Vec::new(),
            count if count <= self.reach => {
                vec![LocationPass::new(part, NoteOrder::Oldest, Some(self.reach)).with_count(count)]
            }
            count if count <= 2 * self.reach => LocationPass::in_both_orders(part, self.reach),
            _ => return None,
        };
        Some(PartPlan { count, passes })
    }

    /// How many notes a part has; `None` if the server does not say, or shows one of another author.
    async fn count_notes(&self, part: &NotePart) -> Result<Option<u64>, PullError> {
        let query = NoteQuery { limit: Some(1), ..part.query() };
        match self.pull.client.search_notes(self.dialect, &query, PROBE).await {
            Ok(response) => {
                let page = response.head;
                let total = api::believable_total(page.total, page.rows.len() as u64);
                Ok(total.filter(|_| part.has_all(&page.rows)))
            }
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    fn count_pages(&self, notes: u64) -> u64 {
        notes.div_ceil(self.dialect.limit.max(1) as u64)
    }

    /// The ids of the location's users, as the run has stored them.
    fn load_user_ids(&self) -> Result<Vec<String>, PullError> {
        #[derive(Deserialize)]
        struct UserJson {
            id: String,
        }
        let Some(entry) = self.pull.open_reader()?.next_entry(stream::USERS, 0)? else {
            return Ok(Vec::new());
        };
        let rows = api::parse_list_rows(&entry.body, "users").unwrap_or_default();
        let users = rows.into_iter().filter_map(|row| serde_json::from_str(row.get()).ok());
        Ok(users.map(|user: UserJson| user.id).collect())
    }
}
