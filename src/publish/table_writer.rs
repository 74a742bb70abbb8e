//! Writes one table from the spool into its files.

use std::path::{Path, PathBuf};

use super::duplicate_ids::LastVersions;
use super::entry_splitter::{RowSplitter, SplitRows};
use super::mask::TableMask;
use super::sort::{ExternalSorter, SortableRow};
use super::streams;
use super::template::{CalendarNames, TemplateFiles, TemplateWriters};
use super::{PublishError, PublishOptions, invalid_row_failure};
use crate::api::LocationDetails;
use crate::event::WrittenFile;
use crate::id::IdHashes;
use crate::mirror::MirrorError;
use crate::resource::{
    self, CustomFieldColumns, ResourceSpec, RowDecoder, RowSortKey, TableSchema,
};
use crate::run::{FetchFailure, SpoolReader, stream};
use crate::table::{self, TableFormat, TableSink};

/// Rows written to the files at once.
const BATCH_ROWS: usize = 2048;
/// Their most raw bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Most invalid rows that are reported.
const MAX_REPORTED_FAILURES: usize = 1000;

/// Writes one table.
pub(super) struct TableWriter {
    resource: &'static ResourceSpec,
    table: TableSchema,
    staging: PathBuf,
    options: PublishOptions,
    decoder: RowDecoder,
    /// How the columns are masked, if any is.
    mask: Option<TableMask>,
    files: Vec<TableFile>,
    templates: Option<TemplateWriters>,
    sorter: ExternalSorter,
    /// Whether rows come in order, each once, so that each can be written at once.
    is_sorted: bool,
    /// The last row that was written at once.
    last_key: Option<RowSortKey>,
    /// Whether rows come nearly in order, so that they can be written before the last one is read.
    nearly_sorted: bool,
    /// Whether that turned out to be wrong: the table must be rewritten, fully sorted.
    needs_rewrite: bool,
    failures: Vec<FetchFailure>,
    /// Invalid rows beyond those that are reported.
    unreported: u64,
    /// Tasks that were left out because they were deleted.
    deleted: u64,
    /// How many entries were added.
    entries: u64,
    /// The ids of contacts: all else is merged by key alone.
    seen: IdHashes,
    /// After a rewrite: the versions that count.
    last_versions: LastVersions,
}

struct TableFile {
    format: &'static TableFormat,
    name: String,
    sink: Box<dyn TableSink>,
}

/// Where rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowSource {
    /// A spool. Contacts come almost in the order of the table, other rows in any order.
    Spool,
    /// A mirror: all rows come in the order of their table, each once.
    Mirror,
    /// The changes of a mirror, in the same order.
    MirrorChanges,
    /// A snapshot: all rows come in the order of their table, each once.
    Snapshot,
}

/// A finished table.
pub(super) struct FinishedTable {
    pub(super) files: Vec<WrittenFile>,
    /// The table's part of the templates.
    pub(super) templates: Option<TemplateWriters>,
    pub(super) failures: Vec<FetchFailure>,
    /// Invalid rows beyond those among the failures.
    pub(super) unreported: u64,
    /// Tasks that were left out because they were deleted.
    pub(super) deleted: u64,
    pub(super) custom_values: resource::CustomValueCounts,
    pub(super) type_mismatches: Vec<(String, u64)>,
    /// Files with texts that were cut, and how many.
    pub(super) cut_cells: Vec<(String, u64)>,
}

impl TableWriter {
    /// The table.
    pub(super) fn table(&self) -> &TableSchema {
        &self.table
    }

    /// The table as the files have it.
    pub(super) fn written_table(&self) -> &TableSchema {
        self.mask.as_ref().map_or(&self.table, TableMask::table)
    }

    pub(super) fn new(
        resource: &'static ResourceSpec,
        fields: &CustomFieldColumns,
        staging: &Path,
        options: &PublishOptions,
        (template_files, source): (&TemplateFiles, RowSource),
    ) -> Result<Self, PublishError> {
        let mut table = resource.table_schema(fields);
        if matches!(source, RowSource::Mirror | RowSource::MirrorChanges) {
            table = table.with_sync_columns(source == RowSource::MirrorChanges);
        }
        let templates = template_files.writers_for_table(&table);
        let nearly_sorted = resource.name == "contacts";
        let writer =
            Self::create_files(resource, table, staging, options, templates, nearly_sorted)?;
        Ok(Self { is_sorted: source != RowSource::Spool, ..writer })
    }

