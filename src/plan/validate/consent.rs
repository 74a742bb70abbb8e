//! Consent: whether a row allows contacting the person.
//!
//! A yes in an opt-out column is a no. A no in an opt-in column means nothing, since a person who was never asked
//! has not refused. If columns contradict each other, "do not contact" wins. Unknown words reject the row: a wrong
//! guess could do harm.

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
            Ok(Some(status)) => work.consents.0.push(ConsentAnswer {
                channel,
                out: status == ConsentStatus::OptedOut,
                of_opt_outs: column_kind == ConsentColumn::OptOut,
                column,
                target: step.target.to_string(),
            }),
            Ok(None) => {}
            Err(trouble) => return self.report_unreadable(step, column, trouble, work),
        }
        Ok(())
    }

    /// Combines the answers of the columns.
    pub(super) fn resolve_consents(&self, work: &mut RowContext<'_>) {
        let consents = std::mem::take(&mut work.consents).0;
        let everything = work.draft.dnd == Some(true);
        for channel in Channel::ALL {
            let mut answers =
                consents.iter().filter(|answer| answer.channel == *channel).peekable();
            if answers.peek().is_none() {
                continue;
            }
            let (out, free): (Vec<_>, Vec<_>) = answers.partition(|answer| answer.out);
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
            } else if self.policy.allow_resubscribe && free.iter().any(|answer| answer.of_opt_outs)
            {
                // Only an opt-out column can lift an earlier opt-out.
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

/// The channel of an opt-in column, by its header.
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
