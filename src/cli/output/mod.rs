//! The program's output: errors with exit codes, progress, and text that is safe in a terminal.

pub(super) mod backup_error;
pub(super) mod error;
pub(super) mod exit_code;
pub(super) mod import_error;
pub(super) mod page_text;
pub(super) mod progress;
pub(super) mod question;
mod run_error;
pub(super) mod stdout;
pub(super) mod stdout_failure;
mod sync_error;
pub(super) mod text_format;
pub(super) mod text_table;
