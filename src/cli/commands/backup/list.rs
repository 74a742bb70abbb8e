//! `ghl-bulk backup list`: the snapshots of a repository.

use serde_json::{Value, json};

use super::open_repository::{RepositoryArg, RepositoryRef, select_locations};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::page_width;
use crate::cli::output::stdout::print_stdout;
use crate::cli::output::text_format::format_bytes;
use crate::cli::output::text_table::{ColumnShrink, TextColumn, table_lines};
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::repository::{Repository, Snapshot, SnapshotList};
use crate::text::{escape_for_terminal, escape_json_line, format_count, format_plural};

/// List the snapshots, newest last
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    repository: RepositoryArg,
}

/// Lists the snapshots.
pub(super) fn run(args: &ListArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let locations = select_locations(&repository, settings)?;
    let lists =
        locations.iter().map(|location| Ok((location, repository.list_snapshots(location)?)));
    let lists = lists.collect::<Result<Vec<_>, CliError>>()?;
    let is_damaged = lists.iter().any(|(_, list)| !list.damaged.is_empty());
    let code = if is_damaged { CliExitCode::Damaged } else { CliExitCode::Done };
    if settings.json {
        let all: Vec<Value> = lists
            .iter()
            .flat_map(|(_, list)| list.snapshots.iter().map(|it| to_json(it, list)))
            .collect();
        print_stdout(escape_json_line(Value::Array(all).to_string()) + "\n")?;
        return Ok(code);
    }
    let mut text = String::new();
    for (location, list) in &lists {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&describe_location(&repository, location, list));
    }
    if lists.is_empty() {
        text.push_str("no snapshots yet\n");
    }
    print_stdout(text)?;
    Ok(code)
}

fn describe_location(
    repository: &Repository,
    location: &LocationId,
    list: &SnapshotList,
) -> String {
    let name = list.newest().and_then(|newest| newest.manifest.location.name.clone());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let title = format!("{location}{name} in {}", repository.place());
    let mut lines = vec![escape_for_terminal(&title).into_owned()];
    let cells =
        |of: &dyn Fn(&Snapshot) -> String| list.snapshots.iter().map(of).collect::<Vec<_>>();
    let column = |header, right_aligned, importance, cells| TextColumn {
        header,
        shrink: ColumnShrink::Never,
        right_aligned,
        importance,
        cells,
    };
    let live = |table: &'static str| {
        move |it: &Snapshot| {
            format_count(it.manifest.totals.get(table).map_or(0, |totals| totals.live))
        }
    };
    let columns = vec![
        column("SNAPSHOT", false, 9, cells(&|it| it.id().to_string())),
        column("KIND", false, 8, cells(&|it| it.manifest.kind.name().to_owned())),
        column("SIZE", true, 7, cells(&|it| format_bytes(it.manifest.file_bytes()))),
        column("CONTACTS", true, 6, cells(&live("contacts"))),
        column("TASKS", true, 3, cells(&live("tasks"))),
        column("NOTES", true, 3, cells(&live("notes"))),
        column("REMARKS", false, 5, cells(&|it| remarks(it, list))),
    ];
    if !list.snapshots.is_empty() {
        lines.extend(table_lines(columns, Some(page_width())));
    }
    for damaged in &list.damaged {
        lines.push(escape_for_terminal(&format!("damaged: {}", damaged.why)).into_owned());
    }
    if !list.forgotten.is_empty() {
        lines.push(format!(
            "{} forgotten and not pruned",
            format_plural(list.forgotten.len() as u64, "snapshot")
        ));
    }
    if let Ok(Some(drill)) = repository.last_drill(location)
        && drill.differences == 0
    {
        let day = drill.at.strftime("%Y-%m-%d");
        lines.push(format!("proven restorable on {day}: snapshot {}", drill.snapshot));
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// What is special about a snapshot, in few words.
fn remarks(snapshot: &Snapshot, list: &SnapshotList) -> String {
    let manifest = &snapshot.manifest;
    let all = [
        ("held", list.holds.contains_key(snapshot.id())),
        ("alert", !manifest.alerts.is_empty()),
        ("partial", !manifest.is_complete),
    ];
    let all: Vec<_> = all.iter().filter(|(_, holds)| *holds).map(|(what, _)| *what).collect();
    all.join(", ")
}

fn to_json(snapshot: &Snapshot, list: &SnapshotList) -> Value {
    let mut value = json!(snapshot.manifest);
    if let Value::Object(fields) = &mut value {
        fields.insert("held".to_owned(), json!(list.holds.get(snapshot.id())));
        fields.insert("bytes".to_owned(), json!(snapshot.manifest.file_bytes()));
    }
    value
}
