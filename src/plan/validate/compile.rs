//! Compiles a mapping with a directory into the field rules that are applied to every row.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;

use super::column_scan::ColumnScanFindings;
use super::consent;
use super::field_rule::{ColumnJoin, FieldRule, FieldRuleSource, RuleScope, TextTransform};
use super::value_type::{CustomFieldTarget, TargetValueType, resolve_value_type};
use crate::diagnostic::Diagnostic;
use crate::mapping::{
    self, BoundConstant, BoundRule, CellTest, DUPLICATE_HEADER, MappingRule, mapping_problem,
};
use crate::model::target::{Channel, Field, NotePart};
use crate::model::{
    BlankRule, ImportPolicy, LocationDirectory, MappingTarget, MatchKey, MissingContactRule,
    TagRule,
};
use crate::sheet::SheetColumn;
use crate::value::{self, DateOrder};

/// Headers of columns that say whether a row is a test lead, without spaces and punctuation.
const TEST_LEAD_HEADERS: &[&str] = &[
    "test",
    "istest",
    "isatest",
    "istestlead",
    "isatestlead",
    "testlead",
    "istestcontact",
    "istestrecord",
    "istestsubmission",
    "testsubmission",
    "testmode",
];

/// What every row is validated against.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug)]
pub(super) struct CompiledMapping {
    pub(super) steps: Vec<FieldRule>,
    /// Whether the sheet is about notes and tasks of contacts that exist.
    pub(super) children_only: bool,
    pub(super) has_notes: bool,
    pub(super) has_tasks: bool,
    /// Whether rows name their contact by its id, as exports from an account do.
    pub(super) has_contact_ids: bool,
    /// The columns without a target that say whether a row is a test lead.
    pub(super) test_lead_columns: Vec<usize>,
    /// The country of phone numbers in rows without a country.
    pub(super) country: Option<String>,
    /// The time zone of times without one.
    pub(super) zone: TimeZone,
    /// What identifies rows instead of id, e-mail and phone.
    pub(super) key: Option<MatchKey>,
    /// Texts that count as empty; in lower case if their case does not matter.
    pub(super) empty_values: HashSet<String>,
    empty_values_ignore_case: bool,
}

impl CompiledMapping {
    pub(super) fn new(
        plan: &mapping::BoundMapping,
        columns: &[SheetColumn],
        directory: &LocationDirectory,
        policy: &ImportPolicy,
        findings: ColumnScanFindings,
    ) -> Result<Self, Vec<Diagnostic>> {
        let orders = findings.into_date_orders();
        let mut problems = Vec::new();
        let key = resolve_match_key(directory, policy, &mut problems);
        let zone = resolve_timezone(directory, policy, &mut problems);
        let order = policy.date_order;
        let builder = FieldRuleBuilder { columns, directory, policy, key: key.as_ref() };
        let mut steps = Vec::new();
        for (index, bound) in plan.bound.iter().enumerate() {
            let order = order.or(orders.get(&index).copied());
            match bound.named_by {
                Some(column) => steps.extend(builder.compile_named_fields(bound, column)),
                None => push_rule_or_problem(
                    builder.compile_rule(bound, order),
                    &mut steps,
                    &mut problems,
                ),
            }
        }
        for constant in &plan.constants {
            push_rule_or_problem(builder.compile_constant(constant), &mut steps, &mut problems);
        }
        report_repeated_fields(&steps, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        order_rules(&mut steps);
        let has =
            |wanted: fn(&MappingTarget) -> bool| steps.iter().any(|step| wanted(&step.target));
        let country = policy.default_country.as_deref().or(directory.country.as_deref());
        let ignores_case = policy.empty_values_ignore_case;
        let fold = |text: &str| {
            if ignores_case { text.trim().to_lowercase() } else { text.trim().to_owned() }
        };
        Ok(Self {
            has_notes: has(|target| matches!(target, MappingTarget::Note(_))),
            has_tasks: has(|target| matches!(target, MappingTarget::Task(_))),
            test_lead_columns: find_test_lead_columns(&plan.unmapped, columns),
            has_contact_ids: has(|target| *target == MappingTarget::ContactId),
            children_only: has(defines_note_or_task)
                && !has(is_contact_data)
                && policy.missing_contact == MissingContactRule::Reject,
            country: country.and_then(|text| value::parse_country(text).ok()).map(str::to_owned),
            empty_values: policy.empty_values.iter().map(|text| fold(text)).collect(),
            empty_values_ignore_case: policy.empty_values_ignore_case,
            steps,
            zone,
            key,
        })
    }

    /// Whether a text counts as empty.
    pub(super) fn is_empty_value(&self, text: &str) -> bool {
        if self.empty_values.is_empty() {
            return false;
        }
        let text = text.trim();
        if self.empty_values_ignore_case {
            self.empty_values.contains(&text.to_lowercase())
        } else {
            self.empty_values.contains(text)
        }
    }
}

/// The columns without a target whose header asks whether a row is a test lead.
fn find_test_lead_columns(unmapped: &[usize], columns: &[SheetColumn]) -> Vec<usize> {
    let asks = |at: &&usize| {
        let name = columns.get(**at).map(|column| mapping::header::fold_name(&column.name));
        name.is_some_and(|name| TEST_LEAD_HEADERS.contains(&name.as_str()))
    };
    unmapped.iter().filter(asks).copied().collect()
}

struct FieldRuleBuilder<'a> {
    columns: &'a [SheetColumn],
    directory: &'a LocationDirectory,
    policy: &'a ImportPolicy,
    key: Option<&'a MatchKey>,
}

