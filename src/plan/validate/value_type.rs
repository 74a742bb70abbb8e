//! Value types: how a target's values are read, and which converters fit them.

use std::collections::HashMap;

use crate::mapping::ValueConverter;
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};
use crate::model::{CustomField, LocationDirectory, directory};

/// How a value is converted to what is sent.
#[derive(Debug, Clone)]
pub(super) enum TargetValueType {
    /// Text with its line breaks.
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
    /// A timestamp.
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
    One(FieldOptions),
    /// Several of a field's options.
    Many(FieldOptions),
}

/// The options of a custom field with choices.
#[derive(Debug, Clone)]
pub(super) struct FieldOptions {
    /// The options by lower-case spelling.
    by_name: HashMap<String, String>,
    all: Vec<String>,
    /// Whether other values are also accepted.
    open: bool,
}

impl FieldOptions {
    fn new(field: &CustomField) -> Self {
        let name = |option: &String| (option.trim().to_lowercase(), option.clone());
        Self {
            by_name: field.options.iter().map(name).collect(),
            all: field.options.clone(),
            open: field.custom_option,
        }
    }

    /// Whether a text is one of the options, ignoring case.
    pub(super) fn has_option(&self, text: &str) -> bool {
        self.by_name.contains_key(&text.trim().to_lowercase())
    }

    /// The option in the field's spelling.
    ///
    /// # Errors
    /// What is known about a text that is not one of the options.
    pub(super) fn canonical_option(&self, text: &str) -> Result<String, UnknownOption> {
        match self.by_name.get(&text.trim().to_lowercase()) {
            Some(option) => return Ok(option.clone()),
            None if self.open => return Ok(text.to_owned()),
            None => {}
        }
        let nearest = directory::closest_name(text, self.all.iter()).map(ToString::to_string);
        let message = match &nearest {
            Some(near) => {
                format!("`{text}` is not one of the field's options; the closest is `{near}`")
            }
            None => format!("`{text}` is not one of the field's {} options", self.all.len()),
        };
        Err(UnknownOption { message, nearest })
    }
}

/// A text that is not one of a field's options.
#[derive(Debug)]
pub(super) struct UnknownOption {
    /// What is wrong with it.
    pub(super) message: String,
    /// The option that is most like it.
    pub(super) nearest: Option<String>,
}

impl TargetValueType {
    /// The value type of a target that is not a custom field.
    ///
    /// # Errors
    /// When the converter does not fit the target.
    pub(super) fn for_target(
        target: &MappingTarget,
        convert: Option<ValueConverter>,
    ) -> Result<Self, ()> {
        let usual = default_value_type(target);
        match (convert, &usual) {
            (Some(ValueConverter::Text), Self::Line) => Ok(Self::Text),
            (Some(ValueConverter::Line), Self::Text) => Ok(Self::Line),
            // As text, a target reads values as usual; an owner may be given by address.
            (None | Some(ValueConverter::Text | ValueConverter::Line), _)
            | (Some(ValueConverter::Email | ValueConverter::List), Self::Emails)
            | (Some(ValueConverter::Phone | ValueConverter::List), Self::Phone)
            | (
                Some(ValueConverter::Date | ValueConverter::DateTime),
                Self::Date | Self::Birthday | Self::Moment,
            )
            | (Some(ValueConverter::Boolean), Self::Boolean)
            | (Some(ValueConverter::Country), Self::Country)
            | (Some(ValueConverter::Timezone), Self::Timezone)
            | (Some(ValueConverter::Url), Self::Url)
            | (Some(ValueConverter::List), Self::List) => Ok(usual),
            (Some(ValueConverter::Email), Self::Line) if is_user_reference(target) => Ok(usual),
            _ => Err(()),
        }
    }

    /// The value type of a custom field (api.md §5, custom-field values).
    ///
    /// # Errors
    /// The message, when the field cannot be written or the converter does not fit it.
    pub(super) fn for_custom_field(
        field: &CustomField,
        convert: Option<ValueConverter>,
    ) -> Result<Self, String> {
        let kind = match field.data_type.as_str() {
            "TEXT" | "LARGE_TEXT" | "TIME" => return Ok(text_field_value_type(convert)),
            "NUMERICAL" | "FLOAT" => Self::Number,
            "MONETORY" => Self::Money,
            "DATE" => Self::Date,
            "PHONE" => Self::Phone,
            "SINGLE_OPTIONS" | "RADIO" => Self::One(FieldOptions::new(field)),
            "MULTIPLE_OPTIONS" | "CHECKBOX" => Self::Many(FieldOptions::new(field)),
            other => {
                return Err(format!(
                    "`{}` is a field of type {other}, which cannot be imported",
                    field.key
                ));
            }
        };
        match (convert, &kind) {
            (None | Some(ValueConverter::Text | ValueConverter::Line), _)
            | (Some(ValueConverter::Number), Self::Number | Self::Money)
            | (Some(ValueConverter::Date | ValueConverter::DateTime), Self::Date)
            | (Some(ValueConverter::Phone), Self::Phone)
            | (Some(ValueConverter::List), Self::Many(_)) => Ok(kind),
            (Some(ValueConverter::Money), Self::Number | Self::Money) => Ok(Self::Money),
            (Some(convert), _) => Err(format!(
                "`{}` is a field of type {}, for which `convert = \"{}\"` cannot be used",
                field.key,
                field.data_type,
                converter_name(convert)
            )),
        }
    }

