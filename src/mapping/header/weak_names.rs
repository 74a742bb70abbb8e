//! Weak names: they only suggest the target of a column, so the user has to confirm it.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold_name;
use crate::model::NotePart;
use crate::model::target::{Channel, Field, MappingTarget};

#[rustfmt::skip]
static NAMES: &[(MappingTarget, &[&str])] = &[
    (MappingTarget::Field(Field::FirstName), &["preferred name", "rufname", "nickname", "called"]),
    (MappingTarget::Field(Field::Name), &[
        "client", "customer", "contact", "guest", "attendee", "participant", "member", "kunde", "kontakt", "gast",
        "mitglied", "teilnehmer", "cliente", "contacto", "contatto", "contato", "klant", "deelnemer", "adhérent",
        "last first", "last name first name", "surname first name", "nachname vorname", "nom prénom", "apellidos nombre",
        "apellidos y nombre", "cognome e nome", "coachee", "mentee", "gérant", "gérante", "titolare", "leerling", "élève", "schüler", "schülerin", "insured", "policyholder", "auftraggeber", "besteller", "käufer", "mieter", "bewohner", "patient", "paciente", "paziente", "alumno", "aluno", "acheteur", "comprador", "acquirente", "koper", "patiënt", "buyer", "tenant", "ospite", "huésped", "hóspede", "cognome nome", "person", "persona", "personne",
    ]),
    (MappingTarget::Field(Field::Phone), &[
        "home", "work", "office", "other", "cel", "whatsapp", "whats app", "sms", "contact no", "contact", "landline", "direct line", "direct dial",
    ]),
    (MappingTarget::Field(Field::CompanyName), &[
        "account", "accounts", "business", "enseigne", "insegna", "workplace", "school", "institution", "verein", "institut", "arbeitgeber", "employeur", "firm",
        "empleador", "datore di lavoro", "werkgever", "organisme", "praxis",
    ]),
    (MappingTarget::Field(Field::State), &["st", "edo", "kanton", "canton", "comunidad autónoma"]),
    (MappingTarget::Field(Field::Address1), &["stras", "voie"]),
    (MappingTarget::Field(Field::Timezone), &["tz"]),
    (MappingTarget::Field(Field::PostalCode), &["pstlz", "pc", "pin code", "pincode"]),
    (MappingTarget::Field(Field::DateOfBirth), &["f nacimiento", "f nac", "naissance", "nacimiento", "nascita", "nascimento", "geburt", "born"]),
    (MappingTarget::Field(Field::City), &["location", "place", "lugar", "luogo", "lieu", "standort", "residenza", "ort01"]),
    (MappingTarget::Field(Field::Source), &[
        "origin", "referral", "referred by", "channel", "herkunft", "quelle", "origine", "origen", "origem", "fonte",
        "fuente", "bron", "herkomst", "provenance", "canal", "canale", "kanal", "utm campaign", "utm medium",
    ]),
    (MappingTarget::Owner, &[
        "sales owner", "deal owner", "agent", "sales agent", "sales rep", "sales representative", "salesperson", "sales person", "account manager",
        "advisor", "rep", "consultant", "betreuer", "kundenbetreuer", "zuständig", "sachbearbeiter", "berater", "commercial",
        "conseiller", "vendedor", "comercial", "asesor", "venditore", "agente", "consulente", "accountmanager",
        "eigenaar", "besitzer", "propietario", "propriétaire", "proprietario", "responsable", "responsabile",
        "responsável", "verantwortlich",
    ]),
    (MappingTarget::Tags, &[
        "group", "segment", "segments", "audience", "gruppe", "gruppen", "groupe", "groupes", "grupo", "grupos",
        "gruppo", "gruppi", "groep", "groepen", "kategorie", "category", "catégorie", "categoría", "categoria",
        "interests", "interessen", "intérêts", "intereses", "interessi", "interesses", "list", "liste", "lista",
    ]),
    (MappingTarget::DndChannel(Channel::Email), &["opt out", "optout", "no emails", "baja", "unsubscribe"]),
    (MappingTarget::OptIn, &[
        "consent", "gdpr", "gdpr consent", "dsgvo", "einwilligung", "consentement", "consentimiento", "consenso",
        "consentimento", "toestemming", "marketing", "mailing", "publicidad", "werbung", "rgpd",
    ]),
    (MappingTarget::Note(NotePart::Body), &[
        "background", "info", "infos", "information", "details", "about", "text", "bio", "memo", "history", "additional information",
        "special requests", "anything else", "anything else we should know", "dettagli", "detalles", "informazioni",
    ]),
];

