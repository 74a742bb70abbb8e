//! Names in further languages: Polish, Czech, Swedish, Danish, Norwegian, Finnish and Romanian.
//!
//! Contains only unambiguous names. They rank after those of the dictionary's main table.

use crate::model::NotePart;
use crate::model::target::{Field, MappingTarget};

/// The names, by target.
#[rustfmt::skip]
pub(super) static NAMES: &[(MappingTarget, &[&str])] = &[
    (MappingTarget::Field(Field::FirstName), &["imię", "förnamn", "fornavn", "etunimi", "křestní jméno", "prenume"]),
    (MappingTarget::Field(Field::LastName), &[
        "nazwisko", "efternamn", "efternavn", "etternavn", "sukunimi", "příjmení", "nume de familie",
    ]),
    (MappingTarget::Field(Field::Name), &[
        "imię i nazwisko", "namn", "fullständigt namn", "för och efternamn", "navn", "fulde navn", "nimi",
        "jméno a příjmení", "nume și prenume", "nume complet",
    ]),
    (MappingTarget::Field(Field::Email), &[
        "adres email", "adres e mail", "e post", "e postadress", "epostadresse", "e postadresse", "sähköposti",
        "sähköpostiosoite", "e mailová adresa", "adresă de email",
    ]),
    (MappingTarget::Field(Field::Phone), &[
        "numer telefonu", "nr telefonu", "telefon komórkowy", "telefonní číslo", "mobilní telefon", "puhelin",
        "puhelinnumero", "matkapuhelin", "mobiltelefonnummer", "număr de telefon", "tel nr", "06 nummer",
    ]),
    (MappingTarget::Field(Field::CompanyName), &[
        "nazwa firmy", "název firmy", "företag", "företagsnamn", "firmanavn", "virksomhed", "bedrift", "yritys",
        "companie", "employer name", "name of company", "nome da organização",
    ]),
    (MappingTarget::Field(Field::Address1), &[
        "ulica", "ulice", "adresa", "adress", "gatuadress", "gade", "gateadresse", "osoite", "katuosoite", "adresă",
        "straatnaam", "dirección postal", "adresse ligne 1", "indirizzo di residenza",
    ]),
    (MappingTarget::Field(Field::City), &[
        "miasto", "miejscowość", "město", "postort", "poststed", "kaupunki", "postitoimipaikka", "oraș",
        "localitate", "city name", "ortschaft", "localité", "località", "plaatsnaam",
    ]),
    (MappingTarget::Field(Field::State), &["województwo", "județ"]),
    (MappingTarget::Field(Field::PostalCode), &["kod pocztowy", "npa", "c postal", "psč", "postnummer", "postnr", "postinumero", "cod poștal"]),
    (MappingTarget::Field(Field::Country), &["kraj", "země", "maa", "țară"]),
    (MappingTarget::Field(Field::Website), &["strona www", "hemsida", "webbplats", "hjemmeside", "kotisivut"]),
    (MappingTarget::Field(Field::DateOfBirth), &[
        "data urodzenia", "datum narození", "födelsedatum", "fødselsdato", "fødselsdag", "syntymäaika",
        "data nașterii", "geb dat", "geboren",
    ]),
    (MappingTarget::Note(NotePart::Body), &[
        "uwagi", "notatki", "poznámka", "poznámky", "anteckningar", "bemærkninger", "merknader", "huomautukset",
        "observații", "notities",
    ]),
];
