//! The accounts a command works on: location, token and address, or the embedded sandbox.

pub(super) mod protected;

mod account_error;
mod api_url;
mod location_file;
mod locations;
mod name_pattern;
pub(super) mod passphrase;
pub(super) mod prompt;
pub(super) mod secret_source;
pub(super) mod token_info;
pub(super) mod token_source;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

pub(super) use api_url::URL;
pub(super) use locations::MultiLocationArgs;

use super::config::{Profile, dirs};
use super::output::error::CliError;
use super::settings::Settings;
use crate::api::{
    ApiClient, ApiClientConfig, BearerToken, LimitPriority, RateLimiter, SharedWindow,
    TokenProvider,
};
use crate::auth::AgencyAuth;
use crate::doctor::TokenFacts;
use crate::event::{CancelSignal, SharedObserver};
use crate::id::LocationId;
use crate::import;
use crate::sandbox::{self, RunningSandbox, SandboxSettings};
use crate::text::encode_hex;
use api_url::validate_api_url;
use location_file::LocationListEntry;
use token_source::TokenSource;

/// A location and how to reach it.
#[derive(Debug)]
pub(super) struct LocationAccount {
    pub(super) location: LocationId,
    /// Its name, if the agency login knows it. From outside.
    pub(super) name: Option<String>,
    /// The environment variable that holds its token, where it is another than `GHL_TOKEN`.
    pub(super) variable: Option<String>,
    /// The profile it was found by.
    pub(super) profile: Option<String>,
    /// What its token is, as far as is known without sending it.
    pub(super) facts: TokenFacts,
    credential: Arc<dyn TokenProvider>,
}

/// The accounts, and the sandbox that serves them for as long as this value lives.
#[derive(Debug)]
pub(super) struct LocationAccounts {
    pub(super) all: Vec<LocationAccount>,
    pub(super) url: String,
    /// Where their token comes from; `None` where each has its own.
    pub(super) source: Option<TokenSource>,
    _sandbox: Option<RunningSandbox>,
}

/// For how long an interactive command tries to reach the server.
const INTERACTIVE_RETRY: Duration = Duration::from_secs(5);

/// What a client is for. A person waits for an interactive command, so it is served first.
#[derive(Debug, Clone, Copy)]
pub(super) enum ClientPurpose {
    /// A command that works for a while.
    Run(&'static str),
    /// A command that asks a few questions.
    Interactive(&'static str),
}

impl ClientPurpose {
    /// For how long a server that cannot be reached is tried again: a person does not wait for minutes.
    fn unreachable_time(self, retry_for: Duration) -> Duration {
        match self {
            Self::Run(_) => retry_for,
            Self::Interactive(_) => retry_for.min(INTERACTIVE_RETRY),
        }
    }

    fn priority(self) -> LimitPriority {
        match self {
            Self::Run(_) => LimitPriority::Background,
            Self::Interactive(_) => LimitPriority::Interactive,
        }
    }
}

/// A run's account, as the run remembers it.
pub(super) struct RunAccountRef<'a> {
    pub(super) location: &'a LocationId,
    pub(super) url: &'a str,
    pub(super) variable: Option<&'a str>,
    pub(super) profile: Option<&'a str>,
    pub(super) sandbox: bool,
}

impl<'a> RunAccountRef<'a> {
    /// Of an import or an undo.
    pub(super) fn from_import_account(
        location: &'a LocationId,
        account: &'a import::ImportAccount,
    ) -> Self {
        Self {
            location,
            url: &account.url,
            variable: account.token_variable.as_deref(),
            profile: account.profile.as_deref(),
            sandbox: account.sandbox,
        }
    }
}

/// The tokens of a source: the same for all locations, or one made for each.
enum LocationCredentials {
    Same(Arc<dyn TokenProvider>),
    Each(AgencyAuth),
}

impl LocationCredentials {
    fn new(source: &TokenSource, settings: &Settings) -> Result<Self, CliError> {
        let transport = settings.transport.clone();
        match locations::agency_for_source(source, &transport)? {
            Some(agency) => Ok(Self::Each(agency)),
            None => Ok(Self::Same(source.build_credential(&transport)?)),
        }
    }

