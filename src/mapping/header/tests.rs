//! The meanings of headers.

use super::*;

#[test]
fn a_name_is_its_words_however_it_is_written() {
    for (name, words) in [
        ("  FIRST_NAME ", "first name"),
        ("lastName", "last name"),
        ("\u{feff}E-Mail Address\u{a0}", "e mail address"),
        ("Mobile\nPhone #", "mobile phone"),
        ("\u{200b}Company\u{a0}Name", "company name"),
        ("ZIP / Postal Code", "zip postal code"),
        ("HasOptedOutOfEmail", "has opted out of email"),
        ("IDNumber", "id number"),
        ("Ｅｍａｉｌ", "email"),
        ("Société", "société"),
        ("what_is_your_budget?", "what is your budget"),
        ("生年月日", "生年月日"),
        ("--- ", ""),
    ] {
        assert_eq!(normalise_name(name), words, "{name:?}");
    }
}

#[test]
fn names_that_differ_in_signs_accents_and_case_are_one_name() {
    for (one, other) in [
        ("Prénom", "PRENOM"),
        ("e-mail", "Email"),
        ("Straße", "STRASSE"),
        ("İl", "il"),
        ("first name", "FirstName"),
    ] {
        assert_eq!(fold_name(one), fold_name(other));
    }
    assert_ne!(fold_name("Email"), fold_name("Email 2"));
}

#[track_caller]
fn check(header: &str, expected: &[&str]) {
    let names: Vec<&str> = header.split(',').collect();
    let headers = HeaderNames::new(names.iter().copied());
    let shown = |name: &&str| match headers.meaning_of(name) {
        Some(HeaderMeaning::Target { target, .. }) => target.to_string(),
        Some(HeaderMeaning::Never(_)) => "never".to_owned(),
        None => "-".to_owned(),
    };
    assert_eq!(names.iter().map(shown).collect::<Vec<_>>(), expected, "{header}");
}

#[test]
fn usual_names_are_known_in_six_languages() {
    check(
        "Vorname;Nachname;E-Mail;Geburtstag".replace(';', ",").as_str(),
        &["firstName", "lastName", "email", "dateOfBirth"],
    );
    check(
        "Prénom,Nom,E-mail,Société,Code postal,Ville",
        &["firstName", "lastName", "email", "companyName", "postalCode", "city"],
    );
    check(
        "Nome,Cognome,Telefono,CAP,Città",
        &["firstName", "lastName", "phone", "postalCode", "city"],
    );
    check(
        "Nombre,Apellidos,Correo electrónico,Móvil,País",
        &["firstName", "lastName", "email", "phone", "country"],
    );
    check(
        "Nome,Sobrenome,Endereço,CEP,Estado",
        &["firstName", "lastName", "address1", "postalCode", "state"],
    );
    check(
        "Voornaam,Achternaam,Telefoonnummer,Woonplaats",
        &["firstName", "lastName", "phone", "city"],
    );
    check(
        "FIRST_NAME,lastName,E-Mail Address,Mobile Phone #,ZIP / Postal Code,State/Province,Country/Region",
        &["firstName", "lastName", "email", "phone", "postalCode", "state", "country"],
    );
}

#[test]
fn a_name_that_could_be_whole_or_part_is_decided_by_its_neighbours() {
    check("Nom,Email", &["name", "email"]);
    check("Nome,Email", &["name", "email"]);
    check("Nombre,Email", &["name", "email"]);
    check("Name,Vorname", &["lastName", "firstName"]);
    check("Name,First Name", &["name", "firstName"]);
}

#[test]
fn consent_is_distinguished_from_its_opposite_and_risky_names_are_never_guessed() {
    check(
        "Email Opt Out,Accepts Email Marketing,Unsubscribed",
        &["dndSettings.Email", "optIn", "dndSettings.Email"],
    );
    check("Status,ID,Created,Last Activity,Password,SSN", &["never"; 6]);
    check("Umsatz,Score", &["-", "-"]);
}

#[test]
fn data_is_not_taken_for_a_header() {
    for text in ["Avery", "+12025550143", "ann@example.com", "", &"name".repeat(1000)] {
        assert!(!is_dictionary_name(text), "{text:.20}");
    }
    assert!(
        is_dictionary_name("E-Mail")
            && is_dictionary_name("Nombre")
            && is_dictionary_name("Created")
    );
}
