//! The files of an export, read, edited and written again as other programs would.

use crate::world::World;

/// A CSV file in memory.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// How a program writes a file.
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
#[derive(Default)]
pub(super) struct Form {
    /// What separates cells; a comma by default.
    pub(super) delimiter: u8,
    /// Whether a byte order mark comes first.
    pub(super) mark: bool,
    /// Whether lines end as on Windows.
    pub(super) crlf: bool,
    /// Whether all cells are quoted.
    pub(super) quoted: bool,
    /// Whether the columns come the other way round.
    pub(super) turned: bool,
    /// Columns that are left out.
    pub(super) without: &'static [&'static str],
}

impl Table {
    /// Reads a file, whatever separates its cells.
    pub(super) fn read(world: &World, file: &str) -> Self {
        let text = std::fs::read_to_string(world.path(file)).unwrap();
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let head = text.lines().next().unwrap_or_default();
        let delimiter = *[b',', b';', b'\t']
            .iter()
            .max_by_key(|it| head.bytes().filter(|b| b == *it).count())
            .unwrap();
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
        let header = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let own = |record: csv::StringRecord| record.iter().map(str::to_owned).collect();
        let rows = reader.records().map(|record| own(record.unwrap())).collect();
        Self { header, rows }
    }

    /// Writes it.
    pub(super) fn write(&self, world: &World, file: &str, form: &Form) {
        let mut out = if form.mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(if form.delimiter == 0 { b',' } else { form.delimiter })
            .terminator(if form.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if form.quoted {
                csv::QuoteStyle::Always
            } else {
                csv::QuoteStyle::Necessary
            })
            .from_writer(&mut out);
        for row in std::iter::once(&self.header).chain(&self.rows) {
            let kept = self
                .header
                .iter()
                .zip(row)
                .filter(|(name, _)| !form.without.contains(&name.as_str()));
            let mut cells: Vec<&String> = kept.map(|(_, cell)| cell).collect();
            if form.turned {
                cells.reverse();
            }
            writer.write_record(cells).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        std::fs::write(world.path(file), out).unwrap();
    }

    fn column(&self, name: &str) -> usize {
        self.header.iter().position(|it| it == name).unwrap_or_else(|| panic!("no column `{name}`"))
    }

    pub(super) fn cell(&self, row: usize, name: &str) -> &str {
        &self.rows[row][self.column(name)]
    }

    pub(super) fn set(&mut self, row: usize, name: &str, text: &str) {
        let column = self.column(name);
        text.clone_into(&mut self.rows[row][column]);
    }

    pub(super) fn each(&mut self, name: &str, change: impl Fn(&str) -> String) {
        let column = self.column(name);
        for row in &mut self.rows {
            row[column] = change(&row[column]);
        }
    }

    /// The first row whose cell is so.
    #[track_caller]
    pub(super) fn find(&self, name: &str, is: impl Fn(&str) -> bool) -> usize {
        let column = self.column(name);
        self.rows
            .iter()
            .position(|row| is(&row[column]))
            .unwrap_or_else(|| panic!("no such `{name}`"))
    }
}
