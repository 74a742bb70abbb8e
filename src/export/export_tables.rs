//! The tables of an export.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::pull::ChildKind;
use crate::resource::ResourceSpec;

/// The tables in addition to contacts and those lists of the location that every export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a table that may be chosen")]
pub struct ExportTables {
    /// Tasks.
    pub tasks: bool,
    /// Notes.
    pub notes: bool,
    /// Appointments.
    pub appointments: bool,
    /// Businesses. Runs of earlier versions do not have the key.
    #[serde(default)]
    pub businesses: bool,
}

impl ExportTables {
    /// No tables but those that every export has.
    pub const NONE: Self =
        Self { tasks: false, notes: false, appointments: false, businesses: false };

    /// The child records that are read in addition to the contacts.
    pub(super) fn child_kinds(self) -> BTreeSet<ChildKind> {
        let wanted = [
            (self.tasks, ChildKind::Tasks),
            (self.notes, ChildKind::Notes),
            (self.appointments, ChildKind::Appointments),
        ];
        wanted.into_iter().filter_map(|(wanted, child)| wanted.then_some(child)).collect()
    }

    pub(super) fn includes_table(self, resource: &ResourceSpec) -> bool {
        matches!(resource.name, "contacts" | "custom_fields" | "users" | "tags")
            || self.names().contains(&resource.name)
    }

    /// The names of the tables, as `--with` takes them.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.tasks, "tasks"),
            (self.notes, "notes"),
            (self.appointments, "appointments"),
            (self.businesses, "businesses"),
        ];
        all.into_iter().filter_map(|(wanted, name)| wanted.then_some(name)).collect()
    }

    /// The tables of either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            tasks: self.tasks || other.tasks,
            notes: self.notes || other.notes,
            appointments: self.appointments || other.appointments,
            businesses: self.businesses || other.businesses,
        }
    }

    /// These tables without the others.
    #[must_use]
    pub fn without(self, others: Self) -> Self {
        Self {
            tasks: self.tasks && !others.tasks,
            notes: self.notes && !others.notes,
            appointments: self.appointments && !others.appointments,
            businesses: self.businesses && !others.businesses,
        }
    }

    /// Whether all of the other tables are among these.
    #[must_use]
    pub fn contains_all(self, others: Self) -> bool {
        self.union(others) == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_was_stored_before_businesses_were_a_table_is_read() {
        let stored = r#"{"tasks":true,"notes":false,"appointments":true}"#;
        let tables: ExportTables = serde_json::from_str(stored).unwrap();
        assert_eq!(tables.names(), ["tasks", "appointments"]);
    }
}
