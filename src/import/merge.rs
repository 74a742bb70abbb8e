//! Merging rows of one file that are the same contact.

use crate::plan::Draft;

/// Adds to a draft what another one of the same contact says and it does not: per field the first value
/// counts, tags, notes and tasks come together, and an opt-out wins.
pub(super) fn merge(draft: &mut Draft, other: Draft) {
    draft.contact = draft.contact.take().or(other.contact);
    draft.source_id = draft.source_id.take().or(other.source_id);
    for (field, value) in other.fields {
        let old = draft.fields.entry(field).or_insert_with(|| value.clone());
        if old.is_null() {
            *old = value;
        }
    }
    for (field, value) in other.custom {
        let old = draft.custom.entry(field).or_insert_with(|| value.clone());
        if old.is_null() {
            *old = value;
        }
    }
    add(&mut draft.tags, other.tags);
    draft.replaces_tags |= other.replaces_tags;
    add(&mut draft.additional_emails, other.additional_emails);
    add(&mut draft.additional_phones, other.additional_phones);
    draft.dnd = match (draft.dnd, other.dnd) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    };
    for (channel, out) in other.channels {
        *draft.channels.entry(channel).or_insert(out) |= out;
    }
    draft.owner = draft.owner.take().or(other.owner);
    draft.business = draft.business.take().or(other.business);
    draft.notes.extend(other.notes);
    draft.tasks.extend(other.tasks);
}

fn add(texts: &mut Vec<String>, others: Vec<String>) {
    for text in others {
        if !texts.iter().any(|old| old.eq_ignore_ascii_case(&text)) {
            texts.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Channel, Field};

    #[test]
    fn the_first_value_counts_lists_come_together_and_an_opt_out_wins() {
        let mut draft = Draft {
            fields: [(Field::City, "Boston".into()), (Field::State, serde_json::Value::Null)]
                .into(),
            tags: vec!["VIP".to_owned()],
            channels: [(Channel::Email, false)].into(),
            ..Draft::default()
        };
        let other = Draft {
            fields: [
                (Field::City, "Rome".into()),
                (Field::State, "MA".into()),
                (Field::Country, "US".into()),
            ]
            .into(),
            tags: vec!["vip".to_owned(), "new".to_owned()],
            channels: [(Channel::Email, true)].into(),
            ..Draft::default()
        };
        merge(&mut draft, other);
        assert_eq!(draft.fields[&Field::City], "Boston");
        assert_eq!(draft.fields[&Field::State], "MA");
        assert_eq!(draft.fields[&Field::Country], "US");
        assert_eq!(draft.tags, ["VIP", "new"]);
        assert!(draft.channels[&Channel::Email]);
    }
}
