//! Parsing and rendering mappings.

use proptest::prelude::*;

use super::*;
use crate::model::policy::TagRule;
use crate::model::target::{Channel, Field, MappingTarget, NotePart, TaskPart};
use crate::sheet::{HiddenRowPolicy, SheetReadOptions};

const FULL: &str = r#"
format = 1
location = "loc1"
ignore = ["Foo", "Bar *"]

[sheet]
encoding = "windows-1252"
delimiter = "semicolon"
header_row = 3
hidden = "skip"

[options]
mode = "update"
decimal = "comma"
default_due = "7d"
empty_values = ["N/A", "-"]

[[column]]
from = ["First", "Last"]
to = "name"

[[column]]
from = "VIP"
to = "custom_vip_since"
convert = "datetime"
blank = "clear"
values = { Yes = "true" }

[[column]]
from = "Labels"
to = "tags"
split = ";"
prefix = "old-"
strip_prefix = "* "
tags = "replace"

[[constant]]
to = "source"
value = "spring fair"
"#;

#[test]
fn a_mapping_says_all_that_the_format_has() {
    let mapping = mapping(FULL);
    assert_eq!(mapping.location, Some("loc1".parse().unwrap()));
    assert_eq!(mapping.reading.delimiter, Some(';'));
    assert_eq!(mapping.reading.hidden, HiddenRowPolicy::Skip);
    assert_eq!(mapping.rules[0].to, MappingTarget::Field(Field::Name));
    assert_eq!(mapping.rules[0].from, ["First", "Last"]);
    assert_eq!(mapping.rules[1].to, MappingTarget::Custom("vip_since".to_owned()));
    assert_eq!(mapping.rules[1].convert, Some(ValueConverter::DateTime));
    assert_eq!(mapping.rules[1].blank, Some(BlankRule::Clear));
    assert_eq!(mapping.rules[2].tags, Some(TagRule::Replace));
    assert_eq!(mapping.rules[2].split, Some(vec![";".to_owned()]));
    assert_eq!(mapping.constants[0].value, "spring fair");
    let mut policy = ImportPolicy::default();
    mapping.options.apply_to(&mut policy);
    assert_eq!(
        (policy.mode, policy.decimal, policy.default_due),
        (ImportMode::Update, Some(DecimalSign::Comma), Some(7))
    );
    assert_eq!(policy.empty_values, ["N/A", "-"]);
}

#[test]
fn an_order_of_dates_that_does_not_exist_is_a_problem() {
    let problems = Mapping::parse("[options]\ndate_order = \"YDM\"\n", "test").unwrap_err();
    let shown: Vec<String> =
        problems.iter().map(crate::diagnostic::Diagnostic::message_with_place).collect();
    assert_eq!(shown, ["line 2: the option `date_order` takes `DMY`, `MDY` or `YMD`"]);
}

