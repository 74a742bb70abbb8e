//! Binding mappings to sheets.

use super::*;
use crate::diagnostic::Diagnostic;
use crate::mapping::duplicate_headers;

#[track_caller]
fn binds(text: &str, header: &str, expected: &[&str]) -> BoundMapping {
    let plan = mapping(text).bind_columns(&columns(header)).unwrap();
    assert_eq!(shown(&plan), expected);
    plan
}

#[track_caller]
fn refuses(text: &str, header: &str, expected: &[&str]) -> Vec<Diagnostic> {
    let problems = mapping(text).bind_columns(&columns(header)).unwrap_err();
    assert_eq!(complaints(&problems), expected);
    problems
}

fn rule(from: &str, to: &str) -> String {
    format!("[[column]]\nfrom = {from}\nto = \"{to}\"\n")
}

#[test]
fn a_column_is_found_by_header_then_by_its_plain_form_then_by_letter() {
    binds(&rule("\"C\"", "city"), "C,Town,x", &["A>city"]);
    binds(&rule("\"C\"", "city"), "A name,Town,x", &["C>city"]);
    binds(&rule("\"postal code\"", "postalCode"), "x,PostalCode", &["B>postalCode"]);
    binds(&rule("\"[c]\"", "city"), "C,Town,x", &["C>city"]);
    let plan = binds(&rule("[\"First\", \"Last\"]", "name"), "Last,First,Other", &["B+A>name"]);
    assert_eq!(plan.unmapped, [2]);
}

#[test]
fn a_column_that_the_sheet_lacks_is_a_problem_with_the_nearest_header() {
    let text = rule("\"Emial\"", "email");
    let problems = refuses(&text, "Name,Email", &["line 1: the sheet has no column `Emial`"]);
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `Email`?"));
    let plan = binds(&format!("missing = \"skip\"\n{text}"), "Name,Email", &[]);
    assert_eq!(plan.unmapped, [0, 1]);
}

#[test]
fn presets_never_take_a_short_header_for_a_letter() {
    binds(&format!("missing = \"skip\"\n{}", rule("\"C\"", "country")), "Name,Email,City", &[]);
}

#[test]
fn a_header_of_two_columns_is_refused_for_what_takes_one() {
    let text = rule("\"City\"", "city");
    let problems = refuses(
        &text,
        "Name,Email,City,City",
        &[
            "line 1: `City` is the header of columns C and D; pick one with `--map C=city` or `--ignore-column D`",
        ],
    );
    assert_eq!(problems[0].code, DUPLICATE_HEADER);
    binds(&format!("ignore = [\"D\"]\n{text}"), "Name,Email,City,City", &["C>city"]);
    binds(&rule("\"Tag\"", "tags"), "Name,Tag,Tag", &["B>tags", "C>tags"]);
    let plan = binds(&rule("\"Name\"", "name"), "Name,City,City", &["A>name"]);
    assert_eq!(plan.unmapped, [1, 2]);
    let warnings = duplicate_headers(&columns("Name,City,City,,"));
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].message, "`City` is the header of columns B and C");
}

#[test]
fn two_columns_for_one_value_are_refused_and_joined_ones_are_not() {
    let two = rule("\"City\"", "city") + &rule("\"Town\"", "city");
    let message = "line 4: columns A (`City`) and B (`Town`) both go to `city`, which takes one; \
                   pick one with `--map A=city` or `--ignore-column B`";
    let problems = refuses(&two, "City,Town", &[message]);
    assert_eq!(problems[0].code, DUPLICATE_HEADER);
    binds(&rule("[\"City\", \"Town\"]", "city"), "City,Town", &["A+B>city"]);
    let constant = rule("\"City\"", "city") + "[[constant]]\nto = \"city\"\nvalue = \"Rome\"\n";
    refuses(&constant, "City", &["line 4: `city` has a constant and a column; keep one of them"]);
    // One column may have two targets.
    binds(
        &(rule("\"N\"", "name") + &rule("\"N\"", "companyName")),
        "N",
        &["A>name", "A>companyName"],
    );
}

