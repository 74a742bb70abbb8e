//! A mapping resolved against a directory: the steps that every row goes through.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;

use super::column_scan::Findings;
use super::consent;
use super::field_rule::{Custom, Join, Source, Step, Words};
use super::row_filter::Scope;
use super::value_type::{self, Kind};
use crate::mapping::{
    self, Blank, Bound, Constant, Convert, DUPLICATE_HEADER, Problem, Rule, Test,
};
use crate::model::target::{Channel, Field, NotePart};
use crate::model::{Directory, IdentityKey, Policy, TagRule, Target};
use crate::sheet::Column;
use crate::value::{self, Order};

/// What every row is judged by.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) steps: Vec<Step>,
    /// Whether the sheet is about notes and tasks only.
    pub(super) children_only: bool,
    pub(super) has_notes: bool,
    pub(super) has_tasks: bool,
    /// The country of phone numbers in rows that name none.
    pub(super) country: Option<String>,
    /// The zone of times without one.
    pub(super) zone: TimeZone,
    /// The custom field that rows are known by.
    pub(super) key: Option<String>,
    /// Texts that mean nothing, in lower case.
    pub(super) empty_values: HashSet<String>,
}

impl Resolved {
    pub(super) fn new(
        plan: &mapping::Plan,
        columns: &[Column],
        directory: &Directory,
        policy: &Policy,
        findings: Findings,
    ) -> Result<Self, Vec<Problem>> {
        let orders = findings.into_orders();
        let mut problems = Vec::new();
        let key = key(directory, policy, &mut problems);
        let zone = zone(directory, policy, &mut problems);
        let order = order(policy, &mut problems);
        let builder = Builder { columns, directory, policy, key: key.as_deref() };
        let mut steps = Vec::new();
        for (index, bound) in plan.bound.iter().enumerate() {
            let order = order.or(orders.get(&index).copied());
            match bound.named_by {
                Some(column) => steps.extend(builder.of_named_fields(bound, column)),
                None => collect(builder.of_rule(bound, order), &mut steps, &mut problems),
            }
        }
        for constant in &plan.constants {
            collect(builder.of_constant(constant), &mut steps, &mut problems);
        }
        repeated(&steps, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        arrange(&mut steps);
        let has = |wanted: fn(&Target) -> bool| steps.iter().any(|step| wanted(&step.target));
        let country = policy.default_country.as_deref().or(directory.country.as_deref());
        Ok(Self {
            has_notes: has(|target| matches!(target, Target::Note(_))),
            has_tasks: has(|target| matches!(target, Target::Task(_))),
            children_only: has(is_child) && !has(is_about_contacts),
            country: country.and_then(|text| value::country(text).ok()).map(str::to_owned),
            empty_values: policy
                .empty_values
                .iter()
                .map(|text| text.trim().to_lowercase())
                .collect(),
            steps,
            zone,
            key,
        })
    }

    /// Whether a text is one of those that mean nothing.
    pub(super) fn is_empty_value(&self, text: &str) -> bool {
        !self.empty_values.is_empty() && self.empty_values.contains(&text.trim().to_lowercase())
    }
}

/// How one target of a mapping is read.
///
/// # Errors
/// What is wrong with it in this location.
pub(super) fn kind_of(
    target: &Target,
    convert: Option<Convert>,
    directory: &Directory,
) -> Result<(Kind, Option<Custom>), String> {
    let Target::Custom(name) = target else {
        let kind = Kind::of_target(target, convert).map_err(|()| {
            let name = convert.map(value_type::name).unwrap_or_default();
            format!("`convert = \"{name}\"` does not go with `{target}`")
        })?;
        return Ok((kind, None));
    };
    let field = directory.field(name).map_err(|error| error.message)?;
    let kind = Kind::of_field(field, convert)?;
    let is_text = matches!(field.data_type.as_str(), "TEXT" | "LARGE_TEXT" | "TIME");
    Ok((kind, Some(Custom { id: field.id.clone(), is_text })))
}

struct Builder<'a> {
    columns: &'a [Column],
    directory: &'a Directory,
    policy: &'a Policy,
    key: Option<&'a str>,
}

