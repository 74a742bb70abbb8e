//! The fields of a contact that a restore can put back one by one.

use crate::model::directory::{LocationDirectory, NameLookupError};
use crate::model::target::{Field, MappingTarget};

/// A field of a contact that can be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestorableField {
    /// A native field.
    Native(Field),
    /// A custom field, by the id that the target location has for it.
    Custom(String),
    /// The tags.
    Tags,
    /// Do not disturb: blocked channels are blocked again, and nothing is lifted.
    Dnd,
    /// The user it is assigned to.
    Owner,
    /// Its business.
    Business,
}

impl RestorableField {
    /// Every field that the API can write, with all custom fields of the location.
    #[must_use]
    pub fn all(directory: &LocationDirectory) -> Vec<Self> {
        let native = Field::ALL.iter().map(|field| Self::Native(*field));
        let custom = directory.fields.iter().map(|field| Self::Custom(field.id.clone()));
        native.chain(custom).chain([Self::Tags, Self::Dnd, Self::Owner, Self::Business]).collect()
    }

    /// Reads the name of a field: a column of an export such as `assigned_to`, or the API's `assignedTo`; a custom field
    /// as `custom.budget`.
    ///
    /// # Errors
    /// When there is no such field, in a sentence.
    pub fn parse(name: &str, directory: &LocationDirectory) -> Result<Self, String> {
        let custom = ["custom.", "customFields.", "custom_", "contact."];
        if let Some(key) = custom.iter().find_map(|prefix| name.strip_prefix(prefix)) {
            return match directory.find_field(key) {
                Ok(field) => Ok(Self::Custom(field.id.clone())),
                Err(error) => Err(custom_field_error(key, &error)),
            };
        }
        let unknown = || {
            format!(
                "`{name}` is not a field that can be restored; those are {}, tags, dnd, assigned_to, business and \
                 custom.KEY",
                Field::ALL.iter().map(|field| field.name()).collect::<Vec<_>>().join(", ")
            )
        };
        match to_camel_case(name).parse::<MappingTarget>().map_err(|_| unknown())? {
            MappingTarget::Field(field) => Ok(Self::Native(field)),
            MappingTarget::Tags => Ok(Self::Tags),
            MappingTarget::Dnd | MappingTarget::DndChannel(_) => Ok(Self::Dnd),
            MappingTarget::Owner => Ok(Self::Owner),
            MappingTarget::Business => Ok(Self::Business),
            _ => Err(unknown()),
        }
    }

    /// Its name in plans and results.
    #[must_use]
    pub fn name(&self, directory: &LocationDirectory) -> String {
        match self {
            Self::Native(field) => field.name().to_owned(),
            Self::Custom(id) => {
                let found = directory.fields.iter().find(|field| field.id == *id);
                format!("customFields.{}", found.map_or(id.as_str(), |field| &field.key))
            }
            Self::Tags => "tags".to_owned(),
            Self::Dnd => "dnd".to_owned(),
            Self::Owner => "assignedTo".to_owned(),
            Self::Business => "business".to_owned(),
        }
    }
}

fn custom_field_error(key: &str, error: &NameLookupError) -> String {
    format!("the custom field `{key}`: {}", error.message)
}

/// `assigned_to` as `assignedTo`.
fn to_camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}
