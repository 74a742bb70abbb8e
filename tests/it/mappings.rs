//! Mapping files: what they do to an import, and the errors of a wrong one.

use serde_json::{Value, json};

use crate::import_world::{empty_world, tag_names};
use crate::world::World;

const SHEET: &str = "Email,City,Phone,Kind\nann@example.com,Rome,+12025550143,Small\n";

/// A location with a few custom fields, users and a business.
fn world() -> World {
    let world = empty_world();
    let field = |number: usize, key: &str, kind: &str, options: &[&str]| {
        json!({
            "id": format!("field{number:015}"), "name": key.replace('_', " "),
            "fieldKey": format!("contact.{key}"), "dataType": kind, "model": "contact",
            "position": number, "picklistOptions": options, "isAllowedCustomOption": false,
        })
    };
    world.control_request(
        "PUT",
        "customFields",
        &json!([
            field(1, "vip_since", "DATE", &[]),
            field(2, "size", "SINGLE_OPTIONS", &["Small", "Large"]),
            field(3, "contract", "FILE_UPLOAD", &[]),
            field(4, "nickname", "TEXT", &[]),
        ]),
    );
    let user = |id: &str, first: &str, last: &str| {
        json!({
            "id": id, "name": format!("{first} {last}"), "firstName": first, "lastName": last,
            "email": format!("{id}@example.com"), "deleted": false,
        })
    };
    let users =
        [user("u1", "Sam", "Owner"), user("u2", "Sam", "Owner"), user("u3", "Kim", "Sales")];
    world.control_request("PUT", "users", &json!(users));
    let business = json!([{ "id": "000000000000000000000b01", "name": "Muster GmbH" }]);
    world.control_request("PUT", "businesses", &business);
    world.write_sheet("in.csv", SHEET);
    world
}

/// The text of a mapping with one table for each `from=to`, and more under it.
fn columns(rules: &[&str]) -> String {
    let table = |rule: &&str| {
        let (rule, more) = rule.split_once('|').unwrap_or((rule, ""));
        let (from, to) = rule.split_once('=').unwrap();
        format!("[[column]]\nfrom = \"{from}\"\nto = \"{to}\"\n{}\n", more.replace('|', "\n"))
    };
    let tables: Vec<String> = rules.iter().map(table).collect();
    format!("format = 1\n{}", tables.concat())
}

