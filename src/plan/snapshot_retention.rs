//! Which snapshots of a location stay, by rules about their times. Pure: nothing is read, and no clock is asked.
//!
//! Days, weeks, months and years are those of UTC. A rule keeps the newest snapshot of each of the newest N days (weeks,
//! …) that have any: a week without backups uses up nothing. Time is counted from the newest snapshot and not from now,
//! so that a backup that has stopped loses nothing by waiting.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::choice::choice_enum;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SnapshotRules {
    /// The newest so many.
    pub last: u32,
    /// The newest of so many days.
    pub daily: u32,
    /// The newest of so many weeks, which begin on Monday.
    pub weekly: u32,
    /// The newest of so many months.
    pub monthly: u32,
    /// The newest of so many years.
    pub yearly: u32,
    /// Everything that is at most so much older than the newest.
    pub within: Option<Duration>,
}

impl SnapshotRules {
    /// Whether no rule was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

choice_enum! {
    /// Why a snapshot stays.
    pub enum KeepReason = Newest {
        /// it is the newest, which always stays
        Newest = "newest",
        /// a hold is on it
        Held = "held",
        /// it is among the last ones
        Last = "last",
        /// it is recent
        Within = "within",
        /// it is the newest of its day
        Daily = "daily",
        /// it is the newest of its week
        Weekly = "weekly",
        /// it is the newest of its month
        Monthly = "monthly",
        /// it is the newest of its year
        Yearly = "yearly",
        /// others were named
        Unnamed = "unnamed",
    }
}

/// A snapshot, as far as the rules are about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatedSnapshot {
    /// When it was made.
    pub time: Timestamp,
    /// Whether a hold is on it.
    pub is_held: bool,
}

/// The year of a date, and the period in it.
type PeriodOf = fn(Date) -> (i16, i16);

