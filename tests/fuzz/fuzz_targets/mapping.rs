//! A mapping of any text: it is read, or every problem is named; what was read is written as TOML that reads
//! as the same mapping.
#![no_main]

use ghl_bulk::mapping::Mapping;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(mapping) = Mapping::parse(text, "fuzz.toml") else { return };
    let written = mapping.to_toml();
    let again = Mapping::parse(&written, "written.toml")
        .unwrap_or_else(|problems| panic!("{problems:?}\n{written}"));
    assert_eq!(again.to_toml(), written);
});
