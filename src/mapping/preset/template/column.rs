//! A column of a layout: its name, and what fills it.

use std::collections::BTreeMap;
use std::fmt;

use super::is_exported;
use crate::mapping::{self, MappingRule};
use crate::model::target::MappingTarget;

/// A column of a layout.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateColumn {
    /// Its header.
    pub name: String,
    /// What fills it: the first that the row has a value of; of tables with other rows, those that they have.
    pub fill: Vec<FieldSource>,
    /// Whether all of them fill it, and what then stands between their values, and between those of a list.
    pub join: Option<String>,
    /// What parts the values of its cells when they are read; of lists the usual where it is not said.
    pub split: Option<Vec<String>>,
    /// Values that are written in other words; compared without case.
    pub values: BTreeMap<String, String>,
    /// What the values that belong into it begin with; it is not written.
    pub prefix: String,
    /// Phone numbers that begin so leave the cell empty.
    pub unless_phone: Option<String>,
    /// Whether cells of nothing but phone numbers stay without the guard of spreadsheets.
    pub unguarded: bool,
    /// The longest text that the system takes, in characters; longer ones are told.
    pub longest: Option<u64>,
}

/// What fills a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSource {
    /// What an import would write to the target.
    Target(MappingTarget),
    /// When the row was added.
    Added,
    /// When the row was last changed.
    Updated,
}

impl fmt::Display for FieldSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(f),
            Self::Added => f.write_str("dateAdded"),
            Self::Updated => f.write_str("dateUpdated"),
        }
    }
}

impl FieldSource {
    /// The fill of a name.
    ///
    /// # Errors
    /// What is wrong with it, and the name that was probably meant.
    pub(super) fn from_name(text: &str) -> Result<Self, (String, Option<String>)> {
        match text.trim() {
            "dateAdded" => return Ok(Self::Added),
            "dateUpdated" => return Ok(Self::Updated),
            _ => {}
        }
        match mapping::parse_target(text) {
            Ok(target) if is_exported(&target) => Ok(Self::Target(target)),
            Ok(target) => Err((format!("no export holds `{target}`"), None)),
            Err(unknown) => Err((unknown.to_string(), unknown.closest)),
        }
    }
}

impl TemplateColumn {
    /// The column that the rules which read it would read back; none where they cannot be turned round.
    pub(super) fn from_inverted_rules(name: &str, rules: &[&MappingRule]) -> Option<Self> {
        let mut column = Self { name: name.to_owned(), ..Self::default() };
        for rule in rules {
            let plain = rule.from.len() == 1
                && rule.template.is_none()
                && rule.part.is_none()
                && rule.named_by.is_none()
                && is_exported(&rule.to);
            if !plain {
                return None;
            }
            column.fill.push(FieldSource::Target(rule.to.clone()));
            column.split = column.split.or_else(|| rule.split.clone());
            column.prefix.clone_from(&rule.prefix);
            for (word, value) in &rule.values {
                let alone = rule.values.values().filter(|it| *it == value).count() == 1;
                if alone && !value.trim().is_empty() {
                    column.values.insert(value.to_lowercase(), word.clone());
                }
            }
        }
        Some(column)
    }
}
