//! Evidence about the order of day and month in a column of dates.
//!
//! One date that only one order can explain decides for the whole column, unless another date contradicts it.

use super::Order;
use super::date::{self, Number, Shape};

/// Evidence about a column's order of day, month and year, gathered over the whole column.
#[derive(Default, Clone, Debug)]
pub struct DateEvidence {
    dmy: Option<Proof>,
    mdy: Option<Proof>,
    ymd: Option<Proof>,
    needs_order: bool,
}

/// The first date that only one order explains.
#[derive(Clone, Debug)]
struct Proof {
    text: String,
    record: u64,
}

impl DateEvidence {
    /// Takes a value into account. `record` is its record's number, for [`Self::proof`].
    pub fn see(&mut self, text: &str, record: u64) {
        if !text.contains(char::is_numeric) {
            return;
        }
        let Ok((Shape::Numbers(numbers), _)) = date::day_and_clock(text, None) else { return };
        if numbers[0].digits == 4 {
            return;
        }
        match fitting(numbers)[..] {
            [] => {}
            [order] => {
                let slot = match order {
                    Order::Dmy => &mut self.dmy,
                    Order::Mdy => &mut self.mdy,
                    Order::Ymd => &mut self.ymd,
                };
                slot.get_or_insert_with(|| Proof { text: text.trim().to_owned(), record });
            }
            _ => self.needs_order = true,
        }
    }

    /// The order, when the evidence is all for one. `None` when nothing proves one, or several are proved.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        match (&self.dmy, &self.mdy, &self.ymd) {
            (Some(_), None, None) => Some(Order::Dmy),
            (None, Some(_), None) => Some(Order::Mdy),
            (None, None, Some(_)) => Some(Order::Ymd),
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
    pub fn contradictory(&self) -> bool {
        self.proofs().nth(1).is_some()
    }

    /// The dates that prove the order or orders, such as `31.12.1985 in record 1`. Empty without any.
    #[must_use]
    pub fn proof(&self) -> String {
        let proofs =
            self.proofs().map(|proof| format!("{} in record {}", proof.text, proof.record));
        proofs.collect::<Vec<_>>().join(" and ")
    }

    fn proofs(&self) -> impl Iterator<Item = &Proof> {
        [&self.dmy, &self.mdy, &self.ymd].into_iter().flatten()
    }
}

/// The orders in which the numbers are a day; one of them if all give the same day.
fn fitting(numbers: [Number; 3]) -> Vec<Order> {
    let orders = date::possible_orders(numbers);
    match orders[..] {
        [Order::Dmy, Order::Mdy] if numbers[0].value == numbers[1].value => Vec::new(),
        _ => orders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(texts: &[&str]) -> DateEvidence {
        let mut evidence = DateEvidence::default();
        for (record, text) in (1..).zip(texts) {
            evidence.see(text, record);
        }
        evidence
    }

    #[test]
    fn one_date_that_only_one_order_explains_decides() {
        let evidence = seen(&["25/12/1985", "03/04/1990", "13/01/2000"]);
        assert_eq!(evidence.order(), Some(Order::Dmy));
        assert!(evidence.needs_order() && !evidence.contradictory());
        assert_eq!(evidence.proof(), "25/12/1985 in record 1");

        assert_eq!(seen(&["31.12.1985", "03.04.1990"]).proof(), "31.12.1985 in record 1");
        assert_eq!(seen(&["03/04/1990", "12/25/1985 09:00"]).order(), Some(Order::Mdy));
        assert_eq!(seen(&["2/3/90", "25/12/85"]).order(), Some(Order::Dmy));
        assert_eq!(seen(&["85/12/25"]).order(), Some(Order::Ymd));
    }

    #[test]
    fn contradictory_dates_decide_nothing() {
        let evidence = seen(&["02/03/1990", "25/12/1985", "12/25/1985"]);
        assert_eq!(evidence.order(), None);
        assert!(evidence.contradictory());
        assert_eq!(evidence.proof(), "25/12/1985 in record 2 and 12/25/1985 in record 3");
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
        assert_eq!((evidence.order(), evidence.needs_order()), (None, false));
        assert_eq!(evidence.proof(), "");
        let open = seen(&["03/04/1990", "20/12/10"]);
        assert_eq!((open.order(), open.needs_order()), (None, true));
    }
}
