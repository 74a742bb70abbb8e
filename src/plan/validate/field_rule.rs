//! Field rules: one mapping rule's columns, or one constant, applied to every row.

use std::collections::{HashMap, HashSet};

use super::value_type::{CustomFieldTarget, TargetValueType};
use crate::mapping::{BoundRule, CellTest, MappingRule, SplitPart, TextTemplate};
use crate::model::target::{Channel, NotePart};
use crate::model::{BlankRule, MappingTarget};
use crate::value::DateOrder;

/// A rule whose target is resolved.
#[derive(Debug)]
pub(super) struct FieldRule {
    /// The target of the values.
    pub(super) target: MappingTarget,
    /// The custom field, if the target is one.
    pub(super) custom: Option<CustomFieldTarget>,
    /// The channel of a consent column.
    pub(super) channel: Option<Channel>,
    pub(super) kind: TargetValueType,
    pub(super) source: FieldRuleSource,
    /// The letters of its columns in brackets, as templates name them.
    pub(super) names: Vec<String>,
    pub(super) blank: BlankRule,
    pub(super) words: TextTransform,
    pub(super) split: Option<Vec<String>>,
    /// Whether the tags replace the existing ones.
    pub(super) replaces: bool,
    /// The order of day, month and year in its values.
    pub(super) order: Option<DateOrder>,
    /// Whether the rule is about the contact's identity: a value that cannot be read then rejects its row.
    pub(super) identity: bool,
    /// Which of a cell's values is used.
    pub(super) part: Option<SplitPart>,
    /// The rows to which the rule applies.
    pub(super) scope: RuleScope,
    /// Its index among the field rules.
    pub(super) place: usize,
}

/// The source of the values.
#[derive(Debug)]
pub(super) enum FieldRuleSource {
    /// Columns: each with its own value, or joined.
    Columns { columns: Vec<usize>, join: Option<ColumnJoin> },
    /// The same value in every row.
    Constant(String),
}

/// How several columns form one value.
#[derive(Debug)]
pub(super) enum ColumnJoin {
    /// The non-empty texts, joined with this separator.
    With(String),
    /// The result of a template.
    Template(TextTemplate),
}

impl ColumnJoin {
    /// Joins the texts of some columns, at least one of which is not empty; `names` are those of the columns.
    pub(super) fn join_texts(&self, names: &[String], texts: &[Option<String>]) -> String {
        match self {
            Self::With(between) => {
                let filled: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
                filled.join(between)
            }
            Self::Template(template) => template.render_with(|name| {
                let at = names.iter().position(|own| own == name)?;
                texts[at].as_deref()
            }),
        }
    }
}

/// The changes to a text before it is converted.
#[derive(Debug, Default)]
pub(super) struct TextTransform {
    values: HashMap<String, String>,
    prefix: String,
    strip: String,
}

impl TextTransform {
    pub(super) fn new(rule: &MappingRule) -> Self {
        let value = |(from, to): (&String, &String)| (from.trim().to_lowercase(), to.clone());
        Self {
            values: rule.values.iter().map(value).collect(),
            prefix: rule.prefix.clone(),
            strip: rule.strip_prefix.clone(),
        }
    }

    /// Whether it changes nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.prefix.is_empty() && self.strip.is_empty()
    }

    /// The replacement of a whole cell, if there is one.
    pub(super) fn replacement_for(&self, text: &str) -> Option<&str> {
        if self.values.is_empty() {
            return None;
        }
        self.values.get(&text.trim().to_lowercase()).map(String::as_str)
    }

    /// Replaces a cell's text, and strips the prefix to remove.
    pub(super) fn replace_and_strip(&self, text: String) -> String {
        let text = match self.replacement_for(&text) {
            Some(word) => word.to_owned(),
            None => text,
        };
        match text.strip_prefix(self.strip.as_str()) {
            Some(rest) if !self.strip.is_empty() => rest.trim_start().to_owned(),
            _ => text,
        }
    }

    /// Adds the prefix to a value.
    pub(super) fn add_prefix(&self, text: String) -> String {
        if self.prefix.is_empty() || text.is_empty() {
            text
        } else {
            format!("{}{text}", self.prefix)
        }
    }
}

impl FieldRule {
    /// Whether values are used unchanged.
    pub(super) fn has_no_transform(&self) -> bool {
        self.words.is_empty() && self.part.is_none()
    }

    /// Whether several columns form one value.
    pub(super) fn joins_columns(&self) -> bool {
        matches!(&self.source, FieldRuleSource::Columns { join: Some(_), .. })
    }

    /// Whether cells that stand for no value are reported. In columns about consent, they are answers.
    pub(super) fn reports_placeholders(&self) -> bool {
        !matches!(
            self.target,
            MappingTarget::Dnd
                | MappingTarget::DndChannel(_)
                | MappingTarget::OptIn
                | MappingTarget::Ignore
                | MappingTarget::Undecided
        )
    }

    /// Whether it reads a note's text, which has its own length limit.
    pub(super) fn is_note_body(&self) -> bool {
        self.target == MappingTarget::Note(NotePart::Body)
    }
}

/// The rows to which a field rule applies.
#[derive(Debug, Default)]
pub(super) struct RuleScope {
    pub(super) conditions: Vec<CellCondition>,
    /// Whether it applies only if no other rule found a value.
    pub(super) fallback: bool,
}

impl RuleScope {
    pub(super) fn from_bound_rule(bound: &BoundRule) -> Self {
        let mut scope = Self { conditions: Vec::new(), fallback: bound.rule.fallback };
        for (column, when) in bound.when.iter().zip(&bound.rule.when) {
            if let Some(column) = column {
                scope.add_condition(*column, when.test.clone());
            }
        }
        scope
    }

    /// Whether it applies only to rows in which no other rule found a value.
    pub(super) fn is_fallback(&self) -> bool {
        self.fallback
    }

    /// Adds the condition that a column passes a test.
    pub(super) fn add_condition(&mut self, column: usize, test: CellTest) {
        let words = match &test {
            CellTest::Is(words) | CellTest::Not(words) => {
                words.iter().map(|word| word.trim().to_lowercase()).collect()
            }
            CellTest::Contains(parts) => parts.iter().map(|part| part.to_lowercase()).collect(),
            CellTest::Matches(_) | CellTest::Filled(_) | CellTest::Id(_) => HashSet::new(),
        };
        self.conditions.push(CellCondition { column, test, words });
    }
}

/// A condition on the cell of a column.
#[derive(Debug)]
pub(super) struct CellCondition {
    pub(super) column: usize,
    pub(super) test: CellTest,
    /// The texts of the test, in lower case.
    pub(super) words: HashSet<String>,
}
