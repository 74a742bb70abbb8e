//! `ghl-bulk backup show`: one snapshot.

use serde_json::json;

use super::open_repository::{RepositoryArg, RepositoryRef, select_only_location};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::{PageLines, page_width};
use crate::cli::output::stdout::print_stdout;
use crate::cli::output::text_format::format_bytes;
use crate::cli::settings::Settings;
use crate::repository::{Manifest, SnapshotChoice};
use crate::text::{escape_json_line, format_count};

/// Show one snapshot: what it has, what it is read from, and what is unusual about it
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// The snapshot: `latest`, `latest~1`, or its id, its beginning or its last four characters
    #[arg(value_name = "ID", value_parser = str::parse::<SnapshotChoice>, default_value = "latest")]
    snapshot: SnapshotChoice,
}

/// Shows the snapshot.
pub(super) fn run(args: &ShowArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let (_, list) = select_only_location(&repository, settings, "backup show")?;
    let snapshot = list.choose(&args.snapshot)?;
    let hold = list.holds.get(snapshot.id());
    if settings.json {
        let mut value = json!(snapshot.manifest);
        value["held"] = json!(hold);
        print_stdout(escape_json_line(value.to_string()) + "\n")?;
        return Ok(CliExitCode::Done);
    }
    let mut page = PageLines::new(page_width());
    add_manifest(&mut page, &snapshot.manifest);
    if let Some(hold) = hold {
        page.add_field("held", &hold.reason);
    }
    print_stdout(page.into_text())?;
    Ok(CliExitCode::Done)
}

fn add_manifest(page: &mut PageLines, manifest: &Manifest) {
    let name = manifest.location.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    page.add_text("", manifest.snapshot.as_str());
    page.add_field("location", &format!("{}{name}", manifest.location.id));
    page.add_field("as of", &manifest.as_of.to_string());
    let because = manifest.full_because.as_ref().map(|because| format!(", because {because}"));
    page.add_field("kind", &format!("{}{}", manifest.kind.name(), because.unwrap_or_default()));
    let chain: Vec<_> = manifest.chain.iter().map(ToString::to_string).collect();
    page.add_field("read from", &chain.join(", "));
    page.add_field("encrypted for", &manifest.recipients.join(", "));
    for (table, totals) in &manifest.totals {
        let counts =
            [("new", totals.added), ("changed", totals.changed), ("deleted", totals.deleted)];
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let counts: Vec<_> =
            counts.map(|(what, count)| format!(", {} {what}", format_count(*count))).collect();
        let counts = counts.concat();
        page.add_field(&table.replace('_', " "), &format!("{}{counts}", format_count(totals.live)));
    }
    for file in &manifest.files {
        let text = format!("{} lines, {}", format_count(file.rows), format_bytes(file.bytes));
        page.add_field(&file.name, &text);
    }
    if manifest.unreadable > 0 {
        page.add_field("unreadable", &format_count(manifest.unreadable));
    }
    for alert in &manifest.alerts {
        page.add_field("alert", &alert.message);
    }
}
