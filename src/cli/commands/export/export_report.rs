//! What a command has to say at its end.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::{bytes, count, duration, plural, safe};
use crate::event::{Outcome, Report, Written};
use crate::export::Estimate;
use crate::id::LocationId;
use crate::resource::Resource;

/// What became of one location.
pub(crate) type Ended<T> = (LocationId, Result<T, Failure>);

/// A finished export, or only its price.
pub(crate) enum Done {
    Report(Box<Report>),
    Estimate(Estimate),
}

/// Tells how the exports ended, and with which code the program ends.
pub(crate) fn exports(
    mut ended: Vec<Ended<Done>>,
    many: bool,
    global: &Global,
    screen: &Screen,
) -> Result<Code, Failure> {
    if !many {
        let (_, result) = ended.pop().expect("one account was asked for");
        return match result? {
            Done::Report(report) => Ok(single(&report, global, screen)),
            Done::Estimate(_) => unreachable!("an estimate is told by `estimates`"),
        };
    }
    let code = together(&ended);
    if global.json {
        let locations: Map<_, _> =
            ended.iter().map(|(id, end)| (id.to_string(), fields(end))).collect();
        json_summary(screen, code, json!({ "outcome": outcome(code), "locations": locations }));
        return Ok(code);
    }
    for (location, end) in &ended {
        let location = safe(location.as_str()).into_owned();
        match end {
            Ok(Done::Report(report)) => {
                screen.line(&format!("{location}: {}", one_line(report)));
            }
            Ok(Done::Estimate(_)) => {}
            Err(failure) => tell_failure(&location, failure),
        }
    }
    let failed = ended.iter().filter(|(_, end)| end.is_err()).count();
    let done = plural((ended.len() - failed) as u64, "location");
    let failed = if failed == 0 { String::new() } else { format!(", {failed} failed (see above)") };
    screen.line(&format!("{done} exported{failed}"));
    Ok(code)
}

/// One code for several locations: the failure's own where they all ended alike, else 3.
fn together(ended: &[Ended<Done>]) -> Code {
    let codes: Vec<Code> = ended
        .iter()
        .map(|(_, end)| match end {
            Ok(Done::Report(report)) => code(report),
            Ok(Done::Estimate(_)) => Code::Done,
            Err(failure) => failure.code,
        })
        .collect();
    match codes.split_first() {
        Some((first, rest)) if rest.iter().all(|code| code == first) => *first,
        _ if codes.contains(&Code::Interrupted) => Code::Interrupted,
        _ if codes.contains(&Code::Terminated) => Code::Terminated,
        _ => Code::Partial,
    }
}

/// Failures are told even under `--quiet`.
pub(crate) fn tell_failure(location: &str, failure: &Failure) {
    let mut err = io::stderr().lock();
    // When stderr is closed there is nobody left to tell.
    let _ = writeln!(err, "error: {location}: {}", safe(&failure.message));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(err, "  hint: {}", safe(hint));
    }
    if let Some(run) = &failure.resume {
        let _ = writeln!(err, "  resume: ghl-bulk resume {run}");
    }
}

fn code(report: &Report) -> Code {
    match report.outcome {
        Outcome::Complete => Code::Done,
        Outcome::Partial => Code::Partial,
    }
}

fn outcome(code: Code) -> &'static str {
    match code {
        Code::Done => "complete",
        Code::Partial => "partial",
        _ => "failed",
    }
}

fn fields(end: &Result<Done, Failure>) -> Value {
    match end {
        Ok(Done::Report(report)) => json!(report),
        Ok(Done::Estimate(estimate)) => json!(estimate),
        Err(failure) => {
            let mut fields = failure.fields();
            fields.insert("exit_code".to_owned(), (failure.code as u8).into());
            Value::Object(fields)
        }
    }
}

/// Tells how one export ended.
pub(crate) fn single(report: &Report, global: &Global, screen: &Screen) -> Code {
    let code = code(report);
    if global.json {
        json_summary(screen, code, json!(report));
        return code;
    }
    for line in lines(report) {
        screen.line(&line);
    }
    code
}

fn json_summary(screen: &Screen, code: Code, rest: Value) {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    if let Value::Object(rest) = rest {
        line.extend(rest);
    }
    screen.emit(&line);
}

fn one_line(report: &Report) -> String {
    let rows = report.rows.get("contacts").map(|rows| plural(*rows, "contact"));
    let rows = rows.unwrap_or_else(|| plural(report.rows.values().sum(), "row"));
    let unreadable = match report.unreadable {
        0 => String::new(),
        n => format!(", {} unreadable (errors.csv)", plural(n, "record")),
    };
    let out = safe(&report.out.display().to_string()).into_owned();
    format!("{rows} in {}{unreadable} -> {out}", duration(report.elapsed))
}

