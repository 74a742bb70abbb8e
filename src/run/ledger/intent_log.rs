//! The intent log: a second durable copy of a run's intents, in a file beside the database.
//!
//! If the end of the write-ahead log is damaged or missing, SQLite goes back to an earlier commit without a word, and
//! the ledger no longer knows what was sent. So every group of intents is also appended here and synced, after its
//! transaction and before anything is sent; the database stores how many groups there were. A log with more of them
//! than the database proves that the database has lost its end, and has what is missing.
//!
//! A line is a group: a checksum that covers all groups up to it, and the intents as JSON.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::error::RunError;
use super::AttemptRecord;
use crate::text::encode_hex;

/// The longest line that is read: a group has at most some thousand intents of a few hundred bytes.
const MAX_LINE: u64 = 64 << 20;

/// An intent as the log stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoggedIntent {
    pub(super) op: u64,
    pub(super) attempt: u64,
    pub(super) at_ms: i64,
    pub(super) line: String,
    pub(super) body_sum: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
}

impl LoggedIntent {
    pub(super) fn from_attempt(attempt: &AttemptRecord) -> Self {
        Self {
            op: attempt.op,
            attempt: attempt.id,
            at_ms: attempt.at_ms,
            line: attempt.line.clone(),
            body_sum: attempt.body_sum.clone(),
            reference: attempt.reference.clone(),
        }
    }

    pub(super) fn into_attempt(self) -> AttemptRecord {
        AttemptRecord {
            id: self.attempt,
            op: self.op,
            at_ms: self.at_ms,
            line: self.line,
            body_sum: self.body_sum,
            reference: self.reference,
            outcome: None,
        }
    }
}

/// How many groups there are, and the checksum of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LogPosition {
    pub(super) groups: u64,
    /// Lower-case hex; empty before the first group.
    pub(super) sum: String,
}

impl LogPosition {
    /// The position after one more group.
    fn after_group(&self, json: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.sum.as_bytes());
        hash.update(json.as_bytes());
        Self { groups: self.groups + 1, sum: encode_hex(&hash.finalize()[..16]) }
    }
}

/// A group of intents that is to be appended, and the position after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IntentGroup {
    pub(super) end: LogPosition,
    pub(super) json: String,
}

impl IntentGroup {
    pub(super) fn new(begin: &LogPosition, intents: &[LoggedIntent]) -> Self {
        let json = serde_json::to_string(intents).expect("texts and numbers are JSON");
        Self::from_json(begin, json)
    }

    pub(super) fn from_json(begin: &LogPosition, json: String) -> Self {
        Self { end: begin.after_group(&json), json }
    }
}

/// What is in a log.
#[derive(Debug, Default)]
pub(super) struct LogContent {
    /// The position after each valid group.
    pub(super) end: LogPosition,
    /// The position at the group that was asked for, if the log has as many.
    pub(super) at_mark: Option<LogPosition>,
    /// The intents after that group.
    pub(super) later: Vec<LoggedIntent>,
    /// How long the valid part is, in bytes.
    valid_bytes: u64,
    /// Whether there is something after the valid part.
    pub(super) has_invalid_end: bool,
}

