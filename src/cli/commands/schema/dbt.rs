//! The tables as sources of a dbt project, with descriptions and tests.
//!
//! Ids must be unique. That a referenced row is there is only a warning: contacts and users are
//! deleted.

use std::fmt::Write as _;

use super::described_table::DescribedTable;

/// The name of the source, which models use: `source('highlevel', 'contacts')`.
const SOURCE: &str = "highlevel";

/// Tables of an incremental export are replaced only when something has changed.
const FRESHNESS: &str = "\
        # A table without a change is not written again; `finished` in manifest.json says when the account was last read.
        loaded_at_field: _synced_at
        freshness:
          warn_after: {count: 3, period: day}
";

/// A properties file, for dbt 1.8 or later: arguments of tests stand where every version finds them.
pub(super) fn write_sources(tables: &[DescribedTable]) -> String {
    let mut yaml = format!(
        "# models/sources.yml\nversion: 2\nsources:\n  - name: {SOURCE}\n    description: \"Exports of ghl-bulk.\"\n    tables:\n"
    );
    for table in tables {
        let (name, doc) = (table.name, quoted(table.doc));
        // Writing to a string never fails.
        let _ = writeln!(yaml, "      - name: {name}\n        description: {doc}");
        if table.columns.iter().any(|column| column.name == "_synced_at") {
            yaml.push_str(FRESHNESS);
        }
        yaml.push_str("        columns:\n");
        for column in &table.columns {
            let (name, doc) = (&column.name, quoted(&column.doc));
            let _ = writeln!(yaml, "          - name: {name}\n            description: {doc}");
            if name == "id" {
                yaml.push_str("            data_tests: [unique, not_null]\n");
            }
            if let Some(to) = column.references {
                let _ = writeln!(
                    yaml,
                    "            data_tests:\n              - relationships:\n                  to: source('{SOURCE}', '{to}')\n                  field: id\n                  config: {{severity: warn}}"
                );
            }
        }
    }
    yaml
}

/// A JSON string is a YAML string in double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
