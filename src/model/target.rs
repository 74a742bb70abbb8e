//! Targets: what a column can be mapped to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a column's values go. The text form, in mappings and messages, is the API's name:
/// `firstName`, `customFields.vip_since`, `dndSettings.Email`, `task.title`, `note`, `contactId`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MappingTarget {
    /// `contactId`: the contact itself.
    ContactId,
    /// `sourceId`: the row's id in the source system.
    SourceId,
    /// A native field of the contact.
    Field(Field),
    /// `additionalEmails`: the API reads but does not write them (api.md §5.13).
    AdditionalEmails,
    /// `additionalPhones`: likewise.
    AdditionalPhones,
    /// `phoneCountry`: the country of the row's phone numbers, as a dialling code or a country. It is not stored.
    PhoneCountry,
    /// `customFields.NAME`: a custom field by key, name or id, as written.
    Custom(String),
    /// `tags`.
    Tags,
    /// `dnd`: do not disturb, all channels.
    Dnd,
    /// `dndSettings.CHANNEL`: do not disturb on one channel.
    DndChannel(Channel),
    /// `optIn`: a consent column. Neither yes nor no is an opt-out (`W_NOT_OPTED_IN`).
    OptIn,
    /// `assignedTo`: a user, by e-mail, name or id.
    Owner,
    /// `business`: a business, by name or id.
    Business,
    /// `note` (its body), `note.id`, `note.title`, …
    Note(NotePart),
    /// `task.title`, `task.dueDate`, …
    Task(TaskPart),
    /// `ignore`: deliberately not imported.
    Ignore,
    /// `?`: not decided yet.
    Undecided,
}

macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$item:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $type {
            $($(#[$item])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The variant with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

names!(
    /// A native field of a contact that can be written (api.md §5.1).
    Field {
        /// First name.
        FirstName = "firstName",
        /// Last name.
        LastName = "lastName",
        /// Full name, for rows without its parts.
        Name = "name",
        /// E-mail address.
        Email = "email",
        /// Phone number, E.164.
        Phone = "phone",
        /// Company. Not in the specification of PUT, but accepted (api.md §5.2).
        CompanyName = "companyName",
        /// Street and number, one line.
        Address1 = "address1",
        /// City.
        City = "city",
        /// State or region.
        State = "state",
        /// Postal code.
        PostalCode = "postalCode",
        /// ISO 3166-1 alpha-2 code.
        Country = "country",
        /// Web address.
        Website = "website",
        /// IANA name.
        Timezone = "timezone",
        /// Date of birth, `YYYY-MM-DD`.
        DateOfBirth = "dateOfBirth",
        /// The source of the contact.
        Source = "source",
        /// Gender. Accepted on create only (api.md §5.8).
        Gender = "gender",
    }
);
names!(
    /// A channel of do-not-disturb.
    Channel {
        /// Calls.
        Call = "Call",
        /// E-mail.
        Email = "Email",
        /// Text messages.
        Sms = "SMS",
        /// `WhatsApp`.
        WhatsApp = "WhatsApp",
        /// Google Business messages.
        Gmb = "GMB",
        /// Facebook.
        Fb = "FB",
    }
);
names!(
    /// A part of a note.
    NotePart {
        /// Its text.
        Body = "body",
        /// Its id: an existing note.
        Id = "id",
        /// Its title.
        Title = "title",
        /// Its colour.
        Color = "color",
        /// Whether it is pinned.
        Pinned = "pinned",
        /// The user who wrote it.
        User = "userId",
        /// When it was written. The API sets this itself; the body can contain it (`--note-date
        /// prefix`).
        Date = "dateAdded",
    }
);
names!(
    /// A part of a task.
    TaskPart {
        /// Its id: an existing task.
        Id = "id",
        /// Its title.
        Title = "title",
        /// Its text.
        Body = "body",
        /// When it is due.
        DueDate = "dueDate",
        /// Whether it is done, from a boolean or a status word.
        Completed = "completed",
        /// The user it is assigned to.
        AssignedTo = "assignedTo",
        /// A priority, which the API lacks: it becomes a line `Priority: high` of the body.
        Priority = "priority",
    }
);

impl fmt::Display for MappingTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContactId => f.write_str("contactId"),
            Self::SourceId => f.write_str("sourceId"),
            Self::Field(field) => f.write_str(field.name()),
            Self::AdditionalEmails => f.write_str("additionalEmails"),
            Self::AdditionalPhones => f.write_str("additionalPhones"),
            Self::PhoneCountry => f.write_str("phoneCountry"),
            Self::Custom(name) => write!(f, "customFields.{name}"),
            Self::Tags => f.write_str("tags"),
            Self::Dnd => f.write_str("dnd"),
            Self::DndChannel(channel) => write!(f, "dndSettings.{}", channel.name()),
            Self::OptIn => f.write_str("optIn"),
            Self::Owner => f.write_str("assignedTo"),
            Self::Business => f.write_str("business"),
            Self::Note(NotePart::Body) => f.write_str("note"),
            Self::Note(part) => write!(f, "note.{}", part.name()),
            Self::Task(part) => write!(f, "task.{}", part.name()),
            Self::Ignore => f.write_str("ignore"),
            Self::Undecided => f.write_str("?"),
        }
    }
}

/// A text that is not a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a target")]
pub struct ParseTargetError(pub String);

impl FromStr for MappingTarget {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let no = || ParseTargetError(text.to_owned());
        if let Some(name) = text.strip_prefix("customFields.").filter(|name| !name.is_empty()) {
            return Ok(Self::Custom(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("dndSettings.") {
            return Channel::from_name(name).map(Self::DndChannel).ok_or_else(no);
        }
        if let Some(name) = text.strip_prefix("note.") {
            return NotePart::from_name(name).map(Self::Note).ok_or_else(no);
        }
        if let Some(name) = text.strip_prefix("task.") {
            return TaskPart::from_name(name).map(Self::Task).ok_or_else(no);
        }
        if let Some(field) = Field::from_name(text) {
            return Ok(Self::Field(field));
        }
        Ok(match text {
            "contactId" => Self::ContactId,
            "sourceId" | "source_id" => Self::SourceId,
            "additionalEmails" => Self::AdditionalEmails,
            "additionalPhones" => Self::AdditionalPhones,
            "phoneCountry" => Self::PhoneCountry,
            "tags" => Self::Tags,
            "dnd" => Self::Dnd,
            "optIn" => Self::OptIn,
            "assignedTo" | "owner" => Self::Owner,
            "business" | "businessId" => Self::Business,
            "note" | "notes" => Self::Note(NotePart::Body),
            "ignore" => Self::Ignore,
            "?" => Self::Undecided,
            _ => return Err(no()),
        })
    }
}

impl MappingTarget {
    /// Whether several columns may have this target.
    #[must_use]
    pub fn accepts_multiple_columns(&self) -> bool {
        matches!(
            self,
            Self::AdditionalEmails
                | Self::AdditionalPhones
                | Self::Tags
                | Self::OptIn
                | Self::DndChannel(_)
                | Self::Note(NotePart::Body)
                | Self::Ignore
                | Self::Undecided
        )
    }
}
