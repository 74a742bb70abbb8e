//! The layouts of an export: part of its request, as the texts of their presets.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{ExportError, ExportTables};
use crate::mapping::preset::template::{CONTACTS, NOTES, TASKS};
use crate::mapping::preset::{ExportTemplate, Preset};
use crate::publish::NamedTemplate;
use crate::resource::RESOURCES;
use crate::table::TableFormat;

/// A preset whose layout is written. A user may change his own while a run waits: its text is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSnapshot {
    /// The preset's name.
    pub preset: String,
    /// Its text.
    pub text: String,
}

impl TemplateSnapshot {
    /// A preset's.
    #[must_use]
    pub fn from_preset(preset: &Preset) -> Self {
        Self { preset: preset.name.clone(), text: preset.text.clone().into_owned() }
    }

    fn parse_template(&self) -> Result<NamedTemplate, ExportError> {
        let preset = Preset::parse(self.text.clone(), &self.preset).ok();
        let layout = preset.and_then(|preset| preset.layout);
        let layout = layout.ok_or_else(|| {
            ExportError::Request(format!(
                "this version cannot read the template of `{}`",
                self.preset
            ))
        })?;
        Ok(NamedTemplate { preset: self.preset.clone(), layout })
    }
}

/// The layouts, if their files do not get into each other's way or into that of the formats' files.
pub(super) fn parse_templates(
    chosen: &[TemplateSnapshot],
    formats: &[&'static TableFormat],
) -> Result<Vec<NamedTemplate>, ExportError> {
    let of_formats = formats.iter().flat_map(|format| {
        RESOURCES.iter().map(move |table| format!("{}.{}", table.name, format.extension))
    });
    let mut taken: HashSet<String> = of_formats.collect();
    let mut named = Vec::with_capacity(chosen.len());
    for chosen in chosen {
        let it = chosen.parse_template()?;
        if !taken.insert(it.layout.file.to_lowercase()) {
            let said = format!(
                "two files of this export would be called `{}`; `--template {}` writes only one of them",
                it.layout.file, it.preset
            );
            return Err(ExportError::Request(said));
        }
        named.push(it);
    }
    Ok(named)
}

impl ExportTables {
    /// The tables that a template is made of, in addition to the contacts.
    #[must_use]
    pub fn from_template(layout: &ExportTemplate) -> Self {
        let has = |table| layout.tables.contains(&table);
        Self { tasks: has(TASKS), notes: has(NOTES), appointments: false }
    }

    /// Both together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            tasks: self.tasks || other.tasks,
            notes: self.notes || other.notes,
            appointments: self.appointments || other.appointments,
        }
    }

    /// Whether all of the others are among these.
    #[must_use]
    pub fn contains_all(self, others: Self) -> bool {
        self.union(others) == self
    }
}

/// Whether layouts are made of a table's rows.
pub(super) fn any_uses_table(named: &[NamedTemplate], table: &str) -> bool {
    let joins = |layout: &ExportTemplate| table == CONTACTS && layout.joins_contacts();
    named.iter().any(|named| named.layout.tables.contains(&table) || joins(&named.layout))
}
