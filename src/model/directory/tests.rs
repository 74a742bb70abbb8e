//! Tests of name lookups and suggestions.

use super::*;

fn directory() -> LocationDirectory {
    let location = br#"{"location":{"name":"Acme","country":"US","timezone":"America/New_York",
        "settings":{"allowDuplicateContact":false,"contactUniqueIdentifiers":["phone","email"]}}}"#;
    let fields = br#"{"customFields":[
        {"id":"f1","name":"VIP since","fieldKey":"contact.vip_since","dataType":"DATE"},
        {"id":"f2","name":"Size","fieldKey":"contact.size","dataType":"SINGLE_OPTIONS",
         "picklistOptions":["S",{"key":"m","label":"M"}],"isAllowedCustomOption":true},
        {"id":"f3","name":"Size","fieldKey":"contact.size_2","dataType":"TEXT","model":"contact"},
        {"id":"f4","name":"Stage","fieldKey":"opportunity.stage","dataType":"TEXT","model":"opportunity"},
        {"id":"f5","name":"a folder"}]}"#;
    let users = br#"{"users":[
        {"id":"u1","name":"Avery Sample","email":"avery@example.com"},
        {"id":"u2","firstName":"Blake","lastName":"van Test","email":"blake@example.com"},
        {"id":"u3","name":"Casey Muster","email":"casey@example.com"},
        {"id":"u4","name":"casey  muster","email":"casey2@example.com"},
        {"id":"u5","name":"Gone Away","email":"gone@example.com","deleted":true}]}"#;
    let businesses = [
        br#"{"businesses":[{"id":"b1","name":"ABC Corp"}]}"#.to_vec(),
        br#"{"businesses":[{"id":"b2","name":"XYZ Ltd"}]}"#.to_vec(),
    ];
    let id = "loc".parse().unwrap();
    LocationDirectory::from_responses(id, location, fields, Some(users), &businesses).unwrap()
}

#[test]
fn responses_become_names_without_fields_of_other_records_and_deleted_users() {
    let directory = directory();
    assert_eq!(directory.name.as_deref(), Some("Acme"));
    assert_eq!(directory.unique, ["phone", "email"]);
    assert!(!directory.allows_duplicates);
    let keys: Vec<_> = directory.fields.iter().map(|field| field.key.as_str()).collect();
    assert_eq!(keys, ["vip_since", "size", "size_2"]);
    assert_eq!(directory.fields[1].options, ["S", "M"]);
    assert!(directory.fields[1].custom_option);
    assert_eq!(directory.users.len(), 4);
    assert_eq!(directory.users[1].name, "Blake van Test");
    assert_eq!(directory.businesses.len(), 2);
}

#[test]
fn a_location_that_does_not_say_allows_duplicates() {
    let directory = LocationDirectory::from_responses(
        "l".parse().unwrap(),
        b"{}",
        br#"{"customFields":[]}"#,
        None,
        &[],
    )
    .unwrap();
    assert!(directory.allows_duplicates);
    assert_eq!(directory.unique, ["email", "phone"]);
}

#[test]
fn an_answer_without_its_list_is_no_directory() {
    let id: LocationId = "l".parse().unwrap();
    assert!(LocationDirectory::from_responses(id.clone(), b"{}", b"{}", None, &[]).is_err());
    assert!(
        LocationDirectory::from_responses(id, b"<html>", br#"{"customFields":[]}"#, None, &[])
            .is_err()
    );
}

#[test]
fn custom_fields_are_found_by_id_key_and_name() {
    let directory = directory();
    let names = [
        "f1",
        "vip_since",
        "contact.vip_since",
        "custom_vip_since",
        "VIP Since",
        " vip  since ",
        "VipSince",
    ];
    for name in names {
        assert_eq!(directory.find_field(name).map(|field| field.id.as_str()), Ok("f1"), "{name}");
    }
    assert_eq!(
        directory.find_field("size").map(|field| field.id.as_str()),
        Ok("f2"),
        "a key before a name"
    );
}

#[test]
fn users_are_found_by_id_address_and_name_either_way_round() {
    let directory = directory();
    for (text, id) in [
        ("u1", "u1"),
        ("AVERY@example.com", "u1"),
        ("avery sample", "u1"),
        ("Sample, Avery", "u1"),
        ("Sample Avery", "u1"),
        ("Van Test, Blake", "u2"),
    ] {
        assert_eq!(directory.find_user(text).map(|user| user.id.as_str()), Ok(id), "{text}");
    }
}

#[test]
fn a_name_of_two_users_is_reported_with_their_addresses() {
    let directory = directory();
    let error = directory.find_user("Casey Muster").unwrap_err();
    assert!(error.ambiguous);
    assert_eq!(error.candidates, ["casey@example.com", "casey2@example.com"]);
    assert_eq!(
        error.to_string(),
        "`Casey Muster` is the name of 2 users: `casey@example.com`, `casey2@example.com`; write which one"
    );
}

#[test]
fn an_unknown_name_is_reported_with_similar_ones() {
    let directory = directory();
    let error = directory.find_user("Avery Sampel").unwrap_err();
    assert_eq!(error.candidates, ["Avery Sample"]);
    assert_eq!(
        error.to_string(),
        "the location has no user `Avery Sampel`; did you mean `Avery Sample`?"
    );
    let error = directory.find_business("Nothing like it").unwrap_err();
    assert_eq!(error.to_string(), "the location has no business `Nothing like it`");
    assert_eq!(directory.find_business("abc corp").map(|business| business.id.as_str()), Ok("b1"));
    assert_eq!(directory.find_field("vip_sinc").unwrap_err().candidates, ["vip_since"]);
    assert!(directory.find_user("").is_err() && directory.find_business(" ").is_err());
}
