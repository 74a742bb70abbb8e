//! Proposing a mapping for a sheet that has none.

use std::path::PathBuf;

use super::user_presets::Presets;
use crate::api::Client;
use crate::concurrency;
use crate::import::{Error, SAMPLES};
use crate::mapping::propose::{Proposal, Verdict};
use crate::model::Directory;
use crate::sheet::{Hidden, Reading, Sheet};

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
    /// The preset that the sheet is for.
    pub preset: Option<String>,
    /// The presets among which somebody must choose.
    pub ambiguous: Vec<String>,
}

/// What a mapping is to be proposed for.
#[derive(Debug)]
pub struct Wish {
    /// The sheet.
    pub file: PathBuf,
    /// How the file is read, as far as somebody says.
    pub reading: Reading,
    /// The preset's name, if somebody chose one.
    pub preset: Option<String>,
    /// The presets there are.
    pub presets: Presets,
    /// The title of the preset that the text is to be, if it is to be one.
    pub title: Option<String>,
}

/// Proposes a mapping. With a client the location's custom fields are known.
///
/// # Errors
/// When the sheet is refused, or the location cannot be asked.
pub async fn propose(client: Option<&Client>, wish: Wish) -> Result<Proposed, Error> {
    let looked = move || {
        let chosen =
            wish.preset.as_ref().map(|name| wish.presets.named(name)).transpose()?.cloned();
        let own = chosen.as_ref().map(|preset| preset.mapping.reading.clone());
        let reading = as_asked(own.unwrap_or_default(), wish.reading.clone());
        let sheet = Sheet::open(&wish.file, &reading, &|name| wish.presets.knows(name))?;
        if let Some(preset) = &chosen {
            wish.presets.must_fit(preset, &sheet.columns)?;
        }
        let samples = samples(&sheet)?;
        Ok::<_, Error>((wish, chosen, sheet, samples))
    };
    let (wish, chosen, sheet, samples) = concurrency::blocking(looked).await?;
    let directory = match client {
        None => None,
        Some(client) => Some(directory(client).await?),
    };
    let (columns, directory) = (&sheet.columns, directory.as_ref());
    let proposal = match &chosen {
        Some(preset) => Proposal::for_preset(preset, columns, &samples, directory),
        None => Proposal::new(columns, &samples, wish.presets.candidates()?, directory),
    };
    let text = match &wish.title {
        Some(title) => proposal.to_preset(title),
        None => proposal.to_toml(),
    };
    let count = |fits: fn(&Verdict) -> bool| {
        proposal.columns.iter().filter(|guess| fits(&guess.verdict)).count() as u64
    };
    let warnings = sheet.warnings.iter();
    Ok(Proposed {
        text,
        warnings: warnings.map(|it| (it.code.to_owned(), it.message.clone())).collect(),
        accepted: count(|it| {
            matches!(it, Verdict::Preset | Verdict::Accepted | Verdict::JoinedTo(_))
        }),
        to_check: count(|it| matches!(it, Verdict::Proposed)),
        to_decide: count(|it| {
            matches!(it, Verdict::Rivals(_) | Verdict::Open | Verdict::Homeless(_))
        }),
        ignored: count(|it| matches!(it, Verdict::Ignored(_) | Verdict::Own)),
        preset: proposal.preset,
        ambiguous: proposal.ambiguous,
    })
}

async fn directory(client: &Client) -> Result<Directory, Error> {
    let location = client.location_details().await?;
    let fields = client.custom_fields().await?;
    let id = client.location().clone();
    let read = Directory::read(id, &location.body, &fields.body, None, &[]);
    read.map_err(|error| Error::Answer(error.to_string()))
}

/// How a file is read: as asked, and else as its mapping says.
pub(crate) fn as_asked(own: Reading, asked: Reading) -> Reading {
    Reading {
        encoding: asked.encoding.or(own.encoding),
        delimiter: asked.delimiter.or(own.delimiter),
        sheet: asked.sheet.or(own.sheet),
        header_row: asked.header_row.or(own.header_row),
        hidden: if asked.hidden == Hidden::default() { own.hidden } else { asked.hidden },
    }
}

/// The first rows of a sheet, as texts.
pub(crate) fn samples(sheet: &Sheet) -> Result<Vec<Vec<String>>, Error> {
    let mut samples = Vec::new();
    for row in sheet.rows()?.take(SAMPLES) {
        let row = row?;
        if row.fault.is_none() {
            samples.push(row.cells.iter().map(|cell| cell.text().into_owned()).collect());
        }
    }
    Ok(samples)
}
