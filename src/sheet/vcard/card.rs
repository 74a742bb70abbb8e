//! One card as cells.
//!
//! The columns are fixed, so that the preset `vcard` fits every file. A person may have several phones, e-mail
//! addresses and postal addresses: the preferred one comes first, and of postal addresses, the others stay beside it.

use std::collections::BTreeMap;

use super::content_line::ContentLine;
use crate::sheet::SheetCell;
use crate::sheet::delimited::text_encoding::TextEncoding;

/// A column of cards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CardColumn {
    FullName,
    FirstName,
    MiddleName,
    LastName,
    Prefix,
    Suffix,
    Nickname,
    Email,
    OtherEmails,
    Phone,
    OtherPhones,
    Fax,
    Organization,
    Department,
    JobTitle,
    Street,
    City,
    State,
    PostalCode,
    Country,
    OtherAddresses,
    Website,
    Birthday,
    Categories,
    Note,
    Uid,
}

/// The columns and their names, in order. The preset `vcard` maps or ignores each of them.
pub(super) const COLUMNS: [(CardColumn, &str); 26] = [
    (CardColumn::FullName, "vCard Full Name"),
    (CardColumn::FirstName, "vCard First Name"),
    (CardColumn::MiddleName, "vCard Middle Name"),
    (CardColumn::LastName, "vCard Last Name"),
    (CardColumn::Prefix, "vCard Name Prefix"),
    (CardColumn::Suffix, "vCard Name Suffix"),
    (CardColumn::Nickname, "vCard Nickname"),
    (CardColumn::Email, "vCard Email"),
    (CardColumn::OtherEmails, "vCard Other Emails"),
    (CardColumn::Phone, "vCard Phone"),
    (CardColumn::OtherPhones, "vCard Other Phones"),
    (CardColumn::Fax, "vCard Fax"),
    (CardColumn::Organization, "vCard Organization"),
    (CardColumn::Department, "vCard Department"),
    (CardColumn::JobTitle, "vCard Job Title"),
    (CardColumn::Street, "vCard Street"),
    (CardColumn::City, "vCard City"),
    (CardColumn::State, "vCard State"),
    (CardColumn::PostalCode, "vCard Postal Code"),
    (CardColumn::Country, "vCard Country"),
    (CardColumn::OtherAddresses, "vCard Other Addresses"),
    (CardColumn::Website, "vCard Website"),
    (CardColumn::Birthday, "vCard Birthday"),
    (CardColumn::Categories, "vCard Categories"),
    (CardColumn::Note, "vCard Note"),
    (CardColumn::Uid, "vCard UID"),
];

/// Properties without data of the person, and those that only describe others.
const STRUCTURE: &[&str] = &[
    "VERSION",
    "PRODID",
    "REV",
    "KIND",
    "PROFILE",
    "SOURCE",
    "NAME",
    "MAILER",
    "CLASS",
    "LABEL",
    "SORT-STRING",
    "CLIENTPIDMAP",
    "XML",
    "X-ABLABEL",
    "X-ABADR",
    "X-ABUID",
    "X-ABSHOWAS",
    "X-APPLE-SUBADMINISTRATIVEAREA",
];

/// The maximum number of bytes of a card's values.
const LARGEST_CARD: usize = 4 * 1024 * 1024;

/// The values of a card, collected while its lines are read.
#[derive(Debug, Default)]
pub(super) struct Card {
    values: BTreeMap<CardColumn, String>,
    /// The e-mail addresses, phone numbers and postal addresses, each with its rank.
    emails: Vec<(u32, String)>,
    phones: Vec<(u32, String)>,
    addresses: Vec<(u32, [String; 5])>,
    size: usize,
    /// Whether it has more than is read of a card.
    pub(super) is_too_large: bool,
}

