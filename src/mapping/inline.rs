//! Rules on the command line: `Umsatz=customFields.umsatz:number`.

use super::parse_toml::CONVERTS;
use super::{Convert, Mapping, Rule, closest, target};
use crate::model::target::Target;

impl Mapping {
    /// Reads a rule of the form `COLUMN=TARGET` or `COLUMN=TARGET:CONVERTER`. The column is a header, a
    /// letter, or a pattern with `*`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn inline(text: &str) -> Result<Rule, String> {
        // A header may hold `=`; no target does.
        let parts = text.rsplit_once('=').map(|(from, to)| (from.trim(), to.trim()));
        let Some((from, to)) = parts.filter(|(from, to)| !from.is_empty() && !to.is_empty()) else {
            return Err(format!("`{text}` is no mapping; write `COLUMN=TARGET`"));
        };
        let (to, convert) = destination(to)?;
        if to == Target::Undecided {
            return Err(format!("`{text}` decides nothing; name a target or `ignore`"));
        }
        let rule = Rule { from: vec![from.to_owned()], to, convert, ..Rule::default() };
        match rule.nonsense() {
            Some(problem) => Err(format!("`{text}`: {}", problem.message)),
            None => Ok(rule),
        }
    }
}

fn destination(text: &str) -> Result<(Target, Option<Convert>), String> {
    let with_converter = text.rsplit_once(':').map(|(to, word)| (to.trim(), word.trim()));
    if let Some((to, word)) = with_converter
        && let Some(convert) = Convert::named(word)
    {
        return Ok((known(to)?, Some(convert)));
    }
    match (known(text), with_converter) {
        // A custom field's name may hold a colon.
        (Ok(target), _) => Ok((target, None)),
        (Err(_), Some((to, word))) if known(to).is_ok() => {
            let near = closest(word, CONVERTS.iter().copied());
            Err(asking(format!("there is no converter `{word}`"), near))
        }
        (Err(message), _) => Err(message),
    }
}

fn known(text: &str) -> Result<Target, String> {
    target(text).map_err(|unknown| asking(unknown.to_string(), unknown.closest.as_deref()))
}

fn asking(message: String, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}

impl Convert {
    /// The converter of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let plain = name.to_lowercase().replace(['-', '_', ' '], "");
        let word = CONVERTS.iter().find(|word| word.replace('_', "") == plain)?;
        serde_json::from_value((*word).into()).ok()
    }
}
