//! Rules that come with the program.

use super::mask_rule::MaskMethod;
use crate::choice::choice_enum;
use crate::resource::{ColumnKind, ColumnSource, TableColumn};

choice_enum! {
    /// A set of rules.
    pub enum MaskPreset {
        /// names, addresses, texts and custom texts are left out; e-mail addresses, phone numbers and companies are hashed; of
        /// dates of birth and custom dates the year stays
        Analytics = "analytics",
    }
}

/// The columns of the preset for analytics. What is not listed says nothing of a person by itself: ids, dates, tags, types,
/// sources, states.
const ANALYTICS: &[(&str, &[&str], MaskMethod)] = &[
    (
        "contacts",
        &["first_name", "last_name", "name", "address1", "postal_code", "website"],
        MaskMethod::Drop,
    ),
    (
        "contacts",
        &["email", "phone", "company_name", "additional_emails", "additional_phones"],
        MaskMethod::Hash,
    ),
    ("contacts", &["date_of_birth"], MaskMethod::Year),
    ("tasks", &["title", "body"], MaskMethod::Drop),
    ("notes", &["title", "body"], MaskMethod::Drop),
    ("appointments", &["title", "address", "notes", "description"], MaskMethod::Drop),
    ("users", &["name", "first_name", "last_name", "phone", "extension"], MaskMethod::Drop),
    ("users", &["email"], MaskMethod::Hash),
    ("businesses", &["website", "address", "postal_code", "description"], MaskMethod::Drop),
    ("businesses", &["name", "email", "phone"], MaskMethod::Hash),
];

/// The types of custom fields whose texts are options of a list, not free text.
const OPTIONS: [&str; 2] = ["SINGLE_OPTIONS", "RADIO"];

impl MaskPreset {
    /// How the preset masks a column, if it does.
    pub(super) fn method_for(self, table: &str, column: &TableColumn) -> Option<MaskMethod> {
        let Self::Analytics = self;
        if let ColumnSource::Field(field) = &column.source {
            return match column.kind {
                ColumnKind::Text if OPTIONS.contains(&field.data_type.as_str()) => None,
                ColumnKind::Text | ColumnKind::Json => Some(MaskMethod::Drop),
                ColumnKind::Date | ColumnKind::Timestamp => Some(MaskMethod::Year),
                _ => None,
            };
        }
        let listed = ANALYTICS
            .iter()
            .find(|(own, columns, _)| *own == table && columns.contains(&column.name.as_str()));
        listed.map(|(_, _, method)| *method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{CustomFieldColumns, ResourceSpec};

    #[test]
    fn the_preset_names_columns_that_exist_and_methods_that_fit() {
        for (table, columns, method) in ANALYTICS {
            let schema = ResourceSpec::from_name(table).unwrap();
            let schema = schema.table_schema(&CustomFieldColumns::default());
            for column in *columns {
                let column = &schema.columns[schema.column_index(column).unwrap()];
                method.check_column(column).unwrap();
            }
        }
    }
}
