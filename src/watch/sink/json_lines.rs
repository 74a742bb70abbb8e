//! Events as lines of a file or of a stream.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::Path;

use super::SinkError;
use crate::mirror::NewEvent;

/// How every event begins, by which the rest of one is recognised.
const EVENT_START: &[u8] = b"{\"id\":\"evt_";
/// The longest line of which a rest is looked for, in bytes.
const LONGEST_REST: u64 = 64 << 20;

/// Lines, one per event.
pub struct JsonLinesSink {
    pub(super) name: String,
    pub(super) label: String,
    output: LineOutput,
}

enum LineOutput {
    Stream(Box<dyn Write + Send>),
    File(File),
}

impl JsonLinesSink {
    /// Opens the file, which is created with access for its owner alone. The rest of a line that was cut off in a kill is
    /// removed: its event comes again.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = open_file(path)?;
        let path = std::fs::canonicalize(path)?;
        let name = format!("jsonl:{}", path.display());
        let output = LineOutput::File(file);
        Ok(Self { name, label: format!("`{}`", path.display()), output })
    }

    /// Lines of standard output.
    #[must_use]
    pub fn to_stdout(stdout: Box<dyn Write + Send>) -> Self {
        let (name, label) = ("jsonl:-".to_owned(), "standard output".to_owned());
        Self { name, label, output: LineOutput::Stream(stdout) }
    }

    pub(super) fn write_lines(&mut self, events: &[&NewEvent]) -> Result<(), SinkError> {
        let lines: String = events.iter().flat_map(|event| [event.body.as_str(), "\n"]).collect();
        let lines = lines.as_bytes();
        let written = match &mut self.output {
            LineOutput::Stream(stream) => stream.write_all(lines).and_then(|()| stream.flush()),
            // The outbox forgets the events next, so they must be on disk.
            LineOutput::File(file) => file.write_all(lines).and_then(|()| sync_file(file)),
        };
        written.map_err(|error| {
            if let LineOutput::File(file) = &mut self.output {
                // What was written of the line must not stay in front of the next attempt.
                let _ = remove_rest(file);
            }
            match error.kind() {
                io::ErrorKind::BrokenPipe => SinkError::Gone("it was closed".to_owned()),
                _ => SinkError::failed(error.to_string()),
            }
        })
    }
}

impl std::fmt::Debug for JsonLinesSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JsonLinesSink").field("name", &self.name).finish_non_exhaustive()
    }
}

fn sync_file(file: &File) -> io::Result<()> {
    match file.sync_data() {
        // A pipe or a device cannot be synced.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    remove_rest(&mut file)?;
    Ok(file)
}

/// Removes the beginning of an event behind the last line; ends any other text with a line break.
fn remove_rest(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    // A pipe or a device has no length and no rest.
    if length == 0 || !file.metadata()?.is_file() {
        return Ok(());
    }
    let start = length.saturating_sub(LONGEST_REST);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    let rest = end.iter().rposition(|byte| *byte == b'\n').map_or(&end[..], |at| &end[at + 1..]);
    if rest.is_empty() {
        return Ok(());
    }
    if rest.starts_with(EVENT_START) || EVENT_START.starts_with(rest) {
        return file.set_len(length - rest.len() as u64);
    }
    file.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> NewEvent {
        NewEvent { id: "evt_1".to_owned(), record: "a".to_owned(), body: text.to_owned() }
    }

    #[track_caller]
    fn check(before: &str, after: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("events.jsonl");
        std::fs::write(&path, before).unwrap();
        let mut sink = JsonLinesSink::open(&path).unwrap();
        sink.write_lines(&[&event("{}")]).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
    }

    #[test]
    fn the_rest_of_an_event_is_removed_and_other_text_is_kept() {
        check("", "{}\n");
        check("{\"id\":\"evt_0\"}\n", "{\"id\":\"evt_0\"}\n{}\n");
        check("{\"id\":\"evt_0\"}\n{\"id\":\"evt_1\",\"da", "{\"id\":\"evt_0\"}\n{}\n");
        check("a\n{\"i", "a\n{}\n");
        check("a\nother text", "a\nother text\n{}\n");
    }
}
