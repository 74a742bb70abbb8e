//! Text: what is removed, and what is rejected.

use super::*;

#[track_caller]
fn check(raw: &str, expected: &str, codes: &[&str]) {
    let read = clean_text(raw).unwrap();
    assert_eq!(read.value, expected, "{raw:?}");
    let found: Vec<_> = read.notices.iter().map(|notice| notice.code).collect();
    assert_eq!(found, codes, "{raw:?}");
}

#[test]
fn the_guard_of_spreadsheets_goes_and_the_apostrophes_of_names_stay() {
    for (raw, expected) in [
        ("'+12025550143", "+12025550143"),
        ("'02139", "02139"),
        ("'=SUM(1)", "=SUM(1)"),
        ("'2025550144", "2025550144"),
        ("'00501", "00501"),
        ("''=x", "'=x"),
        ("'''=x", "''=x"),
        ("'@handle", "@handle"),
        ("'-5", "-5"),
        ("'＝1+1", "＝1+1"),
        ("'\t=1", "\t=1"),
        ("' (202) 555-0143", " (202) 555-0143"),
        ("'2e-7", "2e-7"),
        ("''0139", "'0139"),
    ] {
        check(raw, expected, &["W_APOSTROPHE_STRIPPED"]);
    }
    for raw in [
        "'t Hart",
        "O'Brien",
        "'quoted' word",
        "'Ali",
        "'Okina",
        "'90s music fan",
        "'",
        "''",
        "''x",
        "'e5",
    ] {
        check(raw, raw, &[]);
    }
}

#[test]
fn outer_blanks_go_and_inner_ones_stay() {
    check("  a  b \r\n", "a  b", &[]);
    check("\t=1+1", "=1+1", &[]);
    check("\u{3000}山田\u{a0}", "山田", &[]);
    check("line 1\nline 2\r\nline 3", "line 1\nline 2\r\nline 3", &[]);
    check("", "", &[]);
    check("\u{a0}", "", &[]);
    check("10\u{a0}000\u{202f}€", "10 000 €", &[]);
}

#[test]
fn invisible_characters_are_removed_and_named() {
    check("\u{feff}Ann", "Ann", &["W_INVISIBLE_CHARACTER"]);
    check("a\u{200b}b@x.com", "ab@x.com", &["W_INVISIBLE_CHARACTER"]);
    check("ab\u{200d}c", "abc", &["W_INVISIBLE_CHARACTER"]);
    check("soft\u{ad}ware", "software", &["W_INVISIBLE_CHARACTER"]);
    check("\u{202d}+12025550143\u{202c}", "+12025550143", &["W_BIDI_CONTROL"]);
    check("abc\u{202e}fdp.exe", "abcfdp.exe", &["W_BIDI_CONTROL"]);
}

#[test]
fn joiners_stay_where_letters_and_emoji_need_them() {
    check("👩\u{200d}🔬", "👩\u{200d}🔬", &[]);
    check("می\u{200c}خواهم", "می\u{200c}خواهم", &[]);
    check("ภาษา\u{200b}ไทย", "ภาษา\u{200b}ไทย", &[]);
}

#[test]
fn letters_are_composed() {
    check("Zoe\u{308} M\u{fc}ller", "Zoë Müller", &[]);
}

#[test]
fn control_characters_are_refused() {
    for raw in ["a\0b", "\u{1b}[31mred", "a\u{b}b", "a\u{7f}", "caf\u{82}", "\u{85}x"] {
        assert_eq!(clean_text(raw).unwrap_err().code, "R_CONTROL_CHARACTER", "{raw:?}");
    }
    assert!(!clean_text("\u{1b}[31m").unwrap_err().message.contains('\u{1b}'));
}

#[test]
fn a_wrongly_decoded_text_is_reported_and_left_alone() {
    for raw in [
        "ZoÃ« MÃ¼ller",
        "itâ€™s",
        "cafÃ©",
        "Â£5",
        "ðŸ˜€",
        "ÐœÐ¾Ñ‚",
        "Ã\u{a0} bientÃ´t",
        "M\u{fffd}ller",
        "Å¡koda",
    ] {
        check(raw, raw, &["W_MOJIBAKE"]);
    }
    for raw in [
        "Zoë",
        "GRÖSSE",
        "SÃO PAULO",
        "Ångström",
        "„JÄ“",
        "20 °C",
        "l’été",
        "Ærø",
        "Ðorđe",
        "Íñigo",
        "Â",
        "château",
    ] {
        check(raw, raw, &[]);
    }
}

#[test]
fn line_breaks_become_commas_on_one_line() {
    for (text, expected) in [
        ("1 Main St\nSuite 2", "1 Main St, Suite 2"),
        ("1 Main St,\r\nSuite 2", "1 Main St, Suite 2"),
        ("a\n\n\nb\n", "a, b"),
        ("a\u{2028}b", "a, b"),
        ("plain", "plain"),
        ("", ""),
    ] {
        assert_eq!(to_single_line(text), expected);
    }
}

proptest::proptest! {
    #[test]
    fn cleaning_twice_changes_nothing_more(raw in "[^'\\p{C}]{0,30}") {
        if let Ok(once) = clean_text(&raw) {
            let twice = clean_text(&once.value).unwrap();
            proptest::prop_assert_eq!(twice.value, once.value);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(raw in ".{0,60}") {
        let _ = clean_text(&raw);
        let _ = to_single_line(&raw);
    }
}
