//! What is told of a layout's files: rows left out, names that come twice, texts that are too long, and what
//! stays behind because no file has a column for it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::{CodedWarnings, NamedTemplate};
use crate::mapping::preset::ExportTemplate;
use crate::publish::PublishError;
use crate::publish::sort::{ExternalSorter, SortableRow};
use crate::resource::RowSortKey;

/// Examples that are named.
const NAMED: usize = 5;

/// What is told of one file.
#[derive(Debug, Default)]
pub(super) struct TemplateFileWarnings {
    skipped: u64,
    examples: Vec<String>,
    long: BTreeMap<String, u64>,
    lost: u64,
    names: ExternalSorter,
    counted: i64,
}

impl TemplateFileWarnings {
    /// A row was left out.
    pub(super) fn add_skipped_row(&mut self, id: String) {
        self.skipped += 1;
        if self.examples.len() < NAMED {
            self.examples.push(id);
        }
    }

    /// Characters were lost to the encoding.
    pub(super) fn add_lost_characters(&mut self, count: u64) {
        self.lost += count;
    }

    /// Counts the texts that are longer than the system takes.
    pub(super) fn count_long_values(&mut self, layout: &ExportTemplate, cells: &[String]) {
        for (column, text) in layout.columns.iter().zip(cells) {
            let Some(most) = column.longest else { continue };
            if text.len() as u64 > most && text.chars().count() as u64 > most {
                *self.long.entry(column.name.clone()).or_default() += 1;
            }
        }
    }

    /// Keeps a name that must not come twice, on disk when there are many.
    pub(super) fn record_name(&mut self, name: &str, staging: &Path) -> Result<(), PublishError> {
        self.counted += 1;
        let key = RowSortKey {
            added: 0,
            id: format!("{}\0{}", name.trim().to_lowercase(), self.counted),
        };
        self.names.push(SortableRow { key, seq: self.counted, text: name.into() });
        if !self.names.is_full() {
            return Ok(());
        }
        let spilled = self.names.spill_buffer(|| tempfile::tempfile_in(staging));
        spilled.map_err(|source| PublishError::from_io_error(staging, source))
    }

    /// The sentences, each with its code.
    pub(super) fn into_warnings(
        self,
        named: &NamedTemplate,
        staging: &Path,
    ) -> Result<CodedWarnings, PublishError> {
        let layout = &named.layout;
        let mut told: Vec<_> = self.skipped_rows_warning(layout).into_iter().collect();
        told.extend(self.long_value_warnings(layout));
        if self.lost > 0 {
            let (file, lost) = (&layout.file, self.lost);
            let message = format!("{file}: {lost} characters that its encoding lacks became `?`");
            told.push(("characters_lost", message));
        }
        let twice = find_duplicate_names(self.names)
            .map_err(|source| PublishError::from_io_error(staging, source))?;
        told.extend(duplicate_names_warning(&twice, layout));
        Ok(told)
    }

    fn skipped_rows_warning(&self, layout: &ExportTemplate) -> Option<(&'static str, String)> {
        let column = |place: &usize| format!("`{}`", layout.columns[*place].name);
        let wanted: Vec<String> = layout.require.iter().map(column).collect();
        let more = if self.skipped > NAMED as u64 { ", …" } else { "" };
        let message = format!(
            "{}: {} left out, having no {}: {}{more}",
            layout.file,
            format_row_count(self.skipped),
            wanted.join(" or "),
            self.examples.join(", ")
        );
        (self.skipped > 0).then_some(("rows_left_out", message))
    }

    fn long_value_warnings(&self, layout: &ExportTemplate) -> CodedWarnings {
        let said = |(column, count): (&String, &u64)| {
            let column = layout.columns.iter().find(|it| it.name == *column)?;
            let (file, name, most) = (&layout.file, &column.name, column.longest?);
            let message = format!(
                "{file}: {} with more than {most} characters in `{name}`",
                format_row_count(*count)
            );
            Some(("text_too_long", message))
        };
        self.long.iter().filter_map(said).collect()
    }
}

/// The names that come more than once, each as it comes last.
fn find_duplicate_names(names: ExternalSorter) -> io::Result<Vec<String>> {
    let (mut twice, mut last) = (Vec::<String>::new(), None);
    for row in names.finish()? {
        let name = row?.text.trim().to_owned();
        let folded = Some(name.to_lowercase());
        if folded != last {
            last = folded;
        } else if twice.last().is_none_or(|known| Some(known.to_lowercase()) != last) {
            twice.push(name);
        }
    }
    Ok(twice)
}

fn duplicate_names_warning(
    twice: &[String],
    layout: &ExportTemplate,
) -> Option<(&'static str, String)> {
    let column = &layout.columns[layout.unique?].name;
    let more = if twice.len() > NAMED { ", …" } else { "" };
    let shown: Vec<String> = twice.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let stand = match twice.len() {
        0 => return None,
        1 => "a name stands".to_owned(),
        many => format!("{many} names stand"),
    };
    let message = format!(
        "{}: {stand} in `{column}` more than once, and the system takes such rows as one: {}{more}",
        layout.file,
        shown.join(", ")
    );
    Some(("names_twice", message))
}

fn format_row_count(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
