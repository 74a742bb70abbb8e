//! Cells that are unreadable or interpreted differently, compared with the account.

use super::*;

#[test]
fn a_cell_that_says_what_the_account_has_asks_for_nothing() {
    let current = json!({
        "country": "United States", "firstName": "Zo\u{200b}e", "website": "=x", "phone": "(202) 555-0143",
        "customFields": [{"id": "text", "value": ["New"]}, {"id": "many", "value": ["a"]}],
    });
    let row = |written: Value| {
        json!({
            "fields": {
                "country": "US", "firstName": "Zoe", "website": "https://x", "phone": "+12025550143",
            },
            "custom": {"text": "[\"New\"]"}, "written": written,
        })
    };
    let same = json!({
        "country": "United States", "firstName": "Zo\u{200b}e", "website": "'=x", "phone": "(202) 555-0143",
    });
    let case = Case::update(&current);
    assert_eq!(case.plan(&row(same)).ops, []);
    let changed = case.plan(&row(json!({ "country": "USA" })));
    let fields: Vec<_> = changed.changes.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["firstName", "phone", "country", "website"]);
}

#[test]
fn what_could_not_be_read_counts_where_the_account_has_something_else() {
    let current = remote(&json!({
        "email": "a@@example", "assignedTo": "gone",
        "customFields": [{"id": "text", "value": ["New"]}, {"id": "number", "value": 5}],
    }));
    let children = RemoteChildren {
        notes: vec![json!({ "id": "n1", "body": "\u{1b}[31m" })],
        tasks: vec![json!({ "_id": "t1", "dueDate": "soon" })],
    };
    let unread = |to: &str, text: &str| {
        let diagnostic = json!({ "code": "R_VALUE_INVALID", "place": { "column": 0 }, "field": to, "message": "" });
        json!({ "to": to, "text": text, "diagnostic": diagnostic })
    };
    let draft = |cells: &[(&str, &str)]| {
        let cells: Vec<_> = cells.iter().map(|(to, text)| unread(to, text)).collect();
        draft(&json!({ "contact": "c", "notes": [{ "id": "n1", "fields": {} }],
            "tasks": [{ "id": "t1", "fields": {} }], "unread": cells }))
    };
    let same = draft(&[
        ("email", "a@@example"),
        ("assignedTo", "gone"),
        ("customFields.text", "[\"New\"]"),
        ("customFields.number", "5"),
        ("note", "\u{1b}[31m"),
        ("task.dueDate", "soon"),
    ]);
    assert_eq!(
        super::differing_unreadable_cells(&same, Some(&current), &children),
        [] as [&crate::model::UnreadableCell; 0]
    );
    let other =
        draft(&[("email", "b@@example"), ("assignedTo", "other"), ("note", "x"), ("phone", "1")]);
    assert_eq!(super::differing_unreadable_cells(&other, Some(&current), &children).len(), 4);
    assert_eq!(super::differing_unreadable_cells(&same, None, &children).len(), 6);
}
