//! The input: a surveyed sheet, and the mapping that defines what its columns mean.

pub(super) mod left_out;
pub(super) mod load_directory;
pub(super) mod new_fields;
pub(super) mod preset_library;
pub(super) mod propose_mapping;
pub(super) mod same_header;

mod deletion_input;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::left_out::LeftOutColumn;
use self::new_fields::FieldCreator;
use self::preset_library::PresetLibrary;
use self::propose_mapping::{merge_read_options, read_sample_rows};
use super::ImportError;
use super::request::{ImportRequest, UnmappedRule};
use super::results;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::mapping::preset::Preset;
use crate::mapping::propose::MappingProposal;
use crate::mapping::{self, ConstantValue, Mapping, MappingRule, mapping_problem};
use crate::model::{ImportMode, ImportPolicy, LocationDirectory, MappingTarget, NewField};
use crate::plan::DeletedRecordKind;
use crate::sheet::{Sheet, SheetColumn, SheetReadOptions};
use crate::text::{format_plural, select_plural, truncate_text};
use crate::toml_doc::read_toml_file;

/// How many characters of a column's name are shown.
const SHOWN: usize = 100;
/// How many bytes a list of columns' names takes.
const LONGEST_LIST: usize = 4_000;

/// A sheet and what is known about its mapping before the account was read.
pub(super) struct ImportSource {
    pub(super) sheet: Sheet,
    mapping: MappingSource,
    presets: PresetLibrary,
    /// SHA-256 of the mapping file.
    pub(super) mapping_digest: Option<String>,
}

/// Where the meaning of the columns comes from.
enum MappingSource {
    Mapping(Box<Mapping>),
    Preset(Box<Preset>),
    Nothing,
}

/// The interpretation of the input: the mapping bound to the sheet, and the policy.
pub(super) struct ResolvedSource {
    /// The name of the mapping.
    pub(super) name: String,
    pub(super) plan: mapping::BoundMapping,
    pub(super) policy: ImportPolicy,
    /// Warnings about the file as a whole.
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) shown: Vec<ColumnMapping>,
    /// The columns that are not imported.
    pub(super) left_out: Vec<LeftOutColumn>,
    /// What the rows delete, if they delete.
    pub(super) removes: Option<DeletedRecordKind>,
    /// The custom fields that the plan creates.
    pub(super) new_fields: Vec<NewField>,
}

impl ResolvedSource {
    /// Whether a column or a constant has one of these targets.
    pub(super) fn writes_to(&self, targets: &[MappingTarget]) -> bool {
        let of_columns = self.plan.bound.iter().map(|bound| &bound.rule.to);
        let of_constants = self.plan.constants.iter().map(|bound| &bound.constant.to);
        of_columns.chain(of_constants).any(|target| targets.contains(target))
    }
}

/// The custom fields to create, and what to report about them.
struct CreatedFields {
    fields: Vec<NewField>,
    warnings: Vec<Diagnostic>,
}

/// A column and its target, as the summary shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnMapping {
    /// The column's header.
    pub column: String,
    /// The target.
    pub target: String,
}

