//! A record that is not as it should be, byte by byte; `repair` finds them.

/// A record of a response that has bytes which are not UTF-8 or not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenRecord {
    /// Its id, if that can be read. Untrusted text.
    pub id: Option<String>,
    /// Its place in the response's list, from 0.
    pub place: usize,
    /// Whether the body has it, as far as it can be read.
    pub is_kept: bool,
    /// What is wrong, with the bytes around it, escaped and shortened. Untrusted text.
    pub message: String,
}
