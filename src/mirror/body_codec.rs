//! How bodies are stored: as zstd frames with a checksum, compressed with a dictionary of their kind once there is one.
//!
//! A frame names its dictionary, or has none: bodies from before stay as they are. A dictionary is never changed or
//! removed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::body_dictionary;
use super::error::MirrorError;
use super::record::RecordKind;
use crate::run::{self, RunError};

/// The table of dictionaries; part of the mirror's schema, and added to a mirror from before it.
macro_rules! dictionary_schema {
    () => {
        "CREATE TABLE IF NOT EXISTS dictionary (
    id INTEGER PRIMARY KEY, kind INTEGER NOT NULL UNIQUE, content BLOB NOT NULL, sum BLOB NOT NULL
);
"
    };
}
pub(super) use dictionary_schema;

/// The zstd level of bodies.
const LEVEL: i32 = 3;
/// Most memory that is taken for a body because its frame says so; larger ones take it as they are read.
const TRUSTED_BYTES: u64 = 16 << 20;

/// Compresses bodies.
pub(super) struct BodyEncoder {
    /// The dictionaries of the kinds that have one.
    dictionaries: HashMap<RecordKind, Arc<[u8]>>,
    /// One for each kind that was met.
    compressors: HashMap<RecordKind, Compressor<'static>>,
}

impl std::fmt::Debug for BodyEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyEncoder")
            .field("kinds", &self.dictionaries.keys())
            .finish_non_exhaustive()
    }
}

impl BodyEncoder {
    /// An encoder with the dictionaries of a mirror.
    pub(super) fn load(path: &Path, connection: &Connection) -> Result<Self, MirrorError> {
        let fail = |source| RunError::from_sqlite(path, source);
        let read = || {
            let mut query = connection.prepare("SELECT id, kind, content, sum FROM dictionary")?;
            let rows = query.query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?, row.get::<_, Vec<u8>>(3)?))
            })?;
            rows.collect::<rusqlite::Result<Vec<(i64, i64, _, _)>>>()
        };
        let mut dictionaries = HashMap::new();
        for (id, kind, content, sum) in read().map_err(fail)? {
            verify_dictionary(path, (id, kind), &content, &sum)?;
            dictionaries.extend(RecordKind::from_code(kind).map(|kind| (kind, content.into())));
        }
        Ok(Self { dictionaries, compressors: HashMap::new() })
    }

    /// Makes a dictionary for a kind that has none, if these bodies are enough for one, and writes it into the mirror.
    pub(super) fn add_dictionary<'b>(
        &mut self,
        path: &Path,
        connection: &Connection,
        kind: RecordKind,
        bodies: impl Iterator<Item = &'b str>,
    ) -> Result<(), RunError> {
        if self.dictionaries.contains_key(&kind) {
            return Ok(());
        }
        let Some(content) = body_dictionary::train_dictionary(bodies) else { return Ok(()) };
        let Some(id) = zstd_safe::get_dict_id_from_dict(&content) else { return Ok(()) };
        let (id, code) = (i64::from(id.get()), kind.code());
        let sum = dictionary_checksum(id, code, &content);
        connection
            .execute("INSERT INTO dictionary VALUES (?, ?, ?, ?)", params![id, code, content, sum])
            .map_err(|source| RunError::from_sqlite(path, source))?;
        self.dictionaries.insert(kind, content.into());
        self.compressors.remove(&kind);
        Ok(())
    }

    /// An encoder with the same dictionaries, for another thread.
    pub(super) fn copy_for_thread(&self) -> Self {
        Self { dictionaries: self.dictionaries.clone(), compressors: HashMap::new() }
    }

    /// Compresses a body.
    pub(super) fn encode(
        &mut self,
        path: &Path,
        kind: RecordKind,
        body: &str,
    ) -> Result<Vec<u8>, RunError> {
        let fail = |source| RunError::from_io(path, source);
        if !self.compressors.contains_key(&kind) {
            let dictionary = self.dictionaries.get(&kind).map(|it| &**it).unwrap_or_default();
            self.compressors.insert(kind, new_compressor(dictionary).map_err(fail)?);
        }
        let compressor = self.compressors.get_mut(&kind).expect("it was just added");
        compressor.compress(body.as_bytes()).map_err(fail)
    }
}

fn new_compressor(dictionary: &[u8]) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_dictionary(LEVEL, dictionary)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}

fn dictionary_checksum(id: i64, kind: i64, content: &[u8]) -> [u8; 8] {
    run::checksum(&[&id.to_le_bytes(), &kind.to_le_bytes(), content])
}

fn verify_dictionary(
    path: &Path,
    (id, kind): (i64, i64),
    content: &[u8],
    sum: &[u8],
) -> Result<(), MirrorError> {
    if dictionary_checksum(id, kind, content) == *sum {
        return Ok(());
    }
    let why = format!("the checksum of dictionary {id} is wrong");
    Err(MirrorError::Damaged { path: path.to_owned(), why })
}

/// Decompresses bodies, and loads the dictionaries that they name.
#[derive(Default)]
pub(super) struct BodyDecoder {
    /// By the number of the dictionary; 0 is none.
    decompressors: HashMap<u32, Decompressor<'static>>,
}

impl std::fmt::Debug for BodyDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyDecoder").field("dictionaries", &self.decompressors.keys()).finish()
    }
}

impl BodyDecoder {
    /// Decompresses a body; `name` is the record's, for messages.
    pub(super) fn decode(
        &mut self,
        (path, connection): (&Path, &Connection),
        name: impl Fn() -> String,
        frame: &[u8],
    ) -> Result<String, MirrorError> {
        let damaged = |why: &dyn std::fmt::Display| MirrorError::Damaged {
            path: path.to_owned(),
            why: format!("{}: {why}", name()),
        };
        let id = zstd_safe::get_dict_id_from_frame(frame).map_or(0, std::num::NonZero::get);
        let decompressor = match self.decompressors.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let dictionary = load_dictionary(path, connection, id)?;
                let dictionary =
                    dictionary.ok_or_else(|| damaged(&format!("there is no dictionary {id}")))?;
                let made = Decompressor::with_dictionary(&dictionary);
                place.insert(made.map_err(|error| damaged(&error))?)
            }
        };
        let size = zstd_safe::get_frame_content_size(frame).ok().flatten();
        let body = if let Some(size) = size.filter(|size| *size <= TRUSTED_BYTES) {
            decompressor.decompress(frame, usize::try_from(size).unwrap_or(0))
        } else {
            let dictionary = load_dictionary(path, connection, id)?.unwrap_or_default();
            decode_large(frame, &dictionary)
        };
        let body = body.map_err(|error| damaged(&error))?;
        String::from_utf8(body).map_err(|error| damaged(&error))
    }
}

fn decode_large(frame: &[u8], dictionary: &[u8]) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut decoder = zstd::stream::read::Decoder::with_dictionary(frame, dictionary)?;
    io::Read::read_to_end(&mut decoder, &mut body)?;
    Ok(body)
}

/// The dictionary with a number; an empty one has the number 0.
fn load_dictionary(
    path: &Path,
    connection: &Connection,
    id: u32,
) -> Result<Option<Vec<u8>>, MirrorError> {
    if id == 0 {
        return Ok(Some(Vec::new()));
    }
    let read = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?))
    };
    let found: Option<(i64, _, _)> = connection
        .query_row("SELECT kind, content, sum FROM dictionary WHERE id = ?", [id], read)
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    let Some((kind, content, sum)) = found else { return Ok(None) };
    verify_dictionary(path, (i64::from(id), kind), &content, &sum)?;
    Ok(Some(content))
}
