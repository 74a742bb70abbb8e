//! The file that names the contacts to export.
//!
//! It may be a plain list, one contact a line, or a sheet whose header says which column holds ids, e-mail
//! addresses or phone numbers. A row names its contact by its id; where that is empty by its e-mail
//! address, and else by its phone number.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::api::Client;
use crate::concurrency;
use crate::id::ContactId;
use crate::mapping::header::{Headers, Meaning, fold, known};
use crate::model::{Field, Target};
use crate::pull::{Key, List};
use crate::sheet::{Reading, Refusal, Row, Sheet};
use crate::value;

/// The shortest text that is an id where nothing says so: HighLevel's have 20 to 24 letters and digits.
const SHORTEST: usize = 16;

/// The file, as the run remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The file, absolute.
    pub file: PathBuf,
    /// SHA-256 of what was read.
    pub digest: Option<String>,
    /// How many contacts it names.
    pub named: u64,
}

impl Chosen {
    /// A file that nobody has read yet.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, digest: None, named: 0 }
    }

    /// Reads the file, and remembers what it was.
    pub(super) async fn read(&mut self, client: &Client) -> Result<List, Error> {
        let read = |country: Option<String>| {
            let file = self.file.clone();
            concurrency::blocking(move || read(&file, country.as_deref()))
        };
        let mut file = read(None).await?;
        if file.needs_country {
            file = read(country(client).await).await?;
        }
        if self.digest.as_ref().is_some_and(|digest| *digest != file.digest) {
            let shown = self.file.display();
            return Err(Error::Request(format!(
                "`{shown}` has changed since the export was begun; begin a new one"
            )));
        }
        self.digest = Some(file.digest);
        self.named = file.list.keys.len() as u64;
        Ok(file.list)
    }
}

/// The location's country, by which numbers without `+` are read; nothing where it may not be read.
async fn country(client: &Client) -> Option<String> {
    let location = client.location_details().await.ok()?;
    let answer: serde_json::Value = serde_json::from_slice(&location.body).ok()?;
    answer["location"]["country"].as_str().map(str::to_owned)
}

/// A file that was read.
struct Read {
    list: List,
    digest: String,
    /// Whether numbers of unknown country are among what is unclear.
    needs_country: bool,
}

/// Where a file says by what contacts are named.
enum Columns {
    /// In these columns: ids, what may be ids, e-mail addresses, phone numbers.
    Named { id: Option<usize>, perhaps: Option<usize>, email: Option<usize>, phone: Option<usize> },
    /// In the only column, each value for itself.
    Plain,
}

fn read(path: &Path, country: Option<&str>) -> Result<Read, Error> {
    // The first line of a plain list is taken for its header, and then for a value.
    let sheet = Sheet::open(path, &Reading::default(), &|name| {
        known(name) || is_id(name) || plain(name, country).is_ok()
    })?;
    let columns = Columns::of(&sheet)?;
    let mut list = List::default();
    let mut needs_country = false;
    if let (Columns::Plain, [column]) = (&columns, sheet.columns.as_slice())
        && let Ok(key) = plain(&column.name, country)
    {
        list.keys.insert(key);
    }
    for row in sheet.rows()? {
        let row = row?;
        let unclear = match columns.key(&row, country) {
            Ok(key) => {
                list.keys.extend(key);
                continue;
            }
            Err(unclear) => unclear,
        };
        needs_country |= country.is_none() && unclear.phone;
        list.unclear.push((row.place.to_string(), unclear.why));
    }
    if list.keys.is_empty() && !needs_country {
        let why = list
            .unclear
            .first()
            .map_or_else(|| "it has no row".to_owned(), |(place, why)| format!("{place}: {why}"));
        return Err(refused(path, "names no contact", &why));
    }
    Ok(Read { list, digest: sheet.digest, needs_country })
}

fn refused(path: &Path, what: &str, why: &str) -> Error {
    Error::List(Refusal {
        code: "E_CONTACTS",
        message: format!("`{}` {what}: {why}", path.display()),
        hint: Some(
            "give one id, e-mail address or phone number a line, or a sheet with a column `contactId`, \
             `email` or `phone`"
                .to_owned(),
        ),
    })
}

