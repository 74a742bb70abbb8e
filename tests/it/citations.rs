//! Citations in comments: the cited document and section exist in the repository.

use std::path::{Path, PathBuf};

const FACTS: &str = include_str!("../../src/api/README.md");

#[test]
fn every_section_of_the_api_facts_that_a_comment_cites_exists() {
    let mut cited = 0;
    let mut missing = Vec::new();
    for (file, text) in source_files() {
        for citation in text.split("api.md").skip(1).flat_map(sections) {
            cited += 1;
            if !has_section(&citation) {
                missing.push(format!("{}: §{citation}", file.display()));
            }
        }
    }
    assert!(cited > 80, "only {cited} citations found: does this test still read the comments?");
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_document_that_a_comment_cites_is_in_the_repository() {
    let known = ["api.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"];
    let mut missing = Vec::new();
    for (file, text) in source_files() {
        let comments = text.lines().filter_map(|line| line.split_once("//"));
        for (_, comment) in comments {
            let words = comment.split(|c: char| !c.is_alphanumeric() && !"._-".contains(c));
            let documents = words.map(|word| word.trim_end_matches('.'));
            for name in documents.filter(|word| {
                word.rsplit_once('.').is_some_and(|(_, ending)| ending == "md")
                    && !known.contains(word)
            }) {
                missing.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Every Rust file under `src`.
fn source_files() -> Vec<(PathBuf, String)> {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut found = Vec::new();
    while let Some(dir) = dirs.pop() {
        for path in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The sections named right behind `api.md`: `§2`, `§5.7, §6` or the range `§2.4–7`.
fn sections(rest: &str) -> Vec<String> {
    let rest = rest.trim_start();
    let mut found: Vec<String> = Vec::new();
    let mut rest = rest;
    while let Some(after) = rest.strip_prefix('§') {
        let end = after.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(after.len());
        found.push(after[..end].trim_end_matches('.').to_owned());
        rest = after[end..].trim_start_matches([',', ' ']);
    }
    found
}

fn has_section(citation: &str) -> bool {
    if citation.contains('.') {
        FACTS.contains(&format!("- **§{citation}** "))
    } else {
        FACTS.lines().any(|line| line.starts_with(&format!("## §{citation} ")))
    }
}
