//! Field cases: small files made after public reports of imports that went wrong, from `tests/cases`. Each stands for
//! a kind of fault.

mod commands;
mod conditions;
mod consent;
mod custom_values;
mod damage;
mod encodings;
mod exports;
mod extra_values;
mod files;
mod foreign_syntax;
mod freed_values;
mod groups;
mod headers;
mod names;
mod nothing_values;
mod phones;
mod scopes;
mod siblings;
mod tasks_by_id;
mod unknown_options;
mod vcards;
mod workbooks;

use std::path::Path;

use serde_json::Value;

use crate::import_world::empty_world;
use crate::world::{CommandOutput, World};

/// Copies a case's file into the working directory.
fn copy_case(world: &World, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    std::fs::copy(from, world.path(name)).unwrap();
}

/// Imports a case's file into an empty location, with these options, and returns the world with what was printed.
fn import_case(name: &str, options: &str) -> (World, CommandOutput) {
    let world = empty_world();
    copy_case(&world, name);
    let done = world.run_command(&format!("import '{name}' --yes --out res {options}"));
    (world, done)
}

/// Imports a text as `in.csv`.
fn import_text(text: impl AsRef<[u8]>, options: &str) -> (World, CommandOutput) {
    let world = empty_world();
    std::fs::write(world.path("in.csv"), text).unwrap();
    let done = world.run_import(options);
    (world, done)
}

/// The contact with this e-mail address, without its notes and tasks.
#[track_caller]
fn contact(world: &World, email: &str) -> Value {
    world.contact_by_email(email)["contact"].clone()
}

/// How many warnings with this code each column has, by `FIELD`.
fn warned_columns(world: &World, code: &str) -> Vec<(String, usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for row in world.read_csv("res/warnings.csv") {
        if row["code"] == code {
            *counts.entry(row["field"].clone()).or_default() += 1;
        }
    }
    counts.into_iter().collect()
}
