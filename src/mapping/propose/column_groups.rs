//! Groups: columns that belong together, such as the parts of one address or the names of one person.
//!
//! A sheet may have several addresses or several people. Their parts must never be mixed, so one group is chosen and
//! the others are left out; where it is not certain which one the contact's is, the user is asked.

use super::{ACCEPTED, MappingProposal, PROPOSED, ProposalStatus};
use crate::mapping::header::normalise_name;
use crate::model::target::{Field, MappingTarget};

/// The parts of an address, and the names of a person.
const KINDS: [&[Field]; 2] = [
    &[Field::Address1, Field::City, Field::State, Field::PostalCode, Field::Country],
    &[Field::FirstName, Field::LastName],
];

/// Words that say which address or which person a column is about, the contact's own ones first.
#[rustfmt::skip]
const OWNERS: &[&str] = &[
    "home", "mailing", "personal", "private", "privat", "domicile", "casa", "owner", "applicant", "borrower", "buyer",
    "billing", "invoice", "rechnung", "rechnungs", "facturation", "facturación", "fatturazione", "factuur",
    "shipping", "delivery", "liefer", "lieferung", "livraison", "envío", "spedizione", "bezorg",
    "work", "business", "office", "company", "employer", "firma", "dienstlich", "geschäftlich", "beruflich", "travail",
    "bureau", "trabajo", "oficina", "lavoro", "ufficio", "werk", "school", "property", "site", "legal", "registered",
    "physical", "permanent", "temporary", "seasonal", "vacation", "other", "alternate", "alternative", "secondary",
    "second", "previous", "former", "seller", "tenant", "landlord", "agent", "spouse", "partner", "husband", "wife",
    "coborrower", "coapplicant", "co", "parent", "mother", "father", "guardian", "emergency", "child", "student",
    "manager", "assistant", "referrer", "referring",
];

/// How many of them are where the person is.
const PRIVATE: usize = 7;
/// How many of them are of the person and not of a company or another person.
const OWN: usize = 24;

/// Of which one says that the address without a word for its owner is another one than the contact's.
const ALSO_OWN: &[&str] = &["home", "mailing", "personal", "private", "privat", "property"];

/// How certain it is that a group is the contact's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupCertainty {
    /// The user has mapped one of its columns.
    Settled,
    Certain,
    Asked,
}

/// What is added to the evidence of a group that the user is asked about.
const OTHERS: &str = "; but the sheet has several addresses or people";

/// A column of a group.
struct GroupMember {
    at: usize,
    label: String,
}

impl MappingProposal {
    /// Keeps the parts of different addresses and the names of different people apart.
    pub(super) fn keep_groups_apart(&mut self) {
        for fields in KINDS {
            let members = self.group_members(fields);
            let mut labels: Vec<&str> =
                members.iter().map(|member| member.label.as_str()).collect();
            labels.sort_unstable();
            labels.dedup();
            let settled = self.settled_label(fields);
            if settled.is_none() && labels.len() < 2 {
                self.accept_only_address(fields, &members);
                continue;
            }
            let chosen =
                settled.clone().unwrap_or_else(|| choose_label(&labels, &members).to_owned());
            let is_own = chosen.is_empty() && !labels.iter().any(|label| ALSO_OWN.contains(label));
            let certainty = match settled {
                Some(_) => GroupCertainty::Settled,
                None if is_own => GroupCertainty::Certain,
                None => GroupCertainty::Asked,
            };
            for member in &members {
                self.decide_member(member, &chosen, certainty);
            }
        }
    }

    /// Accepts the parts of the only address of a sheet, whatever it calls it, unless that is of something else.
    fn accept_only_address(&mut self, fields: &[Field], members: &[GroupMember]) {
        let is_address = fields.contains(&Field::City);
        let of_person = |member: &GroupMember| {
            let first = member.label.split(' ').next().unwrap_or_default();
            !first.is_empty()
                && OWNERS.iter().position(|owner| *owner == first).is_some_and(|at| at < OWN)
        };
        if is_address && members.len() > 1 && members.iter().all(of_person) {
            for member in members {
                let best = &mut self.columns[member.at].candidates[0];
                best.score = best.score.max(ACCEPTED);
            }
        }
    }

