//! Arguments as they are typed: parsing, the options that every command has, and times.

pub(super) mod alert_arg;
pub(super) mod at_once_arg;
pub(super) mod choice_arg;
pub(super) mod command_line;
pub(super) mod contact_arg;
pub(super) mod global;
pub(super) mod output_dir_arg;
pub(super) mod task_filter_arg;
pub(super) mod time_arg;
pub(super) mod with_table_arg;
