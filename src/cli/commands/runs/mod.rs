//! `ghl-bulk runs`.

mod show;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::export::Shape;
use super::export::{export_report, export_templates};
use super::import::import_report;
use crate::cli::args::global::Global;
use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::{plural, safe, safe_json};
use crate::cli::signals;
use crate::id::RunId;
use crate::publish::Place;
use crate::run::{State, Summary};
use crate::{export, import};

/// List, show, publish again or remove runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk runs                                              all runs
  ghl-bulk runs show 20261121-061512-k3f9                    how far one came
  ghl-bulk runs publish 20261121-061512-k3f9 --format csv    its files once more, as CSV
  ghl-bulk runs publish 20261121-061512-k3f9 --layout dext   the files that Dext takes
  ghl-bulk runs results 20261121-061512-k3f9                 an import's result files once more
  ghl-bulk runs rm 20261121-061512-k3f9                      forget it; its files stay")]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List all runs, oldest first (the default)
    List,
    /// Show one run: what it is, how far it came, what could not be read
    Show {
        /// The run
        run: RunId,
    },
    /// Write the files of a finished run again, in other formats or another place, without a request
    Publish {
        /// The run
        run: RunId,
        #[command(flatten)]
        shape: Shape,
        /// The output directory [default: the run's]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Make the result files of an import again, from what the run knows, without a request
    Results {
        /// The run
        run: RunId,
        /// The directory [default: the run's]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Take a person's decisions on rows in doubt: `in_doubt.csv` with `_doubt_decision` filled in
    ///
    /// A decision is `applied`, `not applied`, or the id of the contact that the row made. Rows that
    /// were not applied are sent by `ghl-bulk resume`.
    Resolve {
        /// The run
        run: RunId,
        /// The file
        file: PathBuf,
    },
    /// Remove runs for good; the files they have written stay
    Rm {
        /// The runs
        #[arg(required = true)]
        run: Vec<RunId>,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Code, Failure> {
    match &args.what {
        None | Some(What::List) => list(global),
        Some(What::Show { run }) => show::run(run, global),
        Some(What::Publish { run, shape, out }) => publish(run, shape, out.as_ref(), global),
        Some(What::Results { run, out }) => results(run, out.as_ref(), global),
        Some(What::Resolve { run, file }) => resolve(run, file, global),
        Some(What::Rm { run }) => remove(run, global),
    }
}

fn list(global: &Global) -> Result<Code, Failure> {
    let runs = dirs::home()?.list()?;
    let mut out = io::stdout().lock();
    if global.json {
        let runs: Vec<Value> = runs.iter().map(fields).collect();
        return written(writeln!(out, "{}", safe_json(Value::Array(runs).to_string())));
    }
    if runs.is_empty() && !global.quiet {
        return written(writeln!(io::stderr().lock(), "there are no runs yet"));
    }
    for summary in &runs {
        let line = match &summary.known {
            Ok((meta, state)) => {
                let (state, location) =
                    (state_name(*state, summary.running), meta.location.to_string());
                format!("{}  {:<8} {state:<11} {}", summary.id, meta.kind, safe(&location))
            }
            Err(error) => format!("{}  {}", summary.id, safe(&error.to_string())),
        };
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    Ok(Code::Done)
}

fn state_name(state: State, running: bool) -> &'static str {
    match (state, running) {
        (_, true) => "running",
        (State::Unfinished, _) => "unfinished",
        (State::Complete, _) => "complete",
        (State::Partial, _) => "partial",
    }
}

fn fields(summary: &Summary) -> Value {
    let base = json!({"run": summary.id, "dir": summary.dir, "running": summary.running});
    let more = match &summary.known {
        Ok((meta, state)) => json!({
            "kind": meta.kind, "location": meta.location, "created": meta.created,
            "tool": meta.tool, "state": state, "options": meta.options,
        }),
        Err(error) => json!({"error": error.to_string()}),
    };
    match (base, more) {
        (Value::Object(mut base), Value::Object(more)) => {
            base.extend(more);
            Value::Object(base)
        }
        (base, _) => base,
    }
}

fn publish(
    id: &RunId,
    shape: &Shape,
    out: Option<&PathBuf>,
    global: &Global,
) -> Result<Code, Failure> {
    let run = dirs::home()?.open(id)?;
    if run.meta.kind != export::KIND {
        return Err(Failure::usage(format!("run `{id}` is no export"))
            .hint(format!("`ghl-bulk runs results {id}` makes its files again")));
    }
    let mut request = export::request(&run)?;
    let layouts = export_templates::choose(&shape.layout, Some(request.tables))?;
    request.formats = shape.formats();
    request.csv_safe.clone_from(&shape.csv_safe);
    if let Some(out) = out {
        request.out.clone_from(out);
    }
    let screen = Screen::new(global.style());
    layouts.tell_missing(&screen);
    request.layouts = layouts.chosen;
    let report = export::republish(&run, &request, &screen.watcher(None));
    screen.finish();
    Ok(export_report::single(&report?, global, &screen))
}

fn results(id: &RunId, out: Option<&PathBuf>, global: &Global) -> Result<Code, Failure> {
    let run = dirs::home()?.open(id)?;
    if run.meta.kind == export::KIND {
        return Err(Failure::usage(format!("run `{id}` is an export"))
            .hint(format!("`ghl-bulk runs publish {id}` makes its files again")));
    }
    let out = out.map(std::path::absolute).transpose();
    let out = out.map_err(|error| Failure::usage(format!("`--out`: {error}")))?;
    let (report, summary) = import::results(&run, out)?;
    let screen = Screen::new(global.style());
    Ok(import_report::applied(&report, &summary, global, &screen))
}

fn resolve(id: &RunId, file: &Path, global: &Global) -> Result<Code, Failure> {
    let screen = Screen::new(global.style());
    let run = dirs::home()?.open(id)?;
    signals::block_on(global.deadline, &screen, |_| async {
        let resolved = import::resolve(&run, file).await?;
        let (report, summary) = import::results(&run, None)?;
        let code = import_report::applied(&report, &summary, global, &screen);
        let again = match resolved.again {
            0 => String::new(),
            rows => format!("; {} will be sent by `ghl-bulk resume {id}`", plural(rows, "row")),
        };
        let open = match resolved.open {
            0 => String::new(),
            rows => format!("; {} without a decision", plural(rows, "row")),
        };
        screen.line(&format!("{} settled{again}{open}", plural(resolved.settled, "row")));
        Ok(code)
    })
}

fn remove(runs: &[RunId], global: &Global) -> Result<Code, Failure> {
    let home = dirs::home()?;
    for run in runs {
        // Of a damaged run only the run itself is known.
        let request = home.open(run).ok().and_then(|run| export::request(&run).ok());
        home.remove(run)?;
        if let Some(place) = request.and_then(|request| Place::new(&request.out).ok()) {
            place.clear(run);
        }
        if !global.quiet {
            // When stderr is closed the run is gone all the same.
            let _ = writeln!(io::stderr().lock(), "removed {run}");
        }
    }
    Ok(Code::Done)
}

/// A closed pipe is a reader that has seen enough.
fn written(result: io::Result<()>) -> Result<Code, Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("stdout cannot be written: {error}")))
        }
        _ => Ok(Code::Done),
    }
}
