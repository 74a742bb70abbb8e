//! vCard files of phones and mail programs.

use serde_json::json;

use super::{contact, import_case};
use crate::import_world::{empty_world, tag_names};
use crate::world::{CommandOutput, World};

fn import_cards(text: impl AsRef<[u8]>, options: &str) -> (World, CommandOutput) {
    let world = empty_world();
    std::fs::write(world.path("in.vcf"), text).unwrap();
    let done = world.run_command(&format!("import in.vcf --yes --out res {options}"));
    (world, done)
}

#[test]
fn a_card_of_a_phone_is_read_unasked() {
    let (world, done) = import_case("a01_icloud.vcf", "");
    done.exits(0);
    let text = std::fs::read_to_string("tests/cases/a01_icloud.vcf").unwrap();
    assert_eq!(world.read_contacts().len(), text.matches("BEGIN:VCARD").count());
}

#[test]
fn the_properties_of_a_card_become_fields_and_the_rest_is_named() {
    let (world, done) = import_cards(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Sample;Avery;;Dr.;\r\nFN:Dr. Avery Sample\r\n\
         EMAIL;type=INTERNET;type=HOME:second@example.net\r\n\
         item1.EMAIL;type=INTERNET;type=pref:avery@example.net\r\n\
         TEL;type=HOME;type=FAX:+12025550100\r\nTEL;type=HOME:+12025550101\r\n\
         TEL;type=CELL:+12025550102\r\n\
         ADR;type=WORK:;;9 Work Rd;Salem;MA;01970;US\r\n\
         ADR;type=HOME;type=pref:;Unit 2;1 Main St;Boston;MA;02139;US\r\n\
         ORG:Sample & Sons\\, Inc.;Bakery\r\nTITLE:Baker\r\nURL:https://example.net\r\n\
         BDAY:1980-02-13\r\nCATEGORIES:vip,golf\\, tea\r\n\
         NOTE:first line\\nsecond\\, with a comm\r\n a\r\n\
         PHOTO;ENCODING=b;TYPE=JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n\
         BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Blake Testcase\r\nN:Testcase;Blake;;;\r\n\
         BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-13\r\nTEL:(202) 555-0103\r\nEND:VCARD\r\n",
        "",
    );
    done.exits(0).says("a property of the cards is not imported: PHOTO (1)").says("vCard Fax");
    let avery = world.contact_by_email("avery@example.net");
    let fields = &avery["contact"];
    for (key, value) in [
        ("firstName", "Avery"),
        ("lastName", "Sample"),
        ("phone", "+12025550102"),
        ("address", "1 Main St, Unit 2"),
        ("city", "Boston"),
        ("postalCode", "02139"),
        ("companyName", "Sample & Sons, Inc."),
        ("website", "https://example.net"),
    ] {
        assert_eq!(fields[key], value, "{key}");
    }
    assert_eq!(fields["dateOfBirth"], 319_248_000_000_i64);
    assert_eq!(tag_names(&avery), ["vip", "golf, tea"]);
    assert_eq!(avery["notes"][0]["body"], "first line\nsecond, with a comma");
    let blake =
        world.read_contacts().into_iter().find(|it| it["contact"]["lastName"] == "Testcase");
    let blake = blake.unwrap();
    assert_eq!(blake["contact"]["phone"], "+12025550103");
    assert_eq!(blake["contact"]["dateOfBirth"], json!(null));
}

#[test]
fn old_cards_name_the_encoding_of_each_line() {
    let (world, done) = import_cards(
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Zo=C3=\r\n\
          =AB\r\nTEL;CELL;PREF:+12025550104\r\nEMAIL;INTERNET:zoe@example.net\r\n\
          ORG;CHARSET=ISO-8859-1:B\xe4ckerei\r\nEND:VCARD\r\n\
          BEGIN:VCARD\r\nVERSION:2.1\r\nN:M\xfcller;J\xf6rg\r\nEMAIL:joerg@example.net\r\nEND:VCARD\r\n",
        "",
    );
    done.exits(0);
    let zoe = contact(&world, "zoe@example.net");
    assert_eq!((&zoe["firstName"], &zoe["lastName"]), (&json!("Zoë"), &json!("Müller")));
    assert_eq!(zoe["companyName"], "Bäckerei");
    assert_eq!(contact(&world, "joerg@example.net")["firstName"], "Jörg");
}

#[test]
fn new_cards_have_addresses_of_the_web_as_values() {
    let (world, done) = import_cards(
        "BEGIN:VCARD\nVERSION:4.0\nFN:Casey Muster\nKIND:individual\n\
         EMAIL;PREF=2:b@example.net\nEMAIL;PREF=1:a@example.net\n\
         TEL;VALUE=uri;TYPE=\"voice,home\":tel:+1-202-555-0105\nBDAY:19800213\nUID:urn:uuid:1\nEND:VCARD\n",
        "",
    );
    done.exits(0);
    let casey = contact(&world, "a@example.net");
    assert_eq!(casey["phone"], "+12025550105");
    assert_eq!(casey["dateOfBirth"], 319_248_000_000_i64);
}

#[test]
fn a_card_without_an_end_is_rejected_and_the_next_one_is_read() {
    let (world, done) = import_cards(
        "BEGIN:VCARD\nVERSION:3.0\nFN:A\nEMAIL:a@example.net\n\
         BEGIN:VCARD\nVERSION:3.0\nFN:B\nEMAIL:b@example.net\nEND:VCARD\n",
        "",
    );
    done.exits(3);
    assert_eq!(world.read_contacts().len(), 1);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["_reject_code"], "R_CARD_INCOMPLETE");
    // The rejected rows are a table with the same columns, which is recognized again.
    let again = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    world.write_sheet("in.csv", &again);
    world.run_import("").exits(0);
    assert_eq!(contact(&world, "a@example.net")["firstName"], "A");
}
