//! A lane: one table on its way from the spool into its files.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str;

use super::sort::{Row, Sorter};
use super::source::{self, Source};
use super::{Error, Options, unreadable};
use crate::event::Written;
use crate::resource::{self, Decoder, Fields, Keyed, Resource, Table};
use crate::run::{self, Entry, Failure, Packed, Reader};
use crate::table::{self, Format, Sink};

/// Rows handed to the files together.
const BATCH: usize = 2048;
/// Their raw text at most, in bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Rows that no table takes are named up to this many.
const NAMED: usize = 1000;

/// One table on its way.
pub(super) struct Lane {
    resource: &'static Resource,
    table: Table,
    keyed: Keyed,
    db: PathBuf,
    staging: PathBuf,
    options: Options,
    decoder: Decoder,
    files: Vec<File>,
    sorter: Sorter,
    /// Whether rows come almost in order, so that they need not wait for the last one.
    orderly: bool,
    /// Whether that turned out wrong: the table must be made anew, by sorting.
    disorder: bool,
    failures: Vec<Failure>,
}

struct File {
    format: &'static Format,
    name: String,
    sink: Box<dyn Sink>,
}

/// A finished table.
pub(super) struct Finished {
    pub(super) files: Vec<Written>,
    pub(super) failures: Vec<Failure>,
    pub(super) misfits: Vec<(String, u64)>,
}

impl Lane {
    pub(super) fn new(
        resource: &'static Resource,
        fields: &Fields,
        reader: &Reader,
        staging: &Path,
        options: &Options,
    ) -> Result<Self, Error> {
        let table = resource.table(fields);
        Self::begin(resource, table, reader.path(), staging, options, resource.name == "contacts")
    }

