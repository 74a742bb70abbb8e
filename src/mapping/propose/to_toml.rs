//! Renders a proposal as a mapping file, with the evidence next to each column.

use std::collections::HashSet;
use std::fmt::Write;

use super::{ColumnProposal, MappingProposal, ProposalStatus, TargetCandidate};
use crate::mapping::header::fold_name;
use crate::mapping::{
    BoundRule, ColumnLookup, Mapping, MappingRule, RuleCondition, is_invisible_or_bidi,
    toml_string, toml_string_array,
};
use crate::model::target::MappingTarget;
use crate::text::{select_plural, truncate_text};

/// The maximum length of a displayed value, in characters.
const LONGEST_SAMPLE: usize = 40;

const HOW_TO: &str = "\
# Which column goes where. By itself this file does nothing; `ghl-bulk import FILE --map THIS` uses it,
# and with `--dry-run` it shows what would happen and sends nothing.
#
# Every column has a [[column]] table. `to` is a field (firstName, email, customFields.NAME, tags, note,
# task.title, …) or \"ignore\". Replace each \"?\", which is not decided yet. Import stops while one
# is left. `create = \"TEXT\"` in place of `to` creates a custom field. The numbers say how sure a
# proposal is, from 0 to 1. Comments and `suggest` may go.
# `ghl-bulk map --list-targets` lists all fields, with those of the location. `ghl-bulk map --help`
# says what else a table can hold: convert, blank, values, when, template, …
";

const HOW_TO_PRESET: &str = "\
# A preset of yours: files with all the columns under [detect] are imported by it without further words,
# others with `--preset`. Where `to` is \"?\", nothing is decided yet; import stops until it is.
# `ghl-bulk map --help` says what else a [[column]] can hold.
";

impl MappingProposal {
    /// Renders the proposal as a mapping file for the user to read and edit.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.render_toml(HOW_TO, "")
    }

    /// Renders the proposal as a preset for sheets with the same columns.
    #[must_use]
    pub fn to_preset_toml(&self, title: &str) -> String {
        let mut seen = HashSet::new();
        let names = self.columns.iter().filter(|guess| guess.status != ProposalStatus::Own);
        let names = names.map(|guess| guess.column.name.trim()).filter(|name| !name.is_empty());
        let names: Vec<String> =
            names.filter(|name| seen.insert(fold_name(name))).map(str::to_owned).collect();
        let head = format!("title = {}\nmissing = \"skip\"\n", toml_string(title));
        let detect = format!("\n[detect]\nall = {}\n", toml_string_array(&names));
        self.render_toml(&format!("{HOW_TO_PRESET}\n{head}"), &detect)
    }

    fn render_toml(&self, how_to: &str, detect: &str) -> String {
        let mut out = how_to.to_owned();
        if let Some(preset) = &self.preset {
            write_comment(
                &mut out,
                &format!("The sheet is one that the preset {} knows.", toml_string(preset)),
            );
        }
        if !self.ambiguous.is_empty() {
            let names: Vec<String> = self.ambiguous.iter().map(|name| toml_string(name)).collect();
            write_comment(
                &mut out,
                &format!("The sheet could be for several presets: {}.", names.join(", ")),
            );
        }
        let open = self.columns.iter().filter(|guess| guess.status.needs_decision());
        let open: Vec<&str> = open.map(|guess| guess.column.letters.as_str()).collect();
        if !open.is_empty() {
            let noun = select_plural(open.len() as u64, "column", "columns");
            write_comment(&mut out, &format!("To decide: {noun} {}.", open.join(", ")));
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
        let all = self.sheet_columns();
        let page = ProposalTomlWriter {
            proposal: self,
            columns: ColumnLookup::new(&all),
            rules: self.rules_by_column(),
        };
        for (at, guess) in self.columns.iter().enumerate() {
            if guess.status != ProposalStatus::Own {
                page.write_column(&mut out, at, guess);
            }
        }
        out
    }

    /// The preset's rules that use each column.
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

/// The data for writing the entries of columns.
struct ProposalTomlWriter<'p> {
    proposal: &'p MappingProposal,
    columns: ColumnLookup<'p>,
    /// The preset's rules that use each column.
    rules: Vec<Vec<usize>>,
}

