//! Sentences about what is wrong with a sheet: how many values, one of them, and what happens to them.

use crate::diagnostic::{DiagnosticCode, ProblemSubject};
use crate::import::{LeftOutColumn, ProblemSummary};
use crate::text::{escape_for_terminal, format_count, format_plural, select_plural, truncate_text};

/// How many characters of a value are shown.
const LONGEST_VALUE: usize = 30;
/// How many characters of a column's name are shown.
const LONGEST_NAME: usize = 40;

/// The sentences about problems; those that leave values out come first, then the frequent ones.
pub(super) fn problem_sentences(problems: &[ProblemSummary]) -> Vec<String> {
    let has_own_section = |problem: &&ProblemSummary| {
        matches!(
            problem.code,
            DiagnosticCode::W_UNMAPPED_COLUMNS | DiagnosticCode::W_IGNORED_COLUMNS
        )
    };
    let mut shown: Vec<_> = problems.iter().filter(|it| !has_own_section(it)).collect();
    shown.sort_by_key(|it| it.code.problem_phrase().subject != ProblemSubject::LeftOutValue);
    shown.into_iter().map(problem_sentence).collect()
}

/// A sentence such as ``Budget: 1,005 values are not numbers, such as `$5,000`; they are left out``.
fn problem_sentence(problem: &ProblemSummary) -> String {
    let phrase = problem.code.problem_phrase();
    let (one, many) = (problem.count == 1, format_count(problem.count));
    let counted = format!("{many} {}", select_plural(problem.count, phrase.one, phrase.many));
    let example = match (describe_example(problem), one) {
        (None, _) => String::new(),
        (Some(example), true) => format!(": {example}"),
        (Some(example), false) => format!(", such as {example}"),
    };
    let message = escape_for_terminal(&problem.message);
    let sentence = match phrase.subject {
        ProblemSubject::File => message.into_owned(),
        ProblemSubject::Message => format!("{counted}{example}: {message}"),
        ProblemSubject::Row | ProblemSubject::Value => format!("{counted}{example}"),
        ProblemSubject::LeftOutValue => {
            let effect = select_plural(problem.count, "it is left out", "they are left out");
            format!("{counted}{example}; {effect}")
        }
    };
    match problem.field.as_str() {
        "" => sentence,
        field => format!("{}: {sentence}", shorten(field, LONGEST_NAME)),
    }
}

/// The first value with a problem, or else its place.
fn describe_example(problem: &ProblemSummary) -> Option<String> {
    let is_about_cell = matches!(
        problem.code.problem_phrase().subject,
        ProblemSubject::Value | ProblemSubject::LeftOutValue
    );
    match (problem.value.as_str(), problem.place.as_str()) {
        (value, _) if is_about_cell && !value.is_empty() => {
            Some(format!("`{}`", shorten(value, LONGEST_VALUE)))
        }
        (_, "") => None,
        (_, place) => Some(escape_for_terminal(place).into_owned()),
    }
}

/// The columns that are left out, in one sentence; `None` if there are none.
pub(super) fn left_out_sentence(columns: &[LeftOutColumn]) -> Option<String> {
    if columns.is_empty() {
        return None;
    }
    let name = |column: &LeftOutColumn| {
        let name = shorten(&column.column, LONGEST_NAME);
        match column.about {
            Some(about) => format!("`{name}` ({})", about.name()),
            None => format!("`{name}`"),
        }
    };
    let (ignored, lost): (Vec<_>, Vec<_>) = columns.iter().partition(|column| column.ignored);
    let count = columns.len() as u64;
    let hint = if lost.is_empty() { "" } else { "; `--map COLUMN=target` imports one" };
    let names: Vec<_> = columns.iter().map(name).collect();
    let how = if lost.is_empty() { "ignored" } else { "left out" };
    let some = match (ignored.len() as u64, lost.is_empty()) {
        (0, _) | (_, true) => String::new(),
        (ignored, false) => format!(" ({} of them ignored by the mapping)", format_count(ignored)),
    };
    Some(format!(
        "{} {} {how}{some}{hint}: {}",
        format_plural(count, "column"),
        select_plural(count, "is", "are"),
        names.join(", ")
    ))
}

/// A text's beginning, on one line.
pub(super) fn shorten(text: &str, most: usize) -> String {
    let line = text.replace(['\n', '\r'], " ");
    escape_for_terminal(&truncate_text(&line, most)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: DiagnosticCode, field: &str, count: u64, value: &str) -> ProblemSummary {
        ProblemSummary {
            field: field.to_owned(),
            code,
            count,
            value: value.to_owned(),
            place: "line 7".to_owned(),
            message: "the message".to_owned(),
        }
    }

    #[test]
    fn a_sentence_has_the_number_an_example_and_the_effect() {
        for (problem, expected) in [
            (
                problem(DiagnosticCode::W_NUMBER_INVALID, "Budget", 1_005, "$5,000"),
                "Budget: 1,005 values are not numbers, such as `$5,000`; they are left out",
            ),
            (
                problem(DiagnosticCode::W_NUMBER_INVALID, "Budget", 1, "x"),
                "Budget: 1 value is not a number: `x`; it is left out",
            ),
            (
                problem(DiagnosticCode::R_BLANK, "City", 2, ""),
                "City: 2 cells are empty, and a value is required, such as line 7",
            ),
            (problem(DiagnosticCode::R_TOTALS_ROW, "", 1, "9"), "1 row holds totals: line 7"),
            (problem(DiagnosticCode::R_REFUSED, "", 3, ""), "3 rows, such as line 7: the message"),
            (problem(DiagnosticCode::W_ENCODING_GUESSED, "", 1, ""), "the message"),
        ] {
            assert_eq!(problem_sentences(&[problem]), [expected]);
        }
    }
}
