//! Contacts in every form, and equality of values.

use serde_json::json;

use super::*;

const SEARCH: &str = r#"{"id":"102goXVW3lIExEQPOnd3","locationId":"ve9EPM428h8vShlRW1KT","contactName":"jane smith",
 "firstName":"Jane","firstNameLowerCase":"jane","lastName":"Smith","lastNameLowerCase":"smith",
 "email":"Jane@example.com","additionalEmails":["j2@example.com"],"phone":"+14155551234","additionalPhones":[],"phoneLabel":null,
 "type":"lead","assignedTo":"182goXVW3lIExEQPOnd3","followers":[],"tags":["prospect","vip"],
 "customFields":[{"id":"text","value":"a \"b\""},{"id":"money","value":250000.5},{"id":"list","value":["90+ Days","x"]},{"id":"none","value":null},{"id":"cleared","value":[]}],
 "dnd":false,"dndSettings":{"SMS":{"status":"permanent","message":"STOP_KEYWORD","code":"103"},"RCS":{"status":"active"}},"inboundDndSettings":{},
 "address":"123 Main St","city":"New York","state":"NY","postalCode":"10001","country":"US","timezone":"America/New_York",
 "website":null,"companyName":"Acme Corp","businessName":null,"businessId":null,"dateOfBirth":654220800000,"source":"website",
 "dateAdded":"2025-11-24T16:58:56.678Z","dateUpdated":"2026-03-06T20:27:20.348Z",
 "opportunities":[{"id":"opp456"}],"attributionSource":{"sessionSource":"CRM UI"},"searchAfter":[1764003536678,"102goXVW3lIExEQPOnd3"]}"#;

const RECORD: &str = r#"{"id":"102goXVW3lIExEQPOnd3","firstName":"Jane","lastName":"Smith","fullNameLowerCase":"jane smith",
 "email":"Jane@example.com","emailLowerCase":"jane@example.com","phone":"+14155551234","additionalEmails":[{"email":"j2@example.com","validEmail":null}],
 "assignedTo":"182goXVW3lIExEQPOnd3","tags":["VIP","prospect"],
 "customFields":[{"id":"list","fieldValue":["x","90+ Days"]},{"id":"text","value":"a \"b\""},{"id":"money","field_value":250000.50}],
 "dndSettings":{"sms":{"status":"permanent","message":"STOP_KEYWORD","code":103}},
 "address1":"123 Main St","city":"New York","state":"NY","postalCode":"10001","country":"US","timezone":"America/New_York",
 "companyName":"Acme Corp","dateOfBirth":"1990-09-25T00:00:00.000Z","source":"website","dateAdded":1764003536678,
 "createdBy":{"source":"WEB_USER"}}"#;

fn remote(text: &str) -> RemoteContact {
    RemoteContact::from_json_slice(text.as_bytes()).unwrap()
}

#[test]
fn a_search_row_and_a_record_are_the_same_contact() {
    let (search, record) = (remote(SEARCH), remote(RECORD));
    assert_eq!(search.content_digest(), record.content_digest());
    assert_eq!(search.fields, record.fields);
    assert_eq!(search.channels, record.channels);
    assert_eq!(search.additional_emails, record.additional_emails);
    assert_eq!(search.added_ms, record.added_ms);
    assert_eq!(search.native_field(Field::DateOfBirth), Some("1990-09-25"));
    assert_eq!(search.native_field(Field::Address1), Some("123 Main St"));
    assert_eq!(search.updated_ms, Some(1_772_828_840_348));
    assert_eq!(search.custom.keys().collect::<Vec<_>>(), ["list", "money", "text"]);
    assert!(search.channels[&Channel::Sms].is_permanent());
    assert_eq!(search.business, None);
}

#[test]
fn parsed_json_reads_like_its_text() {
    let value: Value = serde_json::from_str(SEARCH).unwrap();
    assert_eq!(
        RemoteContact::from_json_value(&value),
        RemoteContact::from_json_slice(SEARCH.as_bytes())
    );
}

