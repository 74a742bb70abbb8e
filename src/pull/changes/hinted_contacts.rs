//! Contacts that the caller expects to have changed: they are read first, and their notes and tasks in any case.

use std::collections::HashSet;

use super::{MirrorScope, Pull, PullError, open_mirror};
use crate::diagnostic::EventWarningCode;
use crate::mirror::RecordKind;
use crate::pull::selected::{ContactKey, KeySearchResult, encode_rows, parse_row_id, search_keys};
use crate::run::{SpoolWrite, StreamProgress, stream};
use crate::text::format_plural;

/// Contacts per search.
const BATCH: usize = 100;
/// Ids that a warning shows.
const SHOWN: usize = 3;

impl Pull {
    /// Searches for the hinted contacts. Their own endpoint is not asked, because it writes them in another way, by which
    /// they would seem to have changed.
    pub(super) async fn pull_hinted_contacts(&self, scope: &MirrorScope) -> Result<(), PullError> {
        let mut unknown = Vec::new();
        for batch in scope.hints.chunks(BATCH) {
            let keys: Vec<ContactKey> = batch.iter().cloned().map(ContactKey::Id).collect();
            // A server that cannot search by id shows the changed ones among the latest updates.
            let KeySearchResult::Rows(rows, broken) = search_keys(&self.client, &keys).await?
            else {
                return Ok(());
            };
            self.record_broken(stream::CONTACTS, None, "a page of hinted contacts", &broken)
                .await?;
            let found: HashSet<String> = rows.iter().filter_map(|row| parse_row_id(row)).collect();
            let mirror = open_mirror(scope)?;
            for id in batch.iter().filter(|id| !found.contains(id.as_str())) {
                if mirror.find_version(RecordKind::Contact, id.as_str())?.is_none() {
                    unknown.push(id.to_string());
                }
            }
            let (body, count) = (encode_rows(rows.iter().map(AsRef::as_ref)), rows.len());
            let progress = StreamProgress { rows: count as u64, ..StreamProgress::default() };
            let (stream, rows) =
                (stream::REREAD_CONTACTS.to_owned(), u32::try_from(count).unwrap_or(u32::MAX));
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
        }
        if !unknown.is_empty() {
            let shown = unknown.iter().take(SHOWN).map(|id| format!("`{id}`")).collect::<Vec<_>>();
            let contacts = format_plural(unknown.len() as u64, "hinted contact");
            let more = if unknown.len() > SHOWN { " and others" } else { "" };
            let message =
                format!("the location does not show {contacts}: {}{more}", shown.join(", "));
            self.report_warning(EventWarningCode::LackingContacts, message);
        }
        Ok(())
    }
}
