//! Undo: reverts an import, and nothing else.

mod created_contacts;
mod interrupted_undo;
mod runs_show;
mod whole_account;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::import_world::{empty_world, tag_names};
use crate::world::{CommandOutput, World, short_id};

impl World {
    /// The runs of a kind, oldest first, with their states.
    pub(crate) fn list_runs(&self, kind: &str) -> Vec<(String, String)> {
        let runs: Value =
            serde_json::from_str(&self.run_command("runs list --json").stdout).unwrap();
        let mut runs: Vec<&Value> =
            runs.as_array().unwrap().iter().filter(|run| run["kind"] == kind).collect();
        runs.sort_by_key(|run| run["created"].as_str().map(str::to_owned));
        let text = |run: &Value, key: &str| run[key].as_str().unwrap().to_owned();
        runs.iter().map(|run| (text(run, "run"), text(run, "state"))).collect()
    }

    /// The latest run of a kind.
    #[track_caller]
    pub(crate) fn last_run(&self, kind: &str) -> String {
        self.list_runs(kind).pop().unwrap().0
    }

    /// Takes the latest import back into `undone`, without questions.
    fn run_undo(&self, options: &str) -> CommandOutput {
        self.run_command(&format!("undo {} --yes --out undone {options}", self.last_run("import")))
    }

    /// Takes the latest import back and deletes the contacts that it created: first the command is refused for
    /// want of their number, then the command that it prints is run.
    #[track_caller]
    pub(crate) fn run_deleting_undo(&self) -> CommandOutput {
        let refused = self.run_undo("--created delete").exits(2);
        self.run_printed_command(&refused, "apply: ")
    }

    /// Runs the command that an output names after a label.
    #[track_caller]
    pub(crate) fn run_printed_command(
        &self,
        printed: &CommandOutput,
        label: &str,
    ) -> CommandOutput {
        let line = printed.stderr.lines().find_map(|line| line.split_once(label));
        let line = line.unwrap_or_else(|| panic!("no `{label}` in {}", printed.stderr)).1;
        self.run_command(line.strip_prefix("ghl-bulk ").unwrap())
    }

    /// Edits a contact behind everybody's back.
    pub(crate) fn edit_contact(&self, email: &str, changes: &Value) {
        let person = self.contact_by_email(email);
        let id = person["contact"]["id"].as_str().unwrap();
        self.control_request("PUT", &format!("contacts/{id}"), changes);
    }

    /// The account, without when a contact was last changed, what the server derives from the rest, and
    /// what means nothing. The order of tags means nothing either.
    fn read_contents(&self) -> Vec<Value> {
        let mut all = self.read_contacts();
        for person in &mut all {
            let row = person["contact"].as_object_mut().unwrap();
            row.retain(|key, value| {
                let derived = key == "contactName" || key.ends_with("LowerCase");
                let nothing = [json!(null), json!(""), json!([]), json!({})].contains(value);
                key != "dateUpdated" && !derived && !nothing
            });
            if let Some(Value::Array(tags)) = row.get_mut("tags") {
                tags.sort_by_key(Value::to_string);
            }
        }
        all
    }

    /// What `plan.csv` in `undone` says of a row: its action, and its changes as `field: old -> new`.
    #[track_caller]
    fn planned_undo(&self, row: &str) -> (String, Vec<String>) {
        let plan = self.read_csv("undone/plan.csv");
        let lines: Vec<_> = plan.iter().filter(|line| line["row"] == row).collect();
        let changes =
            lines.iter().map(|it| format!("{}: {} -> {}", it["field"], it["old"], it["new"]));
        (lines[0]["action"].clone(), changes.collect())
    }
}

/// A world with these people, and the import of a sheet into it.
fn imported(people: &[Value], sheet: &str, options: &str) -> (World, Vec<Value>) {
    let world = empty_world();
    world.add_contacts(people);
    let before = world.read_contents();
    world.write_sheet("in.csv", sheet);
    world.run_import(options).exits(0);
    assert_ne!(world.read_contents(), before, "the import did nothing");
    (world, before)
}