static LIKELY: LazyLock<HashMap<String, &'static MappingTarget>> = LazyLock::new(|| {
    let mut likely = HashMap::new();
    for (target, names) in NAMES {
        for name in *names {
            likely.entry(fold_name(name)).or_insert(target);
        }
    }
    likely
});

/// Words in questions about consent, and words that reverse their meaning.
const CONSENT: &[&str] = &[
    "consent",
    "agree",
    "accept",
    "accepts",
    "subscribe",
    "subscribed",
    "newsletter",
    "marketing",
    "einwilligung",
    "einverstanden",
    "zustimmung",
    "werbung",
    "accepte",
    "consentement",
    "publicité",
    "acepto",
    "consentimiento",
    "publicidad",
    "accetto",
    "consenso",
    "pubblicità",
    "aceito",
    "consentimento",
    "publicidade",
    "akkoord",
    "toestemming",
    "nieuwsbrief",
];
const OPPOSITE: &[&str] = &[
    "opt out",
    "optout",
    "opted out",
    "unsubscribe",
    "unsubscribed",
    "do not",
    "dont",
    "blocked",
    "bounced",
    "abgemeldet",
    "abbestellt",
    "keine",
    "désabonné",
    "désinscrit",
    "baja",
    "disiscritto",
    "descadastrado",
    "uitgeschreven",
];

/// Words that a name about consent by a channel has. Mail is on paper unless it is called e-mail.
#[rustfmt::skip]
const CHANNELS: &[(Channel, &[&str])] = &[
    (Channel::Email, &["email", "e mail", "emails", "newsletter", "mailing list", "courriel", "correo", "posta elettronica"]),
    (Channel::Sms, &["sms", "text", "texts", "text message", "text messages", "texting"]),
    (Channel::Call, &["call", "calls", "phone", "telephone", "voice", "telefon", "téléphone", "anruf", "teléfono"]),
    (Channel::WhatsApp, &["whatsapp", "whats app"]),
];

/// Words that make a name one about consent.
#[rustfmt::skip]
const ABOUT_CONSENT: &[&str] = &[
    "dnd",
    "subscription", "subscriber", "subscribers", "subscribed", "unsubscribed", "unsubscribe", "subscribe", "marketing",
    "suppression", "suppressions", "suppressed", "consent", "permission", "permissions", "opt in", "opt out", "optin",
    "optout", "opted", "status", "state", "preference", "preferences", "bounced", "blocked", "abonnement", "anmeldung",
    "estado", "statut", "stato", "einwilligung",
];

/// The one channel whose consent a name is about; only valid for columns of statuses of consent.
#[must_use]
pub fn consent_channel(name: &str) -> Option<Channel> {
    let spaced = format!(" {} ", super::normalise_name(name));
    let has = |word: &&str| spaced.contains(&format!(" {word} "));
    let mut named = CHANNELS.iter().filter(|(_, words)| words.iter().any(has));
    let (channel, _) = named.next()?;
    (named.next().is_none() && ABOUT_CONSENT.iter().any(has)).then_some(*channel)
}

/// The likely target of a name.
#[must_use]
pub fn likely_target(name: &str) -> Option<&'static MappingTarget> {
    LIKELY.get(&fold_name(name)).copied()
}

/// The consent target of a name that asks for consent; only valid for columns of yes and no. Words that reverse the
/// meaning count only with a channel, since they decide what is blocked.
#[must_use]
pub fn consent_target(words: &str) -> Option<MappingTarget> {
    let spaced = format!(" {words} ");
    let has = |word: &&str| spaced.contains(&format!(" {word} "));
    let names_email = ["email", "e mail", "emails", "newsletter"].iter().any(has);
    match (OPPOSITE.iter().any(has), CONSENT.iter().any(has)) {
        (true, _) if names_email => Some(MappingTarget::DndChannel(Channel::Email)),
        (true, _) => None,
        (false, consents) => consents.then_some(MappingTarget::OptIn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_is_distinguished_from_its_opposite() {
        for (words, expected) in [
            ("acepto recibir publicidad", Some("optIn")),
            ("i agree to receive the newsletter", Some("optIn")),
            ("opt out email", Some("dndSettings.Email")),
            ("unsubscribed from the newsletter", Some("dndSettings.Email")),
            ("do not call", None),
            ("first name", None),
        ] {
            assert_eq!(
                consent_target(words).map(|it| it.to_string()).as_deref(),
                expected,
                "{words}"
            );
        }
    }

    #[test]
    fn no_likely_name_is_a_sure_one() {
        let sure: Vec<&str> = NAMES
            .iter()
            .flat_map(|(_, names)| *names)
            .filter(|name| crate::mapping::header::is_dictionary_name(name))
            .copied()
            .collect();
        assert!(sure.is_empty(), "{sure:?}");
    }
}
