//! `--template`: the name of a system, or of one of its presets, as the presets whose files are written.

use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::CliReporter;
use crate::export::{ExportTables, TemplateSnapshot};
use crate::import::PresetLibrary;
use crate::mapping::closest_name;
use crate::mapping::preset::{ExportTemplate, Preset};
use crate::text::escape_for_terminal;

/// The selection of `--template`.
#[derive(Debug, Default)]
pub(crate) struct RequestedTemplates {
    /// The presets.
    pub(crate) chosen: Vec<TemplateSnapshot>,
    /// The tables that they are made of.
    pub(crate) tables: Option<ExportTables>,
    /// The presets of a system whose tables are not exported.
    left_out: Vec<LeftOutTemplate>,
}

/// A template of a system that is not written.
#[derive(Debug)]
struct LeftOutTemplate {
    preset: TemplateSnapshot,
    file: String,
    needed: ExportTables,
}

/// The templates of these names. `there` are the exported tables; without them, whatever is needed is exported, but
/// appointments only if a template that needs them is named itself: they cost a request per calendar and two more
/// scopes.
///
/// # Errors
/// When a template does not exist, or needs a table that is not exported.
pub(crate) fn select_templates(
    names: &[String],
    there: Option<ExportTables>,
) -> Result<RequestedTemplates, CliError> {
    let mut templates = RequestedTemplates::default();
    if names.is_empty() {
        return Ok(templates);
    }
    let presets = PresetLibrary::load(dirs::presets_dir().as_deref())?;
    for name in names {
        let of_system = presets
            .all()
            .iter()
            .filter(|preset| preset_systems(preset).any(|it| same_name(it, name)));
        let of_system: Vec<&Preset> = of_system.collect();
        if of_system.is_empty() {
            templates.add_template(find_preset(&presets, name)?, there)?;
        } else {
            templates.add_system(name, &of_system, there)?;
        }
    }
    templates.add_readable();
    Ok(templates)
}

impl RequestedTemplates {
    /// Reports which files of a system are not written, because `exported` lacks their tables, and how to get them.
    pub(crate) fn report_missing(&self, exported: ExportTables, screen: &CliReporter) {
        let (mut files, mut missing) = (Vec::new(), ExportTables::NONE);
        for left_out in &self.left_out {
            files.push(left_out.file.as_str());
            missing = missing.union(left_out.needed.without(exported));
        }
        if !files.is_empty() {
            screen.print_note(&format!(
                "not written, because {} are not exported: {}; `export --with {}` writes them",
                join_words(&missing.names()),
                escape_for_terminal(&files.join(", ")),
                exported.union(missing).names().join(","),
            ));
        }
    }

    fn add_template(
        &mut self,
        preset: &Preset,
        there: Option<ExportTables>,
    ) -> Result<(), CliError> {
        let template = preset.template.as_ref().expect("it was chosen for its template");
        let needed = ExportTables::from_template(template);
        if there.is_some_and(|there| !there.contains_all(needed)) {
            let (name, missing) = (&preset.name, template.tables.join(" and "));
            return Err(CliError::usage(format!(
                "the template `{name}` needs {missing}, which this export leaves out"
            ))
            .with_hint(format!("add them with `--with {}`", template.tables.join(","))));
        }
        self.add_preset(preset, needed);
        Ok(())
    }

    fn add_system(
        &mut self,
        name: &str,
        presets: &[&Preset],
        there: Option<ExportTables>,
    ) -> Result<(), CliError> {
        for preset in presets {
            let template = preset.template.as_ref().expect("templates name systems");
            let needed = ExportTables::from_template(template);
            let is_exported = match there {
                Some(there) => there.contains_all(needed),
                None => !needed.appointments,
            };
            if is_exported {
                self.add_preset(preset, needed);
            } else {
                self.left_out.push(LeftOutTemplate {
                    preset: TemplateSnapshot::from_preset(preset),
                    file: template.file.clone(),
                    needed,
                });
            }
        }
        if self.chosen.is_empty() {
            return Err(CliError::usage(format!(
                "`{name}` needs tables that this export leaves out"
            )));
        }
        Ok(())
    }

    /// Adds what was left out of a system, as far as the tables for it are exported because of another template.
    fn add_readable(&mut self) {
        let exported = self.tables.unwrap_or(ExportTables::NONE);
        for left_out in std::mem::take(&mut self.left_out) {
            if exported.contains_all(left_out.needed) {
                self.add_snapshot(left_out.preset);
            } else {
                self.left_out.push(left_out);
            }
        }
    }

    fn add_snapshot(&mut self, chosen: TemplateSnapshot) {
        if !self.chosen.contains(&chosen) {
            self.chosen.push(chosen);
        }
    }

    fn add_preset(&mut self, preset: &Preset, needed: ExportTables) {
        self.add_snapshot(TemplateSnapshot::from_preset(preset));
        self.tables = Some(self.tables.map_or(needed, |tables| tables.union(needed)));
    }
}

/// `notes`, `notes and appointments`, `tasks, notes and appointments`.
fn join_words(words: &[&str]) -> String {
    match words {
        [front @ .., last] if !front.is_empty() => format!("{} and {last}", front.join(", ")),
        _ => words.concat(),
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other.trim())
}

fn preset_systems(preset: &Preset) -> impl Iterator<Item = &str> {
    let templates: Option<&ExportTemplate> = preset.template.as_ref();
    templates.into_iter().flat_map(|template| &template.systems).map(String::as_str)
}

/// The preset of a name, if it has a template.
fn find_preset<'p>(presets: &'p PresetLibrary, name: &str) -> Result<&'p Preset, CliError> {
    let found = presets.all().iter().find(|preset| same_name(&preset.name, name));
    // An unreadable preset file of this name is reported as such.
    let is_broken = presets.invalid_presets().iter().any(|broken| {
        broken.path.file_stem().is_some_and(|stem| same_name(&stem.to_string_lossy(), name))
    });
    match found {
        _ if is_broken => Ok(presets.find_by_name(name)?),
        Some(preset) if preset.template.is_some() => Ok(preset),
        Some(preset) => Err(CliError::usage(format!(
            "the preset `{}` has no template to export with",
            preset.name
        ))
        .with_hint(known_templates_hint(presets))),
        None => {
            let names = presets.all().iter().filter(|preset| preset.template.is_some());
            let names =
                names.flat_map(|preset| preset_systems(preset).chain([preset.name.as_str()]));
            let near = closest_name(name, names).map(|near| format!("; did you mean `{near}`?"));
            let near = near.unwrap_or_default();
            Err(CliError::usage(format!("there is no template `{name}`{near}"))
                .with_hint(known_templates_hint(presets)))
        }
    }
}

/// All templates.
fn known_templates_hint(presets: &PresetLibrary) -> String {
    let (mut systems_, mut alone) = (Vec::<&str>::new(), Vec::new());
    for preset in presets.all().iter().filter(|preset| preset.template.is_some()) {
        let before = systems_.len() + alone.len();
        for system in preset_systems(preset) {
            if !systems_.contains(&system) {
                systems_.push(system);
            }
        }
        if preset_systems(preset).next().is_none() && systems_.len() + alone.len() == before {
            alone.push(preset.name.as_str());
        }
    }
    let all = systems_.iter().chain(&alone).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    format!("templates: {}; `ghl-bulk map --list-presets` lists their files", all.join(", "))
}
