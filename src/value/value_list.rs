//! Lists in one cell: tags and choices.

use std::collections::HashSet;

use super::bracketed_list::take_bracketed_list;
use super::split::{longest_prefix_len, split_at_separators};

/// The default separators. Slashes and full stops are not among them: they occur inside items.
const SEPARATORS: [&str; 6] = [",", ";", "|", "\n", "\r", " ::: "];

/// Parses the items of a cell: trimmed and not empty, in their original order. Duplicates that differ only in case
/// are dropped; the first spelling wins.
///
/// Lists of JSON, Python, Postgres and PHP are accepted: `["a","b"]`, `['a', 'b']`, `{a,"b c"}`, `a:1:{i:0;s:1:"a";}`.
/// Otherwise `split` gives the separators; by default they are `,` `;` `|`, line breaks and Google's ` ::: `. Where a comma separates items, quotation marks hold one item together: `"Boston,
/// MA","New"`. Google's group mark `* ` and its group of all contacts are removed.
#[must_use]
pub fn parse_list(text: &str, split: Option<&[String]>) -> Vec<String> {
    let text = text.trim();
    if let Some((items, "")) = take_bracketed_list(text, split.is_none()) {
        return distinct_items(items);
    }
    let items = match split {
        Some(separators) if separators.iter().any(|separator| separator.trim() == ",") => {
            split_quoted_items(text, separators)
        }
        Some(separators) => {
            split_at_separators(text, separators).into_iter().map(str::to_owned).collect()
        }
        None => split_quoted_items(text, &SEPARATORS),
    };
    if split.is_none() || text.contains(" ::: ") {
        return distinct_items(
            items.iter().filter_map(|item| strip_group_mark(item)).map(str::to_owned),
        );
    }
    distinct_items(items)
}

/// Splits at separators; an item may be in quotation marks, which are doubled inside it, or a list of its own.
fn split_quoted_items(text: &str, separators: &[impl AsRef<str>]) -> Vec<String> {
    let mut items = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.trim_start();
        if let Some((list, after)) = take_list_item(start, separators) {
            items.extend(list);
            rest = after;
            continue;
        }
        if let Some((item, after)) = take_quoted_item(start, separators) {
            items.push(item);
            rest = after;
            continue;
        }
        let mut end = 0;
        rest = loop {
            let Some(c) = rest[end..].chars().next() else {
                items.push(rest.trim().to_owned());
                break "";
            };
            if let Some(length) = longest_prefix_len(&rest[end..], separators) {
                items.push(rest[..end].trim().to_owned());
                break &rest[end + length..];
            }
            end += c.len_utf8();
        };
    }
    items
}

/// Takes a list with quoted items up to a separator or the end, and returns its items with the remaining text:
/// `["a","b"]; c`.
fn take_list_item<'t>(
    text: &'t str,
    separators: &[impl AsRef<str>],
) -> Option<(Vec<String>, &'t str)> {
    let (items, after) = take_bracketed_list(text, false)?;
    let trimmed = after.trim_start_matches([' ', '\t']);
    if trimmed.is_empty() {
        return Some((items, ""));
    }
    let length = longest_prefix_len(trimmed, separators)?;
    Some((items, &trimmed[length..]))
}

/// Takes an item in quotation marks up to a separator or the end, and returns it with the remaining text.
fn take_quoted_item<'t>(
    text: &'t str,
    separators: &[impl AsRef<str>],
) -> Option<(String, &'t str)> {
    let inner = text.strip_prefix('"')?;
    let mut from = 0;
    let end = loop {
        let mark = from + inner[from..].find('"')?;
        if !inner[mark + 1..].starts_with('"') {
            break mark;
        }
        from = mark + 2;
    };
    let after = &inner[end + 1..];
    let item = inner[..end].replace("\"\"", "\"").trim().to_owned();
    let trimmed = after.trim_start_matches([' ', '\t']);
    if trimmed.is_empty() {
        return Some((item, ""));
    }
    let (after, length) = longest_prefix_len(after, separators)
        .map(|length| (after, length))
        .or_else(|| longest_prefix_len(trimmed, separators).map(|length| (trimmed, length)))?;
    Some((item, &after[length..]))
}

/// Strips Google's group mark; `None` for its group of all contacts.
fn strip_group_mark(item: &str) -> Option<&str> {
    match item.strip_prefix("* ") {
        Some("myContacts") => None,
        Some(group) => Some(group),
        None => Some(item),
    }
}

