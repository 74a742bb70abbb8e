//! A Private Integration Token: asked for, looked at, and tried.

use std::io;

use secrecy::{ExposeSecret as _, SecretString};

use super::args::LoginArgs;
use crate::api::BearerToken;
use crate::cli::account::{prompt, secret_source};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::question::can_ask;

/// The token that the person gives.
pub(super) fn read_token(args: &LoginArgs) -> Result<BearerToken, CliError> {
    let text = if args.stdin || !can_ask() {
        secret_source::from_reader(io::stdin().lock())
            .map_err(|error| CliError::usage(format!("stdin cannot be read: {error}")))?
    } else {
        prompt::prompt_secret("Private Integration Token (not shown): ")?
    };
    let token = BearerToken::new(text.expose_secret()).map_err(|error| {
        CliError::new(CliExitCode::Access, format!("the token is invalid: {error}"))
            .with_hint("create a Private Integration Token under Settings > Private Integrations")
    })?;
    if !args.no_check {
        ensure_private_token(&text)?;
    }
    Ok(token)
}

/// Refuses text that is clearly not such a token, without repeating it.
fn ensure_private_token(text: &SecretString) -> Result<(), CliError> {
    let text = text.expose_secret().trim();
    // api.md §9.
    if text.starts_with("pit-") {
        return Ok(());
    }
    let refused = |what: &str| {
        CliError::new(
            CliExitCode::Access,
            format!("this is {what}, not a Private Integration Token"),
        )
    };
    if text.starts_with("eyJ") && text.matches('.').count() == 2 {
        return Err(refused("an OAuth token or an API key of version 1").with_hint(
            "`ghl-bulk login --oauth` logs in with an app; keys of version 1 have ended",
        ));
    }
    if text.contains("://") {
        return Err(refused("an address"));
    }
    if text.contains('@') {
        return Err(refused("an e-mail address or a password"));
    }
    Err(refused("something that does not begin with `pit-`").with_hint(
        "it is made under Settings > Private Integrations and shown once; `--no-check` keeps whatever is \
         given",
    ))
}
