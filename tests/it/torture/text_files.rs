//! More damaged text files, made for their tests.

use std::fmt::Write as _;

use super::location;
use crate::world::World;

const PEOPLE: &str =
    "Name,Email,Company\nZoë Müller,zoe@example.org,Grüße AG\nÁron Kovács,aron@example.org,Árvíz\n";

/// The world after the import of a file was planned.
#[track_caller]
fn planned(bytes: impl AsRef<[u8]>, options: &str, code: i32) -> World {
    let world = location();
    world.try_bytes("in.csv", bytes, options).exits(code);
    world
}

/// Asserts that a file is refused as a whole, with this code, and nothing asked or sent.
#[track_caller]
fn refused(name: &str, bytes: impl AsRef<[u8]>, code: &str) {
    let world = location();
    world.try_bytes(name, bytes, "").exits(4).says(&format!("({code})")).says("nothing was sent");
    world.is_untouched();
}

/// The values of a field, row by row; of a rejected row its code.
fn column(world: &World, field: &str) -> Vec<String> {
    let cell = |row| match world.verdict(row) {
        (action, code) if action == "rejected" => code,
        _ => world.value(row, field).unwrap_or_default(),
    };
    (1..=world.count()).map(cell).collect()
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text);
    assert!(!lost, "{label} has no such letters");
    bytes.into_owned()
}

#[test]
fn utf16_without_a_mark_is_read_with_a_warning() {
    type Bytes = fn(u16) -> [u8; 2];
    for (bytes, name) in [(u16::to_be_bytes as Bytes, "utf-16be"), (u16::to_le_bytes, "utf-16le")] {
        let wide: Vec<u8> = PEOPLE.encode_utf16().flat_map(bytes).collect();
        let world = planned(wide, "", 0);
        assert_eq!(column(&world, "name"), ["Zoë Müller", "Áron Kovács"]);
        let told = world.warned();
        assert_eq!(told[0].1, "W_ENCODING_GUESSED");
        assert!(told[0].2.contains(name), "{told:?}");
    }
}

#[test]
fn an_encoding_that_was_named_is_used() {
    let cases = [
        ("shift_jis", "山田太郎", "東京ソ表"),
        ("macintosh", "Zoë Müller", "Málaga"),
        ("iso-8859-2", "Łukasz Żak", "Łódź"),
        ("windows-1251", "Иван Петров", "Москва"),
        ("gb18030", "王小明", "北京"),
    ];
    for (label, name, company) in cases {
        let bytes =
            encoded(&format!("Name,Email,Company\n{name},a@example.org,{company}\n"), label);
        let world = planned(bytes, &format!("--encoding {label}"), 0);
        assert_eq!(world.value(1, "name").as_deref(), Some(name), "{label}");
        assert_eq!(world.value(1, "companyName").as_deref(), Some(company), "{label}");
        assert_eq!(world.warned(), [], "{label}");
    }
}

#[test]
fn a_guessed_encoding_is_reported() {
    let world = planned(encoded(PEOPLE.split("Áron").next().unwrap(), "macintosh"), "", 0);
    assert_eq!(world.warned_rows("W_ENCODING_GUESSED"), [0]);
    assert!(world.warned()[0].2.contains("--encoding"));
}

#[test]
fn an_encoding_that_does_not_exist_is_refused() {
    location().try_bytes("in.csv", PEOPLE, "--encoding klingon").exits(4).says("`klingon`");
}

#[test]
fn text_that_was_decoded_wrongly_before_is_kept_with_a_warning() {
    let world = planned("Name,Email\nZoÃ« MÃ¼ller,z@example.org\nPlain,p@example.org\n", "", 0);
    assert_eq!(world.value(1, "name").as_deref(), Some("ZoÃ« MÃ¼ller"));
    assert_eq!(world.warned_rows("W_MOJIBAKE"), [1]);
}

#[test]
fn lines_may_end_in_any_way_even_mixed() {
    for ends in [["\r", "\r"], ["\r\n", "\n"], ["\r", "\r\n"]] {
        let text = format!(
            "Name,Email{}A One,a1@example.com{}B Two,b2@example.com{}",
            ends[0], ends[1], ends[0]
        );
        assert_eq!(column(&planned(text, "", 0), "name"), ["A One", "B Two"], "{ends:?}");
    }
}

