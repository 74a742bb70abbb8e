//! The options of the location's choice fields: a column whose values are all among them may be that field.

use std::collections::HashSet;

use super::value_profile::ValueProfile;
use crate::mapping::header::fold_name;
use crate::model::directory::LocationDirectory;

/// How many different values a column must have: one could be an option by chance.
const FEWEST: usize = 2;

/// The choice fields by key, each with its options.
#[derive(Debug, Default)]
pub(super) struct FieldOptions<'d>(Vec<(&'d str, HashSet<String>)>);

impl<'d> FieldOptions<'d> {
    pub(super) fn new(directory: Option<&'d LocationDirectory>) -> Self {
        let fields = directory.into_iter().flat_map(|directory| &directory.fields);
        let with_options = fields.filter(|field| field.options.len() >= FEWEST);
        Self(
            with_options
                .map(|field| {
                    let options = field.options.iter().map(|option| fold_name(option));
                    (field.key.as_str(), options.collect())
                })
                .collect(),
        )
    }

    /// The fields whose options all values of a column are.
    pub(super) fn fields_with<'s>(
        &'s self,
        look: &'s ValueProfile,
    ) -> impl Iterator<Item = &'d str> + 's {
        let is_option = |options: &HashSet<String>, value: &str| {
            options.contains(&fold_name(value))
                || value.split([',', ';', '|']).all(|part| options.contains(&fold_name(part)))
        };
        let fits = move |options: &HashSet<String>| {
            let values = look.few_values();
            values.is_some_and(|values| {
                values.len() >= FEWEST && values.iter().all(|value| is_option(options, value))
            })
        };
        self.0.iter().filter(move |(_, options)| fits(options)).map(|(key, _)| *key)
    }
}
