//! An existing contact: the body of one update with everything that differs from the draft.

use serde_json::{Value, json};

use super::update_bodies::UpdateBodies;
use super::{RowPlanBuilder, change_text, consent, literal, whole_name};
use crate::diagnostic::DiagnosticCode;
use crate::model::IdempotencyClass;
use crate::model::draft::ContactDraft;
use crate::model::op::OpChange;
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::Field;

/// Updates the contact where it differs.
pub(super) fn plan_contact_update(work: &mut RowPlanBuilder<'_>, remote: &RemoteContact) {
    let mut bodies = UpdateBodies::default();
    diff_native_fields(work, remote, &mut bodies);
    diff_custom_fields(work, remote, &mut bodies);
    consent::add_to_update_body(work, remote, &mut bodies);
    diff_owner(work, remote, &mut bodies);
    diff_tags(work, remote, &mut bodies);
    if !bodies.body.is_empty() {
        let change = OpChange::Update { body: bodies.body };
        work.push_op("contact", 0, IdempotencyClass::Replayable, change, bodies.before.into());
    }
}

fn diff_native_fields(
    work: &mut RowPlanBuilder<'_>,
    remote: &RemoteContact,
    bodies: &mut UpdateBodies,
) {
    let draft = work.draft;
    let named = is_known_by_shared_name(draft, remote);
    for (field, value) in &draft.fields {
        if named && matches!(field, Field::Name | Field::CompanyName) {
            continue;
        }
        let wanted = value.as_str().filter(|text| !text.trim().is_empty());
        if *field == Field::Name && (remote.has_name_parts() || whole_name::has_parts(draft)) {
            whole_name::plan_name_edit(work, wanted, remote, bodies);
            continue;
        }
        let current = remote.native_field(*field);
        let same = match (wanted, current) {
            (None, None) => true,
            (Some(wanted), Some(current)) => {
                equality::same_field(*field, wanted, current)
                    || literal::cell_equals_text(draft, field.name(), current)
            }
            (Some(wanted), None) => has_as_additional(remote, *field, wanted),
            (None, Some(_)) => false,
        };
        if same {
            continue;
        }
        if let (Some(wanted), Some(current)) = (wanted, current)
            && let Some(cell) = literal::damaged_copy(draft, field.name(), wanted, current)
        {
            work.add_damage_warning(field.name(), cell, current);
            continue;
        }
        if !can_update_field(work, *field) {
            continue;
        }
        let form = |text: Option<&str>| text.map_or_else(|| clearing_value(*field), Value::from);
        bodies.body.insert(field.name().to_owned(), form(wanted));
        bodies.before.insert(field.name().to_owned(), form(current));
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        work.add_field_change(field.name(), text(current), text(wanted));
    }
}

/// Whether a contact without a primary number or address has this one as an additional one: files that put all of them
/// into one column have it first there.
fn has_as_additional(remote: &RemoteContact, field: Field, wanted: &str) -> bool {
    let others = match field {
        Field::Email => &remote.additional_emails,
        Field::Phone => &remote.additional_phones,
        _ => return false,
    };
    others.iter().any(|other| equality::same_field(field, wanted, other))
}

/// Whether a row has one name for both person and company, and the contact already has it as
/// either.
fn is_known_by_shared_name(draft: &ContactDraft, remote: &RemoteContact) -> bool {
    let cell = |field: Field| draft.fields.get(&field).and_then(Value::as_str);
    let (Some(name), Some(company)) = (cell(Field::Name), cell(Field::CompanyName)) else {
        return false;
    };
    let is_it = |field: Field, current: &str| {
        equality::same_field(field, name, current)
            || literal::cell_equals_text(draft, field.name(), current)
            || literal::damaged_copy(draft, field.name(), name, current).is_some()
    };
    let literal = |field: Field| draft.written.get(field.name());
    let same_cell =
        literal(Field::Name).is_some() && literal(Field::Name) == literal(Field::CompanyName);
    (name == company || same_cell)
        && (remote
            .native_field(Field::CompanyName)
            .is_some_and(|current| is_it(Field::CompanyName, current))
            || is_it(Field::Name, &remote.full_name()))
}

/// Whether an update can change a field that differs; if not, adds a warning.
fn can_update_field(work: &mut RowPlanBuilder<'_>, field: Field) -> bool {
    match field {
        Field::Gender => {
            let message = "the API sets the gender of new contacts only; it is left unchanged";
            work.add_warning(
                DiagnosticCode::W_GENDER_NOT_UPDATED,
                field.name(),
                message.to_owned(),
            );
            false
        }
        _ => true,
    }
}