impl Card {
    /// Adds a property; `false` if no column takes it.
    pub(super) fn add_line(&mut self, line: &ContentLine, fallback: TextEncoding) -> bool {
        if STRUCTURE.contains(&line.name.as_str()) {
            return true;
        }
        let is_known = matches!(
            line.name.as_str(),
            "FN" | "N"
                | "NICKNAME"
                | "EMAIL"
                | "TEL"
                | "ORG"
                | "TITLE"
                | "ADR"
                | "URL"
                | "BDAY"
                | "CATEGORIES"
                | "NOTE"
                | "UID"
        );
        if !is_known {
            return false;
        }
        let text = line.text(fallback);
        self.size += text.len();
        if self.size > LARGEST_CARD {
            self.is_too_large = true;
            return true;
        }
        self.add_property(line, &text);
        true
    }

    fn add_property(&mut self, line: &ContentLine, text: &str) {
        match line.name.as_str() {
            "FN" => self.set_if_unset(CardColumn::FullName, unescape(text)),
            "N" => {
                let parts = [
                    CardColumn::LastName,
                    CardColumn::FirstName,
                    CardColumn::MiddleName,
                    CardColumn::Prefix,
                    CardColumn::Suffix,
                ];
                for (column, part) in parts.into_iter().zip(components(text)) {
                    self.set_if_unset(column, part);
                }
            }
            "NICKNAME" => self.append(CardColumn::Nickname, &unescape(text), ", "),
            "EMAIL" => {
                let address = unescape(text);
                let address = strip_scheme(&address, "mailto:");
                self.emails.push((line.preference(), address.to_owned()));
            }
            "TEL" => self.add_phone(line, &unescape(text)),
            "ORG" => {
                let mut parts = components(text).into_iter();
                self.set_if_unset(CardColumn::Organization, parts.next().unwrap_or_default());
                let units: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
                self.set_if_unset(CardColumn::Department, units.join(", "));
            }
            "TITLE" => self.set_if_unset(CardColumn::JobTitle, unescape(text)),
            "ADR" => self.add_address(line, text),
            "URL" => self.append(CardColumn::Website, unescape(text).trim(), " "),
            "BDAY" => self.set_if_unset(CardColumn::Birthday, birthday(line, text)),
            "CATEGORIES" => self.append(CardColumn::Categories, text.trim(), ","),
            "NOTE" => self.append(CardColumn::Note, &unescape(text), "\n"),
            _ => self.set_if_unset(CardColumn::Uid, unescape(text)),
        }
    }

    fn add_phone(&mut self, line: &ContentLine, text: &str) {
        let number = strip_scheme(text, "tel:").replace(";ext=", " ext. ");
        if line.has_type(&["FAX", "PAGER", "MODEM", "BBS"])
            && !line.has_type(&["CELL", "MOBILE", "VOICE"])
        {
            return self.append(CardColumn::Fax, &number, "; ");
        }
        // Behind the preferred one, a mobile number is the one that can be texted.
        let is_mobile = line.has_type(&["CELL", "MOBILE", "IPHONE"]);
        let rank = line.preference() * 2 + u32::from(!is_mobile);
        self.phones.push((rank, number));
    }

    fn add_address(&mut self, line: &ContentLine, text: &str) {
        let mut parts = components(text);
        parts.resize(7, String::new());
        let [post_box, extended, street, city, state, code, country] =
            <[String; 7]>::try_from(parts).unwrap_or_default();
        let street: Vec<_> =
            [street, extended, post_box].into_iter().filter(|part| !part.is_empty()).collect();
        let address = [street.join(", "), city, state, code, country];
        if address.iter().any(|part| !part.is_empty()) {
            self.addresses.push((line.preference(), address));
        }
    }

    fn set_if_unset(&mut self, column: CardColumn, text: String) {
        if !text.trim().is_empty() {
            self.values.entry(column).or_insert(text);
        }
    }

    fn append(&mut self, column: CardColumn, text: &str, separator: &str) {
        if text.trim().is_empty() {
            return;
        }
        let value = self.values.entry(column).or_default();
        if !value.is_empty() {
            value.push_str(separator);
        }
        value.push_str(text);
    }

