//! What a restore cannot bring back, named before anything is sent: `losses.csv`.

use std::path::Path;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::import::results::{AtomicCsvWriter, LOSSES_CSV};
use crate::model::Channel;
use crate::plan::restore::SnapshotContact;
use crate::text::escape_for_table;

/// A note that was read longer before the snapshot than this may have a successor that the snapshot lacks.
const STALE_MS: i64 = 60 * 60 * 1000;
/// What of a contact the API sets itself or does not take, with the reason.
const UNWRITABLE: [(&str, &str); 7] = [
    ("dateAdded", "the API sets the date itself"),
    ("followers", "the API does not take followers of a new contact"),
    ("attributionSource", "the API does not take where a contact came from"),
    ("lastAttributionSource", "the API does not take where a contact came from"),
    ("attributions", "the API does not take where a contact came from"),
    ("opportunities", "opportunities are not in a backup; they were deleted with the contact"),
    ("profilePhoto", "the API does not take photos"),
];

/// Writes the losses, one on each line.
pub(super) struct LossWriter {
    table: AtomicCsvWriter,
    count: u64,
}

/// A value that is not brought back.
pub(super) struct Loss<'a> {
    /// The contact's former id.
    pub(super) contact: &'a str,
    /// What has the value: `contact`, `note`, `task` or `appointment`.
    pub(super) record: &'a str,
    /// The former id of that record.
    pub(super) id: &'a str,
    /// The field.
    pub(super) field: &'a str,
    /// The value, as the snapshot has it.
    pub(super) value: &'a str,
    /// Why it is lost.
    pub(super) why: &'a str,
}

impl LossWriter {
    pub(super) fn new(out: &Path) -> Result<Self, ImportError> {
        let header = ["contact_id", "record", "id", "field", "value", "why"].map(str::to_owned);
        Ok(Self { table: AtomicCsvWriter::new(out, LOSSES_CSV, &header)?, count: 0 })
    }

    pub(super) fn add(&mut self, loss: &Loss<'_>) -> Result<(), ImportError> {
        let Loss { contact, record, id, field, value, why } = loss;
        let cells = [*contact, record, id, field, value, why];
        self.count += 1;
        self.table.write_record(&cells.map(|cell| escape_for_table(cell).into_owned()))
    }

    /// What is lost of a contact that is recreated, whatever the location: `raw` is the contact as the snapshot has it.
    pub(super) fn add_recreated(
        &mut self,
        id: &str,
        raw: &Value,
        contact: &SnapshotContact,
    ) -> Result<(), ImportError> {
        for (field, why) in UNWRITABLE {
            let value = &raw[field];
            let is_empty = match value {
                Value::Null => true,
                Value::Array(list) => list.is_empty(),
                Value::Object(map) => map.is_empty(),
                Value::String(text) => text.is_empty(),
                _ => false,
            };
            if !is_empty {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.add(&Loss { contact: id, record: "contact", id, field, value: &text, why })?;
            }
        }
        for channel in unwritable_blocks(raw) {
            let field = format!("dndSettings.{channel}");
            let why = "the API does not take this channel: block it in HighLevel";
            let (field, value) = (field.as_str(), "blocked");
            self.add(&Loss { contact: id, record: "contact", id, field, value, why })?;
        }
        let remote = &contact.remote;
        let more = [
            ("additionalEmails", &remote.additional_emails),
            ("additionalPhones", &remote.additional_phones),
        ];
        for (field, values) in more {
            for value in values {
                let why = "the API writes one e-mail address and one phone number";
                self.add(&Loss { contact: id, record: "contact", id, field, value, why })?;
            }
        }
        Ok(())
    }

    /// What the plan of a contact warns of.
    pub(super) fn add_warnings(
        &mut self,
        id: &str,
        warnings: &[Diagnostic],
    ) -> Result<(), ImportError> {
        use DiagnosticCode as Code;
        // These have a line for each value already.
        let named = [Code::W_MULTI_EMAIL, Code::W_MULTI_PHONE];
        for warning in warnings.iter().filter(|warning| !named.contains(&warning.code)) {
            let (field, why) = (&warning.field, &warning.message);
            self.add(&Loss { contact: id, record: "contact", id, field, value: "", why })?;
        }
        Ok(())
    }

    /// Notes that were read a while before the snapshot was made.
    pub(super) fn add_reading_time(
        &mut self,
        id: &str,
        read_at_ms: i64,
        as_of: jiff::Timestamp,
    ) -> Result<(), ImportError> {
        let Ok(read) = jiff::Timestamp::from_millisecond(read_at_ms) else { return Ok(()) };
        if as_of.as_millisecond() - read_at_ms <= STALE_MS {
            return Ok(());
        }
        let why = "the contact's notes were last read then: later ones are not in the snapshot";
        let value = read.to_string();
        self.add(&Loss {
            contact: id,
            record: "note",
            id: "",
            field: "read_at",
            value: &value,
            why,
        })
    }

    /// Completes the file, and gives the number of its lines.
    pub(super) fn commit(self) -> Result<u64, ImportError> {
        self.table.commit()?;
        Ok(self.count)
    }
}

/// The blocked channels that the API returns and does not take, such as RCS (api.md §5.18).
fn unwritable_blocks(raw: &Value) -> Vec<&str> {
    let channels = raw["dndSettings"].as_object().into_iter().flatten();
    let is_known = |name: &str| Channel::ALL.iter().any(|it| it.name().eq_ignore_ascii_case(name));
    let is_blocked = |state: &Value| {
        let status = state["status"].as_str().unwrap_or_default();
        ["active", "permanent"].iter().any(|blocked| status.eq_ignore_ascii_case(blocked))
    };
    let lost = channels.filter(|(name, state)| !is_known(name) && is_blocked(state));
    lost.map(|(name, _)| name.as_str()).collect()
}
