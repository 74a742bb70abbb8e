//! How single values are represented in their column and in `extra`.

use super::{SEARCH_ROW, check, contacts, decoded, is_lossless, text};

#[test]
fn a_search_row_leaves_nothing_in_extra() {
    let table = contacts();
    let (batch, misfits) = decoded(&table, SEARCH_ROW);
    let extra = text(&table, &batch, "extra");
    assert_eq!(extra, None);
    assert_eq!(misfits, 0);
    assert_eq!(text(&table, &batch, "name").as_deref(), Some("jane smith"));
    is_lossless(&table, SEARCH_ROW);
}

#[test]
fn texts_go_into_columns_as_they_are() {
    check(r#""email":"a@b.c""#, "email", Some("a@b.c"), None, 0);
    check(r#""city":"K\u00f6ln \ud83d\ude00\n\"x\"""#, "city", Some("Köln 😀\n\"x\""), None, 0);
    check(r#""city":"""#, "city", Some(""), None, 0);
    check(r#""city":null"#, "city", None, None, 0);
    check(r#""postalCode":1001"#, "postal_code", Some("1001"), Some(r#"{"postalCode":1001}"#), 1);
    check(r#""city":{"a":1}"#, "city", Some(r#"{"a":1}"#), Some(r#"{"city":{"a":1}}"#), 1);
}

#[test]
fn half_a_surrogate_pair_is_kept_as_it_was_sent() {
    let table = contacts();
    let (batch, misfits) = decoded(&table, r#"{"id":"c1","city":"x\ud800y"}"#);
    assert_eq!(text(&table, &batch, "city").as_deref(), Some("x\u{fffd}y"));
    assert_eq!(text(&table, &batch, "extra").as_deref(), Some(r#"{"city":"x\ud800y"}"#));
    assert_eq!(misfits, 1);
}

#[test]
fn other_spellings_of_a_key_fill_the_column_and_are_kept() {
    check(
        r#""address1":"1 Main""#,
        "address1",
        Some("1 Main"),
        Some(r#"{"address1":"1 Main"}"#),
        0,
    );
    check(
        r#""firstName":"jane","firstNameRaw":"Jane""#,
        "first_name",
        Some("Jane"),
        Some(r#"{"firstNameRaw":"Jane","firstName":"jane"}"#),
        0,
    );
    check(r#""firstName":"Jane","firstNameLowerCase":"jane""#, "first_name", Some("Jane"), None, 0);
    check(
        r#""firstName":"Jane","firstNameLowerCase":"jané""#,
        "first_name",
        Some("Jane"),
        Some(r#"{"firstNameLowerCase":"jané"}"#),
        0,
    );
}

#[test]
fn times_are_instants_and_odd_ones_are_kept() {
    let at = Some("1764003536678");
    check(r#""dateAdded":"2025-11-24T16:58:56.678Z""#, "date_added", at, None, 0);
    let offset = r#""dateAdded":"2025-11-24T17:58:56.678+01:00""#;
    check(offset, "date_added", at, Some(&format!("{{{offset}}}")), 0);
    check(
        r#""dateAdded":1764003536678"#,
        "date_added",
        at,
        Some(r#"{"dateAdded":1764003536678}"#),
        0,
    );
    check(r#""dateAdded":"soon""#, "date_added", None, Some(r#"{"dateAdded":"soon"}"#), 1);
    check(r#""dateAdded":"""#, "date_added", None, Some(r#"{"dateAdded":""}"#), 0);
    let odd = r#""dateAdded":"2025-02-29T00:00:00.000Z""#;
    check(odd, "date_added", None, Some(&format!("{{{odd}}}")), 1);
}

#[test]
fn days_are_dates_however_they_are_sent() {
    check(r#""dateOfBirth":654220800000"#, "date_of_birth", Some("7572"), None, 0);
    check(r#""dateOfBirth":-86400000"#, "date_of_birth", Some("-1"), None, 0);
    check(r#""dateOfBirth":-1"#, "date_of_birth", Some("-1"), Some(r#"{"dateOfBirth":-1}"#), 0);
    let text = r#""dateOfBirth":"1990-09-25T00:00:00.000Z""#;
    check(text, "date_of_birth", Some("7572"), Some(&format!("{{{text}}}")), 0);
    check(
        r#""dateOfBirth":"1990-9-25""#,
        "date_of_birth",
        None,
        Some(r#"{"dateOfBirth":"1990-9-25"}"#),
        1,
    );
    check(
        r#""customFields":[{"id":"day","value":"1990-09-25"}]"#,
        "custom_since",
        Some("7572"),
        None,
        0,
    );
}

#[test]
fn custom_values_that_do_not_fit_stay_as_they_were_sent() {
    let entry = |value: &str| format!(r#""customFields":[{value}]"#);
    let preserved = |value: &str| Some(format!(r#"{{"customFields":[{value}]}}"#));
    let money = r#"{"id":"money","value":"12"}"#;
    check(&entry(money), "custom_worth", Some("12"), preserved(money).as_deref(), 1);
    let unknown = r#"{"id":"unknown","value":"12"}"#;
    check(&entry(unknown), "custom_worth", None, preserved(unknown).as_deref(), 0);
    let files = r#"{"id":"files","value":{"u":{"url":"x"}}}"#;
    check(&entry(files), "custom_files", Some(r#"{"u":{"url":"x"}}"#), None, 0);
    let one = r#"{"id":"many","value":"a"}"#;
    check(&entry(one), "custom_options", Some("a"), preserved(one).as_deref(), 1);
    check(r#""customFields":"none""#, "custom_plain", None, Some(r#"{"customFields":"none"}"#), 0);
}

#[test]
fn odd_entries_of_a_field_are_all_kept() {
    let entry = |value: &str| format!(r#""customFields":[{value}]"#);
    let preserved = |value: &str| Some(format!(r#"{{"customFields":[{value}]}}"#));
    let spelt = r#"{"id":"text","fieldValue":"12"}"#;
    check(&entry(spelt), "custom_plain", Some("12"), preserved(spelt).as_deref(), 0);
    let twice = r#"{"id":"text","value":"1"},{"id":"text","value":"2"}"#;
    check(&entry(twice), "custom_plain", Some("1"), preserved(twice).as_deref(), 0);
    let empty = r#"{"id":"text","value":null,"more":1},{"id":"text","value":"2"}"#;
    check(&entry(empty), "custom_plain", Some("2"), preserved(empty).as_deref(), 0);
    let escaped = r#"{"\u0069d":"te\u0078t","value":"1"},{"id":"text","value":"2"}"#;
    check(&entry(escaped), "custom_plain", Some("1"), preserved(escaped).as_deref(), 0);
}

#[test]
fn numbers_that_a_double_cannot_hold_are_kept() {
    let entry = |n: &str| format!(r#""customFields":[{{"id":"money","value":{n}}}]"#);
    let preserved = |n: &str| Some(format!("{{{}}}", entry(n)));
    check(&entry("187500.25"), "custom_worth", Some("187500.25"), None, 0);
    check(&entry("1.50"), "custom_worth", Some("1.5"), None, 0);
    check(&entry("12e2"), "custom_worth", Some("1200"), None, 0);
    check(&entry("0.12345678901234568"), "custom_worth", Some("0.12345678901234568"), None, 0);
    let big = "9007199254740993";
    check(&entry(big), "custom_worth", Some("9007199254740992"), preserved(big).as_deref(), 0);
}

#[test]
fn lists_take_what_text_there_is() {
    check(r#""tags":["a","b"]"#, "tags", Some("a|b"), None, 0);
    let objects = r#""additionalEmails":[{"email":"a@b.c","valid":true},"d@e.f"]"#;
    check(objects, "additional_emails", Some("a@b.c|d@e.f"), Some(&format!("{{{objects}}}")), 0);
    check(r#""tags":["a",7]"#, "tags", Some("a|7"), Some(r#"{"tags":["a",7]}"#), 1);
}

#[test]
fn a_cursor_is_dropped_only_when_it_follows() {
    let added = r#""dateAdded":"2025-11-24T16:58:56.678Z""#;
    let with = |cursor: &str| format!(r#"{added},"searchAfter":{cursor}"#);
    check(&with(r#"[1764003536678,"c1"]"#), "source", None, None, 0);
    for cursor in [r#"[1764003536679,"c1"]"#, r#"[1764003536678,"c2"]"#, r#"["x"]"#, "7"] {
        let preserved = format!(r#"{{"searchAfter":{cursor}}}"#);
        check(&with(cursor), "source", None, Some(&preserved), 0);
    }
}
