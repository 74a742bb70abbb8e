//! Masking: what files say of people is hashed, shortened or left out before it reaches the output directory.
//!
//! A rule names a column, of one table or of all, and how it is masked. As soon as there is a rule, `extra` and every
//! column with JSON are left out unless a rule names them, because they hold whatever the server sent. Rules apply to the
//! batches that every format writes, so no file has a value that another one masks. The run's spool in the program's home
//! keeps the values.

mod mask_array;
mod mask_rule;
mod preset;
mod table_mask;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::choice::Choice as _;
use crate::resource::{ColumnKind, CustomFieldColumns, RESOURCES, TableColumn, TableSchema};
use crate::run::{FetchFailure, MaskKey};
use crate::text::closest_match;

pub use mask_rule::{MaskMethod, MaskRule};
pub use preset::MaskPreset;
pub(super) use table_mask::TableMask;

/// How the columns of custom fields begin; which there are only the location knows.
const CUSTOM: &str = "custom_";

/// Which columns are masked, and how: as the command was given, stored with the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskRules {
    /// The rules; of several for one column the last counts, and one of a table before one of all tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<MaskRule>,
    /// Rules that come with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<MaskPreset>,
}

/// The rules with the key of their hashes.
#[derive(Debug, Clone, Default)]
pub struct Masking {
    /// The rules.
    pub rules: MaskRules,
    /// The key; absent if nothing is hashed.
    pub key: Option<MaskKey>,
    /// Where rows are kept while they are sorted; by default beside the files.
    pub scratch_dir: Option<PathBuf>,
}

/// Why columns cannot be masked.
#[derive(Debug, thiserror::Error)]
pub enum MaskError {
    /// No table has the column.
    #[error("`{rule}`: there is no such column")]
    UnknownColumn {
        /// The rule.
        rule: String,
        /// A column whose name is similar.
        closest: Option<String>,
    },
    /// The method does not apply to what the column holds.
    #[error("`{rule}`: {why}")]
    WrongMethod {
        /// The rule.
        rule: String,
        /// Why.
        why: String,
    },
}

impl MaskRules {
    /// Whether nothing is masked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.preset.is_none()
    }

    /// The rules as a manifest lists them.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let preset = self.preset.iter().map(|preset| format!("preset {}", preset.word()));
        preset.chain(self.columns.iter().map(ToString::to_string)).collect()
    }

    /// Whether any value is hashed.
    #[must_use]
    pub fn need_key(&self) -> bool {
        self.preset.is_some() || self.columns.iter().any(|rule| rule.method == MaskMethod::Hash)
    }

    /// Checks the rules against the tables that every location has. Columns of custom fields are checked when they are
    /// known.
    ///
    /// # Errors
    /// When no table has a column, or a method does not fit it.
    pub fn check_standard_columns(&self) -> Result<(), MaskError> {
        let standard = self.columns.iter().filter(|rule| !rule.column.starts_with(CUSTOM));
        let rules = Self { columns: standard.cloned().collect(), preset: self.preset };
        rules.check_columns(&CustomFieldColumns::default())
    }

    /// Checks the rules against the tables of a location with these custom fields.
    ///
    /// # Errors
    /// As [`Self::check_standard_columns`].
    pub(super) fn check_columns(&self, fields: &CustomFieldColumns) -> Result<(), MaskError> {
        let tables: Vec<_> = RESOURCES.iter().map(|table| table.table_schema(fields)).collect();
        for rule in &self.columns {
            let tables_of_rule = tables.iter().filter(|table| rule.is_of_table(table.name));
            let columns = tables_of_rule.flat_map(|table| &table.columns);
            let mut columns = columns.filter(|column| column.name == rule.column).peekable();
            if columns.peek().is_none() {
                return Err(unknown_column_error(rule, &tables));
            }
            for column in columns {
                rule.method.check_column(column).map_err(|why| MaskError::WrongMethod {
                    rule: rule.to_string(),
                    why: why.to_owned(),
                })?;
            }
        }
        Ok(())
    }

    /// How a column of a table is masked, if it is.
    fn method_for(&self, table: &str, column: &TableColumn) -> Option<MaskMethod> {
        if self.is_empty() {
            return None;
        }
        let named = self
            .columns
            .iter()
            .filter(|rule| rule.is_of_table(table) && rule.column == column.name);
        let named = named.max_by_key(|rule| rule.table.is_some()).map(|rule| rule.method);
        let preset = || self.preset.and_then(|preset| preset.method_for(table, column));
        let json = || (column.kind == ColumnKind::Json).then_some(MaskMethod::Drop);
        named.or_else(preset).or_else(json)
    }
}

