//! The columns that this program adds to the result files of an import. When such a file is fed back they
//! are ignored, and never written a second time.

/// The contact.
pub const CONTACT_ID: &str = "_contact_id";
/// What was done with the row.
pub const ACTION: &str = "_action";
/// Why nothing was to be done.
pub const REASON: &str = "_reason";
/// The line of a rejected row in its sheet.
pub const REJECT_LINE: &str = "_reject_line";
/// The code of a rejection.
pub const REJECT_CODE: &str = "_reject_code";
/// The column or field that a rejection is about.
pub const REJECT_FIELD: &str = "_reject_field";
/// Why a row was rejected.
pub const REJECT_REASON: &str = "_reject_reason";
/// The line of a row in doubt in its sheet.
pub const DOUBT_LINE: &str = "_doubt_line";
/// The number of the op in doubt.
pub const DOUBT_OP: &str = "_doubt_op";
/// What is not known.
pub const DOUBT_WHAT: &str = "_doubt_what";
/// When it was sent.
pub const DOUBT_SENT: &str = "_doubt_sent";
/// Where a person writes a decision.
pub const DOUBT_DECISION: &str = "_doubt_decision";

/// All of them.
pub const ALL: [&str; 12] = [
    CONTACT_ID,
    ACTION,
    REASON,
    REJECT_LINE,
    REJECT_CODE,
    REJECT_FIELD,
    REJECT_REASON,
    DOUBT_LINE,
    DOUBT_OP,
    DOUBT_WHAT,
    DOUBT_SENT,
    DOUBT_DECISION,
];

/// Whether a column is one that this program adds to its result files.
#[must_use]
pub fn is_result_column(name: &str) -> bool {
    ALL.contains(&name)
}
