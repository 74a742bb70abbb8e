//! Parts: one value of a cell that contains several values for different targets.
//!
//! `part = "2 of 5"` selects the second of five values, which `split` separates. If a cell has more values, the
//! extra ones belong to the first; if it has fewer, the whole cell does. So nothing goes to a wrong target.

use std::fmt;
use std::str::FromStr;

/// Which of a cell's values is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitPart {
    /// Its number, from 1.
    pub number: usize,
    /// The expected number of values.
    pub of: usize,
}

impl FromStr for SplitPart {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "`part` is written `\"2 of 5\"`: which of how many values";
        let (number, of) = text.split_once(" of ").ok_or(WRONG)?;
        let read = |text: &str| text.trim().parse::<usize>().map_err(|_| WRONG);
        let share = Self { number: read(number)?, of: read(of)? };
        let fits = (1..=share.of).contains(&share.number) && (2..=20).contains(&share.of);
        if fits { Ok(share) } else { Err(WRONG) }
    }
}

impl fmt::Display for SplitPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.number, self.of)
    }
}

impl SplitPart {
    /// Selects its value from those of a cell; empty if there is none. Extra values are added to the first one,
    /// separated by commas; `whole` is the cell's text.
    #[must_use]
    pub fn select_value(self, values: &[&str], whole: &str) -> String {
        match (values.len().checked_sub(self.of), self.number) {
            (None, 1) => whole.to_owned(),
            (None, _) => String::new(),
            (Some(surplus), 1) => values[..=surplus].join(", "),
            (Some(surplus), number) => values[surplus + number - 1].to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surplus_and_want_belong_to_the_first() {
        let all = |values: &[&str]| -> Vec<String> {
            let whole = values.join("  ");
            (1..=3).map(|number| SplitPart { number, of: 3 }.select_value(values, &whole)).collect()
        };
        assert_eq!(all(&["1 Main St", "Boston", "MA"]), ["1 Main St", "Boston", "MA"]);
        assert_eq!(
            all(&["1 Main St", "Apt 2", "Boston", "MA"]),
            ["1 Main St, Apt 2", "Boston", "MA"]
        );
        assert_eq!(all(&["Boston", "MA"]), ["Boston  MA", "", ""]);
    }

    #[test]
    fn only_a_number_of_a_number_is_a_part() {
        assert_eq!("2 of 5".parse(), Ok(SplitPart { number: 2, of: 5 }));
        for text in ["2", "0 of 5", "6 of 5", "1 of 1", "1 of 99", "-1 of 5", "a of b"] {
            assert!(text.parse::<SplitPart>().is_err(), "{text}");
        }
    }
}
