//! Appointments: calendar events with contacts.
//!
//! The columns follow the row of `GET /calendars/events`, whose times have an offset and whose events carry the status
//! twice, once misspelt. A contact's own list has times without a zone: they become instants only in a decoder that
//! was given the location's zone.

use super::column::{Column, boolean, extra, json, list, text, time};
use super::derived::{Derived, Rule};
use super::fields::Fields;
use super::table::Resource;

/// The appointments of all contacts, one row each.
pub const APPOINTMENTS: Resource = Resource {
    name: "appointments",
    doc: "The calendar events of the location, one row each.",
    columns,
    derived: &[Derived { key: "appoinmentStatus", rule: Rule::Copy("appointmentStatus") }],
};

fn columns(_: &Fields) -> Vec<Column> {
    let mut columns = event();
    columns.extend(recurrence());
    columns.push(extra());
    columns
}

fn event() -> Vec<Column> {
    vec![
        text(
            "id",
            "id",
            "The event's id; an instance of a recurring event has `_`, its start and its duration appended.",
        ),
        text("contact_id", "contactId", "The id of the contact the appointment is with."),
        text("calendar_id", "calendarId", "The id of the calendar."),
        text("location_id", "locationId", "The id of the location (sub-account)."),
        text("title", "title", "The title of the event."),
        text(
            "appointment_status",
            "appointmentStatus",
            "What became of it: `new`, `confirmed`, `cancelled`, `showed`, `noshow`, `invalid` and the like.",
        )
        .or(&["appoinmentStatus"]),
        time("start_time", "startTime", "When it starts, in UTC."),
        time("end_time", "endTime", "When it ends, in UTC."),
        text("address", "address", "Where it takes place: an address, or the link of a meeting."),
        text("notes", "notes", "Notes about the appointment."),
        text("description", "description", "The description of the event."),
        text(
            "assigned_user_id",
            "assignedUserId",
            "The id of the user it is assigned to; see the table `users`.",
        ),
        list("users", "users", "The ids of all users who take part."),
        text("group_id", "groupId", "The id of the group of calendars."),
    ]
}

fn recurrence() -> Vec<Column> {
    vec![
        boolean("is_recurring", "isRecurring", "Whether the event repeats."),
        text("rrule", "rrule", "How it repeats, as an iCalendar rule (RFC 5545)."),
        text(
            "master_event_id",
            "masterEventId",
            "The id of the event this one is a repetition of.",
        ),
        json("created_by", "createdBy", "Who made it: an object of `{userId, source}`."),
        time("date_added", "dateAdded", "When it was created, in UTC."),
        time("date_updated", "dateUpdated", "When it was last changed, in UTC."),
    ]
}
