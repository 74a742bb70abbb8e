//! Proposes a mapping for a sheet that has none.

use std::path::PathBuf;

use super::preset_library::PresetLibrary;
use crate::api::{ApiClient, ApiEndpoint};
use crate::concurrency;
use crate::diagnostic::Diagnostic;
use crate::import::{ImportError, SAMPLES};
use crate::mapping::propose::{MappingProposal, ProposalStatus};
use crate::model::LocationDirectory;
use crate::model::directory::CustomField;
use crate::sheet::{HiddenRowPolicy, Sheet, SheetReadOptions};

/// A proposed mapping, with counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalReport {
    /// The TOML text of the mapping.
    pub text: String,
    /// Warnings about the file.
    pub warnings: Vec<Diagnostic>,
    /// Columns that are mapped.
    pub accepted: u64,
    /// Columns that are mapped if the user agrees.
    pub to_check: u64,
    /// Columns that need a decision of the user.
    pub to_decide: u64,
    /// Columns that are left out.
    pub ignored: u64,
    /// The preset that the sheet is for.
    pub preset: Option<String>,
    /// The presets among which the user must choose.
    pub ambiguous: Vec<String>,
}

/// What to propose a mapping for.
#[derive(Debug)]
pub struct ProposalRequest {
    /// The sheet.
    pub file: PathBuf,
    /// How to read the file, as far as the user sets it.
    pub reading: SheetReadOptions,
    /// The name of the preset, if the user chose one.
    pub preset: Option<String>,
    /// The available presets.
    pub presets: PresetLibrary,
    /// The title of the preset, if the text is to be a preset.
    pub title: Option<String>,
    /// From which confidence on, from 0 to 1, a likely target is accepted, if the user sets it.
    pub accept: Option<f64>,
}

/// Proposes a mapping. With a client, the custom fields of the location are known.
///
/// # Errors
/// When the sheet is refused, or the location cannot be read.
pub async fn propose_mapping(
    client: Option<&ApiClient>,
    wish: ProposalRequest,
) -> Result<ProposalReport, ImportError> {
    let looked = move || {
        let chosen = wish
            .preset
            .as_ref()
            .map(|name| wish.presets.find_for_import(name))
            .transpose()?
            .cloned();
        let own = chosen.as_ref().map(|preset| preset.mapping.reading.clone());
        let reading = merge_read_options(own.unwrap_or_default(), wish.reading.clone());
        let sheet = Sheet::open(&wish.file, &reading, &|name| wish.presets.is_known_header(name))?;
        if let Some(preset) = &chosen {
            wish.presets.ensure_fits(preset, &sheet.columns)?;
        }
        let samples = read_sample_rows(&sheet)?;
        Ok::<_, ImportError>((wish, chosen, sheet, samples))
    };
    let (wish, chosen, sheet, samples) = concurrency::run_blocking(looked).await?;
    let directory = match client {
        None => None,
        Some(client) => Some(fetch_directory(client).await?),
    };
    let (columns, directory) = (&sheet.columns, directory.as_ref());
    let mut proposal = match &chosen {
        Some(preset) => MappingProposal::for_preset(preset, columns, &samples, directory),
        None => {
            MappingProposal::new(columns, &samples, wish.presets.detection_candidates()?, directory)
        }
    };
    if let Some(accept) = wish.accept {
        proposal.accept_from(accept);
    }
    let text = match &wish.title {
        Some(title) => proposal.to_preset_toml(title),
        None => proposal.to_toml(),
    };
    let count = |fits: fn(&ProposalStatus) -> bool| {
        proposal.columns.iter().filter(|guess| fits(&guess.status)).count() as u64
    };
    Ok(ProposalReport {
        text,
        warnings: sheet.warnings.clone(),
        accepted: count(|it| {
            matches!(
                it,
                ProposalStatus::Preset | ProposalStatus::Accepted | ProposalStatus::JoinedTo(_)
            )
        }),
        to_check: count(|it| matches!(it, ProposalStatus::Proposed)),
        to_decide: count(|it| {
            matches!(
                it,
                ProposalStatus::Rivals(_) | ProposalStatus::Open | ProposalStatus::Homeless(_)
            )
        }),
        ignored: count(|it| matches!(it, ProposalStatus::Ignored(_) | ProposalStatus::Own)),
        preset: proposal.preset,
        ambiguous: proposal.ambiguous,
    })
}

async fn fetch_directory(client: &ApiClient) -> Result<LocationDirectory, ImportError> {
    let location = client.get_location().await?;
    let fields = client.list_custom_fields().await?.require_whole(ApiEndpoint::CustomFields)?;
    let id = client.location_id().clone();
    let read = LocationDirectory::from_responses(id, &location.body, &fields.body, None, &[]);
    read.map_err(|error| ImportError::Answer(error.to_string()))
}

/// The location's custom fields.
///
/// # Errors
/// When they cannot be read.
pub async fn fetch_custom_fields(client: &ApiClient) -> Result<Vec<CustomField>, ImportError> {
    Ok(fetch_directory(client).await?.fields)
}

/// How to read a file: as requested, otherwise as its mapping says.
pub(crate) fn merge_read_options(
    own: SheetReadOptions,
    asked: SheetReadOptions,
) -> SheetReadOptions {
    SheetReadOptions {
        encoding: asked.encoding.or(own.encoding),
        delimiter: asked.delimiter.or(own.delimiter),
        sheet: asked.sheet.or(own.sheet),
        header_row: asked.header_row.or(own.header_row),
        skip_rows: asked.skip_rows,
        limit: asked.limit,
        hidden: if asked.hidden == HiddenRowPolicy::default() { own.hidden } else { asked.hidden },
    }
}

/// The first rows of a sheet, as text.
pub(crate) fn read_sample_rows(sheet: &Sheet) -> Result<Vec<Vec<String>>, ImportError> {
    let mut samples = Vec::new();
    for row in sheet.all_rows()?.take(SAMPLES) {
        let row = row?;
        if row.fault.is_none() {
            samples.push(row.cells.iter().map(|cell| cell.to_text().into_owned()).collect());
        }
    }
    Ok(samples)
}
