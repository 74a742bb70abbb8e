//! Templates and their problems.

use super::*;
use crate::mapping::preset::{Preset, PresetDirection, builtin_presets};
use crate::model::target::Field;
use crate::table::OutputEncoding;

const CONTACTS_OF: &str = "\
format = 1
direction = \"both\"

[[column]]
from = \"Name\"
to = \"name\"

[[column]]
from = \"Status\"
to = \"tags\"
prefix = \"crm-\"
split = \"|\"

[[column]]
from = \"Kind\"
to = \"customFields.kind\"
values = { Prospect = \"lead\", Maybe = \"lead\", Client = \"customer\", None = \"\" }
";

fn template(rest: &str) -> ExportTemplate {
    let text = format!("{CONTACTS_OF}{rest}");
    Preset::parse(text, "crm").unwrap().template.unwrap()
}

/// The line and message of every problem, with its hint.
fn problems(rest: &str) -> Vec<String> {
    let text = format!("{CONTACTS_OF}{rest}");
    let problems = Preset::parse(text, "crm").unwrap_err();
    let before = CONTACTS_OF.lines().count();
    let line = |problem: &crate::diagnostic::Diagnostic| {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {}{hint}", problem.place.line.unwrap() - before as u64, problem.message)
    };
    problems.iter().map(line).collect()
}

#[test]
fn without_more_a_layout_is_the_mapping_turned_round() {
    // The name used by presets of version 0.1.0.
    assert_eq!(template("[layout]\n"), template("[template]\n"));
    let template = template("[template]\n");
    assert_eq!((template.file.as_str(), template.tables), ("crm.csv", &[CONTACTS][..]));
    assert_eq!(template.form, OutputDialect::default());
    let names: Vec<&str> = template.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["Name", "Status", "Kind"]);
    assert_eq!(template.columns[0].fill, [FieldSource::Target(MappingTarget::Field(Field::Name))]);
    assert_eq!(template.columns[1].prefix, "crm-");
    assert_eq!(template.columns[1].split, Some(vec!["|".to_owned()]));
    // A value with several replacements is written unchanged, and so is an empty one.
    assert_eq!(template.columns[2].values, [("customer".to_owned(), "Client".to_owned())].into());
}

