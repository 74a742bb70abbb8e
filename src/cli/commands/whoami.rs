//! `ghl-bulk whoami`.

use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use super::export::export_report;
use crate::api::{Error, Kind};
use crate::cli::account::token_info::{Known, Place};
use crate::cli::account::token_source::{DEFAULT, Source};
use crate::cli::account::{Account, Accounts, Several};
use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::cli::signals;
use crate::event::Stop;

/// Show whose token is used: location, kind, where it comes from, scopes, expiry
///
/// One request asks for the location. What is known is shown also when the API cannot be reached or refuses
/// the token.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk whoami                        the token that a command would use now
  ghl-bulk whoami --profile clinic --json
  ghl-bulk whoami --all-locations        the locations that an agency's login reaches")]
pub(crate) struct Args {
    #[command(flatten)]
    several: Several,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    let accounts = Accounts::reached(global, &args.several)?;
    let screen = Screen::new(global.style());
    let (asked, screen) = (&accounts, &screen);
    let answers = signals::block_on(global.deadline, screen, |stop| async move {
        let mut answers = Vec::new();
        for account in &asked.all {
            let place = ask(asked, account, global, screen, &stop).await;
            answers.push((account, place));
        }
        Ok(answers)
    })?;
    // A renewal may have happened.
    let source = accounts.source.as_ref().map(Source::again).transpose()?;
    let known = |(account, place)| of_account(account, source.as_ref(), place);
    let mut all = answers.into_iter().map(known).collect::<Result<Vec<_>, Failure>>()?;
    if let (true, Some(source)) = (all.is_empty(), &source) {
        let kept = matches!(source, Source::Kept(..));
        let profile = global.profile_name().or(kept.then_some(DEFAULT));
        all.push((Known::new(profile, source, None), None));
    }
    show(all, global, screen)
}

type Answered = (Known, Option<Failure>);

async fn ask(
    accounts: &Accounts,
    account: &Account,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
) -> Result<Place, Failure> {
    let client = account.client(&accounts.url, global, stop, &screen.watcher(None))?;
    match client.location_details().await {
        Ok(answer) => Ok(Place::from(answer.head)),
        Err(Error { kind: Kind::Scope, .. }) => Ok(Place::default()),
        Err(error) => Err(error.into()),
    }
}

fn of_account(
    account: &Account,
    source: Option<&Source>,
    place: Result<Place, Failure>,
) -> Result<Answered, Failure> {
    let (place, failure) = match place {
        Ok(place) => (place, None),
        Err(failure) => (Place::default(), Some(failure)),
    };
    let place = Place { name: place.name.or_else(|| account.name.clone()), ..place };
    let known = match source.filter(|_| account.variable.is_none()) {
        Some(source) => Known::new(account.profile.as_deref(), source, Some(place)),
        None => Known::of_variable(account.variable.as_deref().unwrap_or_default(), Some(place))?,
    };
    Ok((Known { location: Some(account.location.clone()), ..known }, failure))
}

/// Shows what is known on stdout, and what went wrong behind it.
fn show(mut all: Vec<Answered>, global: &Global, screen: &Screen) -> Result<Code, Failure> {
    let codes = all.iter().filter_map(|(_, failure)| Some(failure.as_ref()?.code));
    let code = codes.max_by_key(|code| *code as u8).unwrap_or(Code::Done);
    if global.json {
        screen.emit(&json(&all, code));
        return Ok(code);
    }
    let mut out = io::stdout().lock();
    for (at, (known, _)) in all.iter().enumerate() {
        // A closed pipe is a reader that has seen enough.
        let _ = if at > 0 { writeln!(out) } else { Ok(()) };
        for (what, value) in known.lines() {
            let _ = writeln!(out, "{what:<12} {}", safe(&value));
        }
    }
    drop(out);
    if let [(_, failure)] = all.as_mut_slice() {
        return failure.take().map_or(Ok(code), Err);
    }
    for (known, failure) in &all {
        if let (Some(failure), Some(id)) = (failure, &known.location) {
            export_report::tell_failure(&safe(id.as_str()), failure);
        }
    }
    Ok(code)
}

/// The same for programs: one summary, with a part for each location where there are several.
fn json(all: &[Answered], code: Code) -> Map<String, Value> {
    let outcome = if code == Code::Done { "known" } else { "failed" };
    let one = |(known, failure): &Answered| {
        let mut fields = known.summary(code, outcome);
        if let Some(failure) = failure {
            fields.insert("error".to_owned(), failure.message.clone().into());
            fields.insert("hint".to_owned(), json!(failure.hint));
        }
        fields
    };
    if let [only] = all {
        return one(only);
    }
    let id = |known: &Known| known.location.as_ref().map(ToString::to_string).unwrap_or_default();
    let locations: Map<_, _> = all.iter().map(|it| (id(&it.0), one(it).into())).collect();
    let fields = json!({
        "event": "summary", "exit_code": code as u8, "outcome": outcome, "locations": locations,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
