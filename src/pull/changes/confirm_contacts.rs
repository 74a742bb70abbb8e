//! Asks for contacts that the search does not show by their own endpoint: only that says that one was deleted.

use std::pin::pin;

use futures::StreamExt;
use serde_json::value::RawValue;

use super::{ComparisonResult, DeletionCheck, MirrorScope, Pull, PullError, open_mirror};
use crate::api::{ApiError, ApiErrorKind, ApiResponse, ContactSearchFilter};
use crate::concurrency;
use crate::diagnostic::EventWarningCode;
use crate::id::ContactId;
use crate::mirror::{MirrorReader, RecordKind};
use crate::resource;
use crate::run::stream;
use crate::text::{format_count, format_plural, hash_text, select_plural};

/// So many contacts may be missing at once before the search is asked again, or so many percent of all.
const USUAL_DELETIONS: u64 = 100;
const USUAL_PERCENT: u64 = 5;
/// Answers that are stored together.
const BATCH: usize = 100;

/// What the own endpoint of contacts said.
#[derive(Debug, Default)]
pub(super) struct ConfirmedContacts {
    /// Those that do not exist any more.
    pub(super) deleted: u64,
    /// Those that exist although the search does not show them.
    pub(super) hidden: u64,
    /// Those of which nothing is known.
    pub(super) unconfirmed: u64,
}

impl ConfirmedContacts {
    /// The result of a comparison that ended so.
    pub(super) fn into_result(
        self,
        deletions: DeletionCheck,
        counts_agree: bool,
    ) -> ComparisonResult {
        let Self { deleted, hidden, unconfirmed } = self;
        ComparisonResult { deletions, hidden, unconfirmed, deleted, counts_agree }
    }
}

/// Whether records may be missing because they were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LossJudgement {
    /// They may; each is asked for.
    Plausible,
    /// The search shows them again.
    Recovered,
    /// Nothing can be said: the endpoint finds no contact, or there is no time to wait.
    Unclear,
}

/// What an answer says of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ContactExistence {
    Exists,
    Deleted,
    Unknown,
}

impl Pull {
    /// Compares the mirror with a walk over all contacts.
    pub(super) async fn compare_walk(
        &self,
        scope: &MirrorScope,
    ) -> Result<ComparisonResult, PullError> {
        let mirror = open_mirror(scope)?;
        let shown = self.scan_contacts(std::collections::HashSet::new(), |ids, id, _, _| {
            ids.insert(hash_text(id));
            Ok(())
        });
        let shown = shown.await?;
        let mut missing = Vec::new();
        mirror.for_each_live(RecordKind::Contact, |id, _| {
            if !shown.contains(&hash_text(id)) {
                missing.push(id.to_owned());
            }
        })?;
        let confirmed = self.confirm_missing_contacts(&mirror, missing).await?;
        let failures = self.open_reader()?.load_failures()?;
        let is_whole = !failures.iter().any(|failure| failure.stream == stream::CONTACTS);
        let deletions = if is_whole { DeletionCheck::Walked } else { DeletionCheck::Unknown };
        let counted = self.stream_progress(stream::CONTACTS)?.total;
        Ok(confirmed.into_result(deletions, counted == Some(shown.len() as u64)))
    }

    /// Requests contacts one by one, and stores which of them no longer exist.
    pub(super) async fn confirm_missing_contacts(
        &self,
        mirror: &MirrorReader,
        missing: Vec<String>,
    ) -> Result<ConfirmedContacts, PullError> {
        let mut confirmed = ConfirmedContacts::default();
        let count = missing.len() as u64;
        if count == 0 {
            return Ok(confirmed);
        }
        match self.judge_loss(mirror, count).await? {
            LossJudgement::Plausible => {}
            LossJudgement::Recovered => {
                return Ok(ConfirmedContacts { hidden: count, ..confirmed });
            }
            LossJudgement::Unclear => {
                return Ok(ConfirmedContacts { unconfirmed: count, ..confirmed });
            }
        }
        let ids: Vec<ContactId> = missing.iter().filter_map(|id| id.parse().ok()).collect();
        confirmed.unconfirmed = count - ids.len() as u64;
        let client = self.client.clone();
        let answers = concurrency::run_in_order(
            futures::stream::iter(ids),
            self.request_concurrency(),
            move |id| {
                let client = client.clone();
                async move { (client.get_raw_contact(&id).await, id) }
            },
        );
        let mut answers = pin!(answers.ready_chunks(BATCH));
        while let Some(answers) = answers.next().await {
            let mut deleted = Vec::new();
            for (answer, id) in answers {
                match judge_answer(answer)? {
                    ContactExistence::Deleted => deleted.push(id.to_string()),
                    ContactExistence::Exists => confirmed.hidden += 1,
                    ContactExistence::Unknown => confirmed.unconfirmed += 1,
                }
            }
            confirmed.deleted += deleted.len() as u64;
            self.store_deleted("contacts", deleted).await?;
        }
        Ok(confirmed)
    }

    /// Whether contacts may be asked for one by one: their endpoint must find one that certainly exists, and of many
    /// that are missing at once the search must say so again later.
    async fn judge_loss(
        &self,
        mirror: &MirrorReader,
        count: u64,
    ) -> Result<LossJudgement, PullError> {
        let live = mirror.count_live(RecordKind::Contact)?;
        let everything = ContactSearchFilter::default();
        if is_unusual_loss(count, live) {
            let all = format_count(live);
            let contacts = format_plural(count, "contact");
            let are = select_plural(count, "is", "are");
            self.report_warning(
                EventWarningCode::MassDeletion,
                format!(
                    "{contacts} of {all} {are} missing in the search at once; each is requested by its id \
                     before it counts as deleted"
                ),
            );
            if !self.wait_for_index(self.options.settle).await {
                return Ok(LossJudgement::Unclear);
            }
            let now = self.client.search_contacts(&everything, 1, None).await?.head.total;
            if now.is_some_and(|now| now >= live) {
                return Ok(LossJudgement::Recovered);
            }
        }
        let shown = self.client.search_newest_contacts(&everything, 1).await?;
        let known = shown.head.rows.into_iter().flatten().next();
        let Some(known) = known else { return Ok(LossJudgement::Plausible) };
        let answer = judge_answer(self.client.get_raw_contact(&known.id).await)?;
        Ok(match answer {
            ContactExistence::Deleted => LossJudgement::Unclear,
            ContactExistence::Exists | ContactExistence::Unknown => LossJudgement::Plausible,
        })
    }
}

/// Whether so many of all records are missing at once that something else may be the reason.
pub(super) fn is_unusual_loss(count: u64, all: u64) -> bool {
    count > USUAL_DELETIONS.max(all * USUAL_PERCENT / 100)
}

/// What an answer of the own endpoint says. Anything but a clear word leaves a contact as it is.
fn judge_answer(
    answer: Result<ApiResponse<Option<Box<RawValue>>>, ApiError>,
) -> Result<ContactExistence, PullError> {
    match answer {
        Ok(ApiResponse { head: Some(row), .. }) => {
            let is_deleted = resource::has_true_member(row.get(), "deleted");
            Ok(if is_deleted { ContactExistence::Deleted } else { ContactExistence::Exists })
        }
        Err(error) if error.kind == ApiErrorKind::Gone && error.foreign.is_none() => {
            Ok(ContactExistence::Deleted)
        }
        Err(error) if error.is_fatal() => Err(error.into()),
        Ok(_) | Err(_) => Ok(ContactExistence::Unknown),
    }
}
