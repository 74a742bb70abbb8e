//! Rows of notes and tasks.

use super::*;

const ID: &str = "TESTcontact000000001";
const TASKS: &[&str] = &[
    "contactId=contactId",
    "taskId=task.id",
    "title=task.title",
    "status=task.completed",
    "dueDate=task.dueDate",
    "priority=task.priority",
];
const NOTES: &[&str] =
    &["contactId=contactId", "noteId=note.id", "content=note", "createdAt=note.dateAdded"];

fn task(fields: &Json) -> Json {
    json!({ "contact": ID, "tasks": [{ "fields": fields }] })
}

#[test]
fn rows_of_a_task_file_are_tasks_or_say_what_they_lack() {
    let outcome = case(
        TASKS,
        "contactId,taskId,title,status,dueDate,priority\n\
         TESTcontact000000001,,Send contract,Completed,2026-03-01T09:00:00Z,high\n\
         TESTcontact000000001,,Call back,past_due,2026-01-02,low\n\
         ,,Orphan,pending,2026-01-02,low\n\
         TESTcontact000000001,,,pending,2026-01-02,low\n\
         TESTcontact000000001,,No due,pending,,low\n\
         TESTcontact000000001,,Odd status,halfway,2026-01-02,\n\
         TESTcontact000000001,,Bad date,pending,2026-02-30,\n",
    )
    .check(&[
        task(
            &json!({ "title": "Send contract", "completed": true, "dueDate": "2026-03-01T09:00:00Z",
            "body": "Priority: high" }),
        ),
        task(&json!({ "title": "Call back", "completed": false, "dueDate": "2026-01-02T00:00:00Z",
            "body": "Priority: low" })),
        json!("R_NO_CONTACT_ID"),
        json!("R_TASK_NO_TITLE"),
        json!("R_TASK_NO_DUE"),
        json!("R_TASK_STATUS"),
        json!("R_DATE_INVALID"),
    ]);
    assert!(outcome.children_only);
    assert_eq!(outcome.codes()[1], ["W_DUE_NO_TIME"]);
    assert_eq!(outcome.rejection(7).field, "dueDate");
}

#[test]
fn a_task_without_due_date_gets_the_policys() {
    let due = |policy: fn(&mut ImportPolicy)| {
        let outcome = case(TASKS, "contactId,taskId,title,status,dueDate,priority\nc1,,Call,,,\n")
            .policy(policy)
            .run();
        outcome.draft(1).tasks[0].fields["dueDate"].clone()
    };
    assert_eq!(due(|policy| policy.default_due = Some(7)), "2026-11-28T00:00:00Z");
    let berlin = |policy: &mut ImportPolicy| {
        policy.default_due = Some(7);
        policy.timezone = Some("Europe/Berlin".to_owned());
    };
    assert_eq!(due(berlin), "2026-11-27T23:00:00Z");
}

#[test]
fn a_task_that_exists_changes_only_in_what_the_row_says() {
    let outcome = case(
        TASKS,
        "contactId,taskId,title,status,dueDate,priority\nc1,t1,,done,,\nc1,t2,,,2026-01-02T10:00:00Z,high\n",
    )
    .check(&[
        json!({ "contact": "c1", "tasks": [{ "id": "t1", "fields": { "completed": true } }] }),
        json!({ "contact": "c1", "tasks": [{ "id": "t2", "fields": { "dueDate": "2026-01-02T10:00:00Z" },
            "priority": "high" }] }),
    ]);
    let fields = |text| outcome.draft(2).tasks[0].fields_with_priority(text).into_owned();
    assert_eq!(fields(None)["body"], "Priority: high");
    assert_eq!(fields(Some("call\npriority: low\r\nbye"))["body"], "call\nPriority: high\r\nbye");
}

#[test]
fn a_priority_becomes_a_line_of_the_text_once_or_is_dropped() {
    let rules = &[
        "Id=contactId",
        "Title=task.title",
        "Text=task.body",
        "Due=task.dueDate",
        "P=task.priority",
    ];
    let csv = "Id,Title,Text,Due,P\nc1,A,\"one\ntwo\",2026-01-02T10:00Z,high\nc1,B,\"x\npriority: low\",2026-01-02T10:00Z,high\n";
    let bodies = |outcome: &Outcome| -> Vec<Json> {
        [1, 2].map(|record| outcome.draft(record).tasks[0].fields["body"].clone()).into()
    };
    assert_eq!(bodies(&case(rules, csv).run()), ["one\ntwo\nPriority: high", "x\nPriority: high"]);
    let dropped =
        case(rules, csv).policy(|policy| policy.task_priority = TaskPriorityRule::Drop).run();
    assert_eq!(bodies(&dropped), ["one\ntwo", "x\npriority: low"]);
}

#[test]
fn a_row_of_a_contact_file_has_a_task_only_where_it_says_so() {
    let rules = &[
        "Email=email",
        "City=city",
        "Task=task.title",
        "Due=task.dueDate",
        "Owner=task.assignedTo",
    ];
    case(
        rules,
        "Email,City,Task,Due,Owner\na@example.com,Rome,,,\nb@example.com,Rome,Call,2026-01-02T10:00:00Z,u1@example.com\n\
         c@example.com,Rome,,2026-01-02T10:00:00Z,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "city": "Rome" }),
        json!({ "email": "b@example.com", "city": "Rome", "tasks": [{ "fields": { "title": "Call",
            "dueDate": "2026-01-02T10:00:00Z", "completed": false, "assignedTo": "u1" } }] }),
        json!("R_TASK_NO_TITLE"),
    ]);
}

