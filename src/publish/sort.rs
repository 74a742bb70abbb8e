//! Sorting in bounded memory.
//!
//! Rows that arrive nearly in order (contacts, in the order of the walk) pass through a buffer and
//! leave it early. Rows that arrive in another order (notes, by contact) are sorted in chunks; a
//! chunk that exceeds the memory limit is spilled to a temporary file, and the chunks are merged at
//! the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use crate::resource::RowSortKey;

/// Most bytes of rows in memory.
const BUFFER_BYTES: usize = 4 << 20;
/// How many spilled chunks are merged into one.
const CHUNKS_PER_MERGE: usize = 24;
/// The compression window of a spilled chunk, as a power of two: each chunk in a merge keeps one in
/// memory.
const WINDOW_LOG: u32 = 15;
/// How many bytes of a spilled chunk are read at a time.
const READ_BYTES: usize = 16 << 10;

/// A row to be sorted: its key, the entry it came in, and its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortableRow {
    /// Its key.
    pub key: RowSortKey,
    /// The entry that it came in.
    pub seq: i64,
    /// Its text.
    pub text: Box<str>,
}

impl SortableRow {
    fn memory_size(&self) -> usize {
        self.text.len() + self.key.id.len() + size_of::<Self>()
    }
}

/// Sorts the rows of one table.
#[derive(Debug, Default)]
pub(super) struct ExternalSorter {
    buffer: Vec<SortableRow>,
    bytes: usize,
    /// Sorted chunks on disk, by level. When a level is full, its chunks are merged into one of the
    /// next level, so that the last merge keeps few of them in memory for any number of rows.
    spilled: Vec<Vec<File>>,
    /// The key of the last row that left early.
    last_drained: Option<RowSortKey>,
}

impl ExternalSorter {
    /// Adds a row.
    pub(super) fn push(&mut self, row: SortableRow) {
        self.bytes += row.memory_size();
        self.buffer.push(row);
    }

    /// Whether the buffer is full; then call [`Self::spill_buffer`] or [`Self::drain_older_half`].
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= BUFFER_BYTES
    }

    /// Sorts the buffer and writes it to a temporary file.
    pub(super) fn spill_buffer(
        &mut self,
        temporary: impl Fn() -> io::Result<File>,
    ) -> io::Result<()> {
        let buffer = self.take_sorted_buffer();
        let mut file = write_chunk(temporary()?, buffer.into_iter().map(Ok))?;
        for level in 0.. {
            if self.spilled.len() == level {
                self.spilled.push(Vec::new());
            }
            self.spilled[level].push(file);
            if self.spilled[level].len() < CHUNKS_PER_MERGE {
                break;
            }
            let lots = std::mem::take(&mut self.spilled[level]);
            file = write_chunk(temporary()?, MergedRows::new(Vec::new(), lots)?)?;
        }
        Ok(())
    }

    /// Removes the older half of the buffer, in order. `None` when a row came too late: it belongs
    /// before one that has already left.
    pub(super) fn drain_older_half(&mut self) -> Option<Vec<SortableRow>> {
        let mut buffer = self.take_sorted_buffer();
        if buffer.first().is_some_and(|row| {
            self.last_drained.as_ref().is_some_and(|last_drained| row.key <= *last_drained)
        }) {
            self.buffer = buffer;
            return None;
        }
        let later = buffer.split_off(buffer.len() / 2);
        self.bytes = later.iter().map(SortableRow::memory_size).sum();
        self.buffer = later;
        // The last row of a key must stay with the others of that key.
        let next = self.buffer.first().map(|row| row.key.clone());
        while buffer.last().map(|row| &row.key) == next.as_ref() && next.is_some() {
            let row = buffer.pop().expect("its key was just looked at");
            self.bytes += row.memory_size();
            self.buffer.insert(0, row);
        }
        if let Some(last) = buffer.last() {
            self.last_drained = Some(last.key.clone());
        }
        dedup_keep_last(&mut buffer);
        Some(buffer)
    }

    fn take_sorted_buffer(&mut self) -> Vec<SortableRow> {
        self.bytes = 0;
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.sort_unstable();
        dedup_keep_last(&mut buffer);
        buffer
    }

    /// The remaining rows, in order, each key once.
    pub(super) fn finish(mut self) -> io::Result<MergedRows> {
        let buffer = self.take_sorted_buffer();
        MergedRows::new(buffer, self.spilled.into_iter().flatten())
    }

    /// Whether a row came that belongs before one that has already left. Call it before
    /// [`Self::finish`].
    pub(super) fn has_late_row(&mut self) -> bool {
        let least = self.buffer.iter().map(|row| &row.key).min();
        matches!((least, &self.last_drained), (Some(least), Some(last_drained)) if least <= last_drained)
    }
}

