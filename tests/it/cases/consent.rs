//! Consent that stands in values: a person who has opted out is never imported as if they had not.

use std::fmt::Write as _;

use super::{contact, import_case, import_text};
use crate::import_world::empty_world;

const EMAIL: &str = "avery@example.net";

/// Whether a channel is blocked for a contact.
fn is_blocked(contact: &serde_json::Value, channel: &str) -> bool {
    contact["dndSettings"][channel]["status"] == "active"
}

#[test]
fn a_status_whose_header_names_the_channel_blocks_it() {
    for (header, word, channel) in [
        ("Email Subscription Status", "unsubscribed", "Email"),
        ("Email Suppressions", "Bounced", "Email"),
        ("SMS subscriber status", "Opted out", "SMS"),
        ("Email marketing status", "cleaned", "Email"),
        ("Statut abonnement e-mail", "Désabonnée", "Email"),
        ("WhatsApp opt-in status", "withdrawn", "WhatsApp"),
    ] {
        let sheet = format!(
            "Name,Email,{header}\nAvery Sample,{EMAIL},{word}\nBlake Sample,blake@example.net,subscribed\n"
        );
        let (world, done) = import_text(sheet, "");
        done.exits(0);
        assert!(is_blocked(&contact(&world, EMAIL), channel), "{header}");
        assert!(!is_blocked(&contact(&world, "blake@example.net"), channel), "{header}");
    }
}

#[test]
fn an_opt_out_without_a_clear_header_is_asked_about() {
    for (header, word) in [
        ("status", "unsubscribed"),
        ("Marketing status", "Unsubscribed"),
        ("State of contact", "do not contact"),
        ("Remark code", "dado de baja"),
        ("Feld 7", "abgemeldet"),
    ] {
        let rows = format!("Name,Email,{header}\nAvery Sample,{EMAIL},{word}\n");
        let (world, done) = import_text(&rows, "");
        done.exits(4).says("`--ignore-column C`");
        assert!(world.list_writes().is_empty(), "{header}");
        let (world, done) = import_text(&rows, "--map C=dndSettings.Email");
        done.exits(0);
        assert!(is_blocked(&contact(&world, EMAIL), "Email"), "{header}");
        let (world, done) = import_text(&rows, "--ignore-column C");
        done.exits(0);
        assert!(!is_blocked(&contact(&world, EMAIL), "Email"), "{header}");
    }
}

#[test]
fn an_opt_out_far_below_the_first_rows_is_asked_about() {
    let mut sheet = "Name,Email,Kind\n".to_owned();
    for n in 0..900 {
        let kind = if n == 850 { "Unsubscribed" } else { "customer" };
        writeln!(sheet, "Person {n},p{n}@example.net,{kind}").unwrap();
    }
    let (world, done) = import_text(sheet, "");
    done.exits(4)
        .says("1 of its cells says that a person must not be contacted")
        .says("(line 852, column C)");
    assert!(world.list_writes().is_empty());
}

#[test]
fn rows_of_notes_and_deletions_are_not_about_consent() {
    let world = empty_world();
    let ids = world.add_contacts(&[serde_json::json!({ "email": EMAIL })]);
    world.write_sheet("in.csv", &format!("Contact Id,Kind\n{},cancelled\n", ids[0]));
    world.run_import("--mode delete --confirm-delete 1").exits(0);
}

#[test]
fn consent_to_letters_is_not_consent_to_e_mail() {
    let sheet =
        format!("Name,Email,Do Not Mail\nAvery Sample,{EMAIL},Yes\nBlake S,b@example.net,No\n");
    let (world, done) = import_text(sheet, "");
    done.exits(0).says("`Do Not Mail` (consent)");
    assert!(!is_blocked(&contact(&world, EMAIL), "Email"));
}

#[test]
fn a_status_of_square_blocks_who_unsubscribed() {
    let (world, done) = import_case("e07_square.csv", "--map N=note");
    done.exits(0);
    assert!(is_blocked(&contact(&world, "blake.e7@example.net"), "Email"));
    let avery = contact(&world, "avery.e7@example.net");
    assert!(!is_blocked(&avery, "Email"));
    assert_eq!(avery["address"], "1 Main St, Unit 2");
}
