//! The file of a layout, and the further ones where the system takes only so many rows at once.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::bind::{Bound, Source};
use super::contact_lookup::People;
use super::warnings::Told;
use super::{Named, Notes, cell_text};
use crate::event::Written;
use crate::mapping::preset::Layout;
use crate::mapping::preset::template::Column;
use crate::publish::Error;
use crate::resource::Kind;
use crate::table::{self, CsvSafe, Records, Texts, guard};

/// What manifests call the format.
const FORMAT: &str = "csv";

/// The file of a layout, being written.
pub(super) struct File {
    named: Named,
    safe: CsvSafe,
    staging: PathBuf,
    records: Records,
    /// Which of the files it is, from 1.
    number: usize,
    done: Vec<Written>,
    told: Told,
}

impl File {
    pub(super) fn begin(named: &Named, safe: CsvSafe, staging: &Path) -> Result<Self, Error> {
        Ok(Self {
            records: create(&named.layout, staging, 1)?,
            named: named.clone(),
            safe,
            staging: staging.to_owned(),
            number: 1,
            done: Vec::new(),
            told: Told::default(),
        })
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.named.layout
    }

    /// Writes a row, unless the system would not take it.
    pub(super) fn write(
        &mut self,
        bound: &[Bound],
        texts: &Texts<'_>,
        row: usize,
        people: Option<&People>,
    ) -> Result<(), Error> {
        let layout = &self.named.layout;
        let mut cells = Vec::with_capacity(bound.len());
        for (column, bound) in layout.columns.iter().zip(bound) {
            cells.push(value(column, bound, layout, texts, row, people)?);
        }
        let lacking = !layout.require.is_empty()
            && layout.require.iter().all(|place| cells[*place].trim().is_empty());
        if lacking {
            self.told.skipped(texts.get(0, row).concat());
            return Ok(());
        }
        self.told.longest(layout, &cells);
        if let Some(place) = layout.unique {
            self.told.name(&cells[place], &self.staging)?;
        }
        if layout.max_rows.is_some_and(|most| self.records.rows() >= most) {
            self.next()?;
        }
        let layout = &self.named.layout;
        let cells = cells.iter().zip(&layout.columns).map(|(text, column)| {
            let bare = column.unguarded && cell_text::is_numbers(text);
            if bare { Cow::Borrowed(text.as_str()) } else { guard(text, self.safe) }
        });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        Ok(self.records.write(cells.iter().map(|cell| &**cell))?)
    }

    /// Goes on in a further file.
    fn next(&mut self) -> Result<(), Error> {
        let next = create(&self.named.layout, &self.staging, self.number + 1)?;
        let full = std::mem::replace(&mut self.records, next);
        let (full, lost) = full.close()?;
        self.told.lost(lost);
        self.done.push(self.named.written(self.number, full));
        self.number += 1;
        Ok(())
    }

    /// Begins anew, without a row.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        for number in 1..=self.number {
            let path = self.staging.join(self.named.layout.file_name(number));
            std::fs::remove_file(&path).map_err(|source| Error::file(&path, source))?;
        }
        *self = Self::begin(&self.named, self.safe, &self.staging)?;
        Ok(())
    }

    /// Completes the files; gives them and what is to be told.
    pub(super) fn close(mut self) -> Result<(Vec<Written>, Notes), Error> {
        let (written, lost) = self.records.close()?;
        self.told.lost(lost);
        self.done.push(self.named.written(self.number, written));
        let told = self.told.close(&self.named, &self.staging)?;
        Ok((self.done, told))
    }
}

impl Named {
    fn written(&self, number: usize, written: table::Written) -> Written {
        let table::Written { rows, bytes, sha256 } = written;
        let file = self.layout.file_name(number);
        Written { table: self.preset.clone(), format: FORMAT.to_owned(), file, rows, bytes, sha256 }
    }
}

fn create(layout: &Layout, staging: &Path, number: usize) -> Result<Records, Error> {
    let header = layout.columns.iter().map(|column| column.name.as_str());
    Ok(Records::create(&staging.join(layout.file_name(number)), layout.form, header)?)
}

/// The text of a cell, not guarded yet.
fn value(
    column: &Column,
    bound: &Bound,
    layout: &Layout,
    texts: &Texts<'_>,
    row: usize,
    people: Option<&People>,
) -> Result<String, Error> {
    let look = |source: &Source| match (source, people) {
        (Source::Person(place, id), Some(people)) => {
            people.look(*place, &texts.get(*id, row).concat())
        }
        _ => Ok(source.of(texts, row).into_iter().map(Cow::into_owned).collect()),
    };
    if let (Some(front), Some(phone)) = (&column.unless_phone, &bound.phone)
        && look(phone)?.first().is_some_and(|phone| phone.starts_with(front.as_str()))
    {
        return Ok(String::new());
    }
    let (mut found, mut is_list) = (Vec::new(), false);
    for source in &bound.sources {
        let kind = source.kind(people);
        let values = look(source)?.into_iter().filter(|text| !text.trim().is_empty());
        let values = values.map(|text| cell_text::dated(Cow::Owned(text), kind, layout));
        let values = cell_text::worded(values.collect(), column);
        is_list |= kind == Kind::TextList && !values.is_empty();
        found.extend(values);
        if !found.is_empty() && column.join.is_none() {
            break;
        }
    }
    Ok(cell_text::joined(&found, column, layout, is_list))
}

impl Source {
    /// What kind of values it has.
    fn kind(&self, people: Option<&People>) -> Kind {
        match self {
            Self::Column(_, kind) => *kind,
            Self::Person(place, _) => people.map_or(Kind::Text, |people| people.kind(*place)),
            _ => Kind::Text,
        }
    }
}
