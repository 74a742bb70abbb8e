//! Checks that the parts of a rule are consistent, and selects the constants for a file.

use super::header::fold_name;
use super::{Mapping, MappingRule, closest_name, mapping_problem};
use crate::diagnostic::Diagnostic;
use crate::model::target::MappingTarget;
use crate::text::matches_wildcard;

impl Mapping {
    /// Returns the mapping for a file with this name: without the constants for other files.
    #[must_use]
    pub fn for_file(mut self, name: &str) -> Self {
        let is_for = |patterns: &[String]| {
            patterns.iter().any(|pattern| matches_wildcard(pattern.trim(), name))
        };
        self.constants.retain(|constant| constant.file.is_empty() || is_for(&constant.file));
        self
    }
}

impl MappingRule {
    /// The first inconsistency within the rule.
    pub(super) fn first_problem(&self) -> Option<Diagnostic> {
        let wrong = |message: &str| Some(mapping_problem(self.line, message));
        if self.from.is_empty() || self.from.iter().any(|name| name.trim().is_empty()) {
            return wrong("`from` must name a column");
        }
        if self.split.iter().flatten().any(String::is_empty) {
            return wrong("`split` contains an empty text");
        }
        if self.create.is_some() && (self.from.len() != 1 || self.from[0].contains('*')) {
            return wrong("`create` needs one column in `from`, without `*`");
        }
        if self.tags.is_some() && self.to != MappingTarget::Tags {
            return wrong("`tags` is only for columns that go to `tags`");
        }
        if self.part.is_some() && (self.split.is_none() || self.from.len() != 1) {
            return wrong(
                "`part` needs one column in `from`, and `split` to say what parts its values",
            );
        }
        self.wildcard_problem().or_else(|| self.template_problem())
    }

    /// The first problem with patterns.
    fn wildcard_problem(&self) -> Option<Diagnostic> {
        let wrong = |message: &str| Some(mapping_problem(self.line, message));
        let stars = |text: &str| text.matches('*').count();
        if let Some(named_by) = &self.named_by {
            let alike = self.from.len() == 1 && stars(named_by) == stars(&self.from[0]);
            if self.to != MappingTarget::Custom("*".to_owned()) {
                return wrong(
                    "with `named_by`, `to` must be `customFields.*`: the column names the field",
                );
            }
            if !alike || stars(named_by) > 1 {
                return wrong(
                    "`named_by` needs one column in `from`, and a `*` in both or in neither",
                );
            }
            return None;
        }
        if let MappingTarget::Custom(name) = &self.to
            && stars(name) > 0
            && (stars(name) > 1 || self.from.len() != 1 || stars(&self.from[0]) != 1)
        {
            return wrong("a `*` in `to` needs one column in `from` with one `*`");
        }
        None
    }

    /// The first problem between the template and the columns.
    fn template_problem(&self) -> Option<Diagnostic> {
        let template = self.template.as_ref()?;
        let is_named = |name: &str| self.from.iter().any(|from| fold_name(from) == fold_name(name));
        let stranger = template.column_names().find(|name| !is_named(name))?;
        let message = format!("`template` names `{stranger}`, which is not in `from`");
        let near = closest_name(stranger, self.from.iter().map(String::as_str));
        Some(mapping_problem(self.line, message).did_you_mean(near))
    }
}
