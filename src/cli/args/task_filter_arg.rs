//! `--tasks`: which tasks an export has.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned, civil};

use crate::export::{ChildRequest, SinceTime};
use crate::publish::ChildFilter;

/// One condition on tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskFilterArg {
    /// What was typed, which stays the same when the command is repeated.
    typed: String,
    condition: TaskCondition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TaskCondition {
    Open,
    Completed,
    Overdue,
    DueBefore(Timestamp),
}

/// Parses `open`, `completed`, `overdue`, `due:7d` or `due:2026-12-24`.
pub(crate) fn parse_task_filter(text: &str) -> Result<TaskFilterArg, String> {
    let condition = match text {
        "open" => Some(TaskCondition::Open),
        "completed" => Some(TaskCondition::Completed),
        "overdue" => Some(TaskCondition::Overdue),
        _ => text.strip_prefix("due:").and_then(parse_due).map(TaskCondition::DueBefore),
    };
    let condition = condition.ok_or_else(|| {
        "expected `open`, `completed`, `overdue`, or `due:` with a duration such as `due:7d` or a date such as \
         `due:2026-12-24`"
            .to_owned()
    })?;
    Ok(TaskFilterArg { typed: text.to_owned(), condition })
}

/// What an export asks for: all conditions together.
///
/// # Errors
/// When no task can meet them.
pub(crate) fn build_child_request(
    tasks: &[TaskFilterArg],
    since: Option<&SinceTime>,
) -> Result<ChildRequest, String> {
    let mut filter = ChildFilter { added_since: since.map(|it| it.at), ..ChildFilter::default() };
    for TaskFilterArg { condition, .. } in tasks {
        let (completed, due_before) = match condition {
            TaskCondition::Open => (Some(false), None),
            TaskCondition::Completed => (Some(true), None),
            // Nothing that is done is overdue.
            TaskCondition::Overdue => (Some(false), Some(Timestamp::now())),
            TaskCondition::DueBefore(end) => (None, Some(*end)),
        };
        if matches!((filter.completed, completed), (Some(before), Some(now)) if before != now) {
            return Err("no task is both open and completed".to_owned());
        }
        filter.completed = completed.or(filter.completed);
        filter.due_before = filter.due_before.into_iter().chain(due_before).min();
    }
    let tasks = tasks.iter().map(|it| it.typed.clone()).collect();
    Ok(ChildRequest { filter, tasks, since: since.map(|it| it.spelled.clone()) })
}

/// The moment until which a task is due: the end of a duration from now, or of a day (UTC).
fn parse_due(text: &str) -> Option<Timestamp> {
    if let Ok(day) = text.parse::<civil::Date>() {
        let next = day.checked_add(Span::new().days(1)).ok()?;
        return Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp());
    }
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let span = text.parse::<Span>().ok().filter(|span| span.is_positive())?;
    let end = Zoned::now().with_time_zone(TimeZone::UTC).checked_add(span).ok()?;
    Some(end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_before(text: &str) -> Timestamp {
        match parse_task_filter(text).unwrap().condition {
            TaskCondition::DueBefore(end) => end,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn conditions_are_read_as_the_help_names_them() {
        assert_eq!(parse_task_filter("open").unwrap().condition, TaskCondition::Open);
        assert_eq!(due_before("due:2026-12-24").to_string(), "2026-12-25T00:00:00Z");
        let left = due_before("due:7d").duration_since(Timestamp::now()).as_secs();
        assert!((604_700..=604_800).contains(&left), "{left}");
        for text in ["", "late", "due:", "due:soon", "due:-7d", "Open"] {
            assert!(parse_task_filter(text).is_err(), "{text}");
        }
    }

    #[test]
    fn several_conditions_hold_together() {
        let build = |texts: &[&str]| {
            let tasks: Vec<_> = texts.iter().map(|text| parse_task_filter(text).unwrap()).collect();
            build_child_request(&tasks, None).map(|request| request.filter)
        };
        let both = build(&["due:2026-12-24", "open", "due:2026-12-01"]).unwrap();
        assert_eq!(both.completed, Some(false));
        assert_eq!(both.due_before.unwrap().to_string(), "2026-12-02T00:00:00Z");
        assert_eq!(build(&["overdue"]).unwrap().completed, Some(false));
        assert!(
            build(&["open", "completed"]).is_err() && build(&["completed", "overdue"]).is_err()
        );
        assert!(build(&[]).unwrap().is_empty());
    }
}
