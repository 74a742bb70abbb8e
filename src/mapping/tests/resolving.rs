//! Resolving mappings in locations.

use super::*;

fn to(target: &str) -> Mapping {
    mapping(&format!("[[column]]\nfrom = \"A\"\nto = \"{target}\"\n"))
}

#[track_caller]
fn check(target: &str, says: &str) {
    let problems = to(target).check_against_location(&directory());
    let shown: Vec<String> = problems
        .iter()
        .map(|p| format!("{p} / {}", p.hint.as_deref().unwrap_or_default()))
        .collect();
    match says {
        "" => assert_eq!(shown, [""; 0]),
        _ => assert!(shown.len() == 1 && shown[0].contains(says), "{shown:?}"),
    }
}

#[test]
fn custom_fields_are_known_by_key_id_and_name() {
    for name in [
        "vip_since",
        "contact.vip_since",
        "f1",
        "vip SINCE",
        "VIP-since",
        "score",
        "SCORE_2",
        "Custom 1",
    ] {
        check(&format!("customFields.{name}"), "");
    }
    check("customFields.vip_sinse", "did you mean `vip_since`?");
    check("customFields.zzz", "create it in HighLevel or with `create`");
    check("customFields.contract", "FILE_UPLOAD, which cannot be written");
    check(
        "customFields.Score",
        "name one by its key: `customFields.score` or `customFields.score_2`",
    );
}

#[test]
fn a_mapping_for_another_location_is_refused() {
    let problems = mapping("location = \"loc2\"").check_against_location(&directory());
    assert_eq!(complaints(&problems), ["the mapping is for location `loc2`, but this is `loc1`"]);
}

#[test]
fn patterns_are_judged_when_they_are_bound() {
    let mapping = mapping("[[column]]\nfrom = \"Custom *\"\nto = \"customFields.custom_*\"\n");
    let problems =
        mapping.bind_to_location(&columns("Custom 1,Custom 2"), &directory()).unwrap_err();
    assert_eq!(complaints(&problems), ["line 1: the location has no custom field `custom_2`"]);
}

#[test]
fn a_pattern_names_fields_by_its_star_or_by_the_whole_header() {
    let mapping = mapping("[[column]]\nfrom = \"Custom *\"\nto = \"customFields.*\"\n");
    let plan =
        mapping.bind_to_location(&columns("Custom 1,Custom VIP since"), &directory()).unwrap();
    assert_eq!(shown(&plan), ["A>customFields.Custom 1", "B>customFields.VIP since"]);
    let problems =
        mapping.bind_to_location(&columns("Custom 1,Custom 2"), &directory()).unwrap_err();
    assert_eq!(complaints(&problems), ["line 1: the location has no custom field `2`"]);
}

#[test]
fn one_field_under_two_names_is_one_field() {
    let text = "[[column]]\nfrom = \"A\"\nto = \"customFields.vip_since\"\n\
                [[column]]\nfrom = \"B\"\nto = \"customFields.f1\"\n";
    let problems = mapping(text).bind_to_location(&columns("A,B"), &directory()).unwrap_err();
    assert_eq!(problems[0].code, DUPLICATE_HEADER);
}

#[test]
fn a_preset_leaves_columns_alone_whose_field_the_location_lacks() {
    let text = "missing = \"skip\"\n[[column]]\nfrom = \"A\"\nto = \"customFields.nothing\"\n\
                [[column]]\nfrom = \"B\"\nto = \"customFields.vip_since\"\n";
    let plan = mapping(text).bind_to_location(&columns("A,B"), &directory()).unwrap();
    assert_eq!(
        (shown(&plan), plan.unmapped),
        (vec!["B>customFields.vip_since".to_owned()], vec![0])
    );
}
