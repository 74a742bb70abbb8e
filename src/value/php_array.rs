//! Arrays as PHP serializes them, which plugins of web sites export: `a:2:{i:0;s:3:"abc";i:1;s:2:"de";}`.

/// A part of an array: a text, number or boolean.
#[derive(Debug, PartialEq, Eq)]
enum Scalar {
    Text(String),
    Number(String),
    Boolean(bool),
    Null,
}

/// Takes an array at the beginning of a text, and returns its items with the text behind it: the values, or of
/// checkboxes by name the names that are set. `None` if the text does not begin with an array of texts, numbers and
/// booleans.
pub(super) fn take_php_array(text: &str) -> Option<(Vec<String>, &str)> {
    let (count, rest) = text.strip_prefix("a:")?.split_once(":{")?;
    let count: usize = count.parse().ok()?;
    let (mut rest, mut items) = (rest, Vec::new());
    for _ in 0..count {
        let (key, after) = take_scalar(rest)?;
        let (value, after) = take_scalar(after)?;
        rest = after;
        items.push(match (key, value) {
            (_, Scalar::Text(text) | Scalar::Number(text)) => text,
            (Scalar::Text(name), Scalar::Boolean(true)) => name,
            (_, Scalar::Boolean(_) | Scalar::Null) => continue,
        });
    }
    Some((items, rest.trim_start().strip_prefix('}')?))
}

/// Takes one key or value with the semicolon behind it.
fn take_scalar(text: &str) -> Option<(Scalar, &str)> {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix("N;") {
        return Some((Scalar::Null, rest));
    }
    let (kind, rest) = text.split_once(':')?;
    match kind {
        "s" => take_text(rest),
        "b" => {
            let (digit, rest) = rest.split_once(';')?;
            Some((Scalar::Boolean(digit == "1"), rest))
        }
        "i" | "d" => {
            let (number, rest) = rest.split_once(';')?;
            number.parse::<f64>().ok()?;
            Some((Scalar::Number(number.to_owned()), rest))
        }
        _ => None,
    }
}

/// Takes a text behind its length, which counts bytes. In a file that was converted to another encoding it may count
/// what has become characters, or be wrong.
fn take_text(text: &str) -> Option<(Scalar, &str)> {
    let (length, rest) = text.split_once(":\"")?;
    let length: usize = length.parse().ok()?;
    let by_characters = rest.char_indices().nth(length).map(|(at, _)| at);
    let ends = [Some(length), by_characters, rest.find("\";")];
    let end = ends
        .into_iter()
        .flatten()
        .find(|end| rest.get(*end..).is_some_and(|after| after.starts_with("\";")))?;
    Some((Scalar::Text(rest[..end].to_owned()), &rest[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&[&str], &str)>) {
        let found = take_php_array(text);
        let found = found
            .as_ref()
            .map(|(items, rest)| (items.iter().map(String::as_str).collect::<Vec<_>>(), *rest));
        assert_eq!(found, expected.map(|(items, rest)| (items.to_vec(), rest)), "{text}");
    }

    #[test]
    fn the_values_are_the_items() {
        check(r#"a:2:{i:0;s:3:"abc";i:1;s:2:"de";}"#, Some((&["abc", "de"], "")));
        check(r#"a:2:{i:0;s:5:"a";"b";i:1;i:7;}; x"#, Some((&["a\";\"b", "7"], "; x")));
        check(r#"a:1:{s:4:"plan";s:4:"gold";}"#, Some((&["gold"], "")));
        check("a:0:{}", Some((&[], "")));
    }

    #[test]
    fn of_checkboxes_the_names_that_are_set_are_the_items() {
        check(r#"a:3:{s:3:"vip";b:1;s:3:"new";b:0;s:3:"old";N;}"#, Some((&["vip"], "")));
    }

    #[test]
    fn a_length_that_a_conversion_has_made_wrong_does_no_harm() {
        check(r#"a:1:{i:0;s:4:"Café";}"#, Some((&["Café"], "")));
        check(r#"a:1:{i:0;s:5:"Café";}"#, Some((&["Café"], "")));
        check(r#"a:1:{i:0;s:9:"Café";}"#, Some((&["Café"], "")));
    }

    #[test]
    fn what_is_no_such_array_is_not_touched() {
        for text in [
            "a:b",
            "a:2:{i:0;s:1:\"x\";}",
            "a:1:{i:0;a:0:{}}",
            "a:1:{i:0;s:1:\"x\"}",
            "a:99999999999999999999:{}",
        ] {
            check(text, None);
        }
    }
}
