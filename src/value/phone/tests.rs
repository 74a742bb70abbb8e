//! Phone numbers as people write them.

use super::*;
use crate::value::parse_phones;

#[track_caller]
fn check(text: &str, country: &str, expected: &str, codes: &[&str]) {
    let read = parse_phone(text, Some(country)).unwrap();
    assert_eq!(read.value, expected, "{text}");
    assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
}

#[track_caller]
fn refuse(text: &str, country: Option<&str>, code: &str) {
    let error = parse_phone(text, country).unwrap_err();
    assert_eq!(error.code, code, "{text}: {error}");
}

#[test]
fn numbers_come_out_as_e164() {
    for (text, country, expected) in [
        ("+12025550143", "US", "+12025550143"),
        ("2025550143", "US", "+12025550143"),
        ("12025550143", "US", "+12025550143"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("202.555.0143", "us", "+12025550143"),
        ("202/555-0143", "US", "+12025550143"),
        ("+44 (0)20 7946 0123", "US", "+442079460123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+39 06 555 0101", "US", "+39065550101"),
        ("+33 1 99 00 12 34", "US", "+33199001234"),
        ("33199001234", "FR", "+33199001234"),
        ("030 23125042", "DE", "+493023125042"),
        ("8 800 555 35 35", "RU", "+78005553535"),
        ("(+44) 20 7946 0123", "US", "+442079460123"),
        ("p:+493023125042", "US", "+493023125042"),
        ("tel:+1-202-555-0143", "US", "+12025550143"),
        ("Tel. 202-555-0143", "US", "+12025550143"),
        ("Mobile: 2025550143", "US", "+12025550143"),
        ("'2025550144", "US", "+12025550144"),
        ("２０２５５５０１４３", "US", "+12025550143"),
        ("+٤٤٢٠٧٩٤٦٠١٢٣", "US", "+442079460123"),
        ("202\u{2011}555\u{2013}0143", "US", "+12025550143"),
        ("\u{202a}+1\u{a0}202\u{a0}555\u{a0}0143\u{202c}", "US", "+12025550143"),
    ] {
        check(text, country, expected, &[]);
    }
}

#[test]
fn what_was_done_to_a_number_is_named() {
    for (text, expected, code) in [
        ("+1 202 555 0143 ext. 9", "+12025550143", "W_PHONE_EXTENSION"),
        ("2025550143x12", "+12025550143", "W_PHONE_EXTENSION"),
        ("202-555-0143, Extension 1234", "+12025550143", "W_PHONE_EXTENSION"),
        ("tel:+12025550143;ext=9", "+12025550143", "W_PHONE_EXTENSION"),
        ("(202) 555-0143 #9", "+12025550143", "W_PHONE_EXTENSION"),
        ("+7 495 123-45-67 доб. 12", "+74951234567", "W_PHONE_EXTENSION"),
        ("00442079460123", "+442079460123", "W_PHONE_IDD_00"),
        ("00 44 20 7946 0123", "+442079460123", "W_PHONE_IDD_00"),
        ("011 44 20 7946 0123", "+442079460123", "W_PHONE_IDD_00"),
        ("1.2025550143E+10", "+12025550143", "W_PHONE_SCIENTIFIC"),
        ("1,2025550143e10", "+12025550143", "W_PHONE_SCIENTIFIC"),
        ("2025550145.0", "+12025550145", "W_PHONE_FLOAT"),
        ("12025550145,00", "+12025550145", "W_PHONE_FLOAT"),
        ("+1 123 456 7890", "+11234567890", "W_PHONE_UNUSUAL"),
    ] {
        check(text, "US", expected, &[code]);
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "123",
        "555-0143",
        "+1202555014",
        "(202) 555-014O",
        "none",
        "911",
        "N/A",
        "-",
        "",
        "2025550143 / 2025550144",
        "+12025550143+12025550144",
        "٠١٢٣٤٥٦٧٨٩",
        "-8045",
        "0",
        "0000000000",
        "+",
        "+1 555 0143",
        "+999123456789",
        "1-800-FLOWERS",
        "442079460123",
        "a@example.com",
        "+1234567890123456",
        "2025550143?",
        "x9",
        "+44",
        "00",
        "002025550143",
        "p:<test lead: dummy data for phone_number>",
        "#+12025550143#",
        "@2025550143",
    ] {
        refuse(text, Some("US"), "R_INVALID_PHONE");
    }
}

#[test]
fn a_number_that_lost_digits_is_never_made_up() {
    for text in [
        "1.55512E+10",
        "4.47912E+11",
        "1,20255501E+10",
        "2E+10",
        "1.5E+99999999999999",
        "1.20255501435E+10",
    ] {
        refuse(text, Some("US"), "R_PHONE_SCIENTIFIC");
    }
    let error = parse_phone("1.55512E+10", Some("US")).unwrap_err();
    assert!(error.message.contains("only 6 digits left of 11"), "{error}");
}

#[test]
fn a_spreadsheets_error_is_called_so() {
    refuse("#NAME?", Some("US"), "R_SPREADSHEET_ERROR");
}

#[test]
fn a_number_without_country_needs_a_default_one() {
    refuse("2025550143", None, "R_INVALID_PHONE");
    assert!(parse_phone("2025550143", None).unwrap_err().message.contains("--default-country"));
    assert_eq!(parse_phone("+12025550143", None).unwrap().value, "+12025550143");
    assert_eq!(parse_phone("00442079460123", None).unwrap().value, "+442079460123");
    refuse("2025550143", Some("nowhere"), "R_INVALID_PHONE");
}

#[track_caller]
fn several(text: &str, expected: &[&str], codes: &[&str]) {
    let read = parse_phones(text, Some("US"), None).unwrap();
    assert_eq!(read.value, expected, "{text}");
    assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
}

#[test]
fn several_numbers_in_a_cell_are_separated() {
    let both = &["+12025550143", "+12025550144"][..];
    for text in [
        "2025550143 / 2025550144",
        "2025550143/2025550144",
        "2025550143;2025550144",
        "2025550143, (202) 555-0144",
        "+12025550143|+12025550144",
        "+12025550143 ::: +12025550144",
        "+12025550143\n+12025550144",
        "+12025550143 +12025550144",
        "+1 202 555 0143 or 202-555-0144",
        "home: 2025550143; work: 2025550144;",
    ] {
        several(text, both, &[]);
    }
    several("2025550143; +1 202 555 0143", &["+12025550143"], &["W_DUPLICATE_VALUE"]);
    several("202/555-0143", &["+12025550143"], &[]);
    several("2025550143, ext. 9", &["+12025550143"], &["W_PHONE_EXTENSION"]);
    several("1,2025550143E+10", &["+12025550143"], &["W_PHONE_SCIENTIFIC"]);
    several("", &[], &[]);
    several(" ; ", &[], &[]);
}

#[test]
fn a_cell_with_one_bad_number_is_refused_as_a_whole() {
    for (text, code) in [
        ("2025550143; none", "R_INVALID_PHONE"),
        ("+12025550143+12025550144", "R_INVALID_PHONE"),
        ("1,20255501E+10", "R_PHONE_SCIENTIFIC"),
        ("none", "R_INVALID_PHONE"),
    ] {
        assert_eq!(parse_phones(text, Some("US"), None).unwrap_err().code, code, "{text}");
    }
}

#[test]
fn named_separators_are_the_only_ones() {
    let pipe = [String::from("|")];
    let read = parse_phones("+12025550143|2025550144", Some("US"), Some(&pipe)).unwrap();
    assert_eq!(read.value, ["+12025550143", "+12025550144"]);
    assert!(parse_phones("+12025550143;2025550144", Some("US"), Some(&pipe)).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
        if let Ok(read) = parse_phone(&text, Some("US")) {
            proptest::prop_assert!(read.value.len() <= 16 && read.value.starts_with('+'));
            proptest::prop_assert_eq!(parse_phone(&read.value, None).unwrap().value, read.value);
        }
        let _ = parse_phones(&text, None, None);
    }

    #[test]
    fn numeric_text_is_read_or_refused(text in "[0-9+(). /,;xE-]{0,24}") {
        for number in parse_phones(&text, Some("DE"), None).map(|read| read.value).unwrap_or_default() {
            proptest::prop_assert_eq!(parse_phone(&number, None).unwrap().value, number);
        }
    }
}
