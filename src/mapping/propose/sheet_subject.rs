//! Whom the rows of a sheet are about, as its headers say it: `Invitee Name`, `Invitee Email`, `What is your name?`.

use crate::mapping::header::normalise_name;

/// Words for the person of a row.
#[rustfmt::skip]
const PEOPLE: &[&str] = &[
    "person", "people", "contact", "invitee", "attendee", "customer", "client", "lead", "participant", "guest", "member",
    "subscriber", "registrant", "respondent", "donor", "patient", "applicant", "candidate", "visitor", "prospect", "user",
    "student", "kunde", "kontakt", "teilnehmer", "mitglied", "gast", "cliente", "contacto", "participante", "contatto",
    "partecipante", "contato", "klant", "deelnemer", "adhérent",
];

/// Words that address the person who fills in a form.
#[rustfmt::skip]
const ADDRESSED: &[&str] = &[
    "your", "yours", "you", "votre", "vos", "ton", "ta", "su", "tu", "tuo", "tua", "seu", "sua", "ihr", "ihre", "dein",
    "deine", "uw", "jouw", "je",
];

/// How many columns must name the same person.
const FEWEST: usize = 3;

/// The word for the person that the columns of a sheet have in common.
#[derive(Debug, Default)]
pub(super) struct SheetSubject {
    word: Option<&'static str>,
}

impl SheetSubject {
    /// Finds the word in the headers of a sheet: most columns about a person have it, and no other such word occurs.
    pub(super) fn new(names: &[&str]) -> Self {
        let names: Vec<String> = names.iter().map(|name| normalise_name(name)).collect();
        let first_word = |name: &String| {
            let first = name.split(' ').next().unwrap_or_default();
            PEOPLE.iter().find(|word| **word == first).copied()
        };
        let words: Vec<&'static str> = names.iter().filter_map(first_word).collect();
        let one = words.first().copied().filter(|first| words.iter().all(|word| word == first));
        Self { word: one.filter(|_| words.len() >= FEWEST) }
    }

    /// Whether a name is surely about the person of the row.
    pub(super) fn is_about(&self, name: &str) -> bool {
        let name = normalise_name(name);
        let mut words = name.split(' ');
        words.clone().next() == self.word && self.word.is_some()
            || words.any(|word| ADDRESSED.contains(&word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_several_columns_begin_with_is_the_subject() {
        let subject =
            SheetSubject::new(&["Invitee Name", "Invitee Email", "Invitee Time Zone", "Location"]);
        assert!(subject.is_about("Invitee Name") && !subject.is_about("Location"));
        let mixed = ["Guest Name", "Guest Email", "Guest Phone", "Contact Name"];
        assert!(!SheetSubject::new(&mixed).is_about("Guest Name"));
        assert!(!SheetSubject::new(&["Client Name", "Email"]).is_about("Client Name"));
        assert!(SheetSubject::default().is_about("What is your e-mail address?"));
    }
}