    /// The card's cells, by column.
    pub(super) fn into_cells(mut self) -> BTreeMap<CardColumn, SheetCell> {
        let emails = take_ranked(&mut self.emails);
        let phones = take_ranked(&mut self.phones);
        let addresses = take_ranked(&mut self.addresses);
        for (first, others, values) in [
            (CardColumn::Email, CardColumn::OtherEmails, emails),
            (CardColumn::Phone, CardColumn::OtherPhones, phones),
        ] {
            let mut values = values.into_iter().filter(|value| !value.trim().is_empty());
            self.set_if_unset(first, values.next().unwrap_or_default());
            self.set_if_unset(others, values.collect::<Vec<_>>().join("; "));
        }
        let mut addresses = addresses.into_iter();
        let columns = [
            CardColumn::Street,
            CardColumn::City,
            CardColumn::State,
            CardColumn::PostalCode,
            CardColumn::Country,
        ];
        for (column, part) in columns.into_iter().zip(addresses.next().unwrap_or_default()) {
            self.set_if_unset(column, part);
        }
        for other in addresses {
            let parts: Vec<_> = other.into_iter().filter(|part| !part.is_empty()).collect();
            self.append(CardColumn::OtherAddresses, &parts.join(", "), "; ");
        }
        if let Some(categories) = self.values.get_mut(&CardColumn::Categories) {
            *categories = category_list(categories);
        }
        self.values.into_iter().map(|(column, text)| (column, SheetCell::Text(text))).collect()
    }
}

/// The values by rank; those of equal rank in their order.
fn take_ranked<T>(values: &mut Vec<(u32, T)>) -> Vec<T> {
    let mut values = std::mem::take(values);
    values.sort_by_key(|(rank, _)| *rank);
    values.into_iter().map(|(_, value)| value).collect()
}

/// The categories as a list of tags. A JSON array keeps a comma inside a category.
fn category_list(text: &str) -> String {
    let items: Vec<String> = split_escaped(text, ',');
    serde_json::to_string(&items).unwrap_or_default()
}

/// A date of birth. Apple writes one without a year as a date in the year 1604.
fn birthday(line: &ContentLine, text: &str) -> String {
    let text = unescape(text);
    let date = text.split(['T', 't']).next().unwrap_or_default().trim();
    let omitted = line.parameters.iter().find(|(name, _)| name == "X-APPLE-OMIT-YEAR");
    // Older versions use this year without saying that it means no year.
    let year = omitted.map_or("1604", |(_, year)| year.as_str());
    match date.strip_prefix(year) {
        Some(rest) => format!("-{rest}"),
        None if line.parameter_values("VALUE").any(|kind| kind == "TEXT") => text,
        None => date.to_owned(),
    }
}

fn strip_scheme<'t>(text: &'t str, scheme: &str) -> &'t str {
    let text = text.trim();
    match text.get(..scheme.len()) {
        Some(start) if start.eq_ignore_ascii_case(scheme) => &text[scheme.len()..],
        _ => text,
    }
}

/// The components of a structured value. Several values of one component are joined by a blank.
fn components(text: &str) -> Vec<String> {
    split_raw(text, ';').into_iter().map(|part| split_escaped(part, ',').join(" ")).collect()
}

/// The parts of a list, without their escapes.
fn split_escaped(text: &str, separator: char) -> Vec<String> {
    let parts = split_raw(text, separator).into_iter();
    parts.map(|part| unescape(part).trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Splits at separators that are not escaped; the escapes stay.
fn split_raw(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(move |c| {
        let splits = c == separator && !escaped;
        escaped = c == '\\' && !escaped;
        splits
    })
    .collect()
}

/// Resolves the escapes `\n`, `\,`, `\;`, `\:` and `\\`.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(c @ (',' | ';' | ':' | '\\')) => plain.push(c),
                Some(c) => plain.extend(['\\', c]),
                None => plain.push('\\'),
            },
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_at_separators_that_are_not_escaped() {
        assert_eq!(components(r"a\;b;c\,d,e;;\\;f"), ["a;b", "c,d e", "", r"\", "f"]);
        assert_eq!(unescape(r"a\nb\N\, \x"), "a\nb\n, \\x");
        assert_eq!(category_list(r"vip, a\, b,,c"), r#"["vip","a, b","c"]"#);
        assert_eq!(strip_scheme("TEL:+1", "tel:"), "+1");
    }
}
