//! Renders mappings as TOML text.

use std::fmt::{Display, Write};

use super::field_name::clean_field_name;
use super::toml_text::{toml_string, toml_string_array};
use super::{FORMAT, Mapping, MappingRule, OnMissing, RuleCondition};
use crate::choice::Choice;
use crate::model::target::MappingTarget;
use crate::sheet::{HiddenRowPolicy, SheetReadOptions};

impl Mapping {
    /// Renders the mapping as a text that parses to the same mapping.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = MappingTomlWriter(format!("format = {FORMAT}\n"));
        if let Some(location) = &self.location {
            out.write_entry("location", toml_string(location.as_str()));
        }
        if self.missing == OnMissing::Skip {
            out.write_entry("missing", toml_string("skip"));
        }
        if !self.ignore.is_empty() {
            out.write_entry("ignore", toml_string_array(&self.ignore));
        }
        out.write_sheet_table(&self.reading);
        let options = self.options.entries();
        if !options.is_empty() {
            out.0.push_str("\n[options]\n");
            for (name, value) in options {
                out.write_entry(name, json_to_toml(&value));
            }
        }
        for rule in &self.rules {
            out.0.push_str("\n[[column]]\n");
            out.write_rule(rule);
        }
        for constant in &self.constants {
            out.0.push_str("\n[[constant]]\n");
            out.write_entry("to", toml_string(&constant.to.to_string()));
            out.write_entry("value", toml_string(&constant.value));
            if !constant.file.is_empty() {
                out.write_entry("file", toml_string_array(&constant.file));
            }
            out.write_conditions(&constant.when);
        }
        out.0
    }
}

impl MappingRule {
    /// The entries of the rule's table.
    pub(crate) fn to_toml_entries(&self) -> String {
        let mut out = MappingTomlWriter(String::new());
        out.write_rule(self);
        out.0
    }
}

struct MappingTomlWriter(String);

impl MappingTomlWriter {
    fn write_entry(&mut self, key: &str, value: impl Display) {
        writeln!(self.0, "{key} = {value}").expect("a text takes all");
    }

    fn write_conditions(&mut self, conditions: &[RuleCondition]) {
        match conditions {
            [] => {}
            [one] => self.write_entry("when", one.to_toml()),
            several => {
                let all: Vec<String> = several.iter().map(RuleCondition::to_toml).collect();
                self.write_entry("when", format_args!("[{}]", all.join(", ")));
            }
        }
    }

    fn write_sheet_table(&mut self, reading: &SheetReadOptions) {
        if *reading == SheetReadOptions::default() {
            return;
        }
        self.0.push_str("\n[sheet]\n");
        if let Some(encoding) = &reading.encoding {
            self.write_entry("encoding", toml_string(encoding));
        }
        if let Some(delimiter) = reading.delimiter {
            self.write_entry("delimiter", toml_string(delimiter.encode_utf8(&mut [0; 4])));
        }
        if let Some(sheet) = &reading.sheet {
            self.write_entry("sheet", toml_string(sheet));
        }
        if let Some(row) = reading.header_row {
            self.write_entry("header_row", row);
        }
        if reading.hidden != HiddenRowPolicy::Refuse {
            self.write_entry("hidden", toml_choice(reading.hidden));
        }
    }

    fn write_target(&mut self, rule: &MappingRule) {
        let (Some(create), MappingTarget::Custom(name)) = (rule.create, &rule.to) else {
            return self.write_entry("to", toml_string(&rule.to.to_string()));
        };
        self.write_entry("create", toml_choice(create));
        if rule.from.first().is_none_or(|from| clean_field_name(from) != *name) {
            self.write_entry("name", toml_string(name));
        }
    }

    fn write_rule(&mut self, rule: &MappingRule) {
        match rule.from.as_slice() {
            [one] => self.write_entry("from", toml_string(one)),
            several => self.write_entry("from", toml_string_array(several)),
        }
        if rule.join != " " {
            self.write_entry("join", toml_string(&rule.join));
        }
        self.write_target(rule);
        if let Some(convert) = &rule.convert {
            self.write_entry("convert", toml_choice(*convert));
        }
        if let Some(blank) = rule.blank {
            self.write_entry("blank", toml_choice(blank));
        }
        if !rule.values.is_empty() {
            let pairs = rule
                .values
                .iter()
                .map(|(from, to)| format!("{} = {}", toml_string(from), toml_string(to)));
            self.write_entry("values", format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")));
        }
        for (key, text) in [("prefix", &rule.prefix), ("strip_prefix", &rule.strip_prefix)] {
            if !text.is_empty() {
                self.write_entry(key, toml_string(text));
            }
        }
        if let Some(split) = &rule.split {
            self.write_entry("split", toml_string_array(split));
        }
        if let Some(part) = rule.part {
            self.write_entry("part", toml_string(&part.to_string()));
        }
        if let Some(template) = &rule.template {
            self.write_entry("template", toml_string(&template.to_string()));
        }
        if let Some(tags) = &rule.tags {
            self.write_entry("tags", toml_choice(*tags));
        }
        self.write_conditions(&rule.when);
        if rule.fallback {
            self.write_entry("fallback", true);
        }
        if let Some(named_by) = &rule.named_by {
            self.write_entry("named_by", toml_string(named_by));
        }
    }
}

fn toml_choice(value: impl Choice) -> String {
    toml_string(value.word())
}

fn json_to_toml(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => toml_string(text),
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(json_to_toml).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
