//! Cutting: an entry of the spool into the rows of one table, each with the key it sorts by.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str;

use super::Error;
use super::sort::Row;
use super::streams::{self, Source};
use crate::resource::{self, Keyed, Table};
use crate::run::{self, Entry, Packed};

/// Cuts entries into the rows of some tables.
pub(super) struct Cutter {
    db: PathBuf,
    tables: Vec<(&'static str, Keyed)>,
}

/// The rows of an entry.
pub(super) struct Cut {
    /// The table, by its place among those the cutter was made for.
    pub(super) table: usize,
    /// The entry.
    pub(super) seq: i64,
    /// The rows; an error where a row is none.
    pub(super) rows: Vec<Result<Row, resource::Error>>,
}

impl Cutter {
    pub(super) fn new<'t>(db: &Path, tables: impl Iterator<Item = &'t Table>) -> Self {
        let tables = tables.map(|table| (table.name, Keyed::new(table))).collect();
        Self { db: db.to_owned(), tables }
    }

    /// Cuts an entry; nothing when it holds no rows of these tables.
    pub(super) fn cut(&self, entry: &Entry) -> Result<Option<Cut>, Error> {
        let Some(source) = streams::of(&entry.stream) else { return Ok(None) };
        let Some(table) = self.tables.iter().position(|(name, _)| *name == source.table) else {
            return Ok(None);
        };
        let (keyed, seq) = (&self.tables[table].1, entry.seq);
        let mut rows = Vec::with_capacity(usize::try_from(entry.rows).unwrap_or(0));
        if source.packed {
            for (contact, answer) in Packed::new(entry.body.clone()) {
                let contact = self.text(seq, &contact)?;
                let child = Some(contact).filter(|_| source.table != "contacts");
                cut(seq, self.text(seq, &answer)?, source, child, keyed, &mut rows);
            }
        } else {
            cut(seq, self.text(seq, &entry.body)?, source, None, keyed, &mut rows);
        }
        Ok(Some(Cut { table, seq, rows }))
    }

    fn text<'b>(&self, seq: i64, body: &'b [u8]) -> Result<&'b str, Error> {
        str::from_utf8(body).map_err(|error| {
            let why = format!("entry {seq} is no answer: {error}");
            Error::Run(run::Error::Damaged { path: self.db.clone(), why })
        })
    }
}

fn cut(
    seq: i64,
    answer: &str,
    source: Source,
    contact: Option<&str>,
    keyed: &Keyed,
    rows: &mut Vec<Result<Row, resource::Error>>,
) {
    for row in resource::rows(answer, source.key) {
        let text = match contact {
            Some(contact) => of_contact(row, contact),
            None => Cow::Borrowed(row),
        };
        rows.push(keyed.key(&text).map(|key| Row { key, seq, text: text.into() }));
    }
}

/// A child's row that says which contact it belongs to, whether or not the server repeated that.
fn of_contact<'a>(row: &'a str, contact: &str) -> Cow<'a, str> {
    if row.contains("\"contactId\"") || !row.starts_with('{') {
        return Cow::Borrowed(row);
    }
    let id = serde_json::to_string(contact).expect("text is JSON");
    let rest = row[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{\"contactId\":{id}{comma}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_always_names_its_contact() {
        assert_eq!(of_contact(r#"{"id":"n"}"#, "c\""), r#"{"contactId":"c\"","id":"n"}"#);
        assert_eq!(of_contact("{}", "c"), r#"{"contactId":"c"}"#);
        assert_eq!(of_contact(r#"{"contactId":"x"}"#, "c"), r#"{"contactId":"x"}"#);
    }
}
