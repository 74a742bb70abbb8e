//! Do-not-disturb and consent.

use super::*;

#[test]
fn opt_outs_block_a_channel_and_missing_opt_ins_do_not() {
    let outcome = case(
        &[
            "Email=email",
            "Email Opt Out=dndSettings.Email",
            "Accepts Email Marketing=optIn",
            "Unsubscribed=dndSettings.Email",
        ],
        "Email,Email Opt Out,Accepts Email Marketing,Unsubscribed\nag1@example.com,true,,\n\
         ag2@example.com,false,yes,\nag3@example.com,,no,\nag4@example.com,,,Yes\nag5@example.com,true,yes,No\n",
    )
    .check(&[
        json!({ "email": "ag1@example.com", "channels": { "Email": true } }),
        json!({ "email": "ag2@example.com" }),
        json!({ "email": "ag3@example.com" }),
        json!({ "email": "ag4@example.com", "channels": { "Email": true } }),
        json!({ "email": "ag5@example.com", "channels": { "Email": true } }),
    ]);
    assert_eq!(
        outcome.codes(),
        [vec![], vec![], vec!["W_NOT_OPTED_IN"], vec![], vec!["W_CONSENT_CONFLICT"]]
    );
}

#[test]
fn an_opt_out_is_taken_back_only_by_its_own_kind_of_column_and_only_when_that_is_allowed() {
    let rules = &["Email=email", "Opt Out=dndSettings.SMS", "SMS consent=optIn"];
    let csv =
        "Email,Opt Out,SMS consent\na@example.com,no,\nb@example.com,,yes\nc@example.com,yes,yes\n";
    let blocked = json!({ "email": "c@example.com", "channels": { "SMS": true } });
    case(rules, csv).check(&[
        json!({ "email": "a@example.com" }),
        json!({ "email": "b@example.com" }),
        blocked.clone(),
    ]);
    let outcome = case(rules, csv).policy(|policy| policy.allow_resubscribe = true).check(&[
        json!({ "email": "a@example.com", "channels": { "SMS": false } }),
        json!({ "email": "b@example.com" }),
        blocked,
    ]);
    assert_eq!(outcome.codes()[2], ["W_CONSENT_CONFLICT"]);
}

#[test]
fn a_word_that_says_neither_yes_nor_no_rejects_the_row() {
    case(
        &["Email=email", "DND=dnd"],
        "Email,DND\np1@example.com,TRUE\np2@example.com,false\np8@example.com,\np9@example.com,x\n\
         p13@example.com,maybe\np14@example.com,N/A\np16@example.com,No.\n",
    )
    .check(&[
        json!({ "email": "p1@example.com", "dnd": true }),
        json!({ "email": "p2@example.com", "dnd": false }),
        json!({ "email": "p8@example.com" }),
        json!({ "email": "p9@example.com", "dnd": true }),
        json!("R_BOOLEAN_UNKNOWN"),
        json!("R_BOOLEAN_UNKNOWN"),
        json!("R_BOOLEAN_UNKNOWN"),
    ]);
    case(
        &["Email=email", "SMS=dndSettings.SMS"],
        "Email,SMS\na@example.com,maybe\nb@example.com,#N/A\n",
    )
    .check(&[json!("R_BOOLEAN_UNKNOWN"), json!("R_SPREADSHEET_ERROR")]);
}

#[test]
fn do_not_disturb_on_all_channels_contradicts_an_opt_in() {
    let outcome = case(
        &["Email=email", "DND=dnd", "Newsletter=optIn"],
        "Email,DND,Newsletter\na@example.com,yes,yes\n",
    )
    .check(&[json!({ "email": "a@example.com", "dnd": true })]);
    assert_eq!(outcome.codes()[0], ["W_CONSENT_CONFLICT"]);
}

#[test]
fn a_spreadsheets_booleans_are_consents() {
    case(&["Email=email", "DND=dnd", "SMS=dndSettings.SMS"], "Email,DND,SMS\na@example.com,x,x\n")
        .cell(1, 1, SheetCell::Bool(false))
        .cell(1, 2, SheetCell::Bool(true))
        .check(&[json!({ "email": "a@example.com", "dnd": false, "channels": { "SMS": true } })]);
}
