//! The contact that a command is about: an id, an e-mail address or a phone number.

use clap::Args;

use crate::cli::output::error::CliError;
use crate::inspect::ContactLabel;
use crate::pull::{self, ContactKey};
use crate::text::format_plural;

/// How many contacts are listed that share an address or number.
const LISTED: usize = 20;

/// Names one contact.
#[derive(Debug, Args)]
pub(crate) struct ContactArg {
    /// The contact's id, e-mail address or phone number
    #[arg(value_name = "ID|EMAIL|PHONE", allow_hyphen_values = true)]
    contact: String,
}

impl From<&str> for ContactArg {
    fn from(text: &str) -> Self {
        Self { contact: text.to_owned() }
    }
}

impl ContactArg {
    /// What was typed.
    pub(crate) fn text(&self) -> &str {
        &self.contact
    }

    /// Whether it is a phone number whose country only the location knows.
    pub(crate) fn needs_country(&self) -> bool {
        pull::infer_contact_key(&self.contact, None).is_err_and(|unclear| unclear.phone)
    }

    /// Checks what can be checked without the location's country.
    pub(crate) fn check(&self) -> Result<(), CliError> {
        if self.needs_country() { Ok(()) } else { self.parse(None).map(drop) }
    }

    /// The key. `country` is the location's, for numbers without `+`.
    pub(crate) fn parse(&self, country: Option<&str>) -> Result<ContactKey, CliError> {
        let key = pull::infer_contact_key(&self.contact, country);
        key.map_err(|unclear| {
            if unclear.phone && country.is_none() {
                let message = format!("the country of `{}` is not known", self.contact);
                return CliError::usage(message)
                    .with_hint("write the number with `+` and its country code");
            }
            CliError::usage(unclear.reason)
        })
    }
}

/// The error of an address or number that several contacts have.
pub(crate) fn several_contacts_error(named: &ContactArg, contacts: &[ContactLabel]) -> CliError {
    let count = format_plural(contacts.len() as u64, "contact");
    let line = |contact: &ContactLabel| {
        let ContactLabel { id, name, email, phone, is_deleted } = contact;
        let deleted = is_deleted.then_some("(deleted)");
        let parts =
            [Some(id.as_str()), name.as_deref(), email.as_deref(), phone.as_deref(), deleted];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    };
    let mut lines: Vec<String> = contacts.iter().take(LISTED).map(line).collect();
    if contacts.len() > LISTED {
        lines.push(format!("and {} more", contacts.len() - LISTED));
    }
    CliError::usage(format!("{count} have `{}`", named.text()))
        .with_lines(lines)
        .with_hint("give the id of one of them")
}
