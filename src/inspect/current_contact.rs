//! One contact with everything that belongs to it, as the account has it now.
//!
//! What the token may not read, or what fails, is left out by name; only a failure that would stop every request ends the
//! reading.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::record_row::{RecordReader, RecordRow};
use crate::api::{ApiClient, ApiError, ApiErrorKind, ApiResponse, EndpointFault, RetryPolicy};
use crate::id::ContactId;
use crate::resource::{self, CustomFieldColumns, ResourceSpec};

/// The most pages of businesses that are read to find a name.
const BUSINESS_PAGES: usize = 5;
/// Businesses on a page.
const BUSINESSES_PER_PAGE: usize = 100;

/// How one contact is read: a person waits for it.
const BOUNDS: RetryPolicy = RetryPolicy { bytes: 64 << 20, ..RetryPolicy::BEST_EFFORT };

/// A contact with what belongs to it.
#[derive(Debug, Serialize)]
pub struct CurrentContact {
    /// The contact.
    #[serde(flatten)]
    pub contact: RecordRow,
    /// Its tasks; `None` if they could not be read.
    pub tasks: Option<Vec<RecordRow>>,
    /// Its notes; `None` if they could not be read.
    pub notes: Option<Vec<RecordRow>>,
    /// Its appointments; `None` if they could not be read.
    pub appointments: Option<Vec<RecordRow>>,
    /// What could not be read.
    pub left_out: Vec<LeftOutPart>,
    /// The names of the users and the business that it refers to, by id.
    #[serde(skip)]
    pub names: BTreeMap<String, String>,
    /// The labels of the custom fields, by column.
    #[serde(skip)]
    pub field_labels: BTreeMap<String, String>,
    /// The location's time zone, if it is known.
    #[serde(skip)]
    pub zone: Option<TimeZone>,
}

/// A part that could not be read.
#[derive(Debug, Serialize)]
pub struct LeftOutPart {
    /// The part, such as `appointments`.
    pub part: &'static str,
    /// The scope that the token lacks, if that is why.
    pub scope: Option<&'static str>,
    /// What the server said.
    #[serde(serialize_with = "serialize_error")]
    pub error: ApiError,
}

fn serialize_error<S: Serializer>(error: &ApiError, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(error)
}

/// Reads a contact with everything that belongs to it; `None` if it does not exist.
///
/// # Errors
/// When the contact cannot be read, or nothing can.
pub async fn read_contact(
    client: &ApiClient,
    id: &ContactId,
) -> Result<Option<CurrentContact>, ApiError> {
    let row = match client.get_raw_contact(id).await {
        Ok(response) => response.head,
        Err(error) if error.kind == ApiErrorKind::Gone || error.forbids_record() => None,
        Err(error) => return Err(error),
    };
    let Some(row) = row else { return Ok(None) };
    let row = row.get();
    let mut parts = PartReader::default();
    let (tasks, notes, appointments, location, fields) = tokio::join!(
        client.list_contact_tasks(id, BOUNDS),
        client.list_contact_notes(id, BOUNDS),
        client.list_contact_appointments(id, BOUNDS),
        client.get_location(),
        client.list_custom_fields(),
    );
    let location = parts.take("time zone", location)?;
    let zone = location.and_then(|location| location.head.timezone);
    let zone = zone.and_then(|name| TimeZone::get(&name).ok());
    let fields = parts.take("names of custom fields", fields)?;
    let fields = fields.map(|response| read_fields(&response)).unwrap_or_default();
    let mut contact_reader = RecordReader::new(&resource::CONTACTS, &fields, zone.as_ref());
    let Ok(contact) = contact_reader.read_row(row) else { return Ok(None) };
    let mut children = |part, answer, resource: &ResourceSpec, key| {
        let answer = parts.take(part, answer)?;
        let mut reader = RecordReader::new(resource, &fields, zone.as_ref());
        Ok::<_, ApiError>(answer.map(|response| read_rows(&response, key, &mut reader)))
    };
    let mut current = CurrentContact {
        contact,
        tasks: children("tasks", tasks, &resource::TASKS, "tasks")?,
        notes: children("notes", notes, &resource::NOTES, "notes")?,
        appointments: children("appointments", appointments, &resource::APPOINTMENTS, "events")?,
        left_out: Vec::new(),
        names: BTreeMap::new(),
        field_labels: super::label_fields(&fields),
        zone,
    };
    current.names = read_names(client, &current, &mut parts).await?;
    current.left_out = parts.left_out;
    Ok(Some(current))
}

