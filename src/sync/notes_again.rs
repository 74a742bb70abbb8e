//! Contacts whose notes are looked at again: they had just changed when a search showed their notes, and its index lags.

use std::collections::HashMap;

use crate::id::ContactId;
use crate::mirror::{MirrorError, MirrorReader};
use crate::pull;

/// Contacts that one sync looks at again.
const MOST_AGAIN: usize = 1_000;

/// Contacts whose notes a search may not have shown completely when they were read.
pub(super) struct NotesToLookAtAgain {
    /// Those of which the index must have everything by now.
    pub(super) contacts: Vec<ContactId>,
    /// Whether there are others, for a later sync.
    pub(super) are_left: bool,
}

/// Finds the contacts that have changed and whose notes were read by a search that may have lagged.
pub(super) fn find_notes_to_look_at_again(
    mirror: &MirrorReader,
    now: jiff::Timestamp,
) -> Result<NotesToLookAtAgain, MirrorError> {
    let mut again = NotesToLookAtAgain { contacts: Vec::new(), are_left: false };
    let mut settled = HashMap::new();
    for (contact, seq) in mirror.contacts_changed_since_reading(MOST_AGAIN)? {
        let is_settled = if let Some(known) = settled.get(&seq) {
            *known
        } else {
            let sync = mirror.find_sync(seq)?;
            let read = sync.map(|sync| sync.facts.read_until.unwrap_or(sync.facts.started));
            let age_ms = read.map(|read| now.as_millisecond() - read.as_millisecond());
            // A clock that was set back says nothing.
            let is_settled = age_ms.is_none_or(|age_ms| !(0..pull::FRESH_MS).contains(&age_ms));
            settled.insert(seq, is_settled);
            is_settled
        };
        if is_settled {
            again.contacts.extend(contact.parse::<ContactId>().ok());
        } else {
            again.are_left = true;
        }
    }
    again.are_left |= again.contacts.len() >= MOST_AGAIN;
    Ok(again)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::{MergeBatch, MergeEnd, MergeRow, MirrorWriter, RecordKind, SyncFacts};

    #[test]
    fn a_contact_is_looked_at_again_once_the_index_must_have_followed() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = MirrorWriter::open(dir.path(), &"loc".parse().unwrap()).unwrap();
        let read = jiff::Timestamp::UNIX_EPOCH;
        let facts: SyncFacts = serde_json::from_value(serde_json::json!({
            "run": "r1", "kind": "newest", "started": read, "watermark_ms": 0, "changes_ms": 0,
            "counts_agree": true, "requests": 1, "counts": {}
        }))
        .unwrap();
        let mut sync = writer.begin_merge(facts).unwrap();
        let rows = vec![MergeRow {
            kind: RecordKind::Contact,
            added_ms: 1,
            id: "c".to_owned(),
            parent: None,
            digest: [1; 16],
            claims_unchanged: false,
            is_fallback: false,
            body: "{\"id\":\"c\"}".into(),
        }];
        let batch = MergeBatch { rows, ..MergeBatch::default() };
        writer.merge_batch(&mut sync, &batch, 0).unwrap();
        writer.finish_merge(&mut sync, &MergeEnd::default(), 0).unwrap();
        let mirror = MirrorReader::open(dir.path()).unwrap().unwrap();
        let after = |minutes: i64| {
            let now = read.checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
            let again = find_notes_to_look_at_again(&mirror, now).unwrap();
            (again.contacts.len(), again.are_left)
        };
        assert_eq!([after(1), after(9), after(11)], [(0, true), (0, true), (1, false)]);
    }
}
