//! Templates: files for other systems, and their re-import.

mod awkward_account;
mod custom_templates;
mod edited_cells;
mod export_only;
mod file_format;
mod sample_accounts;
mod template_round_trip;
mod template_selection;

use std::collections::BTreeMap;

use crate::world::World;

/// The five systems.
pub(crate) const SYSTEMS: [&str; 5] = ["dub", "docsend", "dialpad", "dashclicks", "dext"];

/// A file of an export: its header and its rows, as any reader of CSV sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    #[track_caller]
    pub(crate) fn read(world: &World, path: &str) -> Self {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).from_path(world.path(path)).unwrap();
        let mut records =
            reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
        let header = records.next().unwrap();
        Self { header, rows: records.collect() }
    }

    #[track_caller]
    pub(crate) fn column(&self, name: &str) -> usize {
        self.header.iter().position(|known| known == name).unwrap_or_else(|| panic!("no `{name}`"))
    }

    /// The row with this text in a column.
    #[track_caller]
    pub(crate) fn find(&self, column: &str, text: &str) -> BTreeMap<&str, &str> {
        let place = self.column(column);
        let row = self.rows.iter().find(|row| row[place] == text);
        let row = row.unwrap_or_else(|| panic!("no `{text}` in `{column}`: {self:#?}"));
        self.header.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect()
    }

    pub(crate) fn write(&self, world: &World, name: &str) {
        let mut writer = csv::Writer::from_path(world.path(name)).unwrap();
        writer.write_record(&self.header).unwrap();
        for row in &self.rows {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
    }
}

/// The preset that takes a file of an export back.
pub(crate) fn preset(file: &str) -> &str {
    match file {
        "dub-partners-create.csv" => "dub-partners",
        file => file.strip_suffix(".csv").unwrap(),
    }
}

/// The sheets of an export, by name.
pub(crate) fn sheets(world: &World, out: &str) -> Vec<String> {
    world.list_files(out).into_iter().filter(|name| name.strip_suffix(".csv").is_some()).collect()
}

/// Those that an import takes: not the list of names for ids.
pub(crate) fn imported_sheets(world: &World, out: &str) -> Vec<String> {
    let mut files = sheets(world, out);
    files.retain(|file| file != "dext-seed-businesses.csv");
    files
}

/// Writes a preset of the user's own.
pub(crate) fn own_preset(world: &World, name: &str, text: &str) {
    let dir = world.path("config/presets");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("{name}.toml")), text).unwrap();
}

/// A world where presets of one's own are kept in `config`.
pub(crate) fn with_presets(world: World) -> World {
    let dir = world.path("config").display().to_string();
    world.with_env("GHL_BULK_CONFIG", &dir)
}
