//! Which contact a row is about, case by case.

use serde_json::json;

use super::*;
use crate::model::draft::NoteDraft;

fn directory(allows_duplicates: bool, unique: &[&str]) -> LocationDirectory {
    LocationDirectory {
        location: "l".parse().unwrap(),
        name: None,
        country: None,
        timezone: None,
        allows_duplicates,
        unique: unique.iter().map(|&name| name.to_owned()).collect(),
        fields: Vec::new(),
        users: Vec::new(),
        businesses: Vec::new(),
    }
}

/// A draft from `id`, `email`, `phone`; an empty text is left out.
fn draft(id: &str, email: &str, phone: &str) -> ContactDraft {
    let mut draft = ContactDraft { contact: id.parse().ok(), ..ContactDraft::default() };
    draft.fields.insert(Field::FirstName, json!("Ann"));
    for (field, text) in [(Field::Email, email), (Field::Phone, phone)] {
        if !text.is_empty() {
            draft.fields.insert(field, json!(text));
        }
    }
    draft
}

fn ids(text: &str) -> Vec<ContactId> {
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

/// The matches in short form: `id:A email:A,B other:C phone:D key:E`; the contact of a phone has an
/// e-mail address if its name is in upper case.
fn found(text: &str) -> ContactMatches {
    let mut found = ContactMatches::default();
    for part in text.split_whitespace() {
        let (kind, names) = part.split_once(':').unwrap();
        let names = ids(&names.replace(',', " "));
        match kind {
            "id" => found.by_id = names.into_iter().next(),
            "email" => found.by_email = names,
            "other" => found.by_other_email = names,
            "key" => found.by_key = names,
            _ => {
                let upper = |id: &&ContactId| id.as_str().chars().all(char::is_uppercase);
                let emails = names.iter().filter(upper).map(|id| (id.clone(), format!("{id}@x")));
                found.emails = emails.collect();
                found.by_phone = names;
            }
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Location {
    /// Rejects duplicates by e-mail and phone.
    Strict,
    /// Rejects duplicates by e-mail only.
    EmailOnly,
    /// Allows duplicates.
    Free,
}

fn resolved(
    row: &ContactDraft,
    existing: &str,
    policy: &ImportPolicy,
    location: Location,
) -> String {
    let directory = match location {
        Location::Strict => directory(false, &["email", "phone"]),
        Location::EmailOnly => directory(false, &["email"]),
        Location::Free => directory(true, &["email", "phone"]),
    };
    match resolve_contact(row, &found(existing), policy, &directory) {
        Ok(Some(id)) => id.to_string(),
        Ok(None) => "none".to_owned(),
        Err(rejection) => rejection.code.to_string(),
    }
}

#[test]
fn a_row_is_about_one_contact_or_rejected() {
    use Location::{EmailOnly, Free, Strict};
    let both = &draft("", "a@x", "+1");
    let (email, phone, id) =
        (&draft("", "a@x", ""), &draft("", "", "+1"), &draft("I", "a@x", "+1"));
    for (number, (row, existing, location, expected)) in [
        // By id: a stale one never creates.
        (id, "", Strict, "R_NOT_FOUND"),
        (id, "email:A", Free, "R_NOT_FOUND"),
        (id, "id:I", Strict, "I"),
        (id, "id:I email:I phone:I", Strict, "I"),
        (id, "id:I email:A", Strict, "R_TWO_CONTACTS"),
        (id, "id:I email:A", Free, "I"),
        (id, "id:I email:A,I", Strict, "I"),
        (id, "id:I phone:B", Strict, "R_TWO_CONTACTS"),
        (id, "id:I phone:B", EmailOnly, "I"),
        // By e-mail.
        (email, "", Strict, "none"),
        (email, "email:A", Strict, "A"),
        (email, "email:A other:B", Strict, "A"),
        (email, "email:A,B", Free, "R_AMBIGUOUS_MATCH"),
        (email, "other:B", Strict, "R_SECONDARY_EMAIL"),
        (email, "other:B", Free, "R_SECONDARY_EMAIL"),
        (both, "other:B phone:B", Strict, "R_SECONDARY_EMAIL"),
        // By phone.
        (phone, "phone:A", Strict, "A"),
        (phone, "phone:a", Free, "a"),
        (phone, "phone:A,B", Free, "R_AMBIGUOUS_MATCH"),
        // By both.
        (both, "email:A phone:A", Strict, "A"),
        (both, "email:A phone:A,B", Free, "A"),
        (both, "email:A phone:B", Strict, "R_TWO_CONTACTS"),
        (both, "email:A phone:B", Free, "R_TWO_CONTACTS"),
        (both, "email:A phone:B", EmailOnly, "R_TWO_CONTACTS"),
        // The phone's contact has no e-mail address, or another.
        (both, "phone:a", Strict, "a"),
        (both, "phone:a", Free, "a"),
        (both, "phone:a,b", Free, "R_AMBIGUOUS_MATCH"),
        (both, "phone:A,b", Free, "R_AMBIGUOUS_MATCH"),
        (both, "phone:A", Strict, "R_PHONE_OF_ANOTHER"),
        (both, "phone:A", EmailOnly, "none"),
        (both, "phone:A,B", Free, "none"),
    ]
    .into_iter()
    .enumerate()
    {
        let got = resolved(row, existing, &ImportPolicy::default(), location);
        assert_eq!(got, expected, "case {number}: {existing}");
    }
}

#[test]
fn a_custom_key_alone_names_the_contact() {
    use Location::{Free, Strict};
    let policy =
        ImportPolicy { key: IdentityKey::Custom("erp_id".into()), ..ImportPolicy::default() };
    let both = &draft("", "a@x", "+1");
    for (row, existing, location, expected) in [
        (both, "key:K", Strict, "K"),
        (both, "key:K,L", Strict, "R_AMBIGUOUS_MATCH"),
        (both, "", Strict, "none"),
        (both, "key:K email:A", Strict, "R_TWO_CONTACTS"),
        (both, "key:K email:A", Free, "K"),
        (both, "email:A", Strict, "R_EMAIL_OF_ANOTHER"),
        (both, "phone:A", Strict, "R_PHONE_OF_ANOTHER"),
        (both, "email:A", Free, "none"),
        (&draft("I", "", ""), "key:K", Strict, "R_NOT_FOUND"),
    ] {
        assert_eq!(resolved(row, existing, &policy, location), expected, "{existing}");
    }
}

#[test]
fn a_value_that_is_to_be_cleared_matches_no_contact() {
    let mut row = draft("", "", "");
    row.fields.insert(Field::Email, serde_json::Value::Null);
    assert_eq!(resolved(&row, "email:A", &ImportPolicy::default(), Location::Strict), "none");
}

#[test]
fn two_contacts_are_both_named() {
    let strict = directory(false, &[]);
    let row = draft("", "a@x", "+1");
    let refused =
        resolve_contact(&row, &found("email:A phone:B"), &ImportPolicy::default(), &strict)
            .unwrap_err();
    assert!(refused.message.contains("`A`") && refused.message.contains("`B`"));
    assert_eq!(refused.field, "phone");
}

#[test]
fn the_mode_decides_what_becomes_of_a_row() {
    let decided = |mode, on_existing, row: &ContactDraft, existing: &str| {
        let policy = ImportPolicy { mode, on_existing, ..ImportPolicy::default() };
        decide_action(row, &found(existing), &policy, &directory(true, &[]))
            .map_err(|one| one.code.spelling())
    };
    let id: ContactId = "A".parse().unwrap();
    let row = draft("", "a@x", "+1");
    let (skip, update, reject) = (ExistingRule::Skip, ExistingRule::Update, ExistingRule::Reject);
    let create_beside = ContactAction::CreateBeside { email: false, phone: true };
    for (mode, rule, existing, expected) in [
        (ImportMode::Upsert, skip, "", Ok(ContactAction::Create)),
        (ImportMode::Upsert, skip, "phone:P", Ok(create_beside)),
        (ImportMode::Upsert, skip, "email:A", Ok(ContactAction::Update(id.clone()))),
        (ImportMode::Create, skip, "", Ok(ContactAction::Create)),
        (ImportMode::Create, skip, "email:A", Ok(ContactAction::Skip(id.clone()))),
        (ImportMode::Create, update, "email:A", Ok(ContactAction::Update(id.clone()))),
        (ImportMode::Create, reject, "email:A", Err("R_EXISTS")),
        (ImportMode::Update, skip, "email:A", Ok(ContactAction::Update(id.clone()))),
        (ImportMode::Update, skip, "", Err("R_NOT_FOUND")),
        (ImportMode::Tag, skip, "email:A", Ok(ContactAction::Tag(id.clone()))),
        (ImportMode::Tag, skip, "", Err("R_NOT_FOUND")),
        (ImportMode::Untag, skip, "email:A", Ok(ContactAction::Untag(id))),
        (ImportMode::Untag, skip, "", Err("R_NOT_FOUND")),
    ] {
        assert_eq!(decided(mode, rule, &row, existing), expected, "{mode:?} {existing}");
    }
}

#[test]
fn a_row_of_notes_alone_creates_no_contact_unless_asked_to() {
    let mut row = draft("", "a@x", "");
    row.fields.remove(&Field::FirstName);
    row.notes.push(NoteDraft::default());
    let strict = directory(false, &[]);
    let decided = |mode| {
        let policy = ImportPolicy { mode, ..ImportPolicy::default() };
        decide_action(&row, &ContactMatches::default(), &policy, &strict)
            .map_err(|one| one.code.spelling())
    };
    assert_eq!(decided(ImportMode::Upsert), Err("R_NOT_FOUND"));
    assert_eq!(decided(ImportMode::Create), Ok(ContactAction::Create));
}

#[test]
fn a_row_that_deletes_names_one_contact_whatever_the_location_allows() {
    for allows in [false, true] {
        let directory = directory(allows, &["email", "phone"]);
        let whom = |id: &str, email: &str, phone: &str, existing: &str| {
            let draft = draft(id, email, phone);
            let found = found(existing);
            let who = resolve_for_deletion(&draft, &found, &ImportPolicy::default(), &directory);
            match who {
                Ok(who) => who.map_or_else(|| "gone".to_owned(), |who| who.to_string()),
                Err(rejection) => rejection.code.to_string(),
            }
        };
        assert_eq!(whom("A", "a@x", "", "id:A email:A"), "A");
        assert_eq!(whom("A", "a@x", "", "id:A"), "A");
        assert_eq!(whom("A", "a@x", "", "email:B"), "gone");
        assert_eq!(whom("A", "a@x", "", "id:A email:B"), "R_TWO_CONTACTS");
        assert_eq!(whom("A", "", "1", "id:A phone:B,C"), "R_TWO_CONTACTS");
        assert_eq!(whom("", "a@x", "1", "email:A phone:B"), "R_TWO_CONTACTS");
        assert_eq!(whom("", "a@x", "", "email:A,B"), "R_AMBIGUOUS_MATCH");
        assert_eq!(whom("", "a@x", "", "other:A"), "R_SECONDARY_EMAIL");
        assert_eq!(whom("", "a@x", "", ""), "gone");
    }
}
