//! Pages of tasks, and the walk over them.

use serde::{Deserialize, Serialize};

use super::response::SearchCursor;

/// A page of the task search.
#[derive(Debug, Clone, Default)]
pub struct TaskPage {
    /// How many rows it has.
    pub rows: usize,
    /// The id of the first row. Two pages with the same first row are the same page.
    pub first: Option<String>,
    /// Where the next page starts, if the server says so.
    pub next: Option<SearchCursor>,
}

/// A position in the task search. Observed servers return a cursor with each row; the specification
/// only has `skip` (api.md §4), so that the number of tasks is known beside the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSearchPosition {
    /// How many tasks are before it.
    pub(super) rows: u64,
    /// The cursor after them, as its JSON text.
    pub(super) cursor: Option<String>,
    /// The id of the first task of the page before.
    first: Option<String>,
    /// The first task of an earlier page, to notice pages that go round in a circle. It is replaced after twice as many
    /// pages each time, so that a circle of any length is noticed (Brent's algorithm).
    #[serde(default)]
    anchor: Option<String>,
    /// How many pages were read since that one.
    #[serde(default)]
    since_anchor: u64,
    /// After how many pages it is replaced.
    #[serde(default)]
    anchor_span: u64,
}

/// What follows a page of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskWalkStep {
    /// Another page.
    Continue(TaskSearchPosition),
    /// Nothing: it was empty. A page may be short because of the server's page size, so only an empty one is the end.
    End,
    /// Nothing more can be read: the server returned the page before once more.
    Repeated,
}

impl TaskSearchPosition {
    /// Whether it is behind the first page.
    #[must_use]
    pub fn is_start(&self) -> bool {
        self.rows == 0
    }
}

impl TaskPage {
    /// What follows this page, which began at `position`.
    #[must_use]
    pub fn next_step(&self, position: &TaskSearchPosition) -> TaskWalkStep {
        let cursor = self.next.as_ref().map(|next| next.as_str().to_owned());
        if self.rows == 0 {
            return TaskWalkStep::End;
        }
        let is_same = |one: &Option<String>, other: &Option<String>| one.is_some() && one == other;
        let is_circle = is_same(&self.first, &position.first)
            || is_same(&self.first, &position.anchor)
            || is_same(&cursor, &position.cursor);
        if is_circle {
            return TaskWalkStep::Repeated;
        }
        let (rows, first) = (position.rows + self.rows as u64, self.first.clone());
        let mut next = TaskSearchPosition { rows, cursor, first, ..position.clone() };
        next.since_anchor += 1;
        if next.since_anchor > next.anchor_span {
            next.anchor.clone_from(&self.first);
            (next.since_anchor, next.anchor_span) = (0, 2 * position.anchor_span + 1);
        }
        TaskWalkStep::Continue(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_continues_until_a_page_is_empty_or_the_one_before() {
        let page = |first: &str, cursor: &str| TaskPage {
            rows: 2,
            first: Some(first.to_owned()),
            next: SearchCursor::parse(cursor).ok(),
        };
        let start = TaskSearchPosition::default();
        let TaskWalkStep::Continue(second) = page("a", "[1]").next_step(&start) else { panic!() };
        assert_eq!((second.rows, second.cursor.as_deref()), (2, Some("[1]")));
        assert_eq!(page("a", "[2]").next_step(&second), TaskWalkStep::Repeated);
        assert_eq!(page("c", "[1]").next_step(&second), TaskWalkStep::Repeated);
        assert_eq!(TaskPage::default().next_step(&second), TaskWalkStep::End);
        // Without a cursor the tasks are counted.
        let TaskWalkStep::Continue(third) = page("c", "").next_step(&second) else { panic!() };
        assert_eq!((third.rows, third.cursor), (4, None));
    }

    #[test]
    fn a_circle_of_any_length_is_noticed() {
        for (start, length) in [(0, 2), (0, 7), (5, 3), (40, 100)] {
            let mut position = TaskSearchPosition::default();
            let pages =
                (0..1_000).map(|at| if at < start { at } else { start + (at - start) % length });
            let is_noticed = pages.enumerate().find_map(|(at, page)| {
                let next = SearchCursor::parse(&format!("[{at}]")).ok();
                let page = TaskPage { rows: 2, first: Some(format!("task{page}")), next };
                match page.next_step(&position) {
                    TaskWalkStep::Continue(next) => {
                        position = next;
                        None
                    }
                    other => Some((other, at)),
                }
            });
            let (step, at) = is_noticed.expect("the walk ends");
            assert_eq!(step, TaskWalkStep::Repeated);
            assert!(at <= 4 * (start + length), "{start} {length}: after {at} pages");
        }
    }
}
