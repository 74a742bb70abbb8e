//! `ghl-bulk history`: what the mirror has seen of one contact over time.

mod history_lines;

use crate::api::LocationDetails;
use crate::cli::args::contact_arg::{ContactArg, several_contacts_error};
use crate::cli::commands::mirror::open_only_mirror;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::page_width;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::inspect::{self, ContactHistory, ContactMatch};
use crate::mirror::MirrorReader;
use crate::text::escape_json_line;

/// Show what the local copy has seen of one contact over time
///
/// Every version of the contact, its notes and its tasks that a sync has seen, also of a contact that was deleted; each
/// change with the time between the two syncs in which it happened. Sends no request and needs no token. E-mail addresses
/// and phone numbers are looked for in former versions, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk history ada@example.com
  ghl-bulk history ocQHyuzHvysMo5N5VsXc --json | jq 'select(.fields.email)'

With `--json`, each line is a change: `seq` (the sync that saw it), `kind` (the table), `change` (`insert`, `update`,
`delete`, `return`), `id`, `contact_id`, `between` (two times; the first is null where no sync was before) and `fields`,
an object of `{before, after}` by column. The API does not say who made a change; HighLevel's audit log does.")]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    contact: ContactArg,
}

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    args.contact.check()?;
    let mirror = open_only_mirror(settings, "history")?;
    // A sync that ends meanwhile changes nothing of what is shown.
    mirror.hold_snapshot()?;
    let country = if args.contact.needs_country() { location_country(&mirror)? } else { None };
    let key = args.contact.parse(country.as_deref())?;
    let id = match inspect::find_known_contact(&mirror, &key)? {
        ContactMatch::Found(id) => id,
        ContactMatch::Missing => return Err(unknown_contact_error(&args.contact)),
        ContactMatch::Several(all) => return Err(several_contacts_error(&args.contact, &all)),
    };
    let history = inspect::read_history(&mirror, &id)?;
    let history = history.ok_or_else(|| unknown_contact_error(&args.contact))?;
    print_history(&history, settings)
}

/// The country in the location's settings, as the mirror has them.
fn location_country(mirror: &MirrorReader) -> Result<Option<String>, CliError> {
    let settings = mirror.location_settings()?;
    let details = settings.and_then(|text| LocationDetails::from_json(text.as_bytes()).ok());
    Ok(details.and_then(|details| details.country))
}

fn unknown_contact_error(named: &ContactArg) -> CliError {
    let message = format!("the local copy has never seen a contact `{}`", named.text());
    CliError::new(CliExitCode::Missing, message)
        .with_hint("`ghl-bulk sync` reads what is new; `ghl-bulk show` asks the account")
}

fn print_history(history: &ContactHistory, settings: &Settings) -> Result<CliExitCode, CliError> {
    let mut text = String::new();
    if settings.json {
        for change in &history.changes {
            let line = serde_json::to_string(change).expect("a change is plain JSON");
            text.push_str(&escape_json_line(line));
            text.push('\n');
        }
    } else {
        text = history_lines::history_text(history, page_width());
    }
    print_stdout(text)?;
    Ok(CliExitCode::Done)
}
