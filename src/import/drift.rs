//! Drift: checks whether a plan is still valid.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;

use sha2::{Digest, Sha256};

use super::ImportError;
use super::error::NAMED_ROWS;
use super::facts;
use super::planning::fetch_remote::RemoteFetcher;
use super::planning::validate_rows::draft_identities;
use super::request::ImportRequest;
use super::run_files::sha256_hex;
use super::stored_contact::describe_contact;
use crate::concurrency;
use crate::context::EngineContext;
use crate::id::LocationId;
use crate::model::{ContactDraft, MatchKey};
use crate::run::{IdentityKind, ImportStore, Run};
use crate::text::encode_hex;
use crate::toml_doc::read_toml_file;

/// Decisions read per batch.
const LOT: usize = 1_000;

/// Compares the sheet and the mapping file with their digests from when the plan was made.
pub(super) fn check_source_files(run: &Run, request: &ImportRequest) -> Result<(), ImportError> {
    let noted: Option<String> = run.read_fact(&facts::INPUT_DIGEST)?;
    let mut file = File::open(&request.file)
        .map_err(|source| ImportError::File { path: request.file.clone(), source })?;
    let mut hash = Sha256::new();
    let mut room = vec![0; 1 << 16];
    loop {
        match file.read(&mut room) {
            Ok(0) => break,
            Ok(bytes) => hash.update(&room[..bytes]),
            Err(source) => return Err(ImportError::File { path: request.file.clone(), source }),
        }
    }
    let now = encode_hex(&hash.finalize());
    let drifted = |what: String| Err(ImportError::Stale { what, which: Vec::new() });
    if noted.is_some_and(|then| then != now) {
        return drifted(format!("the sheet `{}`", request.file.display()));
    }
    let then: Option<String> = run.read_fact(&facts::MAPPING_DIGEST)?.flatten();
    let now = match &request.mapping {
        None => None,
        Some(path) => {
            let text = read_toml_file(path)
                .map_err(|source| ImportError::File { path: path.clone(), source })?;
            Some(sha256_hex(&text))
        }
    };
    match &request.mapping {
        Some(path) if then != now => drifted(format!("the mapping `{}`", path.display())),
        _ => Ok(()),
    }
}

/// Reads the account again and compares every contact that the plan touches, and every contact that a row
/// could refer to.
pub(super) async fn check_account(context: &EngineContext, run: &Run) -> Result<(), ImportError> {
    let key = run.read_fact(&facts::KEY_FIELD)?.flatten();
    let read_digests = || {
        let (db, key) = (run.db_path(), key.clone());
        concurrency::run_blocking(move || {
            load_contact_digests(&ImportStore::open(&db)?, key.as_ref())
        })
    };
    let then = read_digests().await?;
    let db = run.db_path();
    concurrency::run_blocking(move || ImportStore::open(&db)?.forget_remote()).await?;
    let fetch = RemoteFetcher::new(context, run.db_path(), key.clone());
    fetch.for_deletion(super::deletion_target(run)?.is_some()).fetch_all().await?;
    let now = read_digests().await?;
    let mut which = Vec::new();
    for (n, before) in &then {
        let after = now.get(n);
        if after == Some(before) {
            continue;
        }
        let mut contacts = before.keys().chain(after.into_iter().flat_map(BTreeMap::keys));
        which.push((*n, contacts.next().cloned()));
    }
    if which.is_empty() {
        return Ok(());
    }
    let count = which.len();
    which.truncate(NAMED_ROWS);
    let (db, location) = (run.db_path(), run.meta.location.clone());
    let describe = move || {
        let rows = ImportStore::open(&db)?;
        which
            .into_iter()
            .map(|(n, contact)| describe_changed_row(&rows, &location, n, contact))
            .collect()
    };
    let named = concurrency::run_blocking::<Result<_, ImportError>>(describe).await?;
    Err(ImportError::changed_account(named, count))
}

/// The line about a row whose contact has changed.
fn describe_changed_row(
    rows: &ImportStore,
    location: &LocationId,
    n: u64,
    contact: Option<String>,
) -> Result<String, ImportError> {
    let Some(id) = contact.and_then(|id| id.parse().ok()) else { return Ok(format!("record {n}")) };
    let who = describe_contact(rows, location, &id)?;
    let is_gone = !rows.has_contact(id.as_str())?;
    let change = if is_gone { "no longer exists" } else { "was edited or created" };
    Ok(format!("record {n}: {who}: {change}"))
}

/// For each row that sends something: the contacts that it could refer to, and their digests.
type RowContactDigests = BTreeMap<u64, BTreeMap<String, String>>;

fn load_contact_digests(
    rows: &ImportStore,
    key: Option<&MatchKey>,
) -> Result<RowContactDigests, ImportError> {
    let mut all = RowContactDigests::new();
    let mut after = 0;
    loop {
        let lot = rows.decisions_after(after, LOT)?;
        let Some((last, _)) = lot.last() else { return Ok(all) };
        after = *last;
        for (n, decision) in lot.into_iter().filter(|(_, it)| it.changes.is_some()) {
            let mut contacts: BTreeSet<String> = decision.contact.into_iter().collect();
            let draft = rows.find_row(n)?.and_then(|row| row.draft).unwrap_or_default();
            let draft: ContactDraft = serde_json::from_str(&draft)
                .map_err(|error| ImportError::Bug(format!("the draft of row {n}: {error}")))?;
            for (kind, value) in draft_identities(&draft, key) {
                if kind == IdentityKind::ContactId {
                    contacts.insert(value);
                    continue;
                }
                contacts.extend(rows.matching_contacts(kind, &value)?);
                if kind == IdentityKind::Email {
                    contacts.extend(rows.matching_contacts(IdentityKind::OtherEmail, &value)?);
                }
            }
            let mut found = BTreeMap::new();
            for contact in contacts {
                let digest = rows.find_contact(&contact)?.map(|(_, digest)| digest);
                found.insert(contact, digest.unwrap_or_else(|| "absent".to_owned()));
            }
            all.insert(n, found);
        }
    }
}
