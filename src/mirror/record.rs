//! The kinds of records in a mirror.

/// A kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A contact.
    Contact,
    /// A task of a contact.
    Task,
    /// A note of a contact.
    Note,
    /// The definition of a custom field.
    CustomField,
    /// A user.
    User,
    /// A tag.
    Tag,
    /// An appointment.
    Appointment,
    /// A business.
    Business,
}

/// As the name of its table.
impl serde::Serialize for RecordKind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.table_name())
    }
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Contact,
        Self::Task,
        Self::Note,
        Self::CustomField,
        Self::User,
        Self::Tag,
        Self::Appointment,
        Self::Business,
    ];

    /// The name of its table, in exports and events.
    #[must_use]
    pub fn table_name(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Task => "tasks",
            Self::Note => "notes",
            Self::CustomField => "custom_fields",
            Self::User => "users",
            Self::Tag => "tags",
            Self::Appointment => "appointments",
            Self::Business => "businesses",
        }
    }

    /// The kind whose table has this name.
    #[must_use]
    pub fn from_table_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.table_name() == name)
    }

    /// The kind with this number in the database.
    pub(super) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its number in the database.
    pub(super) fn code(self) -> i64 {
        match self {
            Self::Contact => 1,
            Self::Task => 2,
            Self::Note => 3,
            Self::CustomField => 4,
            Self::User => 5,
            Self::Tag => 6,
            Self::Appointment => 7,
            Self::Business => 8,
        }
    }
}
