//! The names of a snapshot: its custom fields, users and businesses.

use serde_json::Value;

use crate::id::LocationId;
use crate::import::ImportError;
use crate::model::LocationDirectory;
use crate::repository::Chain;

/// Reads the names that a snapshot has.
///
/// # Errors
/// When the snapshot is damaged, or cannot be decrypted.
pub fn load_source_directory(chain: &Chain) -> Result<LocationDirectory, ImportError> {
    let location: LocationId = chain.manifest().location.id.clone();
    let (settings, _) = chain.read_location()?;
    let settings = settings.unwrap_or_else(|| "{}".to_owned());
    let fields = list_response(chain, "custom_fields", "customFields")?;
    let users = list_response(chain, "users", "users")?;
    let businesses = list_response(chain, "businesses", "businesses")?;
    LocationDirectory::from_responses(
        location,
        settings.as_bytes(),
        &fields,
        Some(&users),
        &[businesses],
    )
    .map_err(list_error)
}

/// The records of a table as the response that the API lists them with.
fn list_response(chain: &Chain, table: &str, key: &str) -> Result<Vec<u8>, ImportError> {
    let mut list: Vec<Value> = Vec::new();
    for record in chain.records(table)? {
        list.push(serde_json::from_str(&record?.body).map_err(list_error)?);
    }
    serde_json::to_vec(&serde_json::json!({ key: list })).map_err(list_error)
}

#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn list_error(error: serde_json::Error) -> ImportError {
    ImportError::Answer(format!("a list of the snapshot: {error}"))
}
