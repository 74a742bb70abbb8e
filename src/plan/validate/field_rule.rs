//! Steps: what is done with one rule's columns, or with one constant, in every row.

use std::collections::HashMap;

use super::Checker;
use super::cell_value::{Taken, Value};
use super::outcome::{Rejection, Warned};
use super::row_context::Work;
use super::row_filter::Scope;
use super::severity;
use super::value_type::Kind;
use crate::mapping::{Blank, Rule, Share, Template};
use crate::model::Target;
use crate::model::target::{Channel, NotePart};
use crate::value::{Order, Unreadable};

/// A rule whose target is resolved.
#[derive(Debug)]
pub(super) struct Step {
    /// Where values go.
    pub(super) target: Target,
    /// The custom field's id and whether it takes only text, for custom fields.
    pub(super) custom: Option<Custom>,
    /// The channel that a consent column is about.
    pub(super) channel: Option<Channel>,
    pub(super) kind: Kind,
    pub(super) source: Source,
    /// The letters of its columns in brackets, as templates name them.
    pub(super) names: Vec<String>,
    pub(super) blank: Blank,
    pub(super) words: Words,
    pub(super) split: Option<Vec<String>>,
    /// Whether tags take the place of others.
    pub(super) replaces: bool,
    /// The order of day, month and year in its values.
    pub(super) order: Option<Order>,
    /// Whether nothing is to be left out: a value that cannot be read rejects its row.
    pub(super) identity: bool,
    /// Which of a cell's values is taken.
    pub(super) part: Option<Share>,
    /// In which rows it applies.
    pub(super) scope: Scope,
    /// Its place among the steps.
    pub(super) place: usize,
}

/// A custom field that values go to.
#[derive(Debug)]
pub(super) struct Custom {
    pub(super) id: String,
    /// Whether it takes texts only: what a converter made of other type is written out.
    pub(super) is_text: bool,
}

/// Where values come from.
#[derive(Debug)]
pub(super) enum Source {
    /// Columns: each for itself, or joined.
    Columns { columns: Vec<usize>, join: Option<Join> },
    /// Every row has the same.
    Constant(String),
}

/// How several columns make one value.
#[derive(Debug)]
pub(super) enum Join {
    /// One after the other, without the empty ones.
    With(String),
    /// As a template says.
    Template(Template),
}

impl Join {
    /// The value of some columns' texts, of which at least one is not empty; `names` are the columns'.
    fn made(&self, names: &[String], texts: &[Option<String>]) -> String {
        match self {
            Self::With(between) => {
                let filled: Vec<&str> = texts.iter().flatten().map(String::as_str).collect();
                filled.join(between)
            }
            Self::Template(template) => template.filled(|name| {
                let at = names.iter().position(|own| own == name)?;
                texts[at].as_deref()
            }),
        }
    }
}

/// What is done to the words of a value before it is read.
#[derive(Debug, Default)]
pub(super) struct Words {
    values: HashMap<String, String>,
    prefix: String,
    strip: String,
}

impl Words {
    pub(super) fn new(rule: &Rule) -> Self {
        let value = |(from, to): (&String, &String)| (from.trim().to_lowercase(), to.clone());
        Self {
            values: rule.values.iter().map(value).collect(),
            prefix: rule.prefix.clone(),
            strip: rule.strip_prefix.clone(),
        }
    }

    /// Whether nothing is done.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.prefix.is_empty() && self.strip.is_empty()
    }

    /// The word that stands for a whole cell, if one does.
    pub(super) fn standing_for(&self, text: &str) -> Option<&str> {
        if self.values.is_empty() {
            return None;
        }
        self.values.get(&text.trim().to_lowercase()).map(String::as_str)
    }

    /// A cell's text as a value: what it stands for, without the prefix to take off.
    pub(super) fn bare(&self, text: String) -> String {
        let text = match self.standing_for(&text) {
            Some(word) => word.to_owned(),
            None => text,
        };
        match text.strip_prefix(self.strip.as_str()) {
            Some(rest) if !self.strip.is_empty() => rest.trim_start().to_owned(),
            _ => text,
        }
    }

    /// A value with the prefix to put before it.
    pub(super) fn prefixed(&self, text: String) -> String {
        if self.prefix.is_empty() || text.is_empty() {
            text
        } else {
            format!("{}{text}", self.prefix)
        }
    }
}