#[test]
fn a_line_that_names_the_delimiter_is_obeyed() {
    let world = planned("sep=|\nName|Email|City\nA One|a1@example.com|Rome, IT\n", "", 0);
    assert_eq!(world.value(1, "city").as_deref(), Some("Rome, IT"));
    assert_eq!(world.planned(1)[0]["line"], "3");
}

#[test]
fn tabs_win_over_commas_in_the_cells() {
    let world = planned(
        "Name\tEmail\tCompany\nA One\ta1@example.com\tAcme, Inc., LLC\nB\tb2@example.com\tA, B, C\n",
        "",
        0,
    );
    assert_eq!(column(&world, "companyName"), ["Acme, Inc., LLC", "A, B, C"]);
}

#[test]
fn a_header_far_down_is_found() {
    let mut text: String = (1..=12).fold(String::new(), |mut text, n| {
        writeln!(text, "About line {n}").unwrap();
        text
    });
    text += "\n\nFirst Name,Last Name,Email\nAvery,Sample,a@example.com\n";
    let world = planned(text, "", 0);
    assert_eq!(world.value(1, "lastName").as_deref(), Some("Sample"));
    assert_eq!(world.warned_rows("W_PREAMBLE_SKIPPED"), [0]);
    assert!(world.warned()[0].2.contains("line 15"));
}

#[test]
fn a_repeated_header_is_not_a_contact() {
    let world = planned(
        "Name,Phone,Notes\nA One,+12025550143,x\nName,Phone,Notes\nB Two,+12025550145,y\n",
        "",
        3,
    );
    assert_eq!(column(&world, "name"), ["A One", "R_REPEATED_HEADER", "B Two"]);
}

#[test]
fn total_rows_are_not_contacts_in_any_language() {
    let totals = [
        "Gesamt",
        "Summe:",
        "Total général",
        "Totale",
        "Somma",
        "Suma",
        "Totaal",
        "合計",
        "Итого",
        "Grand Total",
        "Subtotal (2)",
        "Anzahl: 3",
        "TOTAL = 12",
    ];
    for total in totals {
        let text = format!(
            "Name;Email;Revenue\nA One;a1@example.com;5\n{total};;5\nTotal Eclipse;te@example.com;1\n\
             Summe;summe@example.com;2\n"
        );
        let world = planned(text, "--allow-name-only --no-identity at-most-once", 3);
        let names = column(&world, "name");
        assert_eq!(names, ["A One", "R_TOTALS_ROW", "Total Eclipse", "Summe"], "{total}");
    }
}

#[test]
fn padding_after_the_text_is_removed_with_a_warning() {
    let text = format!("Name,Email\nA One,a1@example.com\n{}", "\0".repeat(3_000));
    let world = planned(text, "", 0);
    assert_eq!(column(&world, "name"), ["A One"]);
    assert_eq!(world.warned_rows("W_TRAILING_NULS"), [0]);
}

#[test]
fn a_control_character_rejects_its_row_alone() {
    let world = planned("Name,Email\nA\0One,a1@example.com\nB Two,b2@example.com\n", "", 3);
    assert_eq!(column(&world, "name"), ["R_CONTROL_CHARACTER", "B Two"]);
}

#[test]
fn emoji_stay_whole() {
    let family = "👩‍👩‍👧 Family 🎉";
    let text = format!("Name,Email,Tags,Notes\n{family},e@example.com,🔥;VIP,👍🏽 ok ❤️\n");
    let world = planned(text, "", 0);
    assert_eq!(world.value(1, "name").as_deref(), Some(family));
    assert_eq!(world.value(1, "tags").as_deref(), Some("🔥; VIP"));
    assert_eq!(world.value(1, "note").as_deref(), Some("👍🏽 ok ❤️"));
    assert_eq!(world.warned(), []);
}

#[test]
fn invisible_characters_are_removed_with_a_warning() {
    let text = "Name,Email\nA \u{202e}evil,a@example.com\nB\u{200b} Two,b\u{200b}@example.com\n";
    let world = planned(text, "", 0);
    assert_eq!(column(&world, "name"), ["A evil", "B Two"]);
    assert_eq!(world.value(2, "email").as_deref(), Some("b@example.com"));
    assert_eq!(world.warned_rows("W_BIDI_CONTROL"), [1]);
    assert_eq!(world.warned_rows("W_INVISIBLE_CHARACTER"), [2]);
}

