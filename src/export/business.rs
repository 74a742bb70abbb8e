//! Resolves `--business`, given as an id or a name.

use serde_json::Value;

use super::{ExportError, ExportRequest};
use crate::api::{ApiClient, ApiErrorKind, RepeatedPages};
use crate::id::BusinessId;

/// Finds the business that `--business` identifies, by id or by name.
pub(super) async fn resolve_id(
    client: &ApiClient,
    mut request: ExportRequest,
) -> Result<ExportRequest, ExportError> {
    let Some(wanted) = request.filters.business.clone() else { return Ok(request) };
    let (mut skip, mut pages) = (0, RepeatedPages::default());
    loop {
        let page = match client.list_businesses(skip).await {
            Ok(page) => page,
            // Without the list, the value must be an id.
            Err(error) if error.kind == ApiErrorKind::Scope => break,
            Err(error) => return Err(error.into()),
        };
        let named = parse_businesses(&page.body).into_iter();
        let mut named =
            named.filter(|(id, name)| *id == wanted || name.eq_ignore_ascii_case(&wanted));
        if let Some((id, _)) = named.next() {
            if named.next().is_some() {
                let message =
                    format!("two businesses have the name `{wanted}`; give the id of one of them");
                return Err(ExportError::Request(message));
            }
            request.filters.business_id = Some(parse_business_id(&id)?);
            return Ok(request);
        }
        let is_circle = pages.add_ids(page.head.ids.iter().map(String::as_str));
        if page.head.rows == 0 || is_circle {
            return Err(ExportError::Request(format!(
                "no business is named `{wanted}` or has that id"
            )));
        }
        skip += page.head.rows;
    }
    request.filters.business_id = Some(parse_business_id(&wanted)?);
    Ok(request)
}

fn parse_business_id(text: &str) -> Result<BusinessId, ExportError> {
    text.parse().map_err(|error: crate::id::InvalidId| ExportError::Request(error.to_string()))
}

/// The id and the name of each business in a response.
fn parse_businesses(body: &[u8]) -> Vec<(String, String)> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = answer["businesses"].as_array().into_iter().flatten();
    rows.map(|row| (text(row, "id"), text(row, "name"))).collect()
}
