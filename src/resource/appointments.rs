//! Appointments: calendar events with contacts.
//!
//! The columns follow the row of `GET /calendars/events`, whose times have an offset and whose
//! events have the status twice, once misspelt. A contact's own list has times without a zone: they
//! become instants only in a decoder that was given the location's zone.

use super::column::{
    TableColumn, boolean_column, extra_column, json_column, text_column, text_list_column,
    timestamp_column,
};
use super::derived::{DerivedKey, DerivedRule};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The appointments of all contacts, one row each.
pub const APPOINTMENTS: ResourceSpec = ResourceSpec {
    name: "appointments",
    doc: "The calendar events of the location, one row each.",
    columns,
    derived: &[DerivedKey {
        key: "appoinmentStatus",
        rule: DerivedRule::Copy("appointmentStatus"),
    }],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    let mut columns = event_columns();
    columns.extend(recurrence_columns());
    columns.push(extra_column());
    columns
}

fn event_columns() -> Vec<TableColumn> {
    vec![
        text_column(
            "id",
            "id",
            "The event's id; an instance of a recurring event has `_`, its start and its duration appended.",
        ),
        text_column("contact_id", "contactId", "The id of the contact the appointment is with."),
        text_column("calendar_id", "calendarId", "The id of the calendar."),
        text_column("location_id", "locationId", "The id of the location (sub-account)."),
        text_column("title", "title", "The title of the event."),
        text_column(
            "appointment_status",
            "appointmentStatus",
            "The status: `new`, `confirmed`, `cancelled`, `showed`, `noshow`, `invalid` and the like.",
        )
        .with_fallback_keys(&["appoinmentStatus"]),
        timestamp_column("start_time", "startTime", "When it starts, in UTC."),
        timestamp_column("end_time", "endTime", "When it ends, in UTC."),
        text_column("address", "address", "Where it takes place: an address, or the link of a meeting."),
        text_column("notes", "notes", "Notes about the appointment."),
        text_column("description", "description", "The description of the event."),
        text_column(
            "assigned_user_id",
            "assignedUserId",
            "The id of the user it is assigned to; see the table `users`.",
        ),
        text_list_column("users", "users", "The ids of all users who take part."),
        text_column("group_id", "groupId", "The id of the group of calendars."),
    ]
}

fn recurrence_columns() -> Vec<TableColumn> {
    vec![
        boolean_column("is_recurring", "isRecurring", "Whether the event repeats."),
        text_column("rrule", "rrule", "How it repeats, as an iCalendar rule (RFC 5545)."),
        text_column(
            "master_event_id",
            "masterEventId",
            "The id of the event this one is a repetition of.",
        ),
        json_column("created_by", "createdBy", "Who created it: an object of `{userId, source}`."),
        timestamp_column("date_added", "dateAdded", "When it was created, in UTC."),
        timestamp_column("date_updated", "dateUpdated", "When it was last changed, in UTC."),
    ]
}
