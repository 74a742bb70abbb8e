//! `--create-fields`: columns without a target become custom fields of the location.
//!
//! Only what has no target yet becomes a field, and only what the user names. What says whether a person may be
//! contacted, or who they are in another system, has targets of its own and is not hidden in a field.

use std::collections::BTreeMap;

use super::{ImportSource, column_names};
use crate::choice::Choice as _;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::{ImportError, ImportRequest};
use crate::mapping::header::{SensitiveSubject, fold_name, normalise_name, sensitive_subject};
use crate::mapping::propose::FieldTypeProfile;
use crate::mapping::{BoundMapping, ColumnLookup, Mapping, MappingRule, clean_field_name};
use crate::model::{
    CustomField, DecimalSign, ImportPolicy, LocationDirectory, MappingTarget, NewField,
};
use crate::run::reference_to_created;
use crate::sheet::SheetColumn;

/// The word for every column without a target.
const ALL: &str = "all";
/// The last words of the names of ids.
const ID_WORDS: [&str; 4] = ["id", "ids", "uuid", "guid"];

/// The directory as it will be when these fields exist. Until then, each has a reference to its op instead of an id:
/// they are created by the first ops of the plan.
pub(crate) fn directory_with_new_fields(
    directory: &LocationDirectory,
    fields: &[NewField],
) -> LocationDirectory {
    let mut directory = directory.clone();
    let created = (1..).zip(fields).map(|(op, field)| field.definition(reference_to_created(op)));
    directory.fields.extend(created);
    directory
}

/// The columns that `--create-fields` names one by one, without patterns and `all`.
pub(super) fn named_columns(request: &ImportRequest, columns: &[SheetColumn]) -> Vec<String> {
    let lookup = ColumnLookup::new(columns);
    let names = split_names(&request.create_fields, &lookup).into_iter();
    names.filter(|name| !lookup.is_pattern(name) && !is_all(name, &lookup)).collect()
}

/// Splits lists of names at commas, unless the whole is the name of a column.
fn split_names(texts: &[String], lookup: &ColumnLookup) -> Vec<String> {
    let split = |text: &String| {
        let is_name = !lookup.find_by_name(text, false).is_empty();
        let parts: Vec<_> = if is_name { vec![text.as_str()] } else { text.split(',').collect() };
        let names = parts.into_iter().map(|part| part.trim().to_owned());
        names.filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };
    texts.iter().flat_map(split).collect()
}

fn is_all(name: &str, lookup: &ColumnLookup) -> bool {
    name.eq_ignore_ascii_case(ALL) && lookup.find_by_name(name, false).is_empty()
}

/// How the user has chosen a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnChoice {
    Named,
    /// By `all` or a pattern.
    Matched,
}

/// What `--create-fields` makes of the columns of a sheet.
pub(super) struct FieldCreator<'a> {
    pub(super) source: &'a ImportSource,
    pub(super) request: &'a ImportRequest,
    pub(super) directory: &'a LocationDirectory,
    pub(super) policy: &'a ImportPolicy,
}

