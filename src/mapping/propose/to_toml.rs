//! A proposal as a mapping file, with the evidence beside each column.

use std::collections::HashSet;
use std::fmt::Write;

use super::{Candidate, Guess, Proposal, Verdict};
use crate::mapping::header::fold;
use crate::mapping::{Bound, Columns, Mapping, Rule, hides, list, quote};
use crate::model::target::Target;

/// The most characters that are shown of a value.
const LONGEST_SAMPLE: usize = 40;

const HOW_TO: &str = "\
# Which column goes where. By itself this file does nothing; `ghl-bulk import FILE --map THIS` uses it,
# and with `--dry-run` it shows what would happen and sends nothing.
#
# Every column has a [[column]] table. `to` is a field (firstName, email, customFields.NAME, tags, note,
# task.title, …) or \"ignore\". Where it is \"?\" nobody has decided yet: replace it. Import stops while one
# is left. The numbers say how sure a proposal is, from 0 to 1. Comments and `suggest` may go.
# `ghl-bulk map --help` says what else a table can hold: convert, blank, values, when, template, …
";

const HOW_TO_PRESET: &str = "\
# A preset of yours: files with all the columns under [detect] are imported by it without further words,
# others with `--preset`. Where `to` is \"?\" nobody has decided; import stops until somebody has.
# `ghl-bulk map --help` says what else a [[column]] can hold.
";

impl Proposal {
    /// The proposal as the text of a mapping file, for somebody to read and change.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.written(HOW_TO, "")
    }

    /// The proposal as the text of a preset for sheets with the same columns.
    #[must_use]
    pub fn to_preset(&self, title: &str) -> String {
        let mut seen = HashSet::new();
        let names = self.columns.iter().filter(|guess| guess.verdict != Verdict::Own);
        let names = names.map(|guess| guess.column.name.trim()).filter(|name| !name.is_empty());
        let names: Vec<String> =
            names.filter(|name| seen.insert(fold(name))).map(str::to_owned).collect();
        let head = format!("title = {}\nmissing = \"skip\"\n", quote(title));
        let detect = format!("\n[detect]\nall = {}\n", list(&names));
        self.written(&format!("{HOW_TO_PRESET}\n{head}"), &detect)
    }

    fn written(&self, how_to: &str, detect: &str) -> String {
        let mut out = how_to.to_owned();
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
        let open = self.columns.iter().filter(|guess| guess.verdict.is_open());
        let open: Vec<&str> = open.map(|guess| guess.column.letters.as_str()).collect();
        if !open.is_empty() {
            let noun = if open.len() == 1 { "column" } else { "columns" };
            line(&mut out, &format!("To decide: {noun} {}.", open.join(", ")));
        }
        let head = Mapping {
            reading: self.base.reading.clone(),
            options: self.base.options.clone(),
            constants: self.base.constants.clone(),
            ..Mapping::default()
        };
        out.push('\n');
        out.push_str(&head.to_toml());
        out.push_str(detect);
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
                line(out, &format!("Left out: {why}"));
                table(out, &decided(self.columns.reference(at), Target::Ignore));
            }
            Verdict::Homeless(target) => {
                let target = quote(target);
                line(
                    out,
                    &format!("The preset would have it go to {target}, which the location lacks."),
                );
                let rule = decided(self.columns.reference(at), Target::Undecided);
                marked(out, &rule, "DECIDE: a target, or \"ignore\"");
            }
            Verdict::Settled | Verdict::Open | Verdict::Own => self.open(out, at, guess),
            Verdict::Proposed => self.check(out, at, guess),
            Verdict::Rivals(first) => self.rival(out, at, *first, guess),
        }
    }

    fn preset_rules(&self, out: &mut String, at: usize) {
        for number in &self.rules[at] {
            let bound = &self.proposal.bound[*number];
            if bound.columns[0] == at {
                line(out, "1.00: the preset says so");
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

    /// A column that is surely for a target that an earlier column has.
    fn rival(&self, out: &mut String, at: usize, first: usize, guess: &Guess) {
        let target =
            guess.candidates.first().expect("such columns have a candidate").target.to_string();
        let (target, letters) = (quote(&target), self.columns.letters(first));
        line(
            out,
            &format!(
                "It would be {target}, as column {letters} is, and only one can; to take this one, set \
                 that one to \"ignore\"."
            ),
        );
        let rule = decided(self.columns.reference(at), Target::Undecided);
        marked(out, &rule, "DECIDE: a target, or \"ignore\"");
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
