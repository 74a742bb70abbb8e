//! E-mail addresses as people write them.

use super::*;

#[track_caller]
fn check(text: &str, expected: &[&str], codes: &[&str]) {
    let read = parse_emails(text, None).unwrap();
    assert_eq!(read.value, expected, "{text}");
    assert_eq!(read.notices.iter().map(|n| n.code).collect::<Vec<_>>(), codes, "{text}");
}

#[test]
fn one_address_is_read_however_it_is_dressed() {
    for (text, expected) in [
        ("ann@example.com", "ann@example.com"),
        ("Ann@Example.com", "Ann@Example.com"),
        ("ann+tag@example.com", "ann+tag@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("\"Six, F\" <q6@example.com>", "q6@example.com"),
        ("Six, F <q6@example.com>", "q6@example.com"),
        ("Ann Sample <ann@example.com>", "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("mailto:q7@example.com", "q7@example.com"),
        ("MAILTO:q7@example.com?subject=Hi", "q7@example.com"),
        ("SMTP:ann@example.com", "ann@example.com"),
        ("ok@example.com,", "ok@example.com"),
        ("ok@example.com;", "ok@example.com"),
        (" trailing@example.com ", "trailing@example.com"),
        ("a@xn--exmple-cua.com", "a@xn--exmple-cua.com"),
        ("a_b-c.d@sub.domain.example", "a_b-c.d@sub.domain.example"),
    ] {
        check(text, &[expected], &[]);
    }
    check("", &[], &[]);
}

#[test]
fn several_addresses_in_a_cell_are_separated() {
    for text in [
        "q1@example.com; q2@example.com",
        "q1@example.com, q2@example.com",
        "q1@example.com ::: q2@example.com",
        "q1@example.com / q2@example.com",
        "q1@example.com/q2@example.com",
        "q1@example.com\nq2@example.com",
        "q1@example.com\r\nq2@example.com",
        "q1@example.com q2@example.com",
        "q1@example.com|q2@example.com",
        "\"One, Q\" <q1@example.com>, \"Two, Q\" <q2@example.com>",
        "Q One <q1@example.com> Q Two <q2@example.com>",
        "q1@example.com; mailto:q2@example.com",
    ] {
        check(text, &["q1@example.com", "q2@example.com"], &["W_MULTI_EMAIL"]);
    }
}

#[test]
fn an_address_counts_once_whatever_its_case() {
    check("q8@example.com;q8@EXAMPLE.com", &["q8@example.com"], &["W_DUPLICATE_VALUE"]);
}

#[test]
fn valid_but_unusual_addresses_are_kept_and_named() {
    for text in [
        "\"quoted local\"@example.com",
        "üñïcode@exämple.com",
        "ann@例え.jp",
        "\"a,b\"@example.com",
    ] {
        check(text, &[text], &["W_EMAIL_UNUSUAL"]);
    }
}

#[test]
fn names_of_an_exchange_directory_are_left_out() {
    let name = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=test-colleague";
    check(name, &[], &["W_EMAIL_EXCHANGE_DN"]);
    check("IMCEAEX-_O=A_OU=B@example.com", &[], &["W_EMAIL_EXCHANGE_DN"]);
    check(&format!("{name};a@example.com"), &["a@example.com"], &["W_EMAIL_EXCHANGE_DN"]);
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "plainaddress",
        "@no-local.example",
        "a@b",
        "a@-bad-.example",
        "a b@example.com",
        "a@example..com",
        "a@example.com.",
        "N/A",
        "none@none",
        "a@localhost",
        "-",
        "none",
        "q8@example.com;q8@EXAMPLE.com;not-an-email",
        "a@@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a@exam_ple.com",
        "a@1.2.3.4",
        "a@[1.2.3.4]",
        "a@example.c",
        "Inc.",
        "a@example.com b",
        "<>",
        "Name <>",
        "mailto:",
        "a\u{2019}b c@example.com",
        "\"a@example.com",
        "a(b)@example.com",
        "not-an-email; John <j@example.com>",
    ] {
        assert_eq!(parse_emails(text, None).unwrap_err().code, "R_INVALID_EMAIL", "{text}");
    }
    let long = format!("{}@example.com", "a".repeat(65));
    assert_eq!(parse_emails(&long, None).unwrap_err().code, "R_INVALID_EMAIL");
    assert_eq!(parse_emails("#REF!", None).unwrap_err().code, "R_SPREADSHEET_ERROR");
}

#[test]
fn named_separators_are_the_only_ones() {
    let pipe = [String::from("|")];
    let read = parse_emails("a@example.com|b@example.com", Some(&pipe)).unwrap();
    assert_eq!(read.value, ["a@example.com", "b@example.com"]);
    assert!(parse_emails("a@example.com;b@example.com", Some(&pipe)).is_err());
}

#[test]
fn a_huge_cell_takes_no_huge_time() {
    assert!(parse_emails(&"x, ".repeat(300_000), None).is_err());
    assert!(parse_emails(&"\"".repeat(300_000), None).is_err());
    assert!(parse_emails(&"a <".repeat(300_000), None).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z@.,;<>\" /\\\\é|]{0,40}|\\PC{0,40}") {
        for address in parse_emails(&text, None).map(|read| read.value).unwrap_or_default() {
            proptest::prop_assert!(address::check_address(&address).is_ok());
        }
    }
}