fn distinct_items(items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let is_new = |item: &String| !item.trim().is_empty() && seen.insert(item.trim().to_lowercase());
    let mut items: Vec<_> = items.into_iter().collect();
    items.retain(is_new);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(parse_list(text, None), expected, "{text}");
    }

    #[test]
    fn items_are_separated() {
        check("Blue, Yellow,Green", &["Blue", "Yellow", "Green"]);
        check("Blue; Yellow", &["Blue", "Yellow"]);
        check("Blue|Yellow\nGreen\r\nRed", &["Blue", "Yellow", "Green", "Red"]);
        check("VIP,vip, VIP ", &["VIP"]);
        check("\"Boston, MA\",\"New\"", &["Boston, MA", "New"]);
        check("\"Boston, MA\" ; New", &["Boston, MA", "New"]);
        check("\"say \"\"hi\"\"\",b", &["say \"hi\"", "b"]);
        check("* Friends ::: * myContacts", &["Friends"]);
        check("* myContacts", &[]);
        check("a/b", &["a/b"]);
        check("v2.0, Acme Inc.", &["v2.0", "Acme Inc."]);
        check("", &[]);
        check(" , ;; ", &[]);
        check("5\" pipe, \"odd, \"x\" y", &["5\" pipe", "\"odd", "\"x\" y"]);
    }

    #[test]
    fn json_arrays_are_understood() {
        check(r#"["a; b","c, d",1]"#, &["a; b", "c, d", "1"]);
        check(r#"["[x"," y "]"#, &["[x", " y "]);
        check("[]", &[]);
        check("[VIP], b", &["[VIP]", "b"]);
        check(r#"[{"a":1}]"#, &[r#"[{"a":1}]"#]);
    }

    #[test]
    fn lists_of_programs_are_understood() {
        check("['Hot lead', 'VIP']", &["Hot lead", "VIP"]);
        check(r#"['it\'s', "O'Brien", 3, None]"#, &["it's", "O'Brien", "3"]);
        check("['VIP',]", &["VIP"]);
        check("('VIP', 'hot')", &["VIP", "hot"]);
        check("{vip,hot}", &["vip", "hot"]);
        check("{vip}", &["vip"]);
        check("{}", &[]);
        check(r#"{"Hot lead",VIP,NULL,"say \"hi\""}"#, &["Hot lead", "VIP", "say \"hi\""]);
        check("{'vip', 'hot'}", &["vip", "hot"]);
        check("[vip, hot lead]", &["vip", "hot lead"]);
        check(r#"["a","b"]; c"#, &["a", "b", "c"]);
        check("c, ['a, x', 'b']", &["c", "a, x", "b"]);
        check("[VIP]", &["[VIP]"]);
        check("{{contact.tag}}", &["{{contact.tag}}"]);
        check("{a", &["{a"]);
        check("(new), old", &["(new)", "old"]);
        check(r#"{"a":1}"#, &[r#"{"a":1}"#]);
        check(r#"a:2:{i:0;s:8:"Hot, new";i:1;s:3:"VIP";}"#, &["Hot, new", "VIP"]);
        check("a:b; c", &["a:b", "c"]);
        assert_eq!(parse_list("{a,b}", Some(&[String::from(";")])), ["a", "b"]);
        assert_eq!(parse_list("[a, b]", Some(&[String::from(";")])), ["[a, b]"]);
    }

    #[test]
    fn named_separators_are_the_only_ones() {
        let semicolon = [String::from(";")];
        assert_eq!(
            parse_list("Boston, MA; \"x\"; * y", Some(&semicolon)),
            ["Boston, MA", "\"x\"", "* y"]
        );
        assert_eq!(parse_list(r#"["a;b"]"#, Some(&semicolon)), ["a;b"]);
        let comma = [String::from(",")];
        assert_eq!(parse_list("\"Boston, MA\",a;b", Some(&comma)), ["Boston, MA", "a;b"]);
        let google = [String::from(" ::: ")];
        assert_eq!(parse_list("* Friends ::: * myContacts", Some(&google)), ["Friends"]);
    }

    #[test]
    fn a_huge_cell_takes_no_huge_time() {
        assert_eq!(parse_list(&"a,".repeat(300_000), None), ["a"]);
        assert_eq!(parse_list(&"\"a,".repeat(100_000), None).len(), 1);
        assert_eq!(parse_list(&"{a,".repeat(20_000), None).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[a-c\",;| ]{0,20}|\\PC{0,30}") {
            let items = parse_list(&text, None);
            proptest::prop_assert!(items.iter().all(|item| !item.trim().is_empty()));
        }

        #[test]
        fn a_list_is_read_back(items in proptest::collection::vec("[a-z,\"*.]{1,8}", 0..5)) {
            let semicolon = [String::from(";")];
            let read = parse_list(&items.join("; "), Some(&semicolon));
            proptest::prop_assert_eq!(read, distinct_items(items));
        }
    }
}
