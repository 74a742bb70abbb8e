//! Scores of columns about consent. Where a column might be misread, the user is asked: a wrong answer is harm.

use super::value_profile::{ValueProfile, ValueShape};
use super::{ACCEPTED, TargetCandidate};
use crate::mapping::header::{consent_channel, consent_target, normalise_name};
use crate::model::target::{Channel, Field, MappingTarget};

/// The score of a known name whose values contradict it: below that of a column of opt-outs.
const DOUBTFUL: f64 = 0.65;

/// The candidate for a column whose values are statuses such as `unsubscribed`. Where the name says which channel and
/// that it is about consent, it is certain; otherwise the user has to say what is blocked. What a yes beside such
/// statuses means, only the name can say.
pub(super) fn consent_status_candidate(name: &str, look: &ValueProfile) -> Option<TargetCandidate> {
    let share = look.share_of_consent();
    let channel = consent_channel(name);
    if !(look.has_opt_outs() || share >= 0.8 && channel.is_some()) {
        return None;
    }
    let score = match channel {
        Some(_) if share >= 0.8 => 0.95,
        Some(_) => 0.8,
        None => 0.7,
    };
    let blocks = MappingTarget::DndChannel(channel.unwrap_or(Channel::Email));
    let has_answers = look.share_of(ValueShape::Boolean) > 0.0;
    let asked = consent_target(&normalise_name(name)).filter(|_| has_answers);
    let (target, score) = match asked {
        Some(MappingTarget::OptIn) => (MappingTarget::OptIn, f64::min(score, 0.8)),
        None if has_answers => (blocks, f64::min(score, 0.7)),
        _ => (blocks, score),
    };
    let evidence = match share * 100.0 {
        share @ 1.0.. => format!("{share:.0} % of the values say who may be contacted"),
        _ => "some values say that a person must not be contacted".to_owned(),
    };
    Some(TargetCandidate { target, score, evidence, rank: 0 })
}

/// The candidate for a column of yes and no whose name asks for consent.
pub(super) fn consent_candidate(name: &str, look: &ValueProfile) -> Option<TargetCandidate> {
    let target = consent_target(&normalise_name(name))
        .filter(|_| look.share_of(ValueShape::Boolean) >= 0.8)?;
    let evidence = "header asks for consent".to_owned();
    Some(TargetCandidate { target, score: 0.65, evidence, rank: 300 })
}

/// Makes fields that are no names uncertain for a column whose values say that people must not be contacted, such as a
/// state for `Estado`, which is also a status.
pub(super) fn doubt_other_fields(found: &mut [TargetCandidate]) {
    for candidate in found.iter_mut().filter(|candidate| candidate.score >= ACCEPTED) {
        let is_doubtful = match candidate.target {
            MappingTarget::Field(field) => !matches!(
                field,
                Field::Email | Field::Phone | Field::FirstName | Field::LastName | Field::Name
            ),
            _ => false,
        };
        if is_doubtful {
            candidate.score = DOUBTFUL;
            candidate.evidence += "; but values say that people must not be contacted";
        }
    }
}
