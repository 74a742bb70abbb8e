//! Builds a column, one JSON value at a time.
//!
//! A builder takes what it can from a value and reports how exactly it could. The caller keeps what
//! the column cannot represent exactly; the builder does not know where.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMillisecondBuilder,
};
use jiff::tz::TimeZone;

use super::column::{ColumnKind, ColumnSource, TableColumn};
use super::json_scan;
use super::scalar::{self, DateEncoding};

/// How exactly a column represents a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ValueFidelity {
    /// The column reproduces the value as it was sent.
    Exact,
    /// The column has the same value in a different spelling.
    Normalised,
    /// The value has another type; the column has the closest conversion, or null.
    TypeMismatch,
}

/// Context for decoding a value.
#[derive(Debug, Default)]
pub(super) struct DecodeContext {
    /// The time zone for times that were sent without one.
    pub(super) zone: Option<TimeZone>,
    /// A buffer for unescaping text.
    pub(super) text: String,
}

/// The values of one column.
#[derive(Debug)]
pub(super) enum ColumnBuilder {
    Text(StringBuilder),
    Json(StringBuilder),
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    /// With the form in which a day must be sent for the column to reproduce it.
    Date(Date32Builder, DateEncoding),
    Timestamp(TimestampMillisecondBuilder),
    List(ListBuilder<StringBuilder>),
}

impl ColumnBuilder {
    /// An empty column.
    pub(super) fn new(column: &TableColumn) -> Self {
        match column.kind {
            ColumnKind::Text => Self::Text(StringBuilder::new()),
            ColumnKind::Json => Self::Json(StringBuilder::new()),
            ColumnKind::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
            ColumnKind::Date => Self::Date(Date32Builder::new(), column_date_encoding(column)),
            ColumnKind::Timestamp => Self::Timestamp(
                TimestampMillisecondBuilder::new().with_data_type(column.kind.data_type()),
            ),
            ColumnKind::TextList => Self::List(ListBuilder::new(StringBuilder::new())),
        }
    }

    /// Adds a null.
    pub(super) fn append_null(&mut self) {
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

    /// Adds a text that is not JSON, or null.
    pub(super) fn append_text(&mut self, text: Option<&str>) {
        match self {
            Self::Text(cells) | Self::Json(cells) => cells.append_option(text),
            _ => self.append_null(),
        }
    }

    /// Adds the value of `raw`, which is JSON text other than `null`.
    pub(super) fn append_json(&mut self, raw: &str, context: &mut DecodeContext) -> ValueFidelity {
        match self {
            Self::Text(cells) => append_text_value(cells, raw, &mut context.text),
            Self::Json(cells) => {
                cells.append_value(raw);
                ValueFidelity::Exact
            }
            Self::Boolean(cells) => {
                let (value, fit) = parse_boolean(raw);
                cells.append_option(value);
                fit
            }
            Self::Integer(cells) => {
                let (value, fit) =
                    parse_number(raw, |text| Some((scalar::parse_integer(text)?, true)));
                cells.append_option(value);
                fit
            }
            Self::Float(cells) => {
                let (value, fit) = parse_number(raw, scalar::parse_float);
                cells.append_option(value);
                fit
            }
            Self::Date(cells, form) => {
                let day = scalar::parse_day(raw).map(|(day, sent)| (day, sent == *form));
                cells.append_option(day.map(|(day, _)| day));
                grade_fidelity(raw, day.map(|(_, exact)| exact))
            }
            Self::Timestamp(cells) => {
                let instant = scalar::parse_instant(raw, context.zone.as_ref());
                cells.append_option(instant.map(|(ms, _)| ms));
                grade_fidelity(raw, instant.map(|(_, exact)| exact))
            }
            Self::List(cells) => append_list_value(cells, raw, &mut context.text),
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

/// The search endpoint sends days as epoch numbers; custom fields have text.
pub(super) fn column_date_encoding(column: &TableColumn) -> DateEncoding {
    match column.source {
        ColumnSource::Field(_) => DateEncoding::Text,
        _ => DateEncoding::Epoch,
    }
}

fn append_text_value(cells: &mut StringBuilder, raw: &str, scratch: &mut String) -> ValueFidelity {
    let Some(inner) = json_scan::strip_quotes(raw) else {
        // Whatever it is, its text is more useful to a reader than null.
        cells.append_value(raw);
        return ValueFidelity::TypeMismatch;
    };
    if !inner.as_bytes().contains(&b'\\') {
        cells.append_value(inner);
        return ValueFidelity::Exact;
    }
    scratch.clear();
    let clean = json_scan::append_unescaped(inner, scratch);
    cells.append_value(&scratch);
    if clean { ValueFidelity::Exact } else { ValueFidelity::TypeMismatch }
}

fn parse_boolean(raw: &str) -> (Option<bool>, ValueFidelity) {
    match raw {
        "true" => (Some(true), ValueFidelity::Exact),
        "false" => (Some(false), ValueFidelity::Exact),
        r#""true""# | "1" => (Some(true), ValueFidelity::TypeMismatch),
        r#""false""# | "0" => (Some(false), ValueFidelity::TypeMismatch),
        _ => (None, grade_fidelity(raw, None)),
    }
}

fn parse_number<T>(
    raw: &str,
    read: impl Fn(&str) -> Option<(T, bool)>,
) -> (Option<T>, ValueFidelity) {
    let (text, is_text) = json_scan::strip_quotes(raw).map_or((raw, false), |text| (text, true));
    let value = read(text.trim());
    let fit = match &value {
        Some(_) if is_text => ValueFidelity::TypeMismatch,
        read => grade_fidelity(raw, read.as_ref().map(|(_, exact)| *exact)),
    };
    (value.map(|(value, _)| value), fit)
}

/// The fidelity of a value that was read exactly, in another spelling, or not at all. An empty text
/// is another spelling of null.
fn grade_fidelity(raw: &str, exact: Option<bool>) -> ValueFidelity {
    match exact {
        Some(true) => ValueFidelity::Exact,
        Some(false) => ValueFidelity::Normalised,
        None if raw == r#""""# => ValueFidelity::Normalised,
        None => ValueFidelity::TypeMismatch,
    }
}

fn append_list_value(
    cells: &mut ListBuilder<StringBuilder>,
    raw: &str,
    scratch: &mut String,
) -> ValueFidelity {
    if raw.starts_with('[') {
        let fits = json_scan::array_elements(raw)
            .map(|element| append_list_item(cells.values(), element, scratch));
        let fit = fits.max().unwrap_or(ValueFidelity::Exact);
        cells.append(true);
        return fit;
    }
    let fit = grade_fidelity(raw, None);
    if fit == ValueFidelity::TypeMismatch && !raw.starts_with('{') {
        append_text_value(cells.values(), raw, scratch);
        cells.append(true);
    } else {
        cells.append_null();
    }
    fit
}

fn append_list_item(cells: &mut StringBuilder, raw: &str, scratch: &mut String) -> ValueFidelity {
    match raw.as_bytes().first() {
        Some(b'n') => ValueFidelity::Normalised,
        Some(b'{') => {
            let wanted = |(key, value): &(&str, &str)| {
                matches!(*key, "email" | "phone") && value.starts_with('"')
            };
            let Some((_, value)) = json_scan::object_members(raw).find(wanted) else {
                return ValueFidelity::TypeMismatch;
            };
            append_text_value(cells, value, scratch).max(ValueFidelity::Normalised)
        }
        Some(b'[') => ValueFidelity::TypeMismatch,
        _ => append_text_value(cells, raw, scratch),
    }
}
