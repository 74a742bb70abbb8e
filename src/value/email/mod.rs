//! E-mail addresses in a cell, checked as a mail program would.
//!
//! `Name <address>` and `mailto:` are accepted; an address keeps its case. If one part of a cell is not an address,
//! the whole cell is rejected. A valid but unusual address is accepted and reported.

mod address;
mod email_cell;

use std::collections::HashSet;

use address::EmailAddressKind;

use super::quote::QuotedText;
use super::{ParsedValue, is_spreadsheet_error};
use crate::diagnostic::{Diagnostic, DiagnosticCode};

#[cfg(test)]
mod tests;

/// Parses the e-mail addresses of a cell. The first is the primary one; duplicates are dropped.
///
/// `split` gives the separators; by default, the usual ones apply, and spaces between two addresses. Notices:
/// `W_MULTI_EMAIL` (more than one), `W_DUPLICATE_VALUE`, `W_EMAIL_UNUSUAL` (quotes, or letters beyond ASCII) and
/// `W_EMAIL_EXCHANGE_DN` (a name in an Exchange directory was left out, so the list may be empty).
///
/// # Errors
/// `R_INVALID_EMAIL` for a part that is not an address, and `R_SPREADSHEET_ERROR`.
pub fn parse_emails(
    text: &str,
    split: Option<&[String]>,
) -> Result<ParsedValue<Vec<String>>, Diagnostic> {
    let mut read = ParsedValue::without_notices(Vec::new());
    let mut seen = HashSet::new();
    for part in email_cell::split_parts(text, split) {
        if is_exchange_name(part) {
            read.notices.push(exchange_name_notice(part));
            continue;
        }
        for (address, kind) in
            email_cell::parse_addresses(part).map_err(|why| invalid_email_error(part, why))?
        {
            if !seen.insert(address.to_lowercase()) {
                read.notices.push(duplicate_address_notice(address));
                continue;
            }
            if kind == EmailAddressKind::Unusual {
                read.notices.push(unusual_address_notice(address));
            }
            read.value.push(address.to_owned());
        }
    }
    if read.value.len() > 1 {
        let message = format!(
            "the cell contains {} addresses; the first one is used as the primary address",
            read.value.len()
        );
        read.notices.push(Diagnostic::new(DiagnosticCode::W_MULTI_EMAIL, message));
    }
    Ok(read)
}

/// Whether the text is an Exchange directory name, which exports contain for people of the same company.
fn is_exchange_name(text: &str) -> bool {
    let starts = |prefix: &str| {
        text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    starts("/o=") || starts("imceaex-") || starts("ex:/o=")
}

fn exchange_name_notice(text: &str) -> Diagnostic {
    Diagnostic::new(
        DiagnosticCode::W_EMAIL_EXCHANGE_DN,
        format!("{} is a name in an Exchange directory, not an e-mail address", QuotedText(text)),
    )
}

fn duplicate_address_notice(address: &str) -> Diagnostic {
    let message = format!("{} is in the cell more than once", QuotedText(address));
    Diagnostic::new(DiagnosticCode::W_DUPLICATE_VALUE, message)
}

fn unusual_address_notice(address: &str) -> Diagnostic {
    let message = format!("{} is valid but unusual; HighLevel may refuse it", QuotedText(address));
    Diagnostic::new(DiagnosticCode::W_EMAIL_UNUSUAL, message)
}

fn invalid_email_error(part: &str, why: &str) -> Diagnostic {
    if is_spreadsheet_error(part) {
        let message =
            format!("{} is a spreadsheet's error value, not an address", QuotedText(part));
        return Diagnostic::new(DiagnosticCode::R_SPREADSHEET_ERROR, message);
    }
    Diagnostic::new(
        DiagnosticCode::R_INVALID_EMAIL,
        format!("{} is not an e-mail address: {why}", QuotedText(part)),
    )
}
