//! Options: the policy settings that a mapping makes for its files, and the command line for one import.
//!
//! They have the names and words of the command line's flags, with `_` for `-`. One table defines the options,
//! their values, and the policy fields they set.

use crate::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{closest_name, mapping_problem, parse_target};
use crate::choice::Choice;
use crate::model::policy::{
    BlankRule, DateLocale, DecimalSign, DuplicateRule, ExistingRule, ExtraValuesRule, IdentityKey,
    ImportMode, ImportPolicy, InvalidPhoneRule, MissingContactRule, NoIdentityRule, NoteDateRule,
    SharedValueRule, TagRule, TaskPriorityRule, UnknownOptionRule,
};
use crate::model::target::MappingTarget;
use crate::value::DateOrder;

/// How an option's value is parsed and written.
pub(crate) struct OptionCodec<T> {
    /// The accepted values, for messages.
    takes: fn() -> String,
    read: fn(&Value) -> Option<T>,
    write: fn(&T) -> Value,
}

impl<T> OptionCodec<T> {
    /// Parses a typed value.
    ///
    /// # Errors
    /// What is expected instead.
    pub(crate) fn parse_text(&self, text: &str) -> Result<T, String> {
        (self.read)(&text.into()).ok_or_else(|| format!("expected {}", (self.takes)()))
    }
}

/// A row of the table.
struct OptionDefinition {
    name: &'static str,
    takes: fn() -> String,
    /// Returns `None` if the value has the wrong type.
    set: fn(&Value, &mut PolicyOptions) -> Option<()>,
    get: fn(&PolicyOptions) -> Option<Value>,
}

macro_rules! policy_options {
    ($($name:ident: $type:ty = $codec:expr;)+) => {
        /// The policy fields that a mapping or the command line sets. Other fields are not changed.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct PolicyOptions {
            $(
                #[doc = concat!("Sets [`ImportPolicy::", stringify!($name), "`].")]
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $name: Option<$type>
            ),+
        }

        impl PolicyOptions {
            /// These options, with others where they set nothing.
            #[must_use]
            pub fn or(self, others: Self) -> Self {
                Self { $($name: self.$name.or(others.$name)),+ }
            }

            /// Applies the options to a policy.
            pub fn apply_to(&self, policy: &mut ImportPolicy) {
                $(
                    if let Some(value) = self.$name.clone() {
                        policy.$name = value.into();
                    }
                )+
            }
        }

        static OPTIONS: &[OptionDefinition] = &[
            $(
                OptionDefinition {
                    name: stringify!($name),
                    takes: || { const CODEC: OptionCodec<$type> = $codec; (CODEC.takes)() },
                    set: |value, options| {
                        const CODEC: OptionCodec<$type> = $codec;
                        options.$name = Some((CODEC.read)(value)?);
                        Some(())
                    },
                    get: |options| {
                        const CODEC: OptionCodec<$type> = $codec;
                        options.$name.as_ref().map(CODEC.write)
                    },
                }
            ),+
        ];
    };
}

policy_options! {
    mode: ImportMode = choice();
    key: IdentityKey = KEY_OPTION;
    on_duplicate: DuplicateRule = choice();
    on_shared_email: SharedValueRule = choice();
    on_shared_phone: SharedValueRule = choice();
    on_existing: ExistingRule = choice();
    tags: TagRule = choice();
    extra_values: ExtraValuesRule = EXTRA_VALUES_OPTION;
    no_identity: NoIdentityRule = choice();
    marker: String = MARKER_OPTION;
    blank: BlankRule = choice();
    allow_clear: bool = SWITCH;
    allow_resubscribe: bool = SWITCH;
    allow_name_only: bool = SWITCH;
    default_country: String = COUNTRY_OPTION;
    decimal: DecimalSign = choice();
    date_order: DateOrder = choice();
    usual_date_order: DateOrder = choice();
    date_locale: DateLocale = choice();
    timezone: String = TIMEZONE_OPTION;
    empty_values: Vec<String> = EMPTY_VALUES_OPTION;
    empty_values_ignore_case: bool = SWITCH;
    on_invalid_phone: InvalidPhoneRule = choice();
    unknown_option: UnknownOptionRule = choice();
    strict: bool = SWITCH;
    missing_contact: MissingContactRule = choice();
    note_date: NoteDateRule = choice();
    task_priority: TaskPriorityRule = choice();
    default_due: u32 = DUE_OPTION;
    truncate_notes: usize = NOTE_LENGTH_OPTION;
    split_notes: bool = SWITCH;
}

impl PolicyOptions {
    /// The options that are set, sorted by name, in the form written to files.
    pub(super) fn entries(&self) -> Vec<(&'static str, Value)> {
        let entry = |option: &OptionDefinition| Some((option.name, (option.get)(self)?));
        let mut entries: Vec<_> = OPTIONS.iter().filter_map(entry).collect();
        entries.sort_by_key(|(name, _)| *name);
        entries
    }

