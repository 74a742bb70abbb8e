//! The tables of an export.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::pull::ChildKind;
use crate::resource::ResourceSpec;

/// The tables in addition to contacts and the location's own lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTables {
    /// Tasks.
    pub tasks: bool,
    /// Notes.
    pub notes: bool,
    /// Appointments.
    pub appointments: bool,
}

impl ExportTables {
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
        match resource.name {
            "tasks" => self.tasks,
            "notes" => self.notes,
            "appointments" => self.appointments,
            "contacts" | "custom_fields" | "users" | "tags" => true,
            _ => false,
        }
    }
}
