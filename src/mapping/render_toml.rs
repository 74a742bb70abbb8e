//! Mappings as TOML text.

use std::fmt::{Display, Write};

use serde::Serialize;

use super::{FORMAT, Mapping, Missing, Rule};
use crate::sheet::{Hidden, Reading};

impl Mapping {
    /// The mapping as a text that reads as the same mapping.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Out(format!("format = {FORMAT}\n"));
        if let Some(location) = &self.location {
            out.put("location", quote(location.as_str()));
        }
        if self.missing == Missing::Skip {
            out.put("missing", quote("skip"));
        }
        if !self.ignore.is_empty() {
            out.put("ignore", list(&self.ignore));
        }
        out.reading(&self.reading);
        if !self.options.is_empty() {
            out.0.push_str("\n[options]\n");
            for (name, value) in &self.options {
                out.put(&key(name), json(value));
            }
        }
        for rule in &self.rules {
            out.0.push_str("\n[[column]]\n");
            out.rule(rule);
        }
        for constant in &self.constants {
            out.0.push_str("\n[[constant]]\n");
            out.put("to", quote(&constant.to.to_string()));
            out.put("value", quote(&constant.value));
            if !constant.file.is_empty() {
                out.put("file", list(&constant.file));
            }
        }
        out.0
    }
}

impl Rule {
    /// The entries of the rule's table.
    pub(crate) fn entries(&self) -> String {
        let mut out = Out(String::new());
        out.rule(self);
        out.0
    }
}

struct Out(String);

impl Out {
    fn put(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("a text takes all");
    }

    fn reading(&mut self, reading: &Reading) {
        if *reading == Reading::default() {
            return;
        }
        self.0.push_str("\n[sheet]\n");
        if let Some(encoding) = &reading.encoding {
            self.put("encoding", quote(encoding));
        }
        if let Some(delimiter) = reading.delimiter {
            self.put("delimiter", quote(delimiter.encode_utf8(&mut [0; 4])));
        }
        if let Some(sheet) = &reading.sheet {
            self.put("sheet", quote(sheet));
        }
        if let Some(row) = reading.header_row {
            self.put("header_row", row);
        }
        if reading.hidden != Hidden::Refuse {
            self.put("hidden", word(&reading.hidden));
        }
    }

    fn rule(&mut self, rule: &Rule) {
        match rule.from.as_slice() {
            [one] => self.put("from", quote(one)),
            several => self.put("from", list(several)),
        }
        if rule.join != " " {
            self.put("join", quote(&rule.join));
        }
        self.put("to", quote(&rule.to.to_string()));
        if let Some(convert) = &rule.convert {
            self.put("convert", word(convert));
        }
        if let Some(blank) = rule.blank {
            self.put("blank", word(&blank));
        }
        if !rule.values.is_empty() {
            let pairs =
                rule.values.iter().map(|(from, to)| format!("{} = {}", quote(from), quote(to)));
            self.put("values", format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")));
        }
        for (key, text) in [("prefix", &rule.prefix), ("strip_prefix", &rule.strip_prefix)] {
            if !text.is_empty() {
                self.put(key, quote(text));
            }
        }
        if let Some(split) = &rule.split {
            self.put("split", list(split));
        }
        if let Some(part) = rule.part {
            self.put("part", quote(&part.to_string()));
        }
        if let Some(template) = &rule.template {
            self.put("template", quote(&template.to_string()));
        }
        if let Some(tags) = &rule.tags {
            self.put("tags", word(tags));
        }
        if let Some(when) = &rule.when {
            self.put("when", when.to_toml());
        }
        if rule.fallback {
            self.put("fallback", true);
        }
        if let Some(named_by) = &rule.named_by {
            self.put("named_by", quote(named_by));
        }
    }
}

/// A key, in quotes where it needs them.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

/// A text between quotes, on one line and without anything that a terminal would obey.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || hides(c) => {
                write!(quoted, "\\U{:08X}", u32::from(c)).expect("a text takes all");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a reader would not see the character, or see others in another order.
pub(crate) fn hides(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A list of texts.
pub(crate) fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text)).collect();
    format!("[{}]", quoted.join(", "))
}

fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => quote(&word),
        _ => unreachable!("these enums are written as words"),
    }
}

fn json(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => quote(text),
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
