//! Resolves the custom fields of a mapping in a location's directory.

use std::collections::{HashMap, HashSet};

use super::header::fold_name;
use super::{
    BoundMapping, BoundRule, DUPLICATE_HEADER, Mapping, OnMissing, closest_name, mapping_problem,
};
use crate::diagnostic::Diagnostic;
use crate::model::directory::{CustomField, LocationDirectory};
use crate::model::policy::{IdentityKey, ImportPolicy};
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;

/// Data types whose values are files or entered by the contact; the API does not accept text for them.
const UNWRITABLE: &[&str] = &["FILE_UPLOAD", "SIGNATURE", "TEXTBOX_LIST"];

impl Mapping {
    /// The problems between the mapping and a location: a mapping for another location, and custom fields that do
    /// not exist, are ambiguous or cannot be written. Patterns are checked after binding, by
    /// [`BoundMapping::check_against_location`].
    #[must_use]
    pub fn check_against_location(&self, directory: &LocationDirectory) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        if let Some(location) = self.location.as_ref().filter(|own| **own != directory.location) {
            let message = format!(
                "the mapping is for location `{location}`, but this is `{}`",
                directory.location
            );
            problems.push(
                mapping_problem(0, message)
                    .with_hint("remove `location` if the mapping is for this location too"),
            );
        }
        let rules = self.rules.iter().map(|rule| (&rule.to, rule.line));
        let constants = self.constants.iter().map(|constant| (&constant.to, constant.line));
        let strict = self.missing == OnMissing::Stop;
        for (to, line) in rules.filter(|_| strict).chain(constants) {
            if let MappingTarget::Custom(name) = to
                && !name.contains('*')
                && let Err(problem) = find_writable_field(directory, name)
            {
                problems.push(problem.at_line(line));
            }
        }
        let mut policy = ImportPolicy::default();
        self.options.apply_to(&mut policy);
        let key = match policy.key {
            IdentityKey::Custom(name) => Some(name),
            IdentityKey::Usual | IdentityKey::Name => None,
        };
        let unknown = |name: String| find_custom_field(directory, &name).err();
        problems.extend(key.into_iter().chain(policy.marker).filter_map(unknown));
        problems
    }

    /// Binds the mapping to a sheet and a location in one step: [`Mapping::bind_columns`],
    /// [`Mapping::check_against_location`] and [`BoundMapping::check_against_location`]. With [`OnMissing::Skip`],
    /// columns whose custom field does not exist in the location become unmapped.
    ///
    /// # Errors
    /// All problems.
    pub fn bind_to_location(
        &self,
        columns: &[SheetColumn],
        directory: &LocationDirectory,
    ) -> Result<BoundMapping, Vec<Diagnostic>> {
        let mut problems = self.check_against_location(directory);
        let bound = self.bind_columns(columns).map(|mut plan| {
            plan.name_fields_by_header(directory);
            if self.missing == OnMissing::Skip {
                plan.skip_unwritable_fields(directory);
            }
            let found = plan.check_against_location(directory);
            (plan, found)
        });
        match bound {
            Ok((plan, found)) => {
                let fresh: Vec<_> =
                    found.into_iter().filter(|found| !problems.contains(found)).collect();
                problems.extend(fresh);
                if problems.is_empty() { Ok(plan) } else { Err(problems) }
            }
            Err(found) => {
                problems.extend(found);
                Err(problems)
            }
        }
    }
}

impl BoundMapping {
    /// Names custom fields by the whole header if the location has a field of that name, and none with the name
    /// matched by the pattern's `*`: `Custom 7` under `Custom *`, rather than `7`.
    fn name_fields_by_header(&mut self, directory: &LocationDirectory) {
        for BoundRule { rule, .. } in self.bound.iter_mut().filter(|bound| bound.by_star) {
            let MappingTarget::Custom(name) = &rule.to else { continue };
            let header = rule.from[0].trim();
            if find_custom_field(directory, name).is_err()
                && find_custom_field(directory, header).is_ok()
            {
                rule.to = MappingTarget::Custom(header.to_owned());
            }
        }
    }

