//! The survey: what the values of a column say only together.
//!
//! `03/04/1990` is two days until another row of the same column says `25/12/1985`. The survey reads all
//! dates once, before any row is judged.

use std::collections::HashMap;

use super::compile::kind_of;
use super::field_rule::Words;
use super::outcome::Warned;
use crate::mapping;
use crate::model::{Directory, Policy, Target};
use crate::sheet::{Cell, Row};
use crate::value::{DateEvidence, Order};

/// A look at the whole sheet.
#[derive(Debug)]
pub struct Survey {
    dates: Vec<Dates>,
    /// The order of columns that prove none.
    usual: Option<Order>,
}

/// What the survey found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// By the rule's place in the mapping.
    orders: HashMap<usize, Order>,
    warnings: Vec<Warned>,
}

/// A rule that reads dates.
#[derive(Debug)]
struct Dates {
    /// The rule's place in the mapping.
    place: usize,
    columns: Vec<usize>,
    join: String,
    words: Words,
    field: String,
    target: Target,
    evidence: DateEvidence,
}

impl Survey {
    /// Plans the look: at the columns with dates, unless the policy says in which order they are.
    #[must_use]
    pub fn new(plan: &mapping::Plan, directory: &Directory, policy: &Policy) -> Self {
        if policy.date_order.is_some() {
            return Self { dates: Vec::new(), usual: None };
        }
        let rules = plan.bound.iter().enumerate().filter(|(_, bound)| {
            let kind = kind_of(&bound.rule.to, bound.rule.convert, directory);
            kind.is_ok_and(|(kind, _)| kind.is_dated())
        });
        let dates = rules.map(|(place, bound)| Dates {
            place,
            columns: bound.columns.clone(),
            join: bound.rule.join.clone(),
            words: Words::new(&bound.rule),
            field: bound.rule.from.first().cloned().unwrap_or_default(),
            target: bound.rule.to.clone(),
            evidence: DateEvidence::default(),
        });
        let usual = policy.usual_date_order.as_deref().and_then(|text| text.parse().ok());
        Self { dates: dates.collect(), usual }
    }

    /// Whether there is anything to look at.
    #[must_use]
    pub fn is_needed(&self) -> bool {
        !self.dates.is_empty()
    }

    /// Looks at a row.
    pub fn see(&mut self, row: &Row) {
        if row.fault.is_some() {
            return;
        }
        for dates in &mut self.dates {
            dates.see(row);
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(self) -> Findings {
        let mut findings = Findings::default();
        for dates in self.dates {
            let unproved = dates.evidence.needs_order() && !dates.evidence.contradictory();
            let usual = self.usual.filter(|_| unproved);
            let Some(order) = dates.evidence.order().or(usual) else { continue };
            findings.orders.insert(dates.place, order);
            if dates.evidence.needs_order() {
                findings.warnings.push(dates.inferred(order));
            }
        }
        findings
    }
}

impl Findings {
    /// What to tell about the sheet as a whole.
    #[must_use]
    pub fn warnings(&self) -> &[Warned] {
        &self.warnings
    }

    /// The order of day, month and year in the values of a rule, by the rule's place in the mapping.
    pub(super) fn into_orders(self) -> HashMap<usize, Order> {
        self.orders
    }
}

impl Dates {
    fn see(&mut self, row: &Row) {
        let text = |column: &usize| match row.cells.get(*column) {
            Some(Cell::Text(text)) => Some(self.words.bare(text.trim().to_owned())),
            Some(Cell::Number(_, text)) if self.columns.len() > 1 => Some(text.clone()),
            _ => None,
        };
        let parts: Vec<String> = self.columns.iter().filter_map(text).collect();
        match parts.as_slice() {
            [] => {}
            [one] => self.evidence.see(one, row.record),
            parts => self.evidence.see(&parts.join(&self.join), row.record),
        }
    }

    fn inferred(&self, order: Order) -> Warned {
        Warned {
            code: "W_DATE_ORDER_INFERRED",
            column: self.columns.first().copied(),
            field: if self.field.is_empty() { self.target.to_string() } else { self.field.clone() },
            message: match self.evidence.proof().as_str() {
                "" => format!(
                    "dates are read as {order}, as is usual in such files: none of them proves an order; \
                     `--date-order` says another"
                ),
                proof => format!("dates are read as {order}: {proof}"),
            },
        }
    }
}
