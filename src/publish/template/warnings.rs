//! Warnings about a template's files: skipped rows, duplicate names, texts that are too long, and
//! columns that no file contains.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::NamedTemplate;
use crate::diagnostic::EventWarningCode;
use crate::event::RunWarning;
use crate::mapping::preset::ExportTemplate;
use crate::publish::PublishError;
use crate::publish::sort::{ExternalSorter, SortableRow};
use crate::resource::RowSortKey;
use crate::text::{format_plural, select_plural};

/// Most examples in a warning.
const MAX_EXAMPLES: usize = 5;

/// The warnings about one file.
#[derive(Debug, Default)]
pub(super) struct TemplateFileWarnings {
    skipped: u64,
    examples: Vec<String>,
    long: BTreeMap<String, u64>,
    missing: BTreeMap<String, u64>,
    replaced_characters: u64,
    formula_cells: u64,
    names: ExternalSorter,
    name_count: i64,
}

impl TemplateFileWarnings {
    /// Records a skipped row.
    pub(super) fn add_skipped_row(&mut self, id: String) {
        self.skipped += 1;
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(id);
        }
    }

    /// Records characters that the encoding could not represent.
    pub(super) fn add_replaced_characters(&mut self, count: u64) {
        self.replaced_characters += count;
    }

    /// Records cells that a spreadsheet might execute, in a file without the guard against that.
    pub(super) fn add_formula_cells(&mut self, count: u64) {
        self.formula_cells += count;
    }

    /// Counts the empty cells of columns that the target system requires.
    pub(super) fn count_missing_values(&mut self, template: &ExportTemplate, cells: &[String]) {
        for (column, text) in template.columns.iter().zip(cells) {
            if column.required && text.trim().is_empty() {
                *self.missing.entry(column.name.clone()).or_default() += 1;
            }
        }
    }

    /// Counts the texts that are longer than the target system allows.
    pub(super) fn count_long_values(&mut self, template: &ExportTemplate, cells: &[String]) {
        for (column, text) in template.columns.iter().zip(cells) {
            let Some(limit) = column.longest else { continue };
            if text.len() as u64 > limit && text.chars().count() as u64 > limit {
                *self.long.entry(column.name.clone()).or_default() += 1;
            }
        }
    }

    /// Records a name that must be unique, on disk if there are many.
    pub(super) fn record_name(&mut self, name: &str, staging: &Path) -> Result<(), PublishError> {
        self.name_count += 1;
        let key = RowSortKey {
            added: 0,
            id: format!("{}\0{}", name.trim().to_lowercase(), self.name_count),
        };
        self.names.push(SortableRow { key, seq: self.name_count, text: name.into() });
        if !self.names.is_full() {
            return Ok(());
        }
        let spilled = self.names.spill_buffer(|| tempfile::tempfile_in(staging));
        spilled.map_err(|source| PublishError::from_io_error(staging, source))
    }

    /// Builds the messages, each with its code.
    pub(super) fn into_warnings(
        self,
        named: &NamedTemplate,
        staging: &Path,
    ) -> Result<Vec<RunWarning>, PublishError> {
        let template = &named.template;
        let mut warnings: Vec<_> = self.skipped_rows_warning(template).into_iter().collect();
        warnings.extend(self.missing_value_warnings(template));
        warnings.extend(self.long_value_warnings(template));
        if self.replaced_characters > 0 {
            let (file, replaced_characters) = (&template.file, self.replaced_characters);
            let message = format!(
                "{file}: {replaced_characters} characters that its encoding lacks were replaced with `?`"
            );
            let warning = RunWarning::new(EventWarningCode::CharactersReplaced, message);
            warnings.push(warning.about([file]));
        }
        warnings.extend(self.formula_cells_warning(template));
        let duplicates = find_duplicate_names(self.names)
            .map_err(|source| PublishError::from_io_error(staging, source))?;
        warnings.extend(duplicate_names_warning(&duplicates, template));
        Ok(warnings)
    }

    fn skipped_rows_warning(&self, template: &ExportTemplate) -> Option<RunWarning> {
        let column = |place: &usize| format!("`{}`", template.columns[*place].name);
        let required: Vec<String> = template.require.iter().map(column).collect();
        let more = if self.skipped > MAX_EXAMPLES as u64 { ", …" } else { "" };
        let message = format!(
            "{}: {} skipped (no {}): {}{more}",
            template.file,
            format_plural(self.skipped, "row"),
            required.join(" or "),
            self.examples.join(", ")
        );
        // New rows lack the same values as old ones: the warning is about the file.
        let warning = RunWarning::new(EventWarningCode::RowsSkipped, message);
        (self.skipped > 0).then(|| warning.about([&template.file]))
    }

    fn formula_cells_warning(&self, template: &ExportTemplate) -> Option<RunWarning> {
        let message = format!(
            "{}: {} {}, since the system's importer would show an apostrophe; before you open the file in a \
             spreadsheet, write it with `--csv-safe formulas`",
            template.file,
            format_plural(self.formula_cells, "text"),
            select_plural(
                self.formula_cells,
                "looks like a formula and stays as it is",
                "look like formulas and stay as they are",
            ),
        );
        let warning = RunWarning::new(EventWarningCode::FormulaCells, message);
        (self.formula_cells > 0).then(|| warning.about([&template.file]))
    }

    fn missing_value_warnings(&self, template: &ExportTemplate) -> Vec<RunWarning> {
        let file = &template.file;
        let warning = |(name, count): (&String, &u64)| {
            let verb = select_plural(*count, "has", "have");
            let message = format!(
                "{file}: {} {verb} no `{name}`, which the system requires; complete them in the file or in the account",
                format_plural(*count, "row")
            );
            let warning = RunWarning::new(EventWarningCode::RequiredValueMissing, message);
            warning.about([format!("{file}: {name}")])
        };
        self.missing.iter().map(warning).collect()
    }

    fn long_value_warnings(&self, template: &ExportTemplate) -> Vec<RunWarning> {
        let warning = |(column, count): (&String, &u64)| {
            let column = template.columns.iter().find(|it| it.name == *column)?;
            let (file, name, limit) = (&template.file, &column.name, column.longest?);
            let message = format!(
                "{file}: {} with more than {limit} characters in `{name}`",
                format_plural(*count, "row")
            );
            let warning = RunWarning::new(EventWarningCode::TextTooLong, message);
            Some(warning.about([format!("{file}: {name}")]))
        };
        self.long.iter().filter_map(warning).collect()
    }
}