    /// The problems between the bound rules and a location: custom fields that do not exist, are ambiguous, cannot
    /// be written, or are mapped under two names.
    #[must_use]
    pub fn check_against_location(&self, directory: &LocationDirectory) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut taken: HashMap<&str, (&str, &str)> = HashMap::new();
        for bound in &self.bound {
            let MappingTarget::Custom(name) = &bound.rule.to else { continue };
            if bound.named_by.is_some() {
                continue;
            }
            let line = bound.rule.line;
            match find_writable_field(directory, name) {
                Ok(field) => {
                    let this = (name.as_str(), bound.rule.from[0].as_str());
                    // Rules with the same name were checked when the mapping was bound to the sheet.
                    if let Some((_, other)) = taken
                        .insert(&field.id, this)
                        .filter(|(known, _)| fold_name(known) != fold_name(name))
                    {
                        let message = format!(
                            "columns `{other}` and `{}` both go to the custom field `{}`, which takes one",
                            bound.rule.from[0], field.key
                        );
                        problems.push(mapping_problem(line, message).with_code(DUPLICATE_HEADER));
                    }
                }
                Err(problem) => problems.push(problem.at_line(line)),
            }
        }
        problems
    }

    /// Leaves columns unmapped whose custom field does not exist in the location or is read-only.
    pub fn skip_unwritable_fields(&mut self, directory: &LocationDirectory) {
        let mut skipped = Vec::new();
        self.bound.retain(|bound| match &bound.rule.to {
            MappingTarget::Custom(name)
                if bound.named_by.is_none() && find_writable_field(directory, name).is_err() =>
            {
                skipped.extend(bound.columns.iter().copied());
                false
            }
            _ => true,
        });
        let still_read: HashSet<usize> =
            self.bound.iter().flat_map(|bound| bound.columns.iter().copied()).collect();
        skipped.retain(|at| !still_read.contains(at));
        self.unmapped.extend(skipped);
        self.unmapped.sort_unstable();
        self.unmapped.dedup();
    }
}

/// Finds a custom field by key, id or name. An exact key takes precedence over an id, and an id over a name.
///
/// # Errors
/// When there is none, or several have the name.
pub fn find_custom_field<'d>(
    directory: &'d LocationDirectory,
    name: &str,
) -> Result<&'d CustomField, Diagnostic> {
    let name = name.trim();
    let bare = name.strip_prefix("contact.").unwrap_or(name);
    let by =
        |test: &dyn Fn(&CustomField) -> bool| directory.fields.iter().find(|field| test(field));
    let by_key = || by(&|field| field.key == bare);
    let by_column = || by(&|field| !name.is_empty() && field.column == name);
    if let Some(field) = by_key().or_else(by_column).or_else(|| by(&|field| field.id == name)) {
        return Ok(field);
    }
    let all = |test: &dyn Fn(&CustomField) -> bool| {
        directory.fields.iter().filter(|field| test(field)).collect::<Vec<_>>()
    };
    let (lower, folded) = (name.to_lowercase(), fold_name(name));
    let mut named = all(&|field| field.name.trim().to_lowercase() == lower);
    if named.is_empty() {
        named = all(&|field| field.key.eq_ignore_ascii_case(bare));
    }
    if named.is_empty() && !folded.is_empty() {
        named = all(&|field| fold_name(&field.name) == folded);
    }
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(unknown_field_problem(directory, name)),
        several => {
            let keys: Vec<String> = several
                .iter()
                .take(4)
                .map(|field| format!("`customFields.{}`", field.key))
                .collect();
            let message = format!("`{name}` is the name of {} custom fields", several.len());
            Err(mapping_problem(0, message)
                .with_hint(format!("name one by its key: {}", keys.join(" or "))))
        }
    }
}

/// Whether the API accepts values for a custom field.
#[must_use]
pub fn is_writable_field(field: &CustomField) -> bool {
    !UNWRITABLE.iter().any(|kind| field.data_type.eq_ignore_ascii_case(kind))
}

fn unknown_field_problem(directory: &LocationDirectory, name: &str) -> Diagnostic {
    let names = directory.fields.iter().flat_map(|field| [field.key.as_str(), field.name.as_str()]);
    let near = closest_name(name, names.filter(|name| !name.is_empty()));
    let problem = mapping_problem(0, format!("the location has no custom field `{name}`"));
    match near {
        Some(_) => problem.did_you_mean(near),
        None => problem
            .with_hint("create it in HighLevel or with `create` in a mapping, or map the column to something else or `ignore`"),
    }
}

fn find_writable_field<'d>(
    directory: &'d LocationDirectory,
    name: &str,
) -> Result<&'d CustomField, Diagnostic> {
    let field = find_custom_field(directory, name)?;
    if !is_writable_field(field) {
        let message = format!(
            "the custom field `{}` is of type {}, which cannot be written",
            field.key, field.data_type
        );
        return Err(mapping_problem(0, message).with_hint("map the column to `ignore`"));
    }
    Ok(field)
}
