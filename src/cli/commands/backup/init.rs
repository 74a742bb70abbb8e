//! `ghl-bulk backup init`: creates a repository.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::open_repository::RepositoryRef;
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::repository::{self, Repository};

/// Create a repository
///
/// Without a key, everybody who can read the files can read the backups. With `--new-key` or `--recipient`, the machine
/// that backs up can only encrypt: reading takes the key. A lost key cannot be replaced, so keep it in two places, neither
/// of them the repository.
#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The directory, which must be empty or new, or a name from `[repositories.NAME]` in config.toml
    #[arg(long, value_name = "REPO")]
    to: Option<String>,

    /// Make a pair of keys: the secret one (an age identity) goes into this new file, and is needed to read the backups
    #[arg(long, value_name = "FILE")]
    new_key: Option<PathBuf>,

    /// Encrypt for this age recipient (`age1…`), too; repeat for more
    #[arg(long, value_name = "RECIPIENT")]
    recipient: Vec<String>,
}

/// Creates a repository.
pub(super) fn run(args: &InitArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.to.as_deref(), settings)?;
    let dir = place.dir().display().to_string();
    let screen = CliReporter::new(settings.output_style);
    let mut recipients = args.recipient.clone();
    repository::check_recipients(&recipients)?;
    let store = repository::open_local_store(place.dir());
    // Before the key is written: a mistake must leave no key that belongs to nothing.
    if let Ok(existing) = Repository::open(store.clone(), &dir) {
        let place = existing.place().to_owned();
        return Err(repository::RepositoryError::AlreadyExists { place }.into());
    }
    if let Some(file) = &args.new_key {
        let (identity, recipient) = repository::generate_identity()?;
        refuse_key_in_repository(file, place.dir())?;
        write_key(file, &identity, &recipient)?;
        recipients.push(recipient);
    }
    let created = Repository::create(store, &dir, recipients);
    if created.is_err()
        && let Some(file) = &args.new_key
    {
        // It is the key of nothing.
        let _ = std::fs::remove_file(file);
    }
    let created = created?;
    if settings.json {
        let header = created.header();
        let summary = json!({"outcome": "complete", "kind": "backup_init", "repository": dir,
            "id": header.id, "recipients": header.recipients});
        emit_summary(&screen, CliExitCode::Done, summary);
        return Ok(CliExitCode::Done);
    }
    screen.print_note(&format!("created the repository {dir}"));
    if let Some(file) = &args.new_key {
        screen.print_note(&format!(
            "the key is in {}; without it no backup can be read: keep it in two safe places, and not on this machine",
            file.display()
        ));
    } else if created.header().recipients.is_empty() {
        screen.print_note("its files are not encrypted; `--new-key FILE` makes an encrypted one");
    }
    Ok(CliExitCode::Done)
}

/// A key beside what it protects protects nothing.
fn refuse_key_in_repository(file: &Path, dir: &Path) -> Result<(), CliError> {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize();
    match (parent, dir.canonicalize()) {
        (Ok(parent), Ok(dir)) if parent.starts_with(&dir) => {
            Err(CliError::usage("the key must not be in the repository")
                .with_hint("a copy of the repository would have the key with it"))
        }
        _ => Ok(()),
    }
}

/// Writes a key into a file that must be new and that only its owner can read.
fn write_key(file: &Path, identity: &SecretString, recipient: &str) -> Result<(), CliError> {
    let fail = |error: std::io::Error| {
        let shown = file.display();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return CliError::usage(format!("the key file `{shown}` exists already"))
                .with_hint("it may be the only key of other backups; name a new file");
        }
        CliError::usage(format!("the key file `{shown}` cannot be written: {error}"))
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut to = options.open(file).map_err(fail)?;
    let text = format!(
        "# key of ghl-bulk backups\n# public key: {recipient}\n{}\n",
        identity.expose_secret()
    );
    to.write_all(text.as_bytes()).and_then(|()| to.sync_all()).map_err(fail)
}
