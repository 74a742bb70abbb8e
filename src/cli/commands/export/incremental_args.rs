//! What `--incremental` writes.

use crate::cli::args::choice_arg::choice_parser;
use crate::cli::commands::sync::parse_keep_time;
use crate::export::{IncrementalOptions, SchemaContract};
use crate::mirror::{DeletedRows, KeepTime, RequestedRetention};

/// What `--incremental` writes.
#[derive(Debug, clap::Args)]
pub(super) struct IncrementalArgs {
    /// Also write what has changed, into files that are only added: `changes/contacts/….parquet`
    #[arg(long, requires = "incremental")]
    changes: bool,

    /// Whether the tables keep records that no longer exist, with `_deleted_at` [default: drop]
    #[arg(long, requires = "incremental", value_name = "HOW", value_parser = choice_parser::<DeletedRows>())]
    deleted: Option<DeletedRows>,

    /// How long what deleted records said is kept in the local copy, or `forever` [default: 90d, or what was last said for
    /// the copy]
    #[arg(long, requires = "incremental", value_name = "DURATION", value_parser = parse_keep_time, hide_short_help = true)]
    deleted_keep: Option<KeepTime>,

    /// How long what records said before they changed is kept in the local copy, or `forever` [default: 365d, or what was
    /// last said for the copy]
    #[arg(long, requires = "incremental", value_name = "DURATION", value_parser = parse_keep_time, hide_short_help = true)]
    history_keep: Option<KeepTime>,

    /// What happens when custom fields were renamed, deleted or made again [default: evolve]
    #[arg(long, requires = "incremental", value_name = "HOW", value_parser = choice_parser::<SchemaContract>())]
    contract: Option<SchemaContract>,

    /// Name the columns of custom fields by what the fields are called now; otherwise they keep their first names
    #[arg(long, requires = "incremental", conflicts_with = "contract", hide_short_help = true)]
    rename_columns: bool,
}

impl IncrementalArgs {
    /// How long what is no longer current is kept.
    pub(super) fn retention(&self) -> RequestedRetention {
        RequestedRetention { deleted: self.deleted_keep, history: self.history_keep }
    }

    pub(super) fn options(&self) -> IncrementalOptions {
        IncrementalOptions {
            changes: self.changes,
            deleted: self.deleted.unwrap_or_default(),
            contract: self.contract.unwrap_or_default(),
            rename_columns: self.rename_columns,
        }
    }
}
