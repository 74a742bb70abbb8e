//! Guards and list cells come off again.

use proptest::prelude::*;

use super::super::*;

const BOTH: [FormulaGuardMode; 2] = [FormulaGuardMode::Formulas, FormulaGuardMode::Excel];

#[track_caller]
fn check(text: &str, formulas: bool, excel: bool) {
    let guarded = BOTH.map(|safe| guard_formula(text, safe) != text);
    assert_eq!(guarded, [formulas, excel], "{text:?}");
    for safe in BOTH {
        assert_eq!(strip_guard(&guard_formula(text, safe)), text, "{text:?}");
    }
    assert_eq!(guard_formula(text, FormulaGuardMode::Off), text);
}

#[test]
fn formulas_are_guarded_in_both_modes() {
    for text in ["=1+1", "@SUM(A1)", "+1 415 555 1234", "-", "+", "-a", "\tx", "\rx", "\nx", "\0"] {
        check(text, true, true);
    }
    for text in ["＝1", "＋1", "－1", "＠a", "'=1", "''+x", "-1-1", "+1*2", "-.5"] {
        check(text, true, true);
    }
}

#[test]
fn what_excel_spoils_is_guarded_for_excel_only() {
    for text in ["+14155551234", "0123", "007", "123456789012", "1e5", "12E3", "1.50", "+5", "-007"]
    {
        check(text, false, true);
    }
}

#[test]
fn everything_else_is_left_alone() {
    for text in [
        "", "a", "Jane", "12", "-12", "1.5", "-0.5", "0", "0.5", "it's", "'a'", "'", "a=b", " =1",
        "ö", "[1]",
    ] {
        check(text, false, false);
    }
}

#[test]
fn what_looks_guarded_gets_one_more() {
    assert_eq!(guard_formula("'=1", FormulaGuardMode::Formulas), "''=1");
    assert_eq!(guard_formula("'007", FormulaGuardMode::Formulas), "''007");
    assert_eq!(guard_formula("'a", FormulaGuardMode::Formulas), "'a");
}

#[test]
fn lists_are_plain_where_they_can_be() {
    assert_eq!(join_list(["a", "b"].into_iter()), "a; b");
    assert_eq!(join_list(["a"].into_iter()), "a");
    assert_eq!(join_list(std::iter::empty()), "");
    assert_eq!(join_list([""].into_iter()), r#"[""]"#);
    assert_eq!(join_list(["a ", "b"].into_iter()), r#"["a ","b"]"#);
    assert_eq!(join_list(["x", "[y"].into_iter()), r#"["x","[y"]"#);
    assert_eq!(split_list("a;b ; c"), ["a", "b", "c"]);
    assert_eq!(split_list("[not json"), ["[not json"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_guard_comes_off_again(text in "('{0,3}[-=+@＝\t\n]?)?[0-9+.eE'a=-]{0,8}|.{0,8}") {
        for safe in BOTH {
            let cell = guard_formula(&text, safe);
            prop_assert_eq!(strip_guard(&cell), &text);
        }
    }

    #[test]
    fn a_list_comes_apart_again(items in prop::collection::vec("[a-b\\[;\" \u{a0}]{0,3}|.{0,5}", 0..4)) {
        let cell = join_list(items.iter().map(String::as_str));
        prop_assert_eq!(split_list(&cell), &*items);
    }

    #[test]
    fn a_csv_cell_comes_back(name in ".{0,8}|[\"\r\n,;']{0,6}") {
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::Any(b'\n'))
            .from_writer(Vec::new());
        writer.write_record(["id", &*guard_formula(&name, FormulaGuardMode::Formulas)]).unwrap();
        let bytes = writer.into_inner().unwrap();
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
        let record = reader.records().next().unwrap().unwrap();
        prop_assert_eq!(strip_guard(&record[1]), name);
    }
}
