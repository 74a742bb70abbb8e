//! The rules of the diff, each with examples.

mod children;
mod create;
mod unread;
mod update;

use serde_json::{Value, json};

use super::*;
use crate::diagnostic::Diagnostic;
use crate::model::target::Field;

/// The location that the tests plan against.
fn directory(allows_duplicates: bool) -> LocationDirectory {
    let field = |id: &str, data_type: &str| {
        json!({
            "id": id, "key": format!("{id}_key"), "name": format!("The {id}"), "data_type": data_type,
            "options": [], "custom_option": false,
        })
    };
    let kinds = [
        ("text", "TEXT"),
        ("number", "NUMERICAL"),
        ("money", "MONETORY"),
        ("date", "DATE"),
        ("many", "MULTIPLE_OPTIONS"),
        ("marker", "TEXT"),
    ];
    serde_json::from_value(json!({
        "location": "l", "name": null, "country": "US", "timezone": null,
        "allows_duplicates": allows_duplicates, "unique": ["email", "phone"],
        "fields": kinds.map(|(id, kind)| field(id, kind)), "users": [], "businesses": [],
    }))
    .unwrap()
}

fn draft(value: &Value) -> ContactDraft {
    serde_json::from_value(value.clone()).unwrap()
}

fn remote(value: &Value) -> RemoteContact {
    let mut row = value.clone();
    row["id"] = json!("c");
    RemoteContact::from_json_value(&row).unwrap()
}

fn update_action() -> ContactAction {
    ContactAction::Update("c".parse().unwrap())
}

struct Case {
    policy: ImportPolicy,
    directory: LocationDirectory,
    action: ContactAction,
    remote: Option<RemoteContact>,
    children: RemoteChildren,
}

impl Case {
    fn update(current: &Value) -> Self {
        Self {
            policy: ImportPolicy::default(),
            directory: directory(false),
            action: update_action(),
            remote: Some(remote(current)),
            children: RemoteChildren::default(),
        }
    }

    fn create(allows_duplicates: bool) -> Self {
        Self {
            policy: ImportPolicy::default(),
            directory: directory(allows_duplicates),
            action: ContactAction::Create,
            remote: None,
            children: RemoteChildren::default(),
        }
    }

    fn try_plan(&self, row: &Value) -> Result<RowPlan, Diagnostic> {
        let location = "l".parse().unwrap();
        let source = RowOrigin { location: &location, input: "hash", place: "line 2" };
        let planner = RowPlanner::new(&self.policy, &self.directory);
        planner.plan_row(
            1,
            &source,
            &draft(row),
            &self.action,
            self.remote.as_ref(),
            &self.children,
        )
    }

    #[track_caller]
    fn plan(&self, row: &Value) -> RowPlan {
        self.try_plan(row).unwrap()
    }
}

/// The op's change as JSON.
fn change(op: &Op) -> Value {
    serde_json::to_value(&op.change).unwrap()
}

fn changes(planned: &RowPlan) -> Vec<(&str, &str, &str)> {
    planned.changes.iter().map(|one| (&*one.field, &*one.old, &*one.new)).collect()
}

fn codes(planned: &RowPlan) -> Vec<&'static str> {
    planned.warnings.iter().map(|one| one.code.spelling()).collect()
}

#[test]
fn a_key_is_stable_and_its_own() {
    let location: LocationId = "l".parse().unwrap();
    let (policy, directory) = (ImportPolicy::default(), directory(false));
    let planner = RowPlanner::new(&policy, &directory);
    let keys = |input: &str, place: &str, source_id: Option<&str>| -> Vec<String> {
        let source = RowOrigin { location: &location, input, place };
        let row = json!({
            "source_id": source_id, "fields": {"email": "a@x"}, "business": "b",
            "notes": [{"fields": {"body": "one"}}, {"fields": {"body": "one"}}],
        });
        let none = RemoteChildren::default();
        let ops = planner.plan_row(1, &source, &draft(&row), &ContactAction::Create, None, &none);
        ops.unwrap().ops.into_iter().map(|op| op.key).collect()
    };
    let first = keys("h", "line 2", None);
    assert_eq!(first, keys("h", "line 2", None));
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((first.len(), distinct.len()), (4, 4));
    assert!(first.iter().all(|key| key.len() == 32));
    assert_ne!(first, keys("h", "line 3", None));
    assert_ne!(first, keys("other", "line 2", None));
    // The source's own id outlives file and place.
    assert_eq!(keys("h", "line 2", Some("7")), keys("other", "line 9", Some("7")));
    assert_ne!(keys("h", "line 2", Some("7")), keys("h", "line 2", Some("8")));
}

#[test]
fn lists_are_written_as_an_export_writes_them() {
    for (values, expected) in [
        (vec!["a", "b"], "a; b"),
        (vec![], ""),
        (vec!["a;b", "c"], r#"["a;b","c"]"#),
        (vec!["[x"], r#"["[x"]"#),
        (vec![" a"], r#"[" a"]"#),
    ] {
        assert_eq!(change_text::format_list(&values), expected);
    }
    assert_eq!(change_text::format_value(&json!(5.0)), "5");
    assert_eq!(change_text::format_value(&json!(5.25)), "5.25");
    assert_eq!(change_text::format_value(&json!(["a", "b"])), "a; b");
}

#[test]
fn a_row_that_is_skipped_sends_nothing() {
    let mut case = Case::update(&json!({}));
    case.action = ContactAction::Skip("c".parse().unwrap());
    let planned =
        case.plan(&json!({"fields": {"city": "Rome"}, "notes": [{"fields": {"body": "x"}}]}));
    assert_eq!((planned.action, planned.ops.len()), (RowAction::Skip, 0));
}

#[test]
fn a_contact_that_is_gone_when_it_is_read_rejects_its_row() {
    let mut case = Case::update(&json!({}));
    case.remote = None;
    assert_eq!(case.try_plan(&json!({})).unwrap_err().code, "R_NOT_FOUND");
}

#[test]
fn a_stored_draft_still_clears_what_it_cleared() {
    let draft = draft(&json!({"owner": null, "fields": {"city": null}, "custom": {"text": null}}));
    assert_eq!(draft.owner, Some(Value::Null));
    let stored = serde_json::to_string(&draft).unwrap();
    assert_eq!(serde_json::from_str::<ContactDraft>(&stored).unwrap(), draft);
}