/// Imports with a mapping that is refused: says all of this, and sends nothing.
#[track_caller]
fn assert_refused(world: &World, map: &str, says: &[&str]) {
    world.write_sheet("map.toml", map);
    let done = world.run_import("--map map.toml").exits(4);
    for part in says {
        assert!(done.stderr.contains(part), "no `{part}` in: {}\n{map}", done.stderr);
    }
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn an_error_in_a_mapping_is_reported_with_its_line_and_the_nearest_name() {
    let world = world();
    let rest = &["City=ignore", "Phone=ignore", "Kind=ignore"];
    let with = |rule: &str| columns(&[&[rule], rest.as_slice()].concat());
    for (map, says) in [
        (with("Email=emial"), &["line 4: `emial` is not a target", "did you mean `email`?"][..]),
        (with("Email=email|covnert = \"email\""), &["line 5: ", "no key `covnert`", "`convert`"]),
        (with("Email=email|convert = \"emial\""), &["line 5: ", "cannot be `emial`", "`email`"]),
        (
            with("Email=email|blank = \"empty\""),
            &["line 5: ", "cannot be `empty`", "`leave`, `clear`"],
        ),
        (
            with("Email=email|when = { colum = \"City\", is = \"Rome\" }"),
            &["line 5: ", "did you mean `column`?"],
        ),
        (
            with("Email=email|template = \"{Emial}\""),
            &["line 2: ", "names `Emial`", "did you mean `Email`?"],
        ),
        (
            format!("{}[options]\nstrct = true\n", with("Email=email")),
            &["no option `strct`", "did you mean `strict`?"],
        ),
        (
            format!("{}[options]\nmode = \"upset\"\n", with("Email=email")),
            &["line ", "`mode` takes `upsert`, `create`"],
        ),
        (
            format!("colum = 1\n{}", with("Email=email")),
            &["line 1: a mapping has no key `colum`", "`column`"],
        ),
        ("format = 1\n[[column]\nfrom = 1\n".to_owned(), &["line 2: invalid TOML"]),
        ("just some text\n".to_owned(), &["line 1: invalid TOML"]),
        ("format = 9\n".to_owned(), &["line 1: the mapping must have `format = 1`"]),
    ] {
        assert_refused(&world, &map, &[&["the mapping `", "map.toml` has errors"], says].concat());
    }
    assert!(
        world.get_control("log")["entries"].as_array().unwrap().is_empty(),
        "the account was asked first"
    );
}

#[test]
fn a_mapping_that_does_not_match_the_sheet_or_the_location_is_refused() {
    let world = world();
    let rest = &["City=ignore", "Phone=ignore", "Kind=ignore"];
    let with = |rules: &[&str]| columns(&[rules, rest.as_slice()].concat());
    for (map, says) in [
        (
            with(&["Emial=email", "Email=ignore"]),
            &["line 2: the sheet has no column `Emial`", "did you mean `Email`?"][..],
        ),
        (columns(&["Email=email", "City=city", "Kind=ignore"]), &["does not mention `Phone`"]),
        (
            columns(&["Email=email", "City=email", "Phone=ignore", "Kind=ignore"]),
            &["columns A (`Email`) and B (`City`) both go to `email`, which takes one"],
        ),
        (
            with(&["Email=customFields.vip_sinc"]),
            &["line 2: ", "no custom field `vip_sinc`", "`vip_since`"],
        ),
        (with(&["Email=customFields.contract"]), &["line 2: ", "FILE_UPLOAD", "cannot be written"]),
        (
            with(&["Email=customFields.vip_since|convert = \"email\""]),
            &["line 2: ", "DATE", "cannot be used"],
        ),
        (
            with(&["Email=email|convert = \"date\""]),
            &["line 2: ", "`convert = \"date\"` cannot be used for `email`"],
        ),
        (with(&["Email=?"]), &["line 2: ", "`Email` has no target yet"]),
        (
            format!("location = \"elsewhere\"\n{}", with(&["Email=email"])),
            &["is for location `elsewhere`"],
        ),
        (
            with(&["Email=email|when = { column = \"Sort\", is = \"x\" }"]),
            &["line 2: the sheet has no column `Sort`"],
        ),
    ] {
        assert_refused(&world, &map, says);
    }
}

#[test]
fn an_invalid_option_value_rejects_its_row_and_suggests_the_nearest() {
    let world = world();
    world.write_sheet("in.csv", "Email,Kind\nann@example.com,Smal\nbob@example.com,LARGE\n");
    world.write_sheet("map.toml", &columns(&["Email=email", "Kind=customFields.size"]));
    world.run_import("--map map.toml").exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["_reject_code"], "R_OPTION_UNKNOWN");
    assert!(rejected[0]["_reject_reason"].contains("the closest is `Small`"), "{rejected:?}");
    assert_eq!(
        world.contact_by_email("bob@example.com")["contact"]["customFields"][0]["value"],
        "Large"
    );
}

#[test]
fn unknown_or_ambiguous_names_of_users_and_businesses_stop_the_import() {
    let world = world();
    world.write_sheet("map.toml", &columns(&["Email=email", "Owner=assignedTo", "Firm=business"]));
    let sheet =
        |owner: &str, firm: &str| format!("Email,Owner,Firm\nann@example.com,{owner},{firm}\n");
    for (owner, firm, says) in [
        (
            "Sam Owner",
            "",
            &["`Sam Owner` in column `Owner` (1 row)", "u1@example.com", "u2@example.com"][..],
        ),
        ("Kim Salse", "", &["`Kim Salse`", "`Kim Sales`"]),
        ("", "Muster Gmb", &["`Muster Gmb` in column `Firm`", "`Muster GmbH`"]),
    ] {
        world.write_sheet("in.csv", &sheet(owner, firm));
        let done = world.run_import("--map map.toml").exits(4);
        assert!(says.iter().all(|part| done.stderr.contains(part)), "{says:?}: {}", done.stderr);
    }
    assert_eq!(world.list_writes(), [""; 0]);
    world.write_sheet("in.csv", &sheet("U2@example.com", "muster gmbh"));
    world.run_import("--map map.toml").exits(0);
    let ann = world.contact_by_email("ann@example.com");
    assert_eq!(ann["contact"]["assignedTo"], "u2");
    assert_eq!(ann["contact"]["businessId"], "000000000000000000000b01");
}