#[test]
fn typed_names_are_better_than_lower_case_ones() {
    let row =
        r#"{"id":"a","firstName":"zoë","firstNameRaw":"Zoë","lastName":"m","lastNameRaw":null}"#;
    assert_eq!(remote(row).full_name(), "Zoë m");
    assert_eq!(remote(r#"{"id":"a","contactName":"only name"}"#).full_name(), "only name");
}

#[test]
fn odd_values_are_passed_over_and_hide_nothing() {
    let row = r#"{"id":"a","firstName":["x"],"email":{"a":1},"phone":14155551234,"tags":"x","dnd":"true",
        "customFields":{"a":1},"dndSettings":[1],"additionalEmails":[1,null,{"x":2},{"email":"b@x"}],"city":"","dateOfBirth":"soon"}"#;
    let remote = remote(row);
    assert_eq!(remote.native_field(Field::Phone), Some("14155551234"));
    assert_eq!(remote.native_field(Field::DateOfBirth), Some("soon"));
    assert_eq!(remote.fields.len(), 2);
    assert!(remote.dnd && remote.tags.is_empty() && remote.channels.is_empty());
    assert_eq!(remote.additional_emails, ["b@x"]);
    for text in ["", "null", "[]", "{}", r#"{"id":null}"#, r#"{"id":".."}"#, r#"{"id":"a""#] {
        assert_eq!(RemoteContact::from_json_slice(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn it_is_stored_and_read_again() {
    let remote = remote(SEARCH);
    let text = serde_json::to_string(&remote).unwrap();
    assert_eq!(serde_json::from_str::<RemoteContact>(&text).unwrap(), remote);
}

#[test]
fn the_digest_moves_with_whatever_a_plan_depends_on() {
    let base = remote(SEARCH);
    let changes: [fn(&mut RemoteContact); 9] = [
        |remote| remote.fields.insert(Field::City, "Boston".into()).map_or((), drop),
        |remote| remote.fields.remove(&Field::Email).map_or((), drop),
        |remote| remote.custom.insert("money".into(), json!(1)).map_or((), drop),
        |remote| remote.custom.insert("list".into(), json!(["x"])).map_or((), drop),
        |remote| remote.tags.push("new".into()),
        |remote| remote.dnd = true,
        |remote| remote.channels.clear(),
        |remote| remote.owner = None,
        |remote| remote.business = Some("b".into()),
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut edited = base.clone();
        change(&mut edited);
        assert_ne!(edited.content_digest(), base.content_digest(), "{number}");
    }
    let mut touched = base.clone();
    touched.updated_ms = None;
    touched.fields.insert(Field::Name, "Jane Smith".into());
    assert_eq!(touched.content_digest(), base.content_digest());
}

#[test]
fn custom_values_are_compared_by_their_kind() {
    let check = |kind: Option<&str>, one: Value, other: Value, expected: bool| {
        assert_eq!(
            equality::same_custom_value(kind, &one, &other),
            expected,
            "{kind:?} {one} {other}"
        );
        assert_eq!(
            equality::same_custom_value(kind, &other, &one),
            expected,
            "{kind:?} {other} {one}"
        );
    };
    check(Some("TEXT"), json!("a"), json!(" a "), true);
    check(Some("TEXT"), json!("a"), json!("A"), false);
    check(Some("TEXT"), json!("007"), json!("7"), false);
    check(Some("TEXT"), json!("2026-01-02"), json!("2026-01-02T00:00:00Z"), false);
    check(Some("LARGE_TEXT"), json!("a\r\nb"), json!("a\nb"), true);
    check(Some("MONETORY"), json!(5), json!(5.0), true);
    check(Some("NUMERICAL"), json!(5.5), json!("5.50"), true);
    check(Some("NUMERICAL"), json!(5), json!("five"), false);
    check(Some("DATE"), json!("2026-07-23"), json!("2026-07-23T00:00:00.000Z"), true);
    check(Some("DATE"), json!("1990-09-25"), json!(654_220_800_000_i64), true);
    check(Some("DATE"), json!("1990-09-25"), json!("1990-09-26"), false);
    check(Some("MULTIPLE_OPTIONS"), json!(["a", "b"]), json!(["b", "a"]), true);
    check(Some("MULTIPLE_OPTIONS"), json!(["a", "b"]), json!(["b"]), false);
    check(Some("CHECKBOX"), json!(["a"]), json!("a"), true);
    check(None, json!("2026-07-23"), json!("2026-07-23T00:00:00.000Z"), true);
    check(None, json!("1990-09-25"), json!(654_220_800_000_i64), true);
    check(None, json!(""), json!(null), true);
    check(None, json!([]), json!("x"), false);
    check(None, json!({"a": 1}), json!({"a": 1}), true);
}

#[test]
fn native_values_are_compared_by_their_kind() {
    for (field, one, other, expected) in [
        (Field::Email, "Ann@X.com", "ann@x.com", true),
        (Field::Phone, "+1 415-555-1234", "+14155551234", true),
        (Field::Phone, "+14155551234", "+14155551235", false),
        (Field::PostalCode, "02139", "2139", false),
        (Field::FirstName, "ann", "Ann", false),
        (Field::DateOfBirth, "1990-09-25", "1990-09-25T00:00:00.000Z", true),
        (Field::City, "Köln ", "Köln", true),
    ] {
        assert_eq!(equality::same_field(field, one, other), expected, "{field:?} {one} {other}");
    }
}

#[test]
fn rich_text_is_known_again_by_its_words() {
    for (plain, rich) in [
        ("two\nlines", "<p>two</p><p>lines</p>"),
        ("a & b", "<div>a &amp; b</div>"),
        ("1 < 2 > 0", "1 &lt; 2 &gt; 0"),
        ("end ", "end<br/>"),
    ] {
        assert_eq!(equality::strip_markup(plain), equality::strip_markup(rich), "{rich}");
    }
    assert_eq!(equality::strip_markup("a <b@x.example> c"), "a <b@x.example> c");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_contact_or_nothing(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in ".*") {
        let _ = RemoteContact::from_json_slice(&bytes);
        let _ = equality::strip_markup(&text);
        let _ = equality::leading_date(&text);
    }
}
