//! Dub: its exports find the contacts that they came from, and its files say what Dub would refuse.

use serde_json::json;

use crate::import_world::empty_world;
use crate::templates::{Sheet, sheets};
use crate::world::World;

const AVERY: &str = "AAAAAAAAAAAAAAAAAAA1";

fn account() -> World {
    let world = empty_world();
    world.add_contacts(&[
        json!({ "id": AVERY, "firstName": "Avery", "email": "avery@example.com", "country": "US" }),
        json!({ "firstName": "Blake", "email": "blake@example.com" }),
    ]);
    world
}

#[test]
fn a_customer_whose_external_id_is_a_contact_is_known_by_it() {
    let world = account();
    let header = "id,name,email,externalId,stripeCustomerId,country,saleAmount\n";
    // The address has changed in Dub.
    let rows = format!(
        "cus_1,Avery,new@example.com,{AVERY},,US,$1.00\ncus_2,Casey,casey@example.net,user_7,,GB,$0.00\n"
    );
    world.write_sheet("in.csv", &format!("{header}{rows}"));
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    assert_eq!(world.contact_by_id(AVERY)["contact"]["email"], "new@example.com");
    assert_eq!(world.read_contacts().len(), 3);
}

#[test]
fn partners_of_dubs_own_export_are_known_by_their_addresses() {
    let world = account();
    world.write_sheet(
        "in.csv",
        "ID,Name,Email,Country,Status,Group,Enrolled at\n\
         pn_1,Avery,AVERY@example.com,US,approved,Default,2026-01-02T10:00:00.000Z\n",
    );
    world.run_import("").exits(0);
    assert_eq!(world.list_writes().len(), 1, "{:?}", world.list_writes());
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn partners_without_a_country_are_written_and_counted() {
    let world = account();
    world
        .run_command("export --template dub-partners --out out")
        .exits(0)
        .says("dub-partners-create.csv: 1 row has no `country`, which the system requires");
    assert_eq!(Sheet::read(&world, "out/dub-partners-create.csv").rows.len(), 2);
}

#[test]
fn invites_are_lists_of_at_most_fifty_addresses() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    let person = |n: usize| json!({ "firstName": "P", "email": format!("p{n}@example.com"), "tags": ["partner"] });
    let mut people: Vec<_> = (0..120).map(person).collect();
    people.push(json!({ "firstName": "No", "lastName": "Address", "tags": ["partner"] }));
    people.push(json!({ "firstName": "Other", "email": "other@example.com" }));
    world.add_contacts(&people);
    world.run_command("export --template dub-partner-invites --tag partner --out out").exits(0);
    let files = sheets(&world, "out");
    assert_eq!(
        files,
        ["dub-partner-invites-2.csv", "dub-partner-invites-3.csv", "dub-partner-invites.csv"]
    );
    let all: Vec<Sheet> =
        files.iter().map(|file| Sheet::read(&world, &format!("out/{file}"))).collect();
    assert!(all.iter().all(|sheet| sheet.header == ["email"] && sheet.rows.len() <= 50));
    assert_eq!(all.iter().map(|sheet| sheet.rows.len()).sum::<usize>(), 120);
    // They are made for a purpose, and not among the files of the system.
    world.run_command("export --template dub --out dub --with none --quiet").exits(0);
    assert!(!sheets(&world, "dub").iter().any(|file| file.contains("invites")));
}