impl FieldCreator<'_> {
    /// Gives the named columns a rule each; returns warnings about those that a pattern names and that get none.
    ///
    /// # Errors
    /// The columns that are named and cannot become fields.
    pub(super) fn add_rules(
        &self,
        mapping: &mut Mapping,
        plan: &BoundMapping,
    ) -> Result<Vec<Diagnostic>, ImportError> {
        let columns = &self.source.sheet.columns;
        let lookup = ColumnLookup::new(columns);
        let (mut chosen, mut warnings, mut problems) = (BTreeMap::new(), Vec::new(), Vec::new());
        for name in split_names(&self.request.create_fields, &lookup) {
            let is_choice = lookup.is_pattern(&name) || is_all(&name, &lookup);
            if is_choice {
                let pattern = if is_all(&name, &lookup) { "*" } else { &name };
                for (at, _) in lookup.match_pattern(pattern) {
                    match self.find_objection(at, mapping, plan, &lookup) {
                        None => {
                            chosen.entry(at).or_insert(ColumnChoice::Matched);
                        }
                        Some(objection)
                            if objection.code == DiagnosticCode::W_FIELD_NOT_CREATED =>
                        {
                            warnings.push(objection);
                        }
                        Some(_) => {}
                    }
                }
                continue;
            }
            match lookup.find_by_name(&name, true).as_slice() {
                [] => problems.push(
                    problem(format!("the sheet has no column `{name}`"))
                        .did_you_mean(lookup.closest_header(&name)),
                ),
                [at] => match self.find_objection(*at, mapping, plan, &lookup) {
                    Some(_) if self.may_exist(*at, plan) => {}
                    Some(objection) => {
                        problems.push(objection.with_code(DiagnosticCode::E_NEW_FIELD));
                    }
                    None => {
                        chosen.insert(*at, ColumnChoice::Named);
                    }
                },
                several => {
                    let letters: Vec<_> =
                        several.iter().map(|at| lookup.column_letters(*at)).collect();
                    problems.push(problem(format!(
                        "`{name}` is the header of columns {}; name one by its letter",
                        letters.join(" and ")
                    )));
                }
            }
        }
        if !problems.is_empty() {
            return Err(ImportError::NewFields(problems));
        }
        warnings.extend(self.add_typed_rules(mapping, &chosen, &lookup)?);
        Ok(warnings)
    }

    /// Whether a column goes to the field that it would create, and an earlier file of the same command may have created
    /// the field.
    fn may_exist(&self, at: usize, plan: &BoundMapping) -> bool {
        let field = self.field_of_name(&self.source.sheet.columns[at].name);
        let target = column_target(at, plan);
        self.request.fields_may_exist
            && matches!((field, target), (Some(field), Some(MappingTarget::Custom(name)))
                if [&field.key, &field.name, &field.id].contains(&name))
    }

    /// Why a column does not become a field. What a pattern need not mention has the code of an error.
    fn find_objection(
        &self,
        at: usize,
        mapping: &Mapping,
        plan: &BoundMapping,
        lookup: &ColumnLookup,
    ) -> Option<Diagnostic> {
        let columns = &self.source.sheet.columns;
        let column = column_names(columns, &[at]).concat();
        let header = columns[at].name.trim();
        let target = column_target(at, plan);
        let is_other = target.is_some_and(|target| !matches!(target, MappingTarget::Custom(_)));
        if let Some(field) = self.field_of_name(header).filter(|_| !is_other) {
            let message = format!("the location has a custom field `{}` already", field.name);
            let hint = format!("map it with `--map '{column}=customFields.{}'`", field.key);
            return Some(problem(message).with_hint(hint));
        }
        if let Some(target) = target {
            return Some(problem(format!("column `{column}` goes to `{target}` already")));
        }
        let is_undecided = || {
            let undecided = mapping.rules.iter().filter(|rule| rule.to == MappingTarget::Undecided);
            undecided
                .flat_map(|rule| &rule.from)
                .any(|name| lookup.find_matching(name).contains(&at))
        };
        if !plan.unmapped.contains(&at) && !is_undecided() {
            return Some(problem(format!("column `{column}` is ignored by the mapping or a flag")));
        }
        let (why, hint) = if sensitive_subject(header) == Some(SensitiveSubject::Consent) {
            let hint = "map it to `optIn` or `dnd`, or ignore it";
            ("says whether people may be contacted, which a custom field would not do", hint)
        } else if is_id_name(header) {
            let hint = "map it to `contactId` or `sourceId`, or ignore it";
            ("looks like the ids of a system", hint)
        } else if clean_field_name(header).chars().any(char::is_alphanumeric) {
            return None;
        } else {
            ("has no name that a field could have", "`create` and `name` in a mapping set one")
        };
        let message = format!("column `{column}` {why}");
        Some(Diagnostic::new(DiagnosticCode::W_FIELD_NOT_CREATED, message).with_hint(hint))
    }

    fn field_of_name(&self, header: &str) -> Option<&CustomField> {
        let (name, folded) = (clean_field_name(header), fold_name(header));
        let is_same = |field: &&CustomField| {
            !folded.is_empty()
                && (fold_name(&field.name) == folded || fold_name(&field.key) == folded)
        };
        self.directory.fields.iter().find(|field| field.name.trim() == name || is_same(field))
    }

    /// Adds a rule for each column, with the type that all its values have.
    fn add_typed_rules(
        &self,
        mapping: &mut Mapping,
        chosen: &BTreeMap<usize, ColumnChoice>,
        lookup: &ColumnLookup,
    ) -> Result<Vec<Diagnostic>, ImportError> {
        let mut warnings = Vec::new();
        let columns: Vec<usize> = chosen.keys().copied().collect();
        for (at, profile) in columns.iter().zip(self.profile_columns(&columns)?) {
            // A column without values asks for no field.
            if profile.is_empty() && chosen[at] == ColumnChoice::Matched {
                continue;
            }
            let from = lookup.unambiguous_reference(*at);
            let name = clean_field_name(lookup.column_name(*at));
            let data_type = profile.propose_type();
            if let Some(options) = profile.option_count() {
                let message = format!(
                    "`{name}` looks like a pick list of {options} values; the API cannot create its options, so it \
                     becomes {}, or create the field in HighLevel first",
                    data_type.word()
                );
                warnings.push(Diagnostic::new(DiagnosticCode::W_FIELD_AS_TEXT, message));
            }
            mapping.rules.retain_mut(|rule| {
                let is_undecided = rule.to == MappingTarget::Undecided;
                rule.from.retain(|name| !is_undecided || lookup.find_matching(name) != [*at]);
                !rule.from.is_empty()
            });
            mapping.rules.push(MappingRule {
                from: vec![from],
                to: MappingTarget::Custom(name),
                create: Some(data_type),
                ..MappingRule::default()
            });
        }
        Ok(warnings)
    }

    /// Reads all values of some columns.
    fn profile_columns(&self, chosen: &[usize]) -> Result<Vec<FieldTypeProfile>, ImportError> {
        let mut profiles: Vec<_> = chosen.iter().map(|_| FieldTypeProfile::default()).collect();
        if chosen.is_empty() {
            return Ok(profiles);
        }
        let decimal = self.policy.decimal.map(DecimalSign::character);
        for row in self.source.sheet.rows()? {
            let row = row?;
            for (at, profile) in chosen.iter().zip(&mut profiles) {
                let Some(cell) = row.cells.get(*at).filter(|_| row.fault.is_none()) else {
                    continue;
                };
                let text = cell.to_text();
                if !self.policy.empty_values.iter().any(|empty| *empty == text.trim()) {
                    profile.add_value(&text, decimal);
                }
            }
        }
        Ok(profiles)
    }
}

fn problem(message: String) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::E_NEW_FIELD, message)
}

/// The target of the first rule that reads a column.
fn column_target(at: usize, plan: &BoundMapping) -> Option<&MappingTarget> {
    let rule = plan.bound.iter().find(|bound| bound.columns.contains(&at))?;
    Some(&rule.rule.to)
}

fn is_id_name(header: &str) -> bool {
    let words = normalise_name(header);
    ID_WORDS.iter().any(|id| words == *id || words.ends_with(&format!(" {id}")))
}
