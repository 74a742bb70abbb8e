//! Custom fields that a mapping creates: which of them the location lacks.

use super::field_name::clean_field_name;
use super::header::fold_name;
use super::{ColumnLookup, Mapping, find_custom_field, mapping_problem};
use crate::choice::Choice as _;
use crate::diagnostic::Diagnostic;
use crate::model::directory::LocationDirectory;
use crate::model::new_field::NewField;
use crate::model::target::MappingTarget;
use crate::sheet::SheetColumn;

/// The fields that the mapping's rules with `create` need and the location lacks. Rules that name their column by a
/// letter get the name of its header.
///
/// # Errors
/// Fields that exist with another type, and names that no field can have or that two columns want.
pub(crate) fn split_new_fields(
    mapping: &mut Mapping,
    columns: &[SheetColumn],
    directory: &LocationDirectory,
) -> Result<Vec<NewField>, Vec<Diagnostic>> {
    let lookup = ColumnLookup::new(columns);
    let (mut fields, mut problems) = (Vec::<NewField>::new(), Vec::new());
    for rule in &mut mapping.rules {
        let (Some(data_type), MappingTarget::Custom(name)) = (rule.create, &mut rule.to) else {
            continue;
        };
        let found = rule.from.first().map(|from| (from, lookup.find_by_name(from, true)));
        let Some((from, [at])) = found.as_ref().map(|(from, at)| (*from, at.as_slice())) else {
            // Binding the mapping reports it.
            continue;
        };
        let header = lookup.column_name(*at);
        if *name == clean_field_name(from) && !header.is_empty() {
            *name = clean_field_name(header);
        }
        let column = if header.is_empty() { lookup.column_letters(*at) } else { header };
        let field = NewField { column: column.to_owned(), name: name.clone(), data_type };
        match find_existing_field(&field, &fields, directory) {
            Ok(None) => fields.push(field),
            Ok(Some(key)) => *name = key,
            Err(message) => problems.push(mapping_problem(rule.line, message)),
        }
    }
    if problems.is_empty() { Ok(fields) } else { Err(problems) }
}

/// The key of a field that the location has already; `None` if it must be created.
fn find_existing_field(
    field: &NewField,
    others: &[NewField],
    directory: &LocationDirectory,
) -> Result<Option<String>, String> {
    let NewField { name, column, data_type, .. } = field;
    let key = field.expected_key();
    if key.is_empty() {
        return Err(format!(
            "column `{column}` needs a name with letters or digits to become a custom field; \
             `name` in a mapping sets one"
        ));
    }
    let is_same = |other: &&NewField| {
        fold_name(&other.name) == fold_name(name) || other.expected_key() == key
    };
    if let Some(other) = others.iter().find(is_same) {
        return Err(format!(
            "columns `{}` and `{column}` would both create the custom field `{name}`; `name` in a mapping gives one \
             of them another name",
            other.column
        ));
    }
    let known = find_custom_field(directory, name).ok();
    let known = known.or_else(|| directory.fields.iter().find(|field| field.key == key));
    match known {
        None => Ok(None),
        Some(known) if known.data_type.eq_ignore_ascii_case(data_type.word()) => {
            Ok(Some(known.key.clone()))
        }
        Some(known) => Err(format!(
            "the custom field `{name}` exists already, with the type {}: map the column to `customFields.{}`",
            known.data_type, known.key
        )),
    }
}
