//! `ghl-bulk whoami`.

use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use super::several_locations::print_location_error;
use crate::api::{ApiError, ApiErrorKind};
use crate::cli::account::token_info::{TokenInfo, TokenLocationInfo};
use crate::cli::account::token_source::{DEFAULT, TokenSource};
use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts, MultiLocationArgs};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::stdout_failure;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::event::CancelSignal;
use crate::text::escape_for_terminal;

/// Show the token in use: location, kind, source, scopes, expiry
///
/// Makes one request for the location. What the token itself says is also shown when the API cannot be
/// reached or rejects the token.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk whoami                        the token that a command would use now
  ghl-bulk whoami --profile clinic --json
  ghl-bulk whoami --all-locations        the locations that an agency login can access")]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    several: MultiLocationArgs,
}

/// Runs the command.
pub(crate) fn run(args: &WhoamiArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let accounts = LocationAccounts::resolve_allow_empty(settings, &args.several)?;
    let screen = CliReporter::new(settings.output_style);
    let (asked, screen) = (&accounts, &screen);
    let answers = signals::block_on(settings.deadline, screen, |stop| async move {
        let mut answers = Vec::new();
        for account in &asked.all {
            let place = fetch_location(asked, account, settings, screen, &stop).await;
            answers.push((account, place));
        }
        Ok(answers)
    })?;
    // A renewal may have happened.
    let source = accounts.source.as_ref().map(TokenSource::reload).transpose()?;
    let known = |(account, place)| whoami_entry(account, source.as_ref(), place);
    let mut all = answers.into_iter().map(known).collect::<Result<Vec<_>, CliError>>()?;
    if let (true, Some(source)) = (all.is_empty(), &source) {
        let kept = matches!(source, TokenSource::Kept(..));
        let profile = settings.profile_name().or(kept.then_some(DEFAULT));
        all.push((TokenInfo::new(profile, source, None), None));
    }
    print_entries(all, settings, screen)
}

type WhoamiEntry = (TokenInfo, Option<CliError>);

async fn fetch_location(
    accounts: &LocationAccounts,
    account: &LocationAccount,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<TokenLocationInfo, CliError> {
    let client = account.build_client(
        &accounts.url,
        settings,
        ClientPurpose::Interactive("whoami"),
        stop,
        &screen.location_observer(None),
    )?;
    match client.get_location().await {
        Ok(answer) => Ok(TokenLocationInfo::from(answer.head)),
        Err(ApiError { kind: ApiErrorKind::Scope, .. }) => Ok(TokenLocationInfo::default()),
        Err(error) => Err(error.into()),
    }
}

fn whoami_entry(
    account: &LocationAccount,
    source: Option<&TokenSource>,
    place: Result<TokenLocationInfo, CliError>,
) -> Result<WhoamiEntry, CliError> {
    let (place, failure) = match place {
        Ok(place) => (place, None),
        Err(failure) => (TokenLocationInfo::default(), Some(failure)),
    };
    let place = TokenLocationInfo { name: place.name.or_else(|| account.name.clone()), ..place };
    let known = match source.filter(|_| account.variable.is_none()) {
        Some(source) => TokenInfo::new(account.profile.as_deref(), source, Some(place)),
        None => {
            TokenInfo::from_variable(account.variable.as_deref().unwrap_or_default(), Some(place))?
        }
    };
    Ok((TokenInfo { location: Some(account.location.clone()), ..known }, failure))
}

/// Shows what is known on stdout, and what went wrong behind it.
fn print_entries(
    mut all: Vec<WhoamiEntry>,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let codes = all.iter().filter_map(|(_, failure)| Some(failure.as_ref()?.code));
    let code = codes.max_by_key(|code| *code as u8).unwrap_or(CliExitCode::Done);
    if settings.json {
        screen.emit_event(&summary_event(&all, code));
        return Ok(code);
    }
    let mut out = io::stdout().lock();
    for (at, (known, _)) in all.iter().enumerate() {
        stdout_failure::remember_failure(if at > 0 { writeln!(out) } else { Ok(()) });
        for (what, value) in known.labeled_values() {
            let value = escape_for_terminal(&value);
            stdout_failure::remember_failure(writeln!(out, "{what:<12} {value}"));
        }
    }
    drop(out);
    if let [(_, failure)] = all.as_mut_slice() {
        return failure.take().map_or(Ok(code), Err);
    }
    for (known, failure) in &all {
        if let (Some(failure), Some(id)) = (failure, &known.location) {
            print_location_error(&escape_for_terminal(id.as_str()), failure);
        }
    }
    Ok(code)
}

/// The same for programs: one summary, with a part for each location where there are several.
fn summary_event(all: &[WhoamiEntry], code: CliExitCode) -> Map<String, Value> {
    let outcome = if code == CliExitCode::Done { "known" } else { "failed" };
    let one = |(known, failure): &WhoamiEntry| {
        let mut fields = known.summary_event(code, outcome);
        if let Some(failure) = failure {
            fields.insert("error".to_owned(), failure.message.clone().into());
            fields.insert("hint".to_owned(), json!(failure.hint));
        }
        fields
    };
    if let [only] = all {
        return one(only);
    }
    let id =
        |known: &TokenInfo| known.location.as_ref().map(ToString::to_string).unwrap_or_default();
    let locations: Map<_, _> = all.iter().map(|it| (id(&it.0), one(it).into())).collect();
    let fields = json!({
        "event": "summary", "exit_code": code as u8, "outcome": outcome, "locations": locations,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
