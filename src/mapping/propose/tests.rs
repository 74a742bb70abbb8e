//! Proposals for sheets.

use proptest::prelude::*;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::mapping::preset::builtin_presets;
use crate::mapping::{BoundMapping, DUPLICATE_HEADER};
use crate::model::directory::CustomField;

fn columns(header: &str) -> Vec<SheetColumn> {
    let letter = |at: usize| match at {
        0..26 => char::from(b'A' + u8::try_from(at).unwrap()).to_string(),
        _ => format!("A{at}"),
    };
    let column =
        |(at, name): (usize, &str)| SheetColumn { name: name.to_owned(), letters: letter(at) };
    header.split(',').enumerate().map(column).collect()
}

fn rows(text: &[&str]) -> Vec<Vec<String>> {
    text.iter().map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn directory() -> LocationDirectory {
    let field = |key: &str, name: &str| CustomField {
        id: format!("id-{key}"),
        key: key.to_owned(),
        column: format!("custom_{key}"),
        name: name.to_owned(),
        data_type: "TEXT".to_owned(),
        options: Vec::new(),
        custom_option: false,
    };
    LocationDirectory {
        location: "loc1".parse().unwrap(),
        name: None,
        country: None,
        timezone: None,
        allows_duplicates: true,
        unique: Vec::new(),
        fields: vec![
            field("vip_since", "VIP since"),
            field("job_title", "Job Title"),
            field("state_of_lead", "Status"),
        ],
        users: Vec::new(),
        businesses: Vec::new(),
    }
}

fn propose(header: &str, samples: &[&str]) -> MappingProposal {
    MappingProposal::new(&columns(header), &rows(samples), builtin_presets(), Some(&directory()))
}

/// What a plan binds, as `A+B>target`, followed by its unmapped columns.
fn shown(plan: &BoundMapping) -> String {
    let letter = |at: &usize| char::from(b'A' + u8::try_from(*at).unwrap()).to_string();
    let bound = plan.bound.iter().map(|bound| {
        let from: Vec<String> = bound.columns.iter().map(letter).collect();
        format!("{}>{}", from.join("+"), bound.rule.to)
    });
    let left = plan.unmapped.iter().map(|at| format!("{}?", letter(at)));
    bound.chain(left).collect::<Vec<_>>().join(" ")
}

/// Checks what an import without a mapping would do.
#[track_caller]
fn imports(header: &str, samples: &[&str], expected: &str) {
    let mapping = propose(header, samples).confident_mapping().unwrap();
    let plan = mapping.bind_to_location(&columns(header), &directory()).unwrap();
    assert_eq!(shown(&plan), expected, "{header}");
}

/// Checks what an import without a mapping would ask.
#[track_caller]
fn asks(header: &str, samples: &[&str], expected: &[&str]) -> Vec<Diagnostic> {
    let undecided = propose(header, samples).confident_mapping().unwrap_err();
    // The target that the hint names.
    let suggestion = |undecided: &Diagnostic| {
        let hint = undecided.hint.as_deref().unwrap_or_default();
        let rest = hint.split_once("`--map ").and_then(|(_, rest)| rest.split_once('='));
        rest.and_then(|(_, rest)| rest.split_once('`')).map_or("", |(target, _)| target).to_owned()
    };
    assert_eq!(undecided.iter().map(suggestion).collect::<Vec<_>>(), expected, "{undecided:?}");
    undecided
}

#[test]
fn known_names_are_taken_whatever_their_form_and_language() {
    imports(
        "  FIRST_NAME ,lastName, E-Mail Address ,Mobile\nPhone #,\u{200b}Company\u{a0}Name,ZIP / Postal Code,State/Province",
        &["Avery,Sample,f1@example.com,(202) 555-0143,ABC Corp,02139,MA"],
        "A>firstName B>lastName C>email D>phone E>companyName F>postalCode G>state",
    );
    imports("Prénom,Nom,E-mail,Société", &[], "A>firstName B>lastName C>email D>companyName");
    imports(
        "Vorname,Nachname,E-Mail,Umsatz,Geburtstag",
        &["Jürgen,Größe,j@example.de,1.234.56,31.12.1985"],
        "A>firstName B>lastName C>email E>dateOfBirth D?",
    );
    imports(
        "Name,Email,Email Opt Out,Accepts Email Marketing,Unsubscribed",
        &["A One,ag1@example.com,true,,", "B,b@example.com,false,yes,"],
        "A>name B>email C>dndSettings.Email D>optIn E>dndSettings.Email",
    );
    imports("Contact Id,First Name,Email", &[], "A>contactId B>firstName C>email");
}

#[test]
fn invalid_values_do_not_change_what_a_name_says() {
    imports("Name,Email", &["P 1,plainaddress", "P 2,@x", "P 3,a@b", "P 4,none"], "A>name B>email");
    imports(
        "Name,Email,Phone",
        &["P 1,a@example.com,123", "P 2,b@example.com,none"],
        "A>name B>email C>phone",
    );
    imports(
        "Name,Email,Zip",
        &["A,a@example.com,2139", "A,b@example.com,1"],
        "A>name B>email C>postalCode",
    );
}

#[test]
fn values_that_are_surely_something_else_put_a_name_in_doubt() {
    asks("Name,Email", &["A,+12025550143", "B,+12025550144", "C,+12025550145"], &["email"]);
    asks("Email,Unsubscribed", &["a@b.co,2024-01-02", "b@b.co,2024-01-03"], &["dndSettings.Email"]);
}

#[test]
fn unknown_names_with_telling_values_are_asked_about() {
    let rows = ["x,a@example.com", "y,b@example.com", "z,c@example.com"];
    let undecided = asks("Name,Zustellung", &rows, &["email"]);
    assert!(
        undecided[0].message.contains("0.75: 100 % of the values are e-mail addresses"),
        "{}",
        undecided[0]
    );
    // With the address known, another column of addresses raises no question.
    imports("Email,Zustellung", &["a@example.com,b@example.com"; 3], "A>email B?");
    imports("Email,Spouse Email", &["a@example.com,b@example.com"; 3], "A>email B?");
}

#[test]
fn names_that_are_nearly_known_are_asked_about() {
    asks("Emial,Compnay Name", &[], &["email", "companyName"]);
    asks("Name,Billing City", &[], &["city"]);
    imports(
        "Email,Score,Sort,Custom 1,Campaign Name,Customer No,Remark 1b",
        &[],
        "A>email B? C? D? E? F? G?",
    );
}

#[test]
fn unknown_columns_are_left_for_a_warning() {
    let names: Vec<String> = (1..=20).map(|number| format!("Custom {number}")).collect();
    let header = format!("First Name,Email,Phone,{}", names.join(","));
    let mapping = propose(&header, &[]).confident_mapping().unwrap();
    let plan = mapping.bind_columns(&columns(&header)).unwrap();
    assert_eq!((plan.bound.len(), plan.unmapped.len()), (3, 20));
}

#[test]
fn a_name_of_two_custom_fields_is_not_guessed_about() {
    let mut directory = directory();
    directory.fields[0].name = "Job Title".to_owned();
    let proposal =
        MappingProposal::new(&columns("Email,Job Title"), &[], builtin_presets(), Some(&directory));
    let undecided = proposal.confident_mapping().unwrap_err();
    assert_eq!(undecided[0].place.column, Some(1));
    let targets: Vec<String> =
        proposal.columns[1].candidates.iter().map(|one| one.target.to_string()).collect();
    assert_eq!(targets, ["customFields.vip_since", "customFields.job_title"]);
    // An exact match of a field's key wins.
    let proposal =
        MappingProposal::new(&columns("job_title"), &[], builtin_presets(), Some(&directory));
    assert_eq!(proposal.columns[0].status, ProposalStatus::Accepted);
}

#[test]
fn custom_fields_are_known_by_name_key_and_export_header() {
    imports(
        "Email,VIP Since,job_title",
        &[],
        "A>email B>customFields.vip_since C>customFields.job_title",
    );
    imports("Email,custom_vip_since", &[], "A>email B>customFields.vip_since");
    // A name that is never guessed about is not guessed when the location has a field of that name.
    imports("Email,Status,Created", &[], "A>email B>customFields.state_of_lead C?");
}

#[test]
fn several_phone_and_email_columns_are_read_one_after_the_other() {
    imports("Email,Home Phone,Mobile,Work Email", &[], "A+D>email C+B>phone");
    let mapping = propose("Email,Home Phone,Mobile", &[]).confident_mapping().unwrap();
    assert_eq!(
        (mapping.rules[1].from.as_slice(), mapping.rules[1].join.as_str()),
        (["Mobile".to_owned(), "Home Phone".to_owned()].as_slice(), "; ")
    );
}

#[test]
fn two_columns_for_one_value_refuse_the_sheet() {
    let undecided = asks("Name,Email,City,City", &[], &["city"]);
    assert_eq!(undecided[0].code, DUPLICATE_HEADER);
    assert_eq!(
        undecided[0].full_message(),
        "`City` is the header of columns C and D; pick one with `--map C=city` or `--ignore-column D`"
    );
    asks("City,Town", &[], &["city"]);
    asks("Email,Email", &[], &["email"]);
    imports("Email,Tag,Tag,Score,Score", &[], "A>email B>tags C>tags D? E?");
}

#[test]
fn what_the_user_has_decided_is_not_asked() {
    #[track_caller]
    fn check(header: &str, rules: &[&str], ignore: &[&str], expected: &str) {
        let all = columns(header);
        let rules: Vec<MappingRule> =
            rules.iter().map(|text| Mapping::parse_inline_rule(text, &[]).unwrap()).collect();
        let ignore: Vec<String> = ignore.iter().map(|name| (*name).to_owned()).collect();
        let mut proposal = propose(header, &[]);
        proposal.mark_settled(&rules, &ignore);
        let mapping =
            proposal.confident_mapping().unwrap().with_overrides(rules, &ignore, &all).unwrap();
        assert_eq!(shown(&mapping.bind_to_location(&all, &directory()).unwrap()), expected);
    }
    check("Name,Email,City,City", &["C=city"], &[], "A>name B>email C>city D?");
    check("Name,Email,City,City", &[], &["D"], "A>name B>email C>city");
    check("Name,Emial", &["Emial=email"], &[], "A>name B>email");
    check(
        "Record ID,Contact owner,Email",
        &["Contact owner=assignedTo"],
        &[],
        "C>email B>assignedTo A?",
    );
}

#[test]
fn a_preset_says_more_than_names_do_and_leaves_the_rest_to_them() {
    // The preset does not know `Tags` and `Website`.
    imports(
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On,Tags,Website,My own",
        &[],
        "A>firstName B>lastName D>email E>companyName F>customFields.job_title H>tags I>website C? G? J?",
    );
    imports(
        "id,contact_id,title,due_date,completed,extra",
        &[],
        "A>task.id B>contactId C>task.title D>task.dueDate E>task.completed",
    );
    imports(
        "id,location_id,first_name,name,dnd_settings,date_added,custom_vip_since,custom_gone,tags",
        &[],
        "A>contactId C>firstName I>tags G>customFields.custom_vip_since H?",
    );
    // Another system's id is not read as a contact id, even if there is no field for it.
    imports(
        "Account Name,Mailing Zip/Postal Code,Contact ID",
        &[],
        "A>companyName B>postalCode C?",
    );
    let mut mapping =
        propose("EMAIL,SMS,ADDED_TIME,MODIFIED_TIME", &[]).confident_mapping().unwrap();
    assert_eq!(mapping.name, "brevo");
    mapping.rules.clear();
    // Duplicate headers are reported when the preset is bound.
    let header = "First Name,Phone,Phone,Additional Phone";
    let problems = propose(header, &[])
        .confident_mapping()
        .unwrap()
        .bind_columns(&columns(header))
        .unwrap_err();
    assert_eq!(problems[0].code, DUPLICATE_HEADER);
}

#[test]
fn result_columns_and_empty_columns_are_no_question() {
    imports("Email,_reject_line,_reject_reason,,_contact_id", &["a@example.com,3,x,,"], "A>email");
}

#[test]
fn a_proposal_is_a_mapping_file_with_evidence() {
    let proposal = propose(
        "Email,Emial 2,Status,Mobile,Home Phone,Score,City,Town",
        &["a@example.com,b@x.co,new,+12025550143,,7,Rome,\u{1b}[31mRome"],
    );
    let text = proposal.to_toml();
    let start = text.find("format = 1").unwrap();
    let expected = r#"format = 1

# Column A, "Email", holds "a@example.com"
# 1.00: header is a known name (dictionary); 100 % of the values are e-mail addresses
[[column]]
from = "Email"
to = "email"

# Column B, "Emial 2", holds "b@x.co"
[[column]]
from = "Emial 2"
to = "?"  # CHECK 0.88: header is nearly the known name `email2`; 100 % of the values are e-mail addresses; replace "?" by "additionalEmails" if right
suggest = "additionalEmails"

# Column C, "Status", holds "new"
# 0.95: matches custom field `state_of_lead` by name
[[column]]
from = "Status"
to = "customFields.state_of_lead"

# Column D, "Mobile", holds "+12025550143"
# 1.00: header is a known name (dictionary); 100 % of the values are phone numbers
[[column]]
from = ["Mobile", "Home Phone"]
join = "; "
to = "phone"

# Column E, "Home Phone"
# Read together with column D: its rule names both.

# Column F, "Score", holds "7"
[[column]]
from = "Score"
to = "?"  # DECIDE: a target, or "ignore"

# Column G, "City", holds "Rome"
# 1.00: header is a known name (dictionary)
[[column]]
from = "City"
to = "city"

# Column H, "Town", holds "\U0000001B[31mRome"
# It would go to "city" as column G does, and only one column can; to use this one, set the other to "ignore".
[[column]]
from = "Town"
to = "?"  # DECIDE: a target, or "ignore"
"#;
    assert_eq!(&text[start..], expected);
    assert!(text[..start].ends_with("# To decide: columns B, F, H.\n\n"), "{text}");
    let mapping = Mapping::parse(&text, "map.toml").unwrap();
    let columns: Vec<SheetColumn> =
        proposal.columns.iter().map(|guess| guess.column.clone()).collect();
    assert_eq!(mapping.bind_columns(&columns).unwrap_err().len(), 3);
}

#[test]
fn a_presets_proposal_binds_to_the_same_plan() {
    for preset in builtin_presets() {
        let mut names: Vec<String> =
            preset.mapping.rules.iter().flat_map(|rule| rule.from.clone()).collect();
        names.retain(|name| !name.contains('*'));
        names.dedup();
        let all: Vec<SheetColumn> = columns(&names.join(","));
        let proposal = MappingProposal::for_preset(preset, &all, &[], None);
        let text = proposal.to_toml();
        let mapping = Mapping::parse(&text, "map.toml").unwrap();
        let plan = mapping.bind_columns(&all).unwrap();
        let own = proposal.confident_mapping().unwrap().bind_columns(&all).unwrap();
        let places = |plan: &BoundMapping| {
            let mut places: Vec<_> = plan
                .bound
                .iter()
                .map(|bound| (bound.columns.clone(), bound.rule.to.clone()))
                .collect();
            places.sort();
            places
        };
        assert_eq!(places(&plan), places(&own), "{}", preset.name);
    }
}

proptest! {
    #[test]
    fn whatever_a_sheet_holds_its_proposal_reads_as_a_mapping(
        names in prop::collection::vec(prop_oneof![any::<String>(), Just("City".to_owned()), Just("Email*".to_owned())], 1..6),
        rows in prop::collection::vec(prop::collection::vec(any::<String>(), 0..6), 0..4),
    ) {
        let columns: Vec<SheetColumn> = names.iter().enumerate().map(|(at, name)| SheetColumn {
            name: name.clone(),
            letters: char::from(b'A' + u8::try_from(at).unwrap()).to_string(),
        }).collect();
        let proposal = MappingProposal::new(&columns, &rows, builtin_presets(), None);
        let text = proposal.to_toml();
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        let read = Mapping::parse(&text, "x");
        prop_assert!(read.is_ok(), "{:?}\n{}", read, text);
        if let Ok(mapping) = proposal.confident_mapping() {
            prop_assert!(mapping.bind_columns(&columns).is_ok());
        }
    }
}

#[test]
fn beside_the_ids_of_tasks_or_notes_short_names_are_theirs() {
    imports(
        "contactId,taskId,taskName,dueDate,completed",
        &["c1,t1,Call,2026-01-01T09:00:00Z,true"],
        "A>contactId B>task.id C>task.title D>task.dueDate E>task.completed",
    );
    imports(
        "contact_id,task_id,title,description,due",
        &["c1,t1,Call,About it,2026-01-01"],
        "A>contactId B>task.id C>task.title D>task.body E>task.dueDate",
    );
    imports("contactId,noteId,content", &["c1,n1,Hello"], "A>contactId B>note.id C>note");
    // In a contact file, these names mean nothing or something else.
    imports("email,dueDate,completed", &["a@example.com,2026-01-01,true"], "A>email B? C?");
}
