//! Quotes a cell's text in a message: in backticks, cut to a readable length, without control characters.

use std::fmt::{self, Write};

/// The maximum number of characters of a cell that a message repeats.
const LONGEST: usize = 60;

/// A cell's text, ready for a message.
pub(super) struct QuotedText<'t>(pub(super) &'t str);

impl fmt::Display for QuotedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        for (index, c) in self.0.chars().enumerate() {
            if index == LONGEST {
                f.write_char('…')?;
                break;
            }
            match c {
                '\n' | '\r' | '\t' => f.write_char(' ')?,
                c if c.is_control() => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('`')
    }
}
