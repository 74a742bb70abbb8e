//! The order of day, month and year in dates that consist of three numbers.

use std::fmt;

use crate::choice::{Choice as _, choice_enum};

choice_enum! {
    /// The order of day, month and year.
    pub enum DateOrder {
        /// Day, month, year
        Dmy = "DMY",
        /// Month, day, year
        Mdy = "MDY",
        /// Year, month, day
        Ymd = "YMD",
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl DateOrder {
    /// The order that a header states: `Birth date (MM/DD/YYYY)`, `Geburtstag TT.MM.JJJJ`.
    #[must_use]
    pub fn from_header(name: &str) -> Option<Self> {
        let letters: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let has = |pattern: &str| letters.contains(pattern);
        let orders = [
            (Self::Ymd, ["yyyymmdd", "jjjjmmtt", "aaaammdd", "aaaammjj"].as_slice()),
            (Self::Mdy, &["mmddyy", "mdyyyy"]),
            (Self::Dmy, &["ddmmyy", "dmyyyy", "ttmmjj", "jjmmaa", "ddmmaa", "ggmmaa", "ddmmjj"]),
        ];
        orders.into_iter().find(|(_, patterns)| patterns.iter().any(|it| has(it))).map(|it| it.0)
    }

    /// Returns three numbers written in this order as year, month and day.
    pub(super) fn year_month_day<T: Copy>(self, [a, b, c]: [T; 3]) -> (T, T, T) {
        match self {
            Self::Dmy => (c, b, a),
            Self::Mdy => (c, a, b),
            Self::Ymd => (a, b, c),
        }
    }
}
