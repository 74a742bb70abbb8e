//! The file that names the contacts to export.
//!
//! It may be a plain list, one contact a line, or a sheet whose header says which column holds ids, e-mail
//! addresses or phone numbers. A row names its contact by its id; where that is empty by its e-mail
//! address, and else by its phone number.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ExportError;
use crate::api::ApiClient;
use crate::concurrency;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::ContactId;
use crate::mapping::header::{HeaderMeaning, HeaderNames, fold_name, is_dictionary_name};
use crate::model::{Field, MappingTarget};
use crate::pull::{ContactKey, ContactKeyList};
use crate::sheet::{Sheet, SheetReadOptions, SheetRow};
use crate::value;

/// The shortest text that is an id where nothing says so: HighLevel's have 20 to 24 letters and digits.
const SHORTEST: usize = 16;

/// The file, as the run remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactListFile {
    /// The file, absolute.
    pub file: PathBuf,
    /// SHA-256 of what was read.
    pub digest: Option<String>,
    /// How many contacts it names.
    pub named: u64,
}

impl ContactListFile {
    /// A file that has not been read yet.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, digest: None, named: 0 }
    }

    /// Reads the file, and remembers what it was.
    pub(super) async fn read_contacts(
        &mut self,
        client: &ApiClient,
    ) -> Result<ContactKeyList, ExportError> {
        let read = |country: Option<String>| {
            let file = self.file.clone();
            concurrency::run_blocking(move || read_list_file(&file, country.as_deref()))
        };
        let mut file = read(None).await?;
        if file.needs_country {
            file = read(fetch_location_country(client).await).await?;
        }
        if self.digest.as_ref().is_some_and(|digest| *digest != file.digest) {
            let shown = self.file.display();
            return Err(ExportError::Request(format!(
                "`{shown}` has changed since the export was begun; begin a new one"
            )));
        }
        self.digest = Some(file.digest);
        self.named = file.list.keys.len() as u64;
        Ok(file.list)
    }
}

/// The location's country, by which numbers without `+` are read; nothing where it may not be read.
async fn fetch_location_country(client: &ApiClient) -> Option<String> {
    let location = client.get_location().await.ok()?;
    let answer: serde_json::Value = serde_json::from_slice(&location.body).ok()?;
    answer["location"]["country"].as_str().map(str::to_owned)
}

/// A file that was read.
struct LoadedContactList {
    list: ContactKeyList,
    digest: String,
    /// Whether numbers of unknown country are among what is unclear.
    needs_country: bool,
}

/// Where a file says by what contacts are named.
enum ContactKeyColumns {
    /// In these columns: ids, what may be ids, e-mail addresses, phone numbers.
    Named { id: Option<usize>, perhaps: Option<usize>, email: Option<usize>, phone: Option<usize> },
    /// In the only column, each value for itself.
    Plain,
}

