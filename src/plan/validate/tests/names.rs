//! Names, in parts and whole.

use super::*;

#[test]
fn owners_are_users_by_address_name_or_id() {
    case(
        &["Email=email", "Owner=assignedTo"],
        "Email,Owner\na@example.com,U1@example.com\nb@example.com,\"Sample, Avery\"\nc@example.com,u2\nd@example.com,\n",
    )
    .check(&[
        json!({ "email": "a@example.com", "owner": "u1" }),
        json!({ "email": "b@example.com", "owner": "u1" }),
        json!({ "email": "c@example.com", "owner": "u2" }),
        json!({ "email": "d@example.com" }),
    ]);
}

#[test]
fn unknown_and_ambiguous_names_reject_their_rows_and_are_reported_at_the_end() {
    let outcome = case(
        &["Email=email", "Owner=assignedTo", "Firm=business"],
        "Email,Owner,Firm\na@example.com,Avery Sampel,\nb@example.com,avery sampel,\nc@example.com,Avery Sampel,\n\
         d@example.com,Casey Muster,\ne@example.com,,ABC Crop\nf@example.com,,abc corp\n",
    )
    .check(&[
        json!("R_OWNER_UNKNOWN"),
        json!("R_OWNER_UNKNOWN"),
        json!("R_OWNER_UNKNOWN"),
        json!("R_OWNER_AMBIGUOUS"),
        json!("R_BUSINESS_UNKNOWN"),
        json!({ "email": "f@example.com", "business": "b1" }),
    ]);
    let reported: Vec<_> = outcome
        .unknown
        .iter()
        .map(|it| (it.field.as_str(), it.value.as_str(), it.rows, it.candidates.join(",")))
        .collect();
    assert_eq!(
        reported,
        [
            ("Owner", "Avery Sampel", 2, "Avery Sample".to_owned()),
            ("Owner", "Casey Muster", 1, "u2@example.com,u3@example.com".to_owned()),
            ("Owner", "avery sampel", 1, "Avery Sample".to_owned()),
            ("Firm", "ABC Crop", 1, "ABC Corp".to_owned()),
        ]
    );
    assert!(outcome.rejection(4).message.contains("u2@example.com"));
}

#[test]
fn a_column_full_of_unknown_names_costs_no_more_than_a_thousand_of_them() {
    let rows: Vec<String> = (0..1_500).map(|n| format!("a{n}@example.com,Nobody {n}")).collect();
    let outcome =
        case(&["Email=email", "Owner=assignedTo"], &format!("Email,Owner\n{}\n", rows.join("\n")))
            .run();
    assert_eq!(outcome.unknown.len(), 1_000);
    assert!(outcome.judged.iter().all(|judged| judged.outcome.is_err()));
}
