//! The command that a run asks for next, ready to paste.

use std::path::Path;

use crate::cli::output::error::NextCommand;
use crate::id::RunId;
use crate::import::ImportStatus;
use crate::run::{RunKind, RunState};
use crate::text::quote_path_for_shell;

/// What decides about the next command.
pub(super) struct RunPosition<'a> {
    pub(super) id: &'a RunId,
    /// The id as it is printed.
    pub(super) short_id: &'a str,
    pub(super) kind: RunKind,
    pub(super) state: RunState,
    /// Whether it is an export to stdout.
    pub(super) to_stdout: bool,
    /// How far an import or undo has got.
    pub(super) import: Option<&'a ImportStatus>,
}

impl RunPosition<'_> {
    /// The command; `None` if nothing is left to do, or only a new import or undo helps.
    pub(super) fn next_command(&self) -> Option<String> {
        let id = self.short_id;
        if !self.state.is_finished() {
            let next = NextCommand::for_state(self.id.clone(), self.state);
            return next.map(|next| next.command_line(id));
        }
        match self.import {
            Some(status) => self.next_after_import(status),
            None if self.state == RunState::Partial => {
                Some(format!("ghl-bulk resume {id} --retry-errors"))
            }
            None => {
                let out = if self.to_stdout { " --out ghl-export" } else { "" };
                Some(format!("ghl-bulk runs publish {id} --format csv{out}"))
            }
        }
    }

    /// What is left for a person: rows in doubt first, since they may have been written, then rejected ones.
    fn next_after_import(&self, status: &ImportStatus) -> Option<String> {
        let (id, rows) = (self.short_id, status.rows.unwrap_or_default());
        let file = |name: &str| quote_path(&status.out.join(name));
        match self.kind {
            _ if status.undone_by.is_some() => None,
            _ if rows.in_doubt > 0 => {
                Some(format!("ghl-bulk runs resolve {id} {}", file("in_doubt.csv")))
            }
            _ if rows.pending > 0 => Some(format!("ghl-bulk resume {id}")),
            RunKind::Import if rows.rejected > 0 => {
                Some(format!("ghl-bulk import {}", file(status.rejected_file)))
            }
            RunKind::Import | RunKind::Restore if rows.succeeded > 0 => {
                Some(format!("ghl-bulk undo {id}"))
            }
            _ => None,
        }
    }
}

fn quote_path(path: &Path) -> String {
    quote_path_for_shell(&path.display().to_string())
}