impl FieldRuleBuilder<'_> {
    /// What an empty cell does. A value that cannot be cleared is left unchanged, unless the rule itself says
    /// otherwise.
    fn blank_handling(&self, rule: &MappingRule) -> BlankRule {
        match rule.blank.unwrap_or(self.policy.blank) {
            BlankRule::Clear if !can_clear(&rule.to) => BlankRule::Leave,
            blank => blank,
        }
    }

    fn compile_rule(
        &self,
        bound: &BoundRule,
        order: Option<DateOrder>,
    ) -> Result<FieldRule, Diagnostic> {
        let rule = &bound.rule;
        let (kind, custom) = resolve_value_type(&rule.to, rule.convert, self.directory)
            .map_err(|message| mapping_problem(rule.line, message))?;
        if rule.blank == Some(BlankRule::Clear) && !can_clear(&rule.to) {
            let message = format!("`blank = \"clear\"` cannot be used for `{}`", rule.to);
            return Err(mapping_problem(rule.line, message));
        }
        let joins = bound.columns.len() > 1 && !takes_value_per_column(&rule.to, &kind);
        let join = match &rule.template {
            Some(template) => Some(ColumnJoin::Template(template.clone())),
            None => joins.then(|| ColumnJoin::With(rule.join.clone())),
        };
        let columns = bound.columns.clone();
        let replaces = rule.tags.unwrap_or(self.policy.tags) == TagRule::Replace;
        Ok(FieldRule {
            channel: self.consent_channel(&rule.to, columns.first().copied()),
            source: FieldRuleSource::Columns { columns, join },
            names: bound
                .columns
                .iter()
                .filter_map(|at| Some(format!("[{}]", self.columns.get(*at)?.letters)))
                .collect(),
            identity: self.is_identity_target(&rule.to, custom.as_ref()),
            target: rule.to.clone(),
            blank: self.blank_handling(rule),
            words: TextTransform::new(rule),
            split: rule.split.clone(),
            replaces,
            part: rule.part,
            scope: RuleScope::from_bound_rule(bound),
            order,
            custom,
            kind,
            place: 0,
        })
    }

    /// Compiles a column whose custom field is named in another column: one rule for each field, and one for names
    /// that no field has.
    fn compile_named_fields(&self, bound: &BoundRule, column: usize) -> Vec<FieldRule> {
        let mut steps = Vec::new();
        let mut known = Vec::new();
        let fields = &self.directory.fields;
        for field in fields {
            let alone =
                fields.iter().filter(|other| other.name.eq_ignore_ascii_case(&field.name)).count()
                    == 1;
            let mut words = vec![field.key.clone()];
            words.extend(alone.then(|| field.name.clone()));
            let rule =
                MappingRule { to: MappingTarget::Custom(field.id.clone()), ..bound.rule.clone() };
            if let Ok(mut step) = self.compile_rule(&BoundRule { rule, ..bound.clone() }, None) {
                step.target = MappingTarget::Custom(field.key.clone());
                step.scope.add_condition(column, CellTest::Is(words.clone()));
                known.append(&mut words);
                steps.push(step);
            }
        }
        let plain = MappingRule { to: MappingTarget::Ignore, ..bound.rule.clone() };
        if let Ok(mut step) = self.compile_rule(&BoundRule { rule: plain, ..bound.clone() }, None) {
            step.target.clone_from(&bound.rule.to);
            step.scope.add_condition(column, CellTest::Not(known));
            steps.push(step);
        }
        steps
    }

    fn compile_constant(&self, bound: &BoundConstant) -> Result<FieldRule, Diagnostic> {
        let BoundConstant { constant, when } = bound;
        let rule = MappingRule {
            to: constant.to.clone(),
            when: constant.when.clone(),
            line: constant.line,
            ..MappingRule::default()
        };
        let bound = BoundRule {
            rule,
            columns: Vec::new(),
            when: when.clone(),
            named_by: None,
            by_star: false,
        };
        let step = self.compile_rule(&bound, None)?;
        Ok(FieldRule { source: FieldRuleSource::Constant(constant.value.clone()), ..step })
    }

    /// The channel of a consent column. One that names no channel is about e-mail, the usual subject of such
    /// columns.
    fn consent_channel(&self, target: &MappingTarget, column: Option<usize>) -> Option<Channel> {
        match target {
            MappingTarget::DndChannel(channel) => Some(*channel),
            MappingTarget::OptIn => {
                let header = column.and_then(|index| self.columns.get(index));
                Some(consent::channel_from_header(header.map_or("", |header| &header.name)))
            }
            _ => None,
        }
    }

    fn is_identity_target(
        &self,
        target: &MappingTarget,
        custom: Option<&CustomFieldTarget>,
    ) -> bool {
        match target {
            MappingTarget::ContactId
            | MappingTarget::Field(Field::Email | Field::Phone)
            | MappingTarget::AdditionalEmails
            | MappingTarget::AdditionalPhones
            | MappingTarget::Dnd
            | MappingTarget::DndChannel(_)
            | MappingTarget::OptIn => true,
            _ => custom.is_some_and(|custom| {
                self.key.and_then(|key| key.custom_field()) == Some(custom.id.as_str())
            }),
        }
    }
}

