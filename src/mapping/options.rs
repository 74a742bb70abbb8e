//! Options: the choices of the policy that a mapping makes for its files.
//!
//! They have the names and words of the command line's flags, with `_` for `-`. One table says which
//! there are, what each takes, and which part of the policy it sets.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Mapping, Problem, closest, target};
use crate::model::policy::{IdentityKey, Policy};
use crate::model::target::Target;

/// An option: its name, what it takes, and how it is set; none when the value is not of that kind.
struct Choice {
    name: &'static str,
    takes: &'static str,
    set: fn(&Value, &mut Policy) -> Option<()>,
}

#[rustfmt::skip]
static CHOICES: &[Choice] = &[
    Choice { name: "mode", takes: "`upsert`, `create`, `update`, `tag`, `untag` or `delete`", set: |v, p| put(&mut p.mode, word(v)) },
    Choice { name: "key", takes: "`usual` or a custom field", set: |v, p| put(&mut p.key, key(v)) },
    Choice { name: "on_duplicate", takes: "`reject`, `first`, `last` or `merge`", set: |v, p| put(&mut p.on_duplicate, word(v)) },
    Choice { name: "on_existing", takes: "`skip`, `update` or `reject`", set: |v, p| put(&mut p.on_existing, word(v)) },
    Choice { name: "tags", takes: "`add` or `replace`", set: |v, p| put(&mut p.tags, word(v)) },
    Choice { name: "no_identity", takes: "`stop`, `skip` or `at_most_once`", set: |v, p| put(&mut p.no_identity, word(v)) },
    Choice { name: "marker", takes: "a custom field", set: |v, p| put(&mut p.marker, custom(v).map(Some)) },
    Choice { name: "blank", takes: "`leave`, `clear` or `error`", set: |v, p| put(&mut p.blank, word(v)) },
    Choice { name: "allow_clear", takes: "true or false", set: |v, p| put(&mut p.allow_clear, v.as_bool()) },
    Choice { name: "allow_resubscribe", takes: "true or false", set: |v, p| put(&mut p.allow_resubscribe, v.as_bool()) },
    Choice { name: "allow_name_only", takes: "true or false", set: |v, p| put(&mut p.allow_name_only, v.as_bool()) },
    Choice { name: "default_country", takes: "a country's two letters, such as `US`", set: |v, p| put(&mut p.default_country, country(v).map(Some)) },
    Choice { name: "decimal", takes: "`comma` or `point`", set: |v, p| put(&mut p.decimal, decimal(v).map(Some)) },
    Choice { name: "date_order", takes: "`DMY`, `MDY` or `YMD`", set: |v, p| put(&mut p.date_order, one_of(v, &["DMY", "MDY", "YMD"]).map(Some)) },
    Choice { name: "usual_date_order", takes: "`DMY`, `MDY` or `YMD`", set: |v, p| put(&mut p.usual_date_order, one_of(v, &["DMY", "MDY", "YMD"]).map(Some)) },
    Choice { name: "date_locale", takes: "`en`, `fr`, `de`, `es`, `it`, `pt` or `nl`", set: |v, p| put(&mut p.date_locale, one_of(v, &["en", "fr", "de", "es", "it", "pt", "nl"]).map(Some)) },
    Choice { name: "timezone", takes: "a time zone, such as `Europe/Berlin`", set: |v, p| put(&mut p.timezone, timezone(v).map(Some)) },
    Choice { name: "empty_values", takes: "a list of texts", set: |v, p| put(&mut p.empty_values, texts(v)) },
    Choice { name: "on_invalid_phone", takes: "`reject` or `drop`", set: |v, p| put(&mut p.drop_invalid_phone, either(v, "drop", "reject")) },
    Choice { name: "strict", takes: "true or false", set: |v, p| put(&mut p.strict, v.as_bool()) },
    Choice { name: "note_date", takes: "`ignore` or `prefix`", set: |v, p| put(&mut p.note_date_prefix, either(v, "prefix", "ignore")) },
    Choice { name: "task_priority", takes: "`line` or `drop`", set: |v, p| put(&mut p.drop_task_priority, either(v, "drop", "line")) },
    Choice { name: "default_due", takes: "a number of days, such as `7d`", set: |v, p| put(&mut p.default_due_days, days(v).map(Some)) },
    Choice { name: "truncate_notes", takes: "a number of characters", set: |v, p| put(&mut p.truncate_notes, number(v).map(Some)) },
    Choice { name: "split_notes", takes: "true or false", set: |v, p| put(&mut p.split_notes, v.as_bool()) },
];

impl Mapping {
    /// Sets in a policy what the mapping says.
    pub fn apply_options(&self, policy: &mut Policy) {
        for (name, value) in &self.options {
            if let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) {
                // Parsing has refused what cannot be set.
                let _ = (choice.set)(value, policy);
            }
        }
    }
}

/// What is wrong with an option, if anything.
pub(super) fn judge(name: &str, value: &Value, line: usize) -> Option<Problem> {
    let Some(choice) = CHOICES.iter().find(|choice| choice.name == name) else {
        let near = closest(name, CHOICES.iter().map(|choice| choice.name));
        return Some(Problem::new(line, format!("there is no option `{name}`")).did_you_mean(near));
    };
    let set = (choice.set)(value, &mut Policy::default());
    let wrong = || Problem::new(line, format!("the option `{name}` takes {}", choice.takes));
    set.is_none().then(wrong)
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    *place = value?;
    Some(())
}

fn word<T: DeserializeOwned>(value: &Value) -> Option<T> {
    let text = value.as_str()?.to_lowercase().replace('-', "_");
    serde_json::from_value(Value::String(text)).ok()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn key(value: &Value) -> Option<IdentityKey> {
    match text(value)? {
        "usual" => Some(IdentityKey::Usual),
        _ => custom(value).map(IdentityKey::Custom),
    }
}

/// A custom field by its bare name, or as a target.
fn custom(value: &Value) -> Option<String> {
    let text = text(value)?;
    match target(text) {
        Ok(Target::Custom(name)) => Some(name),
        _ => Some(text.to_owned()),
    }
}

fn country(value: &Value) -> Option<String> {
    let text = text(value)?;
    let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    code.then(|| text.to_uppercase())
}

fn decimal(value: &Value) -> Option<char> {
    match value.as_str()? {
        "," | "comma" => Some(','),
        "." | "point" | "dot" => Some('.'),
        _ => None,
    }
}

fn one_of(value: &Value, words: &[&str]) -> Option<String> {
    let text = text(value)?;
    words.iter().find(|word| word.eq_ignore_ascii_case(text)).map(|word| (*word).to_owned())
}

fn timezone(value: &Value) -> Option<String> {
    let name = text(value)?;
    jiff::tz::TimeZone::get(name).is_ok().then(|| name.to_owned())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split(',').map(|text| text.trim().to_owned()).collect()),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn either(value: &Value, yes: &str, no: &str) -> Option<bool> {
    match value.as_str()? {
        word if word == yes => Some(true),
        word if word == no => Some(false),
        _ => None,
    }
}

fn days(value: &Value) -> Option<u32> {
    match value {
        Value::String(text) => text.trim().trim_end_matches('d').parse().ok(),
        _ => number(value),
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64()?.try_into().ok()
}