fn unknown_column_error(rule: &MaskRule, tables: &[TableSchema]) -> MaskError {
    let columns = tables.iter().flat_map(|table| &table.columns);
    let closest =
        closest_match(&rule.column, columns.map(|column| column.name.as_str()), str::to_lowercase);
    MaskError::UnknownColumn { rule: rule.to_string(), closest: closest.map(str::to_owned) }
}

impl Masking {
    /// The mask of a table; `None` if nothing of it is masked.
    pub(super) fn mask_table(&self, table: &TableSchema) -> Option<TableMask> {
        let methods = table.columns.iter().map(|column| self.rules.method_for(table.name, column));
        let methods: Vec<_> = methods.collect();
        let is_masked = methods.iter().any(Option::is_some);
        is_masked.then(|| TableMask::new(table, methods, self.key.clone()))
    }

    /// Removes from failures what may quote a record: the message, and a subject that is no id.
    pub(super) fn mask_failures(&self, failures: &mut [FetchFailure]) {
        if self.rules.is_empty() {
            return;
        }
        for failure in failures {
            "not shown in a masked export".clone_into(&mut failure.message);
            let subject = &failure.subject;
            let is_address = subject.contains('@') || !subject.contains(char::is_alphabetic);
            if is_address {
                "(masked)".clone_into(&mut failure.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{CONTACTS, NOTES, ResourceSpec, TASKS, USERS};

    fn rules(texts: &[&str]) -> MaskRules {
        let columns = texts.iter().map(|text| text.parse().unwrap()).collect();
        MaskRules { columns, preset: None }
    }

    #[track_caller]
    fn method(rules: &MaskRules, table: &ResourceSpec, column: &str) -> Option<MaskMethod> {
        let table = table.table_schema(&CustomFieldColumns::default());
        let column = &table.columns[table.column_index(column).unwrap()];
        rules.method_for(table.name, column)
    }

    #[test]
    fn a_rule_of_a_table_counts_more_than_one_of_all_and_a_later_one_more_than_an_earlier() {
        let rules = rules(&["contacts.email=domain", "email=drop", "email=hash"]);
        assert_eq!(method(&rules, &CONTACTS, "email"), Some(MaskMethod::Domain));
        assert_eq!(method(&rules, &USERS, "email"), Some(MaskMethod::Hash));
        assert_eq!(method(&rules, &CONTACTS, "phone"), None);
    }

    #[test]
    fn json_is_left_out_as_soon_as_anything_is_masked_unless_it_is_named() {
        let masked = rules(&["email=hash", "contacts.extra=hash"]);
        assert_eq!(method(&masked, &CONTACTS, "extra"), Some(MaskMethod::Hash));
        assert_eq!(method(&masked, &TASKS, "extra"), Some(MaskMethod::Drop));
        assert_eq!(method(&masked, &NOTES, "relations"), Some(MaskMethod::Drop));
        assert_eq!(method(&MaskRules::default(), &TASKS, "extra"), None);
    }

    #[test]
    fn a_rule_that_no_column_can_follow_is_refused() {
        for (rule, says) in [
            ("emial=hash", "no such column"),
            ("tasks.email=hash", "no such column"),
            ("email=year", "not a date"),
            ("id=drop", "`id`"),
            ("dnd=last4", "not a text"),
            ("date_of_birth=domain", "not a text"),
        ] {
            let refused = rules(&[rule]).check_standard_columns().unwrap_err();
            assert!(refused.to_string().contains(says), "{rule}: {refused}");
        }
        let fine = ["custom_unknown=drop", "contacts.id=hash", "date_of_birth=year", "tags=hash"];
        rules(&fine).check_standard_columns().unwrap();
        let closest = rules(&["emial=hash"]).check_standard_columns().unwrap_err();
        let MaskError::UnknownColumn { closest, .. } = closest else { panic!("{closest}") };
        assert_eq!(closest.as_deref(), Some("email"));
    }
}
