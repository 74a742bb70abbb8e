//! Addresses and numbers that one row frees and another one needs.

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::{CommandOutput, World};

const PHONES: [&str; 3] = ["+12025550143", "+12025550145", "+12025550147"];

/// A world with the contacts Ann, Ben and Cara, who have the addresses `a@`, `b@` and `c@` and the numbers of `PHONES`,
/// and their ids.
fn world_with_three() -> (World, [String; 3]) {
    let world = empty_world();
    let ids = add_three(&world);
    (world, ids)
}

fn add_three(world: &World) -> [String; 3] {
    let contacts: Vec<Value> = ["Ann", "Ben", "Cara"]
        .iter()
        .zip(PHONES)
        .map(|(name, phone)| {
            let letter = name[..1].to_lowercase();
            json!({"firstName": name, "email": format!("{letter}@example.net"), "phone": phone})
        })
        .collect();
    world.add_contacts(&contacts).try_into().unwrap()
}

/// Imports lines that may name the three ids as `{0}`, `{1}`, `{2}`.
fn import(world: &World, ids: &[String; 3], text: &str, options: &str) -> CommandOutput {
    let mut text = text.to_owned();
    for (n, id) in ids.iter().enumerate() {
        text = text.replace(&format!("{{{n}}}"), id);
    }
    world.write_sheet("in.csv", &text);
    world.run_import(options)
}

/// A property of each of these contacts.
fn values(world: &World, ids: &[String], key: &str) -> Vec<String> {
    let value =
        |id: &String| world.contact_by_id(id)["contact"][key].as_str().unwrap_or("").to_owned();
    ids.iter().map(value).collect()
}

fn codes(world: &World) -> Vec<String> {
    world.read_csv("res/rejected.csv").iter().map(|row| row["_reject_code"].clone()).collect()
}

#[test]
fn a_chain_of_freed_addresses_is_written_in_the_order_that_works() {
    // The row that needs an address comes before the one that frees it.
    let lines = ["{2},b@example.net", "{1},a@example.net", "{0},new@example.net"];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let (world, ids) = world_with_three();
        let text = order.map(|n| lines[n]).join("\n");
        import(&world, &ids, &format!("contactId,email\n{text}\n"), "").exits(0);
        assert_eq!(
            values(&world, &ids, "email"),
            ["new@example.net", "a@example.net", "b@example.net"],
            "{order:?}"
        );
    }
}

#[test]
fn a_freed_phone_number_is_given_to_the_next_contact() {
    let (world, ids) = world_with_three();
    let text = format!("Email,Phone\nb@example.net,{}\na@example.net,+12025550149\n", PHONES[0]);
    import(&world, &ids, &text, "").exits(0);
    assert_eq!(values(&world, &ids[..2], "phone"), ["+12025550149", PHONES[0]]);
}

#[test]
fn a_new_contact_gets_an_address_or_number_that_another_row_frees() {
    let (world, ids) = world_with_three();
    let text = format!(
        "contactId,First Name,Email,Phone\n,Dora,a@example.net,\n,Eve,e@example.net,{}\n\
         {{0}},Ann,new@example.net,\n{{1}},Ben,,+12025550149\n",
        PHONES[1]
    );
    import(&world, &ids, &text, "").exits(0);
    assert_eq!(values(&world, &ids[..1], "email"), ["new@example.net"]);
    assert_eq!(values(&world, &ids[..1], "firstName"), ["Ann"]);
    assert_eq!(world.contact_by_email("a@example.net")["contact"]["firstName"], "Dora");
    assert_eq!(world.contact_by_email("e@example.net")["contact"]["phone"], PHONES[1]);
    assert_eq!(world.read_contacts().len(), 5);
}

#[test]
fn an_address_that_an_empty_cell_clears_is_free() {
    let (world, ids) = world_with_three();
    let mapping = "format = 1\n[[column]]\nfrom = \"contactId\"\nto = \"contactId\"\n\
                   [[column]]\nfrom = \"email\"\nto = \"email\"\nblank = \"clear\"\n";
    std::fs::write(world.path("clear.toml"), mapping).unwrap();
    let text = "contactId,email\n{1},a@example.net\n{0},\n";
    import(&world, &ids, text, "--map clear.toml --allow-clear").exits(0);
    assert_eq!(values(&world, &ids[..2], "email"), ["", "a@example.net"]);
}

#[test]
fn an_empty_cell_that_clears_nothing_frees_nothing() {
    let (world, ids) = world_with_three();
    import(&world, &ids, "contactId,email\n{1},a@example.net\n{0},\n", "").exits(3);
    assert_eq!(codes(&world), ["R_TWO_CONTACTS"]);
    assert_eq!(values(&world, &ids[..2], "email"), ["a@example.net", "b@example.net"]);
}

#[test]
fn rows_that_exchange_their_addresses_are_rejected_with_what_to_do() {
    let (world, ids) = world_with_three();
    let text = "contactId,email\n{0},b@example.net\n{1},a@example.net\n{2},c@example.net\n";
    import(&world, &ids, text, "").exits(3);
    assert_eq!(codes(&world), ["R_VALUE_SWAP", "R_VALUE_SWAP"]);
    let reason = &world.read_csv("res/rejected.csv")[0]["_reject_reason"];
    assert!(reason.contains("record 1 (line 2) and record 2 (line 3) exchange"), "{reason}");
    assert_eq!(values(&world, &ids[..2], "email"), ["a@example.net", "b@example.net"]);
    // What the reason says works.
    world.write_sheet("one.csv", &format!("contactId,email\n{},free@example.net\n", ids[0]));
    world.run_command("import one.csv --yes --out one").exits(0);
    world.run_command("import res/rejected.csv --yes --out two").exits(0);
    assert_eq!(values(&world, &ids[..2], "email"), ["b@example.net", "a@example.net"]);
}

