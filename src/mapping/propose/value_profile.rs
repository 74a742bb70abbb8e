//! Value profiles: what a column's values could be, judging only by their shape.
//!
//! A shape proves nothing: the parsers in `value` decide what a value means. Here it only counts for or against a
//! target.

use crate::model::target::{Field, MappingTarget, TaskPart};
use crate::value::{
    is_clear_opt_out, is_consent_status, is_date_word, is_month_name, parse_country,
};

/// The possible shapes of a value. One value can have several shapes: `1` is a number and a yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueShape {
    Email,
    Phone,
    Date,
    Url,
    Country,
    /// A word for yes or no.
    Boolean,
    PostalCode,
    Number,
    /// Two or three capitalized words, as in people's names and much else.
    Person,
    /// One word of letters.
    Word,
}

impl ValueShape {
    pub(super) const ALL: [Self; 10] = [
        Self::Email,
        Self::Phone,
        Self::Date,
        Self::Url,
        Self::Country,
        Self::Boolean,
        Self::PostalCode,
        Self::Number,
        Self::Person,
        Self::Word,
    ];

    /// The plural name of such values.
    pub(super) fn plural_label(self) -> &'static str {
        match self {
            Self::Email => "e-mail addresses",
            Self::Phone => "phone numbers",
            Self::Date => "dates",
            Self::Url => "web addresses",
            Self::Country => "countries",
            Self::Boolean => "yes or no",
            Self::PostalCode => "postal codes",
            Self::Number => "numbers",
            Self::Person => "like people's names",
            Self::Word => "single words",
        }
    }

    pub(super) fn matches_text(self, text: &str) -> bool {
        match self {
            Self::Email => is_email(text),
            Self::Phone => is_phone(text),
            Self::Date => is_date(text),
            Self::Url => is_url(text),
            Self::Country => is_country_name(text),
            Self::Boolean => BOOLEANS.contains(&text.to_lowercase().as_str()),
            Self::PostalCode => is_postal_code(text),
            Self::Number => is_number(text),
            Self::Person => is_person_name(text),
            Self::Word => text.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’')),
        }
    }
}

/// The shapes of a column's values.
#[derive(Debug, Clone, Default)]
pub(super) struct ValueProfile {
    /// The number of values that are not blank.
    pub(super) filled: u32,
    shares: [u32; ValueShape::ALL.len()],
    /// The number of values that are a status of consent, and of those that are a clear opt-out.
    consent_statuses: u32,
    clear_opt_outs: u32,
    /// A few distinct values.
    pub(super) samples: Vec<String>,
    /// All distinct values, as long as there are few of them.
    distinct: Vec<String>,
}

/// The number of samples.
const SHOWN: usize = 3;
/// The maximum number of distinct values that are compared with the options of a field.
const FEW: usize = 50;
/// The maximum length of a text whose shape is examined. Anything longer is prose.
const LONGEST: usize = 200;

impl ValueProfile {
    pub(super) fn new<'v>(values: impl Iterator<Item = &'v String>) -> Self {
        let mut look = Self::default();
        for value in values.map(|value| value.trim()).filter(|value| !value.is_empty()) {
            look.filled += 1;
            if look.samples.len() < SHOWN && !look.samples.iter().any(|known| known == value) {
                look.samples.push(value.to_owned());
            }
            if look.distinct.len() <= FEW && !look.distinct.iter().any(|known| known == value) {
                look.distinct.push(value.to_owned());
            }
            if value.len() > LONGEST {
                continue;
            }
            look.consent_statuses += u32::from(is_consent_status(value));
            look.clear_opt_outs += u32::from(is_clear_opt_out(value));
            for (share, kind) in look.shares.iter_mut().zip(ValueShape::ALL) {
                *share += u32::from(kind.matches_text(value));
            }
        }
        look
    }

    /// Whether all of at least five values are the same.
    pub(super) fn is_constant(&self) -> bool {
        self.filled >= 5 && self.distinct.len() == 1
    }

    /// The distinct values, if there are few of them.
    pub(super) fn few_values(&self) -> Option<&[String]> {
        (self.distinct.len() <= FEW).then_some(self.distinct.as_slice())
    }

    /// The share of the values that are a status of consent, other than yes and no.
    pub(super) fn share_of_consent(&self) -> f64 {
        f64::from(self.consent_statuses) / f64::from(self.filled.max(1))
    }

    /// Whether a value says that a person must not be contacted.
    pub(super) fn has_opt_outs(&self) -> bool {
        self.clear_opt_outs > 0
    }

    /// The share of the values with a shape; 0 if there are no values.
    pub(super) fn share_of(&self, kind: ValueShape) -> f64 {
        let at =
            ValueShape::ALL.iter().position(|other| *other == kind).expect("all kinds are listed");
        f64::from(self.shares[at]) / f64::from(self.filled.max(1))
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = !text.contains(char::is_whitespace);
    let dotted =
        domain.split_once('.').is_some_and(|(name, top)| !name.is_empty() && !top.is_empty());
    !local.is_empty() && plain && dotted
}

