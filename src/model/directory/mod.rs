//! The directory: what a location's names stand for.
//!
//! Custom fields, users, businesses and tags are named in mappings and sheets, and numbered in requests.
//! A directory is read once per plan from the location's own lists.

mod catalog_page;
mod name_index;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::id::LocationId;

pub use name_index::NameLookupError;
pub(crate) use name_index::{NameIndex, closest_name};

/// A location's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LocationDirectory {
    /// The location.
    pub location: LocationId,
    /// Its name.
    pub name: Option<String>,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// Its time zone, an IANA name.
    pub timezone: Option<String>,
    /// Whether two contacts may share an e-mail address or phone; when the location does not say, yes:
    /// that is the assumption under which nothing is doubled.
    pub allows_duplicates: bool,
    /// What makes a contact unique, the first first: `email`, `phone`.
    pub unique: Vec<String>,
    /// The contacts' custom fields.
    pub fields: Vec<CustomField>,
    /// The users.
    pub users: Vec<LocationUser>,
    /// The businesses; empty when no column needs them.
    pub businesses: Vec<LocationBusiness>,
}

/// A custom field's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// The id, which requests use.
    pub id: String,
    /// The key without `contact.`, which exports use as `custom_<key>`.
    pub key: String,
    /// The name of its column in exports, which is its alone.
    #[serde(default)]
    pub column: String,
    /// The name, which people use.
    pub name: String,
    /// The data type, such as `TEXT`, `MONETORY` (the API's spelling).
    pub data_type: String,
    /// The options of a field of choices.
    pub options: Vec<String>,
    /// Whether values beside the options are taken.
    pub custom_option: bool,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationUser {
    /// The id.
    pub id: String,
    /// The whole name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
}

/// A business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationBusiness {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
}

impl LocationDirectory {
    /// The custom field of an id, a key (with or without `contact.`) or a name; case does not matter.
    ///
    /// # Errors
    /// When there is none, or several are meant.
    pub fn find_field(&self, name: &str) -> Result<&CustomField, NameLookupError> {
        NameIndex::from_custom_fields(&self.fields)
            .find_index(name)
            .map(|index| &self.fields[index])
    }

    /// The user of an id, an e-mail address or a name, either way round; case does not matter.
    ///
    /// # Errors
    /// When there is none, or several are meant.
    pub fn find_user(&self, text: &str) -> Result<&LocationUser, NameLookupError> {
        NameIndex::from_users(&self.users).find_index(text).map(|index| &self.users[index])
    }

    /// The business of an id or a name; case does not matter.
    ///
    /// # Errors
    /// When there is none, or several are meant.
    pub fn find_business(&self, text: &str) -> Result<&LocationBusiness, NameLookupError> {
        NameIndex::from_businesses(&self.businesses)
            .find_index(text)
            .map(|index| &self.businesses[index])
    }
}
