//! `ghl-bulk login`.

mod args;
mod authorize;
mod browser;
mod loopback;
mod oauth_login;
mod private_integration;
mod save_login;

pub(in crate::cli) use args::LoginArgs;

use crate::api::{self, ApiErrorKind, BearerToken};
use crate::auth::{CredentialStore, PrivateIntegration, StoredCredentials};
use crate::cli::account::token_source::{DEFAULT, TokenSource};
use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts, prompt, token_info};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::can_ask;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::LocationId;
use crate::text::escape_for_terminal;
use oauth_login::OauthLoginFlow;
use token_info::{TokenInfo, TokenLocationInfo};

/// Runs the command.
pub(crate) fn run(args: &LoginArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    if settings.sandbox {
        return Err(CliError::usage("`--sandbox` does not need a login"));
    }
    let profile = settings.profile_name().unwrap_or(DEFAULT);
    let url = LocationAccounts::resolve_api_url(settings)?;
    let screen = CliReporter::new(settings.output_style);
    let (store, stored, place) = if args.app.oauth {
        log_in_by_browser(args, settings, &url, profile, &screen)?
    } else {
        log_in_by_token(args, settings, &url, profile, &screen)?
    };
    let known = TokenInfo::new(Some(profile), &TokenSource::Kept(store, stored), place);
    report_login(&known, settings, &screen);
    Ok(CliExitCode::Done)
}

type LoginOutcome = (CredentialStore, StoredCredentials, Option<TokenLocationInfo>);

/// A Private Integration Token: tried first, then stored.
fn log_in_by_token(
    args: &LoginArgs,
    settings: &Settings,
    url: &str,
    profile: &str,
    screen: &CliReporter,
) -> Result<LoginOutcome, CliError> {
    let location = choose_location(args, settings)?;
    let token = private_integration::read_token(args)?;
    let place = match &location {
        Some(id) if !args.no_check => Some(
            fetch_location(id.clone(), token.clone(), url, settings, screen)
                .map_err(with_not_stored_hint)?,
        ),
        _ => None,
    };
    let store = save_login::create_store(args, settings, profile, screen)?;
    let stored = Some(save_login::first_stored(&store, &token));
    let stored = StoredCredentials::Private(PrivateIntegration { token, location, stored });
    store.save(&stored)?;
    Ok((store, stored, place))
}

/// An app: its code can be exchanged once, so the place is there before and the login stored before it is
/// tried.
fn log_in_by_browser(
    args: &LoginArgs,
    settings: &Settings,
    url: &str,
    profile: &str,
    screen: &CliReporter,
) -> Result<LoginOutcome, CliError> {
    let flow = OauthLoginFlow::new(&args.app, settings, url)?;
    let store = save_login::create_store(args, settings, profile, screen)?;
    let login = flow.log_in(settings, screen)?;
    if let (Some(chosen), wanted) = (&login.grant.location, settings.locations()?)
        && !wanted.is_empty()
        && !wanted.contains(chosen)
    {
        return Err(wrong_location_error(chosen, &wanted));
    }
    let (location, token) = (login.grant.location.clone(), login.grant.access.clone());
    let stored = StoredCredentials::Oauth(Box::new(login));
    store.save(&stored)?;
    let look = |id| fetch_location(id, token, url, settings, screen);
    let place = match location.filter(|_| !args.no_check).map(look) {
        Some(Err(failure)) if failure.code == CliExitCode::Interrupted => return Err(failure),
        Some(Err(failure)) => {
            screen.print_note(&format!("stored, but not tried: {}", failure.message));
            None
        }
        Some(Ok(place)) => Some(place),
        None => None,
    };
    Ok((store, stored, place))
}

/// The location that a token is for.
fn choose_location(args: &LoginArgs, settings: &Settings) -> Result<Option<LocationId>, CliError> {
    let mut all = settings.locations()?;
    match all.len() {
        0 if args.no_check => Ok(None),
        0 if can_ask() => {
            let text =
                prompt::prompt_line("Location id (in the browser's address after `/location/`): ")?;
            let id = text.trim().parse();
            id.map(Some).map_err(|error: crate::id::InvalidId| CliError::usage(error.to_string()))
        }
        0 => Err(CliError::usage("no location was given").with_hint(
            "give `--location ID` or set `GHL_LOCATION_ID`: find it in the browser's address after \
             `/location/`",
        )),
        1 => Ok(all.pop()),
        _ => Err(CliError::usage("a token is for one location, and several are given")
            .with_hint("log in once for each, under a `--profile` of its own")),
    }
}

/// Asks the API for the location: one request.
fn fetch_location(
    location: LocationId,
    token: BearerToken,
    url: &str,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<TokenLocationInfo, CliError> {
    let account = LocationAccount::with_token(location, token);
    let account = &account;
    signals::block_on(settings.deadline, screen, |stop| async move {
        let client = account.build_client(
            url,
            settings,
            ClientPurpose::Interactive("login"),
            &stop,
            &screen.location_observer(None),
        )?;
        match client.get_location().await {
            Ok(answer) => Ok(TokenLocationInfo::from(answer.head)),
            // The token is valid; it only lacks a scope that is optional here.
            Err(api::ApiError { kind: ApiErrorKind::Scope, .. }) => {
                Ok(TokenLocationInfo::default())
            }
            Err(error) => Err(error.into()),
        }
    })
}

/// Of a token that was not stored.
fn with_not_stored_hint(failure: CliError) -> CliError {
    let hint = failure.hint.clone().unwrap_or_default();
    let hint = match failure.code {
        CliExitCode::Usage => format!("nothing was stored; {hint}, or give `--no-check`"),
        _ => {
            "nothing was stored; a Private Integration Token begins with `pit-` and belongs to the \
              location that it was made in: check `--location`"
                .to_owned()
        }
    };
    failure.with_hint(hint)
}

fn wrong_location_error(chosen: &LocationId, wanted: &[LocationId]) -> CliError {
    let wanted: Vec<_> = wanted.iter().map(|id| format!("`{id}`")).collect();
    CliError::new(
        CliExitCode::Access,
        format!("the login is for location `{chosen}`, and {} is asked for", wanted.join(" or ")),
    )
    .with_hint("nothing was stored; choose that location on the page, or check `--location` and `GHL_LOCATION_ID`")
}

fn report_login(known: &TokenInfo, settings: &Settings, screen: &CliReporter) {
    if settings.json {
        screen.emit_event(&known.summary_event(CliExitCode::Done, "logged_in"));
        return;
    }
    screen.print_note("logged in");
    for (what, value) in known.labeled_values() {
        screen.print_note(&format!("  {what:<12} {}", escape_for_terminal(&value)));
    }
}
