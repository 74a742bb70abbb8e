//! Where a token comes from: `GHL_TOKEN`, `GHL_TOKEN_FILE`, the profile's command or file, and last what
//! `ghl-bulk login` has stored for the profile. The first that is there counts, even when it is no good.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::passphrase::CliUnlocker;
use super::secret_source;
use crate::api::{BearerToken, HttpOptions, TokenProvider};
use crate::auth::{
    self, CredentialDir, CredentialStore, OauthLogin, RefreshingTokenProvider, StoredCredentials,
    TokenCommand,
};
use crate::cli::config::Profile;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::id::LocationId;

/// The profile whose stored token is used by default.
pub(in crate::cli) const DEFAULT: &str = "default";

/// A source that was found.
#[derive(Debug)]
pub(in crate::cli) enum TokenSource {
    /// An environment variable.
    Variable(String, BearerToken),
    /// A file.
    File(PathBuf, BearerToken),
    /// A command of the profile's, which has not been asked yet.
    Command(TokenCommand, String),
    /// What `ghl-bulk login` has stored.
    Kept(CredentialStore, StoredCredentials),
    /// The embedded sandbox.
    Sandbox(BearerToken),
}

impl TokenSource {
    /// The token source, with or without a profile.
    pub(in crate::cli) fn resolve(
        profile: Option<&Profile>,
        settings: &Settings,
    ) -> Result<Self, CliError> {
        let name = profile.map_or(DEFAULT, |profile| profile.name.as_str());
        let defined = profile.is_none_or(|profile| profile.place.is_some());
        // A slip of the pen must not run with another account's token.
        if !defined && find_stored_login(name)?.is_none() {
            return Err(settings.config().unknown_profile_error(name));
        }
        if let Some(source) = Self::from_env()? {
            return Ok(source);
        }
        if let Some(profile) = profile {
            if let Some(command) = &profile.token_command {
                let line = (&command.value).into();
                return Ok(Self::Command(line, command.value.program_name().to_owned()));
            }
            if let Some(file) = &profile.token_file {
                return Self::from_file(&file.value);
            }
        }
        match find_stored_login(name)? {
            Some(store) => {
                let stored = store.load()?;
                Ok(Self::Kept(store, stored))
            }
            None => Err(no_token_error(profile)),
        }
    }

    fn from_env() -> Result<Option<Self>, CliError> {
        if env::var_os("GHL_TOKEN").is_some() {
            return Self::from_variable("GHL_TOKEN").map(Some);
        }
        env::var_os("GHL_TOKEN_FILE").map(|path| Self::from_file(Path::new(&path))).transpose()
    }

    /// The token in an environment variable.
    pub(in crate::cli) fn from_variable(name: &str) -> Result<Self, CliError> {
        let text = env::var(name).map_err(|_| {
            let said = format!(
                "the environment variable `{name}`, which should hold the token, is not set"
            );
            CliError::new(CliExitCode::Access, said)
        })?;
        let token = BearerToken::new(&text).map_err(|error| {
            CliError::new(CliExitCode::Access, format!("the token in `{name}` is invalid: {error}"))
        })?;
        Ok(Self::Variable(name.to_owned(), token))
    }

    fn from_file(path: &Path) -> Result<Self, CliError> {
        let text = secret_source::from_file(path)?;
        let token = BearerToken::new(text.expose_secret()).map_err(|error| {
            let shown = path.display();
            CliError::new(
                CliExitCode::Access,
                format!("`{shown}` does not hold a valid token: {error}"),
            )
        })?;
        Ok(Self::File(path.to_owned(), token))
    }

    /// The same source as it is now: a login may have been refreshed.
    pub(in crate::cli) fn reload(&self) -> Result<Self, CliError> {
        Ok(match self {
            Self::Variable(name, token) => Self::Variable(name.clone(), token.clone()),
            Self::File(path, token) => Self::File(path.clone(), token.clone()),
            Self::Command(line, program) => Self::Command(line.clone(), program.clone()),
            Self::Kept(store, _) => Self::Kept(store.clone(), store.load()?),
            Self::Sandbox(token) => Self::Sandbox(token.clone()),
        })
    }