/// The value that clears a native field: null where the API accepts it, else an empty text (api.md
/// §5.4).
pub(super) fn clearing_value(field: Field) -> Value {
    match field {
        Field::PostalCode | Field::Country => "".into(),
        _ => Value::Null,
    }
}

fn diff_custom_fields(
    work: &mut RowPlanBuilder<'_>,
    remote: &RemoteContact,
    bodies: &mut UpdateBodies,
) {
    let draft = work.draft;
    let (mut entries, mut old) = (Vec::new(), Vec::new());
    for (id, value) in &draft.custom {
        let kind = work.planner.fields.get(&**id).map(|field| &*field.data_type);
        let current = remote.custom.get(id).unwrap_or(&Value::Null);
        let target = format!("customFields.{id}");
        if equality::same_custom_value(kind, value, current)
            || literal::cell_equals_value(draft, &target, value, current)
        {
            continue;
        }
        if let (Value::String(wanted), Value::String(current)) = (value, current)
            && let Some(cell) = literal::damaged_copy(draft, &target, wanted, current)
        {
            work.add_damage_warning(&target, cell, current);
            continue;
        }
        work.add_field_change(
            &work.planner.custom_field_name(id),
            change_text::format_value(current),
            change_text::format_value(value),
        );
        entries.push(json!({ "id": id, "field_value": custom_field_value(kind, value) }));
        old.push(json!({ "id": id, "field_value": custom_field_value(kind, current) }));
    }
    if !entries.is_empty() {
        bodies.body.insert("customFields".to_owned(), entries.into());
        bodies.before.insert("customFields".to_owned(), old.into());
    }
}

/// A custom value in writable form. An empty text clears most fields, but date fields ignore it and
/// need null; an empty list would be stored as a value (api.md §5.4).
fn custom_field_value(kind: Option<&str>, value: &Value) -> Value {
    match (equality::is_null_or_empty(value), kind) {
        (true, Some("DATE")) => Value::Null,
        (true, _) => "".into(),
        (false, _) => value.clone(),
    }
}

fn diff_owner(work: &mut RowPlanBuilder<'_>, remote: &RemoteContact, bodies: &mut UpdateBodies) {
    let Some(owner) = &work.draft.owner else { return };
    let wanted = owner.as_str().filter(|id| !id.is_empty());
    let current = remote.owner.as_deref();
    if wanted == current {
        return;
    }
    bodies.body.insert("assignedTo".to_owned(), wanted.into());
    bodies.before.insert("assignedTo".to_owned(), current.into());
    work.add_field_change(
        "assignedTo",
        current.unwrap_or_default().into(),
        wanted.unwrap_or_default().into(),
    );
}

/// The whole list, if the row's tags replace the contact's.
fn diff_tags(work: &mut RowPlanBuilder<'_>, remote: &RemoteContact, bodies: &mut UpdateBodies) {
    let tags = &work.draft.tags;
    if !work.replaces_tags() {
        return;
    }
    let keys = |tags: &[String]| {
        let mut keys: Vec<String> = tags.iter().map(|tag| equality::tag_key(tag)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    if keys(tags) == keys(&remote.tags) {
        return;
    }
    bodies.body.insert("tags".to_owned(), tags.clone().into());
    bodies.before.insert("tags".to_owned(), remote.tags.clone().into());
    work.add_field_change(
        "tags",
        change_text::format_list(&remote.tags),
        change_text::format_list(tags),
    );
}

/// The row's additional addresses and numbers that the contact does not have.
pub(super) fn missing_additional_values<'d>(
    draft: &'d ContactDraft,
    remote: Option<&RemoteContact>,
) -> (Vec<&'d str>, Vec<&'d str>) {
    let has = |field: Field, more: fn(&RemoteContact) -> &[String], value: &str| {
        let own = draft.fields.get(&field).and_then(Value::as_str);
        let current = remote.into_iter().flat_map(|remote| {
            remote.native_field(field).into_iter().chain(more(remote).iter().map(String::as_str))
        });
        own.into_iter().chain(current).any(|one| equality::same_field(field, one, value))
    };
    let emails = draft.additional_emails.iter().map(String::as_str);
    let phones = draft.additional_phones.iter().map(String::as_str);
    (
        emails
            .filter(|email| !has(Field::Email, |remote| &remote.additional_emails, email))
            .collect(),
        phones
            .filter(|phone| !has(Field::Phone, |remote| &remote.additional_phones, phone))
            .collect(),
    )
}