fn ann() -> Value {
    json!({"email": "ann@example.com", "firstName": "Ann", "city": "Oslo", "tags": ["old"]})
}

const ANNA: &str =
    "First Name,Email,City,State,Tags,Notes\nAnna,ann@example.com,Rome,RM,new; old,Hello\n";

#[test]
fn an_update_is_taken_back_to_the_last_field() {
    let (world, before) = imported(&[ann()], ANNA, "");
    world.run_undo("").exits(0).says("restore").says("1  succeeded");
    assert_eq!(world.read_contents(), before);
    let (action, changes) = world.planned_undo("1");
    assert_eq!(action, "restore");
    let all = [
        "note: Hello -> ",
        "tags: old; new -> old",
        "city: Rome -> Oslo",
        "firstName: Anna -> Ann",
        "state: RM -> ",
    ];
    assert_eq!(changes, all);
    assert_eq!(world.read_csv("undone/succeeded.csv")[0]["_action"], "restore");
}

#[test]
fn without_a_yes_the_plan_is_shown_and_nothing_is_sent() {
    let (world, before) = imported(&[ann()], ANNA, "");
    let after = world.read_contents();
    let done = world.run_command(&format!("undo {} --out undone", world.last_run("import")));
    let undo = world.last_run("undo");
    done.exits(2)
        .says("city: Rome -> Oslo")
        .says(&format!("ghl-bulk apply {} --yes", short_id(&undo)));
    assert_eq!(world.read_contents(), after);
    world.run_command(&format!("resume {undo}")).exits(2).says("ghl-bulk apply");
    assert_eq!(world.read_contents(), after);
    world.run_command(&format!("apply {undo} --yes")).exits(0);
    assert_eq!(world.read_contents(), before);
}

#[test]
fn contacts_edited_since_are_left_alone_and_named() {
    let people = [ann(), json!({"email": "bob@example.com", "city": "Oslo"})];
    let sheet = "First Name,Email,City\nAnna,ann@example.com,Rome\n,bob@example.com,Rome\n";
    let (world, _) = imported(&people, sheet, "");
    world.edit_contact("ann@example.com", &json!({"city": "Bern", "state": "BE"}));
    world.edit_contact("bob@example.com", &json!({"city": "Bern"}));
    world.run_undo("").exits(3).says("lists what was not undone");
    let ann = &world.contact_by_email("ann@example.com")["contact"];
    assert_eq!((&ann["firstName"], &ann["city"]), (&json!("Ann"), &json!("Bern")));
    assert_eq!(ann["state"], "BE");
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["city"], "Bern");
    let warnings = world.read_csv("undone/warnings.csv");
    let warned = warnings.iter().map(|it| [&*it["row"], &it["code"], &it["field"]]);
    assert_eq!(warned.collect::<Vec<_>>(), [["1", "W_EDITED_SINCE", "city"]]);
    let stays = &world.read_csv("undone/rejected.csv")[0];
    let said = ["Email", "_reject_code", "_reject_field"].map(|key| stays[key].as_str());
    assert_eq!(said, ["bob@example.com", "R_CONFLICT", "city"]);
}

#[test]
fn tags_that_were_there_before_stay_and_those_taken_away_come_back() {
    let people = [json!({"email": "ann@example.com", "tags": ["vip", "old"]})];
    let sheet = "Email,Tags\nann@example.com,vip; new\n";
    let (world, before) = imported(&people, sheet, "--tags replace");
    world.edit_contact("ann@example.com", &json!({"tags": ["vip", "new", "theirs"]}));
    world.run_undo("").exits(0);
    let mut now = tag_names(&world.contact_by_email("ann@example.com"));
    now.sort();
    assert_eq!(now, ["old", "theirs", "vip"]);
    world.edit_contact("ann@example.com", &json!({"tags": before[0]["contact"]["tags"]}));
    world.run_import("--mode untag").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("ann@example.com")), ["old"]);
    world.run_undo("").exits(0);
    assert_eq!(tag_names(&world.contact_by_email("ann@example.com")), ["old", "vip"]);
}