#[test]
fn a_layout_says_what_differs() {
    let template = template(
        "[template]
         system = [\"crm\", \"other\"]
         file = \"people.txt\"
         columns = [\"Kind\", \"When\"]
         delimiter = \"tab\"
         encoding = \"utf-16le\"
         bom = true
         line_end = \"crlf\"
         quote = \"all\"
         require = \"Kind\"
         unique = \"Kind\"
         max_rows = 5
         [[template.column]]
         name = \"When\"
         fill = [\"dateOfBirth\", \"dateAdded\"]
         values = { YES = \"x\" }",
    );
    assert_eq!(template.systems, ["crm", "other"]);
    assert_eq!(
        template.form,
        OutputDialect {
            delimiter: b'\t',
            crlf: true,
            bom: true,
            quoted: true,
            encoding: OutputEncoding::Utf16
        }
    );
    assert_eq!(
        (template.require.as_slice(), template.unique, template.max_rows),
        (&[0][..], Some(0), Some(5))
    );
    assert_eq!(template.columns[1].fill[1], FieldSource::Added);
    assert_eq!(template.columns[1].values, [("yes".to_owned(), "x".to_owned())].into());
    let files = [1, 2, 3].map(|number| template.file_name(number));
    assert_eq!(files, ["people.txt", "people-2.txt", "people-3.txt"]);
}

#[test]
fn everything_that_is_wrong_is_named_with_its_line() {
    let found = problems(
        "[template]
sistem = \"crm\"
file = \"../people.csv\"
encoding = \"latin\"
line_end = \"cr\"
delimiter = \"x\"
max_rows = 0
time = \"%!\"
require = \"Nam\"
[[template.column]]
name = \"More\"
fil = \"email\"
[[template.column]]
name = \"Kind\"
fill = [\"emial\", \"optIn\", \"task.title\"]",
    );
    let says = |part: &str| {
        assert!(found.iter().any(|one| one.contains(part)), "no `{part}` in {found:#?}");
    };
    says("2: `[template]` has no key `sistem` (did you mean `system`?)");
    says("3: `../people.csv` cannot be the name of a template's file");
    says("4: `encoding` cannot be `latin`");
    says("5: `line_end` cannot be `cr`");
    says("6: `delimiter` must be");
    says("7: `max_rows` must be at least 1");
    says("8: `time`: ");
    says("9: `require` names `Nam`, which is not a column of the template (did you mean `Name`?)");
    says("10: nothing says what fills `More`");
    says("12: `[[template.column]]` has no key `fil` (did you mean `fill`?)");
    says("15: `emial` is not a target (did you mean `email`?)");
    says("15: no export holds `optIn`");
    says("13: rows of contacts have no `task.title` to fill `Kind`");
}

#[test]
fn a_column_of_which_nothing_is_known_must_be_described() {
    let found = problems("[template]\ncolumns = [\"Name\", \"Stats\", \"Name\"]\n");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("nothing says what fills `Stats`"), "{found:#?}");
    assert!(found[1].contains("there are two columns `Name`"), "{found:#?}");
    let found = problems("[template]\ncolumns = \"Name\"\n[[template.column]]\nname = \"Kind\"\n");
    assert!(found[0].contains("`columns` does not list `Kind`"), "{found:#?}");
}

#[test]
fn rows_of_tasks_may_say_something_about_their_contacts() {
    let tasks = |to: &str| {
        let text = format!(
            "format = 1\nentity = \"tasks\"\n[[column]]\nfrom = \"x\"\nto = \"{to}\"\n[template]\n"
        );
        Preset::parse(text, "x").unwrap().template.unwrap().joins_contacts()
    };
    assert!(tasks("email") && tasks("tags"));
    assert!(!tasks("task.title") && !tasks("contactId"));
}

#[test]
fn rows_of_businesses_have_no_contact_and_rows_of_appointments_have_one() {
    let parse = |entity: &str, fill: &str| {
        let text = format!(
            "format = 1\nentity = \"{entity}\"\ndirection = \"export\"\n[template]\n\
             [[template.column]]\nname = \"x\"\nfill = \"{fill}\"\n"
        );
        let parsed = Preset::parse(text, "x").map(|preset| preset.template.unwrap());
        parsed.map_err(|problems| problems[0].message.clone())
    };
    for fill in ["email", "contactId", "appointment.title", "tags"] {
        let message = format!("rows of businesses have no `{fill}` to fill `x`");
        assert_eq!(parse("businesses", fill), Err(message));
    }
    assert!(parse("businesses", "business.name").is_ok());
    assert!(parse("businesses", "dateAdded").is_ok());
    let appointments = |fill: &str| parse("appointments", fill).unwrap();
    assert!(appointments("email").joins_contacts());
    assert!(!appointments("contactId").joins_contacts());
    assert!(appointments("appointment.calendar").names_calendars());
    assert!(!appointments("appointment.title").names_calendars());
    let message = "rows of appointments have no `business.name` to fill `x`".to_owned();
    assert_eq!(parse("appointments", "business.name"), Err(message));
}

#[test]
fn every_preset_that_is_exported_has_a_layout() {
    for preset in builtin_presets().iter().filter(|it| !it.name.starts_with("ghl-bulk-")) {
        let is_exported = preset.direction != PresetDirection::Import;
        assert_eq!(preset.template.is_some(), is_exported, "{}", preset.name);
    }
}

#[test]
fn the_files_of_no_two_layouts_have_one_name() {
    let templates = builtin_presets().iter().filter_map(|preset| preset.template.as_ref());
    let mut files: Vec<&str> = templates.map(|template| template.file.as_str()).collect();
    let all = files.len();
    files.sort_unstable();
    files.dedup();
    assert_eq!(files.len(), all);
}