    fn create_files(
        resource: &'static ResourceSpec,
        table: TableSchema,
        staging: &Path,
        options: &PublishOptions,
        templates: Option<TemplateWriters>,
        nearly_sorted: bool,
    ) -> Result<Self, PublishError> {
        let mask = options.masking.mask_table(&table);
        let open = |format: &&'static TableFormat| {
            let name = format!("{}.{}", table.name, format.extension);
            let sink = format.open_sink(
                &staging.join(&name),
                mask.as_ref().map_or(&table, TableMask::table).arrow_schema(),
                &file_options(&table, mask.as_ref(), options),
            )?;
            Ok::<_, PublishError>(TableFile { format, name, sink })
        };
        Ok(Self {
            resource,
            decoder: RowDecoder::new(&table),
            files: options.formats.iter().map(open).collect::<Result<_, _>>()?,
            mask,
            templates,
            table,
            staging: staging.to_owned(),
            options: options.clone(),
            sorter: ExternalSorter::default(),
            is_sorted: false,
            last_key: None,
            nearly_sorted,
            needs_rewrite: false,
            failures: Vec::new(),
            unreported: 0,
            deleted: 0,
            entries: 0,
            seen: IdHashes::default(),
            last_versions: LastVersions::default(),
        })
    }

    /// Adds the rows of an entry.
    pub(super) fn add_rows(&mut self, entry_rows: SplitRows) -> Result<(), PublishError> {
        self.entries += 1;
        self.deleted += entry_rows.deleted;
        for row in entry_rows.rows {
            match row {
                // The table is rewritten from the beginning later.
                _ if self.needs_rewrite => return Ok(()),
                Ok(row) => self.sort_row(row)?,
                Err(error) => self.record_failure(entry_rows.seq, &error),
            }
        }
        Ok(())
    }

    fn record_failure(&mut self, seq: i64, error: &resource::RowDecodeError) {
        if self.failures.len() < MAX_REPORTED_FAILURES {
            self.failures.push(invalid_row_failure(self.table.name, seq, error));
        } else {
            self.unreported += 1;
        }
    }

    fn write_next_row(&mut self, row: SortableRow) -> Result<(), PublishError> {
        if self.last_key.as_ref().is_some_and(|last| row.key <= *last) {
            return Err(unsorted_rows_error(self.table.name).into());
        }
        self.write_row(&row)?;
        self.last_key = Some(row.key);
        Ok(())
    }

    fn sort_row(&mut self, row: SortableRow) -> Result<(), PublishError> {
        if self.is_sorted {
            return self.write_next_row(row);
        }
        if self.last_versions.is_superseded(&row.key.id, row.seq) {
            return Ok(());
        }
        // One rewrite finds the last versions of all.
        if self.resource.name == "contacts" && self.last_versions.is_empty() {
            self.seen.add_id(&row.key.id);
        }
        self.sorter.push(row);
        if !self.sorter.is_full() {
            return Ok(());
        }
        if self.nearly_sorted {
            match self.sorter.drain_older_half() {
                Some(rows) => rows.into_iter().try_for_each(|row| self.write_row(&row))?,
                None => self.needs_rewrite = true,
            }
            return Ok(());
        }
        // What is masked in the files must not be beside them either.
        let dir = self.options.masking.scratch_dir.as_ref().unwrap_or(&self.staging);
        self.sorter
            .spill_buffer(|| tempfile::tempfile_in(dir))
            .map_err(|source| PublishError::from_io_error(dir, source))
    }

    fn write_row(&mut self, row: &SortableRow) -> Result<(), PublishError> {
        if !self.options.children.keeps_row(self.table.name, &row.text) {
            return Ok(());
        }
        match self.decoder.push_row(&row.text) {
            Err(error @ resource::RowDecodeError::NotARow { .. }) => {
                self.record_failure(row.seq, &error);
            }
            Err(resource::RowDecodeError::Full { .. }) => {
                self.flush_batch()?;
                if let Err(error) = self.decoder.push_row(&row.text) {
                    self.record_failure(row.seq, &error);
                }
            }
            Ok(()) => {}
        }
        if self.decoder.len() >= BATCH_ROWS || self.decoder.byte_count() >= BATCH_BYTES {
            self.flush_batch()?;
        }
        Ok(())
    }

    fn flush_batch(&mut self) -> Result<(), PublishError> {
        if self.decoder.is_empty() {
            return Ok(());
        }
        let batch = self.decoder.finish();
        let masked = self.mask.as_ref().map(|mask| mask.mask_batch(&batch));
        for file in &mut self.files {
            file.sink.write_batch(masked.as_ref().unwrap_or(&batch))?;
        }
        self.templates.as_mut().map_or(Ok(()), |templates| templates.write_batch(&batch))
    }

    /// Writes the remaining rows and completes the files.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn finish(
        mut self,
        spool: Option<&SpoolReader>,
    ) -> Result<FinishedTable, PublishError> {
        self.needs_rewrite |= self.nearly_sorted && self.sorter.has_late_row();
        let seen = std::mem::take(&mut self.seen);
        // After a late row the ids are incomplete: the rewrite collects them again.
        let repeated = if self.needs_rewrite { Vec::new() } else { seen.into_repeated() };
        let is_wrong = self.needs_rewrite || !repeated.is_empty();
        match spool {
            Some(spool) if is_wrong || self.has_discarded_entries(spool)? => {
                return self.rewrite_sorted(spool, &repeated)?.finish(Some(spool));
            }
            _ => {}
        }
        if let Some(spool) = spool {
            self.prepare_appointments(spool)?;
        }
        let staging = self.staging.clone();
        let fail = |source| PublishError::from_io_error(&staging, source);
        for row in std::mem::take(&mut self.sorter).finish().map_err(fail)? {
            self.write_row(&row.map_err(fail)?)?;
        }
        self.flush_batch()?;
        let custom_values = self.decoder.custom_value_counts();
        let type_mismatches = self.decoder.type_mismatch_counts().filter(|(_, count)| *count > 0);
        let type_mismatches =
            type_mismatches.map(|(column, count)| (format!("{}.{column}", self.table.name), count));
        let type_mismatches = type_mismatches.collect();
        let (mut files, mut cut_cells) = (Vec::new(), Vec::new());
        for file in self.files {
            let table::WrittenTable { rows, bytes, sha256, cut_cells: cut } = file.sink.close()?;
            if cut > 0 {
                cut_cells.push((file.name.clone(), cut));
            }
            let (table, format) = (self.table.name.to_owned(), file.format.name.to_owned());
            let flat = file.format.is_flat(self.options.jsonl);
            files.push(WrittenFile { table, format, file: file.name, rows, bytes, sha256, flat });
        }
        Ok(FinishedTable {
            files,
            templates: self.templates,
            failures: self.failures,
            unreported: self.unreported,
            deleted: self.deleted,
            custom_values,
            type_mismatches,
            cut_cells,
        })
    }

    /// Takes what the rows of appointments do not have from the spool, which is complete now: the names of their
    /// calendars, and the time zone of times without one (api.md §4).
    fn prepare_appointments(&mut self, reader: &SpoolReader) -> Result<(), PublishError> {
        if self.table.name != resource::APPOINTMENTS.name {
            return Ok(());
        }
        if let Some(templates) = &mut self.templates {
            templates.set_calendars(CalendarNames::load(reader)?);
        }
        if let Some(zone) = load_time_zone(reader)? {
            self.decoder = RowDecoder::new(&self.table).with_time_zone(zone);
        }
        Ok(())
    }

    /// Whether the pull discarded entries whose rows were already added.
    fn has_discarded_entries(&self, reader: &SpoolReader) -> Result<bool, PublishError> {
        let is_of_table = |name: &str| {
            streams::find_by_name(name).is_some_and(|source| source.table == self.table.name)
        };
        Ok(reader.count_entries(is_of_table)? < self.entries)
    }

    /// Restarts the table with full sorting: a row came that belongs before one already written.
    fn rewrite_sorted(self, reader: &SpoolReader, repeated: &[u64]) -> Result<Self, PublishError> {
        for file in self.files {
            let path = self.staging.join(&file.name);
            drop(file.sink);
            std::fs::remove_file(&path)
                .map_err(|source| PublishError::from_io_error(&path, source))?;
        }
        let mut templates = self.templates;
        templates.as_mut().map_or(Ok(()), TemplateWriters::restart_files)?;
        let (staging, options) = (&self.staging, &self.options);
        let mut writer =
            Self::create_files(self.resource, self.table, staging, options, templates, false)?;
        let splitter = RowSplitter::new(reader.path(), std::iter::once(&writer.table));
        writer.last_versions = LastVersions::find(repeated, reader, &splitter)?;
        let mut seq = 0;
        while let Some(entry) = reader.next_entry("", seq)? {
            seq = entry.seq;
            if let Some(entry_rows) = splitter.split_entry(&entry)? {
                writer.add_rows(entry_rows)?;
            }
        }
        Ok(writer)
    }
}

