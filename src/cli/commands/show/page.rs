//! A contact as a page for people: what it has, in the location's time zone, without empty fields.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::output::page_text::{PageLines, flatten_json, is_empty, plain_text};
use crate::inspect::{CurrentContact, RecordRow};

/// Columns of the contact that have a place of their own on the page, or say nothing to people.
const PLACED: [&str; 22] = [
    "id",
    "location_id",
    "first_name",
    "last_name",
    "name",
    "email",
    "phone",
    "valid_email",
    "additional_emails",
    "additional_phones",
    "dnd",
    "dnd_settings",
    "inbound_dnd_settings",
    "tags",
    "address1",
    "city",
    "state",
    "postal_code",
    "country",
    "assigned_to",
    "business_id",
    "extra",
];
/// The columns whose values are instants.
const TIMES: [&str; 2] = ["date_added", "date_updated"];
/// How the columns of custom fields begin.
const CUSTOM: &str = "custom_";

/// The text of the page, safe for a terminal.
pub(super) fn page_text(contact: &CurrentContact, width: usize) -> String {
    let mut page = ContactPage { contact, lines: PageLines::new(width) };
    page.add_title();
    page.add_consent();
    page.add_fields();
    page.add_custom_fields();
    page.add_tasks();
    page.add_notes();
    page.add_appointments();
    page.add_time_zone();
    page.lines.into_text()
}

struct ContactPage<'a> {
    contact: &'a CurrentContact,
    lines: PageLines,
}

