//! The boundary: the real binary against the sandbox, a file per subject.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod floors;
mod world;
