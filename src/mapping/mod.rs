//! Mappings: which column goes to which target, and how its values are read.
//!
//! A mapping is a TOML file that a user can read and edit; presets are mappings that also recognize their files.
//! Every column of a sheet is mapped or ignored, never silently dropped.

pub mod header;
pub mod preset;
pub mod propose;

mod bind;
mod columns;
mod condition;
mod consistency;
mod field_name;
mod inline;
mod new_fields;
mod options;
mod overlay;
mod parse_toml;
mod problem;
mod render_toml;
mod resolve_columns;
mod split_part;
mod target_list;
mod target_name;
mod text_pattern;
mod text_template;
mod toml_text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::model::new_field::NewFieldType;
use super::model::policy::{BlankRule, TagRule};
use super::model::target::MappingTarget;
use crate::choice::choice_enum;
use crate::id::LocationId;
use crate::sheet::SheetReadOptions;

pub use bind::duplicate_headers;
pub(crate) use bind::join_with_and;
pub(crate) use columns::ColumnLookup;
pub use condition::{CellTest, RuleCondition};
pub use field_name::clean_field_name;
pub(crate) use field_name::is_invisible_or_bidi;
pub(crate) use new_fields::split_new_fields;
pub use options::PolicyOptions;
pub(crate) use options::{
    COUNTRY_OPTION, DUE_OPTION, EMPTY_VALUES_OPTION, EXTRA_VALUES_OPTION, TIMEZONE_OPTION,
};
pub use problem::{DUPLICATE_HEADER, mapping_problem};
pub use resolve_columns::{find_custom_field, is_writable_field};
pub use split_part::SplitPart;
pub use target_list::{TargetDescription, describe_builtin_targets};
pub use target_name::{
    UnknownTarget, closest_name, custom_field_target, may_mean_custom_field, parse_target,
    suggest_custom_fields,
};
pub use text_pattern::TextPattern;
pub use text_template::{TextTemplate, TextTemplatePiece};
pub(crate) use toml_text::{toml_string, toml_string_array};

/// The version of the mapping file that this program reads and writes.
pub const FORMAT: i64 = 1;

/// A mapping. A run stores it as its TOML text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// The name in messages: a path, a preset's name, `the header dictionary`.
    pub name: String,
    /// The location it is limited to, if any.
    pub location: Option<LocationId>,
    /// How the file is read.
    pub reading: SheetReadOptions,
    /// The rules, in the order of the file.
    pub rules: Vec<MappingRule>,
    /// Values for every row.
    pub constants: Vec<ConstantValue>,
    /// Columns that are not read, as written: names, letters, or patterns with `*`.
    pub ignore: Vec<String>,
    /// The policy's fields that the mapping sets (`[options]`).
    pub options: PolicyOptions,
    /// What to do with rules that lack their column or custom field.
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

/// A target and its source columns.
#[derive(Debug, Clone, PartialEq)]
pub struct MappingRule {
    /// The columns: names, letters, or one pattern with `*`. Several are joined.
    pub from: Vec<String>,
    /// The separator of joined values.
    pub join: String,
    /// The target.
    pub to: MappingTarget,
    /// The type of the target, a custom field that is created if the location lacks it.
    pub create: Option<NewFieldType>,
    /// How values are converted; by default according to the target.
    pub convert: Option<ValueConverter>,
    /// What an empty cell does.
    pub blank: Option<BlankRule>,
    /// Replacements for values, compared without surrounding spaces and ignoring case.
    pub values: BTreeMap<String, String>,
    /// Added before each value.
    pub prefix: String,
    /// Removed from the start of each value that has it.
    pub strip_prefix: String,
    /// The characters or texts that separate several values in a cell; by default the target's own.
    pub split: Option<Vec<String>>,
    /// For tags: whether they are added or take the place of the others.
    pub tags: Option<TagRule>,
    /// A template that combines the columns, instead of joining them.
    pub template: Option<TextTemplate>,
    /// Which of a cell's values is used; `split` separates them.
    pub part: Option<SplitPart>,
    /// The conditions for the rule to apply, all of which a row must meet; without any, it applies to all rows.
    pub when: Vec<RuleCondition>,
    /// Whether it applies only if no other rule found a value for the target. Of several such rules, the first one
    /// with a value wins.
    pub fallback: bool,
    /// The column that contains the name of each row's custom field; then `to` is `customFields.*`.
    pub named_by: Option<String>,
    /// The line of the mapping file, from 1; 0 if there is no file.
    pub line: usize,
}

impl Default for MappingRule {
    /// An empty rule.
    fn default() -> Self {
        Self {
            from: Vec::new(),
            join: " ".to_owned(),
            to: MappingTarget::Undecided,
            create: None,
            convert: None,
            blank: None,
            values: BTreeMap::new(),
            prefix: String::new(),
            strip_prefix: String::new(),
            split: None,
            tags: None,
            template: None,
            part: None,
            when: Vec::new(),
            fallback: false,
            named_by: None,
            line: 0,
        }
    }
}

/// A value for every row.
#[derive(Debug, Clone, PartialEq)]
pub struct ConstantValue {
    /// The target.
    pub to: MappingTarget,
    /// The value, in the form of a cell.
    pub value: String,
    /// The names of the files that it is for, as patterns with `*`; empty for all files. Some programs only say in
    /// the file name what they export.
    pub file: Vec<String>,
    /// The conditions for a row to get it, all of which it must meet; without any, all rows get it.
    pub when: Vec<RuleCondition>,
    /// The line of the mapping file, from 1; 0 if there is no file.
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

/// A rule bound to the columns of a sheet: the input of [`super::plan::validate`].
#[derive(Debug, Clone, PartialEq)]
pub struct BoundRule {
    /// The rule; its `to` is never a pattern.
    pub rule: MappingRule,
    /// The columns' indexes, in the order of `rule.from`.
    pub columns: Vec<usize>,
    /// The column of each condition in `rule.when`; `None` for one that the sheet lacks and that empty cells meet.
    pub when: Vec<Option<usize>>,
    /// The column that names the custom field.
    pub named_by: Option<usize>,
    /// Whether the custom field's name comes only from the `*` of a pattern. The location may use the whole header
    /// as the name instead.
    pub by_star: bool,
}

/// A constant bound to the columns of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundConstant {
    /// The constant.
    pub constant: ConstantValue,
    /// The column of each of its conditions, as in [`BoundRule`].
    pub when: Vec<Option<usize>>,
}

/// A mapping bound to a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundMapping {
    /// The rules that apply, except those with the targets `Ignore` and `Undecided`.
    pub bound: Vec<BoundRule>,
    /// Values for every row, or for those that pass a test.
    pub constants: Vec<BoundConstant>,
    /// The indexes of columns that are neither read nor explicitly ignored.
    pub unmapped: Vec<usize>,
}