/// Whether the account has a contact, as the contact's own endpoint says it. One request.
///
/// # Errors
/// When the server cannot say.
pub async fn contact_exists(client: &ApiClient, id: &ContactId) -> Result<bool, ApiError> {
    match client.get_raw_contact(id).await {
        Ok(response) => Ok(response.head.is_some()),
        Err(error) if error.kind == ApiErrorKind::Gone || error.forbids_record() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes what can be read, and notes what cannot.
#[derive(Default)]
struct PartReader {
    left_out: Vec<LeftOutPart>,
}

impl PartReader {
    fn take<T>(
        &mut self,
        part: &'static str,
        answer: Result<ApiResponse<T>, ApiError>,
    ) -> Result<Option<ApiResponse<T>>, ApiError> {
        let error = match answer {
            Ok(response) => return Ok(Some(response)),
            Err(error) => error,
        };
        let lacks_scope = matches!(
            error.kind,
            ApiErrorKind::Scope | ApiErrorKind::EndpointFailing(EndpointFault::Scope)
        );
        if error.is_fatal() && !matches!(error.kind, ApiErrorKind::EndpointFailing(_)) {
            return Err(error);
        }
        let scope = lacks_scope.then(|| error.route.required_scope());
        self.left_out.push(LeftOutPart { part, scope, error });
        Ok(None)
    }
}

fn read_fields<T>(response: &ApiResponse<T>) -> CustomFieldColumns {
    let answer = std::str::from_utf8(&response.body).unwrap_or_default();
    CustomFieldColumns::from_sound_definitions(resource::response_rows(answer, "customFields"))
}

/// The records in a response. A row that is no record is left out, as an export leaves it out.
fn read_rows<T>(response: &ApiResponse<T>, key: &str, reader: &mut RecordReader) -> Vec<RecordRow> {
    let answer = std::str::from_utf8(&response.body).unwrap_or_default();
    resource::response_rows(answer, key).filter_map(|row| reader.read_row(row).ok()).collect()
}

/// The names of the users and the business that a contact and its records refer to.
async fn read_names(
    client: &ApiClient,
    current: &CurrentContact,
    parts: &mut PartReader,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut names = BTreeMap::new();
    if !referenced_users(current).is_empty()
        && let Some(users) = parts.take("names of users", client.list_users().await)?
    {
        names.extend(named_rows(&users, "users"));
    }
    if let Some(business) = current.contact.text("business_id") {
        for page in 0..BUSINESS_PAGES {
            let answer = client.list_businesses(page * BUSINESSES_PER_PAGE).await;
            let Some(answer) = parts.take("name of the business", answer)? else { break };
            names.extend(named_rows(&answer, "businesses").filter(|(id, _)| id == business));
            if names.contains_key(business) || answer.head.rows < BUSINESSES_PER_PAGE {
                break;
            }
        }
    }
    Ok(names)
}

/// The ids and names of the rows in a response.
fn named_rows<T>(response: &ApiResponse<T>, key: &str) -> impl Iterator<Item = (String, String)> {
    let answer = std::str::from_utf8(&response.body).unwrap_or_default();
    let text = |row: &str, key: &str| {
        resource::find_text_member(row, key).filter(|text| !text.trim().is_empty())
    };
    resource::response_rows(answer, key).filter_map(move |row| {
        let name = text(row, "name").or_else(|| {
            let both = [text(row, "firstName"), text(row, "lastName")];
            let both: Vec<String> = both.into_iter().flatten().collect();
            (!both.is_empty()).then(|| both.join(" "))
        });
        Some((text(row, "id")?, name?))
    })
}

fn referenced_users(current: &CurrentContact) -> BTreeSet<&str> {
    let contact = &current.contact;
    let followers = contact.value("followers").as_array().into_iter().flatten();
    let own = contact.text("assigned_to").into_iter().chain(followers.filter_map(Value::as_str));
    let children = [
        (&current.tasks, "assigned_to"),
        (&current.notes, "user_id"),
        (&current.appointments, "assigned_user_id"),
    ];
    let children = children
        .into_iter()
        .flat_map(|(rows, column)| rows.iter().flatten().filter_map(|row| row.text(column)));
    own.chain(children).collect()
}