fn lines(report: &Report) -> Vec<String> {
    let out = safe(&report.out.display().to_string()).into_owned();
    let requests: u64 = report.requests.values().sum();
    let mut lines = vec![format!("exported to {out}")];
    for file in &report.files {
        let rows = count(file.rows);
        lines.push(format!("  {:<22} {rows:>12} rows  {:>10}", file.file, bytes(file.bytes)));
    }
    let refused = match report.refused {
        0 => String::new(),
        n => format!(", {n} refused by the limit"),
    };
    lines.push(format!("{} in {}{refused}", plural(requests, "request"), duration(report.elapsed)));
    if report.unreadable > 0 {
        lines.push(format!(
            "{} could not be read; errors.csv names them, and this asks for just those:\n  ghl-bulk resume {} --retry-errors",
            plural(report.unreadable, "record"),
            report.run
        ));
    }
    lines.extend(look(report));
    lines
}

/// How to look at what was written.
fn look(report: &Report) -> Option<String> {
    let of_layout = |file: &&Written| Resource::named(&file.table).is_none();
    let table = report.files.iter().find(|file| file.table == "contacts");
    let file = table.or_else(|| report.files.iter().find(of_layout))?;
    let path = report.out.join(&file.file);
    let path = safe(&path.display().to_string()).into_owned();
    if of_layout(&file) {
        let preset = safe(&file.table).into_owned();
        return Some(format!(
            "take an edited one back:\n  ghl-bulk import {path} --preset {preset} --dry-run"
        ));
    }
    let read = match file.format.as_str() {
        "parquet" => "read_parquet",
        "csv" => "read_csv",
        _ => "read_json",
    };
    let lines = if file.format == "jsonl" { ", lines=True" } else { "" };
    Some(format!(
        "look at it:\n  duckdb -c \"SELECT * FROM '{path}' LIMIT 10\"\n  python -c \"import pandas; print(pandas.{read}('{path}'{lines}))\""
    ))
}

/// Tells what exports would cost.
pub(crate) fn estimates(
    ended: Vec<Ended<Done>>,
    global: &Global,
    screen: &Screen,
) -> Result<Code, Failure> {
    let (many, code) = (ended.len() > 1, together(&ended));
    let mut all = Map::new();
    let mut out = io::stdout().lock();
    for (location, end) in ended {
        let shown = safe(location.as_str());
        match end {
            Err(failure) if !many => return Err(failure),
            end if global.json => drop(all.insert(location.to_string(), fields(&end))),
            Err(failure) => tell_failure(&shown, &failure),
            Ok(Done::Report(_)) => {}
            Ok(Done::Estimate(estimate)) => {
                // A closed pipe: nobody reads the rest.
                let _ = if many { writeln!(out, "{shown}") } else { Ok(()) };
                let _ = write_estimate(&mut out, &estimate);
            }
        }
    }
    drop(out);
    if global.json {
        let outcome = if code == Code::Done { "estimate" } else { outcome(code) };
        json_summary(screen, code, json!({ "outcome": outcome, "locations": all }));
    }
    Ok(code)
}

fn write_estimate(out: &mut impl Write, estimate: &Estimate) -> io::Result<()> {
    for (what, requests) in &estimate.requests {
        writeln!(out, "{:>12} requests  {what}", count(*requests))?;
    }
    writeln!(
        out,
        "{:>12} requests  in all, for {}",
        count(estimate.total),
        plural(estimate.contacts, "contact")
    )?;
    let time = match estimate.seconds {
        0 => "at once".to_owned(),
        seconds => duration(std::time::Duration::from_secs(seconds)),
    };
    writeln!(out, "{time:>12}           at the limit")?;
    let left =
        estimate.daily_left.map(|left| format!(", {} left now", count(left))).unwrap_or_default();
    let limit = count(estimate.daily_limit);
    writeln!(out, "{:>11.1}%           of the daily budget of {limit}{left}", estimate.daily_share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::progress::documented;

    #[test]
    fn every_field_of_the_summary_is_documented() {
        let report = Report {
            run: "r".parse().unwrap(),
            location: "l".parse().unwrap(),
            outcome: Outcome::Complete,
            out: "out".into(),
            files: Vec::new(),
            rows: std::collections::BTreeMap::new(),
            unreadable: 0,
            requests: std::collections::BTreeMap::new(),
            refused: 0,
            elapsed: std::time::Duration::ZERO,
        };
        let failure = Failure::usage("x").fields();
        let report = json!(report);
        let known = documented("summary");
        for field in report.as_object().unwrap().keys().chain(failure.keys()) {
            assert!(known.contains(field), "{field} is not in {known:?}");
        }
    }
}
