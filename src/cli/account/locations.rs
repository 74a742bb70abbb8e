//! Several locations in one command: by a file, by their names, or all that an agency has.

use std::path::PathBuf;

use super::name_pattern;
use super::token_source::TokenSource;
use crate::api::{HttpOptions, InstalledLocation};
use crate::auth::AgencyAuth;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::signals;
use crate::text::matches_wildcard;

/// Names that a message lists.
const SHOWN: usize = 3;

/// Which locations, when not one.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Several locations")]
pub(in crate::cli) struct MultiLocationArgs {
    /// A file of locations: one id per line, optionally followed by a comma and the environment variable
    /// with its token
    #[arg(long, value_name = "FILE", conflicts_with = "location")]
    pub(in crate::cli) locations: Option<PathBuf>,

    /// Every location of the agency in which the app is installed (`ghl-bulk login --oauth --agency`)
    #[arg(long, conflicts_with_all = ["location", "locations"])]
    pub(in crate::cli) all_locations: bool,

    /// The agency's locations whose name matches: `*` is any text, `?` one character; repeat for more
    #[arg(long, value_name = "PATTERN", conflicts_with_all = ["location", "locations", "all_locations"])]
    pub(in crate::cli) location_name: Vec<String>,
}

impl MultiLocationArgs {
    /// Whether more than one location can be meant.
    pub(in crate::cli) fn selects_many(&self) -> bool {
        self.locations.is_some() || self.agency_flag().is_some()
    }

    /// The flag that only an agency's login can follow.
    pub(super) fn agency_flag(&self) -> Option<&'static str> {
        match (self.all_locations, self.location_name.as_slice()) {
            (true, _) => Some("--all-locations"),
            (false, [_, ..]) => Some("--location-name"),
            (false, []) => None,
        }
    }

    /// The selected locations, in the order of the available ones.
    fn select_from(&self, all: Vec<InstalledLocation>) -> Result<Vec<InstalledLocation>, CliError> {
        let all: Vec<_> = all.into_iter().filter(|location| location.installed).collect();
        if all.is_empty() {
            return Err(CliError::usage("the app is not installed in any location of the agency")
                .with_hint("install the app for its locations, at marketplace.gohighlevel.com"));
        }
        if self.all_locations {
            return Ok(all);
        }
        for wanted in &self.location_name {
            if !all.iter().any(|location| matches_wildcard(wanted, &location.name)) {
                return Err(no_name_match_error(wanted, &all));
            }
        }
        let fits = |location: &InstalledLocation| {
            self.location_name.iter().any(|wanted| matches_wildcard(wanted, &location.name))
        };
        Ok(all.into_iter().filter(fits).collect())
    }
}

fn no_name_match_error(wanted: &str, all: &[InstalledLocation]) -> CliError {
    let names = all.iter().map(|location| location.name.as_str()).filter(|name| !name.is_empty());
    let near: Vec<_> = name_pattern::closest_names(wanted, names, SHOWN);
    let near: Vec<_> = near.into_iter().map(|name| format!("`{name}`")).collect();
    let failure = CliError::usage(format!("no location's name matches `{wanted}`"));
    match near.as_slice() {
        [] => failure,
        near => {
            failure.with_hint(format!("the closest are {}; `*` matches any text", near.join(", ")))
        }
    }
}

/// Asks the agency for the locations that are meant.
pub(super) fn fetch_agency_locations(
    several: &MultiLocationArgs,
    source: &TokenSource,
    transport: &HttpOptions,
) -> Result<Vec<InstalledLocation>, CliError> {
    let agency = agency_for_source(source, transport)?;
    let agency =
        agency.ok_or_else(|| agency_required_error(several.agency_flag().unwrap_or_default()))?;
    let fail = |error| CliError::usage(format!("the system cannot create an event queue: {error}"));
    // A runtime of its own, because its connections are not used again.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let all = runtime.map_err(fail)?.block_on(async {
        tokio::select! {
            all = agency.installed_locations() => all.map_err(CliError::from),
            () = signals::wait_for_signal() => Err(CliError::new(CliExitCode::Interrupted, "interrupted")),
        }
    })?;
    several.select_from(all)
}

/// The agency of a source, where it is the login of one.
pub(super) fn agency_for_source(
    source: &TokenSource,
    transport: &HttpOptions,
) -> Result<Option<AgencyAuth>, CliError> {
    match source.oauth_login() {
        Some((store, login)) => Ok(AgencyAuth::from_login(store.clone(), login, transport)?),
        None => Ok(None),
    }
}

fn agency_required_error(flag: &str) -> CliError {
    CliError::usage(format!("`{flag}` needs the login of an agency, and this token is for one location")).with_hint(
        "log in with `ghl-bulk login --oauth --agency`, or list the locations and their tokens in a file: \
         `--locations FILE`",
    )
}
