//! A proposal as a mapping file, with the evidence beside each column.

use std::fmt::Write;

use super::{Candidate, Guess, Proposal, Verdict};
use crate::plan::mapping::{Bound, Columns, Mapping, Rule, hides, quote};
use crate::plan::target::Target;

/// The most characters that are shown of a value.
const LONGEST_SAMPLE: usize = 40;

const HOW_TO: &str = "\
# Which column goes where. Nothing is sent by this file; `ghl-bulk import FILE --map THIS` uses it.
#
# Every column has one [[column]] table. `to` is a field (firstName, email, customFields.NAME, tags, note,
# task.title, …) or \"ignore\". Where it is \"?\" nobody has decided: replace it, and `suggest` and the
# comments may go. Import stops while one is left.
# Further keys: convert, blank = \"leave\" | \"clear\" | \"error\", values = { Yes = \"true\" }, prefix,
# strip_prefix, split, join, tags = \"add\" | \"replace\".
";

impl Proposal {
    /// The proposal as the text of a mapping file, for somebody to read and change.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = HOW_TO.to_owned();
        if let Some(preset) = &self.preset {
            line(&mut out, &format!("The sheet is one that the preset {} knows.", quote(preset)));
        }
        if !self.ambiguous.is_empty() {
            let names: Vec<String> = self.ambiguous.iter().map(|name| quote(name)).collect();
            line(
                &mut out,
                &format!("The sheet could be for several presets: {}.", names.join(", ")),
            );
        }
        let head = Mapping {
            reading: self.base.reading.clone(),
            options: self.base.options.clone(),
            ..Mapping::default()
        };
        out.push('\n');
        out.push_str(&head.to_toml());
        let all = self.all();
        let page =
            Page { proposal: self, columns: Columns::new(&all), rules: self.rules_by_column() };
        for (at, guess) in self.columns.iter().enumerate() {
            if guess.verdict != Verdict::Own {
                page.column(&mut out, at, guess);
            }
        }
        out
    }

    /// The preset's rules that each column has a part in.
    fn rules_by_column(&self) -> Vec<Vec<usize>> {
        let mut rules = vec![Vec::new(); self.columns.len()];
        for (number, bound) in self.bound.iter().enumerate() {
            for at in &bound.columns {
                rules[*at].push(number);
            }
        }
        rules
    }
}

/// What is needed to write about a column.
struct Page<'p> {
    proposal: &'p Proposal,
    columns: Columns<'p>,
    /// The preset's rules that each column has a part in.
    rules: Vec<Vec<usize>>,
}

impl Page<'_> {
    fn column(&self, out: &mut String, at: usize, guess: &Guess) {
        out.push('\n');
        line(out, &title(guess));
        match &guess.verdict {
            Verdict::Preset => self.preset_rules(out, at),
            Verdict::JoinedTo(first) => {
                let letters = self.columns.letters(*first);
                line(out, &format!("Read together with column {letters}: its rule names both."));
            }
            Verdict::Accepted => {
                reason(out, &guess.candidates[0]);
                if let Some(rule) = self.proposal.accepted(at, &self.columns) {
                    table(out, &rule);
                }
            }
            Verdict::Ignored(why) => {
                line(out, why);
                table(out, &decided(self.columns.reference(at), Target::Ignore));
            }
            Verdict::Homeless(target) => {
                let target = quote(target);
                line(out, &format!("The preset has it go to {target}, which the location lacks."));
                let rule = decided(self.columns.reference(at), Target::Undecided);
                marked(out, &rule, "DECIDE: a target, or \"ignore\"");
            }
            Verdict::Settled | Verdict::Open | Verdict::Own => self.open(out, at, guess),
            Verdict::Proposed | Verdict::Rivals(_) => self.check(out, at, guess),
        }
    }

    fn preset_rules(&self, out: &mut String, at: usize) {
        for number in &self.rules[at] {
            let bound = &self.proposal.bound[*number];
            if bound.columns[0] == at {
                line(out, "1.00: by the preset");
                table(out, &self.rule(bound));
            } else {
                let letters = self.columns.letters(bound.columns[0]);
                line(out, &format!("Read together with column {letters}: its rule names both."));
            }
        }
    }

    /// A bound rule that names its columns so that nothing else can be meant.
    fn rule(&self, bound: &Bound) -> Rule {
        let reference = |at: &usize| self.columns.reference(*at);
        let place = |letters: &str| {
            let at = self.columns.named(letters, true);
            at.first().map(reference)
        };
        let mut rule = bound.rule.clone();
        rule.from = bound.columns.iter().map(reference).collect();
        rule.template = rule.template.map(|template| template.renamed(place));
        rule.named_by = bound.named_by.as_ref().map(reference);
        rule.when = rule.when.filter(|_| bound.when.is_some());
        if let (Some(when), Some(at)) = (&mut rule.when, &bound.when) {
            when.column = reference(at);
        }
        rule
    }

    /// A column that nothing is near enough for.
    fn open(&self, out: &mut String, at: usize, guess: &Guess) {
        for candidate in &guess.candidates {
            line(
                out,
                &format!("perhaps {}, {}", quote(&candidate.target.to_string()), shown(candidate)),
            );
        }
        let rule = decided(self.columns.reference(at), Target::Undecided);
        marked(out, &rule, "DECIDE: a target, or \"ignore\"");
    }

    /// A column that is probably for its best candidate.
    fn check(&self, out: &mut String, at: usize, guess: &Guess) {
        let (best, others) = guess.candidates.split_first().expect("such columns have a candidate");
        if let Verdict::Rivals(first) = guess.verdict {
            let letters = self.columns.letters(first);
            line(out, &format!("Column {letters} goes there, too, and only one can."));
        }
        for candidate in others {
            line(
                out,
                &format!("or {}, {}", quote(&candidate.target.to_string()), shown(candidate)),
            );
        }
        let target = quote(&best.target.to_string());
        let rule = decided(self.columns.reference(at), Target::Undecided);
        marked(out, &rule, &format!("CHECK {}; replace \"?\" by {target} if right", shown(best)));
        writeln!(out, "suggest = {target}").expect("a text takes all");
    }
}

fn decided(from: String, to: Target) -> Rule {
    Rule { from: vec![from], to, ..Rule::default() }
}

fn table(out: &mut String, rule: &Rule) {
    out.push_str("[[column]]\n");
    out.push_str(&rule.entries());
}

/// A rule with a comment at its end, where its `to` stands.
fn marked(out: &mut String, rule: &Rule, mark: &str) {
    table(out, rule);
    out.truncate(out.trim_end().len());
    writeln!(out, "  # {}", plain(mark)).expect("a text takes all");
}

fn reason(out: &mut String, candidate: &Candidate) {
    line(out, &shown(candidate));
}

fn shown(candidate: &Candidate) -> String {
    format!("{:.2}: {}", candidate.score, candidate.evidence)
}

/// The column's letters, name and samples.
fn title(guess: &Guess) -> String {
    let column = &guess.column;
    let mut title = format!("Column {}, {}", column.letters, quote(&cut(&column.name)));
    if !guess.samples.is_empty() {
        let samples: Vec<String> = guess.samples.iter().map(|value| quote(&cut(value))).collect();
        write!(title, ", holds {}", samples.join(", ")).expect("a text takes all");
    }
    title
}

fn cut(text: &str) -> String {
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(LONGEST_SAMPLE).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "# {}", plain(text)).expect("a text takes all");
}

/// A text without what would end a comment or move a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || hides(c) { ' ' } else { c }).collect()
}
