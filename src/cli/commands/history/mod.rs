//! `ghl-bulk history`: what the mirror has seen of one contact over time.

mod history_lines;

use crate::api::LocationDetails;
use crate::cli::args::contact_arg::{ContactArg, several_contacts_error};
use crate::cli::commands::backup::open_repository::{
    IdentityArg, RepositoryRef, select_only_location,
};
use crate::cli::commands::mirror::open_only_mirror;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::page_width;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::inspect::{self, ContactHistory, ContactMatch};
use crate::mirror::MirrorReader;
use crate::pull::ContactKey;
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
  ghl-bulk history ada@example.com --from /backup/ghl    what the snapshots of a backup have
  ghl-bulk history ocQHyuzHvysMo5N5VsXc --json | jq 'select(.fields.email)'

With `--json`, each line is a change: `seq` (the sync that saw it), `kind` (the table), `change` (`insert`, `update`,
`delete`, `return`), `id`, `contact_id`, `between` (two times; the first is null where no sync was before) and `fields`,
an object of `{before, after}` by column. The API does not say who made a change; HighLevel's audit log does.")]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    contact: ContactArg,

    /// Read the snapshots of this repository instead of the local copy: a directory, or a name from
    /// `[repositories.NAME]` in config.toml
    #[arg(long, value_name = "REPO")]
    from: Option<String>,

    #[command(flatten)]
    identity: IdentityArg,
}

/// Runs the command.
pub(crate) fn run(args: &HistoryArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    args.contact.check()?;
    if args.from.is_some() {
        return show_snapshot_history(args, settings);
    }
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

/// Shows what the snapshots of a repository have of the contact.
fn show_snapshot_history(args: &HistoryArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.from.as_deref(), settings)?;
    let repository = place.open()?;
    let identities = place.identities(&args.identity)?;
    let (_, list) = select_only_location(&repository, settings, "history")?;
    let newest =
        list.newest().map(|newest| repository.open_chain(&list, newest, identities.clone()));
    let location = newest.transpose()?.map(|chain| chain.read_location()).transpose()?;
    let details = location.and_then(|(text, _)| LocationDetails::from_json(text?.as_bytes()).ok());
    let country = details.and_then(|details| details.country);
    let missing = || {
        let message = format!("no snapshot has a contact `{}`", args.contact.text());
        CliError::new(CliExitCode::Missing, message)
    };
    let id = match args.contact.parse(country.as_deref())? {
        ContactKey::Id(id) => id,
        key => {
            let found =
                inspect::list_snapshot_contacts(&repository, &list, identities.as_ref(), &key)?;
            let mut found: Vec<_> = found.into_values().collect();
            match found.len() {
                0 => return Err(missing()),
                1 => found.remove(0).id.parse().map_err(|_| missing())?,
                _ => return Err(several_contacts_error(&args.contact, &found)),
            }
        }
    };
    let history = inspect::read_snapshot_history(&repository, &list, identities.as_ref(), &id)?;
    print_history(&history.ok_or_else(missing)?, settings)
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
