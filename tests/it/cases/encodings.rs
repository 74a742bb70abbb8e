//! Encodings that a text does not declare: those of an old Mac or of DOS.

use super::{contact, import_case, import_text};

#[test]
fn a_file_of_an_old_mac_is_read_as_such() {
    let (world, done) = import_case("c10_macroman.csv", "");
    done.exits(0).says("macintosh is a guess");
    for (email, names) in [
        ("heloise", ["Héloïse", "Lefèvre", "Orléans"]),
        ("zoe", ["Zoë", "Müller", "Zürich"]),
        ("jose", ["José", "Núñez", "Málaga"]),
    ] {
        let person = contact(&world, &format!("{email}.c10@example.net"));
        let keys = ["firstName", "lastName", "city"];
        assert_eq!(keys.map(|key| person[key].as_str().unwrap()), names);
    }
}

#[test]
fn a_file_of_dos_is_read_as_such() {
    let (world, done) = import_text(b"First Name,Last Name,Email,City\nZo\x89,M\x81ller,z@example.net,Z\x81rich\nJos\x82,N\xa3\xa4ez,j@example.net,M\xa0laga\nH\x82lo\x8bse,Lef\x8avre,h@example.net,Orl\x82ans\n", "");
    done.exits(0).says("ibm850 is a guess");
    let person = contact(&world, "h@example.net");
    assert_eq!(person["firstName"], "Héloïse");
    assert_eq!(person["lastName"], "Lefèvre");
    assert_eq!(contact(&world, "j@example.net")["lastName"], "Núñez");
}

#[test]
fn a_file_of_dos_in_central_europe_is_read_as_such() {
    let (world, done) = import_text(b"First Name,Last Name,Email,City\n\x9dukasz,\xbdak,l@example.net,\x9d\xa2d\xab\nJi\xfd\xa1,Dvo\xfd\xa0k,j@example.net,Plze\xe5\n", "");
    done.exits(0);
    assert_eq!(contact(&world, "l@example.net")["city"], "Łódź");
    assert_eq!(contact(&world, "j@example.net")["lastName"], "Dvořák");
}

#[test]
fn an_encoding_that_no_text_fits_is_refused() {
    // Bytes that are symbols inside words in every encoding, and one that windows-1252 lacks.
    let sheet = b"First Name,Email\nab\x8f cd\xb0 ef\xb1 gh\xb2 ij\xb3 k,a@example.net\n";
    let (world, done) = import_text(sheet, "");
    done.exits(4).says("the encoding of the file is not known").says("--encoding macintosh");
    assert!(world.read_contacts().is_empty());
}

#[test]
fn one_damaged_row_does_not_change_the_encoding_of_many() {
    let mut sheet = b"First Name,Email\n".to_vec();
    for index in 0..20 {
        sheet.extend(format!("Zo#,z{index}@example.net\n").replace('#', "\u{1}").bytes());
    }
    for byte in &mut sheet {
        if *byte == 1 {
            *byte = 0xeb;
        }
    }
    sheet.extend(b"A\x81b,a@example.net\n");
    let (world, done) = import_text(sheet, "");
    done.exits(3).says("windows-1252 is a guess");
    assert_eq!(contact(&world, "z7@example.net")["firstName"], "Zoë");
    assert_eq!(world.count_results()[2], 1);
}

#[test]
fn encodings_have_the_names_that_people_use() {
    let mac = b"First Name,Last Name,Email,City\nZo\x91,M\x9fller,z@example.net,Z\x9frich\nJos\x8e,N\x9c\x96ez,j@example.net,M\x87laga\nH\x8elo\x95se,Lef\x8fvre,h@example.net,Orl\x8eans\n";
    let dos = b"First Name,Last Name,Email,City\nZo\x89,M\x81ller,z@example.net,Z\x81rich\nJos\x82,N\xa3\xa4ez,j@example.net,M\xa0laga\nH\x82lo\x8bse,Lef\x8avre,h@example.net,Orl\x82ans\n";
    let ansi = b"First Name,Last Name,Email,City\nZo\xeb,M\xfcller,z@example.net,Z\xfcrich\nJos\xe9,N\xfa\xf1ez,j@example.net,M\xe1laga\nH\xe9lo\xefse,Lef\xe8vre,h@example.net,Orl\xe9ans\n";
    for (label, bytes) in [
        ("MacRoman", &mac[..]),
        ("mac", mac),
        ("macintosh", mac),
        ("cp850", dos),
        ("dos", dos),
        ("ansi", ansi),
        ("latin1", ansi),
        ("cp1252", ansi),
    ] {
        let (world, done) = import_text(bytes, &format!("--encoding {label}"));
        done.exits(0);
        assert_eq!(contact(&world, "j@example.net")["lastName"], "Núñez", "{label}");
    }
    let (_, done) = import_text(ansi, "--encoding klingon");
    done.exits(4).says("`klingon` is not a known encoding").says("macintosh");
}
