//! Mappings, and their problems with sheets and locations.

use super::*;
use crate::diagnostic::Diagnostic;
use crate::model::directory::{CustomField, LocationDirectory};
use crate::model::policy::{BlankRule, DecimalSign, IdentityKey, ImportMode, ImportPolicy};
use crate::sheet::SheetColumn;

pub(super) fn columns(header: &str) -> Vec<SheetColumn> {
    let letters = |at: usize| match at {
        0..26 => char::from(b'A' + u8::try_from(at).unwrap()).to_string(),
        _ => format!("A{at}"),
    };
    header
        .split(',')
        .enumerate()
        .map(|(at, name)| SheetColumn { name: name.to_owned(), letters: letters(at) })
        .collect()
}

fn directory() -> LocationDirectory {
    let field = |id: &str, key: &str, name: &str, kind: &str| CustomField {
        id: id.to_owned(),
        key: key.to_owned(),
        column: format!("custom_{key}"),
        name: name.to_owned(),
        data_type: kind.to_owned(),
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
            field("f1", "vip_since", "VIP since", "DATE"),
            field("f2", "score", "Score", "NUMERICAL"),
            field("f3", "score_2", "Score", "NUMERICAL"),
            field("f4", "contract", "Contract", "FILE_UPLOAD"),
            field("f5", "custom_1", "Custom 1", "TEXT"),
        ],
        users: Vec::new(),
        businesses: Vec::new(),
    }
}

fn mapping(text: &str) -> Mapping {
    Mapping::parse(text, "test").unwrap()
}

/// All bindings, as `A+B>target`.
fn shown(plan: &BoundMapping) -> Vec<String> {
    let letter = |at: &usize| char::from(b'A' + u8::try_from(*at).unwrap()).to_string();
    plan.bound
        .iter()
        .map(|bound| {
            let from: Vec<String> = bound.columns.iter().map(letter).collect();
            format!("{}>{}", from.join("+"), bound.rule.to)
        })
        .collect()
}

fn complaints(problems: &[Diagnostic]) -> Vec<String> {
    problems.iter().map(Diagnostic::message_with_place).collect()
}

mod binding;
mod parsing;
mod resolving;
mod rows;
