//! Severity: the code with which a warning rejects its row, and with which a rejection is only a warning.

use crate::diagnostic::{DiagnosticCode, DiagnosticSeverity};

/// The rejection for a value that normally only causes a warning. Codes of rejections are returned unchanged.
pub(super) fn rejection_code(code: DiagnosticCode) -> DiagnosticCode {
    match code {
        code if code.severity() == DiagnosticSeverity::Rejection => code,
        DiagnosticCode::W_DATE_AMBIGUOUS
        | DiagnosticCode::W_DATE_FUTURE
        | DiagnosticCode::W_DATE_INVALID
        | DiagnosticCode::W_DATE_NO_YEAR
        | DiagnosticCode::W_DATE_ORDER_INFERRED
        | DiagnosticCode::W_DATE_SERIAL => DiagnosticCode::R_DATE_INVALID,
        DiagnosticCode::W_COUNTRY_UNKNOWN => DiagnosticCode::R_COUNTRY_UNKNOWN,
        DiagnosticCode::W_EMAIL_EXCHANGE_DN => DiagnosticCode::R_INVALID_EMAIL,
        DiagnosticCode::W_FORMULA_NO_VALUE => DiagnosticCode::R_FORMULA_NO_VALUE,
        DiagnosticCode::W_NUMBER_INVALID => DiagnosticCode::R_NUMBER_INVALID,
        DiagnosticCode::W_OPTION_UNKNOWN => DiagnosticCode::R_OPTION_UNKNOWN,
        DiagnosticCode::W_PHONE_INVALID => DiagnosticCode::R_INVALID_PHONE,
        DiagnosticCode::W_SPREADSHEET_ERROR => DiagnosticCode::R_SPREADSHEET_ERROR,
        DiagnosticCode::W_TIMEZONE_UNKNOWN => DiagnosticCode::R_TIMEZONE_UNKNOWN,
        _ => DiagnosticCode::R_VALUE_INVALID,
    }
}

/// The warning for a value whose field is left out, if the contact's identity does not depend on it. Codes without
/// a warning are returned unchanged, and reject.
pub(super) fn warning_code(code: DiagnosticCode) -> DiagnosticCode {
    match code {
        DiagnosticCode::R_INVALID_EMAIL => DiagnosticCode::W_EMAIL_INVALID,
        DiagnosticCode::R_INVALID_PHONE | DiagnosticCode::R_PHONE_SCIENTIFIC => {
            DiagnosticCode::W_PHONE_INVALID
        }
        DiagnosticCode::R_BOOLEAN_UNKNOWN => DiagnosticCode::W_BOOLEAN_UNKNOWN,
        code => code,
    }
}
