//! A contact's own fields.

use super::*;

#[test]
fn names_and_addresses_are_put_where_they_go() {
    case(
        &["Name=name", "Email=email", "Notes=note", "Street=address1"],
        "Name,Email,Notes,Street\n\
         \"Sample, Avery \"\"Ace\"\"\",a1@example.com,\"line 1\nline 2\r\nline 3\",\"1 Main St\nSuite 2\"\n\
         Blake Test,a2@example.com,\"He said \"\"hi\"\", twice\",x\n",
    )
    .check(&[
        json!({ "name": "Sample, Avery \"Ace\"", "email": "a1@example.com",
            "notes": [{ "fields": { "body": "line 1\nline 2\r\nline 3" } }], "address1": "1 Main St, Suite 2" }),
        json!({ "name": "Blake Test", "email": "a2@example.com",
            "notes": [{ "fields": { "body": "He said \"hi\", twice" } }], "address1": "x" }),
    ]);
}

#[test]
fn a_whole_name_counts_only_without_its_parts_and_never_when_it_is_the_address() {
    case(
        &["First=firstName", "Last=lastName", "Name=name", "Email=email"],
        "First,Last,Name,Email\nAvery,,Avery Sample,a@example.com\n,,Blake Test,b@example.com\n\
         ,,C@example.com,c@example.com\n",
    )
    .check(&[
        json!({ "firstName": "Avery", "email": "a@example.com" }),
        json!({ "name": "Blake Test", "email": "b@example.com" }),
        json!({ "email": "c@example.com" }),
    ]);
}

#[test]
fn numbers_that_a_spreadsheet_spoiled_reject_their_row() {
    let outcome = case(
        &["Name=name", "Email=email", "Phone=phone"],
        "Name,Email,Phone\nA,j1@example.com,1.55512E+10\nB,j2@example.com,1.2025550143E+10\n\
         C,j3@example.com,12025550144\nD,j4@example.com,2025550145.0\nG,j7@example.com,#NAME?\n\
         H,j8@example.com,-8045\n",
    )
    .run();
    let shown: Vec<Json> = outcome.judged.iter().map(shown).collect();
    assert_eq!(shown[0], json!("R_PHONE_SCIENTIFIC"));
    assert_eq!(shown[1]["phone"], "+12025550143");
    assert_eq!(shown[3]["phone"], "+12025550145");
    assert_eq!(shown[4], json!("R_SPREADSHEET_ERROR"));
    assert_eq!(shown[5], json!("R_INVALID_PHONE"));
    assert_eq!(outcome.codes()[1], ["W_PHONE_SCIENTIFIC"]);
    assert_eq!(outcome.codes()[3], ["W_PHONE_FLOAT"]);
    assert_eq!(outcome.rejection(1).field, "Phone");
    assert_eq!(outcome.rejection(1).place.column, Some(2));
}

#[test]
fn a_row_can_be_kept_without_its_unusable_phone_number() {
    let outcome = case(
        &["Email=email", "Phone=phone"],
        "Email,Phone\na@example.com,123\n,123\nb@example.com,#REF!\n",
    )
    .policy(|policy| policy.on_invalid_phone = InvalidPhoneRule::Drop)
    .check(&[
        json!({ "email": "a@example.com" }),
        json!("R_NO_IDENTITY"),
        json!({ "email": "b@example.com" }),
    ]);
    assert_eq!(outcome.codes(), [["W_PHONE_INVALID"], ["W_PHONE_INVALID"], ["W_PHONE_INVALID"]]);
}

#[test]
fn phone_numbers_are_read_in_the_country_of_the_row_then_of_the_policy_then_of_the_location() {
    let rules = &["Phone=phone", "Country=country"];
    let csv = "Phone,Country\n020 7946 0123,United Kingdom\n202 555 0143,\n";
    let expected = |first| [json!({ "phone": "+442079460123", "country": "GB" }), first];
    case(rules, csv).check(&expected(json!({ "phone": "+12025550143" })));
    let german = "Phone,Country\n020 7946 0123,United Kingdom\n030 123456,\n";
    case(rules, german)
        .policy(|policy| policy.default_country = Some("DE".to_owned()))
        .check(&expected(json!({ "phone": "+4930123456" })));
}

