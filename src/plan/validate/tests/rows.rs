//! Rules that do not apply to every row alike.

use super::*;

fn rule(text: &str) -> String {
    format!("\n[[column]]\n{text}\n")
}

#[test]
fn a_rule_says_nothing_of_rows_that_fail_its_condition_not_even_that_they_are_blank() {
    let mapping = "format = 1\n".to_owned()
        + &rule("from = \"Email\"\nto = \"email\"")
        + &rule(
            "from = \"Text\"\nto = \"city\"\nblank = \"error\"\nwhen = { column = \"Type\", is = [\"Town\"] }",
        )
        + &rule("from = \"Text\"\nto = \"note\"\nwhen = { column = \"Type\", not = [\"town\"] }");
    let csv =
        "Email,Type,Text\na@x.com, TOWN ,Rome\nb@x.com,note,hello\nc@x.com,note,\nd@x.com,town,\n";
    written(&mapping, csv).check(&[
        json!({ "email": "a@x.com", "city": "Rome" }),
        json!({ "email": "b@x.com", "notes": [{ "fields": { "body": "hello" } }] }),
        json!({ "email": "c@x.com" }),
        json!("R_BLANK"),
    ]);
}

#[test]
fn a_fallback_is_taken_where_nothing_else_was_found() {
    let mapping = "format = 1\n".to_owned()
        + &rule("from = \"Email\"\nto = \"email\"")
        + &rule("from = \"Company\"\nto = \"companyName\"")
        + &rule("from = \"Associated\"\nto = \"companyName\"\nfallback = true")
        + &rule("from = \"Born\"\nto = \"customFields.since\"")
        + &rule("from = \"Since\"\nto = \"customFields.since\"\nfallback = true");
    let csv = "Email,Company,Associated,Born,Since\na@x.com,One,Two,soon,2026-01-02\nb@x.com,,Two,2025-01-02,2026-01-02\n";
    written(&mapping, csv).check(&[
        json!({ "email": "a@x.com", "companyName": "One", "id_since": "2026-01-02" }),
        json!({ "email": "b@x.com", "companyName": "Two", "id_since": "2025-01-02" }),
    ]);
}

#[test]
fn a_template_leaves_out_what_is_empty() {
    let mapping = "format = 1\n".to_owned()
        + &rule("from = \"Email\"\nto = \"email\"")
        + &rule(
            "from = [\"What\", \"[C]\", \"Long\"]\nto = \"note\"\ntemplate = \"Call: {What}[ with {[C]}][, {Long} min]\"",
        );
    let csv = "Email,What,Who,Long\na@x.com,Offer,Ann,5\nb@x.com,Offer,,\nc@x.com,,,\n";
    written(&mapping, csv).check(&[
        json!({ "email": "a@x.com", "notes": [{ "fields": { "body": "Call: Offer with Ann, 5 min" } }] }),
        json!({ "email": "b@x.com", "notes": [{ "fields": { "body": "Call: Offer" } }] }),
        json!("R_NOTE_EMPTY"),
    ]);
}

#[test]
fn a_cell_of_several_targets_is_parted() {
    let part = |to: &str, number: u32| {
        rule(&format!("from = \"A\"\nto = \"{to}\"\nsplit = [\"  \"]\npart = \"{number} of 3\""))
    };
    let mapping = "format = 1\n".to_owned()
        + &rule("from = \"Email\"\nto = \"email\"")
        + &part("address1", 1)
        + &part("city", 2)
        + &part("state", 3);
    let csv = "Email,A\na@x.com,1 Main St  Boston  MA\nb@x.com,1 Main St  Apt 2  Boston  MA\nc@x.com,Boston\n";
    written(&mapping, csv).check(&[
        json!({ "email": "a@x.com", "address1": "1 Main St", "city": "Boston", "state": "MA" }),
        json!({ "email": "b@x.com", "address1": "1 Main St, Apt 2", "city": "Boston", "state": "MA" }),
        json!({ "email": "c@x.com", "address1": "Boston" }),
    ]);
}

#[test]
fn rows_name_their_custom_field_and_names_that_no_field_has_are_reported() {
    let mapping = "format = 1\n".to_owned()
        + &rule("from = \"Email\"\nto = \"email\"")
        + &rule("from = \"V\"\nto = \"customFields.*\"\nnamed_by = \"L\"");
    let csv =
        "Email,L,V\na@x.com,Umsatz,12\nb@x.com,TEXT,12\nc@x.com,Shoe size,38\nd@x.com,Shoe size,\n";
    let outcome = written(&mapping, csv).check(&[
        json!({ "email": "a@x.com", "id_umsatz": 12.0 }),
        json!({ "email": "b@x.com", "id_text": "12" }),
        json!({ "email": "c@x.com" }),
        json!({ "email": "d@x.com" }),
    ]);
    let none: [&str; 0] = [];
    assert_eq!(outcome.codes()[2], ["W_CUSTOM_FIELD_UNKNOWN"]);
    assert_eq!(outcome.codes()[3], none);
}

#[test]
fn the_usual_order_of_dates_is_taken_only_where_the_column_proves_none() {
    let with = |csv: &str| {
        case(&["Email=email", "Born=dateOfBirth"], csv)
            .policy(|policy| policy.usual_date_order = Some(DateOrder::Mdy))
    };
    with("Email,Born\na@x.com,3/4/1990\n")
        .check(&[json!({ "email": "a@x.com", "dateOfBirth": "1990-03-04" })]);
    with("Email,Born\na@x.com,3/4/1990\nb@x.com,25/12/1985\n").check(&[
        json!({ "email": "a@x.com", "dateOfBirth": "1990-04-03" }),
        json!({ "email": "b@x.com", "dateOfBirth": "1985-12-25" }),
    ]);
    // Two orders are proved, so the order of the other dates is unknown.
    with("Email,Born\na@x.com,3/4/1990\nb@x.com,25/12/1985\nc@x.com,12/25/1985\n").check(&[
        json!({ "email": "a@x.com" }),
        json!({ "email": "b@x.com", "dateOfBirth": "1985-12-25" }),
        json!({ "email": "c@x.com", "dateOfBirth": "1985-12-25" }),
    ]);
}