impl ImportSource {
    /// Surveys the sheet and reads the mapping file; sends nothing.
    pub(super) fn open(request: &ImportRequest) -> Result<Self, ImportError> {
        if let Some(out) = request.out.as_deref().filter(|out| is_overwritten(&request.file, out)) {
            return Err(ImportError::Request(format!(
                "`{}` would be overwritten by the result files; choose a directory other than `{}` with `--out`",
                request.file.display(),
                out.display()
            )));
        }
        // A mapping file is complete, so errors in the user's presets do not matter.
        let presets = request.presets.as_deref().filter(|_| request.mapping.is_none());
        let presets = PresetLibrary::load(presets)?;
        let (mapping, mapping_digest) = match (&request.mapping, &request.preset) {
            (Some(path), _) => {
                let text = read_mapping(path)
                    .map_err(|source| ImportError::File { path: path.clone(), source })?;
                let name = path.display().to_string();
                let mapping = Mapping::parse(&text, &name)
                    .map_err(|problems| ImportError::Mapping { name, problems })?;
                (
                    MappingSource::Mapping(Box::new(mapping)),
                    Some(super::run_files::sha256_hex(text.as_bytes())),
                )
            }
            (None, Some(name)) => {
                (MappingSource::Preset(Box::new(presets.find_for_import(name)?.clone())), None)
            }
            (None, None) => (MappingSource::Nothing, None),
        };
        let own = match &mapping {
            MappingSource::Mapping(mapping) => mapping.reading.clone(),
            MappingSource::Preset(preset) => preset.mapping.reading.clone(),
            MappingSource::Nothing => SheetReadOptions::default(),
        };
        let reading = merge_read_options(own, request.reading.clone());
        let sheet = Sheet::open(&request.file, &reading, &|name| presets.is_known_header(name))?;
        if let MappingSource::Preset(preset) = &mapping {
            presets.ensure_fits(preset, &sheet.columns)?;
        }
        Ok(Self { sheet, mapping, presets, mapping_digest })
    }

    /// Determines what the columns mean in this location.
    pub(super) fn resolve_mapping(
        &self,
        request: &ImportRequest,
        directory: &LocationDirectory,
    ) -> Result<ResolvedSource, ImportError> {
        let columns = &self.sheet.columns;
        let mut mapping = self.choose_mapping(request, directory)?;
        let name = mapping.name.clone();
        let wrong = |problems| self.mapping_error(&name, problems);
        let file = request.file.file_name().map(|name| name.to_string_lossy());
        mapping = mapping.for_file(&file.unwrap_or_default());
        mapping = mapping
            .with_overrides(parse_inline_rules(request, directory)?, &request.ignore, columns)
            .map_err(wrong)?;
        let policy = resolve_policy(&mapping, request);
        if policy.mode == ImportMode::Delete {
            let given = [!request.tags.is_empty(), request.assign_to.is_some()];
            if given.contains(&true) || !request.create_fields.is_empty() {
                let message = "`--tag`, `--assign-to` and `--create-fields` are for rows that are imported, not \
                               deleted";
                return Err(ImportError::Request(message.to_owned()));
            }
            return self.resolve_deletion(mapping, policy, directory);
        }
        let created = self.create_fields(&mut mapping, request, directory, &policy)?;
        apply_to_every_row(&mut mapping, request);
        let undecided: Vec<_> =
            mapping.rules.iter().filter(|rule| rule.to == MappingTarget::Undecided).collect();
        if !undecided.is_empty() {
            return Err(wrong(undecided.into_iter().map(undecided_rule_problem).collect()));
        }
        let directory = &new_fields::directory_with_new_fields(directory, &created.fields);
        let plan = mapping.bind_to_location(columns, directory).map_err(wrong)?;
        let unmapped = column_names(columns, &plan.unmapped);
        let complete = matches!(self.mapping, MappingSource::Mapping(_));
        if !unmapped.is_empty() && (complete || request.unmapped == UnmappedRule::Error) {
            return Err(ImportError::Unmapped { name: name.clone(), columns: unmapped });
        }
        let left_out = left_out::list_left_out(&plan, columns);
        let mut warnings = self.collect_warnings(&left_out);
        warnings.extend(created.warnings);
        let shown = column_mappings(&plan, columns);
        let new_fields = created.fields;
        Ok(ResolvedSource {
            name,
            plan,
            policy,
            warnings,
            shown,
            left_out,
            removes: None,
            new_fields,
        })
    }

    /// The mapping of the user, of a preset, or what is certain about the columns.
    fn choose_mapping(
        &self,
        request: &ImportRequest,
        directory: &LocationDirectory,
    ) -> Result<Mapping, ImportError> {
        let columns = &self.sheet.columns;
        Ok(match &self.mapping {
            MappingSource::Mapping(mapping) => Mapping::clone(mapping),
            MappingSource::Preset(preset) => {
                let samples = read_sample_rows(&self.sheet)?;
                accept_proposal(
                    MappingProposal::for_preset(preset, columns, &samples, Some(directory)),
                    request,
                    directory,
                )?
            }
            MappingSource::Nothing => {
                let samples = read_sample_rows(&self.sheet)?;
                let presets = self.presets.detection_candidates()?;
                accept_proposal(
                    MappingProposal::new(columns, &samples, presets, Some(directory)),
                    request,
                    directory,
                )?
            }
        })
    }

