//! Encodings: by byte order mark, detected, guessed, and given.

use super::*;

const TEXT: &str = "Name,Email\nZoë Müller,zoe@example.org\n山田,yamada@example.org\n";

fn wide(text: &str, unit: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
}

fn asked(label: &str) -> SheetReadOptions {
    SheetReadOptions { encoding: Some(label.to_owned()), ..SheetReadOptions::default() }
}

#[test]
fn wide_text_is_read_with_a_mark_and_without() {
    let marked = format!("\u{FEFF}{TEXT}");
    let cases = [
        (wide(&marked, u16::to_le_bytes), "W_ENCODING", "utf-16le"),
        (wide(&marked, u16::to_be_bytes), "W_ENCODING", "utf-16be"),
        (wide(TEXT, u16::to_le_bytes), "W_ENCODING_GUESSED", "utf-16le"),
        (wide(TEXT, u16::to_be_bytes), "W_ENCODING_GUESSED", "utf-16be"),
    ];
    for (bytes, code, name) in cases {
        let file = made(&bytes, "csv");
        let sheet = open(file.path()).unwrap();
        assert_eq!(codes(&sheet), [code]);
        assert!(sheet.warnings[0].message.contains(name), "{:?}", sheet.warnings);
        assert_eq!(names(&sheet), ["Name", "Email"]);
        let names: Vec<String> = rows(&sheet).iter().map(|row| texts(row)[0].clone()).collect();
        assert_eq!(names, ["Zoë Müller", "山田"]);
    }
}

#[test]
fn an_encoding_can_be_asked_for() {
    let polish = encoded("Name,Email\nŁukasz Żak,l@example.org\n", "iso-8859-2");
    let file = made(&polish, "csv");
    let sheet = Sheet::open(file.path(), &asked("ISO-8859-2"), &known).unwrap();
    assert_eq!(texts(&rows(&sheet)[0])[0], "Łukasz Żak");
    assert!(sheet.warnings.is_empty());
    let refusal = Sheet::open(file.path(), &asked("klingon"), &known).unwrap_err();
    assert_eq!(refusal.code, "E_ENCODING");
    assert_eq!(refusal.message, "`klingon` is not a known encoding");
}

#[test]
fn other_encodings_are_guessed() {
    let japanese =
        "Name,Email,Notes\n山田太郎,y@example.org,東京都新宿区に住んでいます。\n".repeat(20);
    let russian = "Name,Email,Notes\nИван Петров,i@example.org,Позвонить завтра утром\n".repeat(20);
    for (text, label) in [(japanese, "shift_jis"), (russian, "windows-1251")] {
        let file = made(&encoded(&text, label), "csv");
        let sheet = open(file.path()).unwrap();
        assert_eq!(codes(&sheet), ["W_ENCODING_GUESSED"]);
        assert!(sheet.warnings[0].message.contains(label), "{:?}", sheet.warnings);
        let expected = text.lines().nth(1).unwrap().split(',').next().unwrap();
        assert_eq!(texts(&rows(&sheet)[0])[0], expected);
    }
}

#[test]
fn damaged_rows_among_valid_ones_are_faults_by_their_offset() {
    let mut bytes = "Name,Email\nZoë,z@example.org\n".as_bytes().to_vec();
    bytes.extend(b"\"a \"\"b\"\" \xF6\",o@example.org\n");
    bytes.extend("José,j@example.org\n".as_bytes());
    let at = bytes.iter().position(|byte| *byte == 0xF6).unwrap();
    let file = made(&bytes, "csv");
    let sheet = open(file.path()).unwrap();
    let rows = rows(&sheet);
    assert_eq!(faults(&rows), [(2, "R_ENCODING")]);
    let fault = rows[1].fault.as_ref().unwrap();
    assert!(fault.message.contains(&format!("byte 0xF6 at offset {at} ")), "{}", fault.message);
    assert_eq!(fault.place.column, Some(0));
    assert_eq!(texts(&rows[1])[0], "a \"b\" ö");
}

#[test]
fn halves_of_a_character_on_both_sides_of_a_delimiter_are_damage() {
    let mut bytes = "Name,Email\nZoë,z@example.org\nA\u{20}".as_bytes().to_vec();
    bytes.extend(b"\xC3,\xB6@example.org\n");
    let file = made(&bytes, "csv");
    let sheet = open(file.path()).unwrap();
    assert_eq!(faults(&rows(&sheet)), [(2, "R_ENCODING")]);
}

#[test]
fn a_damaged_header_is_no_header() {
    let mut bytes = b"Pr\xE9nom,Email\n".to_vec();
    bytes.extend("Zoë,z@example.org\nZoé,y@example.org\n".as_bytes());
    let refusal = open(made(&bytes, "csv").path()).unwrap_err();
    assert_eq!(refusal.code, "E_ENCODING");
    assert!(refusal.message.contains("(line 1) contains byte 0xE9 at offset 2"), "{refusal}");
}

#[test]
fn a_broken_character_of_another_encoding_is_a_fault_of_its_row() {
    let mut bytes = wide("\u{FEFF}Name,Email\nA", u16::to_le_bytes);
    bytes.extend([0x00, 0xD8]);
    bytes.extend(wide(",a@example.org\nB,b@example.org\n", u16::to_le_bytes));
    let file = made(&bytes, "csv");
    let sheet = open(file.path()).unwrap();
    assert_eq!(faults(&rows(&sheet)), [(1, "R_ENCODING")]);
}

#[test]
fn padding_behind_the_text_is_left_out_and_reported() {
    let mut narrow = b"Name,Email\nA,a@example.org\n".to_vec();
    narrow.resize(512, 0);
    let mut broad = wide("\u{FEFF}Name,Email\nA,a@example.org\n", u16::to_le_bytes);
    broad.resize(512, 0);
    for bytes in [narrow, broad] {
        let file = made(&bytes, "csv");
        let sheet = open(file.path()).unwrap();
        assert!(codes(&sheet).contains(&"W_TRAILING_NULS"), "{:?}", sheet.warnings);
        let rows = rows(&sheet);
        assert_eq!((rows.len(), texts(&rows[0])), (1, vec!["A".into(), "a@example.org".into()]));
    }
}

#[test]
fn characters_across_blocks_stay_whole() {
    for shift in 0..4 {
        let mut text = format!("Name,Email\n{},a@example.org\n", "x".repeat(shift));
        while text.len() < 200_000 {
            text.push_str("山田ë,ö@example.org\n");
        }
        let file = made(text.as_bytes(), "csv");
        let sheet = open(file.path()).unwrap();
        assert!(sheet.warnings.is_empty());
        assert!(rows(&sheet).iter().skip(1).all(|row| texts(row) == ["山田ë", "ö@example.org"]));
    }
}
