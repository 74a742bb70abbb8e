//! The rows in a response, as the server sent them.

use super::json_scan::{self, JsonElements};

/// The rows under a key of a response: the elements of a list, or a single object. A missing or
/// null list has none. The response must have passed a JSON parser.
pub fn response_rows<'r>(answer: &'r str, key: &str) -> impl Iterator<Item = &'r str> + use<'r> {
    let (list, one) = match json_scan::find_member_value(answer, key) {
        Some(at) if answer[at..].starts_with('[') => {
            (json_scan::array_elements(&answer[at..]), None)
        }
        Some(at) if answer[at..].starts_with('{') => {
            (JsonElements::empty(), json_scan::value_at(answer, at))
        }
        _ => (JsonElements::empty(), None),
    };
    list.chain(one)
}

/// Whether a row has a member of its own that is `true`.
#[must_use]
pub fn has_true_member(row: &str, key: &str) -> bool {
    // Most rows lack the key or have it once; looking for its text is faster than scanning.
    row.contains(key)
        && json_scan::object_members(row).any(|(own, raw)| own == key && raw == "true")
}

/// The text of a row's own member, if it has one that is a text.
#[must_use]
pub fn find_text_member(row: &str, key: &str) -> Option<String> {
    let mut members = json_scan::object_members(row).filter(|(own, _)| *own == key);
    let (_, raw) = members.next()?;
    json_scan::decode_string(raw).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &str, expected: &[&str]) {
        assert_eq!(response_rows(answer, "rows").collect::<Vec<_>>(), expected);
    }

    #[test]
    fn rows_stand_in_a_list_or_alone_and_may_be_missing() {
        check(r#"{"a":[{"rows":1}],"rows":[{"x": [1]}, 2 ],"b":[]}"#, &[r#"{"x": [1]}"#, "2"]);
        check(r#"{"rows" : {"x":"}"} , "b":1}"#, &[r#"{"x":"}"}"#]);
        check(r#"{"rows":null}"#, &[]);
        check("{}", &[]);
        check("", &[]);
    }
}
