//! Staleness: whether a plan still holds, and a sample of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;

use sha2::{Digest, Sha256};

use super::Error;
use super::planning::fetch_remote::Fetch;
use super::planning::validate_rows::{identities, kind};
use super::request::Request;
use super::run_files::{digest, hexadecimal};
use crate::concurrency;
use crate::context::Context;
use crate::model::Draft;
use crate::run::{Rows, Run};

/// Rows named in an error.
const NAMED: usize = 10;
/// Decisions looked at together.
const LOT: usize = 1_000;

/// Compares the sheet and the mapping's file with what they were when the plan was made.
pub(super) fn input(run: &Run, request: &Request) -> Result<(), Error> {
    let noted: Option<String> = run.noted("input_digest")?;
    let mut file = File::open(&request.file)
        .map_err(|source| Error::File { path: request.file.clone(), source })?;
    let mut hash = Sha256::new();
    let mut room = vec![0; 1 << 16];
    loop {
        match file.read(&mut room) {
            Ok(0) => break,
            Ok(bytes) => hash.update(&room[..bytes]),
            Err(source) => return Err(Error::File { path: request.file.clone(), source }),
        }
    }
    let now = hexadecimal(&hash.finalize());
    let stale = |what: String| Err(Error::Stale { what, which: Vec::new() });
    if noted.is_some_and(|then| then != now) {
        return stale(format!("the sheet `{}`", request.file.display()));
    }
    let then: Option<String> = run.noted::<Option<String>>("mapping_digest")?.flatten();
    let now = match &request.mapping {
        None => None,
        Some(path) => {
            let text =
                std::fs::read(path).map_err(|source| Error::File { path: path.clone(), source })?;
            Some(digest(&text))
        }
    };
    match &request.mapping {
        Some(path) if then != now => stale(format!("the mapping `{}`", path.display())),
        _ => Ok(()),
    }
}

/// Looks at the account once more, and compares every contact that the plan touches, and every contact
/// that a row could be about.
pub(super) async fn account(context: &Context, run: &Run) -> Result<(), Error> {
    let key = run.noted::<Option<String>>("key")?.flatten();
    let look = || {
        let (db, key) = (run.db(), key.clone());
        concurrency::blocking(move || touched(&Rows::open(&db)?, key.as_deref()))
    };
    let then = look().await?;
    let db = run.db();
    concurrency::blocking(move || Rows::open(&db)?.forget_live()).await?;
    let fetch = Fetch::new(context, run.db(), key.clone());
    fetch.removes(super::removes(run)?.is_some()).all().await?;
    let now = look().await?;
    let mut which = Vec::new();
    for (n, before) in &then {
        let after = now.get(n);
        if after == Some(before) {
            continue;
        }
        which.push(match before.keys().chain(after.into_iter().flat_map(BTreeMap::keys)).next() {
            Some(contact) => format!("record {n}: contact {contact}"),
            None => format!("record {n}"),
        });
    }
    if which.is_empty() {
        return Ok(());
    }
    let count = which.len();
    which.truncate(NAMED);
    if count > NAMED {
        which.push(format!("and {} more", count - NAMED));
    }
    Err(Error::Stale { what: "the account".to_owned(), which })
}

/// Per row that sends something: the contacts that it could be about, and their digests.
type Touched = BTreeMap<u64, BTreeMap<String, String>>;

fn touched(rows: &Rows, key: Option<&str>) -> Result<Touched, Error> {
    let mut all = Touched::new();
    let mut after = 0;
    loop {
        let lot = rows.decisions(after, LOT)?;
        let Some((last, _)) = lot.last() else { return Ok(all) };
        after = *last;
        for (n, decision) in lot.into_iter().filter(|(_, it)| it.changes.is_some()) {
            let mut contacts: BTreeSet<String> = decision.contact.into_iter().collect();
            let draft = rows.row(n)?.and_then(|row| row.draft).unwrap_or_default();
            let draft: Draft = serde_json::from_str(&draft)
                .map_err(|error| Error::Bug(format!("the draft of row {n}: {error}")))?;
            for (kind, value) in identities(&draft, key) {
                if kind == kind::ID {
                    contacts.insert(value);
                    continue;
                }
                contacts.extend(rows.matches(kind, &value)?);
                if kind == kind::EMAIL {
                    contacts.extend(rows.matches(kind::OTHER_EMAIL, &value)?);
                }
            }
            let mut found = BTreeMap::new();
            for contact in contacts {
                let digest = rows.kept(&contact)?.map(|(_, digest)| digest);
                found.insert(contact, digest.unwrap_or_else(|| "absent".to_owned()));
            }
            all.insert(n, found);
        }
    }
}

/// A sample of rows: of every action as many as its share, the first ones of each, one at least.
pub(super) fn sample(rows: &Rows, size: u64) -> Result<BTreeSet<u64>, Error> {
    let mut actions: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let (mut after, mut all) = (0, 0);
    loop {
        let lot = rows.decisions(after, LOT)?;
        let Some((last, _)) = lot.last() else { break };
        after = *last;
        for (n, decision) in lot.into_iter().filter(|(_, it)| it.changes.is_some()) {
            all += 1;
            actions.entry(decision.action).or_default().push(n);
        }
    }
    let mut chosen = BTreeSet::new();
    for rows in actions.values() {
        let share = (rows.len() as u64 * size).div_ceil(all.max(1)).max(1);
        chosen.extend(rows.iter().take(usize::try_from(share).unwrap_or(usize::MAX)));
    }
    Ok(chosen)
}