fn push_rule_or_problem(
    step: Result<FieldRule, Diagnostic>,
    steps: &mut Vec<FieldRule>,
    problems: &mut Vec<Diagnostic>,
) {
    match step {
        Ok(step) => steps.push(step),
        Err(problem) => problems.push(problem),
    }
}

/// Orders the rules: countries first, for phone numbers and postal codes; fallbacks after the rules they complete;
/// constants last, for rows without a value.
fn order_rules(steps: &mut [FieldRule]) {
    steps.sort_by_key(|step| {
        let country = matches!(
            step.target,
            MappingTarget::PhoneCountry | MappingTarget::Field(Field::Country)
        );
        let constant = matches!(step.source, FieldRuleSource::Constant(_));
        (!country, constant, step.scope.is_fallback())
    });
    for (place, step) in steps.iter_mut().enumerate() {
        step.place = place;
    }
}

/// Reports a custom field that is mapped under two names.
fn report_repeated_fields(steps: &[FieldRule], problems: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, &MappingTarget> = HashMap::new();
    for step in steps.iter().filter(|step| !matches!(step.source, FieldRuleSource::Constant(_))) {
        let Some(custom) = &step.custom else { continue };
        // Rules with the same name were checked when the mapping was bound to the sheet.
        let other = seen.insert(&custom.id, &step.target);
        if let Some(other) = other.filter(|other| **other != step.target) {
            let message =
                format!("`{other}` and `{}` are the same field; keep one of them", step.target);
            problems.push(mapping_problem(0, message).with_code(DUPLICATE_HEADER));
        }
    }
}

/// Whether each of a rule's columns adds a value, instead of all forming one together.
fn takes_value_per_column(target: &MappingTarget, kind: &TargetValueType) -> bool {
    let joins = matches!(target, MappingTarget::Note(_));
    target.accepts_multiple_columns() && !joins
        || kind.is_multi_valued()
        || matches!(target, MappingTarget::Field(Field::Email | Field::Phone))
}

fn can_clear(target: &MappingTarget) -> bool {
    matches!(
        target,
        MappingTarget::Field(_)
            | MappingTarget::Custom(_)
            | MappingTarget::Tags
            | MappingTarget::Owner
            | MappingTarget::Business
    )
}

fn defines_note_or_task(target: &MappingTarget) -> bool {
    matches!(target, MappingTarget::Note(NotePart::Body | NotePart::Id) | MappingTarget::Task(_))
}

/// Whether a target sets contact data, as opposed to identifying the contact.
fn is_contact_data(target: &MappingTarget) -> bool {
    let names_it = matches!(
        target,
        MappingTarget::ContactId
            | MappingTarget::SourceId
            | MappingTarget::Field(Field::Email | Field::Phone)
    );
    let of_children = matches!(target, MappingTarget::Note(_) | MappingTarget::Task(_));
    !(names_it || of_children || matches!(target, MappingTarget::Ignore | MappingTarget::Undecided))
}

fn resolve_match_key(
    directory: &LocationDirectory,
    policy: &ImportPolicy,
    problems: &mut Vec<Diagnostic>,
) -> Option<MatchKey> {
    let key = MatchKey::resolve(&policy.key, directory);
    key.unwrap_or_else(|error| {
        problems.push(mapping_problem(0, format!("`--key`: {error}")));
        None
    })
}

fn resolve_timezone(
    directory: &LocationDirectory,
    policy: &ImportPolicy,
    problems: &mut Vec<Diagnostic>,
) -> TimeZone {
    if let Some(name) = &policy.timezone {
        match TimeZone::get(name) {
            Ok(zone) => return zone,
            Err(_) => problems.push(mapping_problem(0, format!("`{name}` is not a time zone"))),
        }
    }
    // A location's time zone that is unknown to this system is not an error.
    let zone = directory.timezone.as_deref().and_then(|name| TimeZone::get(name).ok());
    zone.unwrap_or(TimeZone::UTC)
}
