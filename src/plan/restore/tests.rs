//! Restoring: translation of names, three-way undo, lost records, made-up people.

use serde_json::{Value, json};

use super::*;
use crate::model::directory::{CustomField, LocationBusiness, LocationUser};
use crate::model::target::Field;

fn field(id: &str, key: &str, name: &str, data_type: &str) -> CustomField {
    CustomField {
        id: id.to_owned(),
        key: key.to_owned(),
        column: String::new(),
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        options: Vec::new(),
        custom_option: false,
    }
}

fn directory(location: &str, fields: Vec<CustomField>) -> LocationDirectory {
    LocationDirectory {
        location: location.parse().unwrap(),
        name: None,
        country: None,
        timezone: None,
        allows_duplicates: false,
        unique: Vec::new(),
        fields,
        users: Vec::new(),
        businesses: Vec::new(),
    }
}

fn user(id: &str, email: &str) -> LocationUser {
    LocationUser { id: id.to_owned(), name: String::new(), email: email.to_owned() }
}

fn contact(body: &Value) -> RemoteContact {
    RemoteContact::from_json_value(body).unwrap()
}

fn translated(
    source: &LocationDirectory,
    target: &LocationDirectory,
    body: &Value,
) -> (RemoteContact, MissingNames) {
    let translation = Translation::new(source, target, &UserSubstitutes::default());
    let (mut remote, mut missing) = (contact(body), MissingNames::default());
    translation.translate_contact(&mut remote, &mut missing);
    (remote, missing)
}

#[test]
fn a_custom_field_is_found_by_key_then_by_name_and_only_with_its_type() {
    let source = directory(
        "sourceLocation1",
        vec![
            field("a1", "budget", "Budget", "NUMERICAL"),
            field("a2", "old_key", "Colour", "TEXT"),
            field("a3", "size", "Size", "TEXT"),
            field("a4", "twice", "Twice", "TEXT"),
        ],
    );
    let target = directory(
        "targetLocation1",
        vec![
            field("b1", "budget", "Money", "NUMERICAL"),
            field("b2", "colour", " colour ", "TEXT"),
            field("b3", "size", "Size", "NUMERICAL"),
            field("b4", "one", "Twice", "TEXT"),
            field("b5", "two", "Twice", "TEXT"),
        ],
    );
    let values = json!([{"id": "a1", "value": 5}, {"id": "a2", "value": "red"}, {"id": "a3", "value": "L"},
        {"id": "a4", "value": "x"}, {"id": "a9", "value": "y"}]);
    let (remote, missing) =
        translated(&source, &target, &json!({"id": "c1", "customFields": values}));
    assert_eq!(json!(remote.custom), json!({"b1": 5, "b2": "red"}));
    let names: Vec<_> = missing.0.keys().map(|it| (it.name.as_str(), it.is_dangling)).collect();
    assert_eq!(names, [("Size", false), ("Twice", false), ("a9", true)]);
}

#[test]
fn two_fields_of_the_snapshot_never_become_one() {
    let source = directory(
        "sourceLocation1",
        vec![field("a1", "one", "Same", "TEXT"), field("a2", "two", "Same", "TEXT")],
    );
    let target = directory("targetLocation1", vec![field("b1", "three", "Same", "TEXT")]);
    let values = json!([{"id": "a1", "value": "x"}, {"id": "a2", "value": "y"}]);
    let (remote, missing) =
        translated(&source, &target, &json!({"id": "c1", "customFields": values}));
    assert_eq!(json!(remote.custom), json!({"b1": "x"}));
    assert_eq!(missing.0.len(), 1);
}

#[test]
fn in_the_same_location_ids_mean_the_same_whatever_their_names_are_by_now() {
    let source = directory("sourceLocation1", vec![field("a1", "old", "Old", "TEXT")]);
    let mut target = directory(
        "sourceLocation1",
        vec![field("a1", "new", "New", "TEXT"), field("a2", "old", "Old", "TEXT")],
    );
    target.users = vec![user("u1", "")];
    let body =
        json!({"id": "c1", "assignedTo": "u1", "customFields": [{"id": "a1", "value": "x"}]});
    let (remote, missing) = translated(&source, &target, &body);
    assert_eq!(json!(remote.custom), json!({"a1": "x"}));
    assert_eq!((remote.owner.as_deref(), missing.0.len()), (Some("u1"), 0));
}

#[test]
fn a_user_is_found_by_address_or_by_who_stands_in() {
    let mut source = directory("sourceLocation1", Vec::new());
    source.users = vec![user("u1", "Ann@x.org"), user("u2", "ben@x.org"), user("u3", "cleo@x.org")];
    let mut target = directory("targetLocation1", Vec::new());
    target.users = vec![user("v1", "ann@x.org"), user("v2", "new@x.org")];
    let substitutes = UserSubstitutes {
        by_name: [("ben@x.org".to_owned(), "v2".to_owned())].into(),
        for_missing: None,
    };
    let translation = Translation::new(&source, &target, &substitutes);
    let owner = |id: &str| {
        let (mut remote, mut missing) =
            (contact(&json!({"id": "c1", "assignedTo": id})), MissingNames::default());
        translation.translate_contact(&mut remote, &mut missing);
        (remote.owner, missing.0.into_keys().map(|it| it.name).collect::<Vec<_>>())
    };
    assert_eq!(owner("u1"), (Some("v1".to_owned()), Vec::new()));
    assert_eq!(owner("u2"), (Some("v2".to_owned()), Vec::new()));
    assert_eq!(owner("u3"), (None, vec!["cleo@x.org".to_owned()]));
}