impl Step {
    /// Whether values are taken as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.words.is_empty() && self.part.is_none()
    }

    /// Whether several columns make one value.
    pub(super) fn is_joined(&self) -> bool {
        matches!(&self.source, Source::Columns { join: Some(_), .. })
    }

    /// Whether it reads a note's text, which has a length limit of its own.
    pub(super) fn is_note(&self) -> bool {
        self.target == Target::Note(NotePart::Body)
    }
}

impl Checker {
    /// Takes a rule's values from a row and puts them where they go.
    pub(super) fn step(&self, step: &Step, work: &mut Work<'_>) -> Result<(), Rejection> {
        self.taken(step, work).or_else(|rejection| work.set_aside(step, rejection))
    }

    fn taken(&self, step: &Step, work: &mut Work<'_>) -> Result<(), Rejection> {
        if !step.applies(work) {
            return Ok(());
        }
        match &step.source {
            Source::Constant(text) => self.put(step, None, Value::Text(text.clone()), work),
            Source::Columns { columns, join: Some(join) } => self.joined(step, columns, join, work),
            Source::Columns { columns, join: None } => {
                let mut blank = true;
                for column in columns {
                    match self.take(step, *column, work)? {
                        Taken::Value(value) => {
                            blank = false;
                            self.put(step, Some(*column), value, work)?;
                            work.remember(step, *column);
                        }
                        Taken::Unusable => blank = false,
                        Taken::Blank => {}
                    }
                }
                if blank { self.blank(step, columns.first().copied(), work) } else { Ok(()) }
            }
        }
    }

    /// Several columns make one value, without the empty ones.
    fn joined(
        &self,
        step: &Step,
        columns: &[usize],
        join: &Join,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let mut texts = Vec::with_capacity(columns.len());
        let mut unusable = false;
        for column in columns {
            let taken = self.take(step, *column, work)?;
            unusable |= matches!(taken, Taken::Unusable);
            texts.push(match taken {
                Taken::Value(value) => Some(value.into_text()),
                Taken::Unusable | Taken::Blank => None,
            });
        }
        let first = columns.first().copied();
        if texts.iter().any(Option::is_some) {
            let text = step.words.prefixed(join.made(&step.names, &texts));
            return self.put(step, first, Value::Text(text), work);
        }
        if unusable { Ok(()) } else { self.blank(step, first, work) }
    }

    /// A rule whose cells are all empty.
    fn blank(
        &self,
        step: &Step,
        column: Option<usize>,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        match step.blank {
            Blank::Leave => Ok(()),
            Blank::Error => Err(work.reject(
                "R_BLANK",
                step,
                column,
                format!("the cell is empty, and the mapping wants a value for `{}`", step.target),
            )),
            Blank::Clear if work.is_short() || step.is_in_extra(work) => Ok(()),
            Blank::Clear if !self.policy.allow_clear => {
                self.tally.left(step.place);
                Ok(())
            }
            Blank::Clear => {
                step.clear(work);
                Ok(())
            }
        }
    }

    /// A value that cannot be read rejects its row, or is left out.
    pub(super) fn unreadable(
        &self,
        step: &Step,
        column: Option<usize>,
        trouble: &Unreadable,
        work: &mut Work<'_>,
    ) -> Result<(), Rejection> {
        let code = if step.identity { trouble.code } else { severity::dropping(trouble.code) };
        if self.policy.strict || step.identity && step.custom.is_some() || code.starts_with("R_") {
            return Err(work.reject(
                severity::rejecting(code),
                step,
                column,
                trouble.message.clone(),
            ));
        }
        let message = format!("{}; `{}` is left out", trouble.message, step.target);
        let field = work.named(column, &step.target.to_string());
        work.warn_later(step, Warned { code, column, field, message });
        Ok(())
    }
}
