//! The names of events, and which of them are wanted.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::mapping::closest_name;
use crate::mirror::{ChangeKind, RecordKind};

/// What an event says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventName {
    /// A contact was added, or a deleted one came back.
    ContactCreated,
    /// A contact says something else than before.
    ContactUpdated,
    /// A contact was deleted.
    ContactDeleted,
    /// A task was added.
    TaskCreated,
    /// A task says something else than before.
    TaskUpdated,
    /// A task was deleted.
    TaskDeleted,
    /// An open task falls due soon.
    TaskDue,
    /// A note was added.
    NoteCreated,
    /// A note says something else than before.
    NoteUpdated,
    /// A note was deleted.
    NoteDeleted,
}

impl EventName {
    /// Every name, in the order of help.
    pub const ALL: [Self; 10] = [
        Self::ContactCreated,
        Self::ContactUpdated,
        Self::ContactDeleted,
        Self::TaskCreated,
        Self::TaskUpdated,
        Self::TaskDeleted,
        Self::TaskDue,
        Self::NoteCreated,
        Self::NoteUpdated,
        Self::NoteDeleted,
    ];

    /// The name in events and in `--events`.
    #[must_use]
    pub fn spelling(self) -> &'static str {
        match self {
            Self::ContactCreated => "contact.created",
            Self::ContactUpdated => "contact.updated",
            Self::ContactDeleted => "contact.deleted",
            Self::TaskCreated => "task.created",
            Self::TaskUpdated => "task.updated",
            Self::TaskDeleted => "task.deleted",
            Self::TaskDue => "task.due",
            Self::NoteCreated => "note.created",
            Self::NoteUpdated => "note.updated",
            Self::NoteDeleted => "note.deleted",
        }
    }

    /// The event about a change; `None` for records that have no events.
    pub(super) fn from_change(kind: RecordKind, change: ChangeKind) -> Option<Self> {
        let [created, updated, deleted] = match kind {
            RecordKind::Contact => {
                [Self::ContactCreated, Self::ContactUpdated, Self::ContactDeleted]
            }
            RecordKind::Task => [Self::TaskCreated, Self::TaskUpdated, Self::TaskDeleted],
            RecordKind::Note => [Self::NoteCreated, Self::NoteUpdated, Self::NoteDeleted],
            RecordKind::CustomField
            | RecordKind::User
            | RecordKind::Tag
            | RecordKind::Appointment
            | RecordKind::Business => return None,
        };
        Some(match change {
            // The receiver has deleted it.
            ChangeKind::Insert | ChangeKind::Return => created,
            ChangeKind::Update => updated,
            ChangeKind::Delete => deleted,
        })
    }
}

/// A text that names no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no event `{text}`{}", .similar.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct UnknownEventName {
    /// The text.
    pub text: String,
    /// The name that was probably meant.
    pub similar: Option<&'static str>,
}

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter(BTreeSet<EventName>);

impl Default for EventFilter {
    fn default() -> Self {
        Self(EventName::ALL.into())
    }
}

impl EventFilter {
    /// Whether an event is wanted.
    #[must_use]
    pub fn includes(&self, name: EventName) -> bool {
        self.0.contains(&name)
    }
}

/// Names separated by commas; `task.*` is every event about tasks, `*` is all.
impl FromStr for EventFilter {
    type Err = UnknownEventName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut wanted = BTreeSet::new();
        for part in text.split(',').map(str::trim) {
            let fits = |name: &EventName| match part.strip_suffix('*') {
                Some(front) => {
                    (front.is_empty() || front.ends_with('.')) && name.spelling().starts_with(front)
                }
                None => name.spelling() == part,
            };
            let named: Vec<EventName> = EventName::ALL.into_iter().filter(fits).collect();
            if named.is_empty() {
                let similar = closest_name(part, EventName::ALL.map(EventName::spelling));
                return Err(UnknownEventName { text: part.to_owned(), similar });
            }
            wanted.extend(named);
        }
        Ok(Self(wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_named_alone_or_by_their_record() {
        let filter: EventFilter = "contact.created, task.*".parse().unwrap();
        let names = EventName::ALL.into_iter().filter(|name| filter.includes(*name));
        let names: Vec<&str> = names.map(EventName::spelling).collect();
        let expected =
            ["contact.created", "task.created", "task.updated", "task.deleted", "task.due"];
        assert_eq!(names, expected);
        assert_eq!("*".parse(), Ok(EventFilter::default()));
    }

    #[test]
    fn an_unknown_name_is_refused_with_a_similar_one() {
        let refused = "contact.create".parse::<EventFilter>().unwrap_err();
        assert_eq!(refused.similar, Some("contact.created"));
        for text in ["", "contact", "contact*", "tag.*", ","] {
            assert!(text.parse::<EventFilter>().is_err(), "{text}");
        }
    }
}
