//! The order of day, month and year in dates of three numbers.

use std::fmt;
use std::str::FromStr;

/// The order of day, month and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

/// A text that names no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no order of day, month and year; use `DMY`, `MDY` or `YMD`")]
pub struct UnknownDateOrder(pub String);

impl FromStr for DateOrder {
    type Err = UnknownDateOrder;

    fn from_str(text: &str) -> Result<Self, UnknownDateOrder> {
        match text.to_ascii_uppercase().as_str() {
            "DMY" => Ok(Self::Dmy),
            "MDY" => Ok(Self::Mdy),
            "YMD" => Ok(Self::Ymd),
            _ => Err(UnknownDateOrder(text.to_owned())),
        }
    }
}

impl fmt::Display for DateOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dmy => "DMY",
            Self::Mdy => "MDY",
            Self::Ymd => "YMD",
        })
    }
}

impl DateOrder {
    /// Year, month and day of three numbers in this order.
    pub(super) fn year_month_day<T: Copy>(self, [a, b, c]: [T; 3]) -> (T, T, T) {
        match self {
            Self::Dmy => (c, b, a),
            Self::Mdy => (c, a, b),
            Self::Ymd => (a, b, c),
        }
    }
}