    /// Sets an option from a value in a file.
    pub(super) fn set(&mut self, name: &str, value: &Value, line: usize) -> Result<(), Diagnostic> {
        let Some(option) = OPTIONS.iter().find(|option| option.name == name) else {
            let near = closest_name(name, OPTIONS.iter().map(|option| option.name));
            return Err(
                mapping_problem(line, format!("there is no option `{name}`")).did_you_mean(near)
            );
        };
        (option.set)(value, self).ok_or_else(|| {
            mapping_problem(line, format!("the option `{name}` takes {}", (option.takes)()))
        })
    }
}

const fn choice<T: Choice>() -> OptionCodec<T> {
    OptionCodec {
        takes: T::words_phrase,
        read: |value| T::from_word(value.as_str()?),
        write: |value| value.word().into(),
    }
}

const SWITCH: OptionCodec<bool> = OptionCodec {
    takes: || "true or false".to_owned(),
    read: Value::as_bool,
    write: |yes| (*yes).into(),
};

/// How contacts are matched.
const KEY_OPTION: OptionCodec<IdentityKey> = OptionCodec {
    takes: || "`usual`, `name` or a custom field".to_owned(),
    read: |value| match non_blank_text(value)? {
        "usual" => Some(IdentityKey::Usual),
        "name" => Some(IdentityKey::Name),
        _ => read_custom_field(value).map(IdentityKey::Custom),
    },
    write: |key| match key {
        IdentityKey::Usual => "usual".into(),
        IdentityKey::Name => "name".into(),
        IdentityKey::Custom(name) => MappingTarget::Custom(name.clone()).to_string().into(),
    },
};

/// What to do with further e-mail addresses and phone numbers.
pub(crate) const EXTRA_VALUES_OPTION: OptionCodec<ExtraValuesRule> = OptionCodec {
    takes: || "`note`, `custom:NAME`, `drop` or `warn`".to_owned(),
    read: |value| match non_blank_text(value)? {
        "warn" => Some(ExtraValuesRule::Warn),
        "note" => Some(ExtraValuesRule::Note),
        "drop" => Some(ExtraValuesRule::Drop),
        text => {
            let name = text.strip_prefix("custom:").or_else(|| text.strip_prefix("customFields."));
            let name = name.map(str::trim).filter(|name| !name.is_empty())?;
            Some(ExtraValuesRule::Custom(name.to_owned()))
        }
    },
    write: |rule| match rule {
        ExtraValuesRule::Warn => "warn".into(),
        ExtraValuesRule::Note => "note".into(),
        ExtraValuesRule::Drop => "drop".into(),
        ExtraValuesRule::Custom(name) => format!("custom:{name}").into(),
    },
};

const MARKER_OPTION: OptionCodec<String> = OptionCodec {
    takes: || "a custom field".to_owned(),
    read: read_custom_field,
    write: |name| MappingTarget::Custom(name.clone()).to_string().into(),
};

/// A country, for phone numbers without one.
pub(crate) const COUNTRY_OPTION: OptionCodec<String> = OptionCodec {
    takes: || "a country's two letters, such as `US`".to_owned(),
    read: |value| {
        let text = non_blank_text(value)?;
        let code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        code.then(|| text.to_uppercase())
    },
    write: |code| code.as_str().into(),
};

/// A time zone, for times without one.
pub(crate) const TIMEZONE_OPTION: OptionCodec<String> = OptionCodec {
    takes: || "a time zone, such as `Europe/Berlin`".to_owned(),
    read: |value| {
        let name = non_blank_text(value)?;
        jiff::tz::TimeZone::get(name).is_ok().then(|| name.to_owned())
    },
    write: |name| name.as_str().into(),
};

/// Values to treat as empty.
pub(crate) const EMPTY_VALUES_OPTION: OptionCodec<Vec<String>> = OptionCodec {
    takes: || "a list of texts".to_owned(),
    read: |value| match value {
        Value::String(text) => Some(text.split(',').map(|text| text.trim().to_owned()).collect()),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    },
    write: |texts| texts.clone().into(),
};

/// The due date of tasks without one.
pub(crate) const DUE_OPTION: OptionCodec<u32> = OptionCodec {
    takes: || "a number of days, such as `7d`".to_owned(),
    read: |value| match value {
        Value::String(text) => text.trim().trim_end_matches('d').parse().ok(),
        _ => read_number(value),
    },
    write: |days| format!("{days}d").into(),
};

const NOTE_LENGTH_OPTION: OptionCodec<usize> = OptionCodec {
    takes: || "a number of characters".to_owned(),
    read: read_number,
    write: |length| (*length).into(),
};

fn non_blank_text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Reads a custom field, given by its name or as a target.
fn read_custom_field(value: &Value) -> Option<String> {
    let text = non_blank_text(value)?;
    match parse_target(text) {
        Ok(MappingTarget::Custom(name)) => Some(name),
        _ => Some(text.to_owned()),
    }
}

fn read_number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64()?.try_into().ok()
}
