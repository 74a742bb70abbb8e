//! What is left of a broken body.

use super::*;
use crate::api::decode;

/// Repairs a page of contacts; gives the stored body, the ids that drive the walk, and what is reported.
#[track_caller]
fn repair(body: &[u8]) -> (String, Vec<Option<String>>, Vec<BrokenRecord>) {
    let body = Bytes::copy_from_slice(body);
    let decoded = decode_body(body, Some("contacts"), decode::contact_page).unwrap();
    let stored = String::from_utf8(decoded.body.to_vec()).unwrap();
    let ids = decoded.head.rows.iter().map(|row| row.as_ref().map(|row| row.id.to_string()));
    assert!(serde_json::from_str::<serde_json::Value>(&stored).is_ok(), "{stored}");
    (stored, ids.collect(), decoded.broken)
}

fn some(ids: &[&str]) -> Vec<Option<String>> {
    ids.iter().map(|id| Some((*id).to_owned())).collect()
}

#[test]
fn a_sound_body_stays_as_it_is() {
    let body = r#"{"contacts":[{"id":"ü"}, 3],"total":2}"#;
    let (stored, _, broken) = repair(body.as_bytes());
    assert_eq!((stored.as_str(), broken.len()), (body, 0));
}

#[test]
fn bytes_that_are_not_utf_8_cost_one_record_a_report() {
    let body = b"{\"contacts\":[{\"id\":\"a\",\"name\":\"J\xF6rg\"} , {\"id\":\"b\"}],\"total\":2}";
    let (stored, ids, broken) = repair(body);
    assert_eq!(
        stored,
        "{\"contacts\":[{\"id\":\"a\",\"name\":\"J\u{fffd}rg\"},{\"id\":\"b\"}],\"total\":2}"
    );
    assert_eq!(ids, some(&["a", "b"]));
    let BrokenRecord { id, place, is_kept, message } = &broken[0];
    assert_eq!((id.as_deref(), *place, *is_kept, broken.len()), (Some("a"), 0, true, 1));
    assert!(message.contains(r"J\xF6rg"), "{message}");
}

#[test]
fn a_surrogate_pair_in_cesu_8_is_one_place() {
    let body = b"{\"contacts\":[{\"id\":\"a\",\"name\":\"\xED\xA0\xBD\xED\xB8\x80\"}]}";
    let (_, ids, broken) = repair(body);
    assert_eq!(ids, some(&["a"]));
    assert_eq!(broken[0].message.matches(r"\xED\xA0\xBD\xED\xB8\x80").count(), 1, "{broken:?}");
}

#[test]
fn escapes_and_control_characters_that_json_does_not_know_are_escaped() {
    let body =
        b"{\"contacts\":[{\"id\":\"a\",\"x\":\"\\x41\\u12\",\"y\":\"1\n2\x01\"},{\"id\":\"b\"}]}";
    let (stored, ids, broken) = repair(body);
    assert_eq!(ids, some(&["a", "b"]));
    let page: serde_json::Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(page["contacts"][0]["x"], r"\x41\u12");
    assert_eq!(page["contacts"][0]["y"], "1\n2\u{1}");
    assert!(broken[0].is_kept && broken[0].message.starts_with("not JSON"), "{broken:?}");
}

