//! Sorting in bounded memory.
//!
//! Rows that arrive almost in order (contacts, by the order of the walk) pass through a buffer and
//! leave it at once. Rows that arrive in another order (notes, by contact) are sorted in lots; a lot
//! that does not fit is put into a temporary file, and the lots are merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};

use crate::resource::Key;

/// Rows kept in memory, in bytes.
const LOT: usize = 4 << 20;
/// Spilled lots that are merged into one.
const TOGETHER: usize = 24;
/// The window of a spilled lot's compression, as a power of two: every lot that is merged holds one in
/// memory.
const WINDOW: u32 = 15;
/// What is read of a spilled lot at a time, in bytes.
const CHUNK: usize = 16 << 10;

/// A row on its way: its key, the entry it came in, and its text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) seq: i64,
    pub(super) text: Box<str>,
}

impl Row {
    fn size(&self) -> usize {
        self.text.len() + self.key.id.len() + size_of::<Self>()
    }
}

/// Rows of one table, gathered.
#[derive(Debug, Default)]
pub(super) struct Sorter {
    lot: Vec<Row>,
    bytes: usize,
    /// Sorted lots on disk: those of a level are merged into one of the next when they are many, so that
    /// the last merge has few to hold in memory however many rows there are.
    spilled: Vec<Vec<File>>,
    /// The key of the last row that left early.
    left: Option<Key>,
}

impl Sorter {
    /// Takes a row.
    pub(super) fn push(&mut self, row: Row) {
        self.bytes += row.size();
        self.lot.push(row);
    }

    /// Whether the buffer is full: call [`Self::spill`] or [`Self::early`] then.
    pub(super) fn full(&self) -> bool {
        self.bytes >= LOT
    }

    /// Puts the buffer into a temporary file, sorted.
    pub(super) fn spill(&mut self, temporary: impl Fn() -> io::Result<File>) -> io::Result<()> {
        let lot = self.sorted_lot();
        let mut file = write(temporary()?, lot.into_iter().map(Ok))?;
        for level in 0.. {
            if self.spilled.len() == level {
                self.spilled.push(Vec::new());
            }
            self.spilled[level].push(file);
            if self.spilled[level].len() < TOGETHER {
                break;
            }
            let lots = std::mem::take(&mut self.spilled[level]);
            file = write(temporary()?, Merged::new(Vec::new(), lots)?)?;
        }
        Ok(())
    }

    /// Takes the older half of the buffer out, in order. Nothing when a row came too late for that: it
    /// belongs before one that has left.
    pub(super) fn early(&mut self) -> Option<Vec<Row>> {
        let mut lot = self.sorted_lot();
        if lot.first().is_some_and(|row| self.left.as_ref().is_some_and(|left| row.key <= *left)) {
            self.lot = lot;
            return None;
        }
        let later = lot.split_off(lot.len() / 2);
        self.bytes = later.iter().map(Row::size).sum();
        self.lot = later;
        // The last of a key must stay with the others of it.
        let next = self.lot.first().map(|row| row.key.clone());
        while lot.last().map(|row| &row.key) == next.as_ref() && next.is_some() {
            let row = lot.pop().expect("its key was just looked at");
            self.bytes += row.size();
            self.lot.insert(0, row);
        }
        if let Some(last) = lot.last() {
            self.left = Some(last.key.clone());
        }
        unique(&mut lot);
        Some(lot)
    }

    fn sorted_lot(&mut self) -> Vec<Row> {
        self.bytes = 0;
        let mut lot = std::mem::take(&mut self.lot);
        lot.sort_unstable();
        unique(&mut lot);
        lot
    }

    /// All rows that are left, in order, each key once.
    pub(super) fn finish(mut self) -> io::Result<Merged> {
        let lot = self.sorted_lot();
        Merged::new(lot, self.spilled.into_iter().flatten())
    }

    /// Whether a row may have come that belongs before one that has left. Ask before [`Self::finish`].
    pub(super) fn late(&mut self) -> bool {
        let least = self.lot.iter().map(|row| &row.key).min();
        matches!((least, &self.left), (Some(least), Some(left)) if least <= left)
    }
}

