//! The mapping: which column goes to which target, and how its values are read.
//!
//! A mapping is a TOML file that a user can read and change; presets are mappings with a way to
//! recognise their files. Every column of a sheet is mapped or ignored, never silently dropped.

pub mod header;
pub mod preset;
pub mod propose;

mod bind;
mod columns;
mod condition;
mod consistency;
mod inline;
mod options;
mod overlay;
mod parse_toml;
mod problem;
mod render_toml;
mod resolve_columns;
mod split_part;
mod target_name;
mod text_template;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::model::policy::{BlankRule, TagRule};
use super::model::target::MappingTarget;
use crate::choice::choice_enum;
use crate::id::LocationId;
use crate::sheet::SheetReadOptions;

pub use bind::duplicate_headers;
pub(crate) use bind::join_with_and;
pub(crate) use columns::ColumnLookup;
pub use condition::{CellTest, RuleCondition};
pub use options::PolicyOptions;
pub(crate) use options::{COUNTRY_OPTION, DUE_OPTION, EMPTY_VALUES_OPTION, TIMEZONE_OPTION};
pub use problem::{DUPLICATE_HEADER, mapping_problem};
pub(crate) use render_toml::{is_invisible_or_bidi, toml_string, toml_string_array};
pub use resolve_columns::find_custom_field;
pub use split_part::SplitPart;
pub use target_name::{UnknownTarget, closest_name, parse_target};
pub use text_template::{TextTemplate, TextTemplatePiece};

/// The version of the mapping file that this program reads and writes.
pub const FORMAT: i64 = 1;

/// A mapping. Stored in the run as its TOML text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// What it is called in messages: a path, a preset's name, `the header dictionary`.
    pub name: String,
    /// The location it is for, if it is for one only.
    pub location: Option<LocationId>,
    /// How the file is read.
    pub reading: SheetReadOptions,
    /// What goes where, in the order of the file.
    pub rules: Vec<MappingRule>,
    /// Values that every row gets.
    pub constants: Vec<ConstantValue>,
    /// Columns that are not read, as written: names, letters, or patterns with `*`.
    pub ignore: Vec<String>,
    /// The policy's fields that the mapping sets (`[options]`).
    pub options: PolicyOptions,
    /// What becomes of rules that the sheet or the location has nothing for.
    pub missing: OnMissing,
}

choice_enum! {
    /// What to do with rules whose column the sheet lacks, or whose custom field the location lacks.
    pub enum OnMissing = Stop {
        /// Report them as problems: the mapping was written for this sheet and this location
        Stop = "stop",
        /// Skip them: the mapping is for a kind of file of which sheets hold only parts
        Skip = "skip",
    }
}

/// One target and the columns it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRule {
    /// The columns: names, letters, or one pattern with `*`. Several are joined.
    pub from: Vec<String>,
    /// What stands between joined values.
    pub join: String,
    /// Where it goes.
    pub to: MappingTarget,
    /// How values are read; by default as the target wants them.
    pub convert: Option<ValueConverter>,
    /// What an empty cell means.
    pub blank: Option<BlankRule>,
    /// Values that stand for others; compared without outer blanks and case.
    pub values: BTreeMap<String, String>,
    /// Put before each value.
    pub prefix: String,
    /// Taken off the front of each value where it is there.
    pub strip_prefix: String,
    /// The characters or texts that separate several values in a cell; by default the target's own.
    pub split: Option<Vec<String>>,
    /// For tags: whether they are added or take the place of the others.
    pub tags: Option<TagRule>,
    /// The text that is made of the columns, instead of joining them.
    pub template: Option<TextTemplate>,
    /// Which of the values of a cell is taken; `split` parts them.
    pub part: Option<SplitPart>,
    /// In which rows the rule applies; by default in all.
    pub when: Option<RuleCondition>,
    /// Whether it applies only where no other rule has found a value for the target. Of several such
    /// rules the first that finds one counts.
    pub fallback: bool,
    /// The column that holds the custom field's name, row by row; then `to` is `customFields.*`.
    pub named_by: Option<String>,
    /// The line of the mapping file, from 1; 0 where there is none.
    pub line: usize,
}

impl Default for MappingRule {
    /// A rule that says nothing yet.
    fn default() -> Self {
        Self {
            from: Vec::new(),
            join: " ".to_owned(),
            to: MappingTarget::Undecided,
            convert: None,
            blank: None,
            values: BTreeMap::new(),
            prefix: String::new(),
            strip_prefix: String::new(),
            split: None,
            tags: None,
            template: None,
            part: None,
            when: None,
            fallback: false,
            named_by: None,
            line: 0,
        }
    }
}

/// A value that every row gets.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstantValue {
    /// Where it goes.
    pub to: MappingTarget,
    /// The value, as a cell would hold it.
    pub value: String,
    /// The names of the files that it is for, as patterns with `*`; all files when there are none. Some
    /// programs say what they export only in the file's name.
    pub file: Vec<String>,
    /// The line of the mapping file, from 1; 0 where there is none.
    pub line: usize,
}

choice_enum! {
    /// How values are read.
    pub enum ValueConverter {
        /// As text, trimmed; line breaks kept
        Text = "text",
        /// As text on one line: line breaks become `, `
        Line = "line",
        /// As a phone number, E.164
        Phone = "phone",
        /// As one or several e-mail addresses
        Email = "email",
        /// As a date
        Date = "date",
        /// As a moment
        DateTime = "date_time",
        /// As a number
        Number = "number",
        /// As an amount of money: a number with currency signs
        Money = "money",
        /// As yes or no
        Boolean = "boolean",
        /// As a country, ISO 3166-1 alpha-2
        Country = "country",
        /// As a time zone, IANA
        Timezone = "timezone",
        /// As a list
        List = "list",
        /// As a web address
        Url = "url",
    }
}

/// A column's rule, once the mapping has met a sheet: what [`super::plan::validate`] works with.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundRule {
    /// The rule; its `to` is never a pattern.
    pub rule: MappingRule,
    /// The columns' indexes, in the order of `rule.from`.
    pub columns: Vec<usize>,
    /// The column that `rule.when` looks at. Without it the rule applies in every row.
    pub when: Option<usize>,
    /// The column that names the custom field.
    pub named_by: Option<usize>,
    /// Whether its custom field is named by nothing but what a pattern's `*` stands for. The location
    /// may know it by the whole header instead.
    pub by_star: bool,
}

/// A mapping that has met a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundMapping {
    /// The rules that apply. Targets `Ignore` and `Undecided` are not among them.
    pub bound: Vec<BoundRule>,
    /// Values that every row gets.
    pub constants: Vec<ConstantValue>,
    /// Columns that nothing reads and nobody ignored on purpose, by index.
    pub unmapped: Vec<usize>,
}
