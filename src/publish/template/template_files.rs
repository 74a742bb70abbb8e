//! The file of a template, and further files where the target system limits the rows per file.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::bind::BoundTemplateColumn;
use super::cell_source::TemplateCellSource;
use super::warnings::TemplateFileWarnings;
use super::{ContactLookup, NamedTemplate, RowLookups, cell_text};
use crate::event::{RunWarning, WrittenFile};
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::TemplateColumn;
use crate::publish::PublishError;
use crate::resource::ColumnKind;
use crate::table::{self, BatchTexts, DelimitedWriter, FormulaGuardMode, guard_formula};

/// The format's name in manifests.
const FORMAT: &str = "csv";

/// A template's file while it is written.
pub(super) struct TemplateFile {
    named: NamedTemplate,
    /// Which cells get a leading `'`; `None` in a file for the system's own importer.
    safe: Option<FormulaGuardMode>,
    staging: PathBuf,
    records: DelimitedWriter,
    /// The number of the current file, from 1.
    number: usize,
    done: Vec<WrittenFile>,
    warnings: TemplateFileWarnings,
}

impl TemplateFile {
    pub(super) fn create_empty(
        named: &NamedTemplate,
        safe: Option<FormulaGuardMode>,
        staging: &Path,
    ) -> Result<Self, PublishError> {
        Ok(Self {
            records: create_part_file(&named.template, staging, 1)?,
            named: named.clone(),
            safe,
            staging: staging.to_owned(),
            number: 1,
            done: Vec::new(),
            warnings: TemplateFileWarnings::default(),
        })
    }

    pub(super) fn template(&self) -> &ExportTemplate {
        &self.named.template
    }

    /// Writes a row, unless the target system would reject it.
    pub(super) fn write_row(
        &mut self,
        bound: &[BoundTemplateColumn],
        texts: &BatchTexts<'_>,
        row: usize,
        lookups: RowLookups<'_>,
    ) -> Result<(), PublishError> {
        let template = &self.named.template;
        let mut cells = Vec::with_capacity(bound.len());
        for (column, bound) in template.columns.iter().zip(bound) {
            cells.push(cell_text(column, bound, template, texts, row, lookups)?);
        }
        if template.lacks_required(&cells) {
            self.warnings.add_skipped_row(texts.cell_texts(0, row).concat());
            return Ok(());
        }
        self.warnings.count_missing_values(template, &cells);
        self.warnings.count_long_values(template, &cells);
        if let Some(place) = template.unique {
            self.warnings.record_name(&cells[place], &self.staging)?;
        }
        if template.max_rows.is_some_and(|most| self.records.row_count() >= most) {
            self.start_next_file()?;
        }
        let template = &self.named.template;
        let cells = cells.iter().zip(&template.columns).map(|(text, column)| {
            match self.safe {
                _ if column.unguarded && cell_text::is_phone_list(text) => Cow::Borrowed(&**text),
                Some(safe) => guard_formula(text, safe),
                // What looks guarded would lose its apostrophe when the file is imported again.
                None if text.starts_with('\'') => guard_formula(text, FormulaGuardMode::Formulas),
                None => Cow::Borrowed(&**text),
            }
        });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        if self.safe.is_none() {
            let risky = |cell: &&Cow<'_, str>| {
                table::looks_like_formula(cell) && !cell_text::is_phone_list(cell)
            };
            let formulas = cells.iter().filter(risky).count();
            self.warnings.add_formula_cells(formulas as u64);
        }
        Ok(self.records.write_row(cells.iter().map(|cell| &**cell))?)
    }

    /// Continues in the next file.
    fn start_next_file(&mut self) -> Result<(), PublishError> {
        let next = create_part_file(&self.named.template, &self.staging, self.number + 1)?;
        let full = std::mem::replace(&mut self.records, next);
        let (full, lost) = full.close()?;
        self.warnings.add_replaced_characters(lost);
        self.done.push(self.named.written_file(self.number, full));
        self.number += 1;
        Ok(())
    }

    /// Starts again without rows.
    pub(super) fn restart(&mut self) -> Result<(), PublishError> {
        for number in 1..=self.number {
            let path = self.staging.join(self.named.template.file_name(number));
            std::fs::remove_file(&path)
                .map_err(|source| PublishError::from_io_error(&path, source))?;
        }
        *self = Self::create_empty(&self.named, self.safe, &self.staging)?;
        Ok(())
    }

    /// Completes the files. Returns them and their warnings.
    pub(super) fn close(mut self) -> Result<(Vec<WrittenFile>, Vec<RunWarning>), PublishError> {
        let (written, lost) = self.records.close()?;
        self.warnings.add_replaced_characters(lost);
        self.done.push(self.named.written_file(self.number, written));
        let warnings = self.warnings.into_warnings(&self.named, &self.staging)?;
        Ok((self.done, warnings))
    }
}