#[test]
fn of_a_row_that_is_not_json_the_members_before_the_break_are_kept() {
    for wrong in [
        r#"{"id":"b","email":"b@x","name":"Bob "the" Builder","tags":["t"]}"#,
        r#"{"id":"b","email":"b@x","name":"Bob "B" , "tags":["t"]}"#,
        r#"{"id":"b","email":"b@x","name":,"tags":[{"id":"t"},{"id":"u"}]}"#,
        r#"{"id":"b","email":"b@x","name":"Bob" "tags":[{"id":"t"}]}"#,
        r#"{"id":"b","email":"b@x","name":"Bob"#,
    ] {
        for rows in [
            format!(r#"{{"id":"a"}},{wrong},{{"id":"c"}},{{"id":"d"}}"#),
            format!(r#"{{"id":"a"}},{{"id":"c"}},{wrong}"#),
            format!(r#"{wrong},{{"id":"a"}},{{"id":"c"}}"#),
        ] {
            let body = format!(r#"{{"contacts":[{rows}],"total":4,"traceId":"t"}}"#);
            let (stored, ids, broken) = repair(body.as_bytes());
            assert!(stored.contains(r#"{"id":"b","email":"b@x""#), "{body}: {stored}");
            for id in ["a", "b", "c"] {
                assert!(ids.contains(&Some(id.to_owned())), "{body}: {ids:?}");
            }
            assert_eq!((broken.len(), broken[0].id.as_deref()), (1, Some("b")), "{body}");
        }
    }
}

#[test]
fn a_row_that_cannot_be_read_at_all_is_left_out_and_counted() {
    let (stored, ids, broken) = repair(br#"{"contacts":[{"id":"a"},{id:1},{"id":"c"}],"total":3}"#);
    assert_eq!(stored, r#"{"contacts":[{"id":"a"},{"id":"c"}],"total":3}"#);
    assert_eq!(ids, [Some("a".to_owned()), None, Some("c".to_owned())]);
    assert_eq!((broken[0].place, broken[0].is_kept, &broken[0].id), (1, false, &None));
}

#[test]
fn a_body_that_was_cut_off_is_an_error_or_at_least_not_believed_at_once() {
    let body = r#"{"total":3,"contacts":[{"id":"a","tags":["x"]},{"id":"b"}],"traceId":"t"}"#;
    for end in 1..body.len() {
        let cut = Bytes::copy_from_slice(&body.as_bytes()[..end]);
        let decoded = decode_body(cut, Some("contacts"), decode::contact_page);
        assert!(decoded.is_err() || decoded.is_ok_and(|decoded| decoded.is_cut), "{end}");
    }
    for other in ["", "<html>", "[]", "{}", r#"{"contacts":{}}"#] {
        let other = Bytes::copy_from_slice(other.as_bytes());
        assert!(decode_body(other, Some("contacts"), decode::contact_page).is_err());
    }
}

#[test]
fn a_single_record_is_repaired_but_not_cut() {
    let read = |body: &[u8]| decode_body(Bytes::copy_from_slice(body), None, decode::raw_contact);
    let decoded = read(b"{\"contact\":{\"id\":\"a\",\"city\":\"K\xF6ln\"}}").unwrap();
    assert_eq!(decoded.head.unwrap().get(), "{\"id\":\"a\",\"city\":\"K\u{fffd}ln\"}");
    assert_eq!(decoded.broken.len(), 1);
    assert!(read(br#"{"contact":{"id":"a","city":"K"#).is_err());
}

#[test]
fn what_is_reported_is_bounded() {
    let mut body = b"{\"contacts\":[{\"id\":\"a\",\"x\":\"".to_vec();
    body.extend(std::iter::repeat_n(*b"long text \xFF", 10_000).flatten());
    body.extend(b"\"}]}");
    let (_, _, broken) = repair(&body);
    assert!(broken[0].message.len() < 1_000, "{}", broken[0].message.len());
    assert!(broken[0].message.contains("more places"));
}

proptest::proptest! {
    #[test]
    fn whatever_bytes_are_replaced_what_is_left_is_json_and_other_rows_stay(
        at in 0_usize..200, bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..6), insert: bool
    ) {
        let rows = r#"{"id":"a","n":[1]},{"id":"b","x":{"y":"z"}},{"id":"c","n":"\\\""},{"id":"d","n":null}"#;
        let mut body = format!(r#"{{"contacts":[{rows}],"total":4}}"#).into_bytes();
        let at = at % body.len();
        let end = if insert { at } else { (at + bytes.len()).min(body.len()) };
        body.splice(at..end, bytes);
        if let Ok(decoded) = decode_body(body.into(), Some("contacts"), decode::contact_page) {
            let stored: serde_json::Value = serde_json::from_slice(&decoded.body).unwrap();
            let rows = stored["contacts"].as_array().map_or(0, Vec::len);
            assert!(rows >= 2 || !decoded.broken.is_empty(), "{stored}");
        }
    }
}
