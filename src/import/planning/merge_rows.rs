//! Merges rows of one file that refer to the same contact.

use crate::model::ContactDraft;

/// Adds to a draft what another draft of the same contact has and it lacks: for each field the first draft's
/// value takes precedence, tags, notes and tasks are combined, and an opt-out wins.
pub(crate) fn merge_filling_cleared(draft: &mut ContactDraft, other: ContactDraft) {
    // A field that one row clears can be filled by another row.
    draft.fields.retain(|field, value| !value.is_null() || !other.fields.contains_key(field));
    draft.custom.retain(|field, value| !value.is_null() || !other.custom.contains_key(field));
    merge_keeping_cleared(draft, other);
}

/// The same, but what the draft clears stays empty.
pub(crate) fn merge_keeping_cleared(draft: &mut ContactDraft, other: ContactDraft) {
    draft.contact = draft.contact.take().or(other.contact);
    draft.source_id = draft.source_id.take().or(other.source_id);
    for (field, value) in other.fields {
        draft.fields.entry(field).or_insert(value);
    }
    for (field, value) in other.custom {
        draft.custom.entry(field).or_insert(value);
    }
    add_distinct(&mut draft.tags, other.tags);
    draft.replaces_tags |= other.replaces_tags;
    add_distinct(&mut draft.additional_emails, other.additional_emails);
    add_distinct(&mut draft.additional_phones, other.additional_phones);
    draft.dnd = match (draft.dnd, other.dnd) {
        (Some(a), Some(b)) => Some(a || b),
        (a, b) => a.or(b),
    };
    for (channel, out) in other.channels {
        *draft.channels.entry(channel).or_insert(out) |= out;
    }
    draft.owner = draft.owner.take().or(other.owner);
    draft.business = draft.business.take().or(other.business);
    let is_new = |id: &Option<String>, ids: &[Option<String>]| id.is_none() || !ids.contains(id);
    let ids: Vec<_> = draft.notes.iter().map(|note| note.id.clone()).collect();
    draft.notes.extend(other.notes.into_iter().filter(|note| is_new(&note.id, &ids)));
    let ids: Vec<_> = draft.tasks.iter().map(|task| task.id.clone()).collect();
    draft.tasks.extend(other.tasks.into_iter().filter(|task| is_new(&task.id, &ids)));
}

fn add_distinct(texts: &mut Vec<String>, others: Vec<String>) {
    for text in others {
        if !texts.iter().any(|old| old.eq_ignore_ascii_case(&text)) {
            texts.push(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Field};

    #[test]
    fn the_first_value_counts_lists_come_together_and_an_opt_out_wins() {
        let mut draft = ContactDraft {
            fields: [(Field::City, "Boston".into()), (Field::State, serde_json::Value::Null)]
                .into(),
            tags: vec!["VIP".to_owned()],
            channels: [(Channel::Email, false)].into(),
            ..ContactDraft::default()
        };
        let other = ContactDraft {
            fields: [
                (Field::City, "Rome".into()),
                (Field::State, "MA".into()),
                (Field::Country, "US".into()),
            ]
            .into(),
            tags: vec!["vip".to_owned(), "new".to_owned()],
            channels: [(Channel::Email, true)].into(),
            ..ContactDraft::default()
        };
        merge_filling_cleared(&mut draft, other);
        assert_eq!(draft.fields[&Field::City], "Boston");
        assert_eq!(draft.fields[&Field::State], "MA");
        assert_eq!(draft.fields[&Field::Country], "US");
        assert_eq!(draft.tags, ["VIP", "new"]);
        assert!(draft.channels[&Channel::Email]);
    }

    #[test]
    fn of_a_note_that_stands_twice_the_drafts_own_counts() {
        let of = |id: &str, body: &str| crate::model::NoteDraft {
            id: Some(id.to_owned()),
            fields: [("body".to_owned(), body.into())].into(),
        };
        let mut draft = ContactDraft { notes: vec![of("n", "own")], ..ContactDraft::default() };
        merge_keeping_cleared(
            &mut draft,
            ContactDraft {
                notes: vec![of("n", "other"), of("m", "new")],
                ..ContactDraft::default()
            },
        );
        assert_eq!(draft.notes, [of("n", "own"), of("m", "new")]);
    }

    #[test]
    fn what_a_later_row_empties_stays_empty() {
        let of = |city: serde_json::Value| ContactDraft {
            fields: [(Field::City, city)].into(),
            ..ContactDraft::default()
        };
        let mut draft = of(serde_json::Value::Null);
        merge_keeping_cleared(&mut draft, of("Rome".into()));
        assert!(draft.fields[&Field::City].is_null());
    }
}
