//! The files of layouts: rows of tables in the form that other systems take.
//!
//! They are written beside the files of formats, from the same batches, in the order of the batches. What a row
//! of a task or note says about its contact is looked up in a store on disk, since the contacts are written
//! first. What no file has a column for, which rows are left out and why, is told, never dropped silently.

mod bind;
mod cell_source;
mod cell_text;
mod contact_lookup;
mod file;
mod unused_columns;
mod warnings;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;

use super::PublishError;
use crate::event::WrittenFile;
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::{CONTACTS, FieldSource};
use crate::resource::TableSchema;
use crate::table::{BatchTexts, FormulaGuardMode};

use bind::BoundTemplateColumn;
use contact_lookup::ContactLookup;
use file::TemplateFile;
use unused_columns::UnusedColumns;

/// What is to be told, each with its code.
type CodedWarnings = Vec<(&'static str, String)>;

/// A layout and the preset that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTemplate {
    /// The preset's name.
    pub preset: String,
    /// The layout.
    pub layout: ExportTemplate,
}

/// The files of all layouts, while they are written.
pub(super) struct TemplateFiles {
    files: Vec<Arc<Mutex<TemplateFile>>>,
    people: Option<Arc<Mutex<ContactLookup>>>,
    rest: Vec<UnusedColumns>,
}

/// The layouts that take rows of one table.
pub(super) struct TemplateWriters {
    all: Vec<TemplateWriter>,
    rest: UnusedColumns,
    people: Option<Arc<Mutex<ContactLookup>>>,
    /// Where the contacts' own values go, when rows of other tables say them too.
    keeps: Option<Vec<BoundTemplateColumn>>,
}

/// A layout that takes rows of a table.
struct TemplateWriter {
    file: Arc<Mutex<TemplateFile>>,
    columns: Vec<BoundTemplateColumn>,
}

impl TemplateFiles {
    /// Makes the files, empty but for their headers.
    pub(super) fn create_files(
        named: &[NamedTemplate],
        safe: FormulaGuardMode,
        staging: &Path,
    ) -> Result<Self, PublishError> {
        let mut files = Vec::new();
        for layout in named {
            files.push(Arc::new(Mutex::new(TemplateFile::create_empty(layout, safe, staging)?)));
        }
        let mut of_people: Vec<FieldSource> = Vec::new();
        let joining = named.iter().filter(|named| named.layout.joins_contacts());
        let columns = joining.flat_map(|named| &named.layout.columns);
        for fill in columns.flat_map(bind::contact_fields) {
            if !of_people.contains(&fill) {
                of_people.push(fill);
            }
        }
        let people = if of_people.is_empty() {
            None
        } else {
            Some(ContactLookup::create(of_people, staging)?)
        };
        let people = people.map(|people| Arc::new(Mutex::new(people)));
        Ok(Self { files, people, rest: Vec::new() })
    }

    /// Those that take rows of a table; nothing when none does.
    pub(super) fn writers_for_table(&self, table: &TableSchema) -> Option<TemplateWriters> {
        let people = self.people.clone();
        let fills = people.as_ref().map(|people| lock_ignoring_poison(people).fields().to_vec());
        let mut rest = UnusedColumns::new(table);
        let mut takers = Vec::new();
        for file in &self.files {
            let layout = lock_ignoring_poison(file).template().clone();
            if !layout.tables.contains(&table.name) {
                continue;
            }
            let bound =
                bind::bind_columns(&layout, table, fills.as_deref().unwrap_or_default(), &mut rest);
            takers.push(TemplateWriter { file: Arc::clone(file), columns: bound });
        }
        let keeps = fills.filter(|_| table.name == CONTACTS);
        let keeps = keeps.map(|fills| bind::bind_contact_fields(&fills, table));
        let wanted = !takers.is_empty() || keeps.is_some();
        wanted.then_some(TemplateWriters { all: takers, rest, people, keeps })
    }

    /// Takes what a table's rows had beside.
    pub(super) fn add_unused_columns(&mut self, takers: TemplateWriters) {
        if !takers.all.is_empty() {
            self.rest.push(takers.rest);
        }
    }

    /// Completes the files; gives them and what is to be told, each with its code.
    pub(super) fn close(self) -> Result<(Vec<WrittenFile>, CodedWarnings), PublishError> {
        let (mut written, mut told) = (Vec::new(), Vec::new());
        for file in self.files {
            let file = Arc::into_inner(file).expect("every lane has given its own back");
            let (files, notes) =
                file.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
            written.extend(files);
            told.extend(notes);
        }
        told.extend(unused_columns::build_warning(&self.rest));
        if let Some(people) = self.people {
            let people = Arc::into_inner(people).expect("every lane has given its own back");
            people.into_inner().unwrap_or_else(PoisonError::into_inner).close_and_delete()?;
        }
        Ok((written, told))
    }
}

impl TemplateWriters {
    /// Writes the rows of a batch.
    pub(super) fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), PublishError> {
        let texts = BatchTexts::from_batch(batch);
        self.rest.scan_unused_values(&texts);
        if let (Some(bound), Some(people)) = (&self.keeps, &self.people) {
            lock_ignoring_poison(people).insert_contacts(bound, &texts)?;
        }
        for taker in &self.all {
            let people = self.people.as_ref().map(|people| lock_ignoring_poison(people));
            let mut file = lock_ignoring_poison(&taker.file);
            for row in 0..texts.row_count() {
                file.write_row(&taker.columns, &texts, row, people.as_deref())?;
            }
        }
        Ok(())
    }

    /// Begins all files anew: the rows come again, in another order.
    pub(super) fn restart_files(&mut self) -> Result<(), PublishError> {
        self.rest.clear();
        self.all.iter().try_for_each(|taker| lock_ignoring_poison(&taker.file).restart())
    }
}

/// A writer that panicked ends the whole export; nobody reads on.
fn lock_ignoring_poison<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
