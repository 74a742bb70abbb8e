//! Lists as programs write them: `["a","b"]` of JSON, `['a', 'b']` of Python, `{a,"b c"}` of Postgres,
//! and the arrays of PHP.

use serde_json::Value;

use super::php_array::take_php_array;

/// Takes a list at the beginning of a text, and returns its items, not trimmed, with the text behind it. Items
/// without quotes count only if `bare` allows them. `None` if the text does not begin with a list; then its brackets
/// are part of a name, as in `[VIP]` or `{{contact.tag}}`.
pub(super) fn take_bracketed_list(text: &str, bare: bool) -> Option<(Vec<String>, &str)> {
    if let Some(found) = take_json_array(text).or_else(|| take_php_array(text)) {
        return Some(found);
    }
    let (close, bare) = match text.as_bytes().first()? {
        b'[' => (']', bare),
        // Only Postgres writes braces, and it quotes no more than it must.
        b'{' => ('}', true),
        b'(' => (')', false),
        _ => return None,
    };
    let mut scan = ListScan { rest: &text[1..], close, bare, items: Vec::new(), quoted: 0 };
    scan.read_items()?;
    // `[VIP]` is more likely a name than a list of one.
    let is_name = close == ']' && scan.quoted == 0 && scan.items.len() < 2;
    (!is_name).then_some((scan.items, scan.rest))
}

/// Takes a JSON array of strings, numbers and booleans.
fn take_json_array(text: &str) -> Option<(Vec<String>, &str)> {
    if !text.starts_with('[') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Vec<Value>>();
    let values = stream.next()?.ok()?;
    let rest = &text[stream.byte_offset()..];
    let item = |value| match value {
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    };
    Some((values.into_iter().map(item).collect::<Option<_>>()?, rest))
}

/// The items of one list, as far as they have been read.
struct ListScan<'t> {
    rest: &'t str,
    close: char,
    /// Whether items may be without quotes.
    bare: bool,
    items: Vec<String>,
    /// How many items had quotes.
    quoted: usize,
}

impl ListScan<'_> {
    /// Reads up to and including the closing bracket.
    fn read_items(&mut self) -> Option<()> {
        self.skip_blanks();
        if let Some(rest) = self.rest.strip_prefix(self.close) {
            self.rest = rest;
            return Some(());
        }
        loop {
            self.skip_blanks();
            match self.rest.chars().next()? {
                quote @ ('"' | '\'')
                    if quote == '"' || self.close != '}' || self.is_quoted_set() =>
                {
                    self.read_quoted_item(quote)?;
                }
                _ => self.read_bare_item()?,
            }
            self.skip_blanks();
            let next = self.rest.chars().next()?;
            self.rest = &self.rest[next.len_utf8()..];
            match next {
                ',' => {}
                _ if next == self.close => return Some(()),
                _ => return None,
            }
            // Python writes a comma behind the only item of a tuple.
            if self.rest.trim_start().starts_with(self.close) {
                self.rest = &self.rest.trim_start()[1..];
                return Some(());
            }
        }
    }

    /// Whether the item at hand is one of a Python set, `{'a', 'b'}`: Postgres has no single quotes.
    fn is_quoted_set(&self) -> bool {
        let behind = self.rest.get(1..).and_then(|rest| rest.split_once('\''));
        behind.is_some_and(|(_, after)| after.trim_start().starts_with([',', '}']))
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn read_quoted_item(&mut self, quote: char) -> Option<()> {
        let mut item = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        loop {
            let (at, c) = chars.next()?;
            match c {
                '\\' => item.push(chars.next()?.1),
                _ if c == quote => {
                    self.rest = &self.rest[at + 1..];
                    self.items.push(item);
                    self.quoted += 1;
                    return Some(());
                }
                _ => item.push(c),
            }
        }
    }

    fn read_bare_item(&mut self) -> Option<()> {
        let end = self.rest.find([',', self.close])?;
        let item = self.rest[..end].trim();
        self.rest = &self.rest[end..];
        let is_nothing = matches!(item, "NULL" | "None" | "null");
        let is_word = matches!(item, "True" | "False") || item.parse::<f64>().is_ok();
        if item.contains(['[', ']', '{', '}', '(', ')', '"', ':', ';', '|'])
            || !(self.bare || is_nothing || is_word)
        {
            return None;
        }
        self.items.push(if is_nothing { String::new() } else { item.to_owned() });
        Some(())
    }
}