#[test]
fn rows_of_a_note_file_are_notes_or_empty() {
    let outcome = case(
        NOTES,
        "contactId,noteId,content,createdAt\n\
         TESTcontact000000001,,\"two\nlines, and \"\"quotes\"\"\",2026-02-01T10:00:00Z\n\
         TESTcontact000000001,TESTnote000000000001,changed text,\n\
         TESTcontact000000001,,   ,2026-02-01T10:00:00Z\n\
         TESTcontact000000001,,=1+1,\n\
         TESTcontact000000001,n1,,\n",
    )
    .check(&[
        json!({ "contact": ID, "notes": [{ "fields": { "body": "two\nlines, and \"quotes\"" } }] }),
        json!({ "contact": ID, "notes": [{ "id": "TESTnote000000000001", "fields": { "body": "changed text" } }] }),
        json!("R_NOTE_EMPTY"),
        json!({ "contact": ID, "notes": [{ "fields": { "body": "=1+1" } }] }),
        json!({ "contact": ID, "notes": [{ "id": "n1", "fields": {} }] }),
    ]);
    assert!(outcome.children_only);
    assert_eq!(outcome.codes()[0], ["W_NOTE_DATE_NOT_SETTABLE"]);
}

#[test]
fn a_notes_date_goes_into_its_text_when_asked() {
    let outcome = case(
        NOTES,
        "contactId,noteId,content,createdAt\nc1,,text,2026-02-01T23:30:00-05:00\nc1,,text,soon\n",
    )
    .policy(|policy| policy.note_date = NoteDateRule::Prefix)
    .check(&[
        json!({ "contact": "c1", "notes": [{ "fields": { "body": "[2026-02-01] text" } }] }),
        json!({ "contact": "c1", "notes": [{ "fields": { "body": "text" } }] }),
    ]);
    assert_eq!(outcome.codes(), [vec![], vec!["W_DATE_INVALID"]]);
}

#[test]
fn every_note_column_makes_a_note_and_empty_ones_make_none() {
    let outcome = case(
        &["Email=email", "City=city", "Notes=note", "Remarks=note", "Title=note.title", "Pinned=note.pinned"],
        "Email,City,Notes,Remarks,Title,Pinned\na@example.com,,one,two,T,yes\nb@example.com,,,,T,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "notes": [
            { "fields": { "body": "one", "title": "T", "pinned": true } },
            { "fields": { "body": "two", "title": "T", "pinned": true } },
        ] }),
        json!({ "email": "b@example.com" }),
    ]);
    assert!(!outcome.children_only);
}

#[test]
fn children_may_be_keyed_by_address_or_number_and_must_be_keyed_by_something() {
    let outcome = case(
        &["Email=email", "Phone=phone", "Note=note"],
        "Email,Phone,Note\na@example.com,,hello\n,+12025550143,hello\n,,hello\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "notes": [{ "fields": { "body": "hello" } }] }),
        json!({ "phone": "+12025550143", "notes": [{ "fields": { "body": "hello" } }] }),
        json!("R_NO_CONTACT_ID"),
    ]);
    assert!(outcome.children_only);
}

#[test]
fn a_file_of_notes_and_tasks_wants_one_of_them_in_a_row() {
    case(
        &["Id=contactId", "Note=note", "Task=task.title", "Due=task.dueDate"],
        "Id,Note,Task,Due\nc1,hello,,\nc1,,Call,2026-01-02T10:00:00Z\nc1,,,\n",
    )
    .check(&[
        json!({ "contact": "c1", "notes": [{ "fields": { "body": "hello" } }] }),
        json!({ "contact": "c1", "tasks": [{ "fields": { "title": "Call",
            "dueDate": "2026-01-02T10:00:00Z", "completed": false } }] }),
        json!("R_NOTE_EMPTY"),
    ]);
}

#[test]
fn a_long_note_is_rejected_cut_or_split_and_never_cut_silently() {
    let long = "word ".repeat(2_000);
    let notes = |policy: fn(&mut ImportPolicy)| {
        case(&["Email=email", "Note=note"], &format!("Email,Note\na@example.com,{long}\n"))
            .policy(policy)
            .run()
    };
    let rejected = notes(|_| {});
    assert_eq!(rejected.rejection(1).code, "R_CELL_TOO_LONG");
    assert_eq!(rejected.rejection(1).field, "Note");
    let cut = notes(|policy| policy.truncate_notes = Some(100));
    assert_eq!(cut.codes()[0], ["W_NOTE_TRUNCATED"]);
    let split = notes(|policy| policy.split_notes = true);
    assert_eq!(split.codes()[0], ["W_NOTE_SPLIT"]);
    assert_eq!(split.draft(1).notes.len(), 2);
}

#[test]
fn a_cell_of_a_megabyte_is_too_long_for_any_field() {
    let long = "x".repeat(1 << 20);
    case(&["Email=email", "City=city"], &format!("Email,City\na@example.com,{long}\n"))
        .check(&[json!("R_CELL_TOO_LONG")]);
    case(&["Email=email", "Note=note"], &format!("Email,Note\na@example.com,{long}\n"))
        .check(&[json!("R_CELL_TOO_LONG")]);
}
