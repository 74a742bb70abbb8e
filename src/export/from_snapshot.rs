//! The export of a snapshot: its tables as files, without a request.

use std::collections::BTreeMap;
use std::time::Instant;

use super::finish::{rows_by_table, warn_odd_rows, warn_type_mismatches};
use super::request::ExportRequest;
use super::{ExportError, lock_output};
use crate::api;
use crate::event::{ExportOutcome, ExportReport, SharedObserver};
use crate::id::RunId;
use crate::publish::{self, ManifestMetadata, SnapshotOrigin};
use crate::repository::Chain;
use crate::run::RunStore;

/// Writes the tables of a snapshot.
///
/// # Errors
/// When the output directory has something else, a file cannot be written, or the snapshot is damaged. No file has its
/// final name then.
pub fn publish_snapshot(
    home: &RunStore,
    chain: &Chain,
    request: &ExportRequest,
    observer: &SharedObserver,
) -> Result<ExportReport, ExportError> {
    let started = Instant::now();
    let snapshot = chain.manifest();
    let (run, location) = (RunId::new(jiff::Timestamp::now()), &snapshot.location.id);
    let facts = ManifestMetadata {
        run: run.clone(),
        location: location.clone(),
        location_name: snapshot.location.name.clone(),
        api_version: api::VERSION.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        started: snapshot.as_of,
        finished: Some(snapshot.as_of),
        watermark: snapshot.as_of,
        filter: None,
        request: request.scope(),
        requests: BTreeMap::new(),
        mirror: None,
        mirror_facts: None,
        snapshot: Some(SnapshotOrigin {
            repository: chain.repository().header().id.clone(),
            snapshot: snapshot.snapshot.clone(),
            as_of: snapshot.as_of,
        }),
    };
    let output = lock_output(home, request, &run, location)?;
    let options = request.publish_options(facts.clone(), home)?;
    let mut published = publish::write_snapshot(chain, output.staging_dir(), &options, observer)?;
    if !request.formats.is_empty() {
        warn_type_mismatches(&published, observer);
    }
    warn_odd_rows(&published, observer);
    output.replace_export(facts, 0, &mut published)?;
    let is_complete = snapshot.is_complete && published.failures.is_empty();
    Ok(ExportReport {
        run,
        location: location.clone(),
        outcome: if is_complete { ExportOutcome::Complete } else { ExportOutcome::Partial },
        out: request.out.clone(),
        rows: rows_by_table(&published.files),
        unreadable: snapshot.unreadable + published.unreadable(),
        files: published.files,
        requests: BTreeMap::new(),
        refused: 0,
        elapsed: started.elapsed(),
    })
}