impl Builder<'_> {
    /// What an empty cell means. What cannot be emptied is left alone, unless the rule itself says else.
    fn blank(&self, rule: &Rule) -> Blank {
        match rule.blank.unwrap_or(self.policy.blank) {
            Blank::Clear if !can_clear(&rule.to) => Blank::Leave,
            blank => blank,
        }
    }

    fn of_rule(&self, bound: &Bound, order: Option<Order>) -> Result<Step, Problem> {
        let rule = &bound.rule;
        let (kind, custom) = kind_of(&rule.to, rule.convert, self.directory)
            .map_err(|message| Problem::new(rule.line, message))?;
        if rule.blank == Some(Blank::Clear) && !can_clear(&rule.to) {
            let message = format!("`blank = \"clear\"` does not go with `{}`", rule.to);
            return Err(Problem::new(rule.line, message));
        }
        let joins = bound.columns.len() > 1 && !adds(&rule.to, &kind);
        let join = match &rule.template {
            Some(template) => Some(Join::Template(template.clone())),
            None => joins.then(|| Join::With(rule.join.clone())),
        };
        let columns = bound.columns.clone();
        let replaces = rule.tags.unwrap_or(self.policy.tags) == TagRule::Replace;
        Ok(Step {
            channel: self.channel(&rule.to, columns.first().copied()),
            source: Source::Columns { columns, join },
            names: bound
                .columns
                .iter()
                .filter_map(|at| Some(format!("[{}]", self.columns.get(*at)?.letters)))
                .collect(),
            identity: self.is_identity(&rule.to, custom.as_ref()),
            target: rule.to.clone(),
            blank: self.blank(rule),
            words: Words::new(rule),
            split: rule.split.clone(),
            replaces,
            part: rule.part,
            scope: Scope::of(bound),
            order,
            custom,
            kind,
            place: 0,
        })
    }

    /// Steps for a column whose custom field another column names: one for each field, and one for
    /// names that no field has.
    fn of_named_fields(&self, bound: &Bound, column: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut known = Vec::new();
        let fields = &self.directory.fields;
        for field in fields {
            let alone =
                fields.iter().filter(|other| other.name.eq_ignore_ascii_case(&field.name)).count()
                    == 1;
            let mut words = vec![field.key.clone()];
            words.extend(alone.then(|| field.name.clone()));
            let rule = Rule { to: Target::Custom(field.id.clone()), ..bound.rule.clone() };
            if let Ok(mut step) = self.of_rule(&Bound { rule, ..bound.clone() }, None) {
                step.target = Target::Custom(field.key.clone());
                step.scope.only(column, Test::Is(words.clone()));
                known.append(&mut words);
                steps.push(step);
            }
        }
        let plain = Rule { to: Target::Ignore, ..bound.rule.clone() };
        if let Ok(mut step) = self.of_rule(&Bound { rule: plain, ..bound.clone() }, None) {
            step.target.clone_from(&bound.rule.to);
            step.scope.only(column, Test::Not(known));
            steps.push(step);
        }
        steps
    }

    fn of_constant(&self, constant: &Constant) -> Result<Step, Problem> {
        let rule = Rule { to: constant.to.clone(), line: constant.line, ..Rule::default() };
        let bound = Bound { rule, columns: Vec::new(), when: None, named_by: None, by_star: false };
        let step = self.of_rule(&bound, None)?;
        Ok(Step { source: Source::Constant(constant.value.clone()), ..step })
    }

    /// What a consent column is about. A column of consents that names no channel is about e-mail:
    /// that is what such columns are asked for.
    fn channel(&self, target: &Target, column: Option<usize>) -> Option<Channel> {
        match target {
            Target::DndChannel(channel) => Some(*channel),
            Target::OptIn => {
                let header = column.and_then(|index| self.columns.get(index));
                Some(consent::channel_of(header.map_or("", |header| &header.name)))
            }
            _ => None,
        }
    }

    fn is_identity(&self, target: &Target, custom: Option<&Custom>) -> bool {
        match target {
            Target::ContactId
            | Target::Field(Field::Email | Field::Phone)
            | Target::AdditionalEmails
            | Target::AdditionalPhones
            | Target::Dnd
            | Target::DndChannel(_)
            | Target::OptIn => true,
            _ => custom.is_some_and(|custom| Some(custom.id.as_str()) == self.key),
        }
    }
}

