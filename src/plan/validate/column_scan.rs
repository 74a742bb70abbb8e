//! The column scan: finds what the values of a column mean only together.
//!
//! `03/04/1990` is ambiguous until another row of the same column contains `25/12/1985`. The scan reads all dates
//! once, before any row is validated.

use std::collections::HashMap;

use super::field_rule::TextTransform;
use super::value_type::resolve_value_type;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::mapping;
use crate::model::{ImportPolicy, LocationDirectory, MappingTarget};
use crate::sheet::{SheetCell, SheetRow};
use crate::value::{DateOrder, DateOrderEvidence};

/// A scan of the whole sheet.
#[derive(Debug)]
pub struct ColumnScan {
    dates: Vec<DateRuleScan>,
    /// The date order of columns that do not prove one.
    usual: Option<DateOrder>,
}

/// The result of the scan.
#[derive(Debug, Clone, Default)]
pub struct ColumnScanFindings {
    /// The date orders, by the rule's index in the mapping.
    orders: HashMap<usize, DateOrder>,
    warnings: Vec<Diagnostic>,
}

/// A rule that reads dates.
#[derive(Debug)]
struct DateRuleScan {
    /// The rule's index in the mapping.
    place: usize,
    columns: Vec<usize>,
    join: String,
    words: TextTransform,
    field: String,
    target: MappingTarget,
    evidence: DateOrderEvidence,
}

impl ColumnScan {
    /// Prepares a scan of the columns with dates, unless the policy sets their order.
    #[must_use]
    pub fn new(
        plan: &mapping::BoundMapping,
        directory: &LocationDirectory,
        policy: &ImportPolicy,
    ) -> Self {
        if policy.date_order.is_some() {
            return Self { dates: Vec::new(), usual: None };
        }
        let rules = plan.bound.iter().enumerate().filter(|(_, bound)| {
            let kind = resolve_value_type(&bound.rule.to, bound.rule.convert, directory);
            kind.is_ok_and(|(kind, _)| kind.is_date_or_datetime())
        });
        let dates = rules.map(|(place, bound)| DateRuleScan {
            place,
            columns: bound.columns.clone(),
            join: bound.rule.join.clone(),
            words: TextTransform::new(&bound.rule),
            field: bound.rule.from.first().cloned().unwrap_or_default(),
            target: bound.rule.to.clone(),
            evidence: DateOrderEvidence::default(),
        });
        let usual = policy.usual_date_order;
        Self { dates: dates.collect(), usual }
    }

    /// Whether there is anything to scan.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        !self.dates.is_empty()
    }

    /// Scans a row.
    pub fn scan_row(&mut self, row: &SheetRow) {
        if row.fault.is_some() {
            return;
        }
        for dates in &mut self.dates {
            dates.scan_row(row);
        }
    }

    /// Returns the findings.
    #[must_use]
    pub fn into_findings(self) -> ColumnScanFindings {
        let mut findings = ColumnScanFindings::default();
        for dates in self.dates {
            let unproved = dates.evidence.needs_order() && !dates.evidence.is_contradictory();
            let stated = DateOrder::from_header(&dates.field);
            let usual = stated.or(self.usual).filter(|_| unproved);
            let Some(order) = dates.evidence.proven_order().or(usual) else { continue };
            findings.orders.insert(dates.place, order);
            if dates.evidence.needs_order() {
                findings.warnings.push(dates.inferred_order_warning(order));
            }
        }
        findings
    }
}

impl ColumnScanFindings {
    /// Warnings about the sheet as a whole.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The order of day, month and year in the values of a rule, by the rule's index in the mapping.
    pub(super) fn into_date_orders(self) -> HashMap<usize, DateOrder> {
        self.orders
    }
}

impl DateRuleScan {
    fn scan_row(&mut self, row: &SheetRow) {
        let text = |column: &usize| match row.cells.get(*column) {
            Some(SheetCell::Text(text)) => {
                Some(self.words.replace_and_strip(text.trim().to_owned()))
            }
            Some(SheetCell::Number(_, text)) if self.columns.len() > 1 => Some(text.clone()),
            _ => None,
        };
        let parts: Vec<String> = self.columns.iter().filter_map(text).collect();
        match parts.as_slice() {
            [] => {}
            [one] => self.evidence.add_value(one, row.record),
            parts => self.evidence.add_value(&parts.join(&self.join), row.record),
        }
    }

    fn inferred_order_warning(&self, order: DateOrder) -> Diagnostic {
        let message = match self.evidence.describe_proofs().as_str() {
            "" if DateOrder::from_header(&self.field) == Some(order) => {
                format!("dates are read as {order}, as the header says")
            }
            "" => format!(
                "dates are read as {order}, as is usual in such files, because no date proves an \
                 order; `--date-order` sets another one"
            ),
            proof => format!("dates are read as {order}: {proof}"),
        };
        let field =
            if self.field.is_empty() { self.target.to_string() } else { self.field.clone() };
        Diagnostic::new(DiagnosticCode::W_DATE_ORDER_INFERRED, message)
            .at_column(self.columns.first().copied())
            .in_field(field)
    }
}
