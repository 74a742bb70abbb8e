//! `ghl-bulk logout`.

use serde_json::json;

use crate::auth::AuthError;
use crate::cli::account::token_source::{self, DEFAULT};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::text::escape_for_terminal;

/// Remove what `login` has stored for a profile
///
/// The tokens of an agency's locations are removed with it. The token itself stays valid until it is revoked
/// in HighLevel: Settings > Private Integrations, or by uninstalling the app.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk logout                      the login without a profile
  ghl-bulk logout --profile clinic     the login of a profile")]
pub(crate) struct LogoutArgs {}

/// Runs the command.
pub(crate) fn run(_: &LogoutArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let screen = CliReporter::new(settings.output_style);
    let profile = settings.profile_name().unwrap_or(DEFAULT);
    let kept = token_source::find_stored_login(profile)?;
    let mut removed = None;
    if let Some(store) = kept {
        let place = store.describe_storage();
        match store.delete_record() {
            Ok(true) => removed = Some(place),
            Ok(false) => {}
            // The record is deleted; its remaining key no longer decrypts anything.
            Err(why @ (AuthError::NoKeyring(_) | AuthError::NoEncryption)) => {
                screen.print_note(&format!("the keyring keeps an unused entry: {why}"));
                removed = Some(place);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match &removed {
        None => screen.print_note(&format!("nothing is stored for profile `{profile}`")),
        Some(place) => {
            screen.print_note(&format!(
                "removed the login of profile `{profile}`: {}",
                escape_for_terminal(place)
            ));
            screen.print_note(
                "the token itself stays valid until it is revoked in HighLevel: Settings > Private \
                 Integrations, or by uninstalling the app",
            );
        }
    }
    screen.emit_event(&json!({
        "event": "summary", "exit_code": CliExitCode::Done as u8,
        "outcome": if removed.is_some() { "logged_out" } else { "nothing" },
        "profile": profile, "token_from": removed,
    }));
    Ok(CliExitCode::Done)
}
