//! The targets that a column can have, with what they mean, for people who write a mapping.

use super::target_name::builtin_targets;
use crate::model::target::{Channel, Field, MappingTarget, NotePart, TaskPart};

/// A target that every location has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetDescription {
    /// The name, as a mapping has it.
    pub name: String,
    /// What becomes of a value, in a few words.
    pub meaning: &'static str,
    /// Whether several columns may have the target.
    pub accepts_multiple_columns: bool,
}

/// All targets except the custom fields.
#[must_use]
pub fn describe_builtin_targets() -> Vec<TargetDescription> {
    let describe = |target: MappingTarget| TargetDescription {
        name: target.to_string(),
        meaning: target_meaning(&target),
        accepts_multiple_columns: target.accepts_multiple_columns(),
    };
    builtin_targets().map(describe).collect()
}

fn target_meaning(target: &MappingTarget) -> &'static str {
    match target {
        MappingTarget::ContactId => "the contact's id: the row is about that contact",
        MappingTarget::SourceId => {
            "the row's id in the system it comes from; tells equal rows apart"
        }
        MappingTarget::Field(field) => field_meaning(*field),
        MappingTarget::AdditionalEmails => "further e-mail addresses, which the API does not write",
        MappingTarget::AdditionalPhones => "further phone numbers, which the API does not write",
        MappingTarget::PhoneCountry => {
            "the country of the row's phone numbers: a dialling code or a country; it is not stored"
        }
        MappingTarget::Custom(_) => "a custom field, by key, name or id",
        MappingTarget::Tags => "tags, separated by commas or semicolons",
        MappingTarget::Dnd => "do not disturb, on all channels: yes or no",
        MappingTarget::DndChannel(channel) => channel_meaning(*channel),
        MappingTarget::OptIn => "consent to be contacted; a no is not an opt-out",
        MappingTarget::Owner => "the user who is responsible, by e-mail address, name or id",
        MappingTarget::Business => "the business, by name or id",
        MappingTarget::Note(part) => note_meaning(*part),
        MappingTarget::Task(part) => task_meaning(*part),
        MappingTarget::Ignore => "nothing: the column is left out",
        MappingTarget::Undecided => "not decided yet; an import stops",
    }
}

fn field_meaning(field: Field) -> &'static str {
    match field {
        Field::FirstName => "first name",
        Field::LastName => "last name",
        Field::Name => "full name, for rows without its parts",
        Field::Email => "e-mail address",
        Field::Phone => "phone number",
        Field::CompanyName => "company",
        Field::Address1 => "street and number",
        Field::City => "city",
        Field::State => "state or region",
        Field::PostalCode => "postal code",
        Field::Country => "country, by name or code",
        Field::Website => "web address",
        Field::Timezone => "time zone, such as `Europe/Berlin`",
        Field::DateOfBirth => "date of birth",
        Field::Source => "where the contact comes from",
        Field::Gender => "gender; for new contacts only",
    }
}

fn channel_meaning(channel: Channel) -> &'static str {
    match channel {
        Channel::Call => "do not call: yes or no",
        Channel::Email => "do not send e-mail: yes or no",
        Channel::Sms => "do not send text messages: yes or no",
        Channel::WhatsApp => "do not use WhatsApp: yes or no",
        Channel::Gmb => "do not use Google Business messages: yes or no",
        Channel::Fb => "do not use Facebook messages: yes or no",
    }
}

fn note_meaning(part: NotePart) -> &'static str {
    match part {
        NotePart::Body => "a note, as text",
        NotePart::Id => "the id of a note, which the row changes",
        NotePart::Title => "the title of the note",
        NotePart::Color => "the color of the note",
        NotePart::Pinned => "whether the note is pinned: yes or no",
        NotePart::User => "the user who wrote the note, by e-mail address, name or id",
        NotePart::Date => "when the note was written; `--note-date prefix` puts it into the text",
    }
}

fn task_meaning(part: TaskPart) -> &'static str {
    match part {
        TaskPart::Id => "the id of a task, which the row changes",
        TaskPart::Title => "the title of a task",
        TaskPart::Body => "the text of the task",
        TaskPart::DueDate => "when the task is due",
        TaskPart::Completed => "whether the task is completed: yes, no or a status",
        TaskPart::AssignedTo => "the user the task is assigned to, by e-mail address, name or id",
        TaskPart::Priority => "the priority, kept as a line of the text",
    }
}
