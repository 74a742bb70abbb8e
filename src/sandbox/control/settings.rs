//! `POST /__sandbox/settings`: changes what the settings allow to change while the sandbox runs.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::ContactLookupAccess;
use crate::sandbox::store::state::SandboxState;

pub(super) fn change_settings(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    for (key, value) in request.body_object()? {
        let seconds = || {
            value
                .as_i64()
                .ok_or_else(|| EndpointError::unprocessable(format!("`{key}` needs seconds")))
        };
        match key.as_str() {
            "limit" => {
                let limit = value.as_str().unwrap_or_default().parse();
                let limit =
                    limit.map_err(|error| EndpointError::unprocessable(format!("{error}")))?;
                state.limiter.set_limit(limit);
            }
            "clock_ahead" => state.settings.clock_ahead = SignedDuration::from_secs(seconds()?),
            "token_life" => {
                let seconds = u64::try_from(seconds()?).unwrap_or_default();
                state.settings.token_life = Duration::from_secs(seconds);
            }
            "not_installed" => {
                let list = serde_json::from_value(value.clone());
                let wrong =
                    |_| EndpointError::unprocessable(format!("`{key}` needs a list of texts"));
                state.settings.not_installed = list.map_err(wrong)?;
            }
            "contact_lookup" => {
                state.settings.contact_lookup = match value.as_str() {
                    Some("everyone") => ContactLookupAccess::Everyone,
                    Some("apps") => ContactLookupAccess::Apps(401),
                    Some("apps-403") => ContactLookupAccess::Apps(403),
                    _ => {
                        let text = "`contact_lookup` is `everyone`, `apps` or `apps-403`";
                        return Err(EndpointError::unprocessable(text));
                    }
                };
            }
            "notes_search" => {
                let behavior = state.settings.notes_search.clone();
                let changed = behavior.with_changes(value.as_str().unwrap_or_default());
                let wrong = |error| EndpointError::unprocessable(format!("{error}"));
                state.set_notes_search(changed.map_err(wrong)?);
            }
            _ => return Err(EndpointError::unknown_property(&key)),
        }
    }
    let settings = &state.settings;
    let set = json!({
        "limit": state.limiter.limit().to_string(),
        "clock_ahead": settings.clock_ahead.as_secs(),
        "token_life": settings.token_life.as_secs(),
        "not_installed": settings.not_installed,
    });
    Ok(SandboxResponse::json(200, &set))
}
