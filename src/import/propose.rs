//! Proposing a mapping for a sheet that has none.

use std::path::Path;

use super::{Error, SAMPLES};
use crate::api::Client;
use crate::flight;
use crate::plan::propose::{Proposal, Verdict};
use crate::plan::{Directory, preset};
use crate::sheet::{Reading, Sheet};

/// A proposed mapping, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The mapping's TOML text.
    pub text: String,
    /// What to tell about the file: code and sentence.
    pub warnings: Vec<(String, String)>,
    /// Columns that are mapped.
    pub accepted: u64,
    /// Columns that are mapped if a person agrees.
    pub to_check: u64,
    /// Columns that a person must decide.
    pub to_decide: u64,
    /// Columns that are left out.
    pub ignored: u64,
}

/// Proposes a mapping. With a client the location's custom fields are known.
///
/// # Errors
/// When the sheet is refused, or the location cannot be asked.
pub async fn propose(
    client: Option<&Client>,
    file: &Path,
    reading: &Reading,
) -> Result<Proposed, Error> {
    let (file, reading) = (file.to_owned(), reading.clone());
    let looked = move || {
        let sheet = Sheet::open(&file, &reading, &preset::knows)?;
        let samples = samples(&sheet)?;
        Ok::<_, Error>((sheet, samples))
    };
    let (sheet, samples) = flight::blocking(looked).await?;
    let directory = match client {
        None => None,
        Some(client) => {
            let location = client.location_details().await?;
            let fields = client.custom_fields().await?;
            let id = client.location().clone();
            let read = Directory::read(id, &location.body, &fields.body, None, &[]);
            Some(read.map_err(|error| Error::Answer(error.to_string()))?)
        }
    };
    let presets = preset::presets();
    let proposal = Proposal::new(&sheet.columns, &samples, presets, directory.as_ref());
    let count = |fits: fn(&Verdict) -> bool| {
        proposal.columns.iter().filter(|guess| fits(&guess.verdict)).count() as u64
    };
    let warnings = sheet.warnings.iter();
    Ok(Proposed {
        text: proposal.to_toml(),
        warnings: warnings.map(|it| (it.code.to_owned(), it.message.clone())).collect(),
        accepted: count(|it| {
            matches!(it, Verdict::Preset | Verdict::Accepted | Verdict::JoinedTo(_))
        }),
        to_check: count(|it| matches!(it, Verdict::Proposed)),
        to_decide: count(|it| matches!(it, Verdict::Rivals(_) | Verdict::Open)),
        ignored: count(|it| matches!(it, Verdict::Ignored(_) | Verdict::Own)),
    })
}

/// The first rows of a sheet, as texts.
pub(super) fn samples(sheet: &Sheet) -> Result<Vec<Vec<String>>, Error> {
    let mut samples = Vec::new();
    for row in sheet.rows()?.take(SAMPLES) {
        let row = row?;
        if row.fault.is_none() {
            samples.push(row.cells.iter().map(|cell| cell.text().into_owned()).collect());
        }
    }
    Ok(samples)
}
