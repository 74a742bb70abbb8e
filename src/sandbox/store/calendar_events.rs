//! The appointments of a location.
//!
//! Indexed by what requests ask for: calendar, user, group, time, contact.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::location_metadata::TIME_ZONE;
use super::slots::ContactSlot;
use crate::sandbox::text::{format_local_time, format_with_offset};

/// The UTC offset of times that are sent with one, all year.
pub(crate) const OFFSET_HOURS: i64 = -5;

/// One appointment.
#[derive(Debug, Clone)]
pub(crate) struct StoredAppointment {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) calendar: String,
    pub(crate) group: String,
    pub(crate) user: String,
    pub(crate) contact: String,
    pub(crate) location: String,
    pub(crate) status: &'static str,
    pub(crate) notes: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) start: i64,
    pub(crate) minutes: i64,
    pub(crate) added: i64,
    pub(crate) recurring: bool,
}

/// All appointments, sorted by start.
#[derive(Debug, Default)]
pub(crate) struct AppointmentIndex {
    all: Vec<(ContactSlot, StoredAppointment)>,
    of_contact: HashMap<ContactSlot, Vec<usize>>,
}

impl AppointmentIndex {
    pub(crate) fn replace_all(&mut self, mut events: Vec<(ContactSlot, StoredAppointment)>) {
        events
            .sort_by(|(_, left), (_, right)| (left.start, &left.id).cmp(&(right.start, &right.id)));
        self.all = events;
        self.rebuild_index();
    }

    /// Adds an appointment.
    pub(crate) fn insert(&mut self, contact: ContactSlot, event: StoredAppointment) {
        let mut all = std::mem::take(&mut self.all);
        all.push((contact, event));
        self.replace_all(all);
    }

    /// Drops an appointment.
    pub(crate) fn remove_appointment(&mut self, id: &str) {
        self.all.retain(|(_, event)| event.id != id);
        self.rebuild_index();
    }

    /// Drops a deleted contact's appointments.
    pub(crate) fn remove_contact(&mut self, contact: ContactSlot) {
        if self.of_contact.contains_key(&contact) {
            self.all.retain(|(slot, _)| *slot != contact);
            self.rebuild_index();
        }
    }

    pub(crate) fn for_contact(
        &self,
        contact: ContactSlot,
    ) -> impl Iterator<Item = &StoredAppointment> {
        let numbers = self.of_contact.get(&contact).into_iter().flatten();
        numbers.map(|number| &self.all[*number].1)
    }

    pub(crate) fn all_appointments(&self) -> impl Iterator<Item = &StoredAppointment> {
        self.all.iter().map(|(_, event)| event)
    }

    fn rebuild_index(&mut self) {
        self.of_contact.clear();
        for (number, (slot, _)) in self.all.iter().enumerate() {
            self.of_contact.entry(*slot).or_default().push(number);
        }
    }
}

impl StoredAppointment {
    /// The fields that both dialects share.
    fn shared_fields(&self) -> Map<String, Value> {
        let fields = json!({
            "id": self.id,
            "title": self.title,
            "calendarId": self.calendar,
            "locationId": self.location,
            "contactId": self.contact,
            "groupId": self.group,
            "appointmentStatus": self.status,
            "assignedUserId": self.user,
            "users": [self.user],
        });
        let mut fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let optional = [("notes", &self.notes), ("address", &self.address)];
        for (key, value) in optional {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value.clone().into());
            }
        }
        fields
    }

    /// In the form of `GET /calendars/events`: with offsets, and with the service's misspelt
    /// duplicate.
    pub(crate) fn to_calendar_json(&self) -> Value {
        let mut fields = self.shared_fields();
        let time = |milliseconds| Value::from(format_with_offset(milliseconds, OFFSET_HOURS));
        let more = [
            ("appoinmentStatus", self.status.into()),
            ("isRecurring", self.recurring.into()),
            ("startTime", time(self.start)),
            ("endTime", time(self.end_millis())),
            ("dateAdded", time(self.added)),
            ("dateUpdated", time(self.added)),
            ("createdBy", json!({ "userId": null, "source": "booking_widget" })),
        ];
        fields.extend(more.map(|(key, value)| (key.to_owned(), value)));
        if self.recurring {
            let length = self.minutes * 60;
            let id = format!("{}_{}_{length}", self.id, self.start);
            fields.insert("masterEventId".to_owned(), self.id.clone().into());
            fields.insert("id".to_owned(), id.into());
            fields.insert("rrule".to_owned(), "RRULE:FREQ=WEEKLY;COUNT=1".into());
        }
        Value::Object(fields)
    }

    /// In the form of `GET /contacts/{id}/appointments`: local times of the location, without a zone.
    pub(crate) fn to_contact_json(&self) -> Value {
        let mut fields = self.shared_fields();
        let time = |milliseconds| Value::from(format_local_time(milliseconds, TIME_ZONE));
        let more = [
            ("status", "booked".into()),
            ("startTime", time(self.start)),
            ("endTime", time(self.end_millis())),
            ("dateAdded", time(self.added)),
            ("dateUpdated", time(self.added)),
        ];
        fields.extend(more.map(|(key, value)| (key.to_owned(), value)));
        Value::Object(fields)
    }

    fn end_millis(&self) -> i64 {
        self.start + self.minutes * 60_000
    }
}