/// The time zone of the location, if it is known.
fn load_time_zone(reader: &SpoolReader) -> Result<Option<jiff::tz::TimeZone>, PublishError> {
    let (mut name, mut seq) = (None, 0);
    while let Some(entry) = reader.next_entry(stream::LOCATION, seq)? {
        seq = entry.seq;
        name = LocationDetails::from_json(&entry.body).ok().and_then(|it| it.timezone).or(name);
    }
    Ok(name.and_then(|name| jiff::tz::TimeZone::get(&name).ok()))
}

/// The error of a mirror whose rows are not in order, which its database rules out.
fn unsorted_rows_error(table: &str) -> MirrorError {
    let path = std::path::PathBuf::from(crate::mirror::DATABASE);
    MirrorError::Damaged { path, why: format!("its {table} are out of order") }
}

fn file_options(
    table: &TableSchema,
    mask: Option<&TableMask>,
    options: &PublishOptions,
) -> table::SinkOptions {
    let sorted_by = ["date_added", "id"].into_iter();
    let sorted_by = sorted_by.filter_map(|column| Some((column, table.column_index(column)?)));
    // By what a mask leaves of a column the rows are not sorted.
    let is_kept = |(_, index): &(&str, usize)| mask.is_none_or(|mask| mask.keeps_column(*index));
    let sorted_by = sorted_by.take_while(is_kept).map(|(column, _)| column);
    table::SinkOptions {
        metadata: options.facts.to_key_values(),
        created: Some(options.facts.started),
        csv_safe: options.csv_safe,
        csv_bom: options.csv_bom,
        jsonl: options.jsonl,
        sorted_by: sorted_by.map(ToOwned::to_owned).collect(),
    }
}
