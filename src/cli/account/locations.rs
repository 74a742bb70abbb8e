//! Several locations in one command: by a file, by their names, or all that an agency has.

use std::path::PathBuf;

use super::name_pattern;
use super::token_source::Source;
use crate::api::{Installed, Transport};
use crate::auth::Agency;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::signals;

/// Names that a message lists.
const SHOWN: usize = 3;

/// Which locations, when not one.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Several locations")]
pub(in crate::cli) struct Several {
    /// A file of locations: one id a line, optionally a comma and the environment variable with its token
    #[arg(long, value_name = "FILE", conflicts_with = "location")]
    pub(in crate::cli) locations: Option<PathBuf>,

    /// Every location of the agency in which the app is installed (`ghl-bulk login --oauth --agency`)
    #[arg(long, conflicts_with_all = ["location", "locations"])]
    pub(in crate::cli) all_locations: bool,

    /// The agency's locations whose name fits: `*` is any text, `?` one character; repeat it for more
    #[arg(long, value_name = "PATTERN", conflicts_with_all = ["location", "locations", "all_locations"])]
    pub(in crate::cli) location_name: Vec<String>,
}

impl Several {
    /// Whether more than one location can be meant.
    pub(in crate::cli) fn asked(&self) -> bool {
        self.locations.is_some() || self.by_agency().is_some()
    }

    /// The flag that only an agency's login can follow.
    pub(super) fn by_agency(&self) -> Option<&'static str> {
        match (self.all_locations, self.location_name.as_slice()) {
            (true, _) => Some("--all-locations"),
            (false, [_, ..]) => Some("--location-name"),
            (false, []) => None,
        }
    }

    /// The locations that are meant, of those that there are, in their order.
    fn of(&self, all: Vec<Installed>) -> Result<Vec<Installed>, Failure> {
        let all: Vec<_> = all.into_iter().filter(|location| location.installed).collect();
        if all.is_empty() {
            return Err(Failure::usage("the agency has no location in which the app is installed")
                .hint("install the app for its locations, at marketplace.gohighlevel.com"));
        }
        if self.all_locations {
            return Ok(all);
        }
        for wanted in &self.location_name {
            if !all.iter().any(|location| name_pattern::fits(wanted, &location.name)) {
                return Err(unmatched(wanted, &all));
            }
        }
        let fits = |location: &Installed| {
            self.location_name.iter().any(|wanted| name_pattern::fits(wanted, &location.name))
        };
        Ok(all.into_iter().filter(fits).collect())
    }
}

fn unmatched(wanted: &str, all: &[Installed]) -> Failure {
    let names = all.iter().map(|location| location.name.as_str()).filter(|name| !name.is_empty());
    let near: Vec<_> = name_pattern::nearest(wanted, names, SHOWN);
    let near: Vec<_> = near.into_iter().map(|name| format!("`{name}`")).collect();
    let failure = Failure::usage(format!("no location's name fits `{wanted}`"));
    match near.as_slice() {
        [] => failure,
        near => failure.hint(format!("the closest: {}; `*` stands for any text", near.join(", "))),
    }
}

/// Asks the agency for the locations that are meant.
pub(super) fn ask(
    several: &Several,
    source: &Source,
    transport: &Transport,
) -> Result<Vec<Installed>, Failure> {
    let agency = agency(source, transport)?;
    let agency = agency.ok_or_else(|| no_agency(several.by_agency().unwrap_or_default()))?;
    let fail = |error| Failure::usage(format!("the system gives no event queue: {error}"));
    // A runtime of its own: what is connected here is not used again.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let all = runtime.map_err(fail)?.block_on(async {
        tokio::select! {
            all = agency.locations() => all.map_err(Failure::from),
            () = signals::any() => Err(Failure::new(Code::Interrupted, "interrupted")),
        }
    })?;
    several.of(all)
}

/// The agency of a source, where it is the login of one.
pub(super) fn agency(source: &Source, transport: &Transport) -> Result<Option<Agency>, Failure> {
    match source.login() {
        Some((safe, login)) => Ok(Agency::new(safe.clone(), login, transport)?),
        None => Ok(None),
    }
}

fn no_agency(flag: &str) -> Failure {
    Failure::usage(format!("`{flag}` needs the login of an agency, and this token is for one location")).hint(
        "log in with `ghl-bulk login --oauth --agency`, or list the locations and their tokens in a file: \
         `--locations FILE`",
    )
}
