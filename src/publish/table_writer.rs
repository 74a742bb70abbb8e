//! A lane: one table on its way from the spool into its files.

use std::path::{Path, PathBuf};

use super::row_splitter::{Cut, Cutter};
use super::sort::{Row, Sorter};
use super::template::{Layouts, Takers};
use super::{Error, Options, unreadable};
use crate::event::Written;
use crate::resource::{self, Decoder, Fields, Resource, Table};
use crate::run::{Failure, Reader};
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
    staging: PathBuf,
    options: Options,
    decoder: Decoder,
    files: Vec<File>,
    takers: Option<Takers>,
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
    /// The layouts' part of it.
    pub(super) takers: Option<Takers>,
    pub(super) failures: Vec<Failure>,
    pub(super) misfits: Vec<(String, u64)>,
}

impl Lane {
    /// The table.
    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn new(
        resource: &'static Resource,
        fields: &Fields,
        staging: &Path,
        options: &Options,
        layouts: &Layouts,
    ) -> Result<Self, Error> {
        let table = resource.table(fields);
        let takers = layouts.of(&table);
        Self::begin(resource, table, staging, options, takers, resource.name == "contacts")
    }

    fn begin(
        resource: &'static Resource,
        table: Table,
        staging: &Path,
        options: &Options,
        takers: Option<Takers>,
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
            files: options.formats.iter().map(open).collect::<Result<_, _>>()?,
            takers,
            table,
            staging: staging.to_owned(),
            options: options.clone(),
            sorter: Sorter::default(),
            orderly,
            disorder: false,
            failures: Vec::new(),
        })
    }

    /// Takes the rows of an entry.
    pub(super) fn take(&mut self, cut: Cut) -> Result<(), Error> {
        for row in cut.rows {
            match row {
                // It is made anew from the beginning later.
                _ if self.disorder => return Ok(()),
                Ok(row) => self.sort(row)?,
                Err(error) => self.refuse(cut.seq, &error),
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
        self.takers.as_mut().map_or(Ok(()), |takers| takers.write(&batch))
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
        Ok(Finished { files, takers: self.takers, failures: self.failures, misfits })
    }

    /// The same lane from the beginning, by sorting: a row came that belongs before one already written.
    fn anew(self, reader: &Reader) -> Result<Self, Error> {
        for file in self.files {
            let path = self.staging.join(&file.name);
            drop(file.sink);
            std::fs::remove_file(&path).map_err(|source| Error::file(&path, source))?;
        }
        let mut takers = self.takers;
        takers.as_mut().map_or(Ok(()), Takers::restart)?;
        let (staging, options) = (&self.staging, &self.options);
        let mut lane = Self::begin(self.resource, self.table, staging, options, takers, false)?;
        let cutter = Cutter::new(reader.path(), std::iter::once(&lane.table));
        let mut seq = 0;
        while let Some(entry) = reader.next("", seq)? {
            seq = entry.seq;
            if let Some(cut) = cutter.cut(&entry)? {
                lane.take(cut)?;
            }
        }
        Ok(lane)
    }
}

fn file_options(table: &Table, options: &Options) -> table::Options {
    let sorted_by = ["date_added", "id"].into_iter();
    let sorted_by = sorted_by.filter(|column| table.position(column).is_some());
    table::Options {
        metadata: options.facts.metadata(),
        csv_safe: options.csv_safe,
        sorted_by: sorted_by.map(ToOwned::to_owned).collect(),
    }
}
