//! Options: the choices of the policy that a mapping makes for its files.
//!
//! They have the names and words of the command line's flags, with `_` for `-`. One table says which
//! there are, what each takes, and which part of the policy it sets.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Mapping, Problem, closest_name, parse_target};
use crate::model::policy::{IdentityKey, ImportPolicy};
use crate::model::target::MappingTarget;

/// An option: its name, what it takes, and how it is set; none when the value is not of that kind.
struct OptionDefinition {
    name: &'static str,
    takes: &'static str,
    set: fn(&Value, &mut ImportPolicy) -> Option<()>,
}

#[rustfmt::skip]
static CHOICES: &[OptionDefinition] = &[
    OptionDefinition { name: "mode", takes: "`upsert`, `create`, `update`, `tag`, `untag` or `delete`", set: |v, p| set_if_some(&mut p.mode, parse_enum(v)) },
    OptionDefinition { name: "key", takes: "`usual` or a custom field", set: |v, p| set_if_some(&mut p.key, parse_identity_key(v)) },
    OptionDefinition { name: "on_duplicate", takes: "`reject`, `first`, `last` or `merge`", set: |v, p| set_if_some(&mut p.on_duplicate, parse_enum(v)) },
    OptionDefinition { name: "on_existing", takes: "`skip`, `update` or `reject`", set: |v, p| set_if_some(&mut p.on_existing, parse_enum(v)) },
    OptionDefinition { name: "tags", takes: "`add` or `replace`", set: |v, p| set_if_some(&mut p.tags, parse_enum(v)) },
    OptionDefinition { name: "no_identity", takes: "`stop`, `skip` or `at_most_once`", set: |v, p| set_if_some(&mut p.no_identity, parse_enum(v)) },
    OptionDefinition { name: "marker", takes: "a custom field", set: |v, p| set_if_some(&mut p.marker, parse_custom_field(v).map(Some)) },
    OptionDefinition { name: "blank", takes: "`leave`, `clear` or `error`", set: |v, p| set_if_some(&mut p.blank, parse_enum(v)) },
    OptionDefinition { name: "allow_clear", takes: "true or false", set: |v, p| set_if_some(&mut p.allow_clear, v.as_bool()) },
    OptionDefinition { name: "allow_resubscribe", takes: "true or false", set: |v, p| set_if_some(&mut p.allow_resubscribe, v.as_bool()) },
    OptionDefinition { name: "allow_name_only", takes: "true or false", set: |v, p| set_if_some(&mut p.allow_name_only, v.as_bool()) },
    OptionDefinition { name: "default_country", takes: "a country's two letters, such as `US`", set: |v, p| set_if_some(&mut p.default_country, parse_country_code(v).map(Some)) },
    OptionDefinition { name: "decimal", takes: "`comma` or `point`", set: |v, p| set_if_some(&mut p.decimal, parse_decimal_sign(v).map(Some)) },
    OptionDefinition { name: "date_order", takes: "`DMY`, `MDY` or `YMD`", set: |v, p| set_if_some(&mut p.date_order, parse_one_of(v, &["DMY", "MDY", "YMD"]).map(Some)) },
    OptionDefinition { name: "usual_date_order", takes: "`DMY`, `MDY` or `YMD`", set: |v, p| set_if_some(&mut p.usual_date_order, parse_one_of(v, &["DMY", "MDY", "YMD"]).map(Some)) },
    OptionDefinition { name: "date_locale", takes: "`en`, `fr`, `de`, `es`, `it`, `pt` or `nl`", set: |v, p| set_if_some(&mut p.date_locale, parse_one_of(v, &["en", "fr", "de", "es", "it", "pt", "nl"]).map(Some)) },
    OptionDefinition { name: "timezone", takes: "a time zone, such as `Europe/Berlin`", set: |v, p| set_if_some(&mut p.timezone, parse_timezone(v).map(Some)) },
    OptionDefinition { name: "empty_values", takes: "a list of texts", set: |v, p| set_if_some(&mut p.empty_values, parse_text_list(v)) },
    OptionDefinition { name: "on_invalid_phone", takes: "`reject` or `drop`", set: |v, p| set_if_some(&mut p.drop_invalid_phone, parse_either_word(v, "drop", "reject")) },
    OptionDefinition { name: "strict", takes: "true or false", set: |v, p| set_if_some(&mut p.strict, v.as_bool()) },
    OptionDefinition { name: "note_date", takes: "`ignore` or `prefix`", set: |v, p| set_if_some(&mut p.note_date_prefix, parse_either_word(v, "prefix", "ignore")) },
    OptionDefinition { name: "task_priority", takes: "`line` or `drop`", set: |v, p| set_if_some(&mut p.drop_task_priority, parse_either_word(v, "drop", "line")) },
    OptionDefinition { name: "default_due", takes: "a number of days, such as `7d`", set: |v, p| set_if_some(&mut p.default_due_days, parse_days(v).map(Some)) },
    OptionDefinition { name: "truncate_notes", takes: "a number of characters", set: |v, p| set_if_some(&mut p.truncate_notes, parse_number(v).map(Some)) },
    OptionDefinition { name: "split_notes", takes: "true or false", set: |v, p| set_if_some(&mut p.split_notes, v.as_bool()) },
];