/// The names that occur more than once, each as it occurs last.
fn find_duplicate_names(names: ExternalSorter) -> io::Result<Vec<String>> {
    let (mut duplicates, mut last) = (Vec::<String>::new(), None);
    for row in names.finish()? {
        let name = row?.text.trim().to_owned();
        let folded = Some(name.to_lowercase());
        if folded != last {
            last = folded;
        } else if duplicates.last().is_none_or(|known| Some(known.to_lowercase()) != last) {
            duplicates.push(name);
        }
    }
    Ok(duplicates)
}

fn duplicate_names_warning(duplicates: &[String], template: &ExportTemplate) -> Option<RunWarning> {
    let column = &template.columns[template.unique?].name;
    let more = if duplicates.len() > MAX_EXAMPLES { ", …" } else { "" };
    let shown: Vec<String> =
        duplicates.iter().take(MAX_EXAMPLES).map(|name| format!("`{name}`")).collect();
    if duplicates.is_empty() {
        return None;
    }
    let count = duplicates.len() as u64;
    let (names, verb) = (format_plural(count, "name"), select_plural(count, "occurs", "occur"));
    let message = format!(
        "{}: {names} {verb} more than once in `{column}`, and the target system merges such rows: {}{more}",
        template.file,
        shown.join(", ")
    );
    let names = duplicates.iter().map(|name| format!("{}: {name}", template.file));
    Some(RunWarning::new(EventWarningCode::DuplicateNames, message).about(names))
}