#[test]
fn an_empty_cell_rejects_clears_or_is_ignored_as_the_mapping_says() {
    let world = world();
    world.add_contacts(&[json!({ "email": "ann@example.com", "city": "Rome", "tags": ["old"] })]);
    world.write_sheet("in.csv", "Email,City\nann@example.com,\n");
    let city = || world.contact_by_email("ann@example.com")["contact"]["city"].clone();
    world.write_sheet("map.toml", &columns(&["Email=email", "City=city|blank = \"error\""]));
    world.run_import("--map map.toml").exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_BLANK");
    world.write_sheet("map.toml", &columns(&["Email=email", "City=city"]));
    world.run_import("--map map.toml").exits(0);
    world.write_sheet("map.toml", &columns(&["Email=email", "City=city|blank = \"clear\""]));
    world.run_import("--map map.toml").exits(0);
    assert_eq!(city(), "Rome", "an empty cell cleared unasked");
    let warnings = world.read_csv("res/warnings.csv");
    assert!(warnings.iter().any(|it| it["message"].contains("--allow-clear")), "{warnings:?}");
    world.run_import("--map map.toml --allow-clear").exits(0);
    assert!([Value::Null, "".into()].contains(&city()), "{}", city());
}

#[test]
fn values_are_made_as_the_mapping_says() {
    let world = world();
    world.add_contacts(&[json!({ "email": "ann@example.com", "tags": ["old"] })]);
    world.write_sheet(
        "in.csv",
        "Email,Groups,Origin,Phone,Street,No,Nick\n\
         ann@example.com,red/blue,WEB,tel:+12025550143,Main St,5,\n\
         bob@example.com,green,FAIR,,,,Bobby\n",
    );
    let map = columns(&[
        "Email=email",
        "Groups=tags|split = [\"/\"]|tags = \"replace\"|prefix = \"g-\"",
        "Origin=source|values = { web = \"Website\", fair = \"Trade fair\" }",
        "Phone=phone|strip_prefix = \"tel:\"",
        "Nick=customFields.nickname",
    ]) + "[[column]]\nfrom = [\"Street\", \"No\"]\nto = \"address1\"\njoin = \" \"\n\
          [[constant]]\nto = \"country\"\nvalue = \"Italy\"\n";
    world.write_sheet("map.toml", &map);
    world.run_import("--map map.toml").exits(0);
    let (ann, bob) =
        (world.contact_by_email("ann@example.com"), world.contact_by_email("bob@example.com"));
    assert_eq!(tag_names(&ann), ["g-red", "g-blue"]);
    assert_eq!(tag_names(&bob), ["g-green"]);
    let text = |person: &Value, field: &str| {
        person["contact"][field].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(text(&ann, "source"), "Website");
    assert_eq!(text(&ann, "phone"), "+12025550143");
    assert_eq!(text(&ann, "address"), "Main St 5");
    assert_eq!([text(&ann, "country"), text(&bob, "country")], ["IT", "IT"]);
    assert_eq!(bob["contact"]["customFields"][0]["value"], "Bobby");
}

#[test]
fn one_column_goes_two_ways_by_what_another_holds() {
    let world = world();
    let ids = world.add_contacts(&[json!({ "email": "ann@example.com" })]);
    world.write_sheet(
        "in.csv",
        &format!("Who,Type,Text,Due\n{0},Task,Call back,2026-03-01T10:00:00Z\n{0},note,Met at the fair,\n", ids[0]),
    );
    world.write_sheet(
        "map.toml",
        &columns(&[
            "Who=contactId",
            "Text=task.title|when = { column = \"Type\", is = [\"task\"] }",
            "Text=note|when = { column = \"Type\", not = [\"task\"] }",
            "Due=task.dueDate",
        ]),
    );
    world.run_import("--map map.toml").exits(0);
    let ann = world.contact_by_email("ann@example.com");
    let count = |kind: &str| ann[kind].as_array().unwrap().len();
    assert_eq!([count("tasks"), count("notes")], [1, 1]);
    assert_eq!(ann["tasks"][0]["title"], "Call back");
    assert_eq!(ann["notes"][0]["body"], "Met at the fair");
}
