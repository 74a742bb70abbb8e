//! The body of a search of notes, parsed and validated.
//!
//! Which forms and sizes are accepted depends on the settings, because the real service's rules are
//! unknown (api.md §4.2).

use serde_json::{Map, Value};

use crate::sandbox::http::response::EndpointError;
use crate::sandbox::notes_search_behavior::{
    AcceptedRelations, ContactIdUse, NotesSearchBehavior, RelationJoin, RequestTolerance,
};
use crate::sandbox::store::note::NoteSource;

const KEYS: [&str; 12] = [
    "locationId",
    "query",
    "sources",
    "createdByUserId",
    "limit",
    "skip",
    "sortBy",
    "sortOrder",
    "count",
    "relations",
    "includeRelationRecords",
    "contactId",
];

/// One search of notes.
#[derive(Debug)]
pub(crate) struct NotesSearchCriteria {
    pub(crate) text: Option<String>,
    pub(crate) sources: Option<Vec<NoteSource>>,
    pub(crate) author: Option<String>,
    pub(crate) limit: usize,
    pub(crate) skip: usize,
    pub(crate) ascending: bool,
    pub(crate) counts: bool,
    /// The records whose notes are wanted: an object, unless only the id counts, and an id. `None`
    /// wants the notes of all.
    pub(crate) relations: Option<Vec<(Option<String>, String)>>,
    pub(crate) shows_records: bool,
}

impl NotesSearchCriteria {
    pub(crate) fn parse(
        body: &Map<String, Value>,
        behavior: &NotesSearchBehavior,
    ) -> Result<Self, EndpointError> {
        let mut wrong = Vec::new();
        let known = |key: &str| {
            KEYS.contains(&key)
                && (key != "contactId" || behavior.contact_id != ContactIdUse::Refuse)
        };
        for key in body.keys().filter(|key| !known(key)) {
            wrong.push(format!("property {key} should not exist"));
        }
        if !body.get("locationId").is_some_and(Value::is_string) {
            wrong.push("locationId should not be empty".to_owned());
        }
        if body.get("sortBy").is_some_and(|field| field != "dateAdded") {
            wrong.push("sortBy must be one of the following values: dateAdded".to_owned());
        }
        let order = body.get("sortOrder").map(|order| order.as_str().unwrap_or_default());
        if order.is_some_and(|order| !["asc", "desc"].contains(&order)) {
            wrong.push("sortOrder must be one of the following values: asc, desc".to_owned());
        }
        let limit = parse_limit(body, behavior, &mut wrong);
        let criteria = Self {
            text: parse_text(body, "query", &mut wrong).map(|text| text.to_lowercase()),
            sources: parse_sources(body, &mut wrong),
            author: parse_text(body, "createdByUserId", &mut wrong),
            limit,
            skip: parse_number(body, "skip", &mut wrong).unwrap_or_default(),
            ascending: order == Some("asc"),
            counts: parse_flag(body, "count", &mut wrong),
            relations: parse_relations(body, behavior, &mut wrong),
            shows_records: parse_flag(body, "includeRelationRecords", &mut wrong),
        };
        if wrong.is_empty() { Ok(criteria) } else { Err(EndpointError::validation_failed(wrong)) }
    }

    /// What the notes found depend on, apart from relations, order and page.
    pub(crate) fn filter_key(&self) -> String {
        format!("{:?} {:?} {:?}", self.text, self.sources, self.author)
    }
}

fn parse_limit(
    body: &Map<String, Value>,
    behavior: &NotesSearchBehavior,
    wrong: &mut Vec<String>,
) -> usize {
    let limit = parse_number(body, "limit", wrong).unwrap_or(behavior.default_page);
    if limit == 0 {
        wrong.push("limit must not be less than 1".to_owned());
    }
    if limit > behavior.largest_page && behavior.over_limit == RequestTolerance::Refuse {
        wrong.push(format!("limit must not be greater than {}", behavior.largest_page));
    }
    limit.min(behavior.largest_page)
}

