//! The layouts of an export: part of its request, as the texts of their presets.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Error, Tables};
use crate::mapping::preset::template::{CONTACTS, NOTES, TASKS};
use crate::mapping::preset::{Layout, Preset};
use crate::publish::Named;
use crate::resource::RESOURCES;
use crate::table::Format;

/// A preset whose layout is written. A user may change his own while a run waits: its text is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Laid {
    /// The preset's name.
    pub preset: String,
    /// Its text.
    pub text: String,
}

impl Laid {
    /// A preset's.
    #[must_use]
    pub fn of(preset: &Preset) -> Self {
        Self { preset: preset.name.clone(), text: preset.text.clone().into_owned() }
    }

    fn named(&self) -> Result<Named, Error> {
        let preset = Preset::parse(self.text.clone(), &self.preset).ok();
        let layout = preset.and_then(|preset| preset.layout);
        let layout = layout.ok_or_else(|| {
            Error::Request(format!("the layout of `{}` is none to this version", self.preset))
        })?;
        Ok(Named { preset: self.preset.clone(), layout })
    }
}

/// The layouts, if their files do not get into each other's way or into that of the formats' files.
pub(super) fn named(chosen: &[Laid], formats: &[&'static Format]) -> Result<Vec<Named>, Error> {
    let of_formats = formats.iter().flat_map(|format| {
        RESOURCES.iter().map(move |table| format!("{}.{}", table.name, format.extension))
    });
    let mut taken: HashSet<String> = of_formats.collect();
    let mut named = Vec::with_capacity(chosen.len());
    for chosen in chosen {
        let it = chosen.named()?;
        if !taken.insert(it.layout.file.to_lowercase()) {
            let said = format!(
                "two files of this export would be called `{}`; `--layout {}` writes one of them",
                it.layout.file, it.preset
            );
            return Err(Error::Request(said));
        }
        named.push(it);
    }
    Ok(named)
}

impl Tables {
    /// The tables that a layout is made of, beside the contacts.
    #[must_use]
    pub fn of(layout: &Layout) -> Self {
        let has = |table| layout.tables.contains(&table);
        Self { tasks: has(TASKS), notes: has(NOTES), appointments: false }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            tasks: self.tasks || other.tasks,
            notes: self.notes || other.notes,
            appointments: self.appointments || other.appointments,
        }
    }

    /// Whether all of the others are among these.
    #[must_use]
    pub fn hold(self, others: Self) -> bool {
        self.and(others) == self
    }
}

/// Whether layouts are made of a table's rows.
pub(super) fn want(named: &[Named], table: &str) -> bool {
    let joins = |layout: &Layout| table == CONTACTS && layout.joins_contacts();
    named.iter().any(|named| named.layout.tables.contains(&table) || joins(&named.layout))
}
