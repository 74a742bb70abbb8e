//! A response body of any bytes: every decoder reads it or says why not, and each row becomes a row of its table
//! or an error.
#![no_main]

use ghl_bulk::api;
use ghl_bulk::model::remote::RemoteContact;
use ghl_bulk::resource::{CustomFieldColumns, RESOURCES, RowDecoder, response_rows};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    api::fuzz_decoders(body);
    api::fuzz_repair(body);
    let _ = RemoteContact::from_json_slice(body);
    let Ok(text) = std::str::from_utf8(body) else { return };
    if serde_json::from_str::<serde_json::Value>(text).is_err() {
        return;
    }
    let fields = CustomFieldColumns::from_definitions(response_rows(text, "customFields"));
    let fields = fields.unwrap_or_default();
    for table in RESOURCES {
        let _ = api::parse_list_rows(body, table.name);
        let mut decoder = RowDecoder::new(&table.table_schema(&fields));
        for row in response_rows(text, table.name).chain([text]) {
            let _ = decoder.push_row(row);
        }
        let rows = decoder.len();
        assert_eq!(decoder.finish().num_rows(), rows);
    }
});
