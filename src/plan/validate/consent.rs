//! Consent: what a row says about being contacted.
//!
//! A column of opt-outs says no with a yes; a column of opt-ins says nothing with a no, since nobody who
//! was never asked has refused. Where columns contradict each other, not contacting wins. Words that
//! nobody knows reject the row: a guess could be wrong in the direction that hurts.

use super::RowValidator;
use super::cleaned_value::CleanedValue;
use super::field_rule::FieldRule;
use super::read_cell::read_boolean;
use super::row_context::{ConsentAnswer, RowContext};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::MappingTarget;
use crate::model::target::Channel;
use crate::value::{self, ConsentColumn, ConsentStatus};

impl RowValidator {
    pub(super) fn record_consent(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        value: &CleanedValue,
        work: &mut RowContext<'_>,
    ) -> Result<(), Diagnostic> {
        if step.target == MappingTarget::Dnd {
            match read_boolean(value) {
                Ok(Some(all)) => work.draft.dnd = Some(all),
                Ok(None) => {}
                Err(trouble) => return self.report_unreadable(step, column, trouble, work),
            }
            return Ok(());
        }
        let (Some(channel), column_kind) = (step.channel, column_kind(&step.target)) else {
            return Ok(());
        };
        match value::parse_consent(&value.clone().into_text(), column_kind) {
            Ok(Some(ConsentStatus::NotAsked)) => {
                let message = format!(
                    "there is no opt-in to {} here, which is not an opt-out",
                    channel.name()
                );
                work.add_warning(DiagnosticCode::W_NOT_OPTED_IN, step, column, message);
            }
            Ok(Some(said)) => work.consents.0.push(ConsentAnswer {
                channel,
                out: said == ConsentStatus::OptedOut,
                of_opt_outs: column_kind == ConsentColumn::OptOut,
                column,
                target: step.target.to_string(),
            }),
            Ok(None) => {}
            Err(trouble) => return self.report_unreadable(step, column, trouble, work),
        }
        Ok(())
    }

    /// What the columns say together.
    pub(super) fn resolve_consents(&self, work: &mut RowContext<'_>) {
        let consents = std::mem::take(&mut work.consents).0;
        let everything = work.draft.dnd == Some(true);
        for channel in Channel::ALL {
            let mut said = consents.iter().filter(|said| said.channel == *channel).peekable();
            if said.peek().is_none() {
                continue;
            }
            let (out, free): (Vec<_>, Vec<_>) = said.partition(|said| said.out);
            if let (Some(free), true) = (free.first(), everything || !out.is_empty()) {
                let message = format!(
                    "one column allows {} and another forbids it; the contact will not be contacted",
                    channel.name()
                );
                work.add_column_warning(
                    DiagnosticCode::W_CONSENT_CONFLICT,
                    free.column,
                    &free.target,
                    message,
                );
            }
            if !out.is_empty() {
                work.draft.channels.insert(*channel, true);
            } else if self.policy.allow_resubscribe && free.iter().any(|said| said.of_opt_outs) {
                // Only a column of opt-outs can say that there is none any more.
                work.draft.channels.insert(*channel, false);
            }
        }
    }
}

fn column_kind(target: &MappingTarget) -> ConsentColumn {
    match target {
        MappingTarget::OptIn => ConsentColumn::OptIn,
        _ => ConsentColumn::OptOut,
    }
}

/// The channel that a column of opt-ins is about, by its header.
pub(super) fn channel_from_header(header: &str) -> Channel {
    let header = header.to_lowercase();
    let about = |words: &[&str]| words.iter().any(|word| header.contains(word));
    match () {
        () if about(&["mail"]) => Channel::Email,
        () if about(&["whatsapp"]) => Channel::WhatsApp,
        () if about(&["sms", "text", "mobile"]) => Channel::Sms,
        () if about(&["call", "phone"]) => Channel::Call,
        () => Channel::Email,
    }
}
