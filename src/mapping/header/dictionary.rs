//! The dictionary: common column names and their meanings.
//!
//! A few names mean different things in different languages (`nom`, `nome`, `nombre`, `name`); the other names in
//! the same header decide what they mean.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::{fold_name, languages, normalise_name};
use crate::model::NotePart;
use crate::model::target::{Channel, Field, MappingTarget, TaskPart};

/// The meaning of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderMeaning {
    /// A target. Of several columns for the same one, the one with the lowest rank is meant.
    Target {
        /// The target of such columns.
        target: MappingTarget,
        /// The position of the name among the names of the target.
        rank: usize,
    },
    /// The column must not be guessed about; the reason, for people.
    Never(&'static str),
}

use Field::{
    Address1, City, CompanyName, Country, DateOfBirth, Email, FirstName, Gender, LastName, Name,
    Phone, PostalCode, Source, State, Timezone, Website,
};

/// The names by target; earlier names rank higher.
#[rustfmt::skip]
static NAMES: &[(MappingTarget, &[&str])] = &[
    (MappingTarget::ContactId, &["contact id", "ghl id", "ghl contact id", "highlevel id", "highlevel contact id"]),
    (MappingTarget::Field(FirstName), &[
        "first name", "firstname", "first", "given name", "name first", "forename", "fname", "christian name",
        "prénom", "vorname", "primeiro nome", "primer nombre", "voornaam",
        "first names", "given names", "nom de baptême", "nome próprio", "nome di battesimo", "roepnaam",
    ]),
    (MappingTarget::Field(LastName), &[
        "last name", "last", "surname", "family name", "name last", "lname",
        "nom de famille", "nachname", "familienname", "zuname", "apellido", "apellidos", "cognome", "sobrenome",
        "apelido", "achternaam",
        "last names", "primer apellido", "surnames", "nom d'usage", "último nome", "familienaam",
    ]),
    (MappingTarget::Field(Name), &[
        "full name", "name", "contact name", "your name", "customer name", "client name", "display name",
        "nom complet", "nom et prénom", "prénom et nom", "nombre completo", "nombre y apellidos", "nome completo",
        "nome e cognome", "vollständiger name", "vor und nachname", "volledige naam", "naam",
        "first and last name", "first name last name", "name and surname", "name surname", "vorname nachname", "vor nachname", "ansprechpartner", "ansprechperson", "kontaktperson", "contact person", "contactpersoon", "interlocuteur", "personne de contact", "persona de contacto", "persona di contatto", "referente", "pessoa de contato", "pessoa de contacto", "nom et prénoms", "nome e sobrenome", "nome e apelido", "voor en achternaam",
    ]),
    (MappingTarget::Field(Email), &[
        "emails", "e mails", "email addresses",
        "email", "e mail", "email address", "e mail address", "primary email", "work email", "business email",
        "personal email", "contact email", "mail", "your email", "your email address",
        "privat e mail", "e mail privat",
        "courriel", "adresse e mail", "adresse email", "adresse mail", "correo", "correo electrónico",
        "indirizzo email", "indirizzo e mail", "e mail adresse", "mailadresse", "endereço de email",
        "endereço de e mail", "e mailadres",
    ]),
    (MappingTarget::AdditionalEmails, &[
        "additional emails", "additional email", "additional email addresses", "secondary email", "other email",
        "alternate email", "email 2", "email 3", "email address 2", "e mail 2 address", "e mail 3 address",
    ]),
    (MappingTarget::Field(Phone), &[
        "phones", "phone numbers",
        "mobile", "mobile phone", "mobile number", "mobile phone number", "mobile no", "phone mobile", "your phone number",
        "cell", "cell phone", "cellphone",
        "cell number", "cell phone number", "phone", "phone number", "primary phone", "contact number",
        "telephone", "telephone number", "tel", "phone no", "telephone no", "tel no", "your phone", "work phone", "business phone", "home phone",
        "téléphone portable", "téléphone mobile", "portable", "téléphone", "numéro de téléphone", "handy",
        "handynummer", "mobiltelefon", "telefon mobil", "telefon privat", "telefon geschäftlich", "mobilnummer", "telefon", "telefonnummer", "rufnummer", "móvil",
        "teléfono móvil", "celular", "teléfono", "número de teléfono", "cellulare", "telefono",
        "numero di telefono", "telemóvel", "telefone", "mobiel", "telefoon", "telefoonnummer",
        "direct phone", "office phone", "téléphone fixe", "tél fixe", "fixe", "tél portable", "tél mobile", "tél", "mobil", "mobil nr", "handynr", "festnetz", "festnetznummer", "telefon festnetz", "tel mobil", "tel privat", "tel geschäftlich", "tel büro", "telefon büro", "teléfono fijo", "fijo", "tfno", "telefono fisso", "fisso", "tel cellulare", "numero di cellulare", "telefone fixo", "mobile tel", "mobiel nummer", "mobiele telefoon", "vaste telefoon", "telefoon mobiel",
    ]),
    (MappingTarget::AdditionalPhones, &[
        "additional phones", "additional phone", "additional phone numbers", "secondary phone", "alternate phone",
        "phone 2", "phone 3",
    ]),
    (MappingTarget::Field(CompanyName), &[
        "company name", "company", "organization name", "company organization", "company organisation", "organization", "organisation", "business name",
        "account name", "employer",
        "société", "entreprise", "nom de l'entreprise", "raison sociale", "firma", "firmenname", "unternehmen",
        "empresa", "azienda", "ragione sociale", "bedrijf", "bedrijfsnaam",
        "organisatie", "organización", "organizzazione", "organização", "nombre de la empresa", "nome azienda", "nome da empresa", "razón social", "razão social", "nom de la société",
    ]),
    (MappingTarget::Field(Address1), &[
        "street address", "address 1", "address line 1", "address", "street", "mailing street",
        "mailing address", "business street", "home street",
        "rue", "adresse", "adresse postale", "straße", "straße und hausnummer", "straße hausnummer", "anschrift",
        "dirección", "calle", "indirizzo", "via", "endereço", "rua", "morada", "straat", "adres",
        "street and number", "straße und hausnr", "straße hausnr", "straße nr", "rue et numéro", "calle y número", "domicilio", "via e numero civico", "logradouro", "straat en huisnummer", "straat en nummer", "postal address", "postanschrift",
    ]),
    (MappingTarget::Field(City), &[
        "city", "town", "city town", "town city", "address city", "mailing city", "business city", "home city",
        "ville", "stadt", "ort", "wohnort", "ciudad", "localidad", "población", "città", "comune", "cidade",
        "plaats", "woonplaats", "stad",
        "post town", "localidade", "municipio", "município", "municipality", "commune", "gemeente",
    ]),
    (MappingTarget::Field(State), &[
        "state", "province", "state province", "state or province", "state region", "region", "county",
        "mailing state", "mailing state province", "business state", "home state",
        "département", "région", "bundesland", "provincia", "estado", "regione", "prov", "distrito", "provincie",
        "uf", "state code", "province code",
    ]),
    (MappingTarget::Field(PostalCode), &[
        "mailing zip", "mailing zip code", "mailing postal code", "home zip", "business zip",
        "postal code", "zip", "zip code", "postcode", "zip postal code", "zip or postal code", "postal zip code",
        "mailing zip postal code", "mailing postal code", "business postal code", "home postal code",
        "code postal", "plz", "cp", "postleitzahl", "código postal", "codice postale", "cap", "cep",
        "zipcode", "c a p", "cód postal",
    ]),
    (MappingTarget::Field(Country), &[
        "country", "country region", "country code", "country name", "mailing country", "business country region",
        "home country region",
        "pays", "land", "país", "paese", "nazione",
    ]),
    (MappingTarget::Field(Website), &[
        "website", "website url", "web page", "webpage", "web site", "url", "site", "homepage", "home page",
        "site web", "site internet", "webseite", "internetseite", "sitio web", "página web", "sito web", "sito",
        "webadresse", "adresse web", "url site web",
    ]),
    (MappingTarget::Field(Timezone), &[
        "timezone", "contact timezone", "fuseau horaire", "zeitzone", "zona horaria", "fuso orario",
        "fuso horário", "tijdzone",
    ]),
    (MappingTarget::Field(DateOfBirth), &[
        "date of birth", "dob", "birthday", "birthdate", "birth date",
        "date de naissance", "date naissance", "geburtstag", "geburtsdatum", "fecha de nacimiento", "cumpleaños", "data di nascita",
        "data de nascimento", "geboortedatum",
        "bday", "date born", "geb", "geb am", "geb datum", "geboren am", "né le", "née le", "né e le", "fecha nacimiento", "fecha nac", "data nascita", "nato il", "data nascimento", "geboren op",
    ]),
    (MappingTarget::Field(Source), &[
        "source", "lead source", "original source", "contact source", "utm source",
        "how did you hear about us", "how did you find us", "how did you hear of us", "referral source", "wie haben sie von uns erfahren", "comment nous avez vous connu", "cómo nos conoció", "cómo nos has conocido", "come ci hai conosciuto", "como nos conheceu", "hoe heeft u ons gevonden",
    ]),
    (MappingTarget::Field(Gender), &[
        "gender", "geschlecht", "genre", "género", "genere", "gênero", "geslacht",
        "sex", "sexe", "sexo", "sesso",
    ]),
    (MappingTarget::Tags, &[
        "tags", "tag", "labels", "label", "categories", "groups", "group membership", "lists",
        "étiquettes", "schlagworte", "schlagwörter", "kategorien", "etiquetas", "etichette",
    ]),
    (MappingTarget::PhoneCountry, &[
        "dial code", "dialing code", "dialling code", "calling code", "country calling code", "phone country code",
        "country dial code", "country dialing code", "country dialling code", "phone code", "phone prefix", "isd code",
        "isd", "mobile country code", "phone country", "country code phone", "telephone country code", "idd code",
        "ländervorwahl", "landesvorwahl", "indicatif", "indicatif pays", "indicatif téléphonique", "prefijo",
        "prefijo telefónico", "prefijo país", "prefisso", "prefisso internazionale", "código do país", "ddi", "landnummer",
        "landcode telefoon",
    ]),
    (MappingTarget::Dnd, &["dnd", "do not disturb", "do not contact"]),
    (MappingTarget::DndChannel(Channel::Email), &[
        "email opt out", "unsubscribed", "unsubscribed from all email", "opted out of email",
        "has opted out of email", "do not email", "email blacklisted", "désabonné", "désinscrit", "abgemeldet",
        "opt out email", "email optout", "opted out email", "abbestellt", "newsletter abgemeldet", "disiscritto", "descadastrado", "uitgeschreven", "desuscrito",
    ]),
    (MappingTarget::DndChannel(Channel::Call), &["do not call", "call opt out"]),
    (MappingTarget::DndChannel(Channel::Sms), &["sms opt out", "do not text", "text opt out", "sms blacklisted"]),
    (MappingTarget::OptIn, &[
        "accepts email marketing", "accepts sms marketing", "accepts marketing", "marketing consent",
        "email marketing consent", "opt in", "email opt in", "sms opt in", "double opt in", "opted in",
        "subscribed", "newsletter",
    ]),
    (MappingTarget::Note(NotePart::Body), &[
        "notes", "note", "comments", "comment", "description", "person notes", "remarks",
        "remarques", "commentaire", "commentaires", "notizen", "notiz", "bemerkung", "bemerkungen", "anmerkungen",
        "notas", "comentarios", "observaciones", "observações", "opmerkingen",
        "message", "messages", "your message", "comment or message", "remark", "nachricht", "hinweis", "hinweise", "anmerkung", "kommentar", "kommentare", "mensaje", "messaggio", "mensagem", "bericht", "opmerking", "osservazioni", "annotazioni", "anotaciones", "observação", "observación", "commenti", "commento", "comentario", "comentário", "comentários", "remarque",
    ]),
    (MappingTarget::Note(NotePart::Body), &["note content", "note body", "note text"]),
    (MappingTarget::Note(NotePart::Id), &["note id"]),
    (MappingTarget::Owner, &[
        "contact owner", "owner", "assigned to", "assigned user", "assignee", "lead owner", "account owner",
    ]),
    (MappingTarget::Business, &["business id"]),
    (MappingTarget::Task(TaskPart::Id), &["task id"]),
    (MappingTarget::Task(TaskPart::Title), &["task title", "task name", "task subject"]),
    (MappingTarget::Task(TaskPart::Body), &["task body", "task description"]),
    (MappingTarget::Task(TaskPart::DueDate), &["task due date", "task due", "task due at", "task due on", "task deadline"]),
    (MappingTarget::Task(TaskPart::Completed), &["task status", "task completed", "task is completed", "task complete", "task done"]),
];

