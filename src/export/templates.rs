//! The templates of an export: part of its request, as the texts of their presets.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{ExportError, ExportTables};
use crate::mapping::preset::template::{APPOINTMENTS, BUSINESSES, CONTACTS, NOTES, TASKS};
use crate::mapping::preset::{ExportTemplate, Preset};
use crate::publish::NamedTemplate;
use crate::resource::RESOURCES;
use crate::table::TableFormat;

/// A preset whose template is written. Its text is stored, because users may edit a preset before
/// the run is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSnapshot {
    /// The preset's name.
    pub preset: String,
    /// Its text.
    pub text: String,
}

impl TemplateSnapshot {
    /// Takes a snapshot of a preset.
    #[must_use]
    pub fn from_preset(preset: &Preset) -> Self {
        Self { preset: preset.name.clone(), text: preset.text.clone().into_owned() }
    }

    /// The template.
    ///
    /// # Errors
    /// When this version cannot read the text.
    pub fn parse_template(&self) -> Result<NamedTemplate, ExportError> {
        let preset = Preset::parse(self.text.clone(), &self.preset).ok();
        let template = preset.and_then(|preset| preset.template);
        let template = template.ok_or_else(|| {
            ExportError::Request(format!(
                "this version cannot read the export template of preset `{}`",
                self.preset
            ))
        })?;
        Ok(NamedTemplate { preset: self.preset.clone(), template })
    }
}

/// Parses the templates and checks that their files do not collide with each other or with those of
/// the formats.
pub(super) fn parse_templates(
    snapshot: &[TemplateSnapshot],
    formats: &[&'static TableFormat],
) -> Result<Vec<NamedTemplate>, ExportError> {
    let of_formats = formats.iter().flat_map(|format| {
        RESOURCES.iter().map(move |table| format!("{}.{}", table.name, format.extension))
    });
    let mut used_names: HashSet<String> = of_formats.collect();
    let mut named = Vec::with_capacity(snapshot.len());
    for snapshot in snapshot {
        let named_template = snapshot.parse_template()?;
        if !used_names.insert(named_template.template.file.to_lowercase()) {
            let message = format!(
                "two files of this export would have the name `{}`; `--template {}` writes only one of them",
                named_template.template.file, named_template.preset
            );
            return Err(ExportError::Request(message));
        }
        named.push(named_template);
    }
    Ok(named)
}

impl ExportTables {
    /// The tables that a template needs, in addition to the contacts.
    #[must_use]
    pub fn from_template(template: &ExportTemplate) -> Self {
        let has = |table| template.tables.contains(&table);
        Self {
            tasks: has(TASKS),
            notes: has(NOTES),
            appointments: has(APPOINTMENTS),
            businesses: has(BUSINESSES),
        }
    }
}

/// Whether a template contains rows of a table.
pub(super) fn any_uses_table(named: &[NamedTemplate], table: &str) -> bool {
    let joins = |template: &ExportTemplate| table == CONTACTS && template.joins_contacts();
    named.iter().any(|named| named.template.tables.contains(&table) || joins(&named.template))
}