#[test]
fn a_tagging_of_many_is_taken_back_in_few_requests() {
    let world = World::with_settings(|settings| settings.contacts = 150);
    let mut sheet = "Contact Id,Tags\n".to_owned();
    for person in world.read_contacts() {
        writeln!(sheet, "{},autumn", person["contact"]["id"].as_str().unwrap()).unwrap();
    }
    let first = world.read_contacts()[0]["contact"]["id"].as_str().unwrap().to_owned();
    world.control_request("PUT", &format!("contacts/{first}"), &json!({"tags": ["autumn"]}));
    let before = world.read_contents();
    world.write_sheet("in.csv", &sheet);
    world.run_import("--mode tag").exits(0);
    world.control_request("DELETE", "log", &Value::Null);
    world.run_undo("").exits(0);
    assert_eq!(world.read_contents(), before, "who had the tag before keeps it");
    assert_eq!(world.list_writes(), ["POST /contacts/bulk/tags/update/remove"; 2]);
}

#[test]
fn notes_and_tasks_that_were_made_go_and_those_that_were_changed_are_as_before() {
    let people = [json!({
        "email": "ann@example.com",
        "__notes": [{"id": "noteNumber1", "body": "as it was"}],
        "__tasks": [{"id": "taskNumber1", "title": "Call", "body": "", "dueDate": "2026-01-02T10:00:00.000Z", "completed": false}],
    })];
    let world = empty_world();
    let id = &world.add_contacts(&people)[0];
    let before = world.read_contents();
    world.write_sheet(
        "notes.csv",
        &format!("Contact Id,Note Id,Note\n{id},noteNumber1,changed\n{id},,mine\n{id},,edited\n"),
    );
    world
        .run_command("import notes.csv --yes --out res --map 'Note Id=note.id' --map Note=note")
        .exits(0);
    let notes = world.last_run("import");
    world.write_sheet(
        "tasks.csv",
        &format!("Contact Id,Task Id,Title,Due,CommandOutput\n{id},taskNumber1,Ring,2026-03-04T10:00:00Z,yes\n{id},,New,2026-03-04T10:00:00Z,no\n"),
    );
    let map = "--map 'Task Id=task.id' --map Title=task.title --map Due=task.dueDate --map CommandOutput=task.completed";
    world.run_command(&format!("import tasks.csv --yes --out res {map}")).exits(0);
    let person = world.contact_by_email("ann@example.com");
    assert_eq!(
        (person["notes"].as_array().unwrap().len(), person["tasks"].as_array().unwrap().len()),
        (3, 2)
    );
    let mut edited = person["notes"].clone();
    let own = edited.as_array_mut().unwrap().iter_mut().find(|note| note["body"] == "edited");
    own.unwrap()["body"] = "by hand".into();
    world.edit_contact("ann@example.com", &json!({"__notes": edited}));
    world.run_undo("").exits(0);
    assert_eq!(world.contact_by_email("ann@example.com")["tasks"], before[0]["tasks"]);
    world.run_command(&format!("undo {notes} --yes --out undone")).exits(3);
    let now = world.contact_by_email("ann@example.com");
    let mut bodies: Vec<_> = now["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note["body"].as_str().unwrap())
        .collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["as it was", "by hand"]);
    assert_eq!(world.read_csv("undone/rejected.csv")[0]["_reject_field"], "note");
}

