//! Understanding a file that deletes: what it deletes, and by which columns that is known.
//!
//! The other columns say nothing: they are not read, not judged, and named.

use super::{Input, Understood, columns_are, names, shown, some_of};
use crate::import::Error;
use crate::mapping::propose::{Proposal, Verdict};
use crate::mapping::{Mapping, Missing};
use crate::model::{Directory, Field, NotePart, Policy, Target, TaskPart};
use crate::plan::Removed;

/// Settles what nobody needs to decide: the columns that a deletion does not read.
pub(super) fn settle(proposal: &mut Proposal) {
    let open = proposal.columns.iter().filter(|guess| {
        let best = guess.candidates.first().map(|candidate| &candidate.target);
        matches!(guess.verdict, Verdict::Proposed | Verdict::Rivals(_))
            && !best.is_some_and(may_be_read)
    });
    let open: Vec<String> = open.map(|guess| format!("[{}]", guess.column.letters)).collect();
    proposal.settle(&[], &open);
}

impl Input {
    /// What the rows delete, and how they name it.
    pub(super) fn understand_removal(
        &self,
        mapping: Mapping,
        policy: Policy,
        directory: &Directory,
    ) -> Result<Understood, Error> {
        let (name, columns) = (mapping.name.clone(), &self.sheet.columns);
        let wrong = |problems| self.wrong(&name, problems);
        // Custom fields say nothing about the kind of a file, and the location may lack them.
        let mut kinds = mapping.clone();
        kinds.missing = Missing::Skip;
        kinds.constants.clear();
        kinds.rules.retain(|rule| {
            rule.named_by.is_none() && !matches!(rule.to, Target::Custom(_) | Target::Undecided)
        });
        let whole = kinds.plan(columns, directory).map_err(wrong)?;
        let removes = Removed::of(&whole).map_err(Error::Request)?;
        let mut keys = mapping;
        keys.constants.clear();
        keys.rules.retain(|rule| removes.reads(&rule.to, &policy, directory));
        let mut plan = keys.plan(columns, directory).map_err(wrong)?;
        if plan.bound.is_empty() {
            let message = "no column holds contact ids, e-mail addresses or phone numbers; `--map \
                           COLUMN=contactId` says which one does";
            return Err(Error::Request(message.to_owned()));
        }
        let ignored = names(columns, &std::mem::take(&mut plan.unmapped));
        let mut warnings = self.of_sheet();
        if !ignored.is_empty() {
            let message = format!("{} ignored: {}", columns_are(&ignored), some_of(&ignored));
            warnings.push(("W_IGNORED_COLUMNS".to_owned(), message));
        }
        let shown = shown(&plan, columns);
        Ok(Understood { name, plan, policy, warnings, shown, removes: Some(removes) })
    }
}

/// Whether a deletion may read what goes there.
fn may_be_read(target: &Target) -> bool {
    matches!(
        target,
        Target::ContactId
            | Target::Field(Field::Email | Field::Phone)
            | Target::Note(NotePart::Id)
            | Target::Task(TaskPart::Id)
    )
}