    /// Gives the columns of `--create-fields` their rules, and finds the fields that the location lacks.
    fn create_fields(
        &self,
        mapping: &mut Mapping,
        request: &ImportRequest,
        directory: &LocationDirectory,
        policy: &ImportPolicy,
    ) -> Result<CreatedFields, ImportError> {
        let columns = &self.sheet.columns;
        let name = mapping.name.clone();
        let wrong = |problems| self.mapping_error(&name, problems);
        let mut warnings = Vec::new();
        if !request.create_fields.is_empty() {
            let fields = mapping::split_new_fields(mapping, columns, directory).map_err(wrong)?;
            let extended = new_fields::directory_with_new_fields(directory, &fields);
            let plan = mapping.bind_to_location(columns, &extended).map_err(wrong)?;
            let creator = FieldCreator { source: self, request, directory: &extended, policy };
            warnings = creator.add_rules(mapping, &plan)?;
        }
        let fields = mapping::split_new_fields(mapping, columns, directory)
            .map_err(|problems| self.mapping_error(&mapping.name, problems))?;
        Ok(CreatedFields { fields, warnings })
    }

    /// The problems of the mapping, with the lines of its file if the user wrote one.
    pub(super) fn mapping_error(&self, name: &str, mut problems: Vec<Diagnostic>) -> ImportError {
        if !matches!(self.mapping, MappingSource::Mapping(_)) {
            for problem in &mut problems {
                problem.place.line = None;
            }
        }
        ImportError::Mapping { name: name.to_owned(), problems }
    }

    /// What to report about the sheet, whatever its columns mean.
    pub(super) fn sheet_warnings(&self) -> Vec<Diagnostic> {
        let duplicates = mapping::duplicate_headers(&self.sheet.columns);
        self.sheet.warnings.iter().cloned().chain(duplicates).collect()
    }

    fn collect_warnings(&self, left_out: &[LeftOutColumn]) -> Vec<Diagnostic> {
        let mut all = self.sheet_warnings();
        let unmapped = left_out.iter().filter(|column| !column.ignored);
        let unmapped: Vec<_> = unmapped.map(|column| column.column.clone()).collect();
        if !unmapped.is_empty() {
            let message = format!(
                "{} not imported: {}; `--map` gives them a target, `--ignore-column` silences this",
                column_count_phrase(&unmapped),
                list_names(&unmapped)
            );
            all.push(Diagnostic::new(DiagnosticCode::W_UNMAPPED_COLUMNS, message));
        }
        all
    }
}

/// `1 column is`, `3 columns are`.
pub(super) fn column_count_phrase(names: &[String]) -> String {
    let count = names.len() as u64;
    format!("{} {}", format_plural(count, "column"), select_plural(count, "is", "are"))
}

