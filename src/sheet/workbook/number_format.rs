//! Number formats, of which only the displayed leading zeros and a displayed zone matter.

/// Formats a number with a format that consists of zeros: `02139` for 2139 under `00000`, `02139-4307` under
/// `00000\-0000`. `None` for any other format or number.
pub(super) fn format_zero_padded(code: &str, value: f64) -> Option<String> {
    let zeros = zero_pattern(code)?;
    let width = zeros.iter().filter(|c| **c == '0').count();
    if value < 0.0 || value.fract() != 0.0 || value >= 1e15 {
        return None;
    }
    let digits = format!("{value:0>width$}");
    // If there are more digits than zeros, the extra digits go in front.
    let (front, rest) = digits.split_at(digits.len() - width);
    let mut rest = rest.chars();
    let shown = zeros.iter().filter_map(|c| if *c == '0' { rest.next() } else { Some(*c) });
    Some(front.chars().chain(shown).collect())
}

/// Whether a format of dates ends with the zone `Z`, as in workbooks that this program writes.
pub(super) fn says_utc(code: &str) -> bool {
    code.ends_with("\"Z\"") || code.ends_with("\\Z")
}

/// The zeros and hyphens of a format that consists only of these.
fn zero_pattern(code: &str) -> Option<Vec<char>> {
    let section = code.split(';').next()?;
    // A locale in brackets, such as `[$-409]`, is not displayed.
    let section = match section.strip_prefix("[$-") {
        Some(rest) => rest.split_once(']')?.1,
        None => section,
    };
    let pattern: Vec<char> = section.chars().filter(|c| !matches!(c, '\\' | '"')).collect();
    let zeros = pattern.iter().filter(|c| **c == '0').count();
    let fits = pattern.iter().all(|c| matches!(c, '0' | '-')) && pattern.first() == Some(&'0');
    (fits && zeros >= 2).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_zeros_show_leading_zeros() {
        let cases = [
            ("00000", 2139.0, Some("02139")),
            ("[$-409]00000", 501.0, Some("00501")),
            ("00000\\-0000", 21_394_307.0, Some("02139-4307")),
            ("00000;@", 1.0, Some("00001")),
            ("000", 12345.0, Some("12345")),
            ("0", 7.0, None),
            ("0.00", 7.0, None),
            ("#,##0", 7.0, None),
            ("General", 7.0, None),
            ("00000", 1.5, None),
            ("00000", -1.0, None),
            ("", 1.0, None),
        ];
        for (code, value, expected) in cases {
            assert_eq!(format_zero_padded(code, value).as_deref(), expected, "{code} {value}");
        }
    }
}