    fn credential_for(&self, location: &LocationId) -> Arc<dyn TokenProvider> {
        match self {
            Self::Same(credential) => Arc::clone(credential),
            Self::Each(agency) => agency.location_token_provider(location),
        }
    }
}

impl LocationAccounts {
    /// The accounts that the options and the environment name.
    pub(super) fn resolve(settings: &Settings, file: Option<&Path>) -> Result<Self, CliError> {
        let locations = file.map(Path::to_owned);
        Self::resolve_selected(
            settings,
            &MultiLocationArgs { locations, ..MultiLocationArgs::default() },
        )
    }

    /// The same, where an agency's locations can be asked for.
    pub(super) fn resolve_selected(
        settings: &Settings,
        several: &MultiLocationArgs,
    ) -> Result<Self, CliError> {
        let accounts = Self::resolve_allow_empty(settings, several)?;
        match &accounts.source {
            Some(source) if accounts.all.is_empty() => Err(no_location_error(source)),
            _ => Ok(accounts),
        }
    }

    /// The only account, for a command that is about one location.
    pub(super) fn only(&self, command: &str) -> Result<&LocationAccount, CliError> {
        match self.all.as_slice() {
            [account] => Ok(account),
            _ => Err(CliError::usage(format!(
                "`{command}` is about one location, and several are given"
            ))),
        }
    }

    /// The account of one location, with the token that commands have.
    pub(super) fn resolve_for_location(
        settings: &Settings,
        location: &LocationId,
    ) -> Result<Self, CliError> {
        if settings.sandbox {
            return Self::start_sandbox(vec![location.clone()], None);
        }
        let profile = settings.profile();
        let source = TokenSource::resolve(profile, settings)?;
        let url = api_url_for_token(settings.api_url(), Some(&source), settings)?;
        let account = LocationAccount {
            credential: LocationCredentials::new(&source, settings)?.credential_for(location),
            location: location.clone(),
            name: None,
            variable: None,
            profile: profile_to_record(profile, &source),
            facts: token_info::token_facts(&source),
        };
        Ok(Self { all: vec![account], url, source: Some(source), _sandbox: None })
    }

    /// The same for commands that need only a token: the location is optional.
    pub(super) fn resolve_allow_empty(
        settings: &Settings,
        several: &MultiLocationArgs,
    ) -> Result<Self, CliError> {
        if settings.sandbox {
            return match several.agency_flag() {
                None => Self::start_sandbox(settings.locations()?, None),
                Some(flag) => {
                    Err(CliError::usage(format!("`{flag}` does not go with `--sandbox`")))
                }
            };
        }
        if let Some(file) = &several.locations {
            return Self::resolve_from_file(settings, file);
        }
        let profile = settings.profile();
        let given = settings.locations()?;
        let source = TokenSource::resolve(profile, settings)?;
        let url = api_url_for_token(settings.api_url(), Some(&source), settings)?;
        let named: Vec<(LocationId, Option<String>)> = match several.agency_flag() {
            Some(_) => locations::fetch_agency_locations(several, &source, &settings.transport)?
                .into_iter()
                .map(|it| (it.id, Some(it.name).filter(|name| !name.is_empty())))
                .collect(),
            None if !given.is_empty() => given.into_iter().map(|id| (id, None)).collect(),
            None => source.login_location().map(|id| (id.clone(), None)).into_iter().collect(),
        };
        let tokens = LocationCredentials::new(&source, settings)?;
        let (profile, facts) =
            (profile_to_record(profile, &source), token_info::token_facts(&source));
        let account = |(location, name): (LocationId, Option<String>)| LocationAccount {
            credential: tokens.credential_for(&location),
            location,
            name,
            variable: None,
            profile: profile.clone(),
            facts: facts.clone(),
        };
        let all = named.into_iter().map(account).collect::<Vec<_>>();
        Ok(Self { all, url, source: Some(source), _sandbox: None })
    }