#[test]
fn a_business_is_set_back() {
    let world = empty_world();
    world.control_request(
        "PUT",
        "businesses",
        &json!([{"id": "business1", "name": "Acme"}, {"id": "business2", "name": "Globex"}]),
    );
    world.add_contacts(&[
        json!({"email": "ann@example.com", "businessId": "business2"}),
        json!({"email": "bob@example.com"}),
        json!({"email": "eve@example.com"}),
    ]);
    let before = world.read_contents();
    world.write_sheet(
        "in.csv",
        "Email,Firm\nann@example.com,Acme\nbob@example.com,Acme\neve@example.com,Acme\n",
    );
    world.run_import("--map Firm=business").exits(0);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["businessId"], "business1");
    world.edit_contact("eve@example.com", &json!({"businessId": "business2"}));
    world.run_undo("").exits(3);
    assert_eq!(world.contact_by_email("ann@example.com")["contact"]["businessId"], "business2");
    let none = |value: &Value| value["contact"].get("businessId").is_none_or(Value::is_null);
    assert!(none(&world.contact_by_email("bob@example.com")) && none(&before[1]));
    assert_eq!(world.contact_by_email("eve@example.com")["contact"]["businessId"], "business2");
}

#[test]
fn do_not_disturb_is_lifted_only_where_the_import_has_set_it() {
    let people = [
        json!({"email": "ours@example.com", "dnd": false}),
        json!({"email": "theirs@example.com", "dnd": true}),
        json!({"email": "left@example.com", "dnd": false}),
    ];
    let sheet =
        "Email,DND,Mail\nours@example.com,yes,\ntheirs@example.com,yes,\nleft@example.com,,yes\n";
    let (world, _) = imported(&people, sheet, "--map Mail=dndSettings.Email");
    assert_eq!(
        world.contact_by_email("left@example.com")["contact"]["dndSettings"]["Email"]["status"],
        "active"
    );
    let stop = json!({"Email": {"status": "permanent", "message": "STOP", "code": "1"}});
    world.edit_contact("left@example.com", &json!({"dndSettings": stop}));
    world.run_undo("").exits(3);
    assert_eq!(world.contact_by_email("ours@example.com")["contact"]["dnd"], false);
    assert_eq!(world.contact_by_email("theirs@example.com")["contact"]["dnd"], true);
    assert_eq!(world.contact_by_email("left@example.com")["contact"]["dndSettings"], stop);
    assert_eq!(world.read_csv("undone/rejected.csv")[0]["_reject_field"], "dndSettings.Email");
}

#[test]
fn a_contact_that_is_gone_is_unchanged_for_that_reason() {
    let people = [ann(), json!({"email": "bob@example.com", "city": "Oslo"})];
    let sheet = "Email,City\nann@example.com,Rome\nbob@example.com,Rome\n";
    let (world, _) = imported(&people, sheet, "");
    let id =
        world.contact_by_email("ann@example.com")["contact"]["id"].as_str().unwrap().to_owned();
    world.control_request("DELETE", &format!("contacts/{id}"), &Value::Null);
    world.run_undo("").exits(0);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["city"], "Oslo");
    let unchanged = &world.read_csv("undone/unchanged.csv")[0];
    assert_eq!(unchanged["_reason"], "the contact no longer exists");
    assert_eq!(
        world.planned_undo("1"),
        ("unchanged".to_owned(), vec![":  -> the contact no longer exists".to_owned()])
    );
}

#[test]
fn a_second_undo_sends_nothing() {
    let (world, _) = imported(&[ann()], &format!("{ANNA}Bo,bo@example.com,Rome,RM,new,Hi\n"), "");
    world.run_undo("").exits(0);
    let after = world.read_contents();
    world.control_request("DELETE", "log", &Value::Null);
    world.run_undo("").exits(0).says("2  unchanged");
    assert_eq!((world.list_writes(), world.read_contents()), (Vec::<String>::new(), after));
}

