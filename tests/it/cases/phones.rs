//! Phone numbers and the countries that they are of.

use super::{contact, import_case, import_text, warned_columns};

#[test]
fn a_dialling_code_beside_a_number_is_its_country() {
    let (world, done) = import_case("k35_dial_code_column.csv", "");
    done.exits(0);
    for (who, phone) in [
        ("a", "+442079460107"),
        ("b", "+12025550105"),
        ("c", "+12025550106"),
        ("d", "+61491570158"),
        ("e", "+4930901820"),
    ] {
        let contact = contact(&world, &format!("{who}.k35@example.net"));
        assert_eq!(contact["phone"], phone);
        assert_ne!(contact["country"], "44");
    }
    assert_eq!(warned_columns(&world, "W_DIAL_CODE"), [("Country Code".to_owned(), 5)]);
}

#[test]
fn a_dialling_code_and_a_country_have_columns_of_their_own() {
    let sheet = "Name,Email,Dial Code,Mobile,Country\n\
                 A B,a@example.net,0044,2079460107,US\nC D,c@example.net,+49,030 901820,Germany\n";
    let (world, done) = import_text(sheet, "");
    done.exits(0);
    let one = contact(&world, "a@example.net");
    assert_eq!((&one["phone"], &one["country"]), (&"+442079460107".into(), &"US".into()));
    assert_eq!(contact(&world, "c@example.net")["phone"], "+4930901820");
}

#[test]
fn a_number_whose_country_cannot_be_read_is_not_of_the_usual_country() {
    let sheet = "Name,Email,Country,Phone\nA B,a@example.net,Atlantis,2025550143\n\
                 C D,c@example.net,Atlantis,+12025550144\n";
    let (world, done) = import_text(sheet, "--default-country US");
    done.exits(3).says("Phone: 1 value");
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected.len(), 1);
    assert!(
        rejected[0]["_reject_reason"].contains("the row's country, `Atlantis`"),
        "{rejected:?}"
    );
    assert_eq!(contact(&world, "c@example.net")["phone"], "+12025550144");
}

#[test]
fn a_number_that_only_lacks_its_plus_is_named_with_it() {
    let (world, done) =
        import_case("k36_digits_no_plus.csv", "--map WhatsApp=phone --default-country US");
    done.exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    let reason = &rejected[0]["_reject_reason"];
    assert!(reason.contains("`+442079460109` does: write it with `+`"), "{reason}");
}
