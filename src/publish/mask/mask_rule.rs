//! A rule as it is typed: `contacts.email=hash`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::choice::{Choice, choice_enum};
use crate::resource::{ColumnKind, RESOURCES, ResourceSpec, TableColumn};

choice_enum! {
    /// How a column is masked. An absent value stays absent.
    pub enum MaskMethod {
        /// HMAC-SHA-256 with a key of this machine: the same value has the same hash in all tables and exports
        Hash = "hash",
        /// the column is left out
        Drop = "drop",
        /// the last four characters of a text that is longer
        Last4 = "last4",
        /// the domain of an e-mail address
        Domain = "domain",
        /// the year of a date
        Year = "year",
    }
}

impl MaskMethod {
    /// Checks that the method applies to a column; says why not.
    pub(super) fn check_column(self, column: &TableColumn) -> Result<(), &'static str> {
        let is_text = matches!(column.kind, ColumnKind::Text | ColumnKind::TextList);
        let is_date = matches!(column.kind, ColumnKind::Date | ColumnKind::Timestamp);
        match self {
            Self::Drop if column.name == "id" => {
                Err("every row needs its `id`, which can be hashed")
            }
            Self::Last4 | Self::Domain if !is_text => Err("the column is not a text"),
            Self::Year if !is_date => Err("the column is not a date"),
            _ => Ok(()),
        }
    }
}

/// How one column is masked, of one table or of all that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MaskRule {
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: String,
    /// The method.
    pub method: MaskMethod,
}

impl MaskRule {
    pub(super) fn is_of_table(&self, table: &str) -> bool {
        self.table.as_deref().is_none_or(|own| own == table)
    }
}

impl FromStr for MaskRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "expected COLUMN=METHOD, such as `email=hash`".to_owned();
        let (place, method) = text.split_once('=').ok_or_else(form)?;
        let method = MaskMethod::from_word(method)
            .ok_or_else(|| format!("the method must be {}", MaskMethod::words_phrase()))?;
        let (table, column) = match place.trim().split_once('.') {
            None => (None, place.trim()),
            Some((table, column)) => {
                if ResourceSpec::from_name(table).is_none() {
                    let names: Vec<_> = RESOURCES.iter().map(|table| table.name).collect();
                    return Err(format!(
                        "there is no table `{table}`; the tables are {}",
                        names.join(", ")
                    ));
                }
                (Some(table.to_owned()), column)
            }
        };
        if column.is_empty() {
            return Err(form());
        }
        Ok(Self { table, column: column.to_owned(), method })
    }
}

impl fmt::Display for MaskRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(table) = &self.table {
            write!(f, "{table}.")?;
        }
        write!(f, "{}={}", self.column, self.method.word())
    }
}

impl TryFrom<String> for MaskRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MaskRule> for String {
    fn from(rule: MaskRule) -> Self {
        rule.to_string()
    }
}