#[test]
fn a_row_that_needs_the_value_of_a_rejected_row_says_so() {
    let (world, ids) = world_with_three();
    // Ann cannot get the address of Cara, so hers is not free either.
    let text = "contactId,email\n{1},a@example.net\n{0},c@example.net\n";
    import(&world, &ids, text, "").exits(3);
    assert_eq!(codes(&world), ["R_NOT_FREED", "R_TWO_CONTACTS"]);
    let reason = &world.read_csv("res/rejected.csv")[0]["_reject_reason"];
    assert!(reason.contains("record 2 (line 3) gives that contact another one"), "{reason}");
    assert!(world.list_writes().is_empty());
}

#[test]
fn of_two_rows_that_need_one_freed_address_one_gets_it() {
    let (world, ids) = world_with_three();
    let text = "contactId,email\n{1},a@example.net\n{2},a@example.net\n{0},new@example.net\n";
    import(&world, &ids, text, "").exits(3);
    assert_eq!(codes(&world), ["R_NOT_FREED"]);
    assert_eq!(
        values(&world, &ids, "email"),
        ["new@example.net", "a@example.net", "c@example.net"]
    );
}

#[test]
fn a_row_is_not_merged_into_the_contact_that_loses_its_address() {
    for allows in [false, true] {
        let world = World::with_settings(|settings| {
            settings.contacts = 0;
            settings.allow_duplicates = allows;
        });
        let ids = add_three(&world);
        // Without a name, the row could be about Ann; where duplicates are allowed, the index could merge the two.
        let name = if allows { "Dora" } else { "" };
        let text = format!(
            "contactId,First Name,City,Email\n,{name},Rome,a@example.net\n{{0}},Ann,Oslo,new@example.net\n"
        );
        import(&world, &ids, &text, "").exits(3);
        assert_eq!(codes(&world), ["R_NOT_FREED"], "{allows}");
        let reason = &world.read_csv("res/rejected.csv")[0]["_reject_reason"];
        assert!(reason.contains("import the rejected rows again"), "{reason}");
        let ann = world.contact_by_id(&ids[0]);
        assert_eq!(
            (&ann["contact"]["firstName"], &ann["contact"]["city"]),
            (&json!("Ann"), &json!("Oslo"))
        );
        world.run_command("import res/rejected.csv --yes --out two").exits(0);
        assert_eq!(world.contact_by_email("a@example.net")["contact"]["city"], "Rome");
        assert_eq!(world.read_contacts().len(), 4);
    }
}

#[test]
fn a_row_is_held_back_when_the_one_before_it_fails() {
    let (world, ids) = world_with_three();
    let fault = format!("PUT /contacts/{} status=422", ids[0]);
    world.control_request("POST", "faults", &json!([fault]));
    let text = "contactId,email,tags,note\n{2},b@example.net,x,y\n{1},a@example.net,x,y\n{0},new@example.net,x,y\n";
    import(&world, &ids, text, "").exits(3);
    assert_eq!(codes(&world), ["R_NOT_FREED", "R_NOT_FREED", "R_REFUSED"]);
    assert_eq!(values(&world, &ids, "email"), ["a@example.net", "b@example.net", "c@example.net"]);
    let writes = world.list_writes();
    assert!(!writes.iter().any(|it| it.contains(&ids[1]) || it.contains(&ids[2])), "{writes:?}");
    // The rejected rows pass later, in order.
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("import res/rejected.csv --yes --out two").exits(0);
    assert_eq!(
        values(&world, &ids, "email"),
        ["new@example.net", "a@example.net", "b@example.net"]
    );
}

#[test]
fn an_interrupted_chain_is_finished_in_order() {
    let (world, ids) = world_with_three();
    // The freeing write is applied, but its answer is lost, and the process is killed before it knows.
    let text = "contactId,email\n{2},b@example.net\n{1},a@example.net\n{0},new@example.net\n";
    let mut text = text.to_owned();
    for (n, id) in ids.iter().enumerate() {
        text = text.replace(&format!("{{{n}}}"), id);
    }
    world.write_sheet("in.csv", &text);
    let fault = format!("PUT /contacts/{} hold=after", ids[1]);
    world.control_request("POST", "faults", &json!([fault]));
    let running = RunningCommand::start(&world, "import in.csv --yes --out res");
    world.get_control("held?at_least=1");
    running.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    world.run_command("resume").exits(0);
    assert_eq!(
        values(&world, &ids, "email"),
        ["new@example.net", "a@example.net", "b@example.net"]
    );
}

#[test]
fn an_undo_gives_the_addresses_back_in_the_opposite_order() {
    let (world, ids) = world_with_three();
    let text = "contactId,email\n{2},b@example.net\n{1},a@example.net\n{0},new@example.net\n";
    import(&world, &ids, text, "").exits(0);
    world.run_command(&format!("undo {} --yes --out undo", world.last_run("import"))).exits(0);
    assert_eq!(values(&world, &ids, "email"), ["a@example.net", "b@example.net", "c@example.net"]);
}

#[test]
fn a_sample_contains_the_rows_that_free_what_it_needs() {
    let (world, ids) = world_with_three();
    let text = "contactId,email\n{2},b@example.net\n{1},a@example.net\n{0},new@example.net\n";
    import(&world, &ids, text, "--sample 1");
    assert_eq!(
        values(&world, &ids, "email"),
        ["new@example.net", "a@example.net", "b@example.net"]
    );
}