#[test]
fn apostrophes_of_spreadsheets_go_and_those_of_names_stay() {
    let outcome = case(
        &["First=firstName", "Last=lastName", "Email=email", "Phone=phone", "Zip=postalCode", "Notes=note"],
        "First,Last,Email,Phone,Zip,Notes\nAnna,'t Hart,k1@example.com,'+12025550143,'02139,'=SUM(1)\n\
         Dana,Fict,k4@example.com,,,''=x\n",
    )
    .check(&[
        json!({ "firstName": "Anna", "lastName": "'t Hart", "email": "k1@example.com", "phone": "+12025550143",
            "postalCode": "02139", "notes": [{ "fields": { "body": "=SUM(1)" } }] }),
        json!({ "firstName": "Dana", "lastName": "Fict", "email": "k4@example.com",
            "notes": [{ "fields": { "body": "'=x" } }] }),
    ]);
    assert_eq!(outcome.codes()[0], vec!["W_APOSTROPHE_STRIPPED"; 3]);
}

#[test]
fn postal_codes_get_their_zeros_back_only_where_the_row_itself_names_the_country() {
    let outcome = case(
        &["Email=email", "Zip=postalCode", "Country=country"],
        "Email,Zip,Country\nl1@example.com,2139,US\nl3@example.com,2139,\nl4@example.com,1010,AT\n",
    )
    .check(&[
        json!({ "email": "l1@example.com", "postalCode": "02139", "country": "US" }),
        json!({ "email": "l3@example.com", "postalCode": "2139" }),
        json!({ "email": "l4@example.com", "postalCode": "1010", "country": "AT" }),
    ]);
    assert_eq!(outcome.codes(), [vec!["W_ZIP_PADDED"], vec!["W_ZIP_SUSPECT"], vec![]]);
}

#[test]
fn the_first_address_is_the_contacts_own_and_the_rest_is_reported() {
    let outcome = case(
        &["Email=email"],
        "Email\nq1@example.com; q1b@example.com\n\"\"\"Six, F\"\" <q6@example.com>\"\n\
         q8@example.com;q8@EXAMPLE.com;not-an-email\nq8@example.com;Q8@example.com\n",
    )
    .check(&[
        json!({ "email": "q1@example.com", "additional_emails": ["q1b@example.com"] }),
        json!({ "email": "q6@example.com" }),
        json!("R_INVALID_EMAIL"),
        json!({ "email": "q8@example.com" }),
    ]);
    assert_eq!(outcome.codes()[3], ["W_DUPLICATE_VALUE"]);
}

#[test]
fn other_addresses_and_numbers_step_in_where_the_row_has_no_own_and_no_id() {
    let rules = &[
        "Id=contactId",
        "Email=email",
        "Email 2=additionalEmails",
        "Phone=phone",
        "Home=additionalPhones",
    ];
    case(
        rules,
        "Id,Email,Email 2,Phone,Home\n,,b@example.com,,+12025550143\nc1,,b@example.com,,\n\
         ,a@example.com,A@example.com,+12025550143,+12025550143\n",
    )
    .check(&[
        json!({ "email": "b@example.com", "phone": "+12025550143" }),
        json!({ "contact": "c1", "additional_emails": ["b@example.com"] }),
        json!({ "email": "a@example.com", "phone": "+12025550143" }),
    ]);
}

#[test]
fn more_addresses_than_a_contact_has_reject_the_row() {
    let many: Vec<String> = (0..12).map(|n| format!("a{n}@example.com")).collect();
    let (eleven, twelve) = (many[..11].join(";"), many.join(";"));
    let outcome = case(&["Email=email"], &format!("Email\n{eleven}\n{twelve}\n")).run();
    assert_eq!(outcome.draft(1).additional_emails.len(), 10);
    assert_eq!(outcome.rejection(2).code, "R_TOO_MANY_VALUES");
}