#[test]
fn ten_thousand_columns_are_read_and_summed_up_in_one_line() {
    let mut text = "First Name,Email".to_owned();
    for n in 2..10_000 {
        write!(text, ",C {n}").unwrap();
    }
    let row = ",x".repeat(9_998);
    let world = planned(format!("{text}\nAvery,a@example.com{row}\n"), "", 0);
    assert_eq!(world.value(1, "email").as_deref(), Some("a@example.com"));
    let warned = world.warned();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].2.starts_with("9998 columns are not imported") && warned[0].2.len() < 500);
}

#[test]
fn quotes_within_a_cell_are_text_where_the_row_fits() {
    let world = planned(
        "Name,Email,Company\nTim \"Tool\" Man,t1@example.com,6\" pipe\n\
         Acme \"Best, Inc\",t2@example.com,Oslo\nB \"x, y\",t3@example.com\nC,t4@example.com,\"D\" E\n",
        "",
        3,
    );
    let bad = "R_BAD_QUOTING";
    assert_eq!(column(&world, "name"), ["Tim \"Tool\" Man", bad, bad, bad]);
    assert_eq!(world.value(1, "companyName").as_deref(), Some("6\" pipe"));
}

#[test]
fn lines_that_were_quoted_as_a_whole_are_refused() {
    refused("in.csv", "\"Name,Email,City\"\n\"A One,a1@example.com,Rome\"\n", "E_NO_HEADER");
}

#[test]
fn a_long_line_that_is_not_a_table_is_refused() {
    refused("in.csv", "x".repeat(200_000), "E_NO_HEADER");
}

#[test]
fn a_long_line_among_the_rows_is_rejected_alone() {
    let text = format!("Name,Email\n{}\nA One,a1@example.com\n", "x".repeat(200_000));
    let world = planned(text, "", 3);
    assert_eq!(column(&world, "name"), ["R_CELL_TOO_LONG", "A One"]);
}

#[test]
fn rows_without_a_header_are_refused() {
    refused(
        "in.csv",
        "Avery Sample,avery@example.com\nBlake Test,blake@example.com\n",
        "E_NO_HEADER",
    );
}

#[test]
fn blanks_alone_are_an_empty_file() {
    refused("in.csv", "   \n\n\t\n", "E_EMPTY_FILE");
}

#[test]
fn empty_cells_alone_are_no_rows() {
    let world = planned("Name,Email\n,\n\n , \n", "", 0);
    assert_eq!(world.count(), 0);
    assert_eq!(world.warned_rows("W_NO_ROWS"), [0]);
}

#[test]
fn a_file_that_is_not_a_table_is_refused_with_its_type() {
    let page = "<html><body><table><tr><td>Name</td><td>Email</td></tr></table></body></html>";
    let login = "\n\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>";
    let xml = "<?xml version=\"1.0\"?>\n<Workbook><Worksheet/></Workbook>";
    let cases: [(&str, Vec<u8>, &str); 9] = [
        ("leads.xls", page.into(), "E_HTML_FILE"),
        ("leads.csv", login.into(), "E_HTML_FILE"),
        (
            "leads.csv",
            "%PDF-1.7\n%\u{e2}\u{e3}\n1 0 obj\n<< /Type /Catalog >>\n".into(),
            "E_NOT_TEXT",
        ),
        ("leads.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".into(), "E_NOT_TEXT"),
        ("leads.csv", b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc".into(), "E_NOT_TEXT"),
        ("leads.csv", "[{\"name\":\"A\",\"email\":\"a@example.com\"}]".into(), "E_NOT_TEXT"),
        ("leads.csv", "{\"name\":\"A\"}\n{\"name\":\"B\"}\n".into(), "E_NOT_TEXT"),
        ("leads.xls", xml.into(), "E_NOT_TEXT"),
        ("leads.csv", b"\xFF\xFE\0\0N\0\0\0a\0\0\0".into(), "E_ENCODING"),
    ];
    for (name, bytes, code) in cases {
        refused(name, bytes, code);
    }
}

#[test]
fn a_second_byte_order_mark_is_not_part_of_a_name() {
    assert_eq!(
        column(&planned("\u{feff}\u{feff}Name,Email\nA,a@example.com\n", "", 0), "name"),
        ["A"]
    );
}

#[test]
fn empty_columns_at_the_end_are_ignored() {
    let world = planned("Name,Email,,\nA One,a1@example.com,,\n", "", 0);
    assert_eq!((column(&world, "name"), world.warned()), (vec!["A One".to_owned()], vec![]));
}