    /// Whether its values are dates or timestamps.
    pub(super) fn is_date_or_datetime(&self) -> bool {
        matches!(self, Self::Date | Self::Birthday | Self::Moment)
    }

    /// Whether a cell may contain several values.
    pub(super) fn is_multi_valued(&self) -> bool {
        matches!(self, Self::List | Self::Many(_))
    }
}

/// A converter's name in mappings.
pub(super) fn converter_name(convert: ValueConverter) -> String {
    let name = serde_json::to_value(convert).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn default_value_type(target: &MappingTarget) -> TargetValueType {
    match target {
        MappingTarget::Field(field) => match field {
            Field::Email => TargetValueType::Emails,
            Field::Phone => TargetValueType::Phone,
            Field::Country => TargetValueType::Country,
            Field::Timezone => TargetValueType::Timezone,
            Field::Website => TargetValueType::Url,
            Field::PostalCode => TargetValueType::PostalCode,
            Field::DateOfBirth => TargetValueType::Birthday,
            _ => TargetValueType::Line,
        },
        MappingTarget::AdditionalEmails => TargetValueType::Emails,
        MappingTarget::AdditionalPhones => TargetValueType::Phone,
        MappingTarget::Tags => TargetValueType::List,
        MappingTarget::Dnd
        | MappingTarget::DndChannel(_)
        | MappingTarget::OptIn
        | MappingTarget::Note(NotePart::Pinned)
        | MappingTarget::Task(TaskPart::Completed) => TargetValueType::Boolean,
        MappingTarget::Note(NotePart::Date) => TargetValueType::Date,
        MappingTarget::Note(NotePart::Body) | MappingTarget::Task(TaskPart::Body) => {
            TargetValueType::Text
        }
        MappingTarget::Task(TaskPart::DueDate) => TargetValueType::Moment,
        _ => TargetValueType::Line,
    }
}

fn is_user_reference(target: &MappingTarget) -> bool {
    matches!(
        target,
        MappingTarget::Owner
            | MappingTarget::Note(NotePart::User)
            | MappingTarget::Task(TaskPart::AssignedTo)
    )
}

/// A text field accepts the result of any converter, as text.
fn text_field_value_type(convert: Option<ValueConverter>) -> TargetValueType {
    match convert {
        None | Some(ValueConverter::Text) => TargetValueType::Text,
        Some(ValueConverter::Line) => TargetValueType::Line,
        Some(ValueConverter::Phone) => TargetValueType::Phone,
        Some(ValueConverter::Email) => TargetValueType::Emails,
        Some(ValueConverter::Date) => TargetValueType::Date,
        Some(ValueConverter::DateTime) => TargetValueType::Moment,
        Some(ValueConverter::Number) => TargetValueType::Number,
        Some(ValueConverter::Money) => TargetValueType::Money,
        Some(ValueConverter::Boolean) => TargetValueType::Boolean,
        Some(ValueConverter::Country) => TargetValueType::Country,
        Some(ValueConverter::Timezone) => TargetValueType::Timezone,
        Some(ValueConverter::List) => TargetValueType::List,
        Some(ValueConverter::Url) => TargetValueType::Url,
    }
}

/// The value type of one target of a mapping.
///
/// # Errors
/// The message, when the target does not work in this location.
pub(super) fn resolve_value_type(
    target: &MappingTarget,
    convert: Option<ValueConverter>,
    directory: &LocationDirectory,
) -> Result<(TargetValueType, Option<CustomFieldTarget>), String> {
    let MappingTarget::Custom(name) = target else {
        let kind = TargetValueType::for_target(target, convert).map_err(|()| {
            let name = convert.map(converter_name).unwrap_or_default();
            format!("`convert = \"{name}\"` cannot be used for `{target}`")
        })?;
        return Ok((kind, None));
    };
    let field = directory.find_field(name).map_err(|error| error.message)?;
    let kind = TargetValueType::for_custom_field(field, convert)?;
    let is_text = matches!(field.data_type.as_str(), "TEXT" | "LARGE_TEXT" | "TIME");
    Ok((kind, Some(CustomFieldTarget { id: field.id.clone(), is_text })))
}

/// The custom field that receives the values.
#[derive(Debug)]
pub(super) struct CustomFieldTarget {
    pub(super) id: String,
    /// Whether it accepts only text; converted values of other types are formatted as text.
    pub(super) is_text: bool,
}