    /// The accounts of a file. A line without a variable has the token that every command has.
    fn resolve_from_file(settings: &Settings, file: &Path) -> Result<Self, CliError> {
        let listed = location_file::read_location_list(file)?;
        let profile = settings.profile();
        // Where every line has a variable no other token is needed.
        let common = listed.iter().any(|line| line.variable.is_none()).then(|| {
            let source = TokenSource::resolve(profile, settings)?;
            let tokens = LocationCredentials::new(&source, settings)?;
            Ok::<_, CliError>((source, tokens))
        });
        let common = common.transpose()?;
        let account = |LocationListEntry { location, variable, line }| {
            if let (None, Some((source, tokens))) = (&variable, &common) {
                let (profile, facts) =
                    (profile_to_record(profile, source), token_info::token_facts(source));
                let credential = tokens.credential_for(&location);
                return Ok(LocationAccount {
                    location,
                    name: None,
                    variable,
                    profile,
                    facts,
                    credential,
                });
            }
            let source = TokenSource::from_variable(variable.as_deref().unwrap_or_default());
            let source =
                source.map_err(|error| location_file::line_error(file, line, &error.message))?;
            let credential = source.build_credential(&settings.transport)?;
            let facts = token_info::token_facts(&source);
            Ok(LocationAccount { location, name: None, variable, profile: None, facts, credential })
        };
        let all = listed.into_iter().map(account).collect::<Result<_, CliError>>()?;
        let source = common.map(|(source, _)| source);
        let url = api_url_for_token(settings.api_url(), source.as_ref(), settings)?;
        Ok(Self { all, url, source, _sandbox: None })
    }

    /// The account of a run: its location, at the address it was begun with unless another is given.
    pub(super) fn resolve_for_run(
        settings: &Settings,
        run: &RunAccountRef,
    ) -> Result<Self, CliError> {
        if run.sandbox {
            return Self::start_sandbox(vec![run.location.clone()], None);
        }
        let config = settings.config();
        let profile = match (settings.requested_profile(), run.profile) {
            // The run knows better than a default does.
            (None, Some(name)) if name != token_source::DEFAULT => {
                config.select_profile(Some(name))?
            }
            (None, Some(_)) => None,
            _ => settings.profile().cloned(),
        };
        let source = match run.variable {
            Some(name) => TokenSource::from_variable(name)?,
            None => TokenSource::resolve(profile.as_ref(), settings)?,
        };
        let given = settings.given_api_url.clone().unwrap_or_else(|| run.url.to_owned());
        let url = api_url_for_token(Some(given), Some(&source), settings)?;
        let account = LocationAccount {
            location: run.location.clone(),
            name: None,
            variable: run.variable.map(str::to_owned),
            profile: profile_to_record(profile.as_ref(), &source),
            facts: token_info::token_facts(&source),
            credential: LocationCredentials::new(&source, settings)?.credential_for(run.location),
        };
        Ok(Self { all: vec![account], url, source: Some(source), _sandbox: None })
    }

    /// The address that the options and the environment name.
    pub(super) fn resolve_api_url(settings: &Settings) -> Result<String, CliError> {
        validate_api_url(
            settings.api_url().unwrap_or_else(|| URL.to_owned()),
            settings.transport.allow_http,
        )
    }

    /// A sandbox whose data changes at random, `edits` times a minute.
    pub(super) fn start_live_sandbox(
        settings: &Settings,
        edits: NonZeroU32,
    ) -> Result<Self, CliError> {
        Self::start_sandbox(settings.locations()?, Some(edits))
    }

    fn start_sandbox(
        mut locations: Vec<LocationId>,
        live: Option<NonZeroU32>,
    ) -> Result<Self, CliError> {
        if locations.is_empty() {
            locations.push(sandbox::LOCATION.parse().expect("the sandbox's location is an id"));
        }
        let settings = SandboxSettings {
            locations: locations.iter().map(ToString::to_string).collect(),
            // A try-out need not take the minutes that the real limit takes.
            limit: sandbox::LocationRateLimit::NONE,
            // The first export ends without a warning; `sandbox --awkward` serves the rest.
            awkward: false,
            live,
            ..SandboxSettings::default()
        };
        let running = sandbox::start(settings).map_err(|error| {
            CliError::usage(format!("the sandbox cannot listen on this machine: {error}"))
        })?;
        let token = BearerToken::new(sandbox::TOKEN).expect("the sandbox's token can be sent");
        let account = |location| LocationAccount::with_token(location, token.clone());
        let all = locations.into_iter().map(account).collect();
        let (url, source) = (running.url().to_owned(), Some(TokenSource::Sandbox(token.clone())));
        Ok(Self { all, url, source, _sandbox: Some(running) })
    }
}

impl LocationAccount {
    /// An account of which only the location and its token are known.
    pub(super) fn with_token(location: LocationId, token: BearerToken) -> Self {
        let facts = token_info::token_facts(&TokenSource::Sandbox(token.clone()));
        let credential = Arc::new(token);
        Self { location, name: None, variable: None, profile: None, facts, credential }
    }

