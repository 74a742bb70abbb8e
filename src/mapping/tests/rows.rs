//! Rules that differ by row: conditions, fallbacks, templates, parts, fields named in the rows.

use super::*;

#[track_caller]
fn refused(column: &str, says: &str) {
    let text = format!("format = 1\n[[column]]\n{column}\n");
    let problems = Mapping::parse(&text, "test").unwrap_err();
    let all = format!("{problems:?}");
    assert!(all.contains(says), "{column}: {all}");
    assert!(problems.iter().all(|problem| problem.place.line >= Some(2)), "{all}");
}

#[test]
fn what_is_wrong_with_them_is_said_with_its_line() {
    let rule = |rest: &str| format!("from = \"A\"\nto = \"city\"\n{rest}");
    for (rest, says) in [
        ("when = { colum = \"B\", is = [\"x\"] }", "did you mean `column`?"),
        ("when = { column = \"B\" }", "needs a `column` and one of"),
        ("when = { is = [\"x\"] }", "needs a `column` and one of"),
        (
            "when = { column = \"B\", is = [\"x\"], filled = true }",
            "one of `is`, `in`, `not`, `contains`, `matches`, `filled` and `id`",
        ),
        ("when = { column = \"B\", filled = \"yes\" }", "must be true or false"),
        ("when = \"B\"", "must be a table"),
        ("fallback = 1", "must be true or false"),
        ("part = \"two\"", "is written `\\\"2 of 5\\\"`"),
        ("part = \"2 of 5\"", "needs one column in `from`, and `split`"),
        ("template = \"x {B}\"", "names `B`, which is not in `from`"),
        ("template = \"x\"", "names no column"),
        ("named_by = \"B\"", "`to` must be `customFields.*`"),
    ] {
        refused(&rule(rest), says);
    }
    refused("from = \"A *\"\nto = \"customFields.*\"\nnamed_by = \"B\"", "in both or in neither");
}

#[test]
fn they_are_written_as_they_were_read() {
    let text = "format = 1\n\n\
        [[column]]\nfrom = \"A\"\nto = \"city\"\nsplit = [\"  \"]\npart = \"2 of 5\"\n\n\
        [[column]]\nfrom = [\"A\", \"B\"]\nto = \"note\"\ntemplate = \"{A}[ ({B})]\"\n\
        when = { column = \"T\", not = [\"x\"] }\nfallback = true\n\n\
        [[column]]\nfrom = \"V *\"\nto = \"customFields.*\"\nnamed_by = \"L *\"\n";
    assert_eq!(mapping(text).to_toml(), text);
}

#[test]
fn a_column_that_a_condition_looks_at_is_accounted_for() {
    let text = "format = 1\n[[column]]\nfrom = \"A\"\nto = \"city\"\n\
        when = { column = \"Type\", filled = true }\n";
    let plan = mapping(text).bind_columns(&columns("A,type,C")).unwrap();
    assert_eq!((&plan.bound[0].when, plan.unmapped), (&vec![Some(1)], vec![2]));
    let problems = mapping(text).bind_columns(&columns("A,Typ")).unwrap_err();
    assert_eq!(problems[0].message_with_place(), "line 2: the sheet has no column `Type`");
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `Typ`?"));
    let problems = mapping(text).bind_columns(&columns("A,Type,Type")).unwrap_err();
    assert_eq!(problems[0].code, DUPLICATE_HEADER);
}

#[test]
fn in_a_mapping_for_many_sheets_a_column_that_is_not_there_is_empty() {
    let rule = |to: &str, when: &str| {
        format!("[[column]]\nfrom = \"A\"\nto = \"{to}\"\nwhen = {{ column = \"T\", {when} }}\n")
    };
    let text = format!(
        "format = 1\nmissing = \"skip\"\n{}{}{}",
        rule("city", "filled = true"),
        rule("state", "filled = false"),
        rule("country", "not = [\"x\"]")
    );
    let plan = mapping(&text).bind_columns(&columns("A,B")).unwrap();
    assert_eq!(shown(&plan), ["A>state", "A>country"]);
    assert!(plan.bound.iter().all(|bound| bound.when == [None]));
}

#[test]
fn rules_for_one_target_agree_when_no_row_has_both_or_one_is_a_fallback() {
    let bind = |first: &str, second: &str| {
        let text = format!(
            "format = 1\nignore = [\"T\", \"U\"]\n[[column]]\nfrom = \"A\"\nto = \"city\"\n{first}\n\
             [[column]]\nfrom = \"B\"\nto = \"city\"\n{second}\n"
        );
        mapping(&text).bind_columns(&columns("A,B,T,U")).is_ok()
    };
    let when = |column: &str, test: &str| format!("when = {{ column = \"{column}\", {test} }}");
    assert!(bind(&when("T", "is = [\"a\"]"), &when("T", "is = [\"b\"]")));
    assert!(bind(&when("T", "filled = true"), &when("t", "filled = false")));
    assert!(bind("", "fallback = true"));
    assert!(!bind("", ""));
    assert!(bind("fallback = true", ""));
    assert!(!bind(&when("T", "is = [\"a\"]"), &when("U", "is = [\"b\"]")));
    assert!(!bind(&when("T", "is = [\"a\"]"), &when("T", "not = [\"b\"]")));
}

#[test]
fn a_field_that_rows_name_is_bound_to_both_columns() {
    let text = "format = 1\nmissing = \"skip\"\n[[column]]\nfrom = \"Field * - Value\"\n\
        to = \"customFields.*\"\nnamed_by = \"Field * - Label\"\n";
    let sheet = columns("Field 1 - Label,Field 1 - Value,Field 2 - Value");
    let plan = mapping(text).bind_to_location(&sheet, &directory()).unwrap();
    assert_eq!(shown(&plan), ["B>customFields.*"]);
    assert_eq!((plan.bound[0].named_by, plan.unmapped), (Some(0), vec![2]));
}

#[test]
fn a_list_of_conditions_means_all_of_them() {
    let text = "format = 1\n\n[[column]]\nfrom = \"A\"\nto = \"city\"\n\
        when = [{ column = \"T\", filled = false }, { column = \"U\", is = [\"x\"] }]\n\n\
        [[column]]\nfrom = \"B\"\nto = \"city\"\nwhen = { column = \"U\", not = [\"x\"] }\n";
    assert_eq!(mapping(text).to_toml(), text);
    let plan = mapping(text).bind_columns(&columns("A,B,T,U")).unwrap();
    assert_eq!(plan.bound[0].when, [Some(2), Some(3)]);
    // Rows with another `U` and a `T` get the second one; without the other condition, both apply.
    let apart = text.replace("not = [\"x\"]", "filled = true");
    assert!(mapping(&apart).bind_columns(&columns("A,B,T,U")).is_err());
}
