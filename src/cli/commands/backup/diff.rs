//! `ghl-bulk backup diff`: what differs between two snapshots.

use std::collections::BTreeMap;
use std::io;

use serde_json::{Value, json};

use super::open_repository::{IdentityArg, RepositoryArg, RepositoryRef, select_only_location};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::{check_stdout, print_stdout};
use crate::cli::settings::Settings;
use crate::inspect::{self, DifferenceKind, FieldChange, RecordDifference};
use crate::repository::{SnapshotChoice, TABLES};
use crate::table::{FormulaGuardMode, guard_formula};
use crate::text::{escape_for_terminal, escape_json_line, format_count, truncate_text};

/// The longest value that is shown, in characters; `--json` has all of it.
const LONGEST: usize = 60;

/// Show what differs between two snapshots
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// The earlier snapshot: `latest~1`, or its id, its beginning or its last four characters
    #[arg(value_name = "A", value_parser = str::parse::<SnapshotChoice>, default_value = "latest~1")]
    before: SnapshotChoice,

    /// The later snapshot
    #[arg(value_name = "B", value_parser = str::parse::<SnapshotChoice>, default_value = "latest")]
    after: SnapshotChoice,

    /// Only this table, such as `contacts`; repeat for more
    #[arg(long, value_name = "TABLE", value_parser = clap::builder::PossibleValuesParser::new(TABLES))]
    table: Vec<String>,

    /// Write the records that differ as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// End with 20 if anything differs
    #[arg(long)]
    detailed_exit_code: bool,

    #[command(flatten)]
    identity: IdentityArg,
}

/// Shows the differences.
pub(super) fn run(args: &DiffArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?;
    let repository = place.open()?;
    let identities = place.identities(&args.identity)?;
    let (_, list) = select_only_location(&repository, settings, "backup diff")?;
    let open = |choice: &SnapshotChoice| {
        let snapshot = list.choose(choice)?;
        repository.open_chain(&list, snapshot, identities.clone())
    };
    let (before, after) = (open(&args.before)?, open(&args.after)?);
    let chosen = |table: &&&str| args.table.is_empty() || args.table.iter().any(|it| it == *table);
    let tables: Vec<&'static str> = TABLES.iter().filter(chosen).copied().collect();
    let mut output = DiffOutput::new(args.csv, settings.json)?;
    inspect::diff_snapshots((&before, &after), &tables, |difference| output.show(&difference))?;
    let differs = output.finish()?;
    let code =
        if differs && args.detailed_exit_code { CliExitCode::Changes } else { CliExitCode::Done };
    Ok(code)
}

/// Where differences are written, and how many there were.
struct DiffOutput {
    form: DiffForm,
    counts: BTreeMap<&'static str, [u64; 3]>,
    failed: Option<CliError>,
}

enum DiffForm {
    Text,
    Json,
    Csv(Box<csv::Writer<io::Stdout>>),
}

const COLUMNS: [&str; 8] = ["table", "change", "id", "of", "name", "email", "phone", "fields"];

impl DiffOutput {
    fn new(csv: bool, json: bool) -> Result<Self, CliError> {
        let form = match (csv, json) {
            (true, _) => {
                let mut writer = csv::Writer::from_writer(io::stdout());
                check_stdout(writer.write_record(COLUMNS).map_err(io::Error::from))?;
                DiffForm::Csv(Box::new(writer))
            }
            (false, true) => DiffForm::Json,
            (false, false) => DiffForm::Text,
        };
        Ok(Self { form, counts: BTreeMap::new(), failed: None })
    }

    /// Writes a difference; false if nothing more can be written.
    fn show(&mut self, difference: &RecordDifference) -> bool {
        let counts = self.counts.entry(difference.table).or_default();
        counts[match difference.change {
            DifferenceKind::Added => 0,
            DifferenceKind::Changed => 1,
            DifferenceKind::Deleted => 2,
        }] += 1;
        let written = match &mut self.form {
            DiffForm::Text => print_stdout(text_lines(difference)),
            DiffForm::Json => {
                let line = serde_json::to_string(difference).expect("a difference is plain JSON");
                print_stdout(escape_json_line(line) + "\n")
            }
            DiffForm::Csv(writer) => {
                check_stdout(writer.write_record(csv_cells(difference)).map_err(io::Error::from))
            }
        };
        self.failed = written.err();
        self.failed.is_none()
    }