    /// The group of which the user has mapped a column.
    fn settled_label(&self, fields: &[Field]) -> Option<String> {
        let of_group = |(at, target): (&usize, &MappingTarget)| {
            matches!(target, MappingTarget::Field(field) if fields.contains(field)).then_some(*at)
        };
        let first = self.settled_columns.iter().filter_map(of_group).min()?;
        Some(owner_label(&self.columns[first].column.name))
    }

    /// The undecided columns that are likely to be one of these fields, unless the preset decides.
    fn group_members(&self, fields: &[Field]) -> Vec<GroupMember> {
        let is_part = |target: &MappingTarget| matches!(target, MappingTarget::Field(field) if fields.contains(field));
        if self.bound.iter().any(|bound| is_part(&bound.rule.to)) {
            return Vec::new();
        }
        let is_likely = |guess: &super::ColumnProposal| {
            guess.status == ProposalStatus::Open
                && guess
                    .candidates
                    .first()
                    .is_some_and(|best| best.score >= PROPOSED && is_part(&best.target))
        };
        let columns = self.columns.iter().enumerate().filter(|(_, guess)| is_likely(guess));
        columns
            .map(|(at, guess)| GroupMember { at, label: owner_label(&guess.column.name) })
            .collect()
    }

    fn decide_member(&mut self, member: &GroupMember, chosen: &str, certainty: GroupCertainty) {
        let guess = &mut self.columns[member.at];
        if member.label != chosen {
            let why = "it belongs to another address or person than the columns that are used";
            guess.status = ProposalStatus::Ignored(why.to_owned());
            return;
        }
        let best = &mut guess.candidates[0];
        match certainty {
            GroupCertainty::Settled => best.score = best.score.max(ACCEPTED),
            GroupCertainty::Certain => {}
            GroupCertainty::Asked => {
                best.score = best.score.min(ACCEPTED - 0.01);
                if !best.evidence.ends_with(OTHERS) {
                    best.evidence += OTHERS;
                }
            }
        }
    }
}

/// The group that is the contact's: the one with the most parts, and of those the likeliest.
fn choose_label<'l>(labels: &[&'l str], members: &[GroupMember]) -> &'l str {
    let size = |label: &str| members.iter().filter(|member| member.label == label).count();
    let rank = |label: &str| {
        let first = label.split(' ').next().unwrap_or_default();
        let rank = OWNERS.iter().position(|owner| *owner == first).unwrap_or(OWNERS.len());
        // Beside a mailing address, the one without a word is that of something else.
        if label.is_empty() { PRIVATE } else { rank }
    };
    let order = |label: &str| (std::cmp::Reverse(size(label)), rank(label));
    labels.iter().copied().min_by_key(|label| order(label)).unwrap_or_default()
}

/// The words of a name that say whose address or name it is: `billing` of `Billing City`, `owner 2` of `Owner 2 Last
/// Name`. Empty for the contact's own.
fn owner_label(name: &str) -> String {
    let name = normalise_name(name);
    let words: Vec<&str> = name.split(' ').collect();
    let is_number = |word: &str| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut label = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let is_numbered_owner = at > 0 && OWNERS.contains(&words[at - 1]) && is_number(word);
        // `Address 2 City` is a city of the second address, and `Address 2` the second line of the first one.
        let is_numbered_address =
            at == 1 && words.len() > 2 && words[0] == "address" && is_number(word) && *word != "1";
        if OWNERS.contains(word) || is_numbered_owner || is_numbered_address {
            label.push(*word);
        }
    }
    label.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_whose_address_or_name_it_is() {
        for (name, label) in [
            ("City", ""),
            ("Billing City", "billing"),
            ("Home ZipCode", "home"),
            ("City (work)", "work"),
            ("Owner 1 First Name", "owner 1"),
            ("Owner 2 Last Name", "owner 2"),
            ("Address 2", ""),
            ("Address Line 2", ""),
            ("Address 2 City", "2"),
            ("Mailing Address", "mailing"),
            ("Postal Code", ""),
        ] {
            assert_eq!(owner_label(name), label, "{name}");
        }
    }
}