/// Why each snapshot stays, in the order given; one without a reason is forgotten.
#[must_use]
pub fn plan_retention(snapshots: &[DatedSnapshot], rules: &SnapshotRules) -> Vec<Vec<KeepReason>> {
    // Of two with one time the later one in the list counts as newer.
    let mut newest_first: Vec<usize> = (0..snapshots.len()).collect();
    newest_first.sort_by_key(|at| std::cmp::Reverse((snapshots[*at].time, *at)));
    let mut reasons = vec![Vec::new(); snapshots.len()];
    let Some(newest) = newest_first.first() else { return reasons };
    reasons[*newest].push(KeepReason::Newest);
    let newest_time = snapshots[*newest].time;
    for (age, at) in newest_first.iter().enumerate() {
        if snapshots[*at].is_held {
            reasons[*at].push(KeepReason::Held);
        }
        if age < rules.last as usize {
            reasons[*at].push(KeepReason::Last);
        }
        let older_by = newest_time.duration_since(snapshots[*at].time).unsigned_abs();
        if rules.within.is_some_and(|within| older_by <= within) {
            reasons[*at].push(KeepReason::Within);
        }
    }
    let periods: [(u32, KeepReason, PeriodOf); 4] = [
        (rules.daily, KeepReason::Daily, |date| (date.year(), date.day_of_year())),
        (rules.weekly, KeepReason::Weekly, |date| {
            let week = date.iso_week_date();
            (week.year(), i16::from(week.week()))
        }),
        (rules.monthly, KeepReason::Monthly, |date| (date.year(), i16::from(date.month()))),
        (rules.yearly, KeepReason::Yearly, |date| (date.year(), 0)),
    ];
    for (count, reason, period_of) in periods {
        let (mut left, mut last) = (count, None);
        for at in &newest_first {
            let period = period_of(snapshots[*at].time.to_zoned(TimeZone::UTC).date());
            if left > 0 && last != Some(period) {
                reasons[*at].push(reason);
                (left, last) = (left - 1, Some(period));
            }
        }
    }
    reasons
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::choice::Choice as _;

    use super::*;

    fn snapshot(text: &str) -> DatedSnapshot {
        let (text, is_held) = match text.strip_suffix(" held") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let time =
            if text.contains('T') { format!("{text}:00Z") } else { format!("{text}T02:30:00Z") };
        DatedSnapshot { time: time.parse().unwrap(), is_held }
    }

    /// Each line is a snapshot and its expected reasons, `-` for none.
    #[track_caller]
    fn check(rules: &SnapshotRules, table: &str) {
        let rows: Vec<(&str, &str)> = table
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| line.split_once(" | ").unwrap())
            .collect();
        let snapshots: Vec<_> = rows.iter().map(|(time, _)| snapshot(time.trim())).collect();
        let plan = plan_retention(&snapshots, rules);
        for ((time, expected), reasons) in rows.iter().zip(plan) {
            let names: Vec<_> = reasons.iter().map(|reason| reason.word()).collect();
            let found = if names.is_empty() { "-".to_owned() } else { names.join(" ") };
            assert_eq!(&found, expected.trim(), "{time} by {rules:?}");
        }
    }

    #[test]
    fn the_newest_of_each_day_stays() {
        let rules = SnapshotRules { daily: 3, ..SnapshotRules::default() };
        check(
            &rules,
            "2026-11-25       | -
             2026-11-26       | -
             2026-11-27T02:30 | -
             2026-11-27T14:00 | daily
             2026-11-28T23:59 | daily
             2026-11-29T00:00 | newest daily",
        );
    }

    #[test]
    fn days_without_a_snapshot_use_up_nothing() {
        let rules = SnapshotRules { daily: 2, ..SnapshotRules::default() };
        check(&rules, "2026-01-01 | -\n2026-03-01 | daily\n2026-11-29 | newest daily");
    }

    #[test]
    fn weeks_begin_on_monday_and_years_end_where_weeks_do_not() {
        let rules = SnapshotRules { weekly: 3, yearly: 2, ..SnapshotRules::default() };
        check(
            &rules,
            "2025-12-31 | yearly
             2026-01-01 | -
             2026-12-20 | weekly
             2026-12-21 | -
             2026-12-27 | weekly
             2026-12-31 | newest weekly yearly",
        );
    }

    #[test]
    fn months_last_and_within() {
        let rules = SnapshotRules {
            last: 2,
            monthly: 2,
            within: Some(Duration::from_hours(48)),
            ..SnapshotRules::default()
        };
        check(
            &rules,
            "2026-10-30       | -
             2026-10-31       | monthly
             2026-11-01 held  | held
             2026-11-27T02:29 | -
             2026-11-27T02:30 | within
             2026-11-28       | last within
             2026-11-29       | newest last within monthly",
        );
    }

    #[test]
    fn a_night_of_a_clock_change_is_one_day() {
        let rules = SnapshotRules { daily: 2, ..SnapshotRules::default() };
        check(
            &rules,
            "2026-10-24T23:30 | daily\n2026-10-25T00:30 | -\n2026-10-25T01:30 | newest daily",
        );
    }

    #[test]
    fn without_rules_only_the_newest_and_held_ones_stay() {
        check(
            &SnapshotRules::default(),
            "2026-11-01 held | held\n2026-11-02 | -\n2026-11-03 | newest",
        );
        assert!(plan_retention(&[], &SnapshotRules::default()).is_empty());
    }

    prop_compose! {
        fn any_snapshots()(times in prop::collection::vec((0_i64..800 * 24, any::<bool>(), 0..9_u8), 0..60)) -> Vec<DatedSnapshot> {
            let begin: Timestamp = "2025-01-01T00:00:00Z".parse().unwrap();
            times.into_iter().map(|(hours, is_held, rare)| DatedSnapshot {
                time: begin + jiff::SignedDuration::from_hours(hours),
                is_held: is_held && rare == 0,
            }).collect()
        }
    }

    prop_compose! {
        fn any_rules()(counts in prop::array::uniform5(0_u32..6), hours in prop::option::of(0_u64..2000)) -> SnapshotRules {
            let [last, daily, weekly, monthly, yearly] = counts;
            SnapshotRules { last, daily, weekly, monthly, yearly, within: hours.map(Duration::from_hours) }
        }
    }

    fn kept(snapshots: &[DatedSnapshot], rules: &SnapshotRules) -> Vec<DatedSnapshot> {
        let plan = plan_retention(snapshots, rules);
        let all = snapshots.iter().zip(plan);
        all.filter(|(_, reasons)| !reasons.is_empty()).map(|(snapshot, _)| *snapshot).collect()
    }

    fn by_time(mut snapshots: Vec<DatedSnapshot>) -> Vec<DatedSnapshot> {
        snapshots.sort_by_key(|snapshot| (snapshot.time, snapshot.is_held));
        snapshots
    }

    proptest! {
        #[test]
        fn the_newest_and_held_ones_never_go(snapshots in any_snapshots(), rules in any_rules()) {
            let kept = kept(&snapshots, &rules);
            prop_assert_eq!(kept.is_empty(), snapshots.is_empty());
            let newest = snapshots.iter().map(|snapshot| snapshot.time).max();
            prop_assert_eq!(kept.iter().map(|snapshot| snapshot.time).max(), newest);
            for held in snapshots.iter().filter(|snapshot| snapshot.is_held) {
                prop_assert!(kept.contains(held));
            }
        }

        #[test]
        fn forgetting_twice_is_forgetting_once(snapshots in any_snapshots(), rules in any_rules()) {
            let once = kept(&snapshots, &rules);
            prop_assert_eq!(kept(&once, &rules), once);
        }

        #[test]
        fn the_order_makes_no_difference(snapshots in any_snapshots(), rules in any_rules()) {
            // Of equal times either may stay.
            let mut distinct = by_time(snapshots);
            distinct.dedup_by_key(|snapshot| snapshot.time);
            let mut reversed = distinct.clone();
            reversed.reverse();
            prop_assert_eq!(by_time(kept(&distinct, &rules)), by_time(kept(&reversed, &rules)));
        }

        #[test]
        fn more_rules_keep_no_less(snapshots in any_snapshots(), rules in any_rules()) {
            let less = kept(&snapshots, &SnapshotRules { daily: 0, within: None, ..rules.clone() });
            let more = kept(&snapshots, &rules);
            prop_assert!(less.iter().all(|snapshot| more.contains(snapshot)));
        }
    }
}
