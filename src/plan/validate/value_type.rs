//! Kinds: how a target's values are read, and which converters go with it.

use std::collections::HashMap;

use crate::mapping::Convert;
use crate::model::target::{Field, NotePart, Target, TaskPart};
use crate::model::{CustomField, directory};

/// How a value becomes what is sent.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Text, line breaks kept.
    Text,
    /// Text on one line.
    Line,
    /// A phone number.
    Phone,
    /// E-mail addresses.
    Emails,
    /// A day.
    Date,
    /// A day in the past.
    Birthday,
    /// A moment.
    Moment,
    /// A number.
    Number,
    /// A number with currency signs.
    Money,
    /// Yes or no.
    Boolean,
    /// A country's code.
    Country,
    /// A time zone's name.
    Timezone,
    /// A web address.
    Url,
    /// A postal code.
    PostalCode,
    /// Several texts.
    List,
    /// One of a field's options.
    One(Options),
    /// Several of a field's options.
    Many(Options),
}

/// The options of a custom field of choices.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// By lower-case spelling.
    by_name: HashMap<String, String>,
    all: Vec<String>,
    /// Whether other values are taken too.
    open: bool,
}

impl Options {
    fn new(field: &CustomField) -> Self {
        let name = |option: &String| (option.trim().to_lowercase(), option.clone());
        Self {
            by_name: field.options.iter().map(name).collect(),
            all: field.options.clone(),
            open: field.custom_option,
        }
    }

    /// Whether a text is one of them, in any case.
    pub(super) fn has(&self, text: &str) -> bool {
        self.by_name.contains_key(&text.trim().to_lowercase())
    }

    /// The option as the field spells it.
    ///
    /// # Errors
    /// What is wrong with a text that is none of them.
    pub(super) fn spelled(&self, text: &str) -> Result<String, String> {
        match self.by_name.get(&text.trim().to_lowercase()) {
            Some(option) => Ok(option.clone()),
            None if self.open => Ok(text.to_owned()),
            None => Err(match directory::closest(text, self.all.iter()) {
                Some(near) => {
                    format!("`{text}` is not one of the field's options; the closest is `{near}`")
                }
                None => format!("`{text}` is not one of the field's {} options", self.all.len()),
            }),
        }
    }
}

impl Kind {
    /// How a target that is no custom field is read.
    ///
    /// # Errors
    /// When the converter does not go with it.
    pub(super) fn of_target(target: &Target, convert: Option<Convert>) -> Result<Self, ()> {
        let usual = usual(target);
        match (convert, &usual) {
            (Some(Convert::Text), Self::Line) => Ok(Self::Text),
            (Some(Convert::Line), Self::Text) => Ok(Self::Line),
            // As text, a target reads it as it reads every text; an owner may be named by address.
            (None | Some(Convert::Text | Convert::Line), _)
            | (Some(Convert::Email | Convert::List), Self::Emails)
            | (Some(Convert::Phone | Convert::List), Self::Phone)
            | (
                Some(Convert::Date | Convert::DateTime),
                Self::Date | Self::Birthday | Self::Moment,
            )
            | (Some(Convert::Boolean), Self::Boolean)
            | (Some(Convert::Country), Self::Country)
            | (Some(Convert::Timezone), Self::Timezone)
            | (Some(Convert::Url), Self::Url)
            | (Some(Convert::List), Self::List) => Ok(usual),
            (Some(Convert::Email), Self::Line) if names_somebody(target) => Ok(usual),
            _ => Err(()),
        }
    }

    /// How a custom field is read (api.md §5, custom-field values).
    ///
    /// # Errors
    /// What is wrong, when the field cannot be written or the converter does not go with it.
    pub(super) fn of_field(field: &CustomField, convert: Option<Convert>) -> Result<Self, String> {
        let kind = match field.data_type.as_str() {
            "TEXT" | "LARGE_TEXT" | "TIME" => return Ok(as_text(convert)),
            "NUMERICAL" | "FLOAT" => Self::Number,
            "MONETORY" => Self::Money,
            "DATE" => Self::Date,
            "PHONE" => Self::Phone,
            "SINGLE_OPTIONS" | "RADIO" => Self::One(Options::new(field)),
            "MULTIPLE_OPTIONS" | "CHECKBOX" => Self::Many(Options::new(field)),
            other => {
                return Err(format!(
                    "`{}` is a field of type {other}, which cannot be imported",
                    field.key
                ));
            }
        };
        match (convert, &kind) {
            (None | Some(Convert::Text | Convert::Line), _)
            | (Some(Convert::Number), Self::Number | Self::Money)
            | (Some(Convert::Date | Convert::DateTime), Self::Date)
            | (Some(Convert::Phone), Self::Phone)
            | (Some(Convert::List), Self::Many(_)) => Ok(kind),
            (Some(Convert::Money), Self::Number | Self::Money) => Ok(Self::Money),
            (Some(convert), _) => Err(format!(
                "`{}` is a field of type {}, with which `convert = \"{}\"` does not go",
                field.key,
                field.data_type,
                name(convert)
            )),
        }
    }

    /// Whether its values are days or moments.
    pub(super) fn is_dated(&self) -> bool {
        matches!(self, Self::Date | Self::Birthday | Self::Moment)
    }

    /// Whether a cell may hold several values.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List | Self::Many(_))
    }
}

/// A converter's name in mappings.
pub(super) fn name(convert: Convert) -> String {
    let name = serde_json::to_value(convert).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn usual(target: &Target) -> Kind {
    match target {
        Target::Field(field) => match field {
            Field::Email => Kind::Emails,
            Field::Phone => Kind::Phone,
            Field::Country => Kind::Country,
            Field::Timezone => Kind::Timezone,
            Field::Website => Kind::Url,
            Field::PostalCode => Kind::PostalCode,
            Field::DateOfBirth => Kind::Birthday,
            _ => Kind::Line,
        },
        Target::AdditionalEmails => Kind::Emails,
        Target::AdditionalPhones => Kind::Phone,
        Target::Tags => Kind::List,
        Target::Dnd | Target::DndChannel(_) | Target::OptIn | Target::Note(NotePart::Pinned) => {
            Kind::Boolean
        }
        Target::Note(NotePart::Date) => Kind::Date,
        Target::Note(NotePart::Body) | Target::Task(TaskPart::Body) => Kind::Text,
        Target::Task(TaskPart::DueDate) => Kind::Moment,
        Target::Task(TaskPart::Completed) => Kind::Boolean,
        _ => Kind::Line,
    }
}

fn names_somebody(target: &Target) -> bool {
    matches!(
        target,
        Target::Owner | Target::Note(NotePart::User) | Target::Task(TaskPart::AssignedTo)
    )
}

/// A field of text takes what any converter makes, as text.
fn as_text(convert: Option<Convert>) -> Kind {
    match convert {
        None | Some(Convert::Text) => Kind::Text,
        Some(Convert::Line) => Kind::Line,
        Some(Convert::Phone) => Kind::Phone,
        Some(Convert::Email) => Kind::Emails,
        Some(Convert::Date) => Kind::Date,
        Some(Convert::DateTime) => Kind::Moment,
        Some(Convert::Number) => Kind::Number,
        Some(Convert::Money) => Kind::Money,
        Some(Convert::Boolean) => Kind::Boolean,
        Some(Convert::Country) => Kind::Country,
        Some(Convert::Timezone) => Kind::Timezone,
        Some(Convert::List) => Kind::List,
        Some(Convert::Url) => Kind::Url,
    }
}
