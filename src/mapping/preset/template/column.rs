//! A column of a template: its name and its sources.

use std::collections::BTreeMap;
use std::fmt;

use super::{ExportedField, is_exported};
use crate::mapping::{self, MappingRule};
use crate::model::target::MappingTarget;

/// A column of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateColumn {
    /// Its header.
    pub name: String,
    /// The sources of its values. The first one with a value in the row is used; for tables with other rows, those
    /// they have.
    pub fill: Vec<FieldSource>,
    /// The separator, if the values of all sources are joined; it also separates the values of a list.
    pub join: Option<String>,
    /// The separators of the values in a cell when it is read; if not set, lists use the default ones.
    pub split: Option<Vec<String>>,
    /// Replacements for values, compared ignoring case.
    pub values: BTreeMap<String, String>,
    /// The prefix of the values that belong to this column; it is not written.
    pub prefix: String,
    /// Phone numbers with this prefix leave the cell empty.
    pub unless_phone: Option<String>,
    /// Whether cells that contain only phone numbers are written without the guard against spreadsheets.
    pub unguarded: bool,
    /// Whether the system refuses a row without a value; such rows are written and reported, to be completed there.
    pub required: bool,
    /// The longest text that the system accepts, in characters; longer ones are reported.
    pub longest: Option<u64>,
}

/// The source of a column's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSource {
    /// The value that an import would write to the target.
    Target(MappingTarget),
    /// A value of a record that is only exported.
    Exported(ExportedField),
    /// The time when the row was added.
    Added,
    /// The time when the row was last changed.
    Updated,
}

impl fmt::Display for FieldSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target(target) => target.fmt(f),
            Self::Exported(field) => f.write_str(field.name()),
            Self::Added => f.write_str("dateAdded"),
            Self::Updated => f.write_str("dateUpdated"),
        }
    }
}

impl FieldSource {
    /// Parses the name of a source.
    ///
    /// # Errors
    /// The message, and the name that was probably meant.
    pub(super) fn from_name(text: &str) -> Result<Self, (String, Option<String>)> {
        match text.trim() {
            "dateAdded" => return Ok(Self::Added),
            "dateUpdated" => return Ok(Self::Updated),
            name => {
                if let Some(field) = ExportedField::from_name(name) {
                    return Ok(Self::Exported(field));
                }
            }
        }
        match mapping::parse_target(text) {
            Ok(target) if is_exported(&target) => Ok(Self::Target(target)),
            Ok(target) => Err((format!("no export holds `{target}`"), None)),
            Err(unknown) => Err((unknown.to_string(), unknown.closest)),
        }
    }
}

impl TemplateColumn {
    /// Inverts the rules that read a column; `None` if they cannot be inverted.
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
            // Rules for rows of different kinds may have the same target.
            let source = FieldSource::Target(rule.to.clone());
            if !column.fill.contains(&source) {
                column.fill.push(source);
            }
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
