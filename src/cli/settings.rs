//! The resolved settings of a call, which all commands share.
//!
//! [`GlobalArgs`] holds what was typed; this is built from it, the environment and the configuration, once,
//! and is what commands take. Precedence: flag, environment, profile, defaults.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::args::global::GlobalArgs;
use super::config::{ConfigFile, Profile};
use super::machine_limits;
use super::output::error::CliError;
use super::output::progress::{OutputStyle, ProgressArg};
use crate::api::{HttpOptions, QuotaPolicy};
use crate::id::{InvalidId, LocationId};

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(15);

/// What the configuration adds to what was typed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigLayers {
    pub(crate) config: ConfigFile,
    /// The profile that was chosen, by the flag, the environment or as the default of `config.toml`.
    pub(crate) profile: Option<Profile>,
    /// The options of every command that were typed.
    pub(crate) typed: Vec<OsString>,
    /// The flags, by clap's names, that the configuration has set.
    pub(crate) by_default: BTreeSet<String>,
}

/// The settings of a call, for any command.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Each once; an invalid id in the environment is an error only for commands that need a location.
    locations: Result<Vec<LocationId>, InvalidId>,
    pub(crate) location_origin: LocationOrigin,
    requested_profile: Option<String>,
    /// The API's address as the flag or the environment gives it.
    pub(crate) given_api_url: Option<String>,
    /// The configuration, and the flags it has set.
    pub(crate) layers: ConfigLayers,
    pub(crate) sandbox: bool,
    pub(crate) concurrency: NonZeroUsize,
    pub(crate) quota: QuotaPolicy,
    pub(crate) deadline: Option<jiff::Timestamp>,
    /// How connections are made.
    pub(crate) transport: HttpOptions,
    /// For how long a run tries to reach the API.
    pub(crate) retry_for: Duration,
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    /// How events are shown.
    pub(crate) output_style: OutputStyle,
    pub(crate) verbose: u8,
    /// The file to which the log of requests is appended.
    pub(crate) log: Option<PathBuf>,
}

/// Where the locations are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LocationOrigin {
    Flag,
    /// The environment, the profile, or nothing.
    Elsewhere,
}

impl Settings {
    /// Resolves what was typed, with what the configuration adds.
    pub(crate) fn new(typed: GlobalArgs, layers: ConfigLayers) -> Self {
        let location_origin = match typed.location.as_slice() {
            [] => LocationOrigin::Elsewhere,
            _ => LocationOrigin::Flag,
        };
        Self {
            output_style: output_style(&typed),
            locations: resolve_locations(typed.location, layers.profile.as_ref()),
            location_origin,
            // An empty variable names no profile.
            requested_profile: typed.profile.filter(|name| !name.is_empty()),
            given_api_url: typed.api_url,
            layers,
            sandbox: typed.sandbox,
            concurrency: machine_limits::limit_requests(typed.concurrency, typed.sandbox),
            quota: QuotaPolicy { reserve: typed.daily_reserve, wait: typed.wait },
            deadline: typed.deadline,
            transport: HttpOptions {
                patience: typed.timeout,
                connect: CONNECT,
                ca_file: typed.ca_file,
                allow_http: typed.allow_http,
            },
            retry_for: typed.retry_for,
            json: typed.json,
            quiet: typed.quiet,
            verbose: typed.verbose,
            log: typed.log,
        }
    }

    /// The locations of the flag, or else of the environment, or else of the profile, each once.
    pub(crate) fn locations(&self) -> Result<Vec<LocationId>, CliError> {
        let wrong = |error: &InvalidId| CliError::usage(format!("`GHL_LOCATION_ID`: {error}"));
        self.locations.as_ref().map_err(wrong).cloned()
    }

    pub(crate) fn config(&self) -> &ConfigFile {
        &self.layers.config
    }

    /// The profile that was chosen.
    pub(crate) fn profile(&self) -> Option<&Profile> {
        self.layers.profile.as_ref()
    }

    /// The name of the profile that was chosen.
    pub(crate) fn profile_name(&self) -> Option<&str> {
        self.profile().map(|profile| profile.name.as_str())
    }

    /// The profile that the flag or the environment names.
    pub(crate) fn requested_profile(&self) -> Option<&str> {
        self.requested_profile.as_deref()
    }

    /// The API's address of the flag, the environment or the profile.
    pub(crate) fn api_url(&self) -> Option<String> {
        let profile = || Some(self.profile()?.api_url.as_ref()?.value.clone());
        self.given_api_url.clone().or_else(profile)
    }

    /// How long a connection may be silent.
    pub(crate) fn timeout(&self) -> Duration {
        self.transport.patience
    }
}

fn output_style(typed: &GlobalArgs) -> OutputStyle {
    // The log goes to stderr line by line and would break the bars.
    let logged = typed.verbose > 0 && typed.progress == ProgressArg::Auto;
    let progress = if logged { ProgressArg::Plain } else { typed.progress };
    OutputStyle::from_flags(typed.json, progress, typed.quiet)
}

fn resolve_locations(
    typed: Vec<LocationId>,
    profile: Option<&Profile>,
) -> Result<Vec<LocationId>, InvalidId> {
    let mut all = typed;
    if all.is_empty() {
        let text = std::env::var("GHL_LOCATION_ID").unwrap_or_default();
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        all = ids.map(str::parse).collect::<Result<_, _>>()?;
    }
    if all.is_empty() {
        let location = profile.and_then(|profile| profile.location.as_ref());
        all.extend(location.map(|location| location.value.clone()));
    }
    let mut seen = BTreeSet::new();
    all.retain(|location| seen.insert(location.clone()));
    Ok(all)
}
