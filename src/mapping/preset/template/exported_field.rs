//! Values of records that are exported and never imported: appointments and businesses.
//!
//! They are no targets of a mapping, so a template names them by words of their own.

use super::{APPOINTMENTS, BUSINESSES};

/// Declares the values, each with its name in a template, its table and its key in the API.
macro_rules! exported_fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal in $table:ident as $key:literal,)*) => {
        /// A value of an appointment or of a business.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ExportedField {
            $($(#[$doc])* $variant,)*
        }

        impl ExportedField {
            /// Its name in templates.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The value with this name.
            pub(super) fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            /// The table whose rows have it.
            #[must_use]
            pub fn table(self) -> &'static str {
                match self { $(Self::$variant => $table,)* }
            }

            /// Its key in the responses of the API.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }
        }
    };
}

exported_fields! {
    /// The appointment's id.
    AppointmentId = "appointment.id" in APPOINTMENTS as "id",
    /// The name of its calendar, or the calendar's id where the name is not known.
    AppointmentCalendar = "appointment.calendar" in APPOINTMENTS as "calendarId",
    /// Its title.
    AppointmentTitle = "appointment.title" in APPOINTMENTS as "title",
    /// When it starts.
    AppointmentStart = "appointment.start" in APPOINTMENTS as "startTime",
    /// When it ends.
    AppointmentEnd = "appointment.end" in APPOINTMENTS as "endTime",
    /// Its status, such as `confirmed`.
    AppointmentStatus = "appointment.status" in APPOINTMENTS as "appointmentStatus",
    /// Where it takes place.
    AppointmentAddress = "appointment.address" in APPOINTMENTS as "address",
    /// Notes about it.
    AppointmentNotes = "appointment.notes" in APPOINTMENTS as "notes",
    /// The id of the user it is assigned to.
    AppointmentUser = "appointment.assignedTo" in APPOINTMENTS as "assignedUserId",
    /// The business's id.
    BusinessId = "business.id" in BUSINESSES as "id",
    /// Its name.
    BusinessName = "business.name" in BUSINESSES as "name",
    /// Its phone number.
    BusinessPhone = "business.phone" in BUSINESSES as "phone",
    /// Its e-mail address.
    BusinessEmail = "business.email" in BUSINESSES as "email",
    /// Its web site.
    BusinessWebsite = "business.website" in BUSINESSES as "website",
    /// Street and number.
    BusinessAddress = "business.address" in BUSINESSES as "address",
    /// City.
    BusinessCity = "business.city" in BUSINESSES as "city",
    /// State or region.
    BusinessState = "business.state" in BUSINESSES as "state",
    /// Postal code.
    BusinessPostalCode = "business.postalCode" in BUSINESSES as "postalCode",
    /// Country.
    BusinessCountry = "business.country" in BUSINESSES as "country",
}
