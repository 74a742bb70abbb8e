//! Cells of rows with a contact id that cannot be read, or are read as something else than their text.

use super::*;

const RULES: &[&str] = &[
    "Id=contactId",
    "Email=email",
    "Owner=assignedTo",
    "Country=country",
    "Note Id=note.id",
    "Note=note",
];

#[test]
fn what_cannot_be_read_waits_only_where_the_row_names_whom_it_is_about() {
    let long = "x".repeat(6_000);
    let outcome = case(
        RULES,
        &format!(
            "Id,Email,Owner,Country,Note Id,Note\n\
             c1,a@@example,Nobody Here,Atlantis,,\n\
             ,b@@example,,,,\n\
             c3,,,,n3,{long}\n\
             c4,,,,,{long}\n"
        ),
    )
    .run();
    let unread = |at: usize| -> Vec<(&str, &str, bool)> {
        let draft = outcome.judged[at].outcome.as_ref().unwrap();
        let all = draft
            .unread
            .iter()
            .map(|it| (it.to.as_str(), it.diagnostic.code.spelling(), it.rejects_row()));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        all
    };
    assert_eq!(
        unread(0),
        [
            ("assignedTo", "R_OWNER_UNKNOWN", true),
            ("country", "W_COUNTRY_UNKNOWN", false),
            ("email", "R_INVALID_EMAIL", true),
        ]
    );
    assert_eq!(outcome.judged[0].warnings, []);
    assert_eq!(outcome.judged[1].outcome.as_ref().unwrap_err()[0].code, "R_INVALID_EMAIL");
    assert_eq!(unread(2), [("note", "R_CELL_TOO_LONG", true)]);
    assert_eq!(outcome.judged[3].outcome.as_ref().unwrap_err()[0].code, "R_CELL_TOO_LONG");
}

#[test]
fn what_a_cell_says_literally_is_kept_where_it_is_read_as_something_else() {
    let outcome = case(
        RULES,
        "Id,Email,Owner,Country,Note Id,Note\n\
         c1,a@example.com,,United States,n1,'=1+1\n\
         c2, b@example.com,,US,,'=1+1\n",
    )
    .run();
    let written = |at: usize| -> Vec<(&str, &str)> {
        let draft = outcome.judged[at].outcome.as_ref().unwrap();
        draft.written.iter().map(|(to, text)| (to.as_str(), text.as_str())).collect()
    };
    assert_eq!(written(0), [("country", "United States"), ("note", "'=1+1")]);
    assert_eq!(written(1), [("email", " b@example.com")]);
}
