//! Businesses: the one list of the location that comes in pages.
//!
//! The list has no total, and a short page may be as long as the server's pages are: only an empty page ends it. A list
//! that cannot be read is treated like the others of the location, and is requested from its beginning at the end.

use super::{OptionalList, Pull, PullError, missing_lists};
use crate::api::{
    ApiEndpoint, ApiResponse, BrokenRecord, BusinessPage, MissingRows, RepeatedPages,
    believable_total, repeated_pages_error,
};
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

/// Where in a response without an id a broken business is.
const POSITION: &str = "a page of businesses";

impl Pull {
    /// Reads the businesses that were not read yet. If they cannot be read, they are missing, and the run goes on.
    pub(super) async fn pull_businesses(&self) -> Result<(), PullError> {
        let progress = self.stream_progress(stream::BUSINESSES)?;
        if !self.options.lists.contains(&OptionalList::Businesses) || progress.done {
            return Ok(());
        }
        match self.read_business_pages(progress, None).await {
            Err(PullError::Api(error)) => {
                self.record_missing_list(stream::BUSINESSES, error).await?;
                self.flush_writes().await?;
                let progress = self.stream_progress(stream::BUSINESSES)?;
                let progress = StreamProgress { done: true, ..progress };
                let stream = stream::BUSINESSES.to_owned();
                self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await
            }
            read => read,
        }
    }

    /// Requests the businesses once more, if they could not be read or not completely.
    pub(super) async fn retry_businesses(&self, pending: &[FetchFailure]) -> Result<(), PullError> {
        let failures = pending.iter().filter(|failure| failure.stream == stream::BUSINESSES);
        let subjects: Vec<String> = failures.map(|failure| failure.subject.clone()).collect();
        if subjects.is_empty() {
            return Ok(());
        }
        let mut broken = Vec::new();
        match self.read_business_pages(StreamProgress::default(), Some(&mut broken)).await {
            Ok(()) => {
                // Resolved after the pages are stored: a kill before that repeats the requests.
                for subject in subjects {
                    let stream = stream::BUSINESSES.to_owned();
                    self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await?;
                }
                self.record_broken(stream::BUSINESSES, None, POSITION, &broken).await
            }
            Err(PullError::Api(error)) if missing_lists::is_only_of_list(&error) => {
                // What is known of single records stays.
                if !subjects.iter().any(|subject| subject == FetchFailure::WHOLE_LIST) {
                    return Ok(());
                }
                self.store_missing_list(stream::BUSINESSES, &error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the pages behind `progress` to the end. Broken records go into `collected`, or are recorded at once.
    async fn read_business_pages(
        &self,
        mut progress: StreamProgress,
        mut collected: Option<&mut Vec<BrokenRecord>>,
    ) -> Result<(), PullError> {
        let mut pages = RepeatedPages::default();
        while !progress.done {
            let skip = usize::try_from(progress.rows).unwrap_or(usize::MAX);
            let ApiResponse { body, head, broken } = self.client.list_businesses(skip).await?;
            if pages.add_ids(head.ids.iter().map(String::as_str)) {
                return Err(repeated_pages_error(ApiEndpoint::Businesses).into());
            }
            match &mut collected {
                Some(collected) => collected.extend(broken),
                None => self.record_broken(stream::BUSINESSES, None, POSITION, &broken).await?,
            }
            let BusinessPage { rows, total, .. } = head;
            progress.rows += rows as u64;
            progress.done = rows == 0;
            if progress.done
                && let Some(total) = believable_total(total, progress.rows + 1)
            {
                let missing = MissingRows::Counted(total - progress.rows);
                let subject = FetchFailure::WHOLE_LIST;
                self.record_missing_rows(stream::BUSINESSES, subject, Some(missing)).await?;
            }
            let (stream, progress) = (stream::BUSINESSES.to_owned(), progress.clone());
            let rows = u32::try_from(rows).unwrap_or(u32::MAX);
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
        }
        Ok(())
    }
}
