//! The files of layouts: rows of tables in the form that other systems take.
//!
//! They are written beside the files of formats, from the same batches, in the order of the batches. What a row
//! of a task or note says about its contact is looked up in a store on disk, since the contacts are written
//! first. What no file has a column for, which rows are left out and why, is told, never dropped silently.

mod bind;
mod cell_text;
mod contact_lookup;
mod file;
mod warnings;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_array::RecordBatch;

use super::Error;
use crate::event::Written;
use crate::mapping::preset::Layout;
use crate::mapping::preset::template::{CONTACTS, Fill};
use crate::resource::Table;
use crate::table::{CsvSafe, Texts};

use bind::Bound;
use contact_lookup::People;
use file::File;
use warnings::Rest;

/// What is to be told, each with its code.
type Notes = Vec<(&'static str, String)>;

/// A layout and the preset that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The preset's name.
    pub preset: String,
    /// The layout.
    pub layout: Layout,
}

/// The files of all layouts, while they are written.
pub(super) struct Layouts {
    files: Vec<Arc<Mutex<File>>>,
    people: Option<Arc<Mutex<People>>>,
    rest: Vec<Rest>,
}

/// The layouts that take rows of one table.
pub(super) struct Takers {
    all: Vec<Taker>,
    rest: Rest,
    people: Option<Arc<Mutex<People>>>,
    /// Where the contacts' own values go, when rows of other tables say them too.
    keeps: Option<Vec<Bound>>,
}

/// A layout that takes rows of a table.
struct Taker {
    file: Arc<Mutex<File>>,
    columns: Vec<Bound>,
}

impl Layouts {
    /// Makes the files, empty but for their headers.
    pub(super) fn begin(named: &[Named], safe: CsvSafe, staging: &Path) -> Result<Self, Error> {
        let mut files = Vec::new();
        for layout in named {
            files.push(Arc::new(Mutex::new(File::begin(layout, safe, staging)?)));
        }
        let mut of_people: Vec<Fill> = Vec::new();
        let joining = named.iter().filter(|named| named.layout.joins_contacts());
        let columns = joining.flat_map(|named| &named.layout.columns);
        for fill in columns.flat_map(bind::of_contact) {
            if !of_people.contains(&fill) {
                of_people.push(fill);
            }
        }
        let people =
            if of_people.is_empty() { None } else { Some(People::begin(of_people, staging)?) };
        let people = people.map(|people| Arc::new(Mutex::new(people)));
        Ok(Self { files, people, rest: Vec::new() })
    }

    /// Those that take rows of a table; nothing when none does.
    pub(super) fn of(&self, table: &Table) -> Option<Takers> {
        let people = self.people.clone();
        let fills = people.as_ref().map(|people| locked(people).fills().to_vec());
        let mut rest = Rest::new(table);
        let mut takers = Vec::new();
        for file in &self.files {
            let layout = locked(file).layout().clone();
            if !layout.tables.contains(&table.name) {
                continue;
            }
            let bound =
                bind::columns(&layout, table, fills.as_deref().unwrap_or_default(), &mut rest);
            takers.push(Taker { file: Arc::clone(file), columns: bound });
        }
        let keeps = fills.filter(|_| table.name == CONTACTS);
        let keeps = keeps.map(|fills| bind::fills(&fills, table));
        let wanted = !takers.is_empty() || keeps.is_some();
        wanted.then_some(Takers { all: takers, rest, people, keeps })
    }

    /// Takes what a table's rows had beside.
    pub(super) fn tell(&mut self, takers: Takers) {
        if !takers.all.is_empty() {
            self.rest.push(takers.rest);
        }
    }

    /// Completes the files; gives them and what is to be told, each with its code.
    pub(super) fn close(self) -> Result<(Vec<Written>, Notes), Error> {
        let (mut written, mut told) = (Vec::new(), Vec::new());
        for file in self.files {
            let file = Arc::into_inner(file).expect("every lane has given its own back");
            let (files, notes) =
                file.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
            written.extend(files);
            told.extend(notes);
        }
        told.extend(warnings::left_behind(&self.rest));
        if let Some(people) = self.people {
            let people = Arc::into_inner(people).expect("every lane has given its own back");
            people.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
        }
        Ok((written, told))
    }
}

impl Takers {
    /// Writes the rows of a batch.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let texts = Texts::of(batch);
        self.rest.count(&texts);
        if let (Some(bound), Some(people)) = (&self.keeps, &self.people) {
            locked(people).keep(bound, &texts)?;
        }
        for taker in &self.all {
            let people = self.people.as_ref().map(|people| locked(people));
            let mut file = locked(&taker.file);
            for row in 0..texts.rows() {
                file.write(&taker.columns, &texts, row, people.as_deref())?;
            }
        }
        Ok(())
    }

    /// Begins all files anew: the rows come again, in another order.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        self.rest.clear();
        self.all.iter().try_for_each(|taker| locked(&taker.file).restart())
    }
}

/// A writer that panicked ends the whole export; nobody reads on.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
