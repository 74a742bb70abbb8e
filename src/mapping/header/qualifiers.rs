//! Qualifiers: words in a name that say whom or what it is about, or make it a question.
//!
//! `Attendee Surname`, `Billing City`, `Nom du participant` and `What is your e-mail address?` mean `surname`,
//! `city`, `nom` and `e mail address` of the person that a row describes.

use super::normalize_header::normalise_name;

/// Words for the person or the part of the address book, and connecting words. Words for other people (student,
/// manager, assistant, spouse) are not included.
#[rustfmt::skip]
static WORDS: &[&str] = &[
    "billing", "bill", "shipping", "ship", "delivery", "buyer", "customer", "client", "contact", "lead", "attendee",
    "participant", "guest", "person", "parent", "member", "subscriber", "applicant", "candidate", "donor", "patient",
    "user", "respondent", "registrant", "recipient", "visitor", "invitee", "tenant", "prospect", "primary", "main",
    "preferred", "default", "current", "home", "work", "business", "personal", "private", "mailing", "permanent",
    "teilnehmer", "kunde", "kunden", "kontakt", "mitglied", "rechnung", "rechnungs", "gast", "privat",
    "geschäftlich", "dienstlich", "beruflich", "facturation", "livraison", "adhérent", "facturación", "envío",
    "cliente", "contacto", "participante", "socio", "asistente", "fatturazione", "spedizione", "contatto",
    "partecipante", "contato", "inscrito", "klant", "deelnemer", "factuur", "lid",
    "keeper", "holder", "leerling", "coachee", "their", "his", "her", "complète", "complete", "completa", "completo", "vollständige", "sócio", "sócia", "asociado", "policyholder", "traveller", "traveler", "passenger", "aluno", "aluna", "alumno",
    "alumna", "allievo", "élève", "ospite", "huésped", "hóspede", "voyageur", "bewohner", "mieter",
    "résidence", "residence", "residencia", "residenza", "residência", "s", "and", "best", "reach", "yours", "at", "can", "we",
    "what", "which", "is", "are", "your", "you", "do", "does", "live", "in", "the", "a", "an", "of", "for", "to", "any",
    "please", "enter", "provide", "my", "our", "quel", "quelle", "est", "votre", "vos", "ton", "ta", "le", "la", "les",
    "l", "d", "de", "du", "des", "cuál", "cual", "es", "su", "sus", "tu", "el", "del", "qual", "è", "é", "il", "di",
    "della", "dello", "tuo", "tua", "seu", "sua", "o", "do", "da", "ihr", "ihre", "dein", "deine", "der", "die", "das",
    "bitte", "wie", "lautet", "wat", "uw", "je", "jouw", "het", "van",
];

/// Removes such words, and text in brackets; `None` if there are none, or nothing would remain.
#[must_use]
pub fn strip_qualifiers(name: &str) -> Option<String> {
    let outer = match (name.find('('), name.rfind(')')) {
        (Some(open), Some(close)) if open > 0 && open < close => &name[..open],
        _ => name,
    };
    let words = normalise_name(outer);
    let content_words: Vec<&str> =
        words.split(' ').filter(|word| !WORDS.contains(word)).take(8).collect();
    let bare = content_words.join(" ");
    (!bare.is_empty() && bare != normalise_name(name)).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_name_is_about_is_taken_off() {
        for (name, bare) in [
            ("Attendee Surname", Some("surname")),
            ("Billing Address 1", Some("address 1")),
            ("Nom du participant", Some("nom")),
            ("What is your e-mail address?", Some("e mail address")),
            ("Telefon (dienstlich)", Some("telefon")),
            ("Student Name", None),
            ("Surname", None),
            ("Contact", None),
            ("(none)", None),
        ] {
            assert_eq!(strip_qualifiers(name).as_deref(), bare, "{name}");
        }
    }
}
