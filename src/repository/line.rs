//! A line of a snapshot's file: a record as it is, or one that no longer exists.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::resource::UNDATED;

/// Why a record counts as deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeletionReason {
    /// Its own endpoint said so.
    #[serde(rename = "own endpoint")]
    OwnEndpoint,
    /// It was deleted with its contact.
    #[serde(rename = "contact")]
    Contact,
    /// The whole list that it would be in does not have it.
    #[serde(rename = "list")]
    List,
}

/// A record of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
    pub added_ms: i64,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    pub of: Option<String>,
    /// The sync that last changed it.
    pub seq: i64,
    /// The server's time when that sync began, in milliseconds since 1970: it was seen to say this then.
    pub seen_at_ms: i64,
    /// When it was read, in milliseconds since 1970.
    pub read_at_ms: i64,
    /// The digest of what it says.
    pub digest: Vec<u8>,
    /// The record, as the server sent it: one line of JSON.
    pub body: String,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotLine {
    /// A record as it is.
    Put(SnapshotRecord),
    /// A record that no longer exists.
    Del {
        /// When it was added, in milliseconds since 1970; the minimum if that is unknown.
        added_ms: i64,
        /// Its id.
        id: String,
        /// The contact that it belonged to.
        of: Option<String>,
        /// The sync that saw it.
        seq: i64,
        /// The server's time when that sync began, in milliseconds since 1970.
        seen_at_ms: i64,
        /// Why it counts as deleted.
        why: DeletionReason,
    },
}

/// A line as JSON. The order of the members is part of what people see.
#[derive(Serialize, Deserialize)]
struct JsonLine<'a> {
    op: LineOp,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    of: Option<Cow<'a, str>>,
    seq: i64,
    added_ms: Option<i64>,
    seen_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<DeletionReason>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    body: Option<&'a RawValue>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LineOp {
    Put,
    Del,
}

/// A time that the format can hold.
fn time_of(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl SnapshotLine {
    /// The place in the order of a file.
    #[must_use]
    pub fn sort_key(&self) -> (i64, &str) {
        match self {
            Self::Put(record) => (record.added_ms, &record.id),
            Self::Del { added_ms, id, .. } => (*added_ms, id),
        }
    }

    /// The id of the record.
    #[must_use]
    pub fn id(&self) -> &str {
        self.sort_key().1
    }

    /// The contact that the record belongs to.
    #[must_use]
    pub fn of(&self) -> Option<&str> {
        match self {
            Self::Put(record) => record.of.as_deref(),
            Self::Del { of, .. } => of.as_deref(),
        }
    }

    /// Appends the line to a buffer.
    pub(super) fn write_to(&self, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let added = |ms: i64| Some(ms).filter(|ms| *ms != UNDATED);
        let line = match self {
            Self::Put(record) => {
                // A line break between the tokens of a body would end the line.
                let body = if record.body.contains(['\n', '\r']) {
                    Cow::from(record.body.replace(['\n', '\r'], " "))
                } else {
                    Cow::from(&record.body)
                };
                let body: Box<RawValue> = RawValue::from_string(body.into_owned())?;
                let digest = base16ct::lower::encode_string(&record.digest);
                let line = JsonLine {
                    op: LineOp::Put,
                    id: Cow::from(&record.id),
                    of: record.of.as_deref().map(Cow::from),
                    seq: record.seq,
                    added_ms: added(record.added_ms),
                    seen_at: time_of(record.seen_at_ms),
                    read_at: Some(time_of(record.read_at_ms)),
                    digest: Some(Cow::from(digest)),
                    why: None,
                    body: Some(&body),
                };
                return write_json(&line, buffer);
            }
            Self::Del { added_ms, id, of, seq, seen_at_ms, why } => JsonLine {
                op: LineOp::Del,
                id: Cow::from(id),
                of: of.as_deref().map(Cow::from),
                seq: *seq,
                added_ms: added(*added_ms),
                seen_at: time_of(*seen_at_ms),
                read_at: None,
                digest: None,
                why: Some(*why),
                body: None,
            },
        };
        write_json(&line, buffer)
    }

    /// Reads a line without its end.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let line: JsonLine = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let added_ms = line.added_ms.unwrap_or(UNDATED);
        let (id, of) = (line.id.into_owned(), line.of.map(Cow::into_owned));
        let (seq, seen_at_ms) = (line.seq, line.seen_at.as_millisecond());
        match (line.op, line.body, line.digest, line.read_at) {
            (LineOp::Put, Some(body), Some(digest), Some(read_at)) => {
                let digest = base16ct::lower::decode_vec(digest.as_bytes());
                Ok(Self::Put(SnapshotRecord {
                    added_ms,
                    id,
                    of,
                    seq,
                    seen_at_ms,
                    read_at_ms: read_at.as_millisecond(),
                    digest: digest.map_err(|_| "its digest is not hexadecimal".to_owned())?,
                    body: body.get().to_owned(),
                }))
            }
            (LineOp::Del, None, None, None) => {
                let why = line.why.ok_or("a deletion has no reason")?;
                Ok(Self::Del { added_ms, id, of, seq, seen_at_ms, why })
            }
            _ => Err("a line lacks a part".to_owned()),
        }
    }
}

fn write_json(line: &JsonLine, buffer: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *buffer, line)?;
    buffer.push(b'\n');
    Ok(())
}
