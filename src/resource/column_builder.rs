//! A column being filled: one value after the other, each from JSON text.
//!
//! A cell takes what it can from a value and says how well that went. What it could not take exactly, its caller
//! keeps elsewhere; the cell does not know where.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMillisecondBuilder,
};
use jiff::tz::TimeZone;

use super::column::{Column, Kind, Wire};
use super::json_scan;
use super::scalar::{self, Sent};

/// How well a value went into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The column gives the value back as it was sent.
    Exact,
    /// The column holds what was meant, but not how it was written.
    Respelt,
    /// The value is of another type; the column holds the best that could be made of it, or null.
    Misfit,
}

/// What a value may need to be understood, beside itself.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The zone of times sent without one.
    pub(super) zone: Option<TimeZone>,
    /// Room for text with escapes.
    pub(super) text: String,
}

/// The values of one column.
#[derive(Debug)]
pub(super) enum Cell {
    Text(StringBuilder),
    Json(StringBuilder),
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    /// With the way in which a day is sent when the column can give it back.
    Date(Date32Builder, Sent),
    Timestamp(TimestampMillisecondBuilder),
    List(ListBuilder<StringBuilder>),
}

impl Cell {
    /// An empty column.
    pub(super) fn new(column: &Column) -> Self {
        match column.kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Json => Self::Json(StringBuilder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Float => Self::Float(Float64Builder::new()),
            Kind::Date => Self::Date(Date32Builder::new(), sent(column)),
            Kind::Timestamp => Self::Timestamp(
                TimestampMillisecondBuilder::new().with_data_type(column.kind.data_type()),
            ),
            Kind::TextList => Self::List(ListBuilder::new(StringBuilder::new())),
        }
    }

    /// Adds a null.
    pub(super) fn null(&mut self) {
        match self {
            Self::Text(cells) | Self::Json(cells) => cells.append_null(),
            Self::Boolean(cells) => cells.append_null(),
            Self::Integer(cells) => cells.append_null(),
            Self::Float(cells) => cells.append_null(),
            Self::Date(cells, _) => cells.append_null(),
            Self::Timestamp(cells) => cells.append_null(),
            Self::List(cells) => cells.append_null(),
        }
    }

    /// Adds a text that is no JSON, or null.
    pub(super) fn plain(&mut self, text: Option<&str>) {
        match self {
            Self::Text(cells) | Self::Json(cells) => cells.append_option(text),
            _ => self.null(),
        }
    }

    /// Adds the value of `raw`, which is JSON text other than `null`.
    pub(super) fn decode(&mut self, raw: &str, context: &mut Context) -> Fit {
        match self {
            Self::Text(cells) => text(cells, raw, &mut context.text),
            Self::Json(cells) => {
                cells.append_value(raw);
                Fit::Exact
            }
            Self::Boolean(cells) => {
                let (value, fit) = boolean(raw);
                cells.append_option(value);
                fit
            }
            Self::Integer(cells) => {
                let (value, fit) = number(raw, |text| Some((scalar::integer(text)?, true)));
                cells.append_option(value);
                fit
            }
            Self::Float(cells) => {
                let (value, fit) = number(raw, scalar::float);
                cells.append_option(value);
                fit
            }
            Self::Date(cells, form) => {
                let day = scalar::day(raw).map(|(day, sent)| (day, sent == *form));
                cells.append_option(day.map(|(day, _)| day));
                respelling(raw, day.map(|(_, exact)| exact))
            }
            Self::Timestamp(cells) => {
                let instant = scalar::instant(raw, context.zone.as_ref());
                cells.append_option(instant.map(|(ms, _)| ms));
                respelling(raw, instant.map(|(_, exact)| exact))
            }
            Self::List(cells) => list(cells, raw, &mut context.text),
        }
    }

    /// The finished column; the next one starts empty.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) | Self::Json(cells) => Arc::new(cells.finish()),
            Self::Boolean(cells) => Arc::new(cells.finish()),
            Self::Integer(cells) => Arc::new(cells.finish()),
            Self::Float(cells) => Arc::new(cells.finish()),
            Self::Date(cells, _) => Arc::new(cells.finish()),
            Self::Timestamp(cells) => ArrayBuilder::finish(cells),
            Self::List(cells) => Arc::new(cells.finish()),
        }
    }
}

/// The search dialect writes days as epoch numbers, custom fields as text.
pub(super) fn sent(column: &Column) -> Sent {
    match column.wire {
        Wire::Field(_) => Sent::Text,
        _ => Sent::Epoch,
    }
}

fn text(cells: &mut StringBuilder, raw: &str, scratch: &mut String) -> Fit {
    let Some(inner) = json_scan::inside(raw) else {
        // Whatever it is, a reader is better served by its text than by nothing.
        cells.append_value(raw);
        return Fit::Misfit;
    };
    if !inner.as_bytes().contains(&b'\\') {
        cells.append_value(inner);
        return Fit::Exact;
    }
    scratch.clear();
    let clean = json_scan::unescape(inner, scratch);
    cells.append_value(&scratch);
    if clean { Fit::Exact } else { Fit::Misfit }
}

fn boolean(raw: &str) -> (Option<bool>, Fit) {
    match raw {
        "true" => (Some(true), Fit::Exact),
        "false" => (Some(false), Fit::Exact),
        r#""true""# | "1" => (Some(true), Fit::Misfit),
        r#""false""# | "0" => (Some(false), Fit::Misfit),
        _ => (None, respelling(raw, None)),
    }
}

fn number<T>(raw: &str, read: impl Fn(&str) -> Option<(T, bool)>) -> (Option<T>, Fit) {
    let (text, is_text) = json_scan::inside(raw).map_or((raw, false), |text| (text, true));
    let value = read(text.trim());
    let fit = match &value {
        Some(_) if is_text => Fit::Misfit,
        read => respelling(raw, read.as_ref().map(|(_, exact)| *exact)),
    };
    (value.map(|(value, _)| value), fit)
}

/// How well a value was read: exactly, in another spelling, or not at all. An empty text is another spelling of null.
fn respelling(raw: &str, exact: Option<bool>) -> Fit {
    match exact {
        Some(true) => Fit::Exact,
        Some(false) => Fit::Respelt,
        None if raw == r#""""# => Fit::Respelt,
        None => Fit::Misfit,
    }
}

fn list(cells: &mut ListBuilder<StringBuilder>, raw: &str, scratch: &mut String) -> Fit {
    if raw.starts_with('[') {
        let fits = json_scan::elements(raw).map(|element| item(cells.values(), element, scratch));
        let fit = fits.max().unwrap_or(Fit::Exact);
        cells.append(true);
        return fit;
    }
    let fit = respelling(raw, None);
    if fit == Fit::Misfit && !raw.starts_with('{') {
        text(cells.values(), raw, scratch);
        cells.append(true);
    } else {
        cells.append_null();
    }
    fit
}

fn item(cells: &mut StringBuilder, raw: &str, scratch: &mut String) -> Fit {
    match raw.as_bytes().first() {
        Some(b'n') => Fit::Respelt,
        Some(b'{') => {
            let wanted = |(key, value): &(&str, &str)| {
                matches!(*key, "email" | "phone") && value.starts_with('"')
            };
            let Some((_, value)) = json_scan::members(raw).find(wanted) else {
                return Fit::Misfit;
            };
            text(cells, value, scratch).max(Fit::Respelt)
        }
        Some(b'[') => Fit::Misfit,
        _ => text(cells, raw, scratch),
    }
}
