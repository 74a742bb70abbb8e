//! What has been counted in one location, how fast it grows, and how long the rest will take.
//!
//! The first value of a count is where its rate begins, so that a run taken up again does not look
//! as if it had read everything in its first second. Rates are those of the last twenty seconds: two
//! windows of HighLevel's limit, which lets a hundred requests go at once and then none for a while.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::output::text_format::{count, duration, plural};

/// What a rate is measured over.
const WINDOW: Duration = Duration::from_secs(20);

/// How often a rate takes a sample.
const SAMPLE: Duration = Duration::from_millis(250);

/// What a rate needs at least.
const SPAN: Duration = Duration::from_secs(1);

/// The count of contacts, whose total is that of `contacts_done` too.
const CONTACTS: &str = "contacts";
const CONTACTS_DONE: &str = "contacts_done";

/// How fast something grows, in thousandths per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate(u64);

impl Rate {
    fn show(self) -> String {
        match self.0 {
            0..10_000 => format!("{}.{}/s", self.0 / 1_000, self.0 % 1_000 / 100),
            _ => format!("{}/s", count(self.0 / 1_000)),
        }
    }
}

/// One count.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) what: &'static str,
    pub(super) done: u64,
    pub(super) total: Option<u64>,
    moved: Instant,
    samples: VecDeque<(Instant, u64)>,
}

impl Meter {
    fn new(what: &'static str, done: u64, now: Instant) -> Self {
        Self { what, done, total: None, moved: now, samples: VecDeque::from([(now, done)]) }
    }

    fn update(&mut self, done: u64, now: Instant) {
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

    fn finished(&self) -> bool {
        self.total.is_some_and(|total| self.done >= total)
    }

    /// Nothing when the count is complete, stands still, or has only begun.
    fn rate(&self, now: Instant) -> Option<Rate> {
        let (since, before) = *self.samples.front()?;
        let span = now.duration_since(since);
        if self.finished() || span < SPAN || now.duration_since(self.moved) > WINDOW {
            return None;
        }
        let rate = u128::from(self.done - before) * 1_000_000 / span.as_millis();
        u64::try_from(rate).ok().filter(|rate| *rate > 0).map(Rate)
    }

    fn left(&self, rate: Rate) -> Option<Duration> {
        let rest = self.total?.saturating_sub(self.done);
        let ms = u128::from(rest) * 1_000_000 / u128::from(rate.0);
        u64::try_from(ms).ok().map(Duration::from_millis)
    }

    /// The rate and the time that is left, as far as they are known.
    pub(super) fn pace(&self, now: Instant) -> Vec<String> {
        let Some(rate) = self.rate(now) else { return Vec::new() };
        let left = self.left(rate).map(|left| format!("{} left", duration(left)));
        [Some(rate.show()), left].into_iter().flatten().collect()
    }

    /// The count, and the total if it is known: `45,000 of 100,000`.
    pub(super) fn amount(&self) -> String {
        match self.total {
            // Contacts that were added meanwhile can make it more than there were to be.
            Some(total) => format!("{} of {}", count(self.done), count(total.max(self.done))),
            None => count(self.done),
        }
    }
}

/// All counts of one location, in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct Counts {
    meters: Vec<Meter>,
    several_children: bool,
}

impl Counts {
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
            let place = self.meters.partition_point(|meter| rank(meter.what) <= rank(what));
            self.meters.insert(place, Meter::new(what, done, now));
            place
        });
        self.meters[place].update(done, now);
        self.meters[place].total = total.or(self.meters[place].total);
        self.share_total();
    }

    fn share_total(&mut self) {
        let contacts = self.meters.iter().find(|meter| meter.what == CONTACTS);
        let total = contacts.and_then(|meter| meter.total.map(|total| total.max(meter.done)));
        if let Some(meter) = self.meters.iter_mut().find(|meter| meter.what == CONTACTS_DONE) {
            meter.total = total;
        }
    }

    /// Takes a warning's code: some say that more than notes is read contact by contact.
    pub(super) fn warned(&mut self, code: &str) {
        self.several_children |= code.ends_with("_per_contact");
    }

    /// Every count.
    pub(super) fn meters(&self) -> &[Meter] {
        &self.meters
    }

    /// What is counted, in the user's words.
    pub(super) fn name(&self, what: &'static str) -> &'static str {
        match what {
            CONTACTS_DONE if self.several_children => "children",
            CONTACTS_DONE => "notes",
            what => what,
        }
    }

    /// Everything in one line; `now` where the pace is wanted too.
    pub(super) fn line(&self, now: Option<Instant>) -> String {
        let parts = self.meters.iter().map(|meter| {
            let pace = now.map(|now| meter.pace(now)).unwrap_or_default().join(", ");
            let pace = if pace.is_empty() { pace } else { format!(" ({pace})") };
            let name = self.name(meter.what);
            match meter.what {
                CONTACTS_DONE => format!("{name} of {} read{pace}", plural(meter.done, "contact")),
                _ => format!("{name} {}{pace}", meter.amount()),
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Contacts come first, then what is read for each of them, then the rest as it appears.
fn rank(what: &str) -> u8 {
    match what {
        CONTACTS => 0,
        CONTACTS_DONE => 1,
        _ => 2,
    }
}