#[test]
fn every_problem_names_its_line_and_the_nearest_valid_name() {
    let text = r#"format = 2
locaton = "x"
[sheet]
encodng = "utf-8"
[options]
on_duplicat = "merge"
mode = "destroy"
[[column]]
from = "A"
to = "frstName"
[[column]]
from = "B"
to = "zip code"
[[column]]
from = "C"
to = "note"
convert = "phne"
[[column]]
to = "task.dueDat"
[[constant]]
to = "contactId"
value = "x"
"#;
    let problems = Mapping::parse(text, "test").unwrap_err();
    let shown: Vec<String> = problems
        .iter()
        .map(|problem| {
            format!(
                "{} [{}]",
                problem.message_with_place(),
                problem.hint.as_deref().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "line 1: the mapping must have `format = 1`, the format that this version reads []",
            "line 2: a mapping has no key `locaton` [did you mean `location`?]",
            "line 4: `[sheet]` has no key `encodng` [did you mean `encoding`?]",
            "line 6: there is no option `on_duplicat` [did you mean `on_duplicate`?]",
            "line 7: the option `mode` takes `upsert`, `create`, `update`, `tag`, `untag` or `delete` []",
            "line 10: `frstName` is not a target [did you mean `firstName`?]",
            "line 13: `zip code` is not a target [did you mean `postalCode`?]",
            "line 17: `convert` cannot be `phne` [did you mean `phone`?]",
            "line 18: this `[[column]]` has no `from` []",
            "line 19: `task.dueDat` is not a target [did you mean `task.dueDate`?]",
            "line 20: `contactId` cannot be the same for every row []",
        ]
    );
}

#[test]
fn a_text_that_is_no_toml_is_refused_with_the_line() {
    let problems = Mapping::parse("format = 1\n[[column]\nfrom = \"A\"\n", "test").unwrap_err();
    assert_eq!(problems[0].place.line, Some(2), "{problems:?}");
    for text in ["column = 3", "column = [3]", "ignore = 3", "sheet = []", "options = 1"] {
        assert!(Mapping::parse(text, "test").is_err(), "{text}");
    }
}

#[test]
fn targets_are_known_in_any_case_and_in_snake_case() {
    for (text, name) in [
        ("first_name", "firstName"),
        ("FIRSTNAME", "firstName"),
        ("contact_id", "contactId"),
        ("task.due_date", "task.dueDate"),
        ("Task.Title", "task.title"),
        ("note.body", "note"),
        ("dndsettings.email", "dndSettings.Email"),
        ("dnd.sms", "dndSettings.SMS"),
        ("custom_vip_since", "customFields.vip_since"),
        ("CustomFields.VIP since", "customFields.VIP since"),
        ("owner", "assignedTo"),
        ("business_id", "business"),
        ("source_id", "sourceId"),
        ("postal_code", "postalCode"),
        ("?", "?"),
    ] {
        assert_eq!(parse_target(text).map(|target| target.to_string()), Ok(name.to_owned()));
    }
    for text in ["", "customFields.", "é", "custom_", "firstname2x"] {
        assert!(parse_target(text).is_err(), "{text}");
    }
}

#[test]
fn rules_can_be_given_on_the_command_line() {
    #[track_caller]
    fn check(text: &str, from: &str, to: &str, convert: Option<ValueConverter>) {
        let rule = Mapping::parse_inline_rule(text, &[]).unwrap();
        assert_eq!(
            (rule.from[0].as_str(), rule.to.to_string().as_str(), rule.convert),
            (from, to, convert)
        );
    }
    check(
        "Umsatz=customFields.umsatz:number",
        "Umsatz",
        "customFields.umsatz",
        Some(ValueConverter::Number),
    );
    check("C=city", "C", "city", None);
    check("Custom *=customFields.*", "Custom *", "customFields.*", None);
    check("a=b = city", "a=b", "city", None);
    check("When=customFields.Due: day", "When", "customFields.Due: day", None);
    for (text, says) in [
        ("city", "write `COLUMN=TARGET`"),
        ("C=", "write `COLUMN=TARGET`"),
        ("C=cty", "did you mean `city`?"),
        ("C=city:numbr", "did you mean `number`?"),
        ("C=?", "decides nothing"),
        ("C=customFields.*", "one `*`"),
    ] {
        let message = Mapping::parse_inline_rule(text, &[]).unwrap_err();
        assert!(message.contains(says), "{message}");
    }
}

#[test]
fn quoted_text_is_one_line_and_plain() {
    assert_eq!(toml_string("a\"b\\\n\u{1b}[0m\u{202e}"), r#""a\"b\\\n\U0000001B[0m\U0000202E""#);
}

fn some_target() -> impl Strategy<Value = MappingTarget> {
    prop_oneof![
        prop::sample::select(Field::ALL).prop_map(MappingTarget::Field),
        prop::sample::select(Channel::ALL).prop_map(MappingTarget::DndChannel),
        prop::sample::select(NotePart::ALL).prop_map(MappingTarget::Note),
        prop::sample::select(TaskPart::ALL).prop_map(MappingTarget::Task),
        "[a-zA-Z0-9 _.:é]{0,8}[a-z]".prop_map(MappingTarget::Custom),
        Just(MappingTarget::Owner),
        Just(MappingTarget::Ignore),
        Just(MappingTarget::Undecided),
    ]
}

fn some_condition() -> impl Strategy<Value = RuleCondition> {
    let words = || prop::collection::vec(any::<String>(), 0..3);
    let test = prop_oneof![
        words().prop_map(CellTest::Is),
        words().prop_map(CellTest::Not),
        prop::collection::vec("\\PC{1,4}", 0..3).prop_map(CellTest::Contains),
        "[a-z.*\"]{1,6}[a-z]".prop_filter_map("no pattern", |text| {
            TextPattern::parse(&text).ok().map(CellTest::Matches)
        }),
        any::<bool>().prop_map(CellTest::Filled),
        any::<bool>().prop_map(CellTest::Id),
    ];
    ("\\PC{0,6}[a-z]", test).prop_map(|(column, test)| RuleCondition { column, test })
}

prop_compose! {
    fn some_rule()(
        from in prop::collection::vec("\\PC{0,6}[a-z]", 1..3),
        join in "\\PC{0,3}",
        to in some_target(),
        convert in prop::option::of(prop::sample::select(&[ValueConverter::DateTime, ValueConverter::Url, ValueConverter::Line])),
        blank in prop::option::of(prop::sample::select(&[BlankRule::Leave, BlankRule::Clear, BlankRule::Error])),
        values in prop::collection::btree_map(any::<String>(), any::<String>(), 0..3),
        (prefix, strip_prefix) in (any::<String>(), any::<String>()),
        split in prop::option::of(prop::collection::vec("\\PC{1,3}", 0..3)),
        when in prop::collection::vec(some_condition(), 0..3),
        fallback in any::<bool>(),
    ) -> MappingRule {
        MappingRule {
            from, join, to, convert, blank, values, prefix, strip_prefix, split, when, fallback,
            ..MappingRule::default()
        }
    }
}

/// Options of every kind of value.
fn some_options() -> PolicyOptions {
    PolicyOptions {
        strict: Some(true),
        mode: Some(ImportMode::Tag),
        key: Some(IdentityKey::Custom("usual".to_owned())),
        marker: Some("mark".to_owned()),
        decimal: Some(DecimalSign::Point),
        empty_values: Some(vec!["N/A".to_owned(), "-".to_owned()]),
        default_due: Some(7),
        truncate_notes: Some(9),
        ..PolicyOptions::default()
    }
}

prop_compose! {
    fn some_mapping()(
        rules in prop::collection::vec(some_rule(), 0..4),
        ignore in prop::collection::vec(any::<String>(), 0..3),
        value in any::<String>(),
        when in prop::collection::vec(some_condition(), 0..3),
        skip in any::<bool>(),
        delimiter in prop::option::of(any::<char>()),
    ) -> Mapping {
        Mapping {
            name: "test".to_owned(),
            location: Some("loc1".parse().unwrap()),
            reading: SheetReadOptions { delimiter, sheet: Some("A \"b\"".to_owned()), ..SheetReadOptions::default() },
            rules,
            constants: vec![ConstantValue { to: MappingTarget::Tags, value, file: ignore.clone(), when, line: 0 }],
            ignore,
            options: some_options(),
            missing: if skip { OnMissing::Skip } else { OnMissing::Stop },
        }
    }
}

proptest! {
    #[test]
    fn a_written_mapping_reads_as_the_same_mapping(mapping in some_mapping()) {
        let text = mapping.to_toml();
        let mut read = Mapping::parse(&text, "test").map_err(|problems| {
            TestCaseError::fail(format!("{problems:?}\n{text}"))
        })?;
        for rule in &mut read.rules {
            rule.line = 0;
        }
        read.constants[0].line = 0;
        prop_assert_eq!(read, mapping);
    }

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        let _ = Mapping::parse(&text, "test");
        let _ = Mapping::parse_inline_rule(&text, &[]);
        let _ = parse_target(&text);
    }
}

#[test]
fn a_column_can_create_its_field_with_a_type_and_a_name() {
    let text = "format = 1\n\n[[column]]\nfrom = \"Shoe size\"\ncreate = \"NUMERICAL\"\n\n\
                [[column]]\nfrom = \"C\"\ncreate = \"LARGE_TEXT\"\nname = \"Story\"\n";
    let mapping = mapping(text);
    assert_eq!(mapping.rules[0].to, MappingTarget::Custom("Shoe size".to_owned()));
    assert_eq!(mapping.rules[0].create, Some(NewFieldType::Numerical));
    assert_eq!(mapping.rules[1].to, MappingTarget::Custom("Story".to_owned()));
    assert_eq!(mapping.to_toml(), text);
}

#[test]
fn a_created_field_needs_one_column_and_no_other_target() {
    let check = |entries: &str, expected: &str| {
        let text = format!("format = 1\n[[column]]\n{entries}\n");
        let problems = Mapping::parse(&text, "test").unwrap_err();
        assert!(problems[0].message.contains(expected), "{problems:?}");
    };
    check("from = \"A\"\nto = \"email\"\ncreate = \"TEXT\"", "takes the place of `to`");
    check("from = \"A\"\nto = \"email\"\nname = \"B\"", "`name` names the field");
    check("from = [\"A\", \"B\"]\ncreate = \"TEXT\"", "needs one column");
    check("from = \"A *\"\ncreate = \"TEXT\"", "without `*`");
    check("from = \"A\"\ncreate = \"RADIO\"", "cannot create the options");
}
