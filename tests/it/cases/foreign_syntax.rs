//! Cells in the syntax of another program: text formulas, HTML entities, lists.

use super::{contact, import_case, import_text, warned_columns};
use crate::import_world::tag_names;

#[test]
fn a_text_formula_is_its_text() {
    let (world, done) = import_case("c02_excel_text_formula.csv", "");
    done.exits(0);
    let avery = contact(&world, "avery.c2@example.net");
    assert_eq!(avery["firstName"], "Avery");
    assert_eq!(avery["postalCode"], "02139");
    assert_eq!(avery["phone"], "+12025550105");
    let blake = contact(&world, "blake.c2@example.net");
    assert_eq!(blake["postalCode"], "00501");
    assert_eq!(blake["phone"], "+12025550106");
    assert_eq!(contact(&world, "casey.c2@example.net")["postalCode"], "02139");
}

#[test]
fn a_text_formula_in_the_header_is_its_text_and_an_empty_one_is_empty() {
    let (world, done) = import_text(
        "=\"Email\",=\"Company Name\",=\"City\"\n\
         =\"a@example.net\",\"=\"\"Say \"\"\"\"hi\"\"\"\", Inc.\"\"\",=\"\"\n",
        "",
    );
    done.exits(0);
    let person = contact(&world, "a@example.net");
    assert_eq!(person["companyName"], "Say \"hi\", Inc.");
    assert!(person["city"].is_null(), "{person}");
}

#[test]
fn html_entities_are_decoded_with_a_warning_and_notes_stay_as_they_are() {
    let (world, done) = import_case("k28_html_entities.csv", "");
    done.exits(0).says("Company: 2 values have HTML entities, which are decoded");
    let zoe = world.contact_by_email("zoe.k28@example.net");
    assert_eq!(zoe["contact"]["firstName"], "Zoë");
    assert_eq!(zoe["contact"]["lastName"], "O'Sample");
    assert_eq!(zoe["contact"]["companyName"], "Sample & Sons");
    assert_eq!(zoe["notes"][0]["body"], "likes &quot;rye&quot;<br>and tea");
    assert_eq!(warned_columns(&world, "W_HTML_ENTITY_KEPT"), [("Notes".to_owned(), 2)]);
    let decoded = warned_columns(&world, "W_HTML_ENTITY");
    let expected = [("Company", 2), ("First Name", 1), ("Last Name", 1)];
    assert_eq!(decoded, expected.map(|(name, count)| (name.to_owned(), count)));
}

#[test]
fn html_entities_in_tags_are_decoded_before_the_tags_are_split() {
    let (world, done) = import_text("Email,Tags\na@example.net,R&amp;D; vip\n", "");
    done.exits(0);
    assert_eq!(tag_names(&world.contact_by_email("a@example.net")), ["r&d", "vip"]);
}

#[test]
fn an_ampersand_that_is_no_entity_is_not_touched() {
    let (world, done) = import_text(
        "Email,Company Name,Website\na@example.net,AT&T; R&D,https://example.net/?a=1&copy=2\n",
        "",
    );
    done.exits(0);
    let person = contact(&world, "a@example.net");
    assert_eq!(person["companyName"], "AT&T; R&D");
    assert_eq!(person["website"], "https://example.net/?a=1&copy=2");
}

#[test]
fn lists_of_other_programs_become_tags() {
    let (world, done) = import_case("d09_tag_shapes.csv", "");
    done.exits(0);
    let tags = |of: &str| tag_names(&world.contact_by_email(&format!("{of}.d9@example.net")));
    assert_eq!(tags("a"), ["hot lead", "vip"]);
    assert_eq!(tags("b"), ["hot lead", "vip"]);
    assert_eq!(tags("c"), ["#hot #vip"]);
    assert_eq!(tags("d"), ["0", "client"]);
    assert_eq!(tags("e"), ["vip", "hot"]);
    assert_eq!(tags("f"), ["hot lead", "vip"]);
    assert_eq!(tags("g"), ["hot lead", "vip, gold"]);
    assert_eq!(tags("h"), ["vip", "hot"]);
}

#[test]
fn an_array_of_php_becomes_tags() {
    let (world, done) = import_text(
        "Email,Tags\na@example.net,\"a:2:{i:0;s:8:\"\"hot, new\"\";i:1;s:3:\"\"vip\"\";}\"\n\
         b@example.net,\"a:2:{s:4:\"\"news\"\";b:1;s:3:\"\"ads\"\";b:0;}\"\nc@example.net,\"a:1:{i:0;s:5:\"\"café\"\";}\"\n",
        "",
    );
    done.exits(0);
    let tags = |of: &str| tag_names(&world.contact_by_email(&format!("{of}@example.net")));
    assert_eq!(tags("a"), ["hot, new", "vip"]);
    assert_eq!(tags("b"), ["news"]);
    assert_eq!(tags("c"), ["café"]);
}

#[test]
fn a_list_of_another_program_may_be_one_of_several_items() {
    let (world, done) = import_text(
        "Email,Tags\na@example.net,\"[\"\"a\"\",\"\"b\"\"]; c\"\nb@example.net,\"{\"\"Hot lead\"\",vip,NULL}\"\n\
         c@example.net,\"['it''s', None]\"\nd@example.net,{}\ne@example.net,\"{vip}, new\"\n",
        "",
    );
    done.exits(0);
    let tags = |of: &str| tag_names(&world.contact_by_email(&format!("{of}@example.net")));
    assert_eq!(tags("a"), ["a", "b", "c"]);
    assert_eq!(tags("b"), ["hot lead", "vip"]);
    assert_eq!(tags("d"), Vec::<String>::new());
    assert_eq!(tags("e"), ["vip", "new"]);
}

#[test]
fn lists_of_other_programs_become_options() {
    let (world, done) = import_text(
        "Email,Interests\na@example.net,\"['Solar', 'Gas, oil']\"\nb@example.net,\"{Solar,\"\"Wind; offshore\"\"}\"\n",
        "--map Interests=customFields.interests",
    );
    done.exits(0);
    let options = |email: &str| {
        let fields = contact(&world, email)["customFields"].clone();
        fields.as_array().unwrap().iter().map(|field| field["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(options("a@example.net"), [serde_json::json!(["Solar", "Gas, oil"])]);
    assert_eq!(options("b@example.net"), [serde_json::json!(["Solar", "Wind; offshore"])]);
}
