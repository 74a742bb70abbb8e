//! The contacts that a restore is about, where they are chosen one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read;

use crate::model::remote::RemoteContact;
use crate::model::target::Field;

/// The largest file of contacts that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;
/// The columns with a contact's id, or another value that says which contact is meant.
const COLUMNS: [&str; 9] =
    ["id", "contact_id", "contactid", "contact id", "email", "e-mail", "phone", "of", "former_id"];

/// Contacts chosen by ids, e-mail addresses or phone numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactSelection {
    /// Each value as it was written, by its compared form.
    values: HashMap<String, String>,
}

impl ContactSelection {
    /// Reads a list of values, one on each line, or a CSV file with columns such as `id`, `email` or `phone`. Of the
    /// output of `backup diff --csv`, a note or task means its contact.
    ///
    /// # Errors
    /// In a sentence, when the file cannot be read or names no contact.
    pub fn read(from: impl Read) -> Result<Self, String> {
        let mut text = String::new();
        let bytes = from.take(MAX_BYTES + 1).read_to_string(&mut text);
        let bytes = bytes.map_err(|error| format!("it cannot be read: {error}"))?;
        if bytes as u64 > MAX_BYTES {
            return Err(format!("it is larger than {} MB", MAX_BYTES >> 20));
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut lines = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut selection = Self::default();
        let mut header: Option<BTreeMap<String, usize>> = None;
        for (at, record) in lines.records().enumerate() {
            let record = record.map_err(|error| format!("line {}: {error}", at + 1))?;
            let name = |cell: &str| cell.trim().to_lowercase();
            if at == 0 && record.iter().any(|cell| COLUMNS.contains(&&*name(cell))) {
                let columns = record.iter().enumerate().map(|(at, cell)| (name(cell), at));
                header = Some(columns.collect());
                continue;
            }
            match &header {
                None => selection.add(record.get(0).unwrap_or_default()),
                Some(header) => selection.add_record(header, &record),
            }
        }
        if selection.values.is_empty() {
            return Err("it names no contact".to_owned());
        }
        Ok(selection)
    }

    fn add_record(&mut self, header: &BTreeMap<String, usize>, record: &csv::StringRecord) {
        let cell = |name: &str| {
            let at = header.get(name)?;
            record.get(*at).map(str::trim).filter(|cell| !cell.is_empty())
        };
        let is_child = cell("table").is_some_and(|table| table != "contacts");
        let own = if is_child { cell("of") } else { None };
        let mut names = COLUMNS.iter().filter(|name| !is_child && **name != "of");
        if let Some(value) = own.or_else(|| names.find_map(|name| cell(name))) {
            self.add(value);
        }
    }

    /// Adds a contact by its id, e-mail address or phone number.
    pub fn add(&mut self, value: &str) {
        let value = value.trim();
        if !value.is_empty() {
            self.values.insert(compared_form(value), value.to_owned());
        }
    }

    /// The values that mean a contact, in their compared form.
    pub(super) fn matching(&self, contact: &RemoteContact) -> Vec<String> {
        let own = [contact.native_field(Field::Email), contact.native_field(Field::Phone)];
        let more = contact.additional_emails.iter().chain(&contact.additional_phones);
        let all = own.into_iter().flatten().chain(more.map(String::as_str));
        let all = all.map(compared_form).chain([contact.id.to_string()]);
        all.filter(|value| self.values.contains_key(value)).collect()
    }

    /// The values that none of these is, as they were written.
    pub(super) fn unmatched(&self, found: &BTreeSet<String>) -> Vec<String> {
        let left = self.values.iter().filter(|(value, _)| !found.contains(*value));
        let mut left: Vec<String> = left.map(|(_, written)| written.clone()).collect();
        left.sort_unstable();
        left
    }
}

/// An address in lower case, the digits of a number, an id as it is.
fn compared_form(value: &str) -> String {
    if value.contains('@') {
        return value.to_lowercase();
    }
    let is_number = value.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if is_number && digits.len() >= 6 { format!("+{digits}") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        let mut values: Vec<String> =
            ContactSelection::read(text.as_bytes()).unwrap().values.into_keys().collect();
        values.sort_unstable();
        values
    }

    #[test]
    fn a_list_and_a_table_name_contacts_by_id_address_and_number() {
        assert_eq!(
            values("c1\nAda@Example.net\n+1 (555) 0100-22\n\n"),
            ["+1555010022", "ada@example.net", "c1"]
        );
        assert_eq!(
            values("\u{feff}Name,Email,Phone\nAda,a@x.org,\nBen,,+15550100\n"),
            ["+15550100", "a@x.org"]
        );
        let diff = "table,change,id,of,name,email,phone,fields\ncontacts,deleted,c1,,A,a@x.org,,\n\
                    notes,deleted,n1,c2,,,,\n";
        assert_eq!(values(diff), ["c1", "c2"]);
        assert!(ContactSelection::read("email\n".as_bytes()).is_err());
    }
}
