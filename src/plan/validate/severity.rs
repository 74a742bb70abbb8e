//! Strictness: the code under which a warning rejects its row.

/// The rejection for a value that is only warned about otherwise. Codes of rejections stay.
pub(super) fn rejection_code(code: &'static str) -> &'static str {
    match code {
        code if code.starts_with("R_") => code,
        code if code.starts_with("W_DATE_") => "R_DATE_INVALID",
        "W_COUNTRY_UNKNOWN" => "R_COUNTRY_UNKNOWN",
        "W_EMAIL_EXCHANGE_DN" => "R_INVALID_EMAIL",
        "W_FORMULA_NO_VALUE" => "R_FORMULA_NO_VALUE",
        "W_NUMBER_INVALID" => "R_NUMBER_INVALID",
        "W_PHONE_INVALID" => "R_INVALID_PHONE",
        "W_SPREADSHEET_ERROR" => "R_SPREADSHEET_ERROR",
        "W_TIMEZONE_UNKNOWN" => "R_TIMEZONE_UNKNOWN",
        _ => "R_VALUE_INVALID",
    }
}

/// The warning for a value whose field is left out, where no contact's identity hangs on it. Codes that
/// have no such form stay, and reject.
pub(super) fn warning_code(code: &'static str) -> &'static str {
    match code {
        "R_INVALID_EMAIL" => "W_EMAIL_INVALID",
        "R_INVALID_PHONE" | "R_PHONE_SCIENTIFIC" => "W_PHONE_INVALID",
        "R_BOOLEAN_UNKNOWN" => "W_BOOLEAN_UNKNOWN",
        code => code,
    }
}