#[test]
fn only_an_import_can_be_undone() {
    let (world, _) = imported(&[ann()], ANNA, "");
    world.run_undo("").exits(0);
    let undo = world.last_run("undo");
    world
        .run_command(&format!("undo {undo} --yes"))
        .exits(2)
        .says("is an undo itself")
        .says("import the file again");
    world.run_command("export --out out").exits(0);
    let export = world.last_run("export");
    world
        .run_command(&format!("undo {export} --yes"))
        .exits(2)
        .says("only an import can be undone");
    world.run_command("undo 20200101-000000-none --yes").exits(10);
    assert_eq!(world.list_runs("undo").len(), 1, "a refused undo leaves no run");
}

#[test]
fn rows_that_were_merged_are_taken_back_with_the_row_that_counted() {
    let sheet =
        "Name,Email,City,State\nAnn Test,Ann@Example.com,Rome,\nAnn Test,ann@example.com,,RM\n";
    let (world, before) =
        imported(&[json!({"email": "ann@example.com"})], sheet, "--on-duplicate merge");
    assert_eq!(world.contact_by_email("ann@example.com")["contact"]["state"], "RM");
    world.run_undo("").exits(0);
    assert_eq!(world.read_contents(), before);
}

#[test]
fn rows_that_wrote_over_each_other_are_taken_back_together() {
    let people = [json!({"email": "ann@example.com", "phone": "+12025550143", "city": "Oslo"})];
    let sheet = "First Name,Email,Phone,City\nAnna,ann@example.com,,Rome\n,,+12025550143,Bern\n";
    let (world, before) = imported(&people, sheet, "");
    world.run_undo("").exits(0).says("2 restore");
    assert_eq!(world.read_contents(), before);
    assert!(world.read_csv("undone/warnings.csv").is_empty(), "nothing else was edited");
    world.run_import("").exits(0);
    world.edit_contact("ann@example.com", &json!({"city": "Kyiv"}));
    world.run_undo("").exits(3);
    let ann = &world.read_contents()[0]["contact"];
    assert_eq!((&ann["city"], ann.get("firstName")), (&json!("Kyiv"), None));
    assert_eq!(world.read_csv("undone/rejected.csv")[0]["Phone"], "+12025550143");
    assert_eq!(
        world.read_csv("undone/plan.csv").last().unwrap()["contact_id"],
        ann["id"].as_str().unwrap()
    );
}

#[test]
fn what_was_undone_can_be_imported_again() {
    let (world, before) = imported(&[ann()], ANNA, "");
    let imported = world.read_contents();
    for _ in 0..2 {
        world.run_undo("").exits(0);
        assert_eq!(world.read_contents(), before);
        world.run_import("").exits(0);
        let (now, then) = (world.read_contents(), imported.clone());
        assert_eq!(
            (&now[0]["contact"], &now[0]["notes"][0]["body"]),
            (&then[0]["contact"], &json!("Hello"))
        );
    }
    world.run_import("").exits(0);
    assert_eq!(world.contact_by_email("ann@example.com")["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_search_that_lags_hides_nothing_from_an_undo() {
    for created in ["tag", "delete --confirm-delete 1"] {
        let world = World::with_settings(|settings| {
            settings.contacts = 0;
            settings.lag = std::time::Duration::from_mins(2);
        });
        world.add_contacts(&[
            ann(),
            json!({"email": "bob@example.com", "city": "Oslo"}),
            json!({"email": "eve@example.com"}),
        ]);
        let before = world.read_contents();
        world.write_sheet(
            "in.csv",
            &format!("{ANNA},bob@example.com,Rome,,,\nNew,new@example.com,Rome,,,\n"),
        );
        world.run_import("").exits(0);
        world.run_undo(&format!("--created {created}")).exits(0);
        let mut now = world.read_contents();
        if created == "tag" {
            assert_eq!(tag_names(&now.remove(3)), ["import-undone"]);
        }
        assert_eq!(now, before, "{created}");
    }
}
