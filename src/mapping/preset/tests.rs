//! Presets and the files they are for.

use std::collections::HashSet;

use super::*;
use crate::model::target::MappingTarget;

use crate::sheet::SheetColumn;

fn columns(header: &str) -> Vec<SheetColumn> {
    let column = |(at, name): (usize, &str)| SheetColumn {
        name: name.to_owned(),
        letters: format!("L{at}"),
    };
    header.split(',').enumerate().map(column).collect()
}

#[track_caller]
fn check(header: &str, expected: &str) {
    let found = match detect_preset(builtin_presets(), &columns(header)) {
        PresetDetection::None => "-".to_owned(),
        PresetDetection::One(preset) => preset.name.clone(),
        PresetDetection::Ambiguous(presets) => {
            presets.iter().map(|preset| preset.name.as_str()).collect::<Vec<_>>().join(" or ")
        }
    };
    assert_eq!(found, expected, "{header}");
}

#[test]
fn every_preset_reads_and_decides_everything_it_names() {
    assert_eq!(builtin_presets().len(), BUILT_IN.len());
    let names: HashSet<&str> =
        builtin_presets().iter().map(|preset| preset.name.as_str()).collect();
    assert_eq!(names.len(), builtin_presets().len());
    for preset in builtin_presets() {
        let is_imported = preset.import_refusal().is_none();
        assert_eq!(!preset.mapping.rules.is_empty(), is_imported, "{}", preset.name);
        assert!(!preset.title.is_empty(), "{}", preset.name);
        assert!(
            preset.mapping.rules.iter().all(|rule| rule.to != MappingTarget::Undecided),
            "{}",
            preset.name
        );
        assert!(preset.column_names().all(|name| !fold_name(name).is_empty()), "{}", preset.name);
        // A copy of a preset must give the same mapping.
        let text = preset.mapping.to_toml();
        let again = Mapping::parse(&text, &preset.name).unwrap();
        assert_eq!(again.rules.len(), preset.mapping.rules.len(), "{}", preset.name);
    }
}

#[test]
fn a_preset_binds_its_own_header_without_leaving_a_column() {
    for preset in builtin_presets().iter().filter(|preset| preset.import_refusal().is_none()) {
        let names: Vec<&str> = preset.column_names().collect();
        let mut seen = HashSet::new();
        let header: Vec<&str> =
            names.into_iter().filter(|name| seen.insert(fold_name(name))).collect();
        let plan = preset.mapping.bind_columns(&columns(&header.join(","))).unwrap();
        assert_eq!(plan.unmapped, [0; 0], "{}", preset.name);
    }
}

#[test]
fn a_preset_knows_its_own_files_and_no_other_preset_does() {
    for preset in builtin_presets().iter().filter(|preset| preset.is_detectable()) {
        let header: Vec<&str> = preset.column_names().collect();
        check(&header.join(","), &preset.name);
    }
    for preset in builtin_presets().iter().filter(|preset| !preset.is_detectable()) {
        let header: Vec<&str> = preset.column_names().collect();
        check(&header.join(","), "-");
    }
}

#[test]
fn files_that_hold_a_part_of_the_columns_are_known_too() {
    check(
        "id,location_id,first_name,last_name,email,dnd_settings,date_added,custom_vip",
        "ghl-bulk-contacts",
    );
    check("ID,Name,Email,Country,Applied at,Description,Website", "dub-partners");
    check(
        "Contact Id,First Name,Last Name,Name,Phone,Email,Created,Last Activity,Tags",
        "highlevel-export",
    );
    check("EMAIL,FIRSTNAME,ADDED_TIME,MODIFIED_TIME", "brevo");
    check("First Name,Last Name,File As,Labels,Phone 1 - Label,Phone 1 - Value", "google-2024");
    check("id,created_time,form_id,platform,full_name,email,phone_number", "facebook-leads");
    check(
        "First Name,Last Name,URL,Email Address,Company,Position,Connected On",
        "linkedin-connections",
    );
    check("Record ID,First Name,Last Name,Email,Contact owner,Favourite colour", "hubspot");
    check("Customer Name", "dext-customers");
}

#[test]
fn ordinary_headers_match_no_preset() {
    check("First Name,Last Name,Email,Phone", "-");
    check("Customer Name,Email,Phone,City,Zip", "-");
    check("Vorname,Nachname,E-Mail", "-");
    check("", "-");
}

#[test]
fn presets_that_fit_alike_are_distinguished_by_case_or_asked_about() {
    let preset = |name: &str, field: &str| {
        let text = format!(
            "title = \"x\"\nentity = \"contacts\"\n[detect]\nall = [\"{field}\", \"email\"]\n\
             [[column]]\nfrom = \"{field}\"\nto = \"sourceId\"\n[[column]]\nfrom = \"email\"\nto = \"email\"\n"
        );
        Preset::parse(text, name).unwrap()
    };
    let two = [preset("one", "Record ID"), preset("two", "Record Id")];
    assert_eq!(detect_preset(&two, &columns("Record Id,email")), PresetDetection::One(&two[1]));
    assert_eq!(
        detect_preset(&two, &columns("record id,email")),
        PresetDetection::Ambiguous(vec![&two[0], &two[1]])
    );
}

#[test]
fn a_preset_that_is_only_exported_has_a_template_and_is_not_detected() {
    let problem = |text: &str| {
        let problems = Preset::parse(format!("format = 1\n{text}"), "mine").unwrap_err();
        format!("{}: {}", problems[0].place.line.unwrap_or(0), problems[0].message)
    };
    let template = "[template]\n[[template.column]]\nname = \"Id\"\nfill = \"contactId\"\n";
    let export = "direction = \"export\"\n";
    assert!(problem(export).starts_with("2: `direction = \"export\"` needs a `[template]`"));
    let detect = format!("{export}[detect]\nall = [\"Id\"]\n{template}");
    assert!(problem(&detect).contains("`[detect]` is for files that are imported"));
    for entity in ["appointments", "businesses"] {
        let text = format!("entity = \"{entity}\"\ndirection = \"both\"\n");
        assert!(problem(&text).starts_with(&format!("3: {entity} are not imported")));
    }
    let preset = Preset::parse(format!("format = 1\n{export}{template}"), "mine").unwrap();
    assert_eq!(preset.import_refusal(), Some("its direction is `export`"));
    let both = Preset::parse(format!("format = 1\n{template}"), "mine").unwrap();
    assert_eq!(both.import_refusal(), None);
}

#[test]
fn a_preset_is_found_by_name() {
    assert_eq!(find_preset(builtin_presets(), "Hubspot").unwrap().entity, PresetEntity::Contacts);
    assert_eq!(find_preset(builtin_presets(), "hubpsot"), Err(Some("hubspot")));
    assert!(
        is_known_header("Supplier Code") && is_known_header("E-Mail") && !is_known_header("Boston")
    );
}