impl NamedTemplate {
    fn written_file(&self, number: usize, written: table::WrittenTable) -> WrittenFile {
        let table::WrittenTable { rows, bytes, sha256, .. } = written;
        let file = self.template.file_name(number);
        WrittenFile {
            table: self.preset.clone(),
            format: FORMAT.to_owned(),
            file,
            rows,
            bytes,
            sha256,
            flat: false,
        }
    }
}

fn create_part_file(
    template: &ExportTemplate,
    staging: &Path,
    number: usize,
) -> Result<DelimitedWriter, PublishError> {
    let header = template.columns.iter().map(|column| column.name.as_str());
    Ok(DelimitedWriter::create(&staging.join(template.file_name(number)), template.form, header)?)
}

/// The text of a cell, before the formula guard.
pub(super) fn cell_text(
    column: &TemplateColumn,
    bound: &BoundTemplateColumn,
    template: &ExportTemplate,
    texts: &BatchTexts<'_>,
    row: usize,
    lookups: RowLookups<'_>,
) -> Result<String, PublishError> {
    let RowLookups { contacts, calendars } = lookups;
    let look = |source: &TemplateCellSource| match (source, contacts) {
        (TemplateCellSource::Person(place, id), Some(contacts)) => {
            contacts.look_up_values(*place, &texts.cell_texts(*id, row).concat())
        }
        (TemplateCellSource::Calendar(place), _) => {
            let ids = texts.cell_texts(*place, row).into_iter();
            Ok(ids.map(|id| calendars.name_or_id(id).into_owned()).collect())
        }
        _ => Ok(source.read_values(texts, row).into_iter().map(Cow::into_owned).collect()),
    };
    if let (Some(front), Some(phone)) = (&column.unless_phone, &bound.phone)
        && look(phone)?.first().is_some_and(|phone| phone.starts_with(front.as_str()))
    {
        return Ok(String::new());
    }
    let (mut found, mut is_list) = (Vec::new(), false);
    for source in &bound.sources {
        let kind = source.value_kind(contacts);
        let values = look(source)?.into_iter().filter(|text| !text.trim().is_empty());
        let values = values.map(|text| cell_text::format_date(Cow::Owned(text), kind, template));
        let values = cell_text::translate_values(values.collect(), column);
        is_list |= kind == ColumnKind::TextList && !values.is_empty();
        found.extend(values);
        if !found.is_empty() && column.join.is_none() {
            break;
        }
    }
    Ok(cell_text::join_values(&found, column, template, is_list))
}

impl TemplateCellSource {
    /// The type of its values.
    fn value_kind(&self, contacts: Option<&ContactLookup>) -> ColumnKind {
        match self {
            Self::Column(_, kind) => *kind,
            Self::Person(place, _) => {
                contacts.map_or(ColumnKind::Text, |contacts| contacts.field_kind(*place))
            }
            _ => ColumnKind::Text,
        }
    }
}
