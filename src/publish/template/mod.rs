//! Template files: rows of tables in the form that other systems import.
//!
//! They are written in addition to the format files, from the same batches in the same order. What
//! a row of a task, note or appointment says about its contact is looked up in a store on disk, because the
//! contacts are written first. Columns that no file contains and rows that are skipped are
//! reported, never dropped silently.

mod bind;
mod calendar_names;
mod cell_source;
mod cell_text;
mod contact_lookup;
mod row_words;
mod template_files;
mod unused_columns;
mod warnings;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;

use super::{PublishError, PublishOptions};
use crate::event::{RunWarning, WrittenFile};
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{CONTACTS, FieldSource};
use crate::resource::TableSchema;
use crate::table::BatchTexts;

use bind::BoundTemplateColumn;
pub(super) use calendar_names::CalendarNames;
use contact_lookup::ContactLookup;
pub use row_words::TemplateRows;
use template_files::TemplateFile;
use unused_columns::UnusedColumns;

/// A template and the preset it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTemplate {
    /// The preset's name.
    pub preset: String,
    /// The template.
    pub template: ExportTemplate,
}

/// The files of all templates, while they are written.
pub(super) struct TemplateFiles {
    files: Vec<Arc<Mutex<TemplateFile>>>,
    contacts: Option<Arc<Mutex<ContactLookup>>>,
    unused: Vec<UnusedColumns>,
}

/// The templates that contain rows of one table.
pub(super) struct TemplateWriters {
    all: Vec<TemplateWriter>,
    unused: UnusedColumns,
    contacts: Option<Arc<Mutex<ContactLookup>>>,
    /// The contact values to store, when rows of other tables need them.
    stored_contact_columns: Option<Vec<BoundTemplateColumn>>,
    calendars: CalendarNames,
}

/// What the values of a row are looked up in.
#[derive(Clone, Copy)]
struct RowLookups<'a> {
    contacts: Option<&'a ContactLookup>,
    calendars: &'a CalendarNames,
}

/// A template that contains rows of a table.
struct TemplateWriter {
    file: Arc<Mutex<TemplateFile>>,
    columns: Vec<BoundTemplateColumn>,
}

impl TemplateFiles {
    /// Creates the files, with only their headers.
    pub(super) fn create_files(
        options: &PublishOptions,
        staging: &Path,
    ) -> Result<Self, PublishError> {
        let (named, mut files) = (&options.templates, Vec::new());
        for template in named {
            let is_guarded = options.guard_uploads || !template.template.is_upload;
            let safe = is_guarded.then_some(options.csv_safe);
            files.push(Arc::new(Mutex::new(TemplateFile::create_empty(template, safe, staging)?)));
        }
        let contact_columns = collect_contact_fields(named);
        let contacts = if contact_columns.is_empty() {
            None
        } else {
            Some(ContactLookup::create(contact_columns, staging)?)
        };
        let contacts = contacts.map(|contacts| Arc::new(Mutex::new(contacts)));
        Ok(Self { files, contacts, unused: Vec::new() })
    }

    /// The writers for a table; `None` if no template contains its rows.
    pub(super) fn writers_for_table(&self, table: &TableSchema) -> Option<TemplateWriters> {
        let contacts = self.contacts.clone();
        let fields =
            contacts.as_ref().map(|contacts| lock_ignoring_poison(contacts).fields().to_vec());
        let mut unused = UnusedColumns::new(table);
        let mut writers = Vec::new();
        for file in &self.files {
            let template = lock_ignoring_poison(file).template().clone();
            if !template.tables.contains(&table.name) {
                continue;
            }
            let bound = bind::bind_columns(
                &template,
                table,
                fields.as_deref().unwrap_or_default(),
                &mut unused,
            );
            writers.push(TemplateWriter { file: Arc::clone(file), columns: bound });
        }
        let stored_contact_columns = fields.filter(|_| table.name == CONTACTS);
        let stored_contact_columns =
            stored_contact_columns.map(|fields| bind::bind_contact_fields(&fields, table));
        let wanted = !writers.is_empty() || stored_contact_columns.is_some();
        let calendars = CalendarNames::default();
        wanted.then_some(TemplateWriters {
            all: writers,
            unused,
            contacts,
            stored_contact_columns,
            calendars,
        })
    }

    /// Collects the unused columns of a table.
    pub(super) fn add_unused_columns(&mut self, writers: TemplateWriters) {
        if !writers.all.is_empty() {
            self.unused.push(writers.unused);
        }
    }

    /// Completes the files. Returns them and their warnings.
    pub(super) fn close(self) -> Result<(Vec<WrittenFile>, Vec<RunWarning>), PublishError> {
        let (mut written, mut warnings) = (Vec::new(), Vec::new());
        for file in self.files {
            let file = Arc::into_inner(file).expect("all table writers are finished");
            let (files, notes) =
                file.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
            written.extend(files);
            warnings.extend(notes);
        }
        warnings.extend(unused_columns::build_warning(&self.unused));
        if let Some(contacts) = self.contacts {
            let contacts = Arc::into_inner(contacts).expect("all table writers are finished");
            contacts.into_inner().unwrap_or_else(PoisonError::into_inner).close_and_delete()?;
        }
        Ok((written, warnings))
    }
}

impl TemplateWriters {
    /// Sets the names of calendars. They are complete only when the pull has ended.
    pub(super) fn set_calendars(&mut self, calendars: CalendarNames) {
        self.calendars = calendars;
    }

    /// Writes the rows of a batch.
    pub(super) fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), PublishError> {
        let texts = BatchTexts::from_batch(batch);
        self.unused.scan_unused_values(&texts);
        if let (Some(bound), Some(contacts)) = (&self.stored_contact_columns, &self.contacts) {
            lock_ignoring_poison(contacts).insert_contacts(bound, &texts)?;
        }
        for taker in &self.all {
            let contacts = self.contacts.as_ref().map(|contacts| lock_ignoring_poison(contacts));
            let lookups = RowLookups { contacts: contacts.as_deref(), calendars: &self.calendars };
            let mut file = lock_ignoring_poison(&taker.file);
            for row in 0..texts.row_count() {
                file.write_row(&taker.columns, &texts, row, lookups)?;
            }
        }
        Ok(())
    }

    /// Restarts all files: the rows come again, in another order.
    pub(super) fn restart_files(&mut self) -> Result<(), PublishError> {
        self.unused.clear();
        self.all.iter().try_for_each(|taker| lock_ignoring_poison(&taker.file).restart())
    }
}

/// What the templates' rows of other tables say about their contacts.
fn collect_contact_fields(named: &[NamedTemplate]) -> Vec<FieldSource> {
    let joining = named.iter().filter(|named| named.template.joins_contacts());
    let columns = joining.flat_map(|named| &named.template.columns);
    let mut fields: Vec<FieldSource> = Vec::new();
    for field in columns.flat_map(bind::contact_fields) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

/// Ignores poisoning: a writer that panics ends the whole export, and its data is not used.
fn lock_ignoring_poison<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
