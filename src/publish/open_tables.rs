//! The tables of an export while they are written.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::entry_splitter::SplitRows;
use super::mask::Masking;
use super::table_writer::{FinishedTable, RowSource, TableWriter};
use super::template::TemplateFiles;
use super::{PublishError, PublishOptions, PublishReport, errors_file};
use crate::diagnostic::EventWarningCode;
use crate::event::{RunEvent, RunWarning, SharedObserver};
use crate::resource::{self, CustomFieldColumns, CustomValueCounts, TableSchema};
use crate::run::{FetchFailure, SpoolReader};
use crate::text::{format_count, format_plural};

/// The tables that are being written.
pub(super) struct OpenTables {
    staging: PathBuf,
    templates: TemplateFiles,
    /// The first ones of these tables are among the finished ones.
    schemas: Vec<TableSchema>,
    pub(super) finished: Vec<FinishedTable>,
    pub(super) writers: VecDeque<TableWriter>,
    masking: Masking,
}

impl OpenTables {
    pub(super) fn create(
        fields: &CustomFieldColumns,
        staging: &Path,
        options: &PublishOptions,
        source: RowSource,
        observer: &SharedObserver,
    ) -> Result<Self, PublishError> {
        if fields.left_out() > 0 {
            observer.observe(&custom_columns_warning(fields.left_out()));
        }
        options.masking.rules.check_columns(fields)?;
        let templates = TemplateFiles::create_files(options, staging)?;
        let writers = options
            .tables
            .iter()
            .map(|table| TableWriter::new(table, fields, staging, options, (&templates, source)));
        let writers = writers.collect::<Result<VecDeque<_>, _>>()?;
        let schemas = writers.iter().map(|writer| writer.written_table().clone()).collect();
        let (staging, masking) = (staging.to_owned(), options.masking.clone());
        Ok(Self { staging, templates, schemas, finished: Vec::new(), writers, masking })
    }

    /// Adds rows of a table; the tables come one after the other. Those before it are complete and need no more memory.
    pub(super) fn add_rows_in_order(&mut self, rows: SplitRows) -> Result<(), PublishError> {
        self.finish_tables(rows.table)?;
        self.writers[rows.table - self.finished.len()].add_rows(rows)
    }

    /// Completes the first tables, up to a number of them.
    pub(super) fn finish_tables(&mut self, count: usize) -> Result<(), PublishError> {
        while self.finished.len() < count
            && let Some(writer) = self.writers.pop_front()
        {
            self.finished.push(writer.finish(None)?);
        }
        Ok(())
    }

    /// Completes the files. `spool` has the rows once more, if they may have come out of order.
    pub(super) fn finish(
        self,
        spool: Option<&SpoolReader>,
        failures: Vec<FetchFailure>,
        observer: &SharedObserver,
    ) -> Result<PublishReport, PublishError> {
        let mut templates = self.templates;
        let mut published = PublishReport {
            files: Vec::new(),
            schemas: self.schemas,
            failures,
            unreported_rows: 0,
            deleted_tasks: 0,
            custom_values: CustomValueCounts::default(),
            type_mismatches: Vec::new(),
        };
        let others = self.writers.into_iter().map(|writer| writer.finish(spool));
        for finished in self.finished.into_iter().map(Ok).chain(others) {
            let finished = finished?;
            if let Some(table_templates) = finished.templates {
                templates.add_unused_columns(table_templates);
            }
            for file in finished.files {
                observer.observe(&RunEvent::Written(file.clone()));
                published.files.push(file);
            }
            for (file, cells) in finished.cut_cells {
                observer.observe(&cut_cells_warning(&file, cells));
            }
            published.failures.extend(finished.failures);
            published.unreported_rows += finished.unreported;
            published.deleted_tasks += finished.deleted;
            if finished.custom_values.rows > 0 {
                published.custom_values = finished.custom_values;
            }
            published.type_mismatches.extend(finished.type_mismatches);
        }
        let (files, warnings) = templates.close()?;
        for file in files {
            observer.observe(&RunEvent::Written(file.clone()));
            published.files.push(file);
        }
        for warning in warnings {
            observer.observe(&RunEvent::Warning(warning));
        }
        self.masking.mask_failures(&mut published.failures);
        errors_file::write_failures(&self.staging, &published.failures)?;
        Ok(published)
    }
}

fn cut_cells_warning(file: &str, cells: u64) -> RunEvent {
    let cells = if cells == 1 { "1 text was".to_owned() } else { format!("{cells} texts were") };
    let message = format!(
        "{file}: {cells} cut, because a cell of a workbook has at most 32,767 characters; every other format has all of it, and a row with a cut text must not be imported"
    );
    RunEvent::Warning(RunWarning::new(EventWarningCode::CellsCut, message).about([file]))
}

fn custom_columns_warning(left_out: usize) -> RunEvent {
    let message = format!(
        "the location has more custom fields than a table has columns ({}); the values of {} are in the column `extra`",
        format_count(resource::MAX_CUSTOM_COLUMNS as u64),
        format_plural(left_out as u64, "field")
    );
    RunEvent::Warning(RunWarning::new(EventWarningCode::CustomColumnsLimited, message))
}
