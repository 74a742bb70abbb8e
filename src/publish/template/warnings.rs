//! What is told of a layout's files: rows left out, names that come twice, texts that are too long, and what
//! stays behind because no file has a column for it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::bind::Source;
use super::{Named, Notes};
use crate::mapping::preset::Layout;
use crate::model::draft::priority_of;
use crate::publish::Error;
use crate::publish::sort::{Row, Sorter};
use crate::resource::{Key, Table};
use crate::table::Texts;

/// Examples that are named.
const NAMED: usize = 5;
/// Columns that are named.
const COLUMNS: usize = 60;
/// What every row has and no system asks for: HighLevel's own.
const OWN: [&str; 4] = ["id", "location_id", "contact_id", "extra"];

/// What is told of one file.
#[derive(Debug, Default)]
pub(super) struct Told {
    skipped: u64,
    examples: Vec<String>,
    long: BTreeMap<String, u64>,
    lost: u64,
    names: Sorter,
    counted: i64,
}

impl Told {
    /// A row was left out.
    pub(super) fn skipped(&mut self, id: String) {
        self.skipped += 1;
        if self.examples.len() < NAMED {
            self.examples.push(id);
        }
    }

    /// Characters were lost to the encoding.
    pub(super) fn lost(&mut self, count: u64) {
        self.lost += count;
    }

    /// Counts the texts that are longer than the system takes.
    pub(super) fn longest(&mut self, layout: &Layout, cells: &[String]) {
        for (column, text) in layout.columns.iter().zip(cells) {
            let Some(most) = column.longest else { continue };
            if text.len() as u64 > most && text.chars().count() as u64 > most {
                *self.long.entry(column.name.clone()).or_default() += 1;
            }
        }
    }

    /// Keeps a name that must not come twice, on disk when there are many.
    pub(super) fn name(&mut self, name: &str, staging: &Path) -> Result<(), Error> {
        self.counted += 1;
        let key = Key { added: 0, id: format!("{}\0{}", name.trim().to_lowercase(), self.counted) };
        self.names.push(Row { key, seq: self.counted, text: name.into() });
        if !self.names.full() {
            return Ok(());
        }
        let spilled = self.names.spill(|| tempfile::tempfile_in(staging));
        spilled.map_err(|source| Error::file(staging, source))
    }

    /// The sentences, each with its code.
    pub(super) fn close(self, named: &Named, staging: &Path) -> Result<Notes, Error> {
        let layout = &named.layout;
        let mut told: Vec<_> = self.left_out(layout).into_iter().collect();
        told.extend(self.too_long(layout));
        if self.lost > 0 {
            let (file, lost) = (&layout.file, self.lost);
            let message = format!("{file}: {lost} characters that its encoding lacks became `?`");
            told.push(("characters_lost", message));
        }
        let twice = twice(self.names).map_err(|source| Error::file(staging, source))?;
        told.extend(named_twice(&twice, layout));
        Ok(told)
    }

    fn left_out(&self, layout: &Layout) -> Option<(&'static str, String)> {
        let column = |place: &usize| format!("`{}`", layout.columns[*place].name);
        let wanted: Vec<String> = layout.require.iter().map(column).collect();
        let more = if self.skipped > NAMED as u64 { ", …" } else { "" };
        let message = format!(
            "{}: {} left out, having no {}: {}{more}",
            layout.file,
            rows(self.skipped),
            wanted.join(" or "),
            self.examples.join(", ")
        );
        (self.skipped > 0).then_some(("rows_left_out", message))
    }

    fn too_long(&self, layout: &Layout) -> Notes {
        let said = |(column, count): (&String, &u64)| {
            let column = layout.columns.iter().find(|it| it.name == *column)?;
            let (file, name, most) = (&layout.file, &column.name, column.longest?);
            let message =
                format!("{file}: {} with more than {most} characters in `{name}`", rows(*count));
            Some(("text_too_long", message))
        };
        self.long.iter().filter_map(said).collect()
    }
}

/// The names that come more than once, each as it comes last.
fn twice(names: Sorter) -> io::Result<Vec<String>> {
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

fn named_twice(twice: &[String], layout: &Layout) -> Option<(&'static str, String)> {
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

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// What of a table's rows no file has a column for.
#[derive(Debug)]
pub(super) struct Rest {
    table: &'static str,
    columns: Vec<String>,
    used: BTreeSet<usize>,
    /// Where the texts stand whose priority is used.
    priority: Option<usize>,
    /// The places of columns that nobody uses and rows have values of.
    left: BTreeSet<usize>,
}

impl Rest {
    pub(super) fn new(table: &Table) -> Self {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let own = |name: &String| OWN.contains(&name.as_str());
        let used =
            columns.iter().enumerate().filter(|(_, name)| own(name)).map(|(at, _)| at).collect();
        Self { table: table.name, columns, used, priority: None, left: BTreeSet::new() }
    }

    /// A file has a column for what a source reads.
    pub(super) fn is_used(&mut self, source: Option<&Source>) {
        let Some(source) = source else { return };
        match source {
            Source::Priority(place) => self.priority = Some(*place),
            _ => self.used.extend(source.reads()),
        }
        // A name is made of its parts, and they of it.
        for (part, whole) in [("first_name", "name"), ("last_name", "name")] {
            let place = |name: &str| self.columns.iter().position(|column| column == name);
            if let (Some(part), Some(whole)) = (place(part), place(whole))
                && source.reads().contains(&part)
            {
                self.used.insert(whole);
            }
        }
    }

    /// Looks which of the others rows have.
    pub(super) fn count(&mut self, texts: &Texts<'_>) {
        for column in 0..texts.columns() {
            let open = !self.used.contains(&column) && !self.left.contains(&column);
            let says = |row: usize| match self.priority {
                Some(place) if place == column => {
                    !priority_of(&texts.get(column, row).concat()).1.trim().is_empty()
                }
                _ => texts.says(column, row),
            };
            if open && (0..texts.rows()).any(says) {
                self.left.insert(column);
            }
        }
    }

    /// Forgets what was seen.
    pub(super) fn clear(&mut self) {
        self.left.clear();
    }
}

/// The sentence about what stays behind, with its code.
pub(super) fn left_behind(rest: &[Rest]) -> Option<(&'static str, String)> {
    let of_table = |rest: &Rest| {
        let names: Vec<&str> = rest.left.iter().map(|at| rest.columns[*at].as_str()).collect();
        let more = names.len().saturating_sub(COLUMNS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = names.iter().take(COLUMNS).copied().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("of {}: {shown}{more}", rest.table))
    };
    let tables: Vec<String> = rest.iter().filter_map(of_table).collect();
    (!tables.is_empty()).then(|| {
        let message = format!(
            "not in these files, which have no column for it: {}; `--format csv` beside the layout keeps it",
            tables.join("; ")
        );
        ("left_behind", message)
    })
}
