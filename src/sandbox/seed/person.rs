//! The personal data of a seeded contact: names, addresses, numbers.
//!
//! Ordinary people, and the edge cases of every fortieth.

use super::rng::SeededRng;
use super::word_lists::{AREAS, CITIES, COMPANIES, FIRST, LAST, STREETS};

/// The texts of a seeded contact.
#[derive(Debug, Clone, Default)]
pub(super) struct SeededPerson {
    pub(super) first: Option<String>,
    pub(super) last: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) company: Option<String>,
    pub(super) street: Option<String>,
    pub(super) city: Option<String>,
    pub(super) postal: Option<String>,
}

/// The person with this number.
pub(super) fn generate_person(number: usize, rng: &mut SeededRng) -> SeededPerson {
    let first = *rng.pick(&FIRST);
    let last = *rng.pick(&LAST);
    let some = |text: &str| Some(text.to_owned());
    let city = CITIES[number % CITIES.len()];
    // Occasionally two people share a phone number.
    let line = 2_000_000 + if number % 200 == 7 { number - 1 } else { number } % 7_900_000;
    let mut person = SeededPerson {
        first: some(first),
        last: some(last),
        email: generate_email(first, number, rng),
        phone: Some(format!("+1{}{line}", AREAS[(number / 7_900_000) % AREAS.len()])),
        company: rng.one_in(3).then(|| (*rng.pick(&COMPANIES)).to_owned()),
        street: rng.one_in(2).then(|| (*rng.pick(&STREETS)).to_owned()),
        city: some(city.0),
        postal: some(city.2),
    };
    person.phone = person.phone.filter(|_| !rng.one_in(10));
    apply_oddities(&mut person, number);
    person
}

/// A unique address; every fortieth one keeps its accents.
fn generate_email(first: &str, number: usize, rng: &mut SeededRng) -> Option<String> {
    let plain = |letter: &char| number.is_multiple_of(40) || letter.is_ascii();
    let name: String = first.to_lowercase().chars().filter(plain).collect();
    let name = name.replace([' ', '\''], "");
    (!rng.one_in(12)).then(|| format!("{name}.{number}@example.com"))
}

/// Applies the edge case of the person's number.
fn apply_oddities(person: &mut SeededPerson, number: usize) {
    let set = |place: &mut Option<String>, text: &str| *place = Some(text.to_owned());
    match number % 40 {
        1 => set(&mut person.first, "👩\u{200d}👩\u{200d}👧\u{200d}👦"),
        2 => {
            set(&mut person.first, "محمد");
            set(&mut person.last, "בן־דוד");
        }
        3 => set(&mut person.first, "Ame\u{301}lie"),
        4 => {
            set(&mut person.first, "Dwayne \"The Rock\"");
            set(&mut person.last, "O'Neil \\ Sons");
        }
        5 => {
            set(&mut person.street, "12 Main St\r\nFloor 2\n");
            set(&mut person.company, "Line\rBreak\u{2028}Ltd");
        }
        6 => {
            set(&mut person.first, "=1+1");
            set(&mut person.last, "@SUM(A1:A9)");
            set(&mut person.company, "+cmd|' /C calc'!A0");
            set(&mut person.city, "-2");
            set(&mut person.street, "\t=tab first");
        }
        7 => {
            set(&mut person.first, "\u{1b}[31mRed\u{1b}[0m");
            set(&mut person.last, "\u{1b}]0;title\u{7}\u{9b}2J");
        }
        8 => (person.email, person.phone) = (None, None),
        9 => (person.first, person.last) = (None, None),
        18 => person.company = Some("Very Long Company Name ".repeat(130)),
        19 => {
            set(&mut person.first, "\u{feff}Zero\u{200b}Width");
            set(&mut person.last, "Con\u{0}trol\u{1}\u{7f}");
        }
        20 => {
            set(&mut person.first, "  Padded, ");
            set(&mut person.last, "Semi;colon|pipe\t");
        }
        23 => person.email = person.email.take().map(|email| email.to_uppercase()),
        25 => {
            set(&mut person.first, "null");
            set(&mut person.last, "NULL");
            set(&mut person.company, "1e5");
            set(&mut person.city, "TRUE");
            set(&mut person.postal, "007");
        }
        27 => set(&mut person.last, ""),
        _ => {}
    }
}

/// The additional address of a contact that has one, and the JSON in its row.
pub(super) fn additional_email(number: usize) -> Option<(String, String)> {
    let email = format!("other.{number}@example.com");
    match number % 40 {
        10 => Some((email.clone(), format!("[\"{email}\"]"))),
        11 => Some((email.clone(), format!("[{{\"email\":\"{email}\",\"validEmail\":null}}]"))),
        _ => None,
    }
}

/// The additional number of a contact that has one.
pub(super) fn additional_phone(number: usize) -> Option<&'static str> {
    (number % 40 == 11).then_some("+12125550199")
}
