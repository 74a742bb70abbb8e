//! The request of an export: stored in the run, so that a resumed run does the same.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ContactListFile, ExportError, ExportTables, TemplateSnapshot, templates};
use crate::api::ContactSearchFilter;
use crate::choice::choice_enum;
use crate::id::BusinessId;
use crate::publish::{
    ChildFilter, ExportScope, FileMode, ManifestMetadata, MaskRules, Masking, NamedTemplate,
    PublishOptions,
};
use crate::resource::{RESOURCES, ResourceSpec};
use crate::run::RunStore;
use crate::table::{FormulaGuardMode, JsonLinesShape, TableFormat};
use crate::text::encode_hex;

/// What to export, and where to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The output directory, absolute.
    pub out: PathBuf,
    /// The table that goes to stdout, if one does: the output directory is then a temporary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout_table: Option<String>,
    /// The names of the formats.
    pub formats: Vec<String>,
    /// The presets whose templates are written, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(rename = "layouts")]
    pub templates: Vec<TemplateSnapshot>,
    /// Which CSV cells are guarded, so that a spreadsheet does not execute them.
    pub csv_safe: FormulaGuardMode,
    /// Whether files for another system's own importer are guarded, too, because the guard was asked for.
    #[serde(default)]
    pub guard_uploads: bool,
    /// Whether CSV files begin with a byte order mark; by default those for Excel do.
    #[serde(default)]
    pub csv_bom: Option<bool>,
    /// How JSON Lines represent lists and JSON.
    #[serde(default)]
    pub jsonl: JsonLinesShape,
    /// Which tables in addition to the contacts.
    pub tables: ExportTables,
    /// Which contacts.
    pub filters: ExportFilters,
    /// Which notes, tasks and appointments of these contacts.
    #[serde(default, skip_serializing_if = "ChildRequest::is_empty")]
    pub children: ChildRequest,
    /// The file that lists the contacts, if any.
    #[serde(default)]
    pub contacts: Option<ContactListFile>,
    /// The URL of the API.
    pub url: String,
    /// The environment variable with the token, if it is not the usual one.
    pub token_variable: Option<String>,
    /// The selected profile, if any.
    #[serde(default)]
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
    /// The rights of the files.
    #[serde(default)]
    pub file_mode: FileMode,
    /// How notes are read.
    #[serde(default)]
    pub notes_by: NoteReading,
    /// Whether whatever is in the output directory is replaced.
    #[serde(default)]
    pub replace: bool,
    /// Which columns are masked.
    #[serde(default, skip_serializing_if = "MaskRules::is_empty")]
    pub masks: MaskRules,
    /// When the command for several locations began that the export is part of; no part of what is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_started: Option<jiff::Timestamp>,
}

choice_enum! {
    /// How an export reads notes.
    pub enum NoteReading = Auto {
        /// by search, many contacts per request, where a sample proves that it shows the same notes
        Auto = "auto",
        /// contact by contact, one request each
        Contact = "contact",
    }
}

/// A moment past, as the user gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinceTime {
    /// The moment.
    pub at: jiff::Timestamp,
    /// What stays the same when the command is repeated: the moment, or a duration such as `7d`.
    pub spelled: String,
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportFilters {
    /// Those with all of these tags.
    pub tags: Vec<String>,
    /// Those updated since then.
    pub updated_since: Option<SinceTime>,
    /// Those added since then.
    pub added_since: Option<SinceTime>,
    /// Those of a business, by id or name.
    pub business: Option<String>,
    /// The business's id, once found.
    pub business_id: Option<BusinessId>,
    /// Full text.
    pub query: Option<String>,
    /// Filters in the API's own grammar.
    pub raw: Vec<Value>,
}

/// Which notes, tasks and appointments of the exported contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildRequest {
    /// The conditions.
    pub filter: ChildFilter,
    /// The conditions on tasks as the user gave them, which stay the same when the command is repeated.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Since when the records were added, as the user gave it.
    #[serde(default)]
    pub since: Option<String>,
}

impl ChildRequest {
    /// Whether all of them are asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filter.is_empty()
    }
}

impl ExportFilters {
    /// The filters in the API's grammar (api.md §2.4–7). Times are epoch milliseconds, which every
    /// observed server accepts.
    #[must_use]
    pub fn to_api_filter(&self) -> ContactSearchFilter {
        let tag = |tag: &String| json!({"field": "tags", "operator": "contains", "value": tag});
        let since = |field: &'static str| {
            move |since: &SinceTime| {
                let value = json!({"gte": since.at.as_millisecond()});
                json!({"field": field, "operator": "range", "value": value})
            }
        };
        let mut filters: Vec<Value> = self.tags.iter().map(tag).collect();
        filters.extend(self.updated_since.as_ref().map(since("dateUpdated")));
        filters.extend(self.added_since.as_ref().map(since("dateAdded")));
        filters.extend(
            self.business_id
                .as_ref()
                .map(|id| json!({"field": "businessId", "operator": "eq", "value": id})),
        );
        filters.extend(self.raw.iter().cloned());
        ContactSearchFilter { filters, query: self.query.clone() }
    }
}

impl ExportRequest {
    /// [`Self::command_started`] of a request as a run stores it.
    #[must_use]
    pub fn command_started_of(stored: &Value) -> Option<jiff::Timestamp> {
        stored.get("command_started")?.as_str()?.parse().ok()
    }

    /// The selection for the manifest; `None` when all contacts are exported.
    pub(super) fn manifest_filter(&self) -> Option<Value> {
        let filter = self.filters.to_api_filter();
        let is_filtered = self.contacts.is_some() || !filter.is_empty();
        if is_filtered && !self.masks.is_empty() {
            // It may name people.
            return Some(json!({ "masked": true }));
        }
        match &self.contacts {
            Some(contact_list) => Some(json!({ "contacts": contact_list })),
            None => (!filter.is_empty()).then(|| json!(filter)),
        }
    }