    /// A client for the account. `command` is what other processes say that this one does.
    pub(super) fn build_client(
        &self,
        url: &str,
        settings: &Settings,
        command: ClientPurpose,
        stop: &CancelSignal,
        observer: &SharedObserver,
    ) -> Result<ApiClient, CliError> {
        let config = ApiClientConfig {
            url: url.to_owned(),
            credential: Arc::clone(&self.credential),
            location: self.location.clone(),
            unreachable_for: command.unreachable_time(settings.retry_for),
            transport: settings.transport.clone(),
        };
        let limiter = RateLimiter::with_shared_window(
            settings.quota,
            command.priority(),
            stop.clone(),
            observer.clone(),
            self.join_shared_window(url, settings, command),
        );
        ApiClient::new(&config, limiter, observer.clone())
            .map_err(|error| CliError::usage(error.to_string()))
    }

    /// The window that all processes of this machine use for this location and token. Without a directory for
    /// it, each process counts for itself; the embedded sandbox serves only this process.
    fn join_shared_window(
        &self,
        url: &str,
        settings: &Settings,
        purpose: ClientPurpose,
    ) -> Option<SharedWindow> {
        if settings.sandbox {
            return None;
        }
        let identity = format!("{url} {}", self.credential.rate_limit_identity());
        let digest = encode_hex(&Sha256::digest(identity.as_bytes())[..8]);
        // A command that leaves nothing on disk finds no window before there was a run.
        let create = matches!(purpose, ClientPurpose::Run(_));
        let home = dirs::runs_home().ok()?;
        let path = home.shared_window_path(&self.location, &digest, create).ok()?;
        let (ClientPurpose::Run(name) | ClientPurpose::Interactive(name)) = purpose;
        SharedWindow::join(&path, name, purpose.priority()).ok()
    }
}

/// The address that tokens of this source are sent to. A login is valid only for the address that issued
/// it.
fn api_url_for_token(
    given: Option<String>,
    source: Option<&TokenSource>,
    settings: &Settings,
) -> Result<String, CliError> {
    let login = source.and_then(TokenSource::oauth_login);
    let own =
        login.map(|(store, login)| (store.profile_name(), login.api_url.trim_end_matches('/')));
    let given =
        given.map(|url| validate_api_url(url, settings.transport.allow_http)).transpose()?;
    match (given, own) {
        (None, None) => Ok(URL.to_owned()),
        (None, Some((_, own))) => validate_api_url(own.to_owned(), settings.transport.allow_http),
        (Some(given), None) => Ok(given),
        (Some(given), Some((_, own))) if given.trim_end_matches('/') == own => Ok(given),
        (Some(given), Some((profile, own))) => Err(CliError::usage(format!(
            "the login of profile `{profile}` is valid for `{own}`, not for `{given}`"
        ))
        .with_hint(
            "check `--api-url` and `GHL_API_URL`, or log in to that address with another `--profile`",
        )),
    }
}

/// The profile that a run should remember.
fn profile_to_record(profile: Option<&Profile>, source: &TokenSource) -> Option<String> {
    match (profile, source) {
        (Some(profile), _) => Some(profile.name.clone()),
        (None, TokenSource::Kept(store, _)) => Some(store.profile_name().to_owned()),
        (None, _) => None,
    }
}

fn no_location_error(source: &TokenSource) -> CliError {
    let failure = CliError::usage("no location was given");
    if source.oauth_login().is_some_and(|(_, login)| login.is_company()) {
        return failure.with_hint(
            "the login is an agency's: give `--location ID`, `--location-name PATTERN` or \
             `--all-locations`",
        );
    }
    failure.with_hint(
        "give `--location ID` or set `GHL_LOCATION_ID`; find it in the browser's address after \
         `/location/`. `--sandbox` does not need one",
    )
}
