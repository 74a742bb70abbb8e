//! The codes of warnings, rejections and refusals: listed, used in the program, and spelled right in tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ghl_bulk::diagnostic::DiagnosticCode;

use crate::world::bare;

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

/// The words behind each `before` in a text.
fn words_behind<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

#[test]
fn every_code_is_used_outside_its_table() {
    let mut used = BTreeSet::new();
    for path in rust_files("src") {
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs")
            || path.components().any(|part| part.as_os_str() == "diagnostic");
        if is_test {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
        used.extend(words_behind(&code, "DiagnosticCode::").map(str::to_owned));
    }
    let unused: Vec<_> =
        DiagnosticCode::ALL.iter().filter(|code| !used.contains(code.spelling())).collect();
    assert!(unused.is_empty(), "listed, but never reported: {unused:?}");
}

#[test]
fn no_code_is_written_as_text_in_the_program_and_tests_expect_only_codes_that_exist() {
    let is_code = |word: &str| {
        word.len() > 3
            && matches!(&word[..2], "W_" | "R_" | "E_")
            && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let mut wrong = Vec::new();
    for path in rust_files("src").into_iter().chain(rust_files("tests")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in words_behind(&text, "\"").filter(|word| is_code(word)) {
            if word.parse::<DiagnosticCode>().is_err() && word != "W_UNHEARD_OF" {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_codes_are_listed_for_people() {
    insta::assert_snapshot!(bare().run("schema codes").exits(0).stdout);
}

#[test]
fn the_codes_are_listed_for_programs() {
    let listed: serde_json::Value =
        serde_json::from_str(&bare().run("schema codes --json").exits(0).stdout).unwrap();
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), DiagnosticCode::ALL.len());
    for (row, code) in listed.iter().zip(DiagnosticCode::ALL) {
        assert_eq!(row["code"], code.spelling());
        assert_eq!(row["severity"], code.severity().name());
        assert_eq!(row["description"], code.meaning());
    }
}
