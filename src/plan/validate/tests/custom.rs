//! Custom fields and their types.

use super::*;

#[test]
fn values_take_the_form_of_their_field() {
    let rules = &[
        "Email=email",
        "T=customFields.text",
        "U=customFields.umsatz",
        "P=customFields.price",
        "S=customFields.since",
        "Size=customFields.size",
        "C=customFields.colors",
        "M=customFields.mobile",
    ];
    case(
        rules,
        "Email,T,U,P,S,Size,C,M\na@example.com,\"two\nlines\",12.5,\"$1,234.50\",2026-01-02,small,\"red; GREEN;red\",202 555 0143\n\
         b@example.com,,,,,\"medium, tall\",\"blue, dark\",\n",
    )
    .policy(|policy| policy.decimal = Some(DecimalSign::Point))
    .check(&[
        json!({ "email": "a@example.com", "id_text": "two\nlines", "id_umsatz": 12.5, "id_price": 1234.5,
            "id_since": "2026-01-02", "id_size": "Small", "id_colors": ["Red", "Green"], "id_mobile": "+12025550143" }),
        json!({ "email": "b@example.com", "id_size": "Medium, tall", "id_colors": ["Blue, dark"] }),
    ]);
}

#[test]
fn values_that_do_not_fit_are_left_out_and_named() {
    let outcome = case(
        &["Email=email", "U=customFields.umsatz", "S=customFields.since", "M=customFields.mobile"],
        "Email,U,S,M\na@example.com,many,soon,123\n",
    )
    .check(&[json!({ "email": "a@example.com" })]);
    assert_eq!(outcome.codes()[0], ["W_NUMBER_INVALID", "W_DATE_INVALID", "W_PHONE_INVALID"]);
}

#[test]
fn a_value_that_is_no_option_rejects_the_row_and_names_the_closest() {
    let mut sheet = case(
        &["Email=email", "Size=customFields.size", "C=customFields.colors"],
        "Email,Size,C\na@example.com,Smal,\nb@example.com,,\"Red;Grene\"\nc@example.com,?!,\n",
    );
    let outcome = sheet.check(&[
        json!("R_OPTION_UNKNOWN"),
        json!("R_OPTION_UNKNOWN"),
        json!("R_OPTION_UNKNOWN"),
    ]);
    assert_eq!(
        outcome.rejection(1).message,
        "`Smal` is not one of the field's options; the closest is `Small`"
    );
    for field in &mut sheet.directory.fields {
        field.custom_option = true;
    }
    sheet.check(&[
        json!({ "email": "a@example.com", "id_size": "Smal" }),
        json!({ "email": "b@example.com", "id_colors": ["Red", "Grene"] }),
        json!({ "email": "c@example.com", "id_size": "?!" }),
    ]);
}

#[test]
fn a_field_of_text_holds_what_a_converter_makes_as_text() {
    let value = |convert: &str, text: &str| {
        let outcome = case(
            &["Email=email", &format!("T=customFields.text:{convert}")],
            &format!("Email,T\na@example.com,\"{text}\"\n"),
        )
        .policy(|policy| policy.decimal = Some(DecimalSign::Point))
        .run();
        outcome.draft(1).custom["id_text"].clone()
    };
    for (convert, text, expected) in [
        ("text", "a\nb", "a\nb"),
        ("line", "a\nb", "a, b"),
        ("number", "1234.50", "1234.5"),
        ("money", "$12.00", "12"),
        ("date", "2 Jan 2026", "2026-01-02"),
        ("date_time", "2026-01-02T10:00:00+01:00", "2026-01-02T09:00:00Z"),
        ("boolean", "yes", "true"),
        ("country", "Germany", "DE"),
        ("phone", "202-555-0143", "+12025550143"),
        ("email", "a@example.com, b@example.com", "a@example.com; b@example.com"),
        ("list", "a, b", "a; b"),
    ] {
        assert_eq!(value(convert, text), expected, "{convert}");
    }
}

#[test]
fn a_spreadsheets_numbers_and_dates_need_no_reading() {
    case(
        &[
            "Email=email",
            "U=customFields.umsatz",
            "S=customFields.since",
            "T=customFields.text",
            "P=phone",
        ],
        "Email,U,S,T,P\na@example.com,x,x,x,x\n",
    )
    .cell(1, 1, SheetCell::Number(1234.5, "1234.5".to_owned()))
    .cell(1, 2, SheetCell::Date(jiff::civil::date(1990, 2, 3).at(10, 0, 0, 0)))
    .cell(1, 3, SheetCell::Number(2139.0, "02139".to_owned()))
    .cell(1, 4, SheetCell::Number(12_025_550_143.0, "12025550143".to_owned()))
    .check(&[json!({ "email": "a@example.com", "id_umsatz": 1234.5, "id_since": "1990-02-03",
        "id_text": "02139", "phone": "+12025550143" })]);
}

#[test]
fn fields_that_cannot_be_used_so_are_reported_with_the_line_of_the_mapping() {
    let problems = case(
        &[
            "Email=email",
            "A=customFields.contract",
            "B=customFields.since:number",
            "C=customFields.nothing_like_it",
            "D=customFields.umsatz:date",
        ],
        "Email,A,B,C,D\n",
    )
    .problems();
    assert_eq!(
        problems,
        [
            "line 5: `contract` is a field of type FILE_UPLOAD, which cannot be imported",
            "line 8: `since` is a field of type DATE, for which `convert = \"number\"` cannot be used",
            "line 12: the location has no custom field `nothing_like_it`",
            "line 15: `umsatz` is a field of type NUMERICAL, for which `convert = \"date\"` cannot be used",
        ]
    );
    assert_eq!(
        case(&["Email=email", "A=customFields.text", "B=customFields.id_text"], "Email,A,B\n")
            .problems(),
        ["`customFields.text` and `customFields.id_text` are the same field; keep one of them"]
    );
}

#[test]
fn the_field_that_rows_are_known_by_is_never_left_out() {
    let rules = &["Name=name", "Key=customFields.umsatz", "Old=customFields.text"];
    let csv = "Name,Key,Old\nAvery,12,\nBlake,many,\nCasey,,x\n";
    let by = |name: &str| {
        let key = crate::model::IdentityKey::Custom(name.to_owned());
        case(rules, csv).policy(|policy| policy.key = key)
    };
    by("umsatz").check(&[
        json!({ "name": "Avery", "id_umsatz": 12.0 }),
        json!("R_NUMBER_INVALID"),
        json!("R_NO_MATCH_KEY"),
    ]);
    assert_eq!(by("absent").problems(), ["`--key`: the location has no custom field `absent`"]);
}