impl ContactPage<'_> {
    fn row(&self) -> &RecordRow {
        &self.contact.contact
    }

    fn add_title(&mut self) {
        let row = self.row();
        let both = [row.text("first_name"), row.text("last_name")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let texts = [Some(both.as_str()), row.text("name"), row.text("email"), row.text("phone")];
        let title = texts.into_iter().flatten().find(|text| !text.trim().is_empty());
        let title = title.unwrap_or("(no name)").to_owned();
        self.lines.add_text("", &title);
    }

    /// Whom not to contact, and how, stands first.
    fn add_consent(&mut self) {
        let row = self.row();
        let mut blocked = Vec::new();
        if row.value("dnd").as_bool() == Some(true) {
            blocked.push("all channels".to_owned());
        }
        blocked.extend(blocked_channels(row.value("dnd_settings")));
        let inbound = blocked_channels(row.value("inbound_dnd_settings"));
        if !inbound.is_empty() {
            blocked.push("messages from the contact".to_owned());
        }
        if !blocked.is_empty() {
            self.lines.add_text("  ", &format!("DO NOT DISTURB: {}", blocked.join(", ")));
        }
    }

    fn add_fields(&mut self) {
        let row = self.row().clone();
        let is_invalid = row.value("valid_email").as_bool() == Some(false);
        let remark = if is_invalid { " (not valid)" } else { "" };
        let email = row.text("email").map(|email| format!("{email}{remark}"));
        self.lines.add_field("id", row.text("id").unwrap_or_default());
        self.lines.add_field("email", &email.unwrap_or_default());
        self.lines.add_field("phone", row.text("phone").unwrap_or_default());
        self.lines.add_field("more emails", &plain_text(row.value("additional_emails")));
        self.lines.add_field("more phones", &plain_text(row.value("additional_phones")));
        self.lines.add_field("tags", &plain_text(row.value("tags")));
        self.lines.add_field("owner", &self.name_of(row.text("assigned_to")));
        self.lines.add_field("business", &self.name_of(row.text("business_id")));
        self.lines.add_field("address", &address_text(&row));
        for (column, value) in row.cells() {
            if PLACED.contains(&column) || column.starts_with(CUSTOM) || is_empty(value) {
                continue;
            }
            let text = match (column, value) {
                ("followers", Value::Array(ids)) => {
                    let names = ids.iter().map(|id| self.name_of(id.as_str()));
                    names.collect::<Vec<_>>().join(", ")
                }
                (column, Value::String(time)) if TIMES.contains(&column) => self.time_text(time),
                (_, value @ (Value::Object(_) | Value::Array(_))) => flatten_json(value),
                (_, value) => plain_text(value),
            };
            self.lines.add_field(&column.replace('_', " "), &text);
        }
    }

    fn add_custom_fields(&mut self) {
        let row = self.row().clone();
        let values =
            row.cells().filter(|(column, value)| column.starts_with(CUSTOM) && !is_empty(value));
        let mut values = values.peekable();
        if values.peek().is_none() {
            return;
        }
        self.lines.add_heading("Custom fields");
        for (column, value) in values {
            let label = self.contact.field_labels.get(column).map_or(column, String::as_str);
            let text = match value {
                Value::Object(_) => flatten_json(value),
                value => plain_text(value),
            };
            self.lines.add_field(label, &text);
        }
    }

    /// Open ones first, by their due date.
    fn add_tasks(&mut self) {
        let mut tasks: Vec<&RecordRow> = self.contact.tasks.iter().flatten().collect();
        let is_done = |task: &RecordRow| task.value("completed").as_bool() == Some(true);
        tasks.sort_by_key(|task| (is_done(task), task.text("due_date").unwrap_or("~").to_owned()));
        self.add_count_heading("Tasks", tasks.len());
        for task in tasks {
            let mark = if is_done(task) { "[x]" } else { "[ ]" };
            let due = task.text("due_date").map(|due| format!("{}  ", self.time_text(due)));
            let title = task.text("title").unwrap_or("(no title)");
            let owner = self.in_brackets(task.text("assigned_to"));
            let due = due.unwrap_or_default();
            self.lines.add_text("  ", &format!("{mark} {due}{title}{owner}"));
            self.lines.add_text("      ", task.text("body").unwrap_or_default());
        }
    }

    /// The newest first.
    fn add_notes(&mut self) {
        let mut notes: Vec<&RecordRow> = self.contact.notes.iter().flatten().collect();
        notes.sort_by_key(|note| std::cmp::Reverse(note.text("date_added").map(str::to_owned)));
        self.add_count_heading("Notes", notes.len());
        for note in notes {
            let when = note.text("date_added").map(|time| self.time_text(time));
            let title = note.text("title").map(|title| format!("  {title}")).unwrap_or_default();
            let pinned = note.value("pinned").as_bool() == Some(true);
            let pinned = if pinned { "  pinned" } else { "" };
            let by = self.in_brackets(note.text("user_id"));
            let when = when.unwrap_or_else(|| "(no date)".to_owned());
            self.lines.add_text("  ", &format!("{when}{title}{by}{pinned}"));
            self.lines.add_text("    ", note.text("body").unwrap_or_default());
        }
    }

    /// The latest first.
    fn add_appointments(&mut self) {
        let rows = self.contact.appointments.iter().flatten();
        let mut rows: Vec<&RecordRow> = rows.collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.text("start_time").map(str::to_owned)));
        self.add_count_heading("Appointments", rows.len());
        for row in rows {
            let time = |column| row.text(column).map(|time| self.time_text(time));
            let start = time("start_time").unwrap_or_else(|| "(no time)".to_owned());
            let end = time("end_time").map(|end| format!(" to {end}")).unwrap_or_default();
            let with = self.in_brackets(row.text("assigned_user_id"));
            let parts = [row.text("appointment_status"), row.text("title")];
            let mut line = vec![format!("{start}{end}")];
            line.extend(parts.into_iter().flatten().map(str::to_owned));
            self.lines.add_text("  ", &format!("{}{with}", line.join("  ")));
            for column in ["address", "notes", "description"] {
                self.lines.add_text("    ", row.text(column).unwrap_or_default());
            }
        }
    }

    fn add_count_heading(&mut self, what: &str, count: usize) {
        if count > 0 {
            self.lines.add_heading(&format!("{what} ({count})"));
        }
    }

    fn add_time_zone(&mut self) {
        let name = self.contact.zone.as_ref().and_then(TimeZone::iana_name);
        let zone = name.map_or_else(
            || "times are in UTC; the location's time zone is not known".to_owned(),
            |name| format!("times are in {name}"),
        );
        self.lines.add_heading(&zone);
    }

    /// The name of a user or business; its id where the name is not known.
    fn name_of(&self, id: Option<&str>) -> String {
        let id = id.unwrap_or_default();
        self.contact.names.get(id).map_or_else(|| id.to_owned(), Clone::clone)
    }

    fn in_brackets(&self, id: Option<&str>) -> String {
        id.map(|id| format!(" ({})", self.name_of(Some(id)))).unwrap_or_default()
    }

    /// An instant in the location's time zone, to the minute.
    fn time_text(&self, instant: &str) -> String {
        let Ok(instant) = instant.parse::<jiff::Timestamp>() else { return instant.to_owned() };
        let zone = self.contact.zone.clone().unwrap_or(TimeZone::UTC);
        instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
    }
}

/// The channels that do-not-disturb settings block, each with its reason.
fn blocked_channels(settings: &Value) -> Vec<String> {
    let channels = settings.as_object().into_iter().flatten();
    let blocked = channels
        .filter(|(_, setting)| matches!(setting["status"].as_str(), Some("active" | "permanent")));
    let text = |(channel, setting): (&String, &Value)| match setting["message"].as_str() {
        Some(reason) if !reason.trim().is_empty() => format!("{channel} ({reason})"),
        _ => channel.clone(),
    };
    blocked.map(text).collect()
}

/// The address on one line.
fn address_text(row: &RecordRow) -> String {
    let text = |column| row.text(column).filter(|text| !text.trim().is_empty());
    let state: Vec<&str> = [text("state"), text("postal_code")].into_iter().flatten().collect();
    let state = Some(state.join(" ")).filter(|state| !state.is_empty());
    let parts = [text("address1"), text("city"), state.as_deref(), text("country")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