fn parse_number(body: &Map<String, Value>, key: &str, wrong: &mut Vec<String>) -> Option<usize> {
    let value = body.get(key)?;
    let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
    if number.is_none() {
        wrong.push(format!("{key} must be a positive number"));
    }
    number
}

fn parse_flag(body: &Map<String, Value>, key: &str, wrong: &mut Vec<String>) -> bool {
    match body.get(key) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            wrong.push(format!("{key} must be a boolean value"));
            false
        }
    }
}

fn parse_text(body: &Map<String, Value>, key: &str, wrong: &mut Vec<String>) -> Option<String> {
    let value = body.get(key)?;
    let text = value.as_str();
    if text.is_none() {
        wrong.push(format!("{key} must be a string"));
    }
    text.map(str::to_owned).filter(|text| !text.is_empty())
}

fn parse_sources(body: &Map<String, Value>, wrong: &mut Vec<String>) -> Option<Vec<NoteSource>> {
    let value = body.get("sources")?;
    let Some(list) = value.as_array() else {
        wrong.push("sources must be an array".to_owned());
        return None;
    };
    let documented = |source: &NoteSource| *source != NoteSource::Integration;
    let sources: Option<Vec<NoteSource>> = list
        .iter()
        .map(|one| NoteSource::from_json_word(one.as_str()?).filter(documented))
        .collect();
    if sources.is_none() {
        let text = "each value in sources must be one of the following values: WEB_USER, WORKFLOW";
        wrong.push(text.to_owned());
    }
    sources.filter(|sources| !sources.is_empty())
}

fn parse_relations(
    body: &Map<String, Value>,
    behavior: &NotesSearchBehavior,
    wrong: &mut Vec<String>,
) -> Option<Vec<(Option<String>, String)>> {
    let contact = body.get("contactId").and_then(Value::as_str);
    if let Some(contact) = contact.filter(|_| behavior.contact_id == ContactIdUse::Filter) {
        return Some(vec![(Some("contact".to_owned()), contact.to_owned())]);
    }
    let Some(list) = body.get("relations")?.as_array() else {
        wrong.push("relations must be an array".to_owned());
        return None;
    };
    if list.len() > behavior.most_relations {
        let most = behavior.most_relations;
        wrong.push(format!("relations must contain no more than {most} elements"));
    }
    let mut relations = Vec::with_capacity(list.len());
    for relation in list {
        match parse_relation(relation, behavior.relations) {
            Ok(relation) => relations.push(relation),
            Err(_) if behavior.wrong_relations == RequestTolerance::Tolerate => return None,
            Err(message) => wrong.push(message),
        }
    }
    if behavior.join == RelationJoin::First {
        relations.truncate(1);
    }
    Some(relations)
        .filter(|list| !list.is_empty() && behavior.relations != AcceptedRelations::Ignored)
}

fn parse_relation(
    value: &Value,
    form: AcceptedRelations,
) -> Result<(Option<String>, String), String> {
    let takes_ids = form != AcceptedRelations::Objects;
    let takes_objects = form != AcceptedRelations::Ids;
    match value {
        Value::String(id) if takes_ids => Ok((None, id.clone())),
        Value::Object(relation) if takes_objects => {
            let keys = ["objectKey", "recordId"];
            if let Some(key) = relation.keys().find(|key| !keys.contains(&key.as_str())) {
                return Err(format!("relations.property {key} should not exist"));
            }
            let text = |key: &str| relation.get(key).and_then(Value::as_str).map(str::to_owned);
            text("objectKey")
                .zip(text("recordId"))
                .map(|(object, id)| (Some(object), id))
                .ok_or_else(|| "relations.recordId should not be empty".to_owned())
        }
        _ if takes_objects => Err("each value in relations must be an object".to_owned()),
        _ => Err("each value in relations must be a string".to_owned()),
    }
}
