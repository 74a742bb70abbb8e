//! `ghl-bulk logout`.

use serde_json::json;

use crate::auth::Error;
use crate::cli::account::token_source::{self, DEFAULT};
use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;

/// Remove what `login` has stored for a profile
///
/// The tokens of an agency's locations go with it. The token itself stays valid until it is taken back in
/// HighLevel: Settings > Private Integrations, or by uninstalling the app.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk logout                      the login that no profile names
  ghl-bulk logout --profile clinic     that of a profile")]
pub(crate) struct Args {}

/// Runs the command.
pub(crate) fn run(_: &Args, global: &Global) -> Result<Code, Failure> {
    let screen = Screen::new(global.style());
    let profile = global.profile_name().unwrap_or(DEFAULT);
    let kept = token_source::kept(profile)?;
    let mut removed = None;
    if let Some(safe) = kept {
        let place = safe.describe();
        match safe.remove() {
            Ok(true) => removed = Some(place),
            Ok(false) => {}
            // The record is gone; only its key stays behind, which opens nothing any more.
            Err(Error::NoKeyring(why)) => {
                screen.line(&format!("the keyring keeps an entry without use: {why}"));
                removed = Some(place);
            }
            Err(error) => return Err(error.into()),
        }
    }
    match &removed {
        None => screen.line(&format!("nothing is stored for profile `{profile}`")),
        Some(place) => {
            screen.line(&format!("removed the login of profile `{profile}`: {}", safe(place)));
            screen.line(
                "the token itself stays valid until it is taken back in HighLevel: Settings > Private \
                 Integrations, or by uninstalling the app",
            );
        }
    }
    screen.emit(&json!({
        "event": "summary", "exit_code": Code::Done as u8,
        "outcome": if removed.is_some() { "logged_out" } else { "nothing" },
        "profile": profile, "token_from": removed,
    }));
    Ok(Code::Done)
}
