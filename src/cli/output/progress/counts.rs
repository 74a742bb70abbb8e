//! What has been counted in one location, how fast it grows, and how long the rest will take.
//!
//! The first value of a count is where its rate begins, so that a run taken up again does not look
//! as if it had read everything in its first second. Rates are those of the last twenty seconds: two
//! windows of HighLevel's limit, which lets a hundred requests go at once and then none for a while.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::output::text_format::format_duration;
use crate::diagnostic::EventWarningCode;
use crate::text::{format_count, format_plural};

/// The period that a rate is measured over.
const WINDOW: Duration = Duration::from_secs(20);

/// How often a rate takes a sample.
const SAMPLE: Duration = Duration::from_millis(250);

/// The shortest period that gives a rate.
const SPAN: Duration = Duration::from_secs(1);

/// The count of contacts, whose total is that of `contacts_done` too.
const CONTACTS: &str = "contacts";
const CONTACTS_DONE: &str = "contacts_done";

/// How fast something grows, in thousandths per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ProgressRate(u64);

impl ProgressRate {
    fn per_second_text(self) -> String {
        match self.0 {
            0..10_000 => format!("{}.{}/s", self.0 / 1_000, self.0 % 1_000 / 100),
            _ => format!("{}/s", format_count(self.0 / 1_000)),
        }
    }
}

/// One count.
#[derive(Debug)]
pub(super) struct ProgressMeter {
    pub(super) what: &'static str,
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    moved: Instant,
    samples: VecDeque<(Instant, u64)>,
}

impl ProgressMeter {
    pub(super) fn new(what: &'static str, done: u64, now: Instant) -> Self {
        Self { what, done, total: None, moved: now, samples: VecDeque::from([(now, done)]) }
    }

    pub(super) fn update(&mut self, done: u64, now: Instant) {
        if done < self.done {
            self.samples.clear();
        }
        (self.done, self.moved) = (done, now);
        let last = self.samples.back().map(|(at, _)| now.duration_since(*at));
        if last.is_none_or(|age| age >= SAMPLE) {
            self.samples.push_back((now, done));
        }
        while self.samples.len() > 1 && now.duration_since(self.samples[0].0) > WINDOW {
            self.samples.pop_front();
        }
    }

    fn is_finished(&self) -> bool {
        self.total.is_some_and(|total| self.done >= total)
    }

    /// `None` when the count is complete, does not grow, or has only begun.
    fn current_rate(&self, now: Instant) -> Option<ProgressRate> {
        let (since, before) = *self.samples.front()?;
        let span = now.duration_since(since);
        if self.is_finished() || span < SPAN || now.duration_since(self.moved) > WINDOW {
            return None;
        }
        let rate = u128::from(self.done - before) * 1_000_000 / span.as_millis();
        u64::try_from(rate).ok().filter(|rate| *rate > 0).map(ProgressRate)
    }

    fn time_left(&self, rate: ProgressRate) -> Option<Duration> {
        let rest = self.total?.saturating_sub(self.done);
        let ms = u128::from(rest) * 1_000_000 / u128::from(rate.0);
        u64::try_from(ms).ok().map(Duration::from_millis)
    }

    /// The rate and the time that is left, as far as they are known.
    pub(super) fn rate_and_eta(&self, now: Instant) -> Vec<String> {
        let Some(rate) = self.current_rate(now) else { return Vec::new() };
        let left = self.time_left(rate).map(|left| format!("{} left", format_duration(left)));
        [Some(rate.per_second_text()), left].into_iter().flatten().collect()
    }

    /// The count, and the total if it is known: `45,000 of 100,000`.
    pub(super) fn amount_text(&self) -> String {
        match self.total {
            // Contacts added during the run can make the count larger than the expected total.
            Some(total) => {
                format!("{} of {}", format_count(self.done), format_count(total.max(self.done)))
            }
            None => format_count(self.done),
        }
    }
}

/// All counts of one location, in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct ProgressCounts {
    meters: Vec<ProgressMeter>,
    several_children: bool,
}

impl ProgressCounts {
    /// Takes a value.
    pub(super) fn update(
        &mut self,
        what: &'static str,
        done: u64,
        total: Option<u64>,
        now: Instant,
    ) {
        let found = self.meters.iter().position(|meter| meter.what == what);
        let place = found.unwrap_or_else(|| {
            let place =
                self.meters.partition_point(|meter| display_rank(meter.what) <= display_rank(what));
            self.meters.insert(place, ProgressMeter::new(what, done, now));
            place
        });
        self.meters[place].update(done, now);
        self.meters[place].total = total.or(self.meters[place].total);
        self.copy_contacts_total();
    }

    fn copy_contacts_total(&mut self) {
        let contacts = self.meters.iter().find(|meter| meter.what == CONTACTS);
        let total = contacts.and_then(|meter| meter.total.map(|total| total.max(meter.done)));
        if let Some(meter) = self.meters.iter_mut().find(|meter| meter.what == CONTACTS_DONE) {
            meter.total = total;
        }
    }

    /// Forgets every count: another phase begins.
    pub(super) fn clear(&mut self) {
        self.meters.clear();
    }

    /// The count that says how far the phase is: of the contacts whose children are read, if these are read at
    /// all, else of whatever is counted first.
    pub(super) fn leading_meter(&self) -> Option<&ProgressMeter> {
        let children = self.meters.iter().find(|meter| meter.what == CONTACTS_DONE);
        children.or_else(|| self.meters.first())
    }

    /// Takes a warning's code: some say that more than notes is read contact by contact.
    pub(super) fn note_warning(&mut self, code: EventWarningCode) {
        self.several_children |= code == EventWarningCode::TasksPerContact;
    }

    /// Every count.
    pub(super) fn meters(&self) -> &[ProgressMeter] {
        &self.meters
    }

    /// The label of the count.
    pub(super) fn display_name(&self, what: &'static str) -> &'static str {
        match what {
            CONTACTS_DONE if self.several_children => "children",
            CONTACTS_DONE => "notes",
            what => what,
        }
    }

    /// Everything in one line; `now` where the pace is wanted too.
    pub(super) fn summary_line(&self, now: Option<Instant>) -> String {
        let parts = self.meters.iter().map(|meter| {
            let pace = now.map(|now| meter.rate_and_eta(now)).unwrap_or_default().join(", ");
            let pace = if pace.is_empty() { pace } else { format!(" ({pace})") };
            let name = self.display_name(meter.what);
            match meter.what {
                CONTACTS_DONE => {
                    format!("{name} of {} read{pace}", format_plural(meter.done, "contact"))
                }
                _ => format!("{name} {}{pace}", meter.amount_text()),
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Contacts come first, then what is read for each of them, then the rest as it appears.
fn display_rank(what: &str) -> u8 {
    match what {
        CONTACTS => 0,
        CONTACTS_DONE => 1,
        _ => 2,
    }
}
