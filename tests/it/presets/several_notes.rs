//! Files with a row for each visit or call: one person, several notes.

use serde_json::Value;

use crate::world::World;

/// The notes of the contact with a value in a field.
fn notes_of(world: &World, field: &str, value: &str) -> Vec<String> {
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap();
    let mut of = contacts.iter().filter(|one| one["contact"][field] == value);
    let contact = of.next().unwrap_or_else(|| panic!("no contact has {value}"));
    assert!(of.next().is_none(), "{value} is there twice");
    let notes = contact["notes"].as_array().unwrap().iter();
    let mut notes: Vec<String> = notes.map(|note| text(&note["body"])).collect();
    notes.sort();
    notes
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn several_visits_of_one_person_become_several_notes() {
    let world = World::new();
    world.write_sheet(
        "visits.csv",
        "DocName,LinkName,VisitTime,VisitorEmail,VisitorName,VisitorCompany,VisitUrl\n\
         Deck,Public,2026-02-01T10:00:00Z,ada@visits.example,Ada Love,Acme,https://docsend.com/v/1\n\
         Prices,,2026-02-02T10:00:00Z,ada@visits.example,Ada Love,Acme,https://docsend.com/v/2\n",
    );
    world.run_command("import visits.csv --yes").exits(0);
    assert_eq!(
        notes_of(&world, "email", "ada@visits.example"),
        [
            "DocSend: Deck via Public, 2026-02-01T10:00:00Z, https://docsend.com/v/1",
            "DocSend: Prices, 2026-02-02T10:00:00Z, https://docsend.com/v/2",
        ]
    );
}

#[test]
fn a_call_log_creates_callers_by_number_and_attaches_a_note_per_call() {
    let world = World::new();
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap();
    let known = contacts.iter().find(|one| one["contact"]["phone"].is_string()).unwrap();
    let (number, before) = (text(&known["contact"]["phone"]), known["notes"].as_array().unwrap());
    let row = |time: &str, id: &str, number: &str| {
        format!("{time},{id},inbound,{number},agent@company.example,Robin Agent,1.5\n")
    };
    let calls = "date_started,call_id,direction,external_number,email,name,talk_duration\n"
        .to_owned()
        + &row("2026-03-02 14:01:12", "1", "+442079460958")
        + &row("2026-03-02 15:01:12", "2", "+442079460958")
        + &row("2026-03-02 16:01:12", "3", &number);
    world.write_sheet("calls.csv", &calls);
    world.run_command("import calls.csv --yes").exits(0);
    let note = |time: &str, id: &str| {
        format!("Dialpad: inbound call on {time}, 1.5 min, with Robin Agent (call {id})")
    };
    assert_eq!(
        notes_of(&world, "phone", "+442079460958"),
        [note("2026-03-02 14:01:12", "1"), note("2026-03-02 15:01:12", "2")]
    );
    let after = notes_of(&world, "phone", &number);
    assert_eq!(after.len(), before.len() + 1);
    assert!(after.contains(&note("2026-03-02 16:01:12", "3")));
    // `email` and `name` are the agent's.
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap();
    assert!(contacts.iter().all(|one| one["contact"]["email"] != "agent@company.example"));
}

#[test]
fn without_the_option_a_note_creates_no_contact() {
    let world = World::new();
    world.write_sheet("notes.csv", "Phone,Note\n+442079460958,hello\n");
    let import = "import notes.csv --map Phone=phone --map Note=note --yes";
    world.run_command(import).exits(3).says("--missing-contact create");
    world.run_command(&format!("{import} --missing-contact create")).exits(0);
    assert_eq!(notes_of(&world, "phone", "+442079460958"), ["hello"]);
}