    /// Ends the output; whether anything differs.
    fn finish(self) -> Result<bool, CliError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let differs = !self.counts.is_empty();
        match self.form {
            DiffForm::Csv(mut writer) => check_stdout(writer.flush())?,
            DiffForm::Json => {
                let counts: serde_json::Map<String, Value> = self
                    .counts
                    .iter()
                    .map(|(table, [added, changed, deleted])| {
                        let counts =
                            json!({"added": added, "changed": changed, "deleted": deleted});
                        ((*table).to_owned(), counts)
                    })
                    .collect();
                print_stdout(json!({"totals": counts}).to_string() + "\n")?;
            }
            DiffForm::Text if !differs => print_stdout("no difference\n")?,
            DiffForm::Text => {
                for (table, [added, changed, deleted]) in &self.counts {
                    let counts = [(added, "added"), (changed, "changed"), (deleted, "deleted")];
                    let counts = counts.iter().filter(|(count, _)| **count > 0);
                    let counts: Vec<_> = counts
                        .map(|(count, what)| format!("{} {what}", format_count(**count)))
                        .collect();
                    print_stdout(format!("{}: {}\n", table.replace('_', " "), counts.join(", ")))?;
                }
            }
        }
        Ok(differs)
    }
}

fn text_lines(difference: &RecordDifference) -> String {
    let sign = match difference.change {
        DifferenceKind::Added => '+',
        DifferenceKind::Changed => '~',
        DifferenceKind::Deleted => '-',
    };
    let what = difference.table.trim_end_matches('s').replace('_', " ");
    let mut line = format!("{sign} {what} {}", difference.id);
    for part in [&difference.name, &difference.email].into_iter().flatten() {
        line.push_str("  ");
        line.push_str(part);
    }
    if let Some(of) = &difference.of {
        line.push_str("  of contact ");
        line.push_str(of);
    }
    let mut lines = vec![line];
    for (column, change) in &difference.fields {
        lines.push(format!("    {column}: {}", change_text(change)));
    }
    lines
        .iter()
        .flat_map(|line| [escape_for_terminal(line).into_owned(), "\n".to_owned()])
        .collect()
}

fn change_text(change: &FieldChange) -> String {
    if let Some((gained, lost)) = change.list_difference() {
        let gained = gained.iter().map(|item| format!("+ {item}"));
        let items = gained.chain(lost.iter().map(|item| format!("- {item}")));
        return items.collect::<Vec<_>>().join(", ");
    }
    let text = |value: &Value| match value {
        Value::Null => "(empty)".to_owned(),
        Value::String(text) => truncate_text(&text.replace(['\r', '\n'], " "), LONGEST),
        value => truncate_text(&value.to_string(), LONGEST),
    };
    format!("{} -> {}", text(&change.before), text(&change.after))
}

fn csv_cells(difference: &RecordDifference) -> [String; 8] {
    let RecordDifference { table, change, id, of, name, email, phone, fields } = difference;
    let change = match change {
        DifferenceKind::Added => "added",
        DifferenceKind::Changed => "changed",
        DifferenceKind::Deleted => "deleted",
    };
    let guard = |text: &str| guard_formula(text, FormulaGuardMode::Formulas).into_owned();
    let optional = |text: &Option<String>| guard(text.as_deref().unwrap_or_default());
    let fields = fields.keys().cloned().collect::<Vec<_>>().join(",");
    [
        (*table).to_owned(),
        change.to_owned(),
        guard(id),
        optional(of),
        optional(name),
        optional(email),
        optional(phone),
        guard(&fields),
    ]
}