/// Names with too many meanings, or for something that an import must not change.
static NEVER: &[(&str, &[&str])] = &[
    (
        "an id could be anybody's: map it to `contactId`, `sourceId` or a custom field, or ignore it",
        &["id", "uid", "uuid", "guid", "record id", "external id", "customer id", "customer no"],
    ),
    (
        "a status could mean consent, a sale or anything else",
        &["status", "lead status", "type", "stage", "lifecycle stage"],
    ),
    (
        "HighLevel sets this time itself",
        &[
            "created",
            "created at",
            "created date",
            "create date",
            "created on",
            "created time",
            "date created",
            "date added",
            "added time",
            "updated",
            "updated at",
            "date updated",
            "modified time",
            "last modified",
            "last updated",
            "last activity",
            "last activity date",
        ],
    ),
    (
        "secrets and technical traces are no contact data",
        &[
            "ip address",
            "ip",
            "password",
            "passwort",
            "mot de passe",
            "contraseña",
            "ssn",
            "social security number",
        ],
    ),
];

/// The minimum length of a recognized abbreviation.
const SHORTENED: usize = 4;

/// The meaning of a full name, and the neighbors that make it a part of a name instead.
#[rustfmt::skip]
static BY_NEIGHBOUR: &[(&str, Field, &[&str])] = &[
    ("name", LastName, &["vorname"]),
    ("nom", LastName, &["prenom"]),
    ("nome", FirstName, &["cognome", "sobrenome", "apelido"]),
    ("nombre", FirstName, &["apellidos", "apellido", "primerapellido"]),
    ("jmeno", FirstName, &["prijmeni"]),
    ("nume", LastName, &["prenume"]),
];

