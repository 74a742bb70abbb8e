//! The endpoints: paths, versions, scopes and page sizes, in one table.

use reqwest::Method;
use serde::Serialize;

/// The largest page that `POST /contacts/search` and the task search return (api.md §2.1, §4: 500
/// is accepted, more is refused).
pub const SEARCH_LIMIT: usize = 500;

/// An API endpoint that this program uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum ApiEndpoint {
    /// `POST /contacts/search`
    SearchContacts,
    /// `GET /contacts/{id}`
    Contact,
    /// `GET /contacts/business/{id}`
    ContactsByBusiness,
    /// `POST /locations/{id}/tasks/search`
    SearchTasks,
    /// `GET /contacts/{id}/tasks`
    ContactTasks,
    /// `GET /contacts/{id}/notes`
    ContactNotes,
    /// `POST /notes/search`
    SearchNotes,
    /// `POST /notes/search` under the `Version` of the other endpoints
    SearchNotesOldVersion,
    /// `GET /contacts/{id}/appointments`
    ContactAppointments,
    /// `GET /calendars/`
    Calendars,
    /// `GET /calendars/events`
    CalendarEvents,
    /// `GET /locations/{id}/customFields`
    CustomFields,
    /// `POST /locations/{id}/customFields`
    CreateCustomField,
    /// `DELETE /locations/{id}/customFields/{id}`
    DeleteCustomField,
    /// `GET /locations/{id}/tags`
    Tags,
    /// `GET /users/`
    Users,
    /// `GET /businesses/`
    Businesses,
    /// `GET /locations/{id}`
    Location,
    /// `GET /contacts/search/duplicate`
    DuplicateContact,
    /// `GET /contacts/lookup`
    LookUpContacts,
    /// `POST /contacts/`
    CreateContact,
    /// `POST /contacts/upsert`
    UpsertContact,
    /// `PUT /contacts/{id}`
    UpdateContact,
    /// `DELETE /contacts/{id}`
    DeleteContact,
    /// `POST /contacts/bulk/tags/update/add`
    AddTags,
    /// `POST /contacts/bulk/tags/update/remove`
    RemoveTags,
    /// `POST /contacts/{id}/tags`
    AddContactTags,
    /// `DELETE /contacts/{id}/tags`
    RemoveContactTags,
    /// `POST /contacts/bulk/business`
    SetBusiness,
    /// `POST /contacts/{id}/notes`
    CreateNote,
    /// `PUT /contacts/{id}/notes/{id}`
    UpdateNote,
    /// `DELETE /contacts/{id}/notes/{id}`
    DeleteNote,
    /// `POST /contacts/{id}/tasks`
    CreateTask,
    /// `PUT /contacts/{id}/tasks/{id}`
    UpdateTask,
    /// `PUT /contacts/{id}/tasks/{id}/completed`
    CompleteTask,
    /// `DELETE /contacts/{id}/tasks/{id}`
    DeleteTask,
}

/// The number of endpoints.
pub(super) const COUNT: usize = ApiEndpoint::DeleteTask as usize + 1;

impl ApiEndpoint {
    /// Every endpoint, in the order of the variants.
    pub const ALL: [Self; COUNT] = [
        Self::SearchContacts,
        Self::Contact,
        Self::ContactsByBusiness,
        Self::SearchTasks,
        Self::ContactTasks,
        Self::ContactNotes,
        Self::SearchNotes,
        Self::SearchNotesOldVersion,
        Self::ContactAppointments,
        Self::Calendars,
        Self::CalendarEvents,
        Self::CustomFields,
        Self::CreateCustomField,
        Self::DeleteCustomField,
        Self::Tags,
        Self::Users,
        Self::Businesses,
        Self::Location,
        Self::DuplicateContact,
        Self::LookUpContacts,
        Self::CreateContact,
        Self::UpsertContact,
        Self::UpdateContact,
        Self::DeleteContact,
        Self::AddTags,
        Self::RemoveTags,
        Self::AddContactTags,
        Self::RemoveContactTags,
        Self::SetBusiness,
        Self::CreateNote,
        Self::UpdateNote,
        Self::DeleteNote,
        Self::CreateTask,
        Self::UpdateTask,
        Self::CompleteTask,
        Self::DeleteTask,
    ];