fn is_phone(text: &str) -> bool {
    let text = text.trim_start_matches(['\'', '=', '"']);
    let text = text.strip_prefix("p:").unwrap_or(text);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let signs = text.chars().all(|c| c.is_ascii_digit() || " +-./()\u{a0}x".contains(c));
    (7..=17).contains(&digits)
        && signs
        && !is_date(text)
        && !is_decimal(text)
        && !is_identifier_number(text)
}

/// Whether a text is the name of a country. Codes are ambiguous: `de` and `it` are also languages.
fn is_country_name(text: &str) -> bool {
    let named = text.chars().count() > 3 && parse_country(text).is_ok();
    named || COUNTRIES.contains(&text.to_lowercase().as_str())
}

fn is_person_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let named = |word: &&str| {
        let mut chars = word.chars();
        chars.next().is_some_and(char::is_uppercase)
            && chars.next().is_some_and(char::is_lowercase)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
    };
    // Particles such as `de` and `van` are in lower case.
    (2..=5).contains(&words.len())
        && words.iter().filter(|word| named(word)).count() >= 2
        && words.iter().all(|word| named(word) || word.chars().count() <= 3)
}

/// Whether a text is a number padded with zeros by a program, or a personal tax number from Brazil.
fn is_identifier_number(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    text.starts_with("000") || matches!(shape.as_str(), "000.000.000-00" | "00.000.000/0000-00")
}

/// Whether a text has eight digits that form a year, a month and a day.
fn is_compact_date(text: &str) -> bool {
    let Some((year, rest)) = text.split_at_checked(4).filter(|_| text.len() == 8) else {
        return false;
    };
    let number = |text: &str| text.parse::<u32>().ok();
    let Some((month, day)) = rest.split_at_checked(2) else { return false };
    text.bytes().all(|byte| byte.is_ascii_digit())
        && number(year).is_some_and(|year| (1900..2100).contains(&year))
        && number(month).is_some_and(|month| (1..=12).contains(&month))
        && number(day).is_some_and(|day| (1..=31).contains(&day))
}

fn is_decimal(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['.', ',']).collect();
    parts.len() == 2 && is_number(text)
}

/// Whether a text has the groups of a date: three of digits, or two and the name of a month; a time may follow.
fn is_date(text: &str) -> bool {
    if is_compact_date(text) {
        return true;
    }
    let date = text.split(['T', ' ']).next().unwrap_or_default();
    let groups: Vec<&str> = date.split(['-', '/', '.']).collect();
    let is = |group: &str, longest: usize| {
        (1..=longest).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit())
    };
    if let [one, two, three] = groups.as_slice() {
        let year_first = one.len() == 4 && is(one, 4) && is(two, 2) && is(three, 2);
        let year_last = is(one, 2) && is(two, 2) && is(three, 4) && three.len() != 3;
        if year_first || year_last {
            return true;
        }
    }
    is_date_in_words(text)
}

/// Whether a text is a date with the name of a month. Other words make it an address: `2 May Lane`.
fn is_date_in_words(text: &str) -> bool {
    const LONGEST_DATE: usize = 40;
    if text.len() > LONGEST_DATE {
        return false;
    }
    let words: Vec<&str> =
        text.split([' ', '-', ',', '.', '/']).filter(|word| !word.is_empty()).collect();
    let number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() <= 4;
    let belongs = |word: &&str| {
        let letters = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_ordinal = letters.len() < word.len()
            && matches!(letters, "st" | "nd" | "rd" | "th" | "er" | "º" | "ª");
        let is_time = word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit());
        let is_zone = matches!(
            word.to_ascii_uppercase().as_str(),
            "AM" | "PM" | "A" | "P" | "M" | "GMT" | "UTC" | "Z" | "UHR" | "AT"
        );
        number(word) || is_ordinal || is_time || is_zone || is_date_word(word)
    };
    let has_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    (2..=8).contains(&words.len())
        && words.iter().take(3).any(|word| is_month_name(word))
        && words.iter().any(has_number)
        && words.iter().all(belongs)
}

fn is_url(text: &str) -> bool {
    let lower = text.to_lowercase();
    let named = ["http://", "https://", "www."].iter().any(|front| lower.starts_with(front));
    named && !text.contains(char::is_whitespace)
}

