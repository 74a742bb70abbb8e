//! Sheets, mappings, and the validation results of their rows.

mod children;
mod consent;
mod contact;
mod custom;
mod dates;
mod names;
mod policy;
mod rows;
mod unread;
mod whole;

use serde_json::{Map, Value as Json, json};

use super::*;
use crate::diagnostic::Diagnostic;
use crate::mapping::Mapping;
use crate::model::{
    ContactDraft, CustomField, DecimalSign, InvalidPhoneRule, LocationBusiness, LocationUser,
    NoteDateRule, TaskPriorityRule,
};
use crate::sheet::{RowPosition, SheetCell};
use crate::value::DateOrder;

/// A sheet, its mapping and its directory.
struct Case {
    mapping: String,
    columns: Vec<SheetColumn>,
    rows: Vec<SheetRow>,
    policy: ImportPolicy,
    directory: LocationDirectory,
}

/// The results of the rows of a case.
struct Outcome {
    judged: Vec<ValidatedRow>,
    findings: Vec<Diagnostic>,
    summary: Vec<Diagnostic>,
    unknown: Vec<UnresolvedName>,
    children_only: bool,
}

/// A sheet given as CSV, mapped by rules such as `Email=email`.
fn case(rules: &[&str], csv: &str) -> Case {
    let table = |rule: &&str| {
        let (from, to) = rule.rsplit_once('=').unwrap();
        let (to, convert) = to.split_once(':').unwrap_or((to, ""));
        let convert =
            if convert.is_empty() { String::new() } else { format!("convert = \"{convert}\"\n") };
        format!("[[column]]\nfrom = \"{from}\"\nto = \"{to}\"\n{convert}")
    };
    let tables: String = rules.iter().map(table).collect();
    written(&format!("format = 1\n{tables}"), csv)
}

/// A sheet given as CSV, and the text of a mapping.
fn written(mapping: &str, csv: &str) -> Case {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(csv.as_bytes());
    let letters = |at: usize| char::from(b'A' + u8::try_from(at).unwrap()).to_string();
    let headers = reader.headers().unwrap().clone();
    let columns: Vec<SheetColumn> = headers
        .iter()
        .enumerate()
        .map(|(at, name)| SheetColumn { name: name.to_owned(), letters: letters(at) })
        .collect();
    let cell = |text: &str| {
        if text.trim().is_empty() { SheetCell::Empty } else { SheetCell::Text(text.to_owned()) }
    };
    let rows = reader.records().enumerate().map(|(at, record)| {
        let mut cells: Vec<SheetCell> = record.unwrap().iter().map(cell).collect();
        cells.resize(columns.len(), SheetCell::Empty);
        row(u64::try_from(at).unwrap() + 1, cells)
    });
    let rows = rows.collect();
    Case {
        mapping: mapping.to_owned(),
        rows,
        columns,
        policy: ImportPolicy::default(),
        directory: directory(),
    }
}

fn row(record: u64, cells: Vec<SheetCell>) -> SheetRow {
    let place = RowPosition { line: record + 1, sheet: None };
    SheetRow { record, place, cells, fault: None, warnings: Vec::new() }
}

