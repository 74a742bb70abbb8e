//! The repository that a command is about, and the keys for it.

use std::path::{Path, PathBuf};

use secrecy::SecretString;

use crate::auth::{self, TokenCommand};
use crate::cli::account::secret_source;
use crate::cli::config::{NamedRepository, RepositoryPlace};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::LocationId;
use crate::mapping::closest_name;
use crate::repository::{self, Identities, Repository, SnapshotList};
use crate::sandbox;

/// The variable with the repository.
const REPOSITORY: &str = "GHL_BULK_REPOSITORY";
/// The variable with the file of identities.
const IDENTITY_FILE: &str = "GHL_BULK_IDENTITY_FILE";

/// The repository that a command reads.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct RepositoryArg {
    /// The repository: a directory, or a name from `[repositories.NAME]` in config.toml [default:
    /// `GHL_BULK_REPOSITORY`, `default_repository`, or the only one that is named]
    #[arg(long, value_name = "REPO", alias = "to")]
    pub(crate) from: Option<String>,
}

/// What decrypts a repository's files.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct IdentityArg {
    /// A file with the age identity that decrypts the repository (env: `GHL_BULK_IDENTITY_FILE`)
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
}

/// A repository, before it is opened.
#[derive(Debug)]
pub(crate) struct RepositoryRef<'s> {
    dir: PathBuf,
    named: Option<&'s NamedRepository>,
}

impl<'s> RepositoryRef<'s> {
    /// The repository that was given, or the default one.
    pub(crate) fn resolve(given: Option<&str>, settings: &'s Settings) -> Result<Self, CliError> {
        let from_env = std::env::var(REPOSITORY).ok().filter(|text| !text.is_empty());
        let config = settings.config();
        let default = || config.default_repository.as_ref().map(|name| name.value.clone());
        let only = || match config.repositories.as_slice() {
            [only] => Some(only.name.clone()),
            _ => None,
        };
        let text = given.map(str::to_owned).or(from_env).or_else(default).or_else(only);
        let text = text.ok_or_else(|| {
            CliError::usage("no backup repository is named").with_hint(
                "give a directory with `--to DIR` (`--from DIR` to read), or set `GHL_BULK_REPOSITORY` or `default_repository` in \
                 config.toml",
            )
        })?;
        let named = config.repositories.iter().find(|repository| repository.name == text);
        let dir = match named.map(|named| &named.place.value) {
            Some(RepositoryPlace::Directory(dir)) => dir.clone(),
            Some(RepositoryPlace::Url(url)) => directory_of(url)?,
            None => directory_of(&text)?,
        };
        if named.is_none() && default().as_ref() == Some(&text) {
            return Err(unknown_repository_error(&text, settings));
        }
        Ok(Self { dir, named })
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens it.
    pub(crate) fn open(&self) -> Result<Repository, CliError> {
        let store = repository::open_local_store(&self.dir);
        Ok(Repository::open(store, &self.dir.display().to_string())?)
    }

    /// The recipients that snapshots are encrypted for: those that were given, those in the configuration, or those that
    /// the repository was created with.
    pub(crate) fn recipients(
        &self,
        given: &[String],
        repository: &Repository,
    ) -> Result<Vec<String>, CliError> {
        let configured = self.named.and_then(|named| named.recipients.clone());
        let given = (!given.is_empty()).then(|| given.to_vec());
        let all = given.or(configured).unwrap_or_else(|| repository.header().recipients.clone());
        repository::check_recipients(&all)?;
        Ok(all)
    }

    /// What decrypts its files; `None` if nothing was given.
    pub(crate) fn identities(&self, given: &IdentityArg) -> Result<Option<Identities>, CliError> {
        let from_env = std::env::var_os(IDENTITY_FILE).filter(|path| !path.is_empty());
        let configured =
            || self.named.and_then(|named| Some(named.identity_file.as_ref()?.value.clone()));
        let file = given.identity.clone().or(from_env.map(PathBuf::from)).or_else(configured);
        let command = self.named.and_then(|named| named.identity_command.as_ref());
        let text = match (file, command) {
            (Some(file), _) => secret_source::from_secret_file(&file, "identity")?,
            (None, Some(command)) => run_identity_command(&(&command.value).into())?,
            (None, None) => return Ok(None),
        };
        Ok(Some(Identities::parse(&text)?))
    }
}

/// Runs the command that prints the identities.
fn run_identity_command(command: &TokenCommand) -> Result<SecretString, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let fail = |error| CliError::usage(format!("the system cannot create an event queue: {error}"));
    let ran = runtime.map_err(fail)?.block_on(async {
        tokio::select! {
            ran = auth::run_secret_command(command) => Some(ran),
            () = signals::wait_for_signal() => None,
        }
    });
    let ran = ran.ok_or_else(|| CliError::new(CliExitCode::Interrupted, "interrupted"))?;
    ran.map_err(|error| {
        CliError::new(CliExitCode::Access, error.to_string()).with_hint(
            "it is the `identity_command` of the repository in config.toml; run it by hand to see what it says",
        )
    })
}

