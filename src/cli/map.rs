//! `ghl-bulk map`.

use std::io::{self, Write};
use std::path::PathBuf;

use super::account::Accounts;
use super::exit::Code;
use super::failure::Failure;
use super::global::Global;
use super::import_args::SheetArgs;
use super::progress::Screen;
use super::signals;
use super::text::plural;
use crate::import;

/// Propose a mapping for a spreadsheet: what goes where, how sure that is, and why
///
/// Columns that are clear are mapped; likely ones are proposed and marked `# CHECK`; for the rest the
/// file asks. Look it over, and import with `--map`. With a location its custom fields are known, too;
/// without one nothing is sent at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk map leads.xlsx -o leads.toml     propose a mapping
  ghl-bulk map leads.csv                    show it on stdout
  ghl-bulk map leads.csv --offline          without asking the location for its custom fields")]
pub(super) struct Args {
    /// The spreadsheet
    file: PathBuf,

    /// Where the mapping is written; an existing file is not overwritten [default: stdout]
    #[arg(short, long, value_name = "MAP.toml")]
    out: Option<PathBuf>,

    /// Overwrite an existing mapping
    #[arg(long, requires = "out")]
    force: bool,

    /// Do not ask the location for its custom fields
    #[arg(long)]
    offline: bool,

    #[command(flatten)]
    sheet: SheetArgs,
}

/// Runs the command.
pub(super) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    if !args.file.exists() {
        let shown = args.file.display();
        return Err(Failure::usage(format!("`{shown}`: there is no such file")));
    }
    let screen = Screen::new(global.style());
    // A mapping can be made without an account; one that is given is asked for its fields.
    let accounts = match Accounts::find(global, None) {
        _ if args.offline => None,
        Ok(accounts) => Some(accounts),
        Err(_) if !global.sandbox => None,
        Err(failure) => return Err(failure),
    };
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(global.deadline, screen, |stop| async move {
        let client = match accounts {
            None => None,
            Some(accounts) => {
                let watcher = screen.watcher(None);
                Some(accounts.all[0].client(&accounts.url, global, &stop, &watcher)?)
            }
        };
        let proposed = import::propose(client.as_ref(), &args.file, &args.sheet.reading()).await;
        screen.finish();
        let proposed = proposed.map_err(|error| Failure::of_import(error.into(), &stop))?;
        if client.is_none() && !args.offline {
            screen.line("no account is given, so custom fields of the location are not known");
        }
        for (_, message) in &proposed.warnings {
            screen.line(&format!("note: {message}"));
        }
        write(args, &proposed.text)?;
        screen.line(&format!(
            "{} mapped, {} to check, {} to decide, {} ignored",
            plural(proposed.accepted, "column"),
            proposed.to_check,
            proposed.to_decide,
            proposed.ignored
        ));
        Ok(Code::Done)
    })
}

fn write(args: &Args, text: &str) -> Result<(), Failure> {
    let Some(path) = &args.out else {
        let written = io::stdout().lock().write_all(text.as_bytes());
        return match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::usage(format!("stdout cannot be written: {error}")))
            }
            _ => Ok(()),
        };
    };
    let shown = path.display();
    if path.exists() && !args.force {
        return Err(
            Failure::usage(format!("`{shown}` exists")).hint("give `--force` to overwrite it")
        );
    }
    std::fs::write(path, text).map_err(|error| Failure::usage(format!("`{shown}`: {error}")))
}
