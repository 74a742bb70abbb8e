//! Where a token comes from: `GHL_TOKEN`, `GHL_TOKEN_FILE`, the profile's command or file, and last what
//! `ghl-bulk login` has stored for the profile. The first that is there counts, even when it is no good.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::passphrase::People;
use super::secret_source;
use crate::api::{Credential, Token, Transport};
use crate::auth::{self, CommandLine, Login, Places, Renewing, Safe, Stored};
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::config::{self, Profile};
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::id::LocationId;

/// The profile whose stored token is used when none is named.
pub(in crate::cli) const DEFAULT: &str = "default";

/// A source that was found.
#[derive(Debug)]
pub(in crate::cli) enum Source {
    /// An environment variable.
    Variable(String, Token),
    /// A file.
    File(PathBuf, Token),
    /// A command of the profile's, which has not been asked yet.
    Command(CommandLine, String),
    /// What `ghl-bulk login` has stored.
    Kept(Safe, Stored),
    /// The embedded sandbox.
    Sandbox(Token),
}

impl Source {
    /// The source for a profile, or for none.
    pub(in crate::cli) fn find(
        profile: Option<&Profile>,
        global: &Global,
    ) -> Result<Self, Failure> {
        let name = profile.map_or(DEFAULT, |profile| profile.name.as_str());
        let defined = profile.is_none_or(|profile| profile.place.is_some());
        // A slip of the pen must not run with another account's token.
        if !defined && kept(name)?.is_none() {
            return Err(global.sources.config.unknown(name));
        }
        if let Some(source) = Self::of_environment()? {
            return Ok(source);
        }
        if let Some(profile) = profile {
            if let Some(command) = &profile.token_command {
                let line = match &command.value {
                    config::Command::Line(line) => CommandLine::Shell(line.clone()),
                    config::Command::List(words) => CommandLine::Program(words.clone()),
                };
                return Ok(Self::Command(line, command.value.program().to_owned()));
            }
            if let Some(file) = &profile.token_file {
                return Self::of_file(&file.value);
            }
        }
        match kept(name)? {
            Some(safe) => {
                let stored = safe.load()?;
                Ok(Self::Kept(safe, stored))
            }
            None => Err(nothing(profile)),
        }
    }

    fn of_environment() -> Result<Option<Self>, Failure> {
        if env::var_os("GHL_TOKEN").is_some() {
            return Self::of_variable("GHL_TOKEN").map(Some);
        }
        env::var_os("GHL_TOKEN_FILE").map(|path| Self::of_file(Path::new(&path))).transpose()
    }

    /// The token in an environment variable.
    pub(in crate::cli) fn of_variable(name: &str) -> Result<Self, Failure> {
        let text = env::var(name).map_err(|_| {
            let said = format!(
                "the environment variable `{name}`, which should hold the token, is not set"
            );
            Failure::new(Code::Access, said)
        })?;
        let token = Token::new(&text).map_err(|error| {
            Failure::new(Code::Access, format!("`{name}` is no token: {error}"))
        })?;
        Ok(Self::Variable(name.to_owned(), token))
    }

    fn of_file(path: &Path) -> Result<Self, Failure> {
        let text = secret_source::of_file(path)?;
        let token = Token::new(text.expose_secret()).map_err(|error| {
            let shown = path.display();
            Failure::new(Code::Access, format!("`{shown}` holds no token: {error}"))
        })?;
        Ok(Self::File(path.to_owned(), token))
    }

    /// The same source as it stands now: a login may have been renewed.
    pub(in crate::cli) fn again(&self) -> Result<Self, Failure> {
        Ok(match self {
            Self::Variable(name, token) => Self::Variable(name.clone(), token.clone()),
            Self::File(path, token) => Self::File(path.clone(), token.clone()),
            Self::Command(line, program) => Self::Command(line.clone(), program.clone()),
            Self::Kept(safe, _) => Self::Kept(safe.clone(), safe.load()?),
            Self::Sandbox(token) => Self::Sandbox(token.clone()),
        })
    }

    /// The token, where it is known without asking anybody.
    pub(in crate::cli) fn token(&self) -> Option<&Token> {
        match self {
            Self::Variable(_, token) | Self::File(_, token) | Self::Sandbox(token) => Some(token),
            Self::Kept(_, Stored::Private(private)) => Some(&private.token),
            Self::Kept(_, Stored::Oauth(login)) => Some(&login.grant.access),
            Self::Command(..) => None,
        }
    }

    /// The OAuth login, where it is one.
    pub(in crate::cli) fn login(&self) -> Option<(&Safe, &Login)> {
        match self {
            Self::Kept(safe, Stored::Oauth(login)) => Some((safe, login)),
            _ => None,
        }
    }

    /// The location that the login was made for.
    pub(in crate::cli) fn location(&self) -> Option<&LocationId> {
        match self {
            Self::Kept(_, Stored::Private(private)) => private.location.as_ref(),
            Self::Kept(_, Stored::Oauth(login)) => login.grant.location.as_ref(),
            _ => None,
        }
    }

    /// The tokens, renewed where they end.
    pub(in crate::cli) fn credential(
        &self,
        transport: &Transport,
    ) -> Result<Arc<dyn Credential>, Failure> {
        Ok(match self {
            Self::Variable(_, token) | Self::File(_, token) | Self::Sandbox(token) => {
                Arc::new(token.clone())
            }
            Self::Command(line, _) => Arc::new(auth::Command::new(line.clone())),
            Self::Kept(_, Stored::Private(private)) => Arc::new(private.token.clone()),
            Self::Kept(safe, Stored::Oauth(login)) => {
                Arc::new(Renewing::new(safe.clone(), login, transport)?)
            }
        })
    }

    /// Where it is, for people.
    pub(in crate::cli) fn shown(&self) -> String {
        match self {
            Self::Variable(name, _) => format!("environment variable `{name}`"),
            Self::File(path, _) => format!("file `{}`", path.display()),
            Self::Command(_, program) => format!("command `{program}`"),
            Self::Kept(safe, _) => safe.describe(),
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

/// The directory of stored logins; none where there is no place for it.
pub(in crate::cli) fn places() -> Option<Places> {
    dirs::credentials().map(|dir| Places { dir })
}

/// What is stored for a profile, if anything is.
pub(in crate::cli) fn kept(profile: &str) -> Result<Option<Safe>, Failure> {
    let Some(places) = places() else { return Ok(None) };
    match Safe::find(&places, profile, Arc::new(People::default())) {
        // Nothing can have been stored under such a name.
        Err(auth::Error::Name(_)) => Ok(None),
        found => Ok(found?),
    }
}

fn nothing(profile: Option<&Profile>) -> Failure {
    let (whose, login) = match profile {
        None => (String::new(), "`ghl-bulk login`".to_owned()),
        Some(Profile { name, .. }) => {
            (format!(" for profile `{name}`"), format!("`ghl-bulk login --profile {name}`"))
        }
    };
    Failure::new(Code::Access, format!("no token is given{whose}")).hint(format!(
        "log in once with {login}; or set `GHL_TOKEN` to a Private Integration Token (Settings > Private \
         Integrations), or `GHL_TOKEN_FILE` to a file that holds one. `--sandbox` needs none"
    ))
}