    /// Whether another request, as a run stores it, asks for the same in the same way, so that the one can go on
    /// where the other stopped.
    #[must_use]
    pub fn is_same(&self, stored: &Value) -> bool {
        serde_json::from_value(stored.clone())
            .is_ok_and(|other: Self| self.has_same_output(&other) && self.asks_for_same(&other))
    }

    /// Whether the files go to the same place. The directory before stdout is another one each time.
    fn has_same_output(&self, other: &Self) -> bool {
        self.stdout_table == other.stdout_table
            && (self.stdout_table.is_some() || self.out == other.out)
    }

    /// As [`Self::is_same`], wherever the files go: `--out backup-$(date +%F)` is another directory every night.
    #[must_use]
    pub fn is_same_elsewhere(&self, stored: &Value) -> bool {
        serde_json::from_value(stored.clone()).is_ok_and(|other: Self| self.asks_for_same(&other))
    }

    fn asks_for_same(&self, other: &Self) -> bool {
        self.formats == other.formats
            && self.templates == other.templates
            && self.csv_safe == other.csv_safe
            && self.guard_uploads == other.guard_uploads
            && self.csv_bom == other.csv_bom
            && self.jsonl == other.jsonl
            && self.file_mode == other.file_mode
            && self.scope() == other.scope()
            && (self.url == other.url || (self.sandbox && other.sandbox))
    }

    /// Whether everything is read that a sync reads.
    pub(super) fn reads_whole_location(&self) -> bool {
        self.scope().filters.is_null() && self.tables.tasks && self.tables.notes
    }

    /// What is asked for, to compare it with an export that is in the output directory already.
    pub(super) fn scope(&self) -> ExportScope {
        let filters = &self.filters;
        let spelled = |since: &Option<SinceTime>| since.as_ref().map(|it| it.spelled.clone());
        let every = filters.to_api_filter().is_empty()
            && filters.business.is_none()
            && self.contacts.is_none()
            && self.children.is_empty();
        let mut filters = json!({
            "tags": filters.tags,
            "updated_since": spelled(&filters.updated_since),
            "added_since": spelled(&filters.added_since),
            "business": filters.business,
            "query": filters.query,
            "filter": filters.raw,
            "contacts": self.contacts.as_ref().map(|list| &list.file),
        });
        if !self.children.is_empty() {
            filters["tasks"] = json!(self.children.tasks);
            filters["children_since"] = json!(self.children.since);
        }
        if !self.masks.is_empty() {
            // Filters may name people; the digest still says whether two are the same.
            let digest = Sha256::digest(filters.to_string().as_bytes());
            filters = json!({ "sha256": encode_hex(&digest) });
        }
        let tables = RESOURCES.iter().filter(|table| self.tables.includes_table(table));
        let tables = tables.map(|table| table.name.to_owned()).filter(|_| !self.formats.is_empty());
        let templates =
            self.templates.iter().map(|template| format!("template {}", template.preset));
        ExportScope {
            filters: if every { Value::Null } else { filters },
            tables: tables.chain(templates).collect(),
            masks: self.masks.describe(),
        }
    }

    /// The templates to write.
    ///
    /// # Errors
    /// When two files would have the same name.
    pub(super) fn parse_templates(&self) -> Result<Vec<NamedTemplate>, ExportError> {
        let formats = self.formats.iter().filter_map(|name| TableFormat::from_name(name));
        templates::parse_templates(&self.templates, &formats.collect::<Vec<_>>())
    }

    /// Whether a template has the names of calendars.
    ///
    /// # Errors
    /// As [`Self::parse_templates`].
    pub(super) fn needs_calendar_names(&self) -> Result<bool, ExportError> {
        Ok(self.parse_templates()?.iter().any(|named| named.template.names_calendars()))
    }

    /// The masks with their key, which is made if it is needed for the first time.
    fn load_masking(&self, home: &RunStore) -> Result<Masking, ExportError> {
        let rules = self.masks.clone();
        let key = rules.need_key().then(|| home.load_mask_key()).transpose()?;
        let scratch_dir = (!rules.is_empty()).then(|| home.home_dir().to_owned());
        Ok(Masking { rules, key, scratch_dir })
    }

    pub(super) fn publish_options(
        &self,
        facts: ManifestMetadata,
        home: &RunStore,
    ) -> Result<PublishOptions, ExportError> {
        let format = |name: &String| {
            TableFormat::from_name(name)
                .ok_or_else(|| ExportError::Request(format!("there is no format `{name}`")))
        };
        let formats = self.formats.iter().map(format).collect::<Result<Vec<_>, _>>()?;
        let templates = self.parse_templates()?;
        if !templates.is_empty() && !self.masks.is_empty() {
            let message = "a masked export has no files for other systems, which need the values";
            return Err(ExportError::Request(message.to_owned()));
        }
        let is_requested = |table: &&'static ResourceSpec| {
            !formats.is_empty() && self.tables.includes_table(table)
                || templates::any_uses_table(&templates, table.name)
        };
        Ok(PublishOptions {
            tables: RESOURCES.iter().copied().filter(is_requested).collect(),
            formats,
            templates,
            csv_safe: self.csv_safe,
            guard_uploads: self.guard_uploads,
            csv_bom: self.csv_bom.unwrap_or(self.csv_safe == FormulaGuardMode::Excel),
            jsonl: self.jsonl,
            children: self.children.filter.clone(),
            masking: self.load_masking(home)?,
            facts,
        })
    }
}
