//! How look-up results are classified.

use serde_json::json;

use super::*;

fn change(body: Value) -> OpChange {
    let Value::Object(body) = body else { panic!("a body is an object") };
    OpChange::Create { body }
}

fn remote(row: &Value) -> RemoteContact {
    RemoteContact::from_json_value(row).unwrap()
}

const WINDOW: CreationWindow = CreationWindow {
    from: 999_999_910_000,
    certain_from: 1_000_000_000_000,
    to: 1_000_000_060_000,
};

/// `applied`, `differs` or the code of a refusal.
fn name(finding: &OpResolution) -> &str {
    match finding {
        OpResolution::Applied { .. } => "applied",
        OpResolution::Differs { .. } => "differs",
        OpResolution::Nothing { .. } => "nothing",
        OpResolution::NotApplied => "not applied",
        OpResolution::SendAgain => "send again",
        OpResolution::Refused { code, .. } => code.spelling(),
        OpResolution::Conflict { .. } => "conflict",
        OpResolution::Undecidable { .. } => "undecidable",
    }
}

#[test]
fn a_contact_with_our_identity_is_ours_when_it_came_since_we_sent_it() {
    let change = change(json!({ "email": "a@x.org", "firstName": "Ann" }));
    let check = |added: Option<i64>, first: &str, expected: &str| {
        let remote = remote(&json!({
            "id": "c", "email": "a@x.org", "firstName": first, "dateAdded": added,
        }));
        assert_eq!(
            name(&classify_created(&change, WINDOW, &remote)),
            expected,
            "{added:?} {first}"
        );
    };
    check(Some(WINDOW.certain_from), "Ann", "applied");
    check(Some(WINDOW.certain_from), "Eve", "differs");
    // By one of the clocks only.
    check(Some(WINDOW.from), "Ann", "applied");
    check(Some(WINDOW.from), "Eve", EXISTS_NOW.spelling());
    // Later than any of our requests could have been applied: no other writer uses this identity.
    check(Some(WINDOW.to + 1), "Ann", "applied");
    check(Some(WINDOW.from - 1), "Ann", EXISTS_NOW.spelling());
    check(None, "Ann", "applied");
    check(None, "Eve", EXISTS_NOW.spelling());
}

#[test]
fn a_contact_with_the_phone_but_another_address_is_another_contact() {
    let change = change(json!({ "email": "a@x.org", "phone": "+1 202 555 0143" }));
    let check = |email: Option<&str>, phone: Option<&str>, expected: &str| {
        let remote = remote(&json!({
            "id": "c", "email": email, "phone": phone, "dateAdded": WINDOW.certain_from,
        }));
        assert_eq!(
            name(&classify_created(&change, WINDOW, &remote)),
            expected,
            "{email:?} {phone:?}"
        );
    };
    check(Some("A@X.org"), Some("+12025550143"), "applied");
    check(Some("a@x.org"), None, "differs");
    check(Some("b@x.org"), Some("+12025550143"), EXISTS_NOW.spelling());
    check(Some("a@x.org"), Some("+12025550145"), EXISTS_NOW.spelling());
}

#[test]
fn a_contact_without_identity_must_equal_what_was_sent_and_come_in_time() {
    let change = change(json!({ "firstName": "Ann" }));
    let check = |added: Option<i64>, first: &str, expected: bool| {
        let remote = remote(&json!({ "id": "c", "firstName": first, "dateAdded": added }));
        assert_eq!(is_equal_in_window(&change, WINDOW, &remote), expected, "{added:?} {first}");
    };
    check(Some(WINDOW.from), "Ann", true);
    check(Some(WINDOW.to), "Ann", true);
    check(Some(WINDOW.to + 1), "Ann", false);
    check(Some(WINDOW.from - 1), "Ann", false);
    check(Some(WINDOW.from), "Eve", false);
    check(None, "Ann", false);
}

#[test]
fn an_identity_is_either_of_e_mail_and_phone() {
    let remote = remote(&json!({ "id": "c", "email": "Ann@x.org", "phone": "+14155551234" }));
    assert!(matches_identity(&remote, Some("ann@X.org"), None));
    assert!(matches_identity(&remote, Some("b@x.org"), Some("+14155551234")));
    assert!(!matches_identity(&remote, Some("b@x.org"), None));
    assert!(!matches_identity(&remote, None, None));
}
