//! Evidence about the order of day and month in a column of dates.
//!
//! A date that is valid in only one order decides for the whole column, unless another date contradicts it.

use super::DateOrder;
use super::date::{self, DateNumber, DateShape};

/// Evidence about a column's order of day, month and year, collected from the whole column.
#[derive(Default, Clone, Debug)]
pub struct DateOrderEvidence {
    dmy: Option<DateOrderProof>,
    mdy: Option<DateOrderProof>,
    ymd: Option<DateOrderProof>,
    needs_order: bool,
}

/// The first date that is valid in only one order.
#[derive(Clone, Debug)]
struct DateOrderProof {
    text: String,
    record: u64,
}

impl DateOrderEvidence {
    /// Adds the evidence of a value. `record` is its record number, for [`Self::describe_proofs`].
    pub fn add_value(&mut self, text: &str, record: u64) {
        if !text.contains(char::is_numeric) {
            return;
        }
        let Ok((DateShape::Numbers(numbers), _)) = date::parse_day_and_time(text, None) else {
            return;
        };
        if numbers[0].digits == 4 {
            return;
        }
        match distinct_orders(numbers)[..] {
            [] => {}
            [order] => {
                let slot = match order {
                    DateOrder::Dmy => &mut self.dmy,
                    DateOrder::Mdy => &mut self.mdy,
                    DateOrder::Ymd => &mut self.ymd,
                };
                slot.get_or_insert_with(|| DateOrderProof { text: text.trim().to_owned(), record });
            }
            _ => self.needs_order = true,
        }
    }

    /// The order that the evidence proves. `None` if no order is proved, or several are.
    #[must_use]
    pub fn proven_order(&self) -> Option<DateOrder> {
        match (&self.dmy, &self.mdy, &self.ymd) {
            (Some(_), None, None) => Some(DateOrder::Dmy),
            (None, Some(_), None) => Some(DateOrder::Mdy),
            (None, None, Some(_)) => Some(DateOrder::Ymd),
            _ => None,
        }
    }

    /// Whether any value needs an order to be read.
    #[must_use]
    pub fn needs_order(&self) -> bool {
        self.needs_order
    }

    /// Whether several orders are proved.
    #[must_use]
    pub fn is_contradictory(&self) -> bool {
        self.found_proofs().nth(1).is_some()
    }

    /// The dates that prove the order or orders, such as `31.12.1985 in record 1`. Empty if no order is proved.
    #[must_use]
    pub fn describe_proofs(&self) -> String {
        let proofs =
            self.found_proofs().map(|proof| format!("{} in record {}", proof.text, proof.record));
        proofs.collect::<Vec<_>>().join(" and ")
    }

    fn found_proofs(&self) -> impl Iterator<Item = &DateOrderProof> {
        [&self.dmy, &self.mdy, &self.ymd].into_iter().flatten()
    }
}

/// The orders in which the numbers are a valid day; empty if all give the same day.
fn distinct_orders(numbers: [DateNumber; 3]) -> Vec<DateOrder> {
    let orders = date::possible_orders(numbers);
    match orders[..] {
        [DateOrder::Dmy, DateOrder::Mdy] if numbers[0].value == numbers[1].value => Vec::new(),
        _ => orders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(texts: &[&str]) -> DateOrderEvidence {
        let mut evidence = DateOrderEvidence::default();
        for (record, text) in (1..).zip(texts) {
            evidence.add_value(text, record);
        }
        evidence
    }

    #[test]
    fn one_date_that_only_one_order_explains_decides() {
        let evidence = seen(&["25/12/1985", "03/04/1990", "13/01/2000"]);
        assert_eq!(evidence.proven_order(), Some(DateOrder::Dmy));
        assert!(evidence.needs_order() && !evidence.is_contradictory());
        assert_eq!(evidence.describe_proofs(), "25/12/1985 in record 1");

        assert_eq!(seen(&["31.12.1985", "03.04.1990"]).describe_proofs(), "31.12.1985 in record 1");
        assert_eq!(seen(&["03/04/1990", "12/25/1985 09:00"]).proven_order(), Some(DateOrder::Mdy));
        assert_eq!(seen(&["2/3/90", "25/12/85"]).proven_order(), Some(DateOrder::Dmy));
        assert_eq!(seen(&["85/12/25"]).proven_order(), Some(DateOrder::Ymd));
    }

    #[test]
    fn contradictory_dates_decide_nothing() {
        let evidence = seen(&["02/03/1990", "25/12/1985", "12/25/1985"]);
        assert_eq!(evidence.proven_order(), None);
        assert!(evidence.is_contradictory());
        assert_eq!(evidence.describe_proofs(), "25/12/1985 in record 2 and 12/25/1985 in record 3");
    }

    #[test]
    fn other_dates_prove_nothing() {
        let evidence = seen(&[
            "1990-02-03",
            "3 Feb 1990",
            "03/03/1990",
            "30/02/1990",
            "31/31/2000",
            "",
            "0/0/00",
            "x",
            "19900203",
        ]);
        assert_eq!((evidence.proven_order(), evidence.needs_order()), (None, false));
        assert_eq!(evidence.describe_proofs(), "");
        let open = seen(&["03/04/1990", "20/12/10"]);
        assert_eq!((open.proven_order(), open.needs_order()), (None, true));
    }
}
