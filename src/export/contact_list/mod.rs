//! The file that lists the contacts to export.
//!
//! It is either a plain list with one contact per line, or a sheet whose header shows which columns
//! contain ids, e-mail addresses or phone numbers. A row identifies its contact by its id; if that
//! is empty, by its e-mail address; else by its phone number.

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

/// The shortest text that is taken for an id in a plain list: HighLevel's ids have 20 to 24 letters
/// and digits.
const MIN_ID_LENGTH: usize = 16;

/// The file as the run records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactListFile {
    /// The file, absolute.
    pub file: PathBuf,
    /// SHA-256 of the content that was read.
    pub digest: Option<String>,
    /// How many contacts it lists.
    pub named: u64,
}

impl ContactListFile {
    /// A file that has not been read yet.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self { file, digest: None, named: 0 }
    }

    /// Reads the file and records its digest and the number of contacts.
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
            let displayed = self.file.display();
            return Err(ExportError::Request(format!(
                "`{displayed}` has changed since the export started; start a new export"
            )));
        }
        self.digest = Some(file.digest);
        self.named = file.list.keys.len() as u64;
        Ok(file.list)
    }
}

/// The location's country, used for numbers without `+`; `None` if it may not be read.
async fn fetch_location_country(client: &ApiClient) -> Option<String> {
    let location = client.get_location().await.ok()?;
    let answer: serde_json::Value = serde_json::from_slice(&location.body).ok()?;
    answer["location"]["country"].as_str().map(str::to_owned)
}

/// A contact list that was read.
struct LoadedContactList {
    list: ContactKeyList,
    digest: String,
    /// Whether some values are unresolved because the country of a number is unknown.
    needs_country: bool,
}

/// Which columns identify the contacts.
enum ContactKeyColumns {
    /// These columns: ids, possible ids, e-mail addresses, phone numbers.
    Named { id: Option<usize>, maybe_id: Option<usize>, email: Option<usize>, phone: Option<usize> },
    /// The only column; each value is recognised on its own.
    Plain,
}

fn read_list_file(path: &Path, country: Option<&str>) -> Result<LoadedContactList, ExportError> {
    // The first line of a plain list is read as its header, and then also as a value.
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
        let unusable = match columns.row_key(&row, country) {
            Ok(key) => {
                list.keys.extend(key);
                continue;
            }
            Err(unusable) => unusable,
        };
        needs_country |= country.is_none() && unusable.phone;
        list.unresolved.push((row.place.to_string(), unusable.reason));
    }
    if list.keys.is_empty() && !needs_country {
        let reason = list.unresolved.first().map_or_else(
            || "it has no row".to_owned(),
            |(place, reason)| format!("{place}: {reason}"),
        );
        return Err(contact_list_error(path, "lists no contact", &reason));
    }
    Ok(LoadedContactList { list, digest: sheet.digest, needs_country })
}

fn contact_list_error(path: &Path, what: &str, reason: &str) -> ExportError {
    let message = format!("`{}` {what}: {reason}", path.display());
    let diagnostic = Diagnostic::new(DiagnosticCode::E_CONTACTS, message).with_hint(
        "give one id, e-mail address or phone number per line, or a sheet with a column `contactId`, `email` or \
         `phone`",
    );
    ExportError::List(Box::new(diagnostic))
}

/// A row that identifies no contact.
struct UnclearContactKey {
    reason: String,
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
        let maybe_id = names().position(|name| fold_name(name) == "id");
        let (id, email) =
            (best(MappingTarget::ContactId), best(MappingTarget::Field(Field::Email)));
        let phone = best(MappingTarget::Field(Field::Phone));
        if [id, maybe_id, email, phone].iter().any(Option::is_some) {
            return Ok(Self::Named { id, maybe_id, email, phone });
        }
        if sheet.columns.len() == 1 {
            return Ok(Self::Plain);
        }
        let displayed: Vec<_> = names().take(5).map(|name| format!("`{name}`")).collect();
        let reason = format!("its columns are {}", displayed.join(", "));
        Err(contact_list_error(
            &sheet.path,
            "does not show which column identifies the contacts",
            &reason,
        ))
    }

    /// The key of a row's contact; `None` for a row without one.
    fn row_key(
        &self,
        row: &SheetRow,
        country: Option<&str>,
    ) -> Result<Option<ContactKey>, UnclearContactKey> {
        if let Some(fault) = &row.fault {
            return Err(UnclearContactKey { reason: fault.message.clone(), phone: false });
        }
        let cell = |at: Option<usize>| {
            let text = at.and_then(|at| row.cells.get(at)).map(|cell| cell.to_text());
            text.map(|text| trim_cell(&text).to_owned()).filter(|text| !text.is_empty())
        };
        let Self::Named { id, maybe_id, email, phone } = self else {
            return cell(Some(0)).map(|text| infer_key(&text, country)).transpose();
        };
        let maybe_id =
            cell(*maybe_id).filter(|text| looks_like_id(text) || (email.or(*phone)).is_none());
        match (cell(*id).or(maybe_id), cell(*email), cell(*phone)) {
            (Some(id), ..) => parse_id_key(&id).map(Some),
            (None, Some(email), _) => parse_email_key(&email).map(Some),
            (None, None, Some(phone)) => parse_phone_key(&phone, country).map(Some),
            (None, None, None) => Ok(None),
        }
    }
}

/// Trims a cell and removes the apostrophe that guards it against formula execution.
fn trim_cell(text: &str) -> &str {
    text.trim().trim_start_matches('\'')
}

/// The key for a value of unknown kind.
fn infer_key(text: &str, country: Option<&str>) -> Result<ContactKey, UnclearContactKey> {
    let text = trim_cell(text);
    if text.contains('@') {
        parse_email_key(text)
    } else if looks_like_id(text) {
        parse_id_key(text)
    } else if text.chars().any(|c| c.is_ascii_digit()) && !text.chars().any(char::is_alphabetic) {
        parse_phone_key(text, country)
    } else {
        let reason = format!("`{text}` is not an id, an e-mail address or a phone number");
        Err(UnclearContactKey { reason, phone: false })
    }
}

fn looks_like_id(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() >= MIN_ID_LENGTH
        && text.chars().all(letter)
        && text.chars().any(|c| c.is_ascii_alphabetic())
}

fn parse_id_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let id = text.parse::<ContactId>();
    id.map(ContactKey::Id)
        .map_err(|error| UnclearContactKey { reason: error.to_string(), phone: false })
}

fn parse_email_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let unusable = |reason: String| UnclearContactKey { reason, phone: false };
    let read = value::parse_emails(text, None).map_err(|error| unusable(error.message))?;
    let first = read.value.first().map(|email| ContactKey::from_email(email));
    first.ok_or_else(|| unusable(format!("`{text}` is not an e-mail address")))
}

fn parse_phone_key(text: &str, country: Option<&str>) -> Result<ContactKey, UnclearContactKey> {
    let read = value::parse_phone(text, country);
    let read = read.map_err(|error| UnclearContactKey { reason: error.message, phone: true })?;
    Ok(ContactKey::from_phone(&read.value))
}

#[cfg(test)]
mod tests;
