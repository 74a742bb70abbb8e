//! The directory: resolves the names of a location.
//!
//! Mappings and sheets refer to custom fields, users, businesses and tags by name, requests by id.
//! A directory is read once per plan from the location's own lists.

mod catalog_page;
mod name_index;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::id::LocationId;

pub use name_index::NameLookupError;
pub(crate) use name_index::{NameIndex, closest_name};

/// The names of a location.
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
    /// Whether two contacts may share an e-mail address or phone. If the location does not say,
    /// true: the assumption under which nothing is created twice.
    pub allows_duplicates: bool,
    /// Which fields make a contact unique, in order of precedence: `email`, `phone`.
    pub unique: Vec<String>,
    /// The contacts' custom fields.
    pub fields: Vec<CustomField>,
    /// The users.
    pub users: Vec<LocationUser>,
    /// The businesses; empty if no column needs them.
    pub businesses: Vec<LocationBusiness>,
}

/// A custom field's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomField {
    /// The id, which requests use.
    pub id: String,
    /// The key without `contact.`, which exports use as `custom_<key>`.
    pub key: String,
    /// The name of its column in exports, which is unique.
    #[serde(default)]
    pub column: String,
    /// The name that users see.
    pub name: String,
    /// The data type, such as `TEXT`, `MONETORY` (the API's spelling).
    pub data_type: String,
    /// The options of a choice field.
    pub options: Vec<String>,
    /// Whether values other than the options are accepted.
    pub custom_option: bool,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationUser {
    /// The id.
    pub id: String,
    /// The full name.
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
    /// Finds a custom field by id, key (with or without `contact.`) or name, ignoring case.
    ///
    /// # Errors
    /// When there is no match, or more than one.
    pub fn find_field(&self, name: &str) -> Result<&CustomField, NameLookupError> {
        NameIndex::from_custom_fields(&self.fields)
            .find_index(name)
            .map(|index| &self.fields[index])
    }

    /// Finds a user by id, e-mail address or name (in either order), ignoring case.
    ///
    /// # Errors
    /// When there is no match, or more than one.
    pub fn find_user(&self, text: &str) -> Result<&LocationUser, NameLookupError> {
        NameIndex::from_users(&self.users).find_index(text).map(|index| &self.users[index])
    }

    /// Finds a business by id or name, ignoring case.
    ///
    /// # Errors
    /// When there is no match, or more than one.
    pub fn find_business(&self, text: &str) -> Result<&LocationBusiness, NameLookupError> {
        NameIndex::from_businesses(&self.businesses)
            .find_index(text)
            .map(|index| &self.businesses[index])
    }
}