static DICTIONARY: LazyLock<HashMap<String, HeaderMeaning>> = LazyLock::new(|| {
    let mut meanings = HashMap::new();
    for (target, names) in names_by_target() {
        for (rank, name) in names.iter().enumerate() {
            let meaning = HeaderMeaning::Target { target: target.clone(), rank };
            meanings.entry(fold_name(name)).or_insert(meaning);
        }
    }
    for (why, names) in NEVER {
        for name in *names {
            meanings.entry(fold_name(name)).or_insert(HeaderMeaning::Never(why));
        }
    }
    for (rank, (name, ..)) in BY_NEIGHBOUR.iter().enumerate() {
        let whole = HeaderMeaning::Target { target: MappingTarget::Field(Name), rank };
        meanings.entry((*name).to_owned()).or_insert(whole);
    }
    meanings
});

/// The names in all languages.
fn names_by_target() -> impl Iterator<Item = &'static (MappingTarget, &'static [&'static str])> {
    NAMES.iter().chain(languages::NAMES)
}

/// The names as words.
static SPELLED: LazyLock<Vec<(String, HeaderMeaning)>> = LazyLock::new(|| {
    let of_target = |(target, names): &(MappingTarget, &[&'static str])| {
        let target = target.clone();
        let meaning = move |(rank, name): (usize, &&'static str)| {
            (normalise_name(name), HeaderMeaning::Target { target: target.clone(), rank })
        };
        names.iter().enumerate().map(meaning).collect::<Vec<_>>()
    };
    let never = NEVER.iter().flat_map(|(why, names)| {
        names.iter().map(|name| (normalise_name(name), HeaderMeaning::Never(why)))
    });
    names_by_target().flat_map(of_target).chain(never).collect()
});

/// Whether a text is a name in the dictionary.
#[must_use]
pub fn is_dictionary_name(name: &str) -> bool {
    // No header is longer, but data cells may be.
    name.len() <= 200 && DICTIONARY.contains_key(&fold_name(name))
}

/// The names of one header, which may affect each other's meaning.
#[derive(Debug, Clone, Default)]
pub struct HeaderNames {
    folded: HashSet<String>,
}

impl HeaderNames {
    /// Creates the names of a header.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        Self { folded: names.into_iter().map(fold_name).collect() }
    }

    /// The meaning of one of them.
    #[must_use]
    pub fn meaning_of(&self, name: &str) -> Option<HeaderMeaning> {
        let name = fold_name(name);
        let part = BY_NEIGHBOUR.iter().find(|(own, _, neighbours)| {
            *own == name && neighbours.iter().any(|neighbour| self.contains_name(neighbour))
        });
        match part {
            Some((_, field, _)) => {
                Some(HeaderMeaning::Target { target: MappingTarget::Field(*field), rank: 0 })
            }
            None => DICTIONARY.get(&name).cloned(),
        }
    }

    /// Whether a name is among them, perhaps abbreviated: `Cogn.` for `Cognome`.
    fn contains_name(&self, name: &str) -> bool {
        let shortened = |own: &String| own.chars().count() >= SHORTENED && name.starts_with(&**own);
        self.folded.contains(name) || self.folded.iter().any(shortened)
    }

    /// Whether a name may also mean a part of a name, which only its neighbors decide.
    pub(crate) fn may_be_name_part(name: &str) -> bool {
        let name = fold_name(name);
        name != "name" && BY_NEIGHBOUR.iter().any(|(own, ..)| *own == name)
    }

    /// The dictionary's names as words, with their meanings.
    pub(crate) fn normalised_dictionary()
    -> impl Iterator<Item = (&'static str, &'static HeaderMeaning)> {
        SPELLED.iter().map(|(name, meaning)| (name.as_str(), meaning))
    }

    /// The dictionary's folded names with their meanings, for matching similar names.
    pub(crate) fn folded_dictionary() -> impl Iterator<Item = (&'static str, &'static HeaderMeaning)>
    {
        DICTIONARY.iter().map(|(name, meaning)| (name.as_str(), meaning))
    }
}