#[test]
fn businesses_that_the_snapshot_does_not_know_are_no_dangling_ids() {
    let mut source = directory("sourceLocation1", Vec::new());
    let target = directory("targetLocation1", Vec::new());
    let body = || json!({"id": "c1", "businessId": "b1"});
    let is_dangling = |missing: MissingNames| missing.0.into_keys().next().unwrap().is_dangling;
    assert!(!is_dangling(translated(&source, &target, &body()).1));
    source.businesses = vec![LocationBusiness { id: "b2".to_owned(), name: "Two".to_owned() }];
    assert!(is_dangling(translated(&source, &target, &body()).1));
}

#[test]
fn fields_have_the_names_of_exports_and_of_the_api() {
    let location = directory("sourceLocation1", vec![field("a1", "budget", "Budget", "TEXT")]);
    for (name, expected) in [
        ("email", RestorableField::Native(Field::Email)),
        ("first_name", RestorableField::Native(Field::FirstName)),
        ("firstName", RestorableField::Native(Field::FirstName)),
        ("assigned_to", RestorableField::Owner),
        ("tags", RestorableField::Tags),
        ("dnd", RestorableField::Dnd),
        ("business", RestorableField::Business),
        ("custom.budget", RestorableField::Custom("a1".to_owned())),
        ("custom_budget", RestorableField::Custom("a1".to_owned())),
        ("customFields.Budget", RestorableField::Custom("a1".to_owned())),
    ] {
        assert_eq!(RestorableField::parse(name, &location), Ok(expected), "{name}");
    }
    for name in ["", "note", "contact_id", "shoe_size", "custom.other", "date_added"] {
        assert!(RestorableField::parse(name, &location).is_err(), "{name}");
    }
}

#[test]
fn changes_are_taken_back_only_where_the_later_value_stands() {
    let location = directory("sourceLocation1", vec![field("a1", "budget", "Budget", "TEXT")]);
    let fields = RestorableField::all(&location);
    let body = |city: &str, budget: Value, tags: &[&str]| {
        contact(&json!({"id": "c1", "city": city, "tags": tags, "assignedTo": "u1",
            "customFields": [{"id": "a1", "value": budget}]}))
    };
    let (before, after) =
        (body("Ghent", json!("5"), &["a", "b"]), body("Nowhere", Value::Null, &["b", "x"]));
    let undo = |now: &RemoteContact| undo_changes((&before, &after), now, &fields, &location);
    let whole = undo(&after);
    assert_eq!(json!(whole.draft.fields), json!({"city": "Ghent"}));
    assert_eq!(json!(whole.draft.custom), json!({"a1": "5"}));
    assert_eq!((whole.draft.tags, whole.draft.replaces_tags), (vec!["b".into(), "a".into()], true));
    assert_eq!((whole.draft.owner, whole.conflicts.len()), (None, 0));
    let edited = undo(&body("Bruges", Value::Null, &["b", "y"]));
    assert_eq!(edited.conflicts, ["city"]);
    assert_eq!(edited.draft.tags, ["b", "y", "a"]);
    let undone = undo(&body("Ghent", json!("5"), &["b", "a"]));
    assert_eq!((undone.draft.fields.len(), undone.draft.replaces_tags), (0, false));
    assert_eq!(undone.conflicts, Vec::<String>::new());
}

#[test]
fn a_record_that_says_the_same_stands_for_one_lost_record_only() {
    let note = |id: &str, text: &str| json!({"id": id, "body": text});
    let same = |one: &Value, other: &Value| one["body"] == other["body"];
    let snapshot = [note("n1", "call"), note("n2", "call"), note("n3", "mail")];
    let current = [note("n3", "edited"), note("m1", "call")];
    let lost = lost_records(&snapshot, &current, same);
    assert_eq!(lost, [note("n2", "call")]);
}

#[test]
fn a_made_up_person_is_the_same_each_time_and_says_nothing_of_the_real_one() {
    let body = json!({"id": "c1", "firstName": "Grace", "lastName": "Hopper", "email": "grace@navy.mil",
        "phone": "+12125550123", "address1": "1 Main St", "city": "New York", "country": "US",
        "additionalEmails": ["g@x.org"], "customFields": [{"id": "t", "value": "secret"},
        {"id": "o", "value": ["blue"]}, {"id": "n", "value": 7}]});
    let mut options = field("o", "o", "O", "CHECKBOX");
    options.options = vec!["blue".to_owned()];
    let made_up = || {
        let mut it = SnapshotContact {
            remote: contact(&body),
            notes: vec![json!({"id": "n1", "body": "Met Grace at the pier"})],
            tasks: vec![json!({"id": "t1", "title": "Call Grace", "dueDate": "2026-01-01"})],
        };
        anonymise(&mut it, std::slice::from_ref(&options));
        it
    };
    let one = made_up();
    assert_eq!(one, made_up());
    let text = format!("{:?}", (&one.remote.fields, &one.remote.custom, &one.notes, &one.tasks));
    for real in ["Grace", "Hopper", "navy", "5550123", "Main", "New York", "secret", "pier"] {
        assert!(!text.contains(real), "{real}: {text}");
    }
    assert!(one.remote.additional_emails.is_empty());
    assert_eq!(one.remote.native_field(Field::Country), Some("US"));
    assert_eq!(json!(one.remote.custom), json!({"t": "6 characters", "o": ["blue"], "n": 7}));
    assert_eq!(one.tasks[0]["dueDate"], "2026-01-01");
}