fn collect(step: Result<Step, Problem>, steps: &mut Vec<Step>, problems: &mut Vec<Problem>) {
    match step {
        Ok(step) => steps.push(step),
        Err(problem) => problems.push(problem),
    }
}

/// Countries first, for phone numbers and postal codes; what fills in after what comes first, and
/// constants last, for what rows leave open.
fn arrange(steps: &mut [Step]) {
    steps.sort_by_key(|step| {
        let country = step.target == Target::Field(Field::Country);
        let constant = matches!(step.source, Source::Constant(_));
        (!country, constant, step.scope.is_fallback())
    });
    for (place, step) in steps.iter_mut().enumerate() {
        step.place = place;
    }
}

/// One custom field under two names.
fn repeated(steps: &[Step], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, &Target> = HashMap::new();
    for step in steps.iter().filter(|step| !matches!(step.source, Source::Constant(_))) {
        let Some(custom) = &step.custom else { continue };
        // Rules of one name have been judged when the mapping met the sheet.
        let other = seen.insert(&custom.id, &step.target);
        if let Some(other) = other.filter(|other| **other != step.target) {
            let message =
                format!("`{other}` and `{}` are the same field; keep one of them", step.target);
            problems.push(Problem::new(0, message).code(DUPLICATE_HEADER));
        }
    }
}

/// Whether a rule's columns each add a value instead of making one together.
fn adds(target: &Target, kind: &Kind) -> bool {
    let joins = matches!(target, Target::Note(_));
    target.takes_many() && !joins
        || kind.is_list()
        || matches!(target, Target::Field(Field::Email | Field::Phone))
}

fn can_clear(target: &Target) -> bool {
    matches!(
        target,
        Target::Field(_) | Target::Custom(_) | Target::Tags | Target::Owner | Target::Business
    )
}

fn is_child(target: &Target) -> bool {
    matches!(target, Target::Note(NotePart::Body | NotePart::Id) | Target::Task(_))
}

/// Whether a target says something of a contact, beside which one it is.
fn is_about_contacts(target: &Target) -> bool {
    let names_it = matches!(
        target,
        Target::ContactId | Target::SourceId | Target::Field(Field::Email | Field::Phone)
    );
    let of_children = matches!(target, Target::Note(_) | Target::Task(_));
    !(names_it || of_children || matches!(target, Target::Ignore | Target::Undecided))
}

fn key(directory: &Directory, policy: &Policy, problems: &mut Vec<Problem>) -> Option<String> {
    let IdentityKey::Custom(name) = &policy.key else { return None };
    match directory.field(name) {
        Ok(field) => Some(field.id.clone()),
        Err(error) => {
            problems.push(Problem::new(0, format!("`--key`: {error}")));
            None
        }
    }
}

fn zone(directory: &Directory, policy: &Policy, problems: &mut Vec<Problem>) -> TimeZone {
    if let Some(name) = &policy.timezone {
        match TimeZone::get(name) {
            Ok(zone) => return zone,
            Err(_) => problems.push(Problem::new(0, format!("`{name}` is no time zone"))),
        }
    }
    // A location's zone that this system does not know is no reason to stop.
    let zone = directory.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    zone.unwrap_or(TimeZone::UTC)
}

fn order(policy: &Policy, problems: &mut Vec<Problem>) -> Option<Order> {
    match policy.date_order.as_deref()?.parse() {
        Ok(order) => Some(order),
        Err(error) => {
            problems.push(Problem::new(0, format!("{error}")));
            None
        }
    }
}
