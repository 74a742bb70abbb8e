//! `ghl-bulk show`: one contact, as the account has it now.

mod page;

use crate::cli::account::{ClientPurpose, LocationAccount, LocationAccounts, MultiLocationArgs};
use crate::cli::args::contact_arg::{ContactArg, several_contacts_error};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::page_width;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::event::CancelSignal;
use crate::inspect::{self, ContactMatch, CurrentContact, LeftOutPart};
use crate::text::escape_json_line;

/// Show one contact with its tasks, notes and appointments
///
/// Reads the contact from the account, with some eight requests; nothing is stored. The contact is named by its id, or
/// by an e-mail address or phone number, which may be an additional one where the token may use the contact lookup. If
/// several contacts share it, they are listed (exit 2). What the token may not read is left out and named.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk show ada@example.com
  ghl-bulk show '+1 202 555 0143'
  ghl-bulk show ocQHyuzHvysMo5N5VsXc --json | jq .tags

With `--json`, the contact is one JSON object: the columns of the table `contacts`, with `tasks`, `notes` and
`appointments` as arrays of rows of their tables (null if they could not be read; `left_out` says why).")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    contact: ContactArg,
}

/// Runs the command.
pub(crate) fn run(args: &ShowArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    // A mistake costs no request.
    args.contact.check()?;
    let accounts = LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?;
    let account = accounts.only("show")?;
    let screen = CliReporter::new(settings.output_style);
    let (accounts, screen) = (&accounts, &screen);
    let contact = signals::block_on(settings.deadline, screen, |stop| async move {
        read_contact(&args.contact, (account, &accounts.url), settings, screen, &stop).await
    })?;
    screen.finish();
    print_contact(&contact, settings, screen)
}

async fn read_contact(
    named: &ContactArg,
    (account, url): (&LocationAccount, &str),
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<CurrentContact, CliError> {
    let (purpose, observer) = (ClientPurpose::Interactive("show"), screen.location_observer(None));
    let client = account.build_client(url, settings, purpose, stop, &observer)?;
    if !settings.sandbox {
        client.attach_location_facts(dirs::runs_home()?.location_facts(&account.location));
    }
    let country = if named.needs_country() {
        client.get_location().await.ok().and_then(|location| location.head.country)
    } else {
        None
    };
    let key = named.parse(country.as_deref())?;
    let id = match inspect::find_contact(&client, &key).await? {
        ContactMatch::Found(id) => id,
        ContactMatch::Missing => return Err(missing_contact_error(named)),
        ContactMatch::Several(contacts) => return Err(several_contacts_error(named, &contacts)),
    };
    inspect::read_contact(&client, &id).await?.ok_or_else(|| missing_contact_error(named))
}

fn missing_contact_error(named: &ContactArg) -> CliError {
    let message = format!("the location has no contact `{}`", named.text());
    CliError::new(CliExitCode::Missing, message).with_hint(
        "a contact that was deleted may be in the local copy: `ghl-bulk history` looks there",
    )
}

fn print_contact(
    contact: &CurrentContact,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let is_partial = contact.tasks.is_none() || contact.notes.is_none();
    let code = if is_partial { CliExitCode::Partial } else { CliExitCode::Done };
    if settings.json {
        let object = serde_json::to_string(contact).expect("a contact is plain JSON");
        print_stdout(escape_json_line(object) + "\n")?;
        return Ok(code);
    }
    print_stdout(page::page_text(contact, page_width()))?;
    for part in &contact.left_out {
        screen.print_note(&left_out_line(part));
    }
    Ok(code)
}

fn left_out_line(LeftOutPart { part, scope, error }: &LeftOutPart) -> String {
    match scope {
        Some(scope) => format!("left out: {part}, because the token lacks the scope `{scope}`"),
        None => format!("left out: {part}, which could not be read: {error}"),
    }
}