/// Of rows with the same key the last sent stays.
fn unique(lot: &mut Vec<Row>) {
    lot.dedup_by(|later, kept| {
        let same = later.key == kept.key;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
}

enum Lot {
    Memory(std::vec::IntoIter<Row>),
    File(zstd::Decoder<'static, BufReader<File>>),
}

impl Lot {
    fn next(&mut self) -> io::Result<Option<Row>> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::File(file) => read(file),
        }
    }
}

fn write(file: File, rows: impl IntoIterator<Item = io::Result<Row>>) -> io::Result<File> {
    let mut writer = zstd::Encoder::new(file, 1)?;
    writer.window_log(WINDOW)?;
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

fn read(file: &mut impl Read) -> io::Result<Option<Row>> {
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
    Ok(Some(Row { key: Key { added, id }, seq, text }))
}

/// Sorted lots, as one.
pub(super) struct Merged {
    heads: BinaryHeap<Reverse<(Row, usize)>>,
    sources: Vec<Lot>,
}

impl Merged {
    fn new(lot: Vec<Row>, files: impl IntoIterator<Item = File>) -> io::Result<Self> {
        let mut merged =
            Self { heads: BinaryHeap::new(), sources: vec![Lot::Memory(lot.into_iter())] };
        for file in files {
            let file = BufReader::with_capacity(CHUNK, file);
            merged.sources.push(Lot::File(zstd::Decoder::with_buffer(file)?));
        }
        for source in 0..merged.sources.len() {
            merged.refill(source)?;
        }
        Ok(merged)
    }

    fn refill(&mut self, source: usize) -> io::Result<()> {
        if let Some(row) = self.sources[source].next()? {
            self.heads.push(Reverse((row, source)));
        }
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Option<Row>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let source = head.0.1;
        match self.sources[source].next()? {
            Some(next) => Ok(Some(std::mem::replace(&mut head.0.0, next))),
            None => Ok(Some(PeekMut::pop(head).0.0)),
        }
    }

    fn last_of_key(&mut self) -> io::Result<Option<Row>> {
        let Some(mut row) = self.pop()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|head| head.0.0.key == row.key) {
            row = self.pop()?.expect("it was just there");
        }
        Ok(Some(row))
    }
}

impl Iterator for Merged {
    type Item = io::Result<Row>;
    fn next(&mut self) -> Option<Self::Item> {
        self.last_of_key().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(added: i64, id: &str, seq: i64) -> Row {
        Row { key: Key { added, id: id.to_owned() }, seq, text: format!("{added}{id}{seq}").into() }
    }

    fn drain(merged: Merged) -> Vec<String> {
        merged.map(|row| row.unwrap().text.into_string()).collect()
    }

    #[test]
    fn spilled_lots_merge_in_order_and_the_last_of_a_key_wins() {
        let mut sorter = Sorter::default();
        for (n, (added, id)) in
            [(3, "a"), (1, "b"), (2, "x"), (1, "a"), (3, "a"), (2, "x")].into_iter().enumerate()
        {
            sorter.push(row(added, id, i64::try_from(n).unwrap()));
            if n % 2 == 1 {
                sorter.spill(tempfile::tempfile).unwrap();
            }
        }
        assert_eq!(drain(sorter.finish().unwrap()), ["1a3", "1b1", "2x5", "3a4"]);
    }

    #[test]
    fn many_lots_are_merged_level_by_level() {
        let mut sorter = Sorter::default();
        let count = i64::try_from(TOGETHER * TOGETHER).unwrap() + 5;
        for n in 0..count {
            sorter.push(row((n * 7919) % count, "a", n));
            sorter.spill(tempfile::tempfile).unwrap();
        }
        assert!(sorter.spilled.iter().map(Vec::len).sum::<usize>() < 2 * TOGETHER);
        let dates: Vec<_> = sorter.finish().unwrap().map(|row| row.unwrap().key.added).collect();
        assert_eq!(dates, (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn what_leaves_early_is_in_order_and_a_latecomer_is_noticed() {
        let mut sorter = Sorter::default();
        for (n, added) in [1, 3, 2, 4].into_iter().enumerate() {
            sorter.push(row(added, "a", i64::try_from(n).unwrap()));
        }
        let early: Vec<_> = sorter.early().unwrap().into_iter().map(|row| row.key.added).collect();
        assert_eq!(early, [1, 2]);
        assert!(!sorter.late());
        sorter.push(row(2, "a", 9));
        assert!(sorter.late());
        assert!(sorter.early().is_none());
    }
}
