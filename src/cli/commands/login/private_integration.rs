//! A Private Integration Token: asked for, looked at, and tried.

use std::io;

use secrecy::{ExposeSecret as _, SecretString};

use super::args::Args;
use crate::api::Token;
use crate::cli::account::{prompt, secret_source};
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;

/// The token that the person gives.
pub(super) fn token(args: &Args) -> Result<Token, Failure> {
    let text = if args.stdin || !prompt::possible() {
        secret_source::of_reader(io::stdin().lock())
            .map_err(|error| Failure::usage(format!("stdin cannot be read: {error}")))?
    } else {
        prompt::ask("Private Integration Token (not shown): ")?
    };
    let token = Token::new(text.expose_secret()).map_err(|error| {
        Failure::new(Code::Access, format!("what was given is no token: {error}"))
            .hint("a Private Integration Token is made under Settings > Private Integrations")
    })?;
    if !args.no_check {
        recognised(&text)?;
    }
    Ok(token)
}

/// Refuses what is obviously something else, without repeating it.
fn recognised(text: &SecretString) -> Result<(), Failure> {
    let text = text.expose_secret().trim();
    // api.md §9.
    if text.starts_with("pit-") {
        return Ok(());
    }
    let refused = |what: &str| {
        Failure::new(Code::Access, format!("this is {what}, not a Private Integration Token"))
    };
    if text.starts_with("eyJ") && text.matches('.').count() == 2 {
        return Err(refused("an OAuth token or an API key of version 1")
            .hint("`ghl-bulk login --oauth` logs in with an app; keys of version 1 have ended"));
    }
    if text.contains("://") {
        return Err(refused("an address"));
    }
    if text.contains('@') {
        return Err(refused("an e-mail address or a password"));
    }
    Err(refused("something that does not begin with `pit-`").hint(
        "it is made under Settings > Private Integrations and shown once; `--no-check` keeps whatever is \
         given",
    ))
}