/// Whether a text has the form of a postal code: `02139`, `02139-1234`, `SW1A 1AA`, `1011 AB`.
fn is_postal_code(text: &str) -> bool {
    let signs = text.chars().filter(|c| !matches!(c, ' ' | '-'));
    let (mut letters, mut digits) = (0, 0);
    for sign in signs {
        match sign {
            '0'..='9' => digits += 1,
            'A'..='Z' | 'a'..='z' => letters += 1,
            _ => return false,
        }
    }
    let numeric = letters == 0 && (4..=9).contains(&digits);
    let mixed = (1..=4).contains(&letters) && (2..=5).contains(&digits) && letters + digits <= 8;
    (numeric || mixed) && !is_date(text)
}

fn is_number(text: &str) -> bool {
    let text = text.trim_start_matches(['-', '+', '$', '€', '£']).trim();
    let digits = text.chars().any(|c| c.is_ascii_digit());
    digits
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ' | '\u{a0}'))
}

#[rustfmt::skip]
const BOOLEANS: &[&str] = &[
    "true", "false", "yes", "no", "y", "n", "t", "f", "x", "✓", "on", "off", "oui", "non", "ja", "nein", "nee",
    "sí", "si", "sì", "não", "sim", "wahr", "falsch", "vrai", "faux",
];

#[rustfmt::skip]
const COUNTRIES: &[&str] = &[
    "united states", "united states of america", "usa", "u.s.", "u.s.a.", "us", "united kingdom", "uk", "gb",
    "great britain", "england", "scotland", "wales", "ireland", "canada", "australia", "new zealand", "france",
    "germany", "deutschland", "spain", "españa", "italy", "italia", "portugal", "netherlands", "the netherlands",
    "nederland", "belgium", "belgique", "switzerland", "schweiz", "suisse", "austria", "österreich", "sweden",
    "norway", "denmark", "finland", "poland", "czech republic", "czechia", "greece", "turkey", "russia", "ukraine",
    "romania", "hungary", "israel", "united arab emirates", "uae", "saudi arabia", "india", "pakistan", "china",
    "hong kong", "taiwan", "japan", "south korea", "singapore", "malaysia", "indonesia", "thailand", "vietnam",
    "philippines", "south africa", "nigeria", "kenya", "egypt", "morocco", "brazil", "brasil", "argentina", "chile",
    "colombia", "peru", "mexico", "méxico", "puerto rico", "costa rica", "dominican republic",
];

/// The expected shape of a target's values, if they have a typical one.
pub(super) fn expected_shape(target: &MappingTarget) -> Option<ValueShape> {
    Some(match target {
        MappingTarget::Field(Field::Email) | MappingTarget::AdditionalEmails => ValueShape::Email,
        MappingTarget::Field(Field::Phone) | MappingTarget::AdditionalPhones => ValueShape::Phone,
        MappingTarget::Field(Field::DateOfBirth) | MappingTarget::Task(TaskPart::DueDate) => {
            ValueShape::Date
        }
        MappingTarget::Field(Field::Website) => ValueShape::Url,
        MappingTarget::Field(Field::Country) => ValueShape::Country,
        MappingTarget::Field(Field::PostalCode) => ValueShape::PostalCode,
        MappingTarget::Dnd | MappingTarget::DndChannel(_) | MappingTarget::OptIn => {
            ValueShape::Boolean
        }
        _ => return None,
    })
}

/// The shapes that a target's values never have.
pub(super) fn contradicting_shapes(target: &MappingTarget) -> &'static [ValueShape] {
    use ValueShape::{Boolean, Date, Email, Number, Phone, Url};
    match target {
        MappingTarget::Field(Field::Email) | MappingTarget::AdditionalEmails => {
            &[Phone, Date, Url, Boolean]
        }
        MappingTarget::Field(Field::Phone | Field::PostalCode)
        | MappingTarget::AdditionalPhones => &[Email, Date, Url, Boolean],
        MappingTarget::Field(Field::DateOfBirth) | MappingTarget::Task(TaskPart::DueDate) => {
            &[Email, Url, Boolean]
        }
        MappingTarget::Field(Field::Website) => &[Email, Phone, Date, Boolean],
        MappingTarget::Field(Field::Source)
        | MappingTarget::Tags
        | MappingTarget::Note(_)
        | MappingTarget::Owner
        | MappingTarget::Custom(_) => &[],
        MappingTarget::Field(
            Field::FirstName | Field::LastName | Field::Name | Field::City | Field::CompanyName,
        ) => &[Email, Phone, Date, Url, Number],
        MappingTarget::Field(_) => &[Email, Phone, Date, Url],
        MappingTarget::Dnd | MappingTarget::DndChannel(_) | MappingTarget::OptIn => {
            &[Email, Date, Url]
        }
        MappingTarget::ContactId => &[Email, Phone, Date, Url, Boolean],
        _ => &[],
    }
}
