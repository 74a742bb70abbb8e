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
use crate::mapping::header::{HeaderMeaning, HeaderNames, fold_name, is_dictionary_name};
use crate::model::{Field, MappingTarget};
use crate::pull::{
    ContactKey, ContactKeyList, UnclearContactKey, infer_contact_key, looks_like_contact_id,
    parse_email_key, parse_id_key, parse_phone_key, trim_key_text,
};
use crate::sheet::{Sheet, SheetReadOptions, SheetRow};

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
    client.get_location().await.ok()?.head.country
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
        is_dictionary_name(name)
            || looks_like_contact_id(name)
            || infer_contact_key(name, country).is_ok()
    })?;
    let columns = ContactKeyColumns::from_sheet(&sheet)?;
    let mut list = ContactKeyList::default();
    let mut needs_country = false;
    if let (ContactKeyColumns::Plain, [column]) = (&columns, sheet.columns.as_slice())
        && let Ok(key) = infer_contact_key(&column.name, country)
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
            text.map(|text| trim_key_text(&text).to_owned()).filter(|text| !text.is_empty())
        };
        let Self::Named { id, maybe_id, email, phone } = self else {
            return cell(Some(0)).map(|text| infer_contact_key(&text, country)).transpose();
        };
        let maybe_id = cell(*maybe_id)
            .filter(|text| looks_like_contact_id(text) || (email.or(*phone)).is_none());
        match (cell(*id).or(maybe_id), cell(*email), cell(*phone)) {
            (Some(id), ..) => parse_id_key(&id).map(Some),
            (None, Some(email), _) => parse_email_key(&email).map(Some),
            (None, None, Some(phone)) => parse_phone_key(&phone, country).map(Some),
            (None, None, None) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
