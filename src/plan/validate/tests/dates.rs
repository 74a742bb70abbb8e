//! Dates and the order that a column proves.

use super::*;

fn birthdays(csv: &str) -> Case {
    case(&["Email=email", "Birthday=dateOfBirth"], &format!("Email,Birthday\n{csv}"))
}

#[test]
fn a_column_that_proves_its_order_is_read_in_it() {
    let sheet = birthdays(
        "n1@example.com,25/12/1985\nn2@example.com,03/04/1990\nn3@example.com,13/01/2000\n",
    );
    let outcome = sheet.check(&[
        json!({ "email": "n1@example.com", "dateOfBirth": "1985-12-25" }),
        json!({ "email": "n2@example.com", "dateOfBirth": "1990-04-03" }),
        json!({ "email": "n3@example.com", "dateOfBirth": "2000-01-13" }),
    ]);
    let found = &outcome.findings[0];
    assert_eq!(
        (found.code.spelling(), found.place.column, found.field.as_str()),
        ("W_DATE_ORDER_INFERRED", Some(1), "Birthday")
    );
    assert!(
        found.message.contains("DMY") && found.message.contains("25/12/1985"),
        "{}",
        found.message
    );
}

#[test]
fn a_column_that_contradicts_itself_leaves_ambiguous_dates_out() {
    let csv = "m3@example.com,02/03/1990\nm4@example.com,25/12/1985\nm5@example.com,12/25/1985\n\
               m13@example.com,0/0/00\nm14@example.com,--02-03\n";
    let outcome = birthdays(csv).check(&[
        json!({ "email": "m3@example.com" }),
        json!({ "email": "m4@example.com", "dateOfBirth": "1985-12-25" }),
        json!({ "email": "m5@example.com", "dateOfBirth": "1985-12-25" }),
        json!({ "email": "m13@example.com" }),
        json!({ "email": "m14@example.com" }),
    ]);
    assert_eq!(outcome.codes()[0], ["W_DATE_AMBIGUOUS"]);
    assert_eq!(outcome.codes()[3], [""; 0]);
    assert_eq!(outcome.codes()[4], ["W_DATE_NO_YEAR"]);
    assert!(outcome.findings.is_empty());
}

#[test]
fn the_policys_order_goes_before_what_the_column_says() {
    let csv = "m3@example.com,02/03/1990\nm4@example.com,25/12/1985\n";
    let outcome =
        birthdays(csv).policy(|policy| policy.date_order = Some(DateOrder::Mdy)).check(&[
            json!({ "email": "m3@example.com", "dateOfBirth": "1990-02-03" }),
            json!({ "email": "m4@example.com" }),
        ]);
    assert_eq!(outcome.codes()[1], ["W_DATE_INVALID"]);
}

#[test]
fn nothing_is_surveyed_where_no_column_holds_dates() {
    let sheet = case(&["Email=email"], "Email\na@example.com\n");
    let plan =
        Mapping::parse(&sheet.mapping, "test").unwrap().bind_columns(&sheet.columns).unwrap();
    assert!(!ColumnScan::new(&plan, &sheet.directory, &sheet.policy).is_needed());
}

#[test]
fn a_spreadsheets_dates_count_by_value_and_its_numbers_as_serials() {
    let number = |number: f64| SheetCell::Number(number, number.to_string());
    let outcome = birthdays(
        "a@example.com,x\nb@example.com,x\nc@example.com,x\nd@example.com,x\ne@example.com,x\n",
    )
    .cell(1, 1, SheetCell::Date(jiff::civil::date(1990, 2, 3).at(0, 0, 0, 0)))
    .cell(2, 1, number(32_907.0))
    .cell(3, 1, number(1990.0))
    .cell(4, 1, SheetCell::Date(jiff::civil::date(2990, 2, 3).at(0, 0, 0, 0)))
    .cell(5, 1, SheetCell::Bool(true))
    .check(&[
        json!({ "email": "a@example.com", "dateOfBirth": "1990-02-03" }),
        json!({ "email": "b@example.com", "dateOfBirth": "1990-02-03" }),
        json!({ "email": "c@example.com" }),
        json!({ "email": "d@example.com" }),
        json!({ "email": "e@example.com" }),
    ]);
    let codes = outcome.codes();
    assert_eq!(codes[1], ["W_DATE_SERIAL"]);
    assert!(codes[2][0].starts_with("W_DATE_"), "{codes:?}");
    assert_eq!((codes[3][0], codes[4][0]), ("W_DATE_FUTURE", "W_DATE_INVALID"));
}

#[test]
fn serials_are_days_since_the_turn_of_the_century_before_last() {
    let due = |serial: f64| {
        let cell = SheetCell::Number(serial, serial.to_string());
        let outcome =
            case(&["Id=contactId", "T=task.title", "D=task.dueDate"], "Id,T,D\nc1,Call,x\n")
                .cell(1, 2, cell)
                .run();
        outcome.draft(1).tasks[0].fields["dueDate"].as_str().unwrap().to_owned()
    };
    assert_eq!(due(1.0), "1900-01-01T00:00:00Z");
    assert_eq!(due(59.0), "1900-02-28T00:00:00Z");
    assert_eq!(due(61.0), "1900-03-01T00:00:00Z");
    assert_eq!(due(46_023.5), "2026-01-01T12:00:00Z");
}

#[test]
fn times_without_zone_are_those_of_the_policy_or_the_location() {
    let due = |policy: Option<&str>, location: Option<&str>| {
        let mut sheet = case(
            &["Id=contactId", "T=task.title", "D=task.dueDate"],
            "Id,T,D\nc1,Call,2026-01-02 10:00\n",
        )
        .policy(|it| it.timezone = policy.map(str::to_owned));
        sheet.directory.timezone = location.map(str::to_owned);
        sheet.run().draft(1).tasks[0].fields["dueDate"].as_str().unwrap().to_owned()
    };
    assert_eq!(due(None, None), "2026-01-02T10:00:00Z");
    assert_eq!(due(None, Some("America/New_York")), "2026-01-02T15:00:00Z");
    assert_eq!(due(Some("Europe/Berlin"), Some("America/New_York")), "2026-01-02T09:00:00Z");
}

#[test]
fn a_date_in_several_columns_is_joined_before_it_is_read() {
    let mapping = "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\n\
                   from = [\"D\", \"M\", \"Y\"]\njoin = \"/\"\nto = \"dateOfBirth\"\n";
    written(
        mapping,
        "Email,D,M,Y\na@example.com,3,4,1990\nb@example.com,25,12,1985\nc@example.com,,,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "dateOfBirth": "1990-04-03" }),
        json!({ "email": "b@example.com", "dateOfBirth": "1985-12-25" }),
        json!({ "email": "c@example.com" }),
    ]);
}
