//! What a filter's condition asks of: the field, and the operator.

/// Where a condition looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FilterField {
    /// A key of the row, or a path of keys.
    Row(Vec<String>),
    /// A custom field, and a box of it.
    Custom(String, Option<String>),
}

/// How a condition looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FilterOperator {
    Eq,
    NotEq,
    Contains,
    NotContains,
    Exists,
    NotExists,
    Range,
    Nested,
}

impl FilterOperator {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "eq" => Self::Eq,
            "not_eq" => Self::NotEq,
            "contains" => Self::Contains,
            "not_contains" => Self::NotContains,
            "exists" => Self::Exists,
            "not_exists" => Self::NotExists,
            "range" => Self::Range,
            "nested" => Self::Nested,
            _ => return None,
        })
    }
}
