//! The rows of a sheet that are hidden, manually or by a filter.

use std::io::BufRead;

use quick_xml::events::Event;

use super::archive::attribute_value;
use super::grid::ROWS;

/// Hidden rows, as sorted ranges counted from 0.
#[derive(Debug, Default)]
pub(super) struct HiddenRows {
    ranges: Vec<(u32, u32)>,
    /// Whether the sheet has a filter.
    pub(super) filtered: bool,
}

impl HiddenRows {
    /// Adds `count` rows from `first` on. Ranges are added in order.
    pub(super) fn add_range(&mut self, first: u32, count: u32) {
        let behind = first.saturating_add(count);
        match self.ranges.last_mut() {
            Some((_, end)) if *end == first => *end = behind,
            _ => self.ranges.push((first, behind)),
        }
    }

    /// Sorts the ranges, in case they were added in another order.
    pub(super) fn sort_ranges(&mut self) {
        self.ranges.sort_unstable();
    }

    pub(super) fn contains(&self, row: u32) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= row);
        after.checked_sub(1).is_some_and(|index| row < self.ranges[index].1)
    }

    /// Reads the hidden rows of a sheet from an ODS file's content.
    pub(super) fn from_ods(content: impl BufRead, sheet: &str) -> Result<Self, quick_xml::Error> {
        let mut xml = quick_xml::Reader::from_reader(content);
        let mut buffer = Vec::new();
        let mut hidden = Self::default();
        let (mut within, mut row) = (false, 0_u32);
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer)? {
                Event::Start(e) | Event::Empty(e) => match e.name().as_ref() {
                    "table:table" => {
                        within = attribute_value(&e, "name").as_deref() == Some(sheet);
                        row = 0;
                    }
                    "table:table-row" if within => {
                        let count = attribute_value(&e, "number-rows-repeated");
                        let count = count.and_then(|it| it.parse().ok()).unwrap_or(1_u32).min(ROWS);
                        let visibility = attribute_value(&e, "visibility");
                        if matches!(visibility.as_deref(), Some("collapse" | "filter")) {
                            hidden.add_range(row, count);
                        }
                        hidden.filtered |= visibility.as_deref() == Some("filter");
                        row = row.saturating_add(count);
                    }
                    _ => {}
                },
                Event::End(e) if e.name().as_ref() == "table:table" => within = false,
                Event::Eof => return Ok(hidden),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_and_filtered_rows_of_a_table_are_found() {
        let content = r#"<office:body><table:table table:name="A"><table:table-row table:visibility="collapse"/></table:table>
            <table:table table:name="B &amp; C"><table:table-row/><table:table-row table:visibility="filter"
            table:number-rows-repeated="2"><table:table-cell/></table:table-row><table:table-row/>
            </table:table></office:body>"#;
        let hidden = HiddenRows::from_ods(content.as_bytes(), "B & C").unwrap();
        assert!(hidden.filtered);
        let rows: Vec<u32> = (0..6).filter(|row| hidden.contains(*row)).collect();
        assert_eq!(rows, [1, 2]);
    }
}
