//! `ghl-bulk login`.

mod args;
mod authorize;
mod browser;
mod loopback;
mod oauth_login;
mod private_integration;
mod save_login;

pub(in crate::cli) use args::Args;

use crate::api::{self, Kind, Token};
use crate::auth::{Private, Safe, Stored};
use crate::cli::account::token_source::{DEFAULT, Source};
use crate::cli::account::{Account, Accounts, prompt, token_info};
use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::cli::signals;
use crate::id::LocationId;
use oauth_login::Flow;
use token_info::{Known, Place};

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    if global.sandbox {
        return Err(Failure::usage("`--sandbox` needs no login"));
    }
    let profile = global.profile_name().unwrap_or(DEFAULT);
    let url = Accounts::address(global)?;
    let screen = Screen::new(global.style());
    let (safe, stored, place) = if args.app.oauth {
        by_browser(args, global, &url, profile, &screen)?
    } else {
        by_token(args, global, &url, profile, &screen)?
    };
    let known = Known::new(Some(profile), &Source::Kept(safe, stored), place);
    tell(&known, global, &screen);
    Ok(Code::Done)
}

type Done = (Safe, Stored, Option<Place>);

/// A Private Integration Token: tried first, then stored.
fn by_token(
    args: &Args,
    global: &Global,
    url: &str,
    profile: &str,
    screen: &Screen,
) -> Result<Done, Failure> {
    let location = location(args, global)?;
    let token = private_integration::token(args)?;
    let place = match &location {
        Some(id) if !args.no_check => {
            Some(look(id.clone(), token.clone(), url, global, screen).map_err(untaken)?)
        }
        _ => None,
    };
    let safe = save_login::place(args, global, profile, screen)?;
    let stored = Stored::Private(Private { token, location });
    safe.save(&stored)?;
    Ok((safe, stored, place))
}

/// An app: its code can be exchanged once, so the place is there before and the login stored before it is
/// tried.
fn by_browser(
    args: &Args,
    global: &Global,
    url: &str,
    profile: &str,
    screen: &Screen,
) -> Result<Done, Failure> {
    let flow = Flow::new(&args.app, global, url)?;
    let safe = save_login::place(args, global, profile, screen)?;
    let login = flow.log_in(global, screen)?;
    if let (Some(chosen), wanted) = (&login.grant.location, global.locations()?)
        && !wanted.is_empty()
        && !wanted.contains(chosen)
    {
        return Err(elsewhere(chosen, &wanted));
    }
    let (location, token) = (login.grant.location.clone(), login.grant.access.clone());
    let stored = Stored::Oauth(Box::new(login));
    safe.save(&stored)?;
    let look = |id| look(id, token, url, global, screen);
    let place = match location.filter(|_| !args.no_check).map(look) {
        Some(Err(failure)) if failure.code == Code::Interrupted => return Err(failure),
        Some(Err(failure)) => {
            screen.line(&format!("stored, but not tried: {}", failure.message));
            None
        }
        Some(Ok(place)) => Some(place),
        None => None,
    };
    Ok((safe, stored, place))
}

/// The location that a token is for.
fn location(args: &Args, global: &Global) -> Result<Option<LocationId>, Failure> {
    let mut all = global.locations()?;
    match all.len() {
        0 if args.no_check => Ok(None),
        0 if prompt::possible() => {
            let text = prompt::line("Location id (in the browser's address behind `/location/`): ")?;
            let id = text.trim().parse();
            id.map(Some).map_err(|error: crate::id::Invalid| Failure::usage(error.to_string()))
        }
        0 => Err(Failure::usage("no location is given").hint(
            "give `--location ID` or set `GHL_LOCATION_ID`: it stands in the browser's address behind \
             `/location/`",
        )),
        1 => Ok(all.pop()),
        _ => Err(Failure::usage("a token is for one location, and several are given")
            .hint("log in once for each, under a `--profile` of its own")),
    }
}

/// Asks the API for the location: one request.
fn look(
    location: LocationId,
    token: Token,
    url: &str,
    global: &Global,
    screen: &Screen,
) -> Result<Place, Failure> {
    let account = Account::with(location, token);
    let account = &account;
    signals::block_on(global.deadline, screen, |stop| async move {
        let client = account.client(url, global, &stop, &screen.watcher(None))?;
        match client.location_details().await {
            Ok(answer) => Ok(Place::from(answer.head)),
            // The token is good; it only lacks what this program can do without.
            Err(api::Error { kind: Kind::Scope, .. }) => Ok(Place::default()),
            Err(error) => Err(error.into()),
        }
    })
}

/// Of a token that was not stored.
fn untaken(failure: Failure) -> Failure {
    let hint = failure.hint.clone().unwrap_or_default();
    let hint = match failure.code {
        Code::Usage => format!("nothing was stored; {hint}, or give `--no-check`"),
        _ => {
            "nothing was stored; a Private Integration Token begins with `pit-` and belongs to the \
              location that it was made in: check `--location`"
                .to_owned()
        }
    };
    failure.hint(hint)
}

fn elsewhere(chosen: &LocationId, wanted: &[LocationId]) -> Failure {
    let wanted: Vec<_> = wanted.iter().map(|id| format!("`{id}`")).collect();
    Failure::new(
        Code::Access,
        format!("the login is for location `{chosen}`, and {} is asked for", wanted.join(" or ")),
    )
    .hint("nothing was stored; choose that location on the page, or check `--location` and `GHL_LOCATION_ID`")
}

fn tell(known: &Known, global: &Global, screen: &Screen) {
    if global.json {
        screen.emit(&known.summary(Code::Done, "logged_in"));
        return;
    }
    screen.line("logged in");
    for (what, value) in known.lines() {
        screen.line(&format!("  {what:<12} {}", safe(&value)));
    }
}