/// The first few names, and how many more there are.
pub(super) fn abbreviate_names(names: &[String]) -> String {
    let first: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(first.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

/// The names, as many as a cell of a result file can reasonably hold, and how many more there are.
fn list_names(names: &[String]) -> String {
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        if at > 0 && text.len() + name.len() > LONGEST_LIST {
            return format!("{text} and {} more", names.len() - at);
        }
        text = if at == 0 { format!("`{name}`") } else { format!("{text}, `{name}`") };
    }
    text
}

/// Whether a file is at the path of a result file.
fn is_overwritten(file: &Path, out: &Path) -> bool {
    let (Ok(file), Ok(out)) = (file.canonicalize(), out.canonicalize()) else { return false };
    results::FILES.iter().any(|name| out.join(name).canonicalize().is_ok_and(|path| path == file))
}

/// The rules from the command line.
fn parse_inline_rules(
    request: &ImportRequest,
    directory: &LocationDirectory,
) -> Result<Vec<MappingRule>, ImportError> {
    request
        .rules
        .iter()
        .map(|text| {
            Mapping::parse_inline_rule(text, &directory.fields).map_err(ImportError::Request)
        })
        .collect()
}

/// A proposal's mapping, if it leaves no question that the command line does not answer.
fn accept_proposal(
    mut proposal: MappingProposal,
    request: &ImportRequest,
    directory: &LocationDirectory,
) -> Result<Mapping, ImportError> {
    if !proposal.ambiguous.is_empty() {
        return Err(ImportError::Ambiguous(proposal.ambiguous));
    }
    proposal.mark_settled(&parse_inline_rules(request, directory)?, &request.ignore);
    let columns: Vec<_> = proposal.columns.iter().map(|it| it.column.clone()).collect();
    proposal.settle_undecided(&new_fields::named_columns(request, &columns));
    if request.is_deletion() {
        deletion_input::ignore_unread_columns(&mut proposal);
    }
    proposal.confident_mapping().map_err(|columns| ImportError::Undecided { columns })
}

/// Adds what the command line sets in every row. The sheet's own column of users then decides nothing.
fn apply_to_every_row(mapping: &mut Mapping, request: &ImportRequest) {
    let constant =
        |to, value| ConstantValue { to, value, file: Vec::new(), when: Vec::new(), line: 0 };
    for tag in &request.tags {
        // As a list, so that a comma in a tag does not split it.
        let list = serde_json::Value::from(vec![tag.trim()]).to_string();
        mapping.constants.push(constant(MappingTarget::Tags, list));
    }
    if let Some(user) = &request.assign_to {
        for rule in mapping.rules.iter_mut().filter(|rule| rule.to == MappingTarget::Owner) {
            rule.to = MappingTarget::Ignore;
        }
        mapping.constants.retain(|constant| constant.to != MappingTarget::Owner);
        mapping.constants.push(constant(MappingTarget::Owner, user.clone()));
    }
}

fn undecided_rule_problem(rule: &MappingRule) -> Diagnostic {
    let column = rule.from.join("` and `");
    mapping_problem(rule.line, format!("`{column}` has no target yet"))
        .with_hint("replace `?` with a target or with `ignore`")
}

/// The policy: the settings of the mapping, overridden by those of the command line.
fn resolve_policy(mapping: &Mapping, request: &ImportRequest) -> ImportPolicy {
    let mut policy = ImportPolicy::default();
    mapping.options.apply_to(&mut policy);
    request.options.apply_to(&mut policy);
    policy
}

/// The columns' names for display: a long name is cut, and a column without one is shown by its letters.
pub(super) fn column_names(columns: &[SheetColumn], indexes: &[usize]) -> Vec<String> {
    let name = |index: &usize| {
        let column = &columns[*index];
        match column.name.as_str() {
            "" => column.letters.clone(),
            name => truncate_text(name, SHOWN),
        }
    };
    indexes.iter().map(name).collect()
}

fn column_mappings(plan: &mapping::BoundMapping, columns: &[SheetColumn]) -> Vec<ColumnMapping> {
    let of = |bound: &mapping::BoundRule| ColumnMapping {
        column: column_names(columns, &bound.columns).join(" + "),
        target: bound.rule.to.to_string(),
    };
    plan.bound.iter().filter(|bound| bound.rule.to != MappingTarget::Ignore).map(of).collect()
}

/// The problems of a mapping, one per line.
#[must_use]
pub fn problem_lines(problems: &[Diagnostic]) -> Vec<String> {
    problems.iter().map(|problem| problem.list_line(DiagnosticCode::E_MAPPING)).collect()
}

fn read_mapping(path: &Path) -> std::io::Result<String> {
    let not_utf8 = |_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text");
    String::from_utf8(read_toml_file(path)?).map_err(not_utf8)
}
