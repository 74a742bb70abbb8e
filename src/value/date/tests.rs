//! Dates as people write them.

use jiff::civil::date as day;

use super::*;
use crate::choice::Choice as _;

const TODAY: Date = day(2026, 6, 15);

fn birth(
    text: &str,
    order: Option<DateOrder>,
    locale: Option<&str>,
) -> Result<Option<Date>, &'static str> {
    parse_birthday(text, order, locale, TODAY)
        .map(|read| read.value)
        .map_err(|error| error.code.spelling())
}

#[test]
fn birthdays_are_read_in_many_spellings() {
    for text in [
        "1990-02-03",
        "1990/02/03",
        "1990.02.03",
        "1990_02_03",
        "1990-2-3",
        "3-Feb-1990",
        "Feb 3, 1990",
        "19900203",
        "1990-02-03T23:30:00.000Z",
        "1990-02-03 23:30",
        "3 Feb 1990",
        "3. February 1990",
        "February 3rd, 1990",
        "Sat, 3 Feb 1990",
        "Saturday, February 3, 1990",
        "1990-Feb-03",
        "3rd of February 1990",
        "Sat Feb 03 1990 00:00:00 GMT+0100 (CET)",
        "Feb 3 1990 02:09 PM",
        "1990年2月3日",
        "1990년 2월 3일",
        "１９９０-02-03",
        "3-FEB-90",
    ] {
        assert_eq!(birth(text, None, None), Ok(Some(day(1990, 2, 3))), "{text}");
    }
    for text in [
        "25/12/1985",
        "12/25/1985",
        "25.12.1985",
        "25-12-1985",
        "25. 12. 1985",
        "12-25-1985 10:00",
        "25121985",
    ] {
        assert_eq!(birth(text, None, None), Ok(Some(day(1985, 12, 25))), "{text}");
    }
    assert_eq!(birth("03/03/1990", None, None), Ok(Some(day(1990, 3, 3))));
}

#[test]
fn day_and_month_are_never_guessed() {
    for text in
        ["02/03/1990", "03.02.1990", "2/3/90", "02-03-1990", "02031990", "3/20/20", "3-Feb-20"]
    {
        assert_eq!(birth(text, None, None), Err("W_DATE_AMBIGUOUS"), "{text}");
    }
}

#[test]
fn an_order_decides_and_what_contradicts_it_is_invalid() {
    let (dmy, mdy) = (Some(DateOrder::Dmy), Some(DateOrder::Mdy));
    assert_eq!(birth("02/03/1990", mdy, None), Ok(Some(day(1990, 2, 3))));
    assert_eq!(birth("02/03/1990", dmy, None), Ok(Some(day(1990, 3, 2))));
    assert_eq!(birth("03.02.1990", dmy, None), Ok(Some(day(1990, 2, 3))));
    assert_eq!(birth("25/12/1985", mdy, None), Err("W_DATE_INVALID"));
    assert_eq!(birth("12/25/1985", dmy, None), Err("W_DATE_INVALID"));
    assert_eq!(birth("02/03/1990", Some(DateOrder::Ymd), None), Err("W_DATE_INVALID"));
    assert_eq!(birth("1990-02-03", dmy, None), Ok(Some(day(1990, 2, 3))));
    assert_eq!(birth("2/3/90", mdy, None), Ok(Some(day(1990, 2, 3))));
    assert_eq!(birth("90/2/3", None, None), Ok(Some(day(1990, 2, 3))));
}

#[test]
fn fillers_mean_no_date() {
    for text in [
        "",
        " ",
        "0/0/00",
        "00/00/0000",
        "0000-00-00",
        "00.00.0000",
        "0000-00-00 00:00:00",
        "1/0/1900",
        "1900-01-00",
        "00/01/1900",
        "0001-01-01T00:00:00",
        "1/1/0001 12:00:00 AM",
        "12/30/1899",
        "00000000",
    ] {
        assert_eq!(birth(text, None, None), Ok(None), "{text}");
    }
}

#[test]
fn what_cannot_be_a_birthday_says_why() {
    for (text, code) in [
        ("1990-02-30", "W_DATE_INVALID"),
        ("31/31/2000", "W_DATE_INVALID"),
        ("30/02/1990", "W_DATE_INVALID"),
        ("--09-01", "W_DATE_NO_YEAR"),
        ("--0901", "W_DATE_INVALID"),
        ("02/03", "W_DATE_NO_YEAR"),
        ("3 Feb", "W_DATE_NO_YEAR"),
        ("1604-06-12", "W_DATE_NO_YEAR"),
        ("2999-01-01", "W_DATE_FUTURE"),
        ("2026-06-16", "W_DATE_FUTURE"),
        ("1900-01-01", "W_DATE_INVALID"),
        ("1850-01-01", "W_DATE_INVALID"),
        ("32907", "W_DATE_SERIAL"),
        ("1990", "W_DATE_INVALID"),
        ("1234567890", "W_DATE_INVALID"),
        ("Feb 1990", "W_DATE_INVALID"),
        ("02/1990", "W_DATE_INVALID"),
        ("1990-02/03", "W_DATE_INVALID"),
        ("1990-02-03-04", "W_DATE_INVALID"),
        ("190-02-03", "W_DATE_INVALID"),
        ("1990-02-03 later", "W_DATE_INVALID"),
        ("1990-02-03 25:00", "W_DATE_INVALID"),
        ("yesterday", "W_DATE_INVALID"),
        ("N/A", "W_DATE_INVALID"),
        ("-", "W_DATE_INVALID"),
        ("--", "W_DATE_INVALID"),
        ("99999-01-01", "W_DATE_INVALID"),
        ("Feb Mar 1990", "W_DATE_INVALID"),
    ] {
        assert_eq!(birth(text, None, None), Err(code), "{text}");
    }
    assert_eq!(birth("2026-06-15", None, None), Ok(Some(TODAY)));
}