fn directory() -> LocationDirectory {
    let field = |key: &str, kind: &str, options: &[&str]| CustomField {
        id: format!("id_{key}"),
        key: key.to_owned(),
        column: format!("custom_{key}"),
        name: key.replace('_', " "),
        data_type: kind.to_owned(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        custom_option: false,
    };
    let user = |id: &str, name: &str| LocationUser {
        id: id.to_owned(),
        name: name.to_owned(),
        email: format!("{id}@example.com"),
    };
    LocationDirectory {
        location: "loc1".parse().unwrap(),
        name: None,
        country: Some("US".to_owned()),
        timezone: None,
        allows_duplicates: false,
        unique: vec!["email".to_owned()],
        fields: vec![
            field("text", "TEXT", &[]),
            field("umsatz", "NUMERICAL", &[]),
            field("price", "MONETORY", &[]),
            field("since", "DATE", &[]),
            field("size", "SINGLE_OPTIONS", &["Small", "Medium, tall", "Large"]),
            field("colors", "MULTIPLE_OPTIONS", &["Red", "Green", "Blue, dark"]),
            field("mobile", "PHONE", &[]),
            field("contract", "FILE_UPLOAD", &[]),
        ],
        users: vec![
            user("u1", "Avery Sample"),
            user("u2", "Casey Muster"),
            user("u3", "Casey Muster"),
        ],
        businesses: vec![LocationBusiness { id: "b1".to_owned(), name: "ABC Corp".to_owned() }],
    }
}

impl Case {
    fn policy(mut self, change: impl FnOnce(&mut ImportPolicy)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Replaces a cell of the sheet: record, column, cell.
    fn cell(mut self, record: usize, column: usize, cell: SheetCell) -> Self {
        self.rows[record - 1].cells[column] = cell;
        self
    }

    #[track_caller]
    fn run(&self) -> Outcome {
        let plan =
            Mapping::parse(&self.mapping, "test").unwrap().bind_columns(&self.columns).unwrap();
        let mut survey = ColumnScan::new(&plan, &self.directory, &self.policy);
        if survey.is_needed() {
            self.rows.iter().for_each(|row| survey.scan_row(row));
        }
        let findings = survey.into_findings();
        let found = findings.warnings().to_vec();
        let checker = self.checker(plan, findings).unwrap();
        let judged = self.rows.iter().map(|row| checker.validate_row(row)).collect();
        Outcome {
            judged,
            findings: found,
            summary: checker.sheet_warnings(),
            unknown: checker.unresolved_names(),
            children_only: checker.is_children_only(),
        }
    }

    fn checker(
        &self,
        plan: mapping::BoundMapping,
        findings: ColumnScanFindings,
    ) -> Result<RowValidator, Vec<Diagnostic>> {
        let (directory, policy) = (self.directory.clone(), self.policy.clone());
        let today = jiff::civil::date(2026, 11, 21);
        RowValidator::new(plan, &self.columns, directory, policy, findings, today)
    }

    /// The problems that prevent the mapping from being used.
    #[track_caller]
    fn problems(&self) -> Vec<String> {
        let plan =
            Mapping::parse(&self.mapping, "test").unwrap().bind_columns(&self.columns).unwrap();
        let problems = self.checker(plan, ColumnScanFindings::default()).unwrap_err();
        problems.iter().map(crate::diagnostic::Diagnostic::message_with_place).collect()
    }

    /// Expects rows as `code`, or as the relevant parts of their drafts.
    #[track_caller]
    fn check(&self, expected: &[Json]) -> Outcome {
        let outcome = self.run();
        let shown: Vec<Json> = outcome.judged.iter().map(shown).collect();
        assert_eq!(shown.len(), expected.len());
        for (at, (shown, expected)) in shown.iter().zip(expected).enumerate() {
            let warnings = &outcome.judged[at].warnings;
            assert_eq!(
                shown,
                expected,
                "record {} {warnings:?} {:?}",
                at + 1,
                outcome.judged[at].outcome
            );
        }
        outcome
    }
}

impl Outcome {
    /// The warnings of each row.
    fn codes(&self) -> Vec<Vec<&str>> {
        let codes = |judged: &ValidatedRow| {
            judged.warnings.iter().map(|warned| warned.code.spelling()).collect()
        };
        self.judged.iter().map(codes).collect()
    }

    #[track_caller]
    fn draft(&self, record: usize) -> &ContactDraft {
        self.judged[record - 1].outcome.as_ref().unwrap()
    }

    #[track_caller]
    fn rejection(&self, record: usize) -> &Diagnostic {
        &self.judged[record - 1].outcome.as_ref().unwrap_err()[0]
    }
}

/// The codes of all rejections, or a draft as one flat object.
fn shown(judged: &ValidatedRow) -> Json {
    let draft = match &judged.outcome {
        Ok(draft) => draft,
        Err(rejections) => {
            let codes: Vec<_> = rejections.iter().map(|it| it.code.spelling()).collect();
            return codes.join(" ").into();
        }
    };
    let mut all = Map::new();
    for (field, value) in &draft.fields {
        all.insert(field.name().to_owned(), value.clone());
    }
    all.extend(draft.custom.clone());
    let stored = serde_json::to_value(draft).unwrap();
    for (name, value) in stored.as_object().unwrap() {
        if !["fields", "custom", "written"].contains(&name.as_str()) {
            all.insert(name.clone(), value.clone());
        }
    }
    Json::Object(all)
}

#[test]
fn a_checker_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<RowValidator>();
}
