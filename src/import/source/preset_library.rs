//! The available presets: the user's own files, and the built-in ones.
//!
//! A user's preset is a TOML file in the configuration directory; its name is the file name. It takes
//! precedence over a built-in preset of the same name. A file with an error matters only when that preset is
//! requested, or when the preset that fits a sheet is searched for: it might be that one.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::import::ImportError;
use crate::mapping::mapping_problem;
use crate::mapping::preset::{self, Preset, PresetDetection};
use crate::sheet::SheetColumn;
use crate::toml_doc::read_toml_file;

/// The available presets.
#[derive(Debug)]
pub struct PresetLibrary {
    all: Vec<Preset>,
    /// How many of them are the user's.
    own: usize,
    broken: Vec<InvalidPreset>,
}

/// A user's preset with errors.
#[derive(Debug)]
pub struct InvalidPreset {
    /// Its file.
    pub path: PathBuf,
    /// The errors in it.
    pub problems: Vec<Diagnostic>,
}

impl PresetLibrary {
    /// Reads the user's presets from a directory, which need not exist.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be read.
    pub fn load(dir: Option<&Path>) -> Result<Self, ImportError> {
        let mut presets = Self { all: Vec::new(), own: 0, broken: Vec::new() };
        for path in dir.map(list_toml_files).transpose()?.unwrap_or_default() {
            presets.add_file(path)?;
        }
        presets.own = presets.all.len();
        let of_user =
            |name: &str| presets.all.iter().any(|own| own.name.eq_ignore_ascii_case(name));
        let built_in = preset::builtin_presets().iter().filter(|preset| !of_user(&preset.name));
        let built_in: Vec<Preset> = built_in.cloned().collect();
        presets.all.extend(built_in);
        Ok(presets)
    }

    fn add_file(&mut self, path: PathBuf) -> Result<(), ImportError> {
        let bytes = read_toml_file(&path)
            .map_err(|source| ImportError::File { path: path.clone(), source })?;
        let name = preset_name(&path);
        let preset = match String::from_utf8(bytes) {
            Ok(text) => Preset::parse(text, &name),
            Err(_) => Err(vec![mapping_problem(0, "the file is not TOML: it is not UTF-8 text")]),
        };
        match preset {
            Ok(mut preset) => {
                // Messages about it name the file, which the user can repair.
                preset.mapping.name = path.display().to_string();
                preset.own = true;
                self.all.push(preset);
            }
            Err(problems) => self.broken.push(InvalidPreset { path, problems }),
        }
        Ok(())
    }

    /// All presets, the user's first.
    #[must_use]
    pub fn all(&self) -> &[Preset] {
        &self.all
    }

    /// The user's files that cannot be used.
    #[must_use]
    pub fn invalid_presets(&self) -> &[InvalidPreset] {
        &self.broken
    }

    /// The preset with a name.
    ///
    /// # Errors
    /// When it does not exist, or its file has errors.
    pub fn find_by_name(&self, name: &str) -> Result<&Preset, ImportError> {
        let is_it =
            |broken: &&InvalidPreset| preset_name(&broken.path).eq_ignore_ascii_case(name.trim());
        if let Some(broken) = self.broken.iter().find(is_it) {
            return Err(broken.to_error());
        }
        preset::find_preset(&self.all, name).map_err(|near| ImportError::NoPreset {
            name: name.to_owned(),
            near: near.map(str::to_owned),
        })
    }

    /// The preset with a name, to import with.
    ///
    /// # Errors
    /// As [`Self::find_by_name`], and when its files are only exported.
    pub fn find_for_import(&self, name: &str) -> Result<&Preset, ImportError> {
        let preset = self.find_by_name(name)?;
        match preset.import_refusal() {
            Some(reason) => Err(ImportError::ExportOnly { preset: preset.name.clone(), reason }),
            None => Ok(preset),
        }
    }

    /// The presets among which the one for a sheet is searched.
    ///
    /// # Errors
    /// When a file has errors: it might be the right one.
    pub fn detection_candidates(&self) -> Result<&[Preset], ImportError> {
        match self.broken.first() {
            Some(broken) => Err(broken.to_error()),
            None => Ok(&self.all),
        }
    }

    /// Fails if a preset that the user named does not fit the sheet.
    ///
    /// # Errors
    /// The columns that the sheet lacks, and the preset that fits.
    pub(crate) fn ensure_fits(
        &self,
        preset: &Preset,
        columns: &[SheetColumn],
    ) -> Result<(), ImportError> {
        let lacking = preset.missing_columns(columns);
        if lacking.is_empty() {
            return Ok(());
        }
        let fitting = match preset::detect_preset(&self.all, columns) {
            PresetDetection::One(fitting) => vec![fitting.name.clone()],
            PresetDetection::Ambiguous(several) => {
                several.iter().map(|it| it.name.clone()).collect()
            }
            PresetDetection::None => Vec::new(),
        };
        Err(ImportError::Unfit { preset: preset.name.clone(), lacking, fitting })
    }

    /// Whether a text is a name that contact files use.
    #[must_use]
    pub fn is_known_header(&self, name: &str) -> bool {
        preset::is_known_header(name)
            || self.all[..self.own].iter().any(|own| own.has_column_name(name))
    }
}

impl InvalidPreset {
    fn to_error(&self) -> ImportError {
        ImportError::Mapping {
            name: self.path.display().to_string(),
            problems: self.problems.clone(),
        }
    }
}

/// The TOML files in a directory, by name.
fn list_toml_files(dir: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let fail = |source| ImportError::File { path: dir.to_owned(), source };
    let entries = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(fail)?.path();
        let is_toml = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
        if is_toml && !path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn preset_name(path: &Path) -> String {
    path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