#[test]
fn addresses_that_are_none_reject_their_row_and_directory_names_are_left_out() {
    let outcome = case(
        &["Name=name", "Email=email", "Phone=phone"],
        "Name,Email,Phone\nA,a@b,\nB,N/A,\nC,/o=ExchangeLabs/ou=x,+12025550143\n",
    )
    .check(&[
        json!("R_INVALID_EMAIL"),
        json!("R_INVALID_EMAIL"),
        json!({ "name": "C", "phone": "+12025550143" }),
    ]);
    assert_eq!(outcome.codes()[2], ["W_EMAIL_EXCHANGE_DN"]);
}

#[test]
fn contact_ids_are_letters_and_digits() {
    let outcome = case(
        &["Id=contactId", "First=firstName"],
        "Id,First\nTESTcontact000000001,Avery\nnot an id!,Casey\n../x,Dana\n,Eve\n",
    )
    .check(&[
        json!({ "contact": "TESTcontact000000001", "firstName": "Avery" }),
        json!("R_INVALID_CONTACT_ID"),
        json!("R_INVALID_CONTACT_ID"),
        json!("R_NO_MATCH_KEY"),
    ]);
    assert!(!outcome.children_only);
}

#[test]
fn a_row_without_anything_to_know_it_by_is_rejected_unless_names_are_enough() {
    let rules = &["Name=name", "Email=email", "City=city"];
    let csv = "Name,Email,City\nAvery,,\n,,Boston\n,,\n";
    case(rules, csv).check(&[
        json!("R_NO_MATCH_KEY"),
        json!("R_NO_IDENTITY"),
        json!("R_NO_IDENTITY"),
    ]);
    case(rules, csv).policy(|policy| policy.allow_name_only = true).check(&[
        json!({ "name": "Avery" }),
        json!("R_NO_IDENTITY"),
        json!("R_NO_IDENTITY"),
    ]);
}

#[test]
fn tags_come_once_each_in_the_case_in_which_they_came_first() {
    case(
        &["Email=email", "Tags=tags", "More=tags"],
        "Email,Tags,More\na@example.com,\"VIP,vip, VIP \",\"new; Vip\"\nb@example.com,a/b,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "tags": ["VIP", "new"] }),
        json!({ "email": "b@example.com", "tags": ["a/b"] }),
    ]);
}

#[test]
fn tags_take_the_place_of_others_where_the_rule_says_so() {
    let mapping = |blank: &str| {
        format!(
            "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\nfrom = \"Tags\"\nto = \"tags\"\n\
             tags = \"replace\"\n{blank}"
        )
    };
    let csv = "Email,Tags\na@example.com,new\nb@example.com,\n";
    let first = json!({ "email": "a@example.com", "tags": ["new"], "replaces_tags": true });
    written(&mapping(""), csv).check(&[first.clone(), json!({ "email": "b@example.com" })]);
    written(&mapping("blank = \"clear\"\n"), csv)
        .policy(|policy| policy.allow_clear = true)
        .check(&[first, json!({ "email": "b@example.com", "replaces_tags": true })]);
}

#[test]
fn leads_that_were_made_for_a_test_are_rejected() {
    case(
        &["Name=name", "Email=email"],
        "Name,Email\n<test lead: dummy data for full_name>,x@example.com\nTest,TEST@meta.com\nTest,test@fb.com\n\
         <b>Ann</b>,a@example.com\n",
    )
    .check(&[
        json!("R_TEST_LEAD"),
        json!("R_TEST_LEAD"),
        json!("R_TEST_LEAD"),
        json!({ "name": "<b>Ann</b>", "email": "a@example.com" }),
    ]);
}

#[test]
fn unknown_countries_and_time_zones_are_left_out() {
    let outcome = case(
        &["Email=email", "Country=country", "Zone=timezone"],
        "Email,Country,Zone\na@example.com,Narnia,Mars/Olympus\nb@example.com,Germany,Europe/Berlin\n",
    )
    .check(&[
        json!({ "email": "a@example.com" }),
        json!({ "email": "b@example.com", "country": "DE", "timezone": "Europe/Berlin" }),
    ]);
    assert_eq!(outcome.codes()[0], ["W_COUNTRY_UNKNOWN", "W_TIMEZONE_UNKNOWN"]);
    assert!(outcome.judged[0].warnings[0].message.ends_with("`country` is left out"));
}
