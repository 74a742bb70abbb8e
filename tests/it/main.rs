//! The boundary: the real binary against the sandbox, a file per subject.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod children;
mod cli;
mod damage;
mod doubts;
mod filters;
mod floors;
mod guesses;
mod hostile;
mod hostile_sheets;
mod http;
mod imports;
mod kills;
mod limits;
mod locations;
mod map_command;
mod maps;
mod outcome;
mod people;
mod presets;
mod process;
mod refusals;
mod resolving;
mod resume;
mod roundtrip;
mod runs;
mod samples;
mod sandbox;
mod secrets;
mod table_file;
mod tables;
mod torture;
mod undo;
mod weather;
mod world;
