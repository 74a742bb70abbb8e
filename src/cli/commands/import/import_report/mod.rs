//! The reports of an import: its plan, and how it ended. Both fit on a terminal of 24 lines and 80 columns, with what
//! matters most at the end, and say in sentences what the files say with codes.

mod plan_report;
mod problem_sentences;
mod result_report;
mod screen_lines;

use serde_json::{Map, Value};

use crate::cli::output::exit_code::CliExitCode;

pub(crate) use plan_report::{print_plan, report_declined, report_dry_run};
pub(crate) use result_report::{report_applied, report_finished};

/// The first fields of the summary event.
fn summary_header(code: CliExitCode, outcome: &str) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    line.insert("outcome".to_owned(), outcome.into());
    line
}
