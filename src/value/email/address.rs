//! One address: a local part, `@`, and a domain (RFC 5321, with the letters of RFC 6531).

/// How common the form of an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmailAddressKind {
    /// Letters, digits and the usual signs.
    Usual,
    /// Quotes, or letters beyond ASCII.
    Unusual,
}

/// The maximum lengths of an address, its local part and a label of its domain (RFC 5321 §4.5.3.1).
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;

/// Returns the kind of the address, or why the text is not one.
pub(super) fn check_address(text: &str) -> Result<EmailAddressKind, &'static str> {
    let (local, domain) = text.rsplit_once('@').ok_or("it has no `@`")?;
    if text.len() > LONGEST {
        return Err("it is too long");
    }
    let kind = self::check_local_part(local)?;
    self::check_domain(domain)?;
    Ok(if text.is_ascii() { kind } else { EmailAddressKind::Unusual })
}

fn check_local_part(local: &str) -> Result<EmailAddressKind, &'static str> {
    if local.is_empty() {
        return Err("there is nothing before the `@`");
    }
    if local.len() > LONGEST_LOCAL {
        return Err("the part before the `@` is longer than 64 characters");
    }
    if let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return check_quoted_part(inner);
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err("there is a misplaced dot before the `@`");
    }
    if !local.chars().all(is_atom_char) {
        return Err("the part before the `@` contains a character that is not allowed");
    }
    Ok(EmailAddressKind::Usual)
}

fn check_quoted_part(inner: &str) -> Result<EmailAddressKind, &'static str> {
    let mut is_escaped = false;
    for c in inner.chars() {
        if c.is_control() || (c == '"' && !is_escaped) {
            return Err("the quoted part contains a character that is not allowed");
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    if inner.is_empty() || is_escaped {
        return Err("the quoted part is not complete");
    }
    Ok(EmailAddressKind::Unusual)
}

fn is_atom_char(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || ".!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        is_unicode_letter(c)
    }
}

/// Letters, digits and marks beyond ASCII: everything except spaces, controls, punctuation and invisible
/// characters.
fn is_unicode_letter(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{93c}'..='\u{94d}')
}

fn check_domain(domain: &str) -> Result<(), &'static str> {
    if domain.ends_with('.') {
        return Err("it ends with a dot");
    }
    let mut labels = 0;
    for label in domain.split('.') {
        labels += 1;
        if label.is_empty() || label.len() > LONGEST_LABEL {
            return Err("a part of the domain is empty or too long");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("a part of the domain starts or ends with a hyphen");
        }
        let is_label = |c: char| {
            c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && is_unicode_letter(c))
        };
        if !label.chars().all(is_label) {
            return Err("the domain contains a character that is not allowed");
        }
    }
    let top = domain.rsplit('.').next().unwrap_or_default();
    if labels < 2 {
        return Err("the domain has no dot");
    }
    if top.chars().nth(1).is_none() || top.bytes().all(|b| b.is_ascii_digit()) {
        return Err("the top-level domain is not valid");
    }
    Ok(())
}
