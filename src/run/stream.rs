//! The names of the spool's streams: what a pull writes and publish reads.

/// The selected contacts, if only those are pulled.
pub const SELECTED_CONTACTS: &str = "chosen";
/// Pages of contacts, in the order of the walk.
pub const CONTACTS: &str = "contacts";
/// Pages of contacts that the walk missed.
pub const REREAD_CONTACTS: &str = "contacts.again";
/// Single contacts, each as returned by its own endpoint.
pub const CONTACTS_SINGLE: &str = "contacts.single";
/// Records of the mirror that the server has said no longer exist.
pub const DELETED: &str = "deleted";
/// Nothing but a progress: whether the mirror's contacts were compared with the search's counts.
pub const COMPARED: &str = "compared";
/// Pages of the task search.
pub const TASKS: &str = "tasks";
/// Pages of calendar events, one stream per calendar.
pub const EVENTS: &str = "events/";
/// Pages of the notes search.
pub const NOTE_SEARCH: &str = "note_search";
/// The contacts whose notes a sync has read by search.
pub const SEARCHED_CONTACTS: &str = "searched_contacts";
/// Notes, contact by contact.
pub const NOTES: &str = "notes";
/// Tasks, contact by contact.
pub const CONTACT_TASKS: &str = "contact_tasks";
/// Appointments, contact by contact.
pub const CONTACT_APPOINTMENTS: &str = "contact_appointments";
/// The location.
pub const LOCATION: &str = "location";
/// The custom-field definitions.
pub const FIELDS: &str = "custom_fields";
/// The users.
pub const USERS: &str = "users";
/// The tags.
pub const TAGS: &str = "tags";
/// Pages of the businesses.
pub const BUSINESSES: &str = "businesses";
/// The calendars.
pub const CALENDARS: &str = "calendars";