    fn begin(
        resource: &'static Resource,
        table: Table,
        db: &Path,
        staging: &Path,
        options: &Options,
        orderly: bool,
    ) -> Result<Self, Error> {
        let open = |format: &&'static Format| {
            let name = format!("{}.{}", table.name, format.extension);
            let sink = format.open(
                &staging.join(&name),
                table.schema(),
                &file_options(&table, options),
            )?;
            Ok::<_, Error>(File { format, name, sink })
        };
        Ok(Self {
            resource,
            decoder: Decoder::new(&table),
            keyed: Keyed::new(&table),
            db: db.to_owned(),
            files: options.formats.iter().map(open).collect::<Result<_, _>>()?,
            table,
            staging: staging.to_owned(),
            options: options.clone(),
            sorter: Sorter::default(),
            orderly,
            disorder: false,
            failures: Vec::new(),
        })
    }

    /// This lane and where its rows stand, if a stream's entries hold any.
    pub(super) fn wants(&mut self, stream: &str) -> Option<(&mut Self, Source)> {
        let source = source::of(stream)?;
        (source.table == self.table.name).then_some((self, source))
    }

    /// Takes the rows of an entry.
    pub(super) fn take(&mut self, entry: &Entry, source: Source) -> Result<(), Error> {
        if self.disorder {
            // It is made anew from the beginning later.
            return Ok(());
        }
        if source.packed {
            for (contact, answer) in Packed::new(entry.body.clone()) {
                let contact = str::from_utf8(&contact).unwrap_or_default();
                self.take_answer(entry.seq, source, &answer, Some(contact))?;
            }
            Ok(())
        } else {
            self.take_answer(entry.seq, source, &entry.body, None)
        }
    }

    fn take_answer(
        &mut self,
        seq: i64,
        source: Source,
        body: &[u8],
        contact: Option<&str>,
    ) -> Result<(), Error> {
        let answer = str::from_utf8(body).map_err(|error| {
            Error::Run(run::Error::Damaged {
                path: self.db.clone(),
                why: format!("entry {seq} is no answer: {error}"),
            })
        })?;
        for row in resource::rows(answer, source.key) {
            let child = contact.filter(|_| source.table != "contacts");
            let text = match child {
                Some(contact) => of_contact(row, contact),
                None => row.into(),
            };
            match self.keyed.key(&text) {
                Ok(key) => self.sort(Row { key, seq, text: text.into() })?,
                Err(error) => self.refuse(seq, &error),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, seq: i64, error: &resource::Error) {
        if self.failures.len() < NAMED {
            self.failures.push(unreadable(self.table.name, seq, error));
        }
    }

    fn sort(&mut self, row: Row) -> Result<(), Error> {
        self.sorter.push(row);
        if !self.sorter.full() {
            return Ok(());
        }
        if self.orderly {
            match self.sorter.early() {
                Some(rows) => rows.into_iter().try_for_each(|row| self.write(&row))?,
                None => self.disorder = true,
            }
            return Ok(());
        }
        let staging = &self.staging;
        self.sorter
            .spill(|| tempfile::tempfile_in(staging))
            .map_err(|source| Error::file(staging, source))
    }

    fn write(&mut self, row: &Row) -> Result<(), Error> {
        match self.decoder.push(&row.text) {
            Err(error @ resource::Error::NotARow { .. }) => self.refuse(row.seq, &error),
            Err(resource::Error::Full { .. }) => {
                self.flush()?;
                if let Err(error) = self.decoder.push(&row.text) {
                    self.refuse(row.seq, &error);
                }
            }
            Ok(()) => {}
        }
        if self.decoder.len() >= BATCH || self.decoder.bytes() >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        if self.decoder.is_empty() {
            return Ok(());
        }
        let batch = self.decoder.finish();
        for file in &mut self.files {
            file.sink.write(&batch)?;
        }
        Ok(())
    }

    /// Writes what is left and completes the files.
    pub(super) fn finish(mut self, reader: &Reader) -> Result<Finished, Error> {
        if self.disorder || (self.orderly && self.sorter.late()) {
            return self.anew(reader)?.finish(reader);
        }
        let staging = self.staging.clone();
        let fail = |source| Error::file(&staging, source);
        for row in std::mem::take(&mut self.sorter).finish().map_err(fail)? {
            self.write(&row.map_err(fail)?)?;
        }
        self.flush()?;
        let misfits = self.decoder.misfits().filter(|(_, count)| *count > 0);
        let misfits =
            misfits.map(|(column, count)| (format!("{}.{column}", self.table.name), count));
        let misfits = misfits.collect();
        let mut files = Vec::new();
        for file in self.files {
            let table::Written { rows, bytes, sha256 } = file.sink.close()?;
            let (table, format) = (self.table.name.to_owned(), file.format.name.to_owned());
            files.push(Written { table, format, file: file.name, rows, bytes, sha256 });
        }
        Ok(Finished { files, failures: self.failures, misfits })
    }

    /// The same lane from the beginning, by sorting: a row came that belongs before one already written.
    fn anew(self, reader: &Reader) -> Result<Self, Error> {
        for file in self.files {
            let path = self.staging.join(&file.name);
            drop(file.sink);
            std::fs::remove_file(&path).map_err(|source| Error::file(&path, source))?;
        }
        let mut lane =
            Self::begin(self.resource, self.table, &self.db, &self.staging, &self.options, false)?;
        let mut seq = 0;
        while let Some(entry) = reader.next("", seq)? {
            seq = entry.seq;
            if let Some((lane, source)) = lane.wants(&entry.stream) {
                lane.take(&entry, source)?;
            }
        }
        Ok(lane)
    }
}

/// A child's row that says which contact it belongs to, whether or not the server repeated that.
fn of_contact<'a>(row: &'a str, contact: &str) -> Cow<'a, str> {
    if row.contains("\"contactId\"") || !row.starts_with('{') {
        return Cow::Borrowed(row);
    }
    let id = serde_json::to_string(contact).expect("text is JSON");
    let rest = row[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{\"contactId\":{id}{comma}{rest}"))
}

fn file_options(table: &Table, options: &Options) -> table::Options {
    let sorted_by = ["date_added", "id"].into_iter();
    let sorted_by = sorted_by.filter(|column| table.position(column).is_some());
    table::Options {
        metadata: options.facts.metadata(),
        csv_safe: options.csv_safe,
        sorted_by: sorted_by.map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_always_names_its_contact() {
        assert_eq!(of_contact(r#"{"id":"n"}"#, "c\""), r#"{"contactId":"c\"","id":"n"}"#);
        assert_eq!(of_contact("{}", "c"), r#"{"contactId":"c"}"#);
        assert_eq!(of_contact(r#"{"contactId":"x"}"#, "c"), r#"{"contactId":"x"}"#);
    }
}
