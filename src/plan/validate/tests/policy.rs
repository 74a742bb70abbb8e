//! The effect of options on rows.

use super::*;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

const CITY: &str = "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\nfrom = \"City\"\nto = \"city\"\n";

#[test]
fn an_empty_cell_leaves_clears_or_rejects_as_the_mapping_says() {
    let csv = "Email,City\na@example.com,\nb@example.com,Rome\n";
    let second = json!({ "email": "b@example.com", "city": "Rome" });
    let with = |blank: &str| written(&format!("{CITY}blank = \"{blank}\"\n"), csv);
    with("leave").check(&[json!({ "email": "a@example.com" }), second.clone()]);
    with("error").check(&[json!("R_BLANK"), second.clone()]);
    with("clear")
        .policy(|policy| policy.allow_clear = true)
        .check(&[json!({ "email": "a@example.com", "city": null }), second.clone()]);
    let outcome = with("clear").check(&[json!({ "email": "a@example.com" }), second]);
    let reported: Vec<_> = outcome
        .summary
        .iter()
        .map(|warned| (warned.code.spelling(), warned.field.as_str()))
        .collect();
    assert_eq!(reported, [("W_CLEAR_NOT_ALLOWED", "City")]);
    assert!(outcome.codes().concat().is_empty());
}

#[test]
fn a_row_that_ends_early_clears_nothing() {
    let mut sheet = written(&format!("{CITY}blank = \"clear\"\n"), "Email,City\na@example.com,\n")
        .policy(|policy| policy.allow_clear = true);
    sheet.rows[0].warnings.push(Diagnostic::new(DiagnosticCode::W_SHORT_ROW, "1 of 2 fields"));
    let outcome = sheet.check(&[json!({ "email": "a@example.com" })]);
    assert_eq!(outcome.codes()[0], ["W_SHORT_ROW"]);
}

#[test]
fn what_cannot_be_cleared_is_reported() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Id\"\nto = \"contactId\"\nblank = \"clear\"\n";
    assert_eq!(written(mapping, "Id\nx\n").problems().len(), 1);
}

#[test]
fn texts_that_mean_nothing_are_empty() {
    let words = || vec!["N/A".to_owned(), "-".to_owned()];
    let rules = ["Email=email", "City=city", "Phone=phone"];
    case(&rules, "Email,City,Phone\na@example.com,N/A,-\n")
        .policy(|policy| policy.empty_values = words())
        .check(&[json!({ "email": "a@example.com" })]);
    case(&rules, "Email,City,Phone\na@example.com,n/a,-\n")
        .policy(|policy| policy.empty_values = words())
        .check(&[json!({ "email": "a@example.com", "city": "n/a" })]);
    case(&rules, "Email,City,Phone\na@example.com,n/a,-\n")
        .policy(|policy| {
            policy.empty_values = words();
            policy.empty_values_ignore_case = true;
        })
        .check(&[json!({ "email": "a@example.com" })]);
}

#[test]
fn strictness_rejects_what_would_be_left_out() {
    let strict = |rule: &str, value: &str| {
        let outcome = case(&["Email=email", rule], &format!("Email,X\na@example.com,{value}\n"))
            .policy(|policy| policy.strict = true)
            .run();
        outcome.rejection(1).code
    };
    for (rule, value, code) in [
        ("X=dateOfBirth", "03/04/1990", "R_DATE_INVALID"),
        ("X=country", "Narnia", "R_COUNTRY_UNKNOWN"),
        ("X=timezone", "Mars/Olympus", "R_TIMEZONE_UNKNOWN"),
        ("X=customFields.umsatz", "many", "R_NUMBER_INVALID"),
        ("X=city", "#N/A", "R_SPREADSHEET_ERROR"),
    ] {
        assert_eq!(strict(rule, value), code, "{rule}");
    }
}

#[test]
fn words_are_put_right_before_a_value_is_read() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Phone\"\nto = \"phone\"\nstrip_prefix = \"p:\"\n\
        [[column]]\nfrom = \"Stage\"\nto = \"tags\"\nprefix = \"stage-\"\nvalues = { \"1\" = \"New\", new = \"Old\", \"none\" = \"\" }\n\
        [[column]]\nfrom = \"Kind\"\nto = \"customFields.size\"\nvalues = { S = \"Small\" }\n";
    written(mapping, "Phone,Stage,Kind\np:+12025550143,1; 2,s\n+12025550144,None,Large\n").check(&[
        json!({ "phone": "+12025550143", "tags": ["stage-New", "stage-2"], "id_size": "Small" }),
        json!({ "phone": "+12025550144", "id_size": "Large" }),
    ]);
}

#[test]
fn joined_columns_make_one_value_without_the_empty_ones() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n\
        [[column]]\nfrom = [\"A\", \"B\"]\njoin = \", \"\nto = \"address1\"\n";
    written(
        mapping,
        "Email,A,B\na@example.com,1 Main St,Suite 2\nb@example.com,,Suite 2\nc@example.com,,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "address1": "1 Main St, Suite 2" }),
        json!({ "email": "b@example.com", "address1": "Suite 2" }),
        json!({ "email": "c@example.com" }),
    ]);
}

#[test]
fn joined_columns_get_their_prefix_together() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\nfrom = [\"A\", \"B\"]\n\
        join = \", \"\nto = \"note\"\nprefix = \"Visit: \"\nstrip_prefix = \"p:\"\n[[column]]\nfrom = \"City\"\nto = \"city\"\n";
    written(mapping, "Email,A,B,City\na@example.com,p: deck,2,\nb@example.com,,,\n").check(&[
        json!({ "email": "a@example.com", "notes": [{ "fields": { "body": "Visit: deck, 2" } }] }),
        json!({ "email": "b@example.com" }),
    ]);
}

#[test]
fn constants_fill_what_rows_leave_open_and_add_to_lists() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Phone\"\nto = \"phone\"\n[[column]]\nfrom = \"Tags\"\nto = \"tags\"\n\
        [[constant]]\nto = \"tags\"\nvalue = \"fair\"\n[[constant]]\nto = \"country\"\nvalue = \"GB\"\n\
        [[constant]]\nto = \"source\"\nvalue = \"spring fair\"\n";
    written(mapping, "Phone,Tags\n020 7946 0123,vip\n").check(&[json!({
        "phone": "+442079460123", "country": "GB", "source": "spring fair", "tags": ["vip", "fair"] })]);
}
