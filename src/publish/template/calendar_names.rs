//! The names of calendars, for the rows of appointments, which have only their ids.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use crate::publish::PublishError;
use crate::resource;
use crate::run::{SpoolReader, stream};

/// The names by id. Empty where the pull could not read the calendars, or did not need them.
#[derive(Debug, Default)]
pub(in crate::publish) struct CalendarNames(HashMap<String, String>);

/// A calendar, as the server sent it.
#[derive(Deserialize)]
struct CalendarJson {
    id: String,
    name: Option<String>,
}

impl CalendarNames {
    /// Reads the names from the last list in the spool.
    pub(in crate::publish) fn load(reader: &SpoolReader) -> Result<Self, PublishError> {
        let (mut names, mut seq) = (HashMap::new(), 0);
        while let Some(entry) = reader.next_entry(stream::CALENDARS, seq)? {
            seq = entry.seq;
            let list = std::str::from_utf8(&entry.body).unwrap_or_default();
            let calendars = resource::response_rows(list, "calendars");
            let calendars =
                calendars.filter_map(|row| serde_json::from_str::<CalendarJson>(row).ok());
            names.extend(calendars.filter_map(|it| Some((it.id, it.name?))));
        }
        names.retain(|_, name: &mut String| !name.trim().is_empty());
        Ok(Self(names))
    }

    /// The name of a calendar, or its id if it has no known name.
    pub(super) fn name_or_id<'t>(&'t self, id: Cow<'t, str>) -> Cow<'t, str> {
        match self.0.get(id.as_ref()) {
            Some(name) => Cow::Borrowed(name),
            None => id,
        }
    }
}
