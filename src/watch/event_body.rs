//! The text of an event.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::event_name::EventName;
use super::row_members::RowMembers;
use crate::id::LocationId;
use crate::text::encode_hex;

/// An event as its sinks read it.
#[derive(Debug, Serialize)]
pub(super) struct EventBody<'a> {
    pub(super) id: &'a str,
    #[serde(rename = "type")]
    pub(super) name: &'static str,
    /// The server's time of the sync that saw the change, or of the reminder.
    pub(super) at: String,
    pub(super) location: &'a LocationId,
    /// The number of the sync that saw the change.
    pub(super) seq: i64,
    pub(super) data: RowMembers,
    /// Of an update, the columns that differ, and what they said before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) changed: Option<Vec<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<&'a RowMembers>,
}

impl EventBody<'_> {
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an event is plain JSON")
    }
}

/// The id of an event: the same for the same change, whenever and for whichever sink it is made. `moment` tells the events
/// about one version of a record apart.
pub(super) fn event_id(mirror: &str, name: EventName, record: &str, moment: i64) -> String {
    let moment = moment.to_string();
    let mut hash = Sha256::new();
    for part in [mirror, name.spelling(), record, &moment] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    format!("evt_{}", encode_hex(&hash.finalize()[..16]))
}

/// A time of the server in milliseconds since 1970, as events write it.
pub(super) fn format_time(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