impl Mapping {
    /// Sets in a policy what the mapping says.
    pub fn apply_options(&self, policy: &mut ImportPolicy) {
        for (name, value) in &self.options {
            if let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) {
                // Parsing has refused what cannot be set.
                let _ = (choice.set)(value, policy);
            }
        }
    }
}

/// What is wrong with an option, if anything.
pub(super) fn validate_option(name: &str, value: &Value, line: usize) -> Option<Problem> {
    let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) else {
        let near = closest_name(name, CHOICES.iter().map(|choice| choice.name));
        return Some(Problem::new(line, format!("there is no option `{name}`")).did_you_mean(near));
    };
    let set = (choice.set)(value, &mut ImportPolicy::default());
    let wrong = || Problem::new(line, format!("the option `{name}` takes {}", choice.takes));
    set.is_none().then(wrong)
}

fn set_if_some<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn parse_enum<T: DeserializeOwned>(value: &Value) -> Option<T> {
    let text = value.as_str()?.to_lowercase().replace('-', "_");
    serde_json::from_value(Value::String(text)).ok()
}

fn non_blank_text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn parse_identity_key(value: &Value) -> Option<IdentityKey> {
    match non_blank_text(value)? {
        "usual" => Some(IdentityKey::Usual),
        _ => parse_custom_field(value).map(IdentityKey::Custom),
    }
}

/// A custom field by its bare name, or as a target.
fn parse_custom_field(value: &Value) -> Option<String> {
    let text = non_blank_text(value)?;
    match parse_target(text) {
        Ok(MappingTarget::Custom(name)) => Some(name),
        _ => Some(text.to_owned()),
    }
}

fn parse_country_code(value: &Value) -> Option<String> {
    let text = non_blank_text(value)?;
    let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    code.then(|| text.to_uppercase())
}

fn parse_decimal_sign(value: &Value) -> Option<char> {
    match value.as_str()? {
        "," | "comma" => Some(','),
        "." | "point" | "dot" => Some('.'),
        _ => None,
    }
}

fn parse_one_of(value: &Value, words: &[&str]) -> Option<String> {
    let text = non_blank_text(value)?;
    words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| (*word).to_owned())
}

fn parse_timezone(value: &Value) -> Option<String> {
    let name = non_blank_text(value)?;
    jiff::tz::TimeZone::get(name).is_ok().then(|| name.to_owned())
}

fn parse_text_list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split(',').map(|text| text.trim().to_owned()).collect()),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn parse_either_word(value: &Value, yes: &str, no: &str) -> Option<bool> {
    match value.as_str()? {
        word if word == yes => Some(true),
        word if word == no => Some(false),
        _ => None,
    }
}

fn parse_days(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.trim().trim_end_matches('d').parse().ok(),
        _ => parse_number(value),
    }
}

fn parse_number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64()?.try_into().ok()
}