impl ProposalTomlWriter<'_> {
    fn write_column(&self, out: &mut String, at: usize, guess: &ColumnProposal) {
        out.push('\n');
        write_comment(out, &column_title(guess));
        match &guess.status {
            ProposalStatus::Preset => self.write_preset_rules(out, at),
            ProposalStatus::JoinedTo(first) => {
                let letters = self.columns.column_letters(*first);
                write_comment(
                    out,
                    &format!("Read together with column {letters}: its rule names both."),
                );
            }
            ProposalStatus::Accepted => {
                write_evidence(out, &guess.candidates[0]);
                if let Some(rule) = self.proposal.accepted_rule(at, &self.columns) {
                    write_rule_table(out, &rule);
                }
            }
            ProposalStatus::Ignored(why) => {
                write_comment(out, &format!("Left out: {why}"));
                write_rule_table(
                    out,
                    &single_column_rule(
                        self.columns.unambiguous_reference(at),
                        MappingTarget::Ignore,
                    ),
                );
            }
            ProposalStatus::Homeless(target) => {
                let target = toml_string(target);
                write_comment(
                    out,
                    &format!("The preset would have it go to {target}, which the location lacks."),
                );
                let rule = single_column_rule(
                    self.columns.unambiguous_reference(at),
                    MappingTarget::Undecided,
                );
                write_marked_rule(out, &rule, "DECIDE: a target, or \"ignore\"");
            }
            ProposalStatus::Settled | ProposalStatus::Open | ProposalStatus::Own => {
                self.write_open_column(out, at, guess);
            }
            ProposalStatus::Proposed => self.write_proposed_column(out, at, guess),
            ProposalStatus::Rivals(first) => self.write_conflicting_column(out, at, *first, guess),
        }
    }

    fn write_preset_rules(&self, out: &mut String, at: usize) {
        for number in &self.rules[at] {
            let bound = &self.proposal.bound[*number];
            if bound.columns[0] == at {
                write_comment(out, "1.00: the preset says so");
                write_rule_table(out, &self.unambiguous_rule(bound));
            } else {
                let letters = self.columns.column_letters(bound.columns[0]);
                write_comment(
                    out,
                    &format!("Read together with column {letters}: its rule names both."),
                );
            }
        }
    }

    /// A bound rule with unambiguous column names.
    fn unambiguous_rule(&self, bound: &BoundRule) -> MappingRule {
        let reference = |at: &usize| self.columns.unambiguous_reference(*at);
        let place = |letters: &str| {
            let at = self.columns.find_by_name(letters, true);
            at.first().map(reference)
        };
        let mut rule = bound.rule.clone();
        rule.from = bound.columns.iter().map(reference).collect();
        rule.template = rule.template.map(|template| template.with_renamed_columns(place));
        rule.named_by = bound.named_by.as_ref().map(reference);
        // Conditions of columns that the sheet lacks are met by all its rows.
        let conditions = rule.when.into_iter().zip(&bound.when);
        let with_column = conditions.filter_map(|(when, at)| {
            Some(RuleCondition { column: reference(at.as_ref()?), ..when })
        });
        rule.when = with_column.collect();
        rule
    }

    /// Writes a column without a likely target.
    fn write_open_column(&self, out: &mut String, at: usize, guess: &ColumnProposal) {
        for candidate in &guess.candidates {
            write_comment(
                out,
                &format!(
                    "perhaps {}, {}",
                    toml_string(&candidate.target.to_string()),
                    format_evidence(candidate)
                ),
            );
        }
        let rule =
            single_column_rule(self.columns.unambiguous_reference(at), MappingTarget::Undecided);
        write_marked_rule(out, &rule, "DECIDE: a target, or \"ignore\"");
    }

    /// Writes a column with its best candidate as the proposed target.
    fn write_proposed_column(&self, out: &mut String, at: usize, guess: &ColumnProposal) {
        let (best, others) = guess.candidates.split_first().expect("such columns have a candidate");
        for candidate in others {
            write_comment(
                out,
                &format!(
                    "or {}, {}",
                    toml_string(&candidate.target.to_string()),
                    format_evidence(candidate)
                ),
            );
        }
        let target = toml_string(&best.target.to_string());
        let rule =
            single_column_rule(self.columns.unambiguous_reference(at), MappingTarget::Undecided);
        write_marked_rule(
            out,
            &rule,
            &format!("CHECK {}; replace \"?\" by {target} if right", format_evidence(best)),
        );
        writeln!(out, "suggest = {target}").expect("a text takes all");
    }

    /// Writes a column whose target is already taken by an earlier column.
    fn write_conflicting_column(
        &self,
        out: &mut String,
        at: usize,
        first: usize,
        guess: &ColumnProposal,
    ) {
        let target =
            guess.candidates.first().expect("such columns have a candidate").target.to_string();
        let (target, letters) = (toml_string(&target), self.columns.column_letters(first));
        write_comment(
            out,
            &format!(
                "It would go to {target} as column {letters} does, and only one column can; to \
                 use this one, set the other to \"ignore\"."
            ),
        );
        let rule =
            single_column_rule(self.columns.unambiguous_reference(at), MappingTarget::Undecided);
        write_marked_rule(out, &rule, "DECIDE: a target, or \"ignore\"");
    }
}

fn single_column_rule(from: String, to: MappingTarget) -> MappingRule {
    MappingRule { from: vec![from], to, ..MappingRule::default() }
}

fn write_rule_table(out: &mut String, rule: &MappingRule) {
    out.push_str("[[column]]\n");
    out.push_str(&rule.to_toml_entries());
}

/// Writes a rule with a comment at the end of the line of its `to`.
fn write_marked_rule(out: &mut String, rule: &MappingRule, mark: &str) {
    write_rule_table(out, rule);
    out.truncate(out.trim_end().len());
    writeln!(out, "  # {}", replace_unsafe_chars(mark)).expect("a text takes all");
}

fn write_evidence(out: &mut String, candidate: &TargetCandidate) {
    write_comment(out, &format_evidence(candidate));
}

fn format_evidence(candidate: &TargetCandidate) -> String {
    format!("{:.2}: {}", candidate.score, candidate.evidence)
}

/// The column's letters, name and samples.
fn column_title(guess: &ColumnProposal) -> String {
    let column = &guess.column;
    let mut title = format!(
        "Column {}, {}",
        column.letters,
        toml_string(&truncate_text(&column.name, LONGEST_SAMPLE))
    );
    if !guess.samples.is_empty() {
        let samples: Vec<String> = guess
            .samples
            .iter()
            .map(|value| toml_string(&truncate_text(value, LONGEST_SAMPLE)))
            .collect();
        write!(title, ", holds {}", samples.join(", ")).expect("a text takes all");
    }
    title
}

fn write_comment(out: &mut String, text: &str) {
    writeln!(out, "# {}", replace_unsafe_chars(text)).expect("a text takes all");
}

/// Replaces characters that would end a comment or move a terminal's cursor.
fn replace_unsafe_chars(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible_or_bidi(c) { ' ' } else { c }).collect()
}