    /// The token, where it is known without a prompt, a command or a request.
    pub(in crate::cli) fn known_token(&self) -> Option<&BearerToken> {
        match self {
            Self::Variable(_, token) | Self::File(_, token) | Self::Sandbox(token) => Some(token),
            Self::Kept(_, StoredCredentials::Private(private)) => Some(&private.token),
            Self::Kept(_, StoredCredentials::Oauth(login)) => Some(&login.grant.access),
            Self::Command(..) => None,
        }
    }

    /// The OAuth login, where it is one.
    pub(in crate::cli) fn oauth_login(&self) -> Option<(&CredentialStore, &OauthLogin)> {
        match self {
            Self::Kept(store, StoredCredentials::Oauth(login)) => Some((store, login)),
            _ => None,
        }
    }

    /// When a private token was first stored, or an OAuth token was last refreshed, if known.
    pub(in crate::cli) fn stored_at(&self) -> Option<Timestamp> {
        match self {
            Self::Kept(_, StoredCredentials::Private(private)) => private.stored,
            Self::Kept(_, StoredCredentials::Oauth(login)) => Some(login.grant.obtained),
            _ => None,
        }
    }

    /// The location that the login was made for.
    pub(in crate::cli) fn login_location(&self) -> Option<&LocationId> {
        match self {
            Self::Kept(_, StoredCredentials::Private(private)) => private.location.as_ref(),
            Self::Kept(_, StoredCredentials::Oauth(login)) => login.grant.location.as_ref(),
            _ => None,
        }
    }

    /// The tokens, renewed where they end.
    pub(in crate::cli) fn build_credential(
        &self,
        transport: &HttpOptions,
    ) -> Result<Arc<dyn TokenProvider>, CliError> {
        Ok(match self {
            Self::Variable(_, token) | Self::File(_, token) | Self::Sandbox(token) => {
                Arc::new(token.clone())
            }
            Self::Command(line, _) => Arc::new(auth::CommandTokenProvider::new(line.clone())),
            Self::Kept(_, StoredCredentials::Private(private)) => Arc::new(private.token.clone()),
            Self::Kept(store, StoredCredentials::Oauth(login)) => {
                Arc::new(RefreshingTokenProvider::new(store.clone(), login, transport)?)
            }
        })
    }

    /// Where it is, for people.
    pub(in crate::cli) fn describe(&self) -> String {
        match self {
            Self::Variable(name, _) => format!("environment variable `{name}`"),
            Self::File(path, _) => format!("file `{}`", path.display()),
            Self::Command(_, program) => format!("command `{program}`"),
            Self::Kept(store, _) => store.describe_storage(),
            Self::Sandbox(_) => "the embedded sandbox".to_owned(),
        }
    }

    /// The same in a word, for programs.
    pub(in crate::cli) fn kind(&self) -> &'static str {
        match self {
            Self::Variable(..) => "environment",
            Self::File(..) => "file",
            Self::Command(..) => "command",
            Self::Kept(..) => "store",
            Self::Sandbox(_) => "sandbox",
        }
    }
}

/// The directory of stored logins; `None` without a home directory.
pub(in crate::cli) fn credential_store_dir() -> Option<CredentialDir> {
    dirs::credentials_dir().map(|dir| CredentialDir { dir })
}

/// What is stored for a profile, if anything is.
pub(in crate::cli) fn find_stored_login(
    profile: &str,
) -> Result<Option<CredentialStore>, CliError> {
    let Some(credential_dir) = credential_store_dir() else { return Ok(None) };
    match CredentialStore::open_existing(&credential_dir, profile, Arc::new(CliUnlocker::default()))
    {
        // Nothing can have been stored under such a name.
        Err(auth::AuthError::Name(_)) => Ok(None),
        found => Ok(found?),
    }
}

fn no_token_error(profile: Option<&Profile>) -> CliError {
    let (whose, login) = match profile {
        None => (String::new(), "`ghl-bulk login`".to_owned()),
        Some(Profile { name, .. }) => {
            (format!(" for profile `{name}`"), format!("`ghl-bulk login --profile {name}`"))
        }
    };
    CliError::new(CliExitCode::Access, format!("no token was given{whose}")).with_hint(format!(
        "log in once with {login}; or set `GHL_TOKEN` to a Private Integration Token (Settings > Private \
         Integrations), or `GHL_TOKEN_FILE` to a file that holds one. `--sandbox` needs none"
    ))
}
