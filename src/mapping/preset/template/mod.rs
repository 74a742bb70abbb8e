//! Templates: how to write the files of a preset, for systems that import them.
//!
//! A template is the table `[template]` of a preset. It only contains what differs from the inverted mapping: by
//! default, every column that the mapping reads is filled from the target that it is read into, so that an unedited
//! file describes every contact exactly as the account does.
//!
//! It knows names and forms; `publish` knows which value of an account fills a column.

mod column;
mod exported_field;
mod parse_columns;
mod parse_template;
#[cfg(test)]
mod tests;

use super::PresetEntity;
use crate::mapping::Mapping;
use crate::model::target::{MappingTarget, NotePart, TaskPart};
use crate::table::OutputDialect;

pub use column::{FieldSource, TemplateColumn};
pub use exported_field::ExportedField;
pub(super) use parse_template::parse;

/// The former name of the table, in version 0.1.0; presets saved then still use it.
pub(in crate::mapping) const FORMER_TABLE: &str = "layout";

/// The names of the exported tables that templates use.
pub const CONTACTS: &str = "contacts";
/// Tasks.
pub const TASKS: &str = "tasks";
/// Notes.
pub const NOTES: &str = "notes";
/// Appointments.
pub const APPOINTMENTS: &str = "appointments";
/// Businesses.
pub const BUSINESSES: &str = "businesses";

/// The template for the files of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportTemplate {
    /// The systems that import such files, as given to `--template`: `dialpad`. The first one is the usual name.
    pub systems: Vec<String>,
    /// The file's name.
    pub file: String,
    /// The tables that supply the file's rows, in order.
    pub tables: &'static [&'static str],
    /// How text is encoded.
    pub form: OutputDialect,
    /// The separator for the values of a cell, unless a column sets its own.
    pub list: Option<String>,
    /// The `strftime` pattern for dates; by default `2026-03-01`.
    pub date: Option<String>,
    /// The `strftime` pattern for timestamps, in UTC; by default `2026-03-01T09:00:00Z`.
    pub time: Option<String>,
    /// The columns, in order.
    pub columns: Vec<TemplateColumn>,
    /// The positions of columns, at least one of which must have a value for the row to be written. Empty: all rows
    /// are.
    pub require: Vec<usize>,
    /// The column whose duplicate values are reported, because the system merges such rows.
    pub unique: Option<usize>,
    /// Whether the file is made for the system's own importer, which shows an apostrophe before a text as part of it:
    /// such a file has the guard against spreadsheets only on request.
    pub is_upload: bool,
    /// The maximum number of rows in a file; more rows go into further files.
    pub max_rows: Option<u64>,
}

impl ExportTemplate {
    /// Whether rows of tasks, notes or appointments contain contact fields.
    #[must_use]
    pub fn joins_contacts(&self) -> bool {
        let of_children = !self.tables.contains(&CONTACTS);
        let fills = self.columns.iter().flat_map(|column| &column.fill);
        of_children && fills.into_iter().any(FieldSource::is_contact_field)
    }

    /// Whether a row has none of the values that the system requires one of.
    #[must_use]
    pub fn lacks_required(&self, cells: &[String]) -> bool {
        !self.require.is_empty() && self.require.iter().all(|at| cells[*at].trim().is_empty())
    }

    /// Whether a column has the names of calendars, which the rows of appointments do not have.
    #[must_use]
    pub fn names_calendars(&self) -> bool {
        let calendar = FieldSource::Exported(ExportedField::AppointmentCalendar);
        self.columns.iter().any(|column| column.fill.contains(&calendar))
    }

    /// The name of the first file, or of a further file with rows that do not fit.
    #[must_use]
    pub fn file_name(&self, number: usize) -> String {
        match (number, self.file.rsplit_once('.')) {
            (1, _) => self.file.clone(),
            (_, Some((stem, end))) => format!("{stem}-{number}.{end}"),
            (_, None) => format!("{}-{number}", self.file),
        }
    }
}

/// The tables that contain a preset's rows.
fn tables_of_entity(entity: PresetEntity) -> &'static [&'static str] {
    match entity {
        PresetEntity::Contacts => &[CONTACTS],
        PresetEntity::Tasks => &[TASKS],
        PresetEntity::Notes => &[NOTES],
        PresetEntity::Mixed => &[TASKS, NOTES],
        PresetEntity::Appointments => &[APPOINTMENTS],
        PresetEntity::Businesses => &[BUSINESSES],
    }
}

/// Whether an export contains the data for a target.
fn is_exported(target: &MappingTarget) -> bool {
    use crate::model::target::Field;
    match target {
        MappingTarget::SourceId
        | MappingTarget::OptIn
        | MappingTarget::PhoneCountry
        | MappingTarget::Ignore
        | MappingTarget::Undecided => false,
        MappingTarget::Field(field) => *field != Field::Gender,
        MappingTarget::Custom(name) => !name.contains('*'),
        _ => true,
    }
}

/// The columns that a mapping reads by name, each with its rules.
fn columns_with_rules(mapping: &Mapping) -> Vec<(String, Vec<&crate::mapping::MappingRule>)> {
    let mut columns: Vec<(String, Vec<_>)> = Vec::new();
    for rule in &mapping.rules {
        for name in rule.from.iter().filter(|name| !name.contains('*')) {
            match columns.iter_mut().find(|(known, _)| known == name) {
                Some((_, rules)) => rules.push(rule),
                None => columns.push((name.clone(), vec![rule])),
            }
        }
    }
    columns
}

/// Whether a target is a part of a table's rows.
fn belongs_to_table(target: &MappingTarget, table: &str) -> bool {
    match target {
        MappingTarget::ContactId => table != BUSINESSES,
        MappingTarget::Task(_) => table == TASKS,
        MappingTarget::Note(_) => table == NOTES,
        _ => table == CONTACTS,
    }
}

impl FieldSource {
    /// Whether it is a field of the contact that a row belongs to, other than its id, which is in the row itself.
    #[must_use]
    pub fn is_contact_field(&self) -> bool {
        matches!(self, Self::Target(target) if belongs_to_table(target, CONTACTS) && *target != MappingTarget::ContactId)
    }

    /// Whether rows of a table have it, perhaps through their contact.
    #[must_use]
    pub fn is_available_in(&self, table: &str) -> bool {
        match self {
            Self::Target(target) => {
                let has_contact = table != BUSINESSES;
                belongs_to_table(target, table) || has_contact && self.is_contact_field()
            }
            Self::Exported(field) => field.table() == table,
            Self::Added => true,
            Self::Updated => table != NOTES,
        }
    }

    /// Whether it is the text of a task's priority.
    #[must_use]
    pub fn is_task_priority(&self) -> bool {
        *self == Self::Target(MappingTarget::Task(TaskPart::Priority))
    }

    /// Whether it is a note's date, which is the time when it was added.
    #[must_use]
    pub fn is_date_added(&self) -> bool {
        matches!(self, Self::Added | Self::Target(MappingTarget::Note(NotePart::Date)))
    }
}
