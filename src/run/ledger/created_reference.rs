//! References to records that an op has yet to create.
//!
//! A plan is made before anything is sent, so an op that needs the id of a record which another op creates holds a
//! reference in its place. The plan in the database never changes: every reader of an op gets the id as soon as the
//! ledger has it. Only the value of a property `id` can be a reference, so a text of the sheet never is one.

use std::borrow::Cow;

/// What begins a reference; the number of the op follows.
const PREFIX: &str = "created-by-op:";

/// The reference to the record that an op creates.
#[must_use]
pub fn reference_to_created(op: u64) -> String {
    format!("{PREFIX}{op}")
}

/// The op that a reference names; `None` if the text is no reference.
#[must_use]
pub fn referenced_op(id: &str) -> Option<u64> {
    id.strip_prefix(PREFIX)?.parse().ok()
}

/// Replaces the references in an op's body. Those of ops that have created nothing yet remain.
pub(super) fn resolve_references<E>(
    body: &str,
    mut created: impl FnMut(u64) -> Result<Option<String>, E>,
) -> Result<Cow<'_, str>, E> {
    // In a text value the quotation marks would be escaped.
    let begin = format!("\"id\":\"{PREFIX}");
    if !body.contains(&begin) {
        return Ok(body.into());
    }
    let (mut resolved, mut rest) = (String::with_capacity(body.len()), body);
    while let Some(at) = rest.find(&begin) {
        let number = &rest[at + begin.len()..];
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let end = at + begin.len() + digits;
        let id = match number[..digits].parse() {
            Ok(op) if rest[end..].starts_with('"') => created(op)?,
            _ => None,
        };
        if let Some(id) = id {
            resolved.push_str(&rest[..at]);
            resolved.push_str("\"id\":");
            resolved.push_str(&serde_json::Value::from(id).to_string());
            rest = &rest[end + 1..];
        } else {
            resolved.push_str(&rest[..end]);
            rest = &rest[end..];
        }
    }
    resolved.push_str(rest);
    Ok(resolved.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        let created = |op| Ok::<_, ()>((op == 12).then(|| "a\"b".to_owned()));
        assert_eq!(resolve_references(body, created).unwrap(), expected);
    }

    #[test]
    fn a_reference_becomes_the_id_of_what_its_op_created() {
        check(
            r#"[{"id":"created-by-op:12","x":1},{"id":"created-by-op:12"}]"#,
            r#"[{"id":"a\"b","x":1},{"id":"a\"b"}]"#,
        );
    }

    #[test]
    fn only_a_whole_id_is_a_reference_and_only_of_what_exists() {
        for body in [
            r#"{"id":"created-by-op:1"}"#,
            r#"{"id":"created-by-op:12x"}"#,
            r#"{"id":"created-by-op:"}"#,
            r#"{"value":"created-by-op:12"}"#,
            r#"{"value":"\"id\":\"created-by-op:12\""}"#,
        ] {
            check(body, body);
        }
    }

    #[test]
    fn a_reference_names_its_op() {
        assert_eq!(referenced_op(&reference_to_created(7)), Some(7));
        assert_eq!(referenced_op("abc"), None);
    }
}
