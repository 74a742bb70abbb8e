//! `--layout`: the name of a system, or of one of its presets, as the presets whose files are written.

use crate::cli::config::dirs;
use crate::cli::output::error::Failure;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::export::{Laid, Tables};
use crate::import::Presets;
use crate::mapping::closest;
use crate::mapping::preset::{Layout, Preset};

/// What `--layout` has chosen.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    /// The presets.
    pub(crate) chosen: Vec<Laid>,
    /// The tables that they are made of.
    pub(crate) tables: Option<Tables>,
    /// Files of a system whose tables are not there.
    pub(crate) without: Vec<String>,
}

/// The layouts of these names. `there` are the tables that there are; else whatever is needed is pulled.
///
/// # Errors
/// When a name is that of no layout, or a table is not there.
pub(crate) fn choose(names: &[String], there: Option<Tables>) -> Result<Layouts, Failure> {
    let mut layouts = Layouts::default();
    if names.is_empty() {
        return Ok(layouts);
    }
    let presets = Presets::read(dirs::presets().as_deref())?;
    for name in names {
        let of_system =
            presets.all().iter().filter(|preset| systems(preset).any(|it| same(it, name)));
        let of_system: Vec<&Preset> = of_system.collect();
        if of_system.is_empty() {
            layouts.take_one(preset(&presets, name)?, there)?;
        } else {
            layouts.take_system(name, &of_system, there)?;
        }
    }
    Ok(layouts)
}

impl Layouts {
    /// Says which files of a system cannot be made of what there is.
    pub(crate) fn tell_missing(&self, screen: &Screen) {
        if !self.without.is_empty() {
            let files = self.without.join(", ");
            screen.line(&format!(
                "not written, since its tasks or notes are not exported: {}",
                safe(&files)
            ));
        }
    }

    fn take_one(&mut self, preset: &Preset, there: Option<Tables>) -> Result<(), Failure> {
        let layout = preset.layout.as_ref().expect("it was chosen for its layout");
        let needed = Tables::of(layout);
        if there.is_some_and(|there| !there.hold(needed)) {
            let (name, missing) = (&preset.name, layout.tables.join(" and "));
            return Err(Failure::usage(format!(
                "the layout `{name}` is made of {missing}, which are not exported"
            ))
            .hint(format!("`--with {}` exports them", layout.tables.join(","))));
        }
        self.take(preset, needed);
        Ok(())
    }

    fn take_system(
        &mut self,
        name: &str,
        presets: &[&Preset],
        there: Option<Tables>,
    ) -> Result<(), Failure> {
        for preset in presets {
            let layout = preset.layout.as_ref().expect("systems stand in layouts");
            let needed = Tables::of(layout);
            if there.is_none_or(|there| there.hold(needed)) {
                self.take(preset, needed);
            } else {
                self.without.push(layout.file.clone());
            }
        }
        if self.chosen.is_empty() {
            return Err(Failure::usage(format!("no file of `{name}` is made of what is exported")));
        }
        Ok(())
    }

    fn take(&mut self, preset: &Preset, needed: Tables) {
        let chosen = Laid::of(preset);
        if !self.chosen.contains(&chosen) {
            self.chosen.push(chosen);
        }
        self.tables = Some(self.tables.map_or(needed, |tables| tables.and(needed)));
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other.trim())
}

fn systems(preset: &Preset) -> impl Iterator<Item = &str> {
    let layouts: Option<&Layout> = preset.layout.as_ref();
    layouts.into_iter().flat_map(|layout| &layout.systems).map(String::as_str)
}

/// The preset of a name, if it has a layout.
fn preset<'p>(presets: &'p Presets, name: &str) -> Result<&'p Preset, Failure> {
    let found = presets.all().iter().find(|preset| same(&preset.name, name));
    // A file of this name that cannot be read is told for what it is.
    let is_broken = presets.broken().iter().any(|broken| {
        broken.path.file_stem().is_some_and(|stem| same(&stem.to_string_lossy(), name))
    });
    match found {
        _ if is_broken => Ok(presets.named(name)?),
        Some(preset) if preset.layout.is_some() => Ok(preset),
        Some(preset) => Err(Failure::usage(format!(
            "the preset `{}` has no layout to export with",
            preset.name
        ))
        .hint(known(presets))),
        None => {
            let names = presets.all().iter().filter(|preset| preset.layout.is_some());
            let names = names.flat_map(|preset| systems(preset).chain([preset.name.as_str()]));
            let near = closest(name, names).map(|near| format!("; did you mean `{near}`?"));
            let near = near.unwrap_or_default();
            Err(Failure::usage(format!("there is no layout `{name}`{near}")).hint(known(presets)))
        }
    }
}

/// The layouts that there are.
fn known(presets: &Presets) -> String {
    let (mut systems_, mut alone) = (Vec::<&str>::new(), Vec::new());
    for preset in presets.all().iter().filter(|preset| preset.layout.is_some()) {
        let before = systems_.len() + alone.len();
        for system in systems(preset) {
            if !systems_.contains(&system) {
                systems_.push(system);
            }
        }
        if systems(preset).next().is_none() && systems_.len() + alone.len() == before {
            alone.push(preset.name.as_str());
        }
    }
    let all = systems_.iter().chain(&alone).map(|name| format!("`{name}`")).collect::<Vec<_>>();
    format!("systems: {}; `ghl-bulk map --list-presets` lists their files", all.join(", "))
}