/// Of rows with the same key, keeps the one sent last.
fn dedup_keep_last(buffer: &mut Vec<SortableRow>) {
    buffer.dedup_by(|later, earlier| {
        let same = later.key == earlier.key;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

enum SortedChunk {
    Memory(std::vec::IntoIter<SortableRow>),
    File(zstd::Decoder<'static, BufReader<File>>),
}

impl SortedChunk {
    fn next_row(&mut self) -> io::Result<Option<SortableRow>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::File(file) => read_row(file),
        }
    }
}

fn write_chunk(
    file: File,
    rows: impl IntoIterator<Item = io::Result<SortableRow>>,
) -> io::Result<File> {
    let mut writer = zstd::Encoder::new(file, 1)?;
    writer.window_log(WINDOW_LOG)?;
    for row in rows {
        let row = row?;
        writer.write_all(&row.key.added.to_le_bytes())?;
        writer.write_all(&row.seq.to_le_bytes())?;
        for text in [&*row.key.id, &*row.text] {
            writer.write_all(&(text.len() as u64).to_le_bytes())?;
            writer.write_all(text.as_bytes())?;
        }
    }
    let mut file = writer.finish()?;
    file.rewind()?;
    Ok(file)
}

fn read_row(file: &mut impl Read) -> io::Result<Option<SortableRow>> {
    let mut number = [0; 8];
    match file.read_exact(&mut number) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let added = i64::from_le_bytes(number);
    file.read_exact(&mut number)?;
    let seq = i64::from_le_bytes(number);
    let mut text = || {
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
        let mut text = vec![0; length];
        file.read_exact(&mut text)?;
        String::from_utf8(text).map_err(io::Error::other)
    };
    let (id, text) = (text()?, text()?.into_boxed_str());
    Ok(Some(SortableRow { key: RowSortKey { added, id }, seq, text }))
}

/// Sorted chunks, merged.
pub(super) struct MergedRows {
    heads: BinaryHeap<Reverse<(SortableRow, usize)>>,
    sources: Vec<SortedChunk>,
}

impl MergedRows {
    fn new(buffer: Vec<SortableRow>, files: impl IntoIterator<Item = File>) -> io::Result<Self> {
        let mut merged = Self {
            heads: BinaryHeap::new(),
            sources: vec![SortedChunk::Memory(buffer.into_iter())],
        };
        for file in files {
            let file = BufReader::with_capacity(READ_BYTES, file);
            merged.sources.push(SortedChunk::File(zstd::Decoder::with_buffer(file)?));
        }
        for source in 0..merged.sources.len() {
            merged.refill_head(source)?;
        }
        Ok(merged)
    }

    fn refill_head(&mut self, source: usize) -> io::Result<()> {
        if let Some(row) = self.sources[source].next_row()? {
            self.heads.push(Reverse((row, source)));
        }
        Ok(())
    }

    fn pop_row(&mut self) -> io::Result<Option<SortableRow>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let source = head.0.1;
        match self.sources[source].next_row()? {
            Some(next) => Ok(Some(std::mem::replace(&mut head.0.0, next))),
            None => Ok(Some(PeekMut::pop(head).0.0)),
        }
    }

    fn pop_last_of_key(&mut self) -> io::Result<Option<SortableRow>> {
        let Some(mut row) = self.pop_row()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|head| head.0.0.key == row.key) {
            row = self.pop_row()?.expect("it was just there");
        }
        Ok(Some(row))
    }
}

impl Iterator for MergedRows {
    type Item = io::Result<SortableRow>;
    fn next(&mut self) -> Option<Self::Item> {
        self.pop_last_of_key().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(added: i64, id: &str, seq: i64) -> SortableRow {
        SortableRow {
            key: RowSortKey { added, id: id.to_owned() },
            seq,
            text: format!("{added}{id}{seq}").into(),
        }
    }

    fn drain(merged: MergedRows) -> Vec<String> {
        merged.map(|row| row.unwrap().text.into_string()).collect()
    }

    #[test]
    fn spilled_lots_merge_in_order_and_the_last_of_a_key_wins() {
        let mut sorter = ExternalSorter::default();
        for (n, (added, id)) in
            [(3, "a"), (1, "b"), (2, "x"), (1, "a"), (3, "a"), (2, "x")].into_iter().enumerate()
        {
            sorter.push(row(added, id, i64::try_from(n).unwrap()));
            if n % 2 == 1 {
                sorter.spill_buffer(tempfile::tempfile).unwrap();
            }
        }
        assert_eq!(drain(sorter.finish().unwrap()), ["1a3", "1b1", "2x5", "3a4"]);
    }

    #[test]
    fn many_lots_are_merged_level_by_level() {
        let mut sorter = ExternalSorter::default();
        let count = i64::try_from(CHUNKS_PER_MERGE * CHUNKS_PER_MERGE).unwrap() + 5;
        for n in 0..count {
            sorter.push(row((n * 7919) % count, "a", n));
            sorter.spill_buffer(tempfile::tempfile).unwrap();
        }
        assert!(sorter.spilled.iter().map(Vec::len).sum::<usize>() < 2 * CHUNKS_PER_MERGE);
        let dates: Vec<_> = sorter.finish().unwrap().map(|row| row.unwrap().key.added).collect();
        assert_eq!(dates, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn what_leaves_early_is_in_order_and_a_latecomer_is_noticed() {
        let mut sorter = ExternalSorter::default();
        for (n, added) in [1, 3, 2, 4].into_iter().enumerate() {
            sorter.push(row(added, "a", i64::try_from(n).unwrap()));
        }
        let early: Vec<_> =
            sorter.drain_older_half().unwrap().into_iter().map(|row| row.key.added).collect();
        assert_eq!(early, [1, 2]);
        assert!(!sorter.has_late_row());
        sorter.push(row(2, "a", 9));
        assert!(sorter.has_late_row());
        assert!(sorter.drain_older_half().is_none());
    }
}