/// Reads a log up to the first invalid line. A missing log is empty.
pub(super) fn read_log(path: &Path, mark: u64) -> Result<LogContent, RunError> {
    let fail = |source| RunError::from_io(path, source);
    let at_mark = (mark == 0).then(LogPosition::default);
    let mut content = LogContent { at_mark, ..LogContent::default() };
    let mut file = match File::open(path) {
        Ok(file) => BufReader::new(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(content),
        Err(source) => return Err(fail(source)),
    };
    loop {
        let mut line = Vec::new();
        let mut bounded = std::io::Read::take(&mut file, MAX_LINE);
        let read = bounded.read_until(b'\n', &mut line).map_err(fail)?;
        if read == 0 {
            return Ok(content);
        }
        let line = parse_line(&content.end, &line);
        // Those before the mark are in the database.
        let intents = line.as_ref().filter(|(end, _)| end.groups > mark);
        let intents = intents.map(|(_, json)| serde_json::from_str::<Vec<LoggedIntent>>(json));
        let (Some((end, _)), Ok(intents)) = (line, intents.transpose()) else {
            content.has_invalid_end = true;
            return Ok(content);
        };
        content.valid_bytes += read as u64;
        if let Some(intents) = intents {
            content.later.extend(intents);
        } else if end.groups == mark {
            content.at_mark = Some(end.clone());
        }
        content.end = end;
    }
}

/// The position after a line, and its intents as JSON; `None` if it is not what was written.
fn parse_line<'l>(begin: &LogPosition, line: &'l [u8]) -> Option<(LogPosition, &'l str)> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (sum, json) = line.split_once(' ')?;
    let end = begin.after_group(json);
    (end.sum == sum).then_some((end, json))
}

/// A log that is open for appending.
#[derive(Debug)]
pub(super) struct IntentLog {
    path: PathBuf,
    file: File,
    end: LogPosition,
}

impl IntentLog {
    /// Opens a log after the valid part of its content; creates it if necessary.
    pub(super) fn open(path: &Path, content: &LogContent) -> Result<Self, RunError> {
        let fail = |source| RunError::from_io(path, source);
        let mut options = OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let open = options.create(true).truncate(false).read(true).write(true).open(path);
        let mut file = open.map_err(fail)?;
        file.set_len(content.valid_bytes).map_err(fail)?;
        file.seek(SeekFrom::End(0)).map_err(fail)?;
        Ok(Self { path: path.to_owned(), file, end: content.end.clone() })
    }

    /// The group that these intents will be.
    pub(super) fn next_group(&self, intents: &[LoggedIntent]) -> IntentGroup {
        IntentGroup::new(&self.end, intents)
    }

    /// Appends a group. Returns when it is on disk.
    pub(super) fn append(&mut self, group: &IntentGroup) -> Result<(), RunError> {
        let line = format!("{} {}\n", group.end.sum, group.json);
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| RunError::from_io(&self.path, source))?;
        self.end = group.end.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intents(ops: std::ops::Range<u64>) -> Vec<LoggedIntent> {
        let intent = |op| LoggedIntent {
            op,
            attempt: 1,
            at_ms: 1_700_000_000_000,
            line: "POST /contacts/c/notes".to_owned(),
            body_sum: "00".repeat(32),
            reference: Some(r#"{"equal":0}"#.to_owned()),
        };
        ops.map(intent).collect()
    }

    /// Three groups of two intents.
    fn written(path: &Path) -> Vec<u8> {
        let mut log = IntentLog::open(path, &LogContent::default()).unwrap();
        for n in 0..3 {
            log.append(&log.next_group(&intents(n * 2..n * 2 + 2))).unwrap();
        }
        std::fs::read(path).unwrap()
    }

    #[test]
    fn what_is_appended_is_read_back_from_any_group_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        written(&path);
        for mark in 0..=3 {
            let content = read_log(&path, mark).unwrap();
            assert_eq!(content.later, intents(mark * 2..6));
            assert_eq!(content.at_mark.map(|it| it.groups), Some(mark));
        }
        assert_eq!(read_log(&path, 4).unwrap().at_mark, None);
    }

    #[test]
    fn a_damaged_line_ends_the_log_and_a_cut_one_is_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let whole = written(&path);
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            std::fs::write(&path, bytes).unwrap();
            let content = read_log(&path, 0).unwrap();
            assert!(content.has_invalid_end && content.end.groups < 3, "byte {place}");
        }
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let content = read_log(&path, 0).unwrap();
            let complete = content.end.groups;
            assert!(complete < 3);
            let mut log = IntentLog::open(&path, &content).unwrap();
            log.append(&log.next_group(&intents(8..9))).unwrap();
            let again = read_log(&path, complete).unwrap();
            assert_eq!((again.later, again.has_invalid_end), (intents(8..9), false));
        }
    }
}