fn read_list_file(path: &Path, country: Option<&str>) -> Result<LoadedContactList, ExportError> {
    // The first line of a plain list is taken for its header, and then for a value.
    let sheet = Sheet::open(path, &SheetReadOptions::default(), &|name| {
        is_dictionary_name(name) || looks_like_id(name) || infer_key(name, country).is_ok()
    })?;
    let columns = ContactKeyColumns::from_sheet(&sheet)?;
    let mut list = ContactKeyList::default();
    let mut needs_country = false;
    if let (ContactKeyColumns::Plain, [column]) = (&columns, sheet.columns.as_slice())
        && let Ok(key) = infer_key(&column.name, country)
    {
        list.keys.insert(key);
    }
    for row in sheet.rows()? {
        let row = row?;
        let unclear = match columns.row_key(&row, country) {
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
        return Err(contact_list_error(path, "names no contact", &why));
    }
    Ok(LoadedContactList { list, digest: sheet.digest, needs_country })
}

fn contact_list_error(path: &Path, what: &str, why: &str) -> ExportError {
    let message = format!("`{}` {what}: {why}", path.display());
    let diagnostic = Diagnostic::new(DiagnosticCode::E_CONTACTS, message).with_hint(
        "give one id, e-mail address or phone number per line, or a sheet with a column `contactId`, `email` or \
         `phone`",
    );
    ExportError::List(Box::new(diagnostic))
}

/// A row that names no contact.
struct UnclearContactKey {
    why: String,
    /// Whether it has a phone number that cannot be read.
    phone: bool,
}

impl ContactKeyColumns {
    fn from_sheet(sheet: &Sheet) -> Result<Self, ExportError> {
        let names = || sheet.columns.iter().map(|column| column.name.as_str());
        let headers = HeaderNames::new(names());
        let best = |wanted: MappingTarget| {
            let rank = |(at, name): (usize, &str)| match headers.meaning_of(name) {
                Some(HeaderMeaning::Target { target, rank }) if target == wanted => {
                    Some((rank, at))
                }
                _ => None,
            };
            names().enumerate().filter_map(rank).min().map(|(_, at)| at)
        };
        let perhaps = names().position(|name| fold_name(name) == "id");
        let (id, email) =
            (best(MappingTarget::ContactId), best(MappingTarget::Field(Field::Email)));
        let phone = best(MappingTarget::Field(Field::Phone));
        if [id, perhaps, email, phone].iter().any(Option::is_some) {
            return Ok(Self::Named { id, perhaps, email, phone });
        }
        if sheet.columns.len() == 1 {
            return Ok(Self::Plain);
        }
        let shown: Vec<_> = names().take(5).map(|name| format!("`{name}`")).collect();
        let why = format!("its columns are {}", shown.join(", "));
        Err(contact_list_error(&sheet.path, "does not say which column names the contacts", &why))
    }

    /// What names a row's contact; nothing in a row without any.
    fn row_key(
        &self,
        row: &SheetRow,
        country: Option<&str>,
    ) -> Result<Option<ContactKey>, UnclearContactKey> {
        if let Some(fault) = &row.fault {
            return Err(UnclearContactKey { why: fault.message.clone(), phone: false });
        }
        let cell = |at: Option<usize>| {
            let text = at.and_then(|at| row.cells.get(at)).map(|cell| cell.to_text());
            text.map(|text| trim_cell(&text).to_owned()).filter(|text| !text.is_empty())
        };
        let Self::Named { id, perhaps, email, phone } = self else {
            return cell(Some(0)).map(|text| infer_key(&text, country)).transpose();
        };
        let perhaps =
            cell(*perhaps).filter(|text| looks_like_id(text) || (email.or(*phone)).is_none());
        match (cell(*id).or(perhaps), cell(*email), cell(*phone)) {
            (Some(id), ..) => parse_id_key(&id).map(Some),
            (None, Some(email), _) => parse_email_key(&email).map(Some),
            (None, None, Some(phone)) => parse_phone_key(&phone, country).map(Some),
            (None, None, None) => Ok(None),
        }
    }
}

/// A cell without blanks around it and the apostrophe that keeps a spreadsheet from running it.
fn trim_cell(text: &str) -> &str {
    text.trim().trim_start_matches('\'')
}

/// A value of which nothing says what it is.
fn infer_key(text: &str, country: Option<&str>) -> Result<ContactKey, UnclearContactKey> {
    let text = trim_cell(text);
    if text.contains('@') {
        parse_email_key(text)
    } else if looks_like_id(text) {
        parse_id_key(text)
    } else if text.chars().any(|c| c.is_ascii_digit()) && !text.chars().any(char::is_alphabetic) {
        parse_phone_key(text, country)
    } else {
        let why = format!("`{text}` is no id, e-mail address or phone number");
        Err(UnclearContactKey { why, phone: false })
    }
}

fn looks_like_id(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() >= SHORTEST
        && text.chars().all(letter)
        && text.chars().any(|c| c.is_ascii_alphabetic())
}

fn parse_id_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let id = text.parse::<ContactId>();
    id.map(ContactKey::Id)
        .map_err(|error| UnclearContactKey { why: error.to_string(), phone: false })
}

fn parse_email_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let unclear = |why: String| UnclearContactKey { why, phone: false };
    let read = value::parse_emails(text, None).map_err(|error| unclear(error.message))?;
    let first = read.value.first().map(|email| ContactKey::from_email(email));
    first.ok_or_else(|| unclear(format!("`{text}` is no e-mail address")))
}

fn parse_phone_key(text: &str, country: Option<&str>) -> Result<ContactKey, UnclearContactKey> {
    let read = value::parse_phone(text, country);
    let read = read.map_err(|error| UnclearContactKey { why: error.message, phone: true })?;
    Ok(ContactKey::from_phone(&read.value))
}

#[cfg(test)]
mod tests;
