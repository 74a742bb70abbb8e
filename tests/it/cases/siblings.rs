//! Siblings of the field cases: other files with the same kinds of fault.

use super::{contact, import_text, warned_columns};
use crate::import_world::tag_names;

#[test]
fn opt_outs_in_a_column_with_the_name_of_a_field_are_not_stored_as_that_field() {
    for (header, word) in
        [("Estado", "no contactar"), ("State", "unsubscribed"), ("Source", "abbestellt")]
    {
        let text = format!("Email,{header}\na@example.net,{word}\nb@example.net,active\n");
        let (world, done) = import_text(text, "");
        done.exits(4).says("may be `dndSettings.Email`").says(header);
        assert!(world.read_contacts().is_empty());
    }
}

#[test]
fn a_yes_beside_opt_outs_in_a_column_of_consent_is_no_opt_out() {
    let text = "Email,Nieuwsbrief\na@example.net,ja\nb@example.net,nee\nc@example.net,afgemeld\nd@example.net,ja\n";
    let (_, done) = import_text(text, "");
    done.exits(4).says("may be `optIn`");
    let (world, done) = import_text(text, "--map Nieuwsbrief=optIn");
    done.exits(0);
    let blocked = |of: &str| {
        contact(&world, &format!("{of}@example.net"))["dndSettings"]["Email"]["status"] == "active"
    };
    assert_eq!(["a", "b", "c", "d"].map(blocked), [false, false, true, false]);
}

#[test]
fn words_of_consent_in_other_languages_are_understood() {
    for (word, is_blocked) in [
        ("abbestellt", true),
        ("niet mailen", true),
        ("opgezegd", true),
        ("no molestar", true),
        ("bestätigt", false),
        ("ausstehend", false),
        ("geen toestemming", false),
        ("suscrito", false),
        ("inscrite", false),
    ] {
        let text = format!("Email,Newsletter\na@example.net,{word}\n");
        let (world, done) = import_text(text, "--map Newsletter=dndSettings.Email");
        done.exits(0);
        let settings = &contact(&world, "a@example.net")["dndSettings"]["Email"]["status"];
        assert_eq!(settings == "active", is_blocked, "{word}");
    }
}

#[test]
fn what_people_write_for_nothing_is_stored_with_a_warning() {
    let (world, done) = import_text(
        "Email,City,Last Name\na@example.net,?,TBD\nb@example.net,unknown,Onbekend\n",
        "",
    );
    done.exits(0).says("stand for nothing");
    let warned = warned_columns(&world, "W_PLACEHOLDER_KEPT");
    assert_eq!(
        warned,
        [("City", 2), ("Last Name", 2)].map(|(name, count)| (name.to_owned(), count))
    );
}

#[test]
fn text_that_is_encoded_as_in_an_email_is_warned_about() {
    let (world, done) = import_text(
        "Email,First Name\na@example.net,Zo=C3=AB\nb@example.net,=?UTF-8?Q?Zo=C3=AB?=\n",
        "",
    );
    done.exits(0);
    assert_eq!(warned_columns(&world, "W_MOJIBAKE"), [("First Name".to_owned(), 2)]);
}

#[test]
fn a_postal_code_that_a_spreadsheet_has_formatted_is_warned_about() {
    let (world, done) = import_text(
        "Email,Postal Code,Country\na@example.net,10.115,DE\nb@example.net,2139.0,US\nc@example.net,90210.00,US\n",
        "",
    );
    done.exits(0);
    assert_eq!(warned_columns(&world, "W_ZIP_SUSPECT"), [("Postal Code".to_owned(), 1)]);
    assert_eq!(contact(&world, "b@example.net")["postalCode"], "02139");
    assert_eq!(contact(&world, "c@example.net")["postalCode"], "90210");
}

#[test]
fn quotes_hold_a_tag_together_behind_semicolons() {
    let (world, done) =
        import_text("Email,Tags\na@example.net,\"vip;\"\"Boston, MA\"\";\"\"a;b\"\"\"\n", "");
    done.exits(0);
    assert_eq!(tag_names(&world.contact_by_email("a@example.net")), ["vip", "boston, ma", "a;b"]);
}

#[test]
fn dialling_codes_with_zeros_or_beside_the_number_are_read() {
    let (world, done) = import_text(
        "Email,Country Code,Phone\na@example.net,+31,0207946010\nb@example.net,0044,2079460107\nc@example.net,,0049 30 901820\n",
        "",
    );
    done.exits(0);
    let phones =
        ["a", "b", "c"].map(|of| contact(&world, &format!("{of}@example.net"))["phone"].clone());
    assert_eq!(phones, ["+31207946010", "+442079460107", "+4930901820"]);
}
