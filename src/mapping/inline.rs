//! Rules on the command line: `Umsatz=customFields.umsatz:number`.

use super::{Mapping, MappingRule, ValueConverter, closest_name, parse_target};
use crate::choice::Choice as _;
use crate::model::directory::CustomField;
use crate::model::target::MappingTarget;

impl Mapping {
    /// Parses a rule of the form `COLUMN=TARGET` or `COLUMN=TARGET:CONVERTER`. The column is a header, a letter, or
    /// a pattern with `*`. A message about an unknown target may suggest one of the custom fields.
    ///
    /// # Errors
    /// The message about an invalid rule.
    pub fn parse_inline_rule(text: &str, fields: &[CustomField]) -> Result<MappingRule, String> {
        // A header may contain `=`; a target cannot.
        let parts = text.rsplit_once('=').map(|(from, to)| (from.trim(), to.trim()));
        let Some((from, to)) = parts.filter(|(from, to)| !from.is_empty() && !to.is_empty()) else {
            return Err(format!("`{text}` is no mapping; write `COLUMN=TARGET`"));
        };
        let (to, convert) = parse_destination(to, fields).map_err(|message| match from {
            "tags" | "Tags" => format!("{message}; to tag every row, use `--tag {to}`"),
            _ => message,
        })?;
        if to == MappingTarget::Undecided {
            return Err(format!("`{text}` decides nothing; name a target or `ignore`"));
        }
        let rule =
            MappingRule { from: vec![from.to_owned()], to, convert, ..MappingRule::default() };
        match rule.first_problem() {
            Some(problem) => Err(format!("`{text}`: {}", problem.message)),
            None => Ok(rule),
        }
    }
}

fn parse_destination(
    text: &str,
    fields: &[CustomField],
) -> Result<(MappingTarget, Option<ValueConverter>), String> {
    let parse_target_with_hint = |text: &str| {
        parse_target(text).map_err(|unknown| {
            let unknown = unknown.with_custom_fields(fields);
            add_suggestion(unknown.to_string(), unknown.closest.as_deref())
        })
    };
    let with_converter = text.rsplit_once(':').map(|(to, word)| (to.trim(), word.trim()));
    if let Some((to, word)) = with_converter
        && let Some(convert) = ValueConverter::from_word(word)
    {
        return Ok((parse_target_with_hint(to)?, Some(convert)));
    }
    match (parse_target_with_hint(text), with_converter) {
        // A custom field's name may contain a colon.
        (Ok(target), _) => Ok((target, None)),
        (Err(_), Some((to, word))) if parse_target_with_hint(to).is_ok() => {
            let near = closest_name(word, ValueConverter::words());
            Err(add_suggestion(format!("there is no converter `{word}`"), near))
        }
        (Err(message), _) => Err(message),
    }
}

fn add_suggestion(message: String, near: Option<&str>) -> String {
    match near {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message,
    }
}
