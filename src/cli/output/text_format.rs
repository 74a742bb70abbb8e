//! Sizes and times as people read them.

use std::time::Duration;

use crate::text::format_count;

/// A size in decimal units: `999 B`, `1.2 MB`.
pub(crate) fn format_bytes(number: u64) -> String {
    const UNITS: [(u128, &str); 5] = [
        (1_000, "kB"),
        (1_000_000, "MB"),
        (1_000_000_000, "GB"),
        (10_u128.pow(12), "TB"),
        (10_u128.pow(15), "PB"),
    ];
    if number < 1_000 {
        return format!("{number} B");
    }
    let tenths = |size: u128| (u128::from(number) * 10 + size / 2) / size;
    // The unit is chosen after rounding, so that nothing is shown as `1000.0 kB`.
    let fitting = UNITS.into_iter().find(|(size, _)| tenths(*size) < 10_000);
    let (size, unit) = fitting.unwrap_or((10_u128.pow(18), "EB"));
    format!("{}.{} {unit}", tenths(size) / 10, tenths(size) % 10)
}

/// A duration with a sensible precision: `412 ms`, `2.3 s`, `24 s`, `3 min 04 s`, `1 h 02 min`.
pub(crate) fn format_duration(time: Duration) -> String {
    let (seconds, ms) = (time.as_secs(), time.subsec_millis());
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0 => format!("{ms} ms"),
        1..10 => format!("{seconds}.{} s", ms / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min {:02} s", seconds % 60),
        3_600..172_800 => format!("{hours} h {:02} min", minutes % 60),
        _ => format!("{} d {:02} h", format_count(days), hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_to_a_tenth_of_their_unit() {
        let sizes = [0, 999, 1_000, 999_949, 999_950, 1_234_567, 45_600_000_000];
        assert_eq!(
            sizes.map(format_bytes).join(", "),
            "0 B, 999 B, 1.0 kB, 999.9 kB, 1.0 MB, 1.2 MB, 45.6 GB"
        );
        assert_eq!(format_bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        let times = [0, 412, 2_350, 9_999, 59_999, 184_000, 3_725_000, 172_800_000];
        let shown = times.map(|ms| format_duration(Duration::from_millis(ms))).join(", ");
        assert_eq!(shown, "0 ms, 412 ms, 2.3 s, 9.9 s, 59 s, 3 min 04 s, 1 h 02 min, 2 d 00 h");
    }
}
