//! Confirms that a contact that the search does not show is really gone: an index lags, and a contact that exists must
//! not be made a second time.

use crate::concurrency;
use crate::context::EngineContext;
use crate::import::conflicts::{EditConflict, refuse_or_settle};
use crate::import::planning::refetch_contacts::refetch_contacts;
use crate::import::planning::validate_rows::parse_draft;
use crate::import::{ImportError, ImportStage, facts};
use crate::model::op_codec;
use crate::run::{ContactPart, ImportStore, LedgerReader, OpState, Run};

/// Up to so many contacts are asked for by their ids while the plan is made; more of them before it is applied.
const MOST_AT_ONCE: usize = 1_000;
/// Why a contact is not recreated that the token may not read.
const FORBIDDEN: &str = "the token may not read the contact, so it may exist; it is not recreated";
/// Rows read per batch.
const LOT: usize = 1_000;

/// Asks for the contacts that the search did not show by their ids, which costs a request each. Gives how many there are
/// that must be asked for later, because there are many.
pub(super) async fn confirm_missing(
    context: &EngineContext,
    run: &Run,
) -> Result<u64, ImportError> {
    let db = run.db_path();
    let missing = concurrency::run_blocking(move || missing_contacts(&ImportStore::open(&db)?));
    let missing: Vec<String> = missing.await?.into_iter().map(|(_, contact)| contact).collect();
    if missing.len() > MOST_AT_ONCE {
        return Ok(missing.len() as u64);
    }
    let forbidden = refetch_contacts(context, &run.db_path(), &missing).await?;
    let db = run.db_path();
    concurrency::run_blocking(move || {
        let rows = ImportStore::open(&db)?;
        let part = ContactPart::ReadError;
        forbidden.iter().try_for_each(|contact| rows.put_child(part, contact, "", FORBIDDEN))
    })
    .await?;
    Ok(0)
}

/// The rows whose contact in this location is not stored, with its former id.
fn missing_contacts(rows: &ImportStore) -> Result<Vec<(u64, String)>, ImportError> {
    let (mut after, mut missing) = (0, Vec::new());
    loop {
        let lot = rows.rows_after(after, LOT)?;
        let Some(last) = lot.last() else { return Ok(missing) };
        after = last.n;
        for row in &lot {
            let draft = row.draft.as_deref().map(parse_draft).transpose()?;
            let Some(contact) = draft.and_then(|draft| draft.contact) else { continue };
            if !rows.has_contact(contact.as_str())? {
                missing.push((row.n, contact.to_string()));
            }
        }
    }
}

/// Before contacts are recreated: those that turn out to exist are left alone.
pub(super) async fn recheck_missing(
    context: &EngineContext,
    run: &Run,
    stage: ImportStage,
) -> Result<(), ImportError> {
    let db = run.db_path();
    let pending = concurrency::run_blocking(move || pending_creations(&db)).await?;
    if pending.is_empty() {
        return Ok(());
    }
    let mut contacts: Vec<String> = pending.iter().map(|it| it.contact.clone()).collect();
    contacts.dedup();
    let forbidden = refetch_contacts(context, &run.db_path(), &contacts).await?;
    let db = run.db_path();
    let conflicts = concurrency::run_blocking(move || {
        let rows = ImportStore::open(&db)?;
        let mut there = Vec::new();
        for it in pending {
            if rows.has_contact(&it.contact)? || forbidden.contains(&it.contact) {
                there.push(it);
            }
        }
        Ok::<_, ImportError>(there)
    });
    let message = "the contact exists again, or may, so it was not made a second time";
    refuse_or_settle(run, &conflicts.await?, stage, message).await?;
    Ok(run.write_fact(&facts::UNCONFIRMED, &0)?)
}

/// The creations that were not sent yet, each with everything that follows it.
fn pending_creations(db: &std::path::Path) -> Result<Vec<EditConflict>, ImportError> {
    let (rows, ledger) = (ImportStore::open(db)?, LedgerReader::open(db)?);
    let mut pending = Vec::new();
    for (row, contact) in missing_contacts(&rows)? {
        let ops = ledger.ops_of_row(row)?;
        let creates = ops.first().is_some_and(|op| {
            op.state == OpState::Pending
                && op_codec::decode_op(op).is_ok_and(|op| op.change.creates_contact())
        });
        if creates {
            let fields = "contactId".to_owned();
            let all = ops.iter().map(|op| EditConflict {
                op: op.id,
                row,
                contact: contact.clone(),
                fields: fields.clone(),
            });
            pending.extend(all);
        }
    }
    Ok(pending)
}
