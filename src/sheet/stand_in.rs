//! Files that belong to a spreadsheet or point to one, but are not spreadsheets: lock files, pointers to documents in
//! the cloud, Numbers documents. The message says what they are, since their content would mean nothing to a person.

use std::path::Path;

use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The refusal of a file by its name, if the name says that it is not a spreadsheet.
pub(super) fn refuse_by_name(path: &Path) -> Option<Diagnostic> {
    let name = path.file_name()?.to_string_lossy();
    let beside = |name: &str| path.with_file_name(name).display().to_string();
    if let Some(locked) = name.strip_prefix("~$") {
        return Some(lock_file_error("Excel's lock file", locked, &beside(locked)));
    }
    let locked = name.strip_prefix(".~lock.").and_then(|rest| rest.strip_suffix('#'));
    if let Some(locked) = locked {
        return Some(lock_file_error("LibreOffice's lock file", locked, &beside(locked)));
    }
    if let Some(original) = name.strip_prefix("._") {
        let message = "the file has only what macOS stores beside a file, not the file's content";
        return Some(refusal(message, &format!("import `{}`", beside(original))));
    }
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "gsheet" | "gdoc" | "gslides" => Some(refusal(
            "the file is a pointer to a Google document, which has none of the document's data",
            "open the document in Google Sheets, choose File > Download > Microsoft Excel or CSV, and import that file",
        )),
        "numbers" => Some(refusal(
            "the file is a Numbers document, which is not supported",
            "open it in Numbers, choose File > Export To > CSV or Excel, and import that file",
        )),
        "webloc" | "url" => Some(refusal(
            "the file is a link to a web page, which has none of the page's data",
            "open the link, download the contacts as CSV or XLSX, and import that file",
        )),
        "crdownload" | "part" | "download" => Some(refusal(
            "the file is a download that is not complete",
            "wait for the download to end, or download the file again",
        )),
        _ => None,
    }
}

fn lock_file_error(what: &str, locked: &str, sheet: &str) -> Diagnostic {
    let message = format!(
        "the file is {what}, which exists while `{locked}` is open and has none of its rows"
    );
    refusal(&message, &format!("import `{sheet}`"))
}

fn refusal(message: &str, hint: &str) -> Diagnostic {
    Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message).with_hint(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stand_ins_are_known_by_their_names() {
        for (name, expected) in [
            ("a/~$leads.xlsx", "Excel's lock file"),
            (".~lock.leads.ods#", "LibreOffice's lock file"),
            ("._leads.csv", "what macOS stores beside"),
            ("leads.gsheet", "a pointer to a Google document"),
            ("Leads.NUMBERS", "a Numbers document"),
            ("leads.csv.crdownload", "a download that is not complete"),
        ] {
            let refused = refuse_by_name(Path::new(name)).unwrap();
            assert!(refused.message.contains(expected), "{name}: {refused}");
        }
        for name in ["leads.csv", "~leads.xlsx", "$leads.csv", "numbers", "gsheet.csv"] {
            assert!(refuse_by_name(Path::new(name)).is_none(), "{name}");
        }
    }
}