#[test]
fn months_are_known_in_the_language_that_was_named() {
    for (text, locale) in [
        ("3 février 1990", "fr"),
        ("3 fevr. 1990", "fr"),
        ("3. Februar 1990", "de"),
        ("3 de febrero de 1990", "es"),
        ("3 febbraio 1990", "it"),
        ("3 de fevereiro de 1990", "pt"),
        ("3 februari 1990", "nl"),
        ("samedi 3 février 1990", "fr-FR"),
        ("Feb 3, 1990", "fr"),
    ] {
        assert_eq!(birth(text, None, Some(locale)), Ok(Some(day(1990, 2, 3))), "{text}");
    }
    for (text, locale, month) in [
        ("1 août 1990", "fr", 8),
        ("1 juil. 1990", "fr", 7),
        ("1er mai 1990", "fr", 5),
        ("1. März 1990", "de", 3),
        ("1. Maerz 1990", "de", 3),
        ("1. Mrz 1990", "de", 3),
        ("1 ene 1990", "es", 1),
        ("1º de março de 1990", "pt", 3),
        ("1 mrt 1990", "nl", 3),
        ("1 ott 1990", "it", 10),
        ("1. Jänner 1990", "de", 1),
        ("1 sept 1990", "fr", 9),
    ] {
        assert_eq!(birth(text, None, Some(locale)), Ok(Some(day(1990, month, 1))), "{text}");
    }
    assert_eq!(birth("3 février 1990", None, None), Err("W_DATE_INVALID"));
    let error = parse_date_of_birth("3 février 1990", None, None).unwrap_err();
    assert!(error.message.contains("--date-locale fr"), "{error}");
    assert_eq!(birth("1 jui 1990", None, Some("fr")), Err("W_DATE_INVALID"));
}

#[test]
fn a_year_of_two_digits_is_completed_and_named() {
    let read = parse_birthday("25/12/85", None, None, TODAY).unwrap();
    assert_eq!(read.value, Some(day(1985, 12, 25)));
    assert_eq!(read.notices[0].code, "W_DATE_AMBIGUOUS");
    assert_eq!(birth("7-Feb-10", None, None), Ok(Some(day(2010, 2, 7))));
    assert_eq!(birth("7-Feb-30", None, None), Ok(Some(day(1930, 2, 7))));

    let (shape, _) = parse_day_and_time("7-Feb-22", None).unwrap();
    let read =
        resolve_date::resolve_shape("7-Feb-22", &shape, None, CenturyWindow::AroundToday(TODAY))
            .unwrap();
    assert_eq!(read.value, Some(day(2022, 2, 7)));
}

#[test]
fn other_dates_may_lie_in_the_future() {
    assert_eq!(parse_date("2999-01-01", None, None).unwrap().value, Some(day(2999, 1, 1)));
    assert_eq!(parse_date("1850-01-01", None, None).unwrap().value, Some(day(1850, 1, 1)));
}

#[test]
fn orders_have_names() {
    for order in [DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd] {
        assert_eq!(DateOrder::from_word(&order.to_string()), Some(order));
    }
    assert_eq!(DateOrder::from_word("dmy"), Some(DateOrder::Dmy));
    assert_eq!(DateOrder::from_word("DYM"), None);
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9/. :TZ+a-z-]{0,20}|\\PC{0,30}") {
        let _ = parse_date(&text, None, Some("fr"));
        let _ = parse_date_of_birth(&text, Some(DateOrder::Dmy), None);
    }

    #[test]
    fn every_day_is_read_back(year in 1901_i16..2026, month in 1_i8..=12, d in 1_i8..=28) {
        let expected = day(year, month, d);
        proptest::prop_assert_eq!(birth(&expected.to_string(), None, None), Ok(Some(expected)));
        let german = format!("{d:02}.{month:02}.{year}");
        proptest::prop_assert_eq!(birth(&german, Some(DateOrder::Dmy), None), Ok(Some(expected)));
        let american = format!("{month}/{d}/{year}");
        proptest::prop_assert_eq!(birth(&american, Some(DateOrder::Mdy), None), Ok(Some(expected)));
    }
}