/// A row that names nobody.
struct Unclear {
    why: String,
    /// Whether it has a phone number that cannot be read.
    phone: bool,
}

impl Columns {
    fn of(sheet: &Sheet) -> Result<Self, Error> {
        let names = || sheet.columns.iter().map(|column| column.name.as_str());
        let headers = Headers::new(names());
        let best = |wanted: Target| {
            let rank = |(at, name): (usize, &str)| match headers.meaning(name) {
                Some(Meaning::Target { target, rank }) if target == wanted => Some((rank, at)),
                _ => None,
            };
            names().enumerate().filter_map(rank).min().map(|(_, at)| at)
        };
        let perhaps = names().position(|name| fold(name) == "id");
        let (id, email) = (best(Target::ContactId), best(Target::Field(Field::Email)));
        let phone = best(Target::Field(Field::Phone));
        if [id, perhaps, email, phone].iter().any(Option::is_some) {
            return Ok(Self::Named { id, perhaps, email, phone });
        }
        if sheet.columns.len() == 1 {
            return Ok(Self::Plain);
        }
        let shown: Vec<_> = names().take(5).map(|name| format!("`{name}`")).collect();
        let why = format!("its columns are {}", shown.join(", "));
        Err(refused(&sheet.path, "does not say which column names the contacts", &why))
    }

    /// What names a row's contact; nothing in a row without any.
    fn key(&self, row: &Row, country: Option<&str>) -> Result<Option<Key>, Unclear> {
        if let Some(fault) = &row.fault {
            return Err(Unclear { why: fault.message.clone(), phone: false });
        }
        let cell = |at: Option<usize>| {
            let text = at.and_then(|at| row.cells.get(at)).map(|cell| cell.text());
            text.map(|text| bare(&text).to_owned()).filter(|text| !text.is_empty())
        };
        let Self::Named { id, perhaps, email, phone } = self else {
            return cell(Some(0)).map(|text| plain(&text, country)).transpose();
        };
        let perhaps = cell(*perhaps).filter(|text| is_id(text) || (email.or(*phone)).is_none());
        match (cell(*id).or(perhaps), cell(*email), cell(*phone)) {
            (Some(id), ..) => of_id(&id).map(Some),
            (None, Some(email), _) => of_email(&email).map(Some),
            (None, None, Some(phone)) => of_phone(&phone, country).map(Some),
            (None, None, None) => Ok(None),
        }
    }
}

/// A cell without blanks around it and the apostrophe that keeps a spreadsheet from running it.
fn bare(text: &str) -> &str {
    text.trim().trim_start_matches('\'')
}

/// A value of which nothing says what it is.
fn plain(text: &str, country: Option<&str>) -> Result<Key, Unclear> {
    let text = bare(text);
    if text.contains('@') {
        of_email(text)
    } else if is_id(text) {
        of_id(text)
    } else if text.chars().any(|c| c.is_ascii_digit()) && !text.chars().any(char::is_alphabetic) {
        of_phone(text, country)
    } else {
        let why = format!("`{text}` is no id, e-mail address or phone number");
        Err(Unclear { why, phone: false })
    }
}

fn is_id(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() >= SHORTEST
        && text.chars().all(letter)
        && text.chars().any(|c| c.is_ascii_alphabetic())
}

fn of_id(text: &str) -> Result<Key, Unclear> {
    let id = text.parse::<ContactId>();
    id.map(Key::Id).map_err(|error| Unclear { why: error.to_string(), phone: false })
}

fn of_email(text: &str) -> Result<Key, Unclear> {
    let unclear = |why: String| Unclear { why, phone: false };
    let read = value::emails(text, None).map_err(|error| unclear(error.message))?;
    let first = read.value.first().map(|email| Key::email(email));
    first.ok_or_else(|| unclear(format!("`{text}` is no e-mail address")))
}

fn of_phone(text: &str, country: Option<&str>) -> Result<Key, Unclear> {
    let read = value::phone(text, country);
    let read = read.map_err(|error| Unclear { why: error.message, phone: true })?;
    Ok(Key::phone(&read.value))
}

#[cfg(test)]
mod tests;
