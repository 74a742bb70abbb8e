//! The codes of warnings, rejections and refusals: documented, used in the program, and spelled correctly in tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ghl_bulk::diagnostic::{DiagnosticCode, EventWarningCode, FetchFailureCode};

use crate::cli::bare;

fn rust_files(dir: &str) -> Vec<PathBuf> {
    fn collect(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(dir), &mut found);
    found
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}

/// The words behind each `before` in a text.
fn words_behind<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).map(first_word)
}

/// The program's files with their text, tests left out.
fn program_texts() -> Vec<(PathBuf, String)> {
    let is_program = |path: &PathBuf| {
        !path
            .components()
            .any(|part| part.as_os_str() == "tests" || part.as_os_str() == "diagnostic")
            && path.file_name().is_some_and(|name| name != "tests.rs")
    };
    let without_tests = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        (path, text[..end].to_owned())
    };
    rust_files("src").into_iter().filter(is_program).map(without_tests).collect()
}

fn is_code(word: &str) -> bool {
    let rest = ["W_", "R_", "E_"].iter().find_map(|front| word.strip_prefix(front));
    rest.is_some_and(|rest| {
        rest.len() > 1
            && !rest.ends_with('_')
            && rest.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit() || it == b'_')
    })
}

#[test]
fn every_code_is_used_outside_its_table() {
    let texts = program_texts();
    let used: BTreeSet<&str> =
        texts.iter().flat_map(|(_, text)| words_behind(text, "DiagnosticCode::")).collect();
    let unused: Vec<_> =
        DiagnosticCode::ALL.iter().filter(|code| !used.contains(code.spelling())).collect();
    assert!(unused.is_empty(), "listed, but never reported: {unused:?}");
}

#[test]
fn the_program_writes_no_code_as_text() {
    for (path, text) in program_texts() {
        let literal = words_behind(&text, "\"").find(|word| is_code(word));
        assert_eq!(literal, None, "{}: use `DiagnosticCode`", path.display());
    }
}

#[test]
fn every_code_of_events_and_errors_csv_is_used_and_none_is_text() {
    let texts = program_texts();
    let check = |list: &str, codes: Vec<(String, &str)>| {
        let front = format!("{list}::");
        let used: BTreeSet<&str> =
            texts.iter().flat_map(|(_, text)| text.split(&front).skip(1)).map(first_word).collect();
        for (name, spelling) in codes {
            assert!(used.contains(name.as_str()), "listed, but never reported: {list}::{name}");
            // A single word such as `hidden` is also a setting's.
            let literal = format!("\"{spelling}\"");
            let written = texts.iter().find(|(_, text)| text.contains(&literal));
            let path = written.filter(|_| spelling.contains('_')).map(|(path, _)| path.display());
            assert!(path.is_none(), "{}: use `{list}::{name}`", path.unwrap());
        }
    };
    let warnings = EventWarningCode::ALL.iter();
    check("EventWarningCode", warnings.map(|it| (format!("{it:?}"), it.spelling())).collect());
    let failures = FetchFailureCode::ALL.iter();
    check("FetchFailureCode", failures.map(|it| (format!("{it:?}"), it.spelling())).collect());
}

#[test]
fn the_events_schema_names_every_warning() {
    let schema: serde_json::Value =
        serde_json::from_str(&bare().run_command("schema events").exits(0).stdout).unwrap();
    let code = &schema["$defs"]["warning"]["properties"]["code"];
    let known: Vec<&str> =
        code["anyOf"].as_array().unwrap().iter().filter_map(|it| it["const"].as_str()).collect();
    let all: Vec<&str> = EventWarningCode::ALL.iter().map(|it| it.spelling()).collect();
    assert_eq!(known, all);
}

#[test]
fn tests_expect_only_codes_that_exist() {
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let unknown = |word: &&str| is_code(word) && word.parse::<DiagnosticCode>().is_err();
        for word in words_behind(&text, "\"").filter(unknown) {
            wrong.push(format!("{}: {word}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn meanings_name_only_flags_that_exist() {
    let help = |command: &str| bare().run_command(&format!("{command} --help")).exits(0).stdout;
    let help = help("import") + &help("export");
    for code in DiagnosticCode::ALL {
        let quoted = code.meaning().split('`').filter(|text| text.starts_with("--"));
        for flag in quoted.filter_map(|text| text.split(' ').next()) {
            let known =
                help.split_whitespace().any(|word| word.trim_end_matches([',', '=']) == flag);
            assert!(known, "{code}: {flag}");
        }
    }
}

#[test]
fn the_codes_are_listed_for_people() {
    insta::assert_snapshot!(bare().run_command("schema codes").exits(0).stdout);
}

fn listed_code(list: &str, severity: &str, code: &str, meaning: &str) -> serde_json::Value {
    serde_json::json!({
        "list": list, "code": code, "severity": severity, "description": meaning,
    })
}

#[test]
fn the_codes_are_listed_for_programs() {
    let listed: serde_json::Value =
        serde_json::from_str(&bare().run_command("schema codes --json").exits(0).stdout).unwrap();
    let listed = listed.as_array().unwrap();
    let (of_import, rest) = listed.split_at(DiagnosticCode::ALL.len());
    let (of_events, of_errors) = rest.split_at(EventWarningCode::ALL.len());
    assert_eq!(of_errors.len(), FetchFailureCode::ALL.len());
    for (row, code) in of_events.iter().zip(EventWarningCode::ALL) {
        assert_eq!(*row, listed_code("events", "warning", code.spelling(), code.meaning()));
    }
    for (row, code) in of_errors.iter().zip(FetchFailureCode::ALL) {
        assert_eq!(*row, listed_code("errors.csv", "error", code.spelling(), code.meaning()));
    }
    for (row, code) in of_import.iter().zip(DiagnosticCode::ALL) {
        assert_eq!(row["list"], "import");
        assert_eq!(row["code"], code.spelling());
        assert_eq!(row["severity"], code.severity().name());
        assert_eq!(row["description"], code.meaning());
    }
}