/// The directory that is meant by a text.
fn directory_of(text: &str) -> Result<PathBuf, CliError> {
    match text.split_once("://") {
        Some(("file", path)) => Ok(PathBuf::from(path)),
        Some((scheme, _)) => Err(CliError::usage(format!(
            "this version of ghl-bulk has no repositories in object stores (`{scheme}://`)"
        ))
        .with_hint(
            "back up to a directory, and copy it with rclone, restic or `aws s3 sync`: its files never change",
        )),
        None => Ok(PathBuf::from(text)),
    }
}

fn unknown_repository_error(name: &str, settings: &Settings) -> CliError {
    let names = settings.config().repositories.iter().map(|repository| repository.name.as_str());
    let failure = CliError::usage(format!("config.toml has no `[repositories.{name}]`"));
    match closest_name(name, names) {
        Some(near) => failure.with_hint(format!("did you mean `{near}`?")),
        None => failure.with_hint("add it, or change `default_repository`"),
    }
}

/// The locations that a command is about: those that are named, or all in the repository.
pub(crate) fn select_locations(
    repository: &Repository,
    settings: &Settings,
) -> Result<Vec<LocationId>, CliError> {
    let mut named = settings.locations()?;
    if named.is_empty() && settings.sandbox {
        named.push(sandbox::LOCATION.parse().expect("the sandbox's location is an id"));
    }
    if named.is_empty() { Ok(repository.list_locations()?) } else { Ok(named) }
}

/// The only location that a command is about, with its snapshots.
pub(crate) fn select_only_location(
    repository: &Repository,
    settings: &Settings,
    command: &str,
) -> Result<(LocationId, SnapshotList), CliError> {
    let locations = select_locations(repository, settings)?;
    let [location] = locations.as_slice() else {
        return Err(if locations.is_empty() {
            CliError::new(CliExitCode::Missing, "the repository has no snapshots")
                .with_hint("`ghl-bulk backup` makes one")
        } else {
            CliError::usage(format!(
                "`{command}` is about one location, and the repository has {}",
                locations.len()
            ))
            .with_hint("name it with `--location ID`; `ghl-bulk backup list` lists them")
        });
    };
    let list = list_snapshots(repository, location)?;
    Ok((location.clone(), list))
}

/// The snapshots of a location, which must have some.
pub(crate) fn list_snapshots(
    repository: &Repository,
    location: &LocationId,
) -> Result<SnapshotList, CliError> {
    let list = repository.list_snapshots(location)?;
    if list.snapshots.is_empty() && list.damaged.is_empty() {
        let location = location.to_string();
        return Err(repository::RepositoryError::NoSnapshots { location }.into());
    }
    Ok(list)
}