    /// Method and path template, as the documentation writes them.
    #[must_use]
    pub fn method_and_path(self) -> &'static str {
        match self {
            Self::SearchContacts => "POST /contacts/search",
            Self::Contact => "GET /contacts/{id}",
            Self::ContactsByBusiness => "GET /contacts/business/{id}",
            Self::SearchTasks => "POST /locations/{id}/tasks/search",
            Self::ContactTasks => "GET /contacts/{id}/tasks",
            Self::ContactNotes => "GET /contacts/{id}/notes",
            Self::SearchNotes | Self::SearchNotesOldVersion => "POST /notes/search",
            Self::ContactAppointments => "GET /contacts/{id}/appointments",
            Self::Calendars => "GET /calendars/",
            Self::CalendarEvents => "GET /calendars/events",
            Self::CustomFields => "GET /locations/{id}/customFields",
            Self::CreateCustomField => "POST /locations/{id}/customFields",
            Self::DeleteCustomField => "DELETE /locations/{id}/customFields/{id}",
            Self::Tags => "GET /locations/{id}/tags",
            Self::Users => "GET /users/",
            Self::Businesses => "GET /businesses/",
            Self::Location => "GET /locations/{id}",
            Self::DuplicateContact => "GET /contacts/search/duplicate",
            Self::LookUpContacts => "GET /contacts/lookup",
            Self::CreateContact => "POST /contacts/",
            Self::UpsertContact => "POST /contacts/upsert",
            Self::UpdateContact => "PUT /contacts/{id}",
            Self::DeleteContact => "DELETE /contacts/{id}",
            Self::AddTags => "POST /contacts/bulk/tags/update/add",
            Self::RemoveTags => "POST /contacts/bulk/tags/update/remove",
            Self::AddContactTags => "POST /contacts/{id}/tags",
            Self::RemoveContactTags => "DELETE /contacts/{id}/tags",
            Self::SetBusiness => "POST /contacts/bulk/business",
            Self::CreateNote => "POST /contacts/{id}/notes",
            Self::UpdateNote => "PUT /contacts/{id}/notes/{id}",
            Self::DeleteNote => "DELETE /contacts/{id}/notes/{id}",
            Self::CreateTask => "POST /contacts/{id}/tasks",
            Self::UpdateTask => "PUT /contacts/{id}/tasks/{id}",
            Self::CompleteTask => "PUT /contacts/{id}/tasks/{id}/completed",
            Self::DeleteTask => "DELETE /contacts/{id}/tasks/{id}",
        }
    }

    /// Whether requests are about the location and no record of it, so that a refusal is one of the location.
    pub(super) fn names_location(self) -> bool {
        matches!(
            self,
            Self::SearchContacts
                | Self::SearchTasks
                | Self::Calendars
                | Self::CustomFields
                | Self::CreateCustomField
                | Self::Tags
                | Self::Users
                | Self::Businesses
                | Self::Location
                | Self::DuplicateContact
                | Self::CreateContact
                | Self::UpsertContact
        )
    }

    /// Whether requests change something.
    pub(super) fn is_write(self) -> bool {
        matches!(self.required_scope(), "contacts.write" | "locations/customFields.write")
    }

    /// The key of the list of records in a response; `None` where a response is about one record.
    pub(super) fn record_list(self) -> Option<&'static str> {
        Some(match self {
            Self::SearchContacts | Self::ContactsByBusiness => "contacts",
            Self::SearchTasks | Self::ContactTasks => "tasks",
            Self::ContactNotes | Self::SearchNotes | Self::SearchNotesOldVersion => "notes",
            Self::ContactAppointments | Self::CalendarEvents => "events",
            Self::Calendars => "calendars",
            Self::CustomFields => "customFields",
            Self::Tags => "tags",
            Self::Users => "users",
            Self::Businesses => "businesses",
            _ => return None,
        })
    }

    /// The HTTP method.
    pub(super) fn http_method(self) -> Method {
        match self.method_and_path().split(' ').next() {
            Some("POST") => Method::POST,
            Some("PUT") => Method::PUT,
            Some("DELETE") => Method::DELETE,
            _ => Method::GET,
        }
    }

    /// The scope that the token needs (api.md §9).
    #[must_use]
    pub fn required_scope(self) -> &'static str {
        match self {
            Self::SearchContacts
            | Self::Contact
            | Self::ContactsByBusiness
            | Self::ContactTasks
            | Self::ContactNotes
            | Self::ContactAppointments
            | Self::DuplicateContact
            | Self::LookUpContacts => "contacts.readonly",
            Self::SearchNotes | Self::SearchNotesOldVersion => "notes.readonly",
            Self::SearchTasks => "locations/tasks.readonly",
            Self::Calendars => "calendars.readonly",
            Self::CalendarEvents => "calendars/events.readonly",
            Self::CustomFields => "locations/customFields.readonly",
            Self::CreateCustomField | Self::DeleteCustomField => "locations/customFields.write",
            Self::Tags => "locations/tags.readonly",
            Self::Users => "users.readonly",
            Self::Businesses => "businesses.readonly",
            Self::Location => "locations.readonly",
            Self::CreateContact
            | Self::UpsertContact
            | Self::UpdateContact
            | Self::DeleteContact
            | Self::AddTags
            | Self::RemoveTags
            | Self::AddContactTags
            | Self::RemoveContactTags
            | Self::SetBusiness
            | Self::CreateNote
            | Self::UpdateNote
            | Self::DeleteNote
            | Self::CreateTask
            | Self::UpdateTask
            | Self::CompleteTask
            | Self::DeleteTask => "contacts.write",
        }
    }

    /// The `Version` header. Calendars are published under a different version (api.md §1.4).
    pub(super) fn version_header(self, default: &'static str) -> &'static str {
        match self {
            Self::SearchNotes | Self::LookUpContacts => "v3",
            Self::Calendars | Self::CalendarEvents if default != "v3" => "2021-04-15",
            _ => default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_say_which_command_uses_each_endpoint() {
        let text = include_str!("README.md");
        let missing: Vec<&str> = ApiEndpoint::ALL
            .iter()
            .map(|route| route.method_and_path())
            .filter(|name| !text.lines().any(|line| line.starts_with(&format!("| `{name}` | `"))))
            .collect();
        assert!(missing.is_empty(), "no command is named for {missing:?}");
    }
}
