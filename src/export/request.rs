//! What an export was asked for: stored in the run, so that a resumed one does the same.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ContactListFile, ExportError, ExportTables, TemplateSnapshot, templates};
use crate::api::ContactSearchFilter;
use crate::id::BusinessId;
use crate::publish::{ManifestMetadata, NamedTemplate, PublishOptions};
use crate::resource::{RESOURCES, ResourceSpec};
use crate::table::{FormulaGuardMode, TableFormat};

/// What to export, and where to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExportRequest {
    /// The output directory, absolute.
    pub out: PathBuf,
    /// The formats' names.
    pub formats: Vec<String>,
    /// The presets whose layouts are written, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<TemplateSnapshot>,
    /// Which CSV cells are guarded, so that a spreadsheet does not execute them.
    pub csv_safe: FormulaGuardMode,
    /// The tables in addition to the contacts.
    pub tables: ExportTables,
    /// Which contacts.
    pub filters: ExportFilters,
    /// The file that names the contacts, where one does.
    #[serde(default)]
    pub contacts: Option<ContactListFile>,
    /// The API's address.
    pub url: String,
    /// The environment variable that holds the token, where it is another than the usual one.
    pub token_variable: Option<String>,
    /// The profile that was chosen, if one was.
    #[serde(default)]
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportFilters {
    /// Those with all of these tags.
    pub tags: Vec<String>,
    /// Those updated since then.
    pub updated_since: Option<jiff::Timestamp>,
    /// Those added since then.
    pub added_since: Option<jiff::Timestamp>,
    /// Those of a business, by id or name.
    pub business: Option<String>,
    /// The business's id, once found.
    pub business_id: Option<BusinessId>,
    /// Full text.
    pub query: Option<String>,
    /// Filters in the API's own grammar.
    pub raw: Vec<Value>,
}

impl ExportFilters {
    /// The filters in the API's grammar (api.md §2.4–7). Times are epoch milliseconds, which every
    /// observed server takes.
    #[must_use]
    pub fn to_api_filter(&self) -> ContactSearchFilter {
        let tag = |tag: &String| json!({"field": "tags", "operator": "contains", "value": tag});
        let since = |field: &'static str| {
            move |since: jiff::Timestamp| {
                let value = json!({"gte": since.as_millisecond()});
                json!({"field": field, "operator": "range", "value": value})
            }
        };
        let mut filters: Vec<Value> = self.tags.iter().map(tag).collect();
        filters.extend(self.updated_since.map(since("dateUpdated")));
        filters.extend(self.added_since.map(since("dateAdded")));
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
    /// Which contacts, for the manifest; nothing where all are exported.
    pub(super) fn manifest_filter(&self) -> Option<Value> {
        let filter = self.filters.to_api_filter();
        match &self.contacts {
            Some(chosen) => Some(json!({ "contacts": chosen })),
            None => (!filter.is_empty()).then(|| json!(filter)),
        }
    }

    /// The layouts to write, if their files and those of the formats have names of their own.
    ///
    /// # Errors
    /// When two files would have one name.
    pub(super) fn parse_templates(&self) -> Result<Vec<NamedTemplate>, ExportError> {
        let formats = self.formats.iter().filter_map(|name| TableFormat::from_name(name));
        templates::parse_templates(&self.layouts, &formats.collect::<Vec<_>>())
    }

    pub(super) fn publish_options(
        &self,
        facts: ManifestMetadata,
    ) -> Result<PublishOptions, ExportError> {
        let format = |name: &String| {
            TableFormat::from_name(name)
                .ok_or_else(|| ExportError::Request(format!("there is no format `{name}`")))
        };
        let formats = self.formats.iter().map(format).collect::<Result<Vec<_>, _>>()?;
        let layouts = self.parse_templates()?;
        let wanted = |table: &&'static ResourceSpec| {
            !formats.is_empty() && self.tables.includes_table(table)
                || templates::any_uses_table(&layouts, table.name)
        };
        Ok(PublishOptions {
            tables: RESOURCES.iter().copied().filter(wanted).collect(),
            formats,
            layouts,
            csv_safe: self.csv_safe,
            facts,
        })
    }
}
