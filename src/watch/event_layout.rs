//! Events in another system's words: rows under the keys of the files that the system imports.

use super::error::WatchError;
use super::event_feed::EventFeed;
use super::row_members::RowMembers;
use super::row_reader::RowReader;
use crate::mirror::RecordKind;
use arrow_array::RecordBatch;

impl EventFeed {
    /// A row as events show it: in the columns of the exports' tables, or in those of the layout. `None` if the layout has
    /// no such rows.
    pub(super) fn word_row(
        &mut self,
        kind: RecordKind,
        row: &RecordBatch,
        rows: &mut RowReader,
    ) -> Result<Option<RowMembers>, WatchError> {
        let Some(layout) = &mut self.layout else { return Ok(Some(RowMembers::from_row(row))) };
        let contact = RowMembers::from_row(row).text("contact_id");
        if let Some(contact) =
            contact.filter(|_| kind != RecordKind::Contact && layout.joins_contacts())
        {
            let contact = self.reader.find_latest_version(RecordKind::Contact, &contact)?;
            let contact = contact.and_then(|it| rows.read_row(RecordKind::Contact, &it.body).ok());
            if let Some(contact) = contact {
                layout.set_contact(rows.table(RecordKind::Contact), &contact)?;
            }
        }
        let words = layout.word_row(rows.table(kind), row)?;
        Ok(words.map(RowMembers::from_texts))
    }
}