#[test]
fn patterns_take_every_column_that_nothing_else_names() {
    let text = rule("\"Custom *\"", "customFields.*") + &rule("\"Custom 2\"", "city");
    binds(
        &text,
        "Custom 1,Custom 2,custom 30,Other",
        &["B>city", "A>customFields.1", "C>customFields.30"],
    );
    let text = format!("ignore = [\"*\"]\n{}", rule("\"E-mail * - Value\"", "additionalEmails"));
    let plan = binds(&text, "E-mail 7 - Value,x,E-mail - Value", &["A>additionalEmails"]);
    assert_eq!(plan.unmapped, [0; 0]);
    refuses(
        &rule("\"X *\"", "customFields.*"),
        "Custom 1",
        &["line 1: no column header matches `X *`"],
    );
    // A star that is part of the header is not a pattern.
    binds(&rule("\"Email*\"", "email"), "Email*,Email 2", &["A>email"]);
}

#[test]
fn result_columns_of_this_program_are_ignored() {
    let header = "Email,_reject_line,_reject_reason,_contact_id,_action,_else";
    let plan = binds(&rule("\"Email\"", "email"), header, &["A>email"]);
    assert_eq!(plan.unmapped, [5]);
}

#[test]
fn an_undecided_column_stops_the_plan() {
    let text = rule("\"A\"", "ignore") + &rule("\"B\"", "?");
    refuses(&text, "A,B", &["line 4: column B (`B`) has no target yet"]);
}

#[test]
fn the_command_line_wins_over_the_mapping() {
    #[track_caller]
    fn check(rules: &[&str], ignore: &[&str], expected: &[&str], unmapped: &[usize]) {
        let header = columns("Name,Email,City,City,Score");
        let text = rule("\"Name\"", "name") + &rule("\"City\"", "city");
        let mapping = mapping(&format!("ignore = [\"Score\"]\nmissing = \"skip\"\n{text}"));
        let rules =
            rules.iter().map(|text| Mapping::parse_inline_rule(text, &[]).unwrap()).collect();
        let ignore: Vec<String> = ignore.iter().map(|name| (*name).to_owned()).collect();
        let plan =
            mapping.with_overrides(rules, &ignore, &header).unwrap().bind_columns(&header).unwrap();
        assert_eq!(
            (shown(&plan), plan.unmapped.as_slice()),
            (expected.iter().map(|s| (*s).to_owned()).collect(), unmapped)
        );
    }
    check(&["C=city"], &[], &["A>name", "C>city"], &[1, 3]);
    check(&[], &["D"], &["A>name", "C>city"], &[1]);
    check(
        &["Score=customFields.score"],
        &["D", "Email"],
        &["A>name", "C>city", "E>customFields.score"],
        &[],
    );
    check(&["Name=firstName"], &["C"], &["D>city", "A>firstName"], &[1]);
    check(&["City=tags"], &["Email"], &["A>name", "C>tags", "D>tags"], &[]);
    let header = columns("Name,City,City");
    let city = Mapping::parse_inline_rule("City=city", &[]).unwrap();
    let problems =
        Mapping::default().with_overrides(vec![city], &["Emial".to_owned()], &header).unwrap_err();
    assert_eq!(problems.len(), 2);
}

#[test]
fn five_hundred_columns_are_bound_to_the_last() {
    let names: Vec<String> = (1..=500).map(|number| format!("Custom {number}")).collect();
    let header: Vec<SheetColumn> = names
        .iter()
        .enumerate()
        .map(|(at, name)| SheetColumn { name: name.clone(), letters: format!("X{at}") })
        .collect();
    let plan = mapping(&rule("\"Custom *\"", "customFields.*")).bind_columns(&header).unwrap();
    assert_eq!(plan.bound.len(), 500);
    assert_eq!(plan.bound[499].rule.to.to_string(), "customFields.500");
}
