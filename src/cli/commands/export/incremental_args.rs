//! What `--incremental` writes.

use crate::cli::args::choice_arg::choice_parser;
use crate::export::{IncrementalOptions, SchemaContract};
use crate::mirror::DeletedRows;

/// What `--incremental` writes.
#[derive(Debug, clap::Args)]
pub(super) struct IncrementalArgs {
    /// Also write what has changed, into files that are only added: `changes/contacts/….parquet`
    #[arg(long, requires = "incremental")]
    changes: bool,

    /// Whether the tables keep records that no longer exist, with `_deleted_at` [default: drop]
    #[arg(long, requires = "incremental", value_name = "HOW", value_parser = choice_parser::<DeletedRows>())]
    deleted: Option<DeletedRows>,

    /// What happens when custom fields were renamed, deleted or made again [default: evolve]
    #[arg(long, requires = "incremental", value_name = "HOW", value_parser = choice_parser::<SchemaContract>())]
    contract: Option<SchemaContract>,

    /// Name the columns of custom fields by what the fields are called now; otherwise they keep their first names
    #[arg(long, requires = "incremental", conflicts_with = "contract", hide_short_help = true)]
    rename_columns: bool,
}

impl IncrementalArgs {
    pub(super) fn options(&self) -> IncrementalOptions {
        IncrementalOptions {
            changes: self.changes,
            deleted: self.deleted.unwrap_or_default(),
            contract: self.contract.unwrap_or_default(),
            rename_columns: self.rename_columns,
        }
    }
}
