//! Days and instants as text, the same in every text format.
//!
//! `2025-11-24` and `2025-11-24T16:58:56.678Z`. Written digit by digit, because every row of a
//! table has several of them.

const DAY: i64 = 86_400_000;

/// Appends the day this many days after 1970-01-01.
pub(super) fn write_day(out: &mut Vec<u8>, days: i32) {
    // The inverse of days-from-civil, after Howard Hinnant; years begin in March here.
    let shifted = i64::from(days) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_of_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_of_march + 2) / 5 + 1;
    let month = (month_of_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    if (0..=9999).contains(&year) {
        write_digits(out, year.unsigned_abs(), 4);
    } else {
        // ISO 8601 requires a sign for years with more digits.
        out.push(if year < 0 { b'-' } else { b'+' });
        write_digits(out, year.unsigned_abs(), 6);
    }
    out.push(b'-');
    write_digits(out, month.unsigned_abs(), 2);
    out.push(b'-');
    write_digits(out, day.unsigned_abs(), 2);
}

/// Appends the instant this many milliseconds after 1970-01-01T00:00:00Z.
pub(super) fn write_instant(out: &mut Vec<u8>, ms: i64) {
    let days = ms.div_euclid(DAY);
    let of_day = ms.rem_euclid(DAY).unsigned_abs();
    // Beyond these days there is no year to write; no server has sent one.
    write_day(out, i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }));
    let parts = [
        (b'T', of_day / 3_600_000, 2),
        (b':', of_day / 60_000 % 60, 2),
        (b':', of_day / 1000 % 60, 2),
        (b'.', of_day % 1000, 3),
    ];
    for (mark, value, width) in parts {
        out.push(mark);
        write_digits(out, value, width);
    }
    out.push(b'Z');
}

fn write_digits(out: &mut Vec<u8>, value: u64, width: u32) {
    for place in (0..width).rev() {
        let digit = value / 10_u64.pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).expect("a digit is less than ten"));
    }
}
