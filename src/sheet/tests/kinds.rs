//! The file type is detected whatever the file name says.

use super::*;

#[test]
fn what_is_no_table_is_refused_by_its_bytes() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "E_EMPTY_FILE"),
        (b"\xEF\xBB\xBF".to_vec(), "E_EMPTY_FILE"),
        (b"\xFF\xFE".to_vec(), "E_EMPTY_FILE"),
        (b" \r\n\t\n  \n".to_vec(), "E_EMPTY_FILE"),
        (b"\0\0\0\0".to_vec(), "E_EMPTY_FILE"),
        (b",,,\n,,,\n".to_vec(), "E_EMPTY_FILE"),
        (b"%PDF-1.7\n%\xE2\xE3".to_vec(), "E_NOT_TEXT"),
        (b"\x1F\x8B\x08\0\0\0".to_vec(), "E_NOT_TEXT"),
        (b"\x89PNG\r\n\x1A\n\0\0".to_vec(), "E_NOT_TEXT"),
        (b"PAR1\x15\x04".to_vec(), "E_NOT_TEXT"),
        ((0..=255).collect(), "E_NOT_TEXT"),
        (b"<?xml version=\"1.0\"?><Workbook/>".to_vec(), "E_NOT_TEXT"),
        (b"[{\"email\": \"a@b.example\"}]".to_vec(), "E_NOT_TEXT"),
        (b"{\"email\": \"a@b.example\"}\n".to_vec(), "E_NOT_TEXT"),
        (b"\n <!DOCTYPE html><html>".to_vec(), "E_HTML_FILE"),
        (b"\xEF\xBB\xBF<TABLE><tr><td>Name".to_vec(), "E_HTML_FILE"),
        (utf16("\u{FEFF}<html><table>"), "E_HTML_FILE"),
        (b"\xFF\xFE\0\0N\0\0\0".to_vec(), "E_ENCODING"),
        (b"PK\x03\x04 and nothing else".to_vec(), "E_XLSX_CORRUPT"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and nothing else".to_vec(),
            "E_ENCRYPTED_OR_LEGACY_XLS",
        ),
        (b"\x09\x08\x10\x00\x00\x06\x05\x00".to_vec(), "E_ENCRYPTED_OR_LEGACY_XLS"),
    ];
    for (bytes, code) in cases {
        let refusal = open(made(&bytes, "csv").path()).unwrap_err();
        assert_eq!(refusal.code, code, "{refusal} for {:?}", String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn an_encrypted_workbook_is_distinguished_from_an_old_one() {
    let mut bytes = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    bytes.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let refusal = open(made(&bytes, "xlsx").path()).unwrap_err();
    assert_eq!(refusal.code, "E_ENCRYPTED_OR_LEGACY_XLS");
    assert!(refusal.message.contains("password"), "{refusal}");
}

#[test]
fn another_extension_is_reported() {
    let file = made(b"Name,Email\nA,a@b.example\n", "xlsx");
    let sheet = open(file.path()).unwrap();
    assert_eq!(codes(&sheet), ["W_EXTENSION_MISMATCH"]);
    assert_eq!(sheet.warnings[0].message, "named `.xlsx`, but it is CSV");
    let workbook = std::fs::read(sample("50_title_row.xlsx")).unwrap();
    assert!(codes(&open(made(&workbook, "csv").path()).unwrap()).contains(&"W_EXTENSION_MISMATCH"));
    assert!(codes(&open(made(b"Name\tEmail\nA\ta@b.example\n", "csv").path()).unwrap()).is_empty());
}

#[test]
fn what_the_system_cannot_read_is_reported_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = open(folder.path()).unwrap_err();
    assert_eq!(refusal.code, "E_IO");
    assert!(refusal.message.ends_with("is a directory"), "{refusal}");
    let refusal = open(&folder.path().join("gone.csv")).unwrap_err();
    assert_eq!(refusal.code, "E_IO");
    assert!(refusal.message.contains("gone.csv`: No such file"), "{refusal}");
    assert_eq!(open(std::path::Path::new("/dev/null")).unwrap_err().code, "E_IO");
}

#[test]
fn a_few_control_characters_spoil_no_file() {
    let bytes = b"Name,Email\nA\0B,a@b.example\nC\x07D,c@d.example\n";
    let file = made(bytes, "csv");
    let sheet = open(file.path()).unwrap();
    assert_eq!(texts(&rows(&sheet)[0])[0], "A\0B");
}
