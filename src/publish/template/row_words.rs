//! Single rows in the words of a system: under the names of the columns of its files.

use arrow_array::RecordBatch;
use tempfile::TempDir;

use super::bind;
use super::calendar_names::CalendarNames;
use super::contact_lookup::ContactLookup;
use super::template_files::cell_text;
use super::unused_columns::UnusedColumns;
use super::{NamedTemplate, RowLookups};
use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::FieldSource;
use crate::publish::PublishError;
use crate::resource::TableSchema;
use crate::table::BatchTexts;

/// Writes rows as the files of a system's templates have them, one at a time.
pub struct TemplateRows {
    templates: Vec<ExportTemplate>,
    contact_fields: Vec<FieldSource>,
    contacts: Option<ContactLookup>,
    calendars: CalendarNames,
    /// Where the looked-up contact is.
    _dir: Option<TempDir>,
}

impl TemplateRows {
    /// A writer for these templates.
    ///
    /// # Errors
    /// When no temporary file can be created.
    pub fn new(named: &[NamedTemplate]) -> Result<Self, PublishError> {
        let contact_fields = super::collect_contact_fields(named);
        let (mut contacts, mut dir) = (None, None);
        if !contact_fields.is_empty() {
            let at = std::env::temp_dir();
            let fail = |source| PublishError::from_io_error(&at, source);
            let created = tempfile::Builder::new().prefix(".ghl-bulk").tempdir().map_err(fail)?;
            contacts = Some(ContactLookup::create(contact_fields.clone(), created.path())?);
            dir = Some(created);
        }
        let templates = named.iter().map(|named| named.template.clone()).collect();
        let calendars = CalendarNames::default();
        Ok(Self { templates, contact_fields, contacts, calendars, _dir: dir })
    }

    /// Whether a template has rows of a table.
    #[must_use]
    pub fn has_table(&self, table: &str) -> bool {
        self.templates.iter().any(|template| template.tables.contains(&table))
    }

    /// Whether rows of tasks and notes say something about their contact.
    #[must_use]
    pub fn joins_contacts(&self) -> bool {
        self.contacts.is_some()
    }

    /// Sets the contact that the next rows are about.
    ///
    /// # Errors
    /// When the temporary file cannot be written.
    pub fn set_contact(
        &mut self,
        table: &TableSchema,
        contact: &RecordBatch,
    ) -> Result<(), PublishError> {
        let Some(contacts) = &mut self.contacts else { return Ok(()) };
        let bound = bind::bind_contact_fields(&self.contact_fields, table);
        contacts.insert_contacts(&bound, &BatchTexts::from_batch(contact))
    }

    /// The names and texts of the first row of a batch, empty ones left out; `None` if no template has rows of the table,
    /// or the system would reject the row.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn word_row(
        &self,
        table: &TableSchema,
        row: &RecordBatch,
    ) -> Result<Option<Vec<(String, String)>>, PublishError> {
        let texts = BatchTexts::from_batch(row);
        let lookups = RowLookups { contacts: self.contacts.as_ref(), calendars: &self.calendars };
        let of_table = self.templates.iter().filter(|it| it.tables.contains(&table.name));
        for template in of_table {
            let mut unused = UnusedColumns::new(table);
            let bound = bind::bind_columns(template, table, &self.contact_fields, &mut unused);
            let mut cells = Vec::with_capacity(bound.len());
            for (column, bound) in template.columns.iter().zip(&bound) {
                cells.push(cell_text(column, bound, template, &texts, 0, lookups)?);
            }
            if template.lacks_required(&cells) {
                continue;
            }
            let names = template.columns.iter().map(|column| column.name.clone());
            let members = names.zip(cells).filter(|(_, cell)| !cell.is_empty());
            return Ok(Some(members.collect()));
        }
        Ok(None)
    }
}
