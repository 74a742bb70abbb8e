//! Error values of spreadsheets, in the languages of spreadsheet programs.

const ERRORS: &[&str] = &[
    // English, and those shared by all languages.
    "#N/A",
    "#NAME?",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    "#GETTING_DATA",
    "#ERROR!",
    "#N/A!",
    // German.
    "#NV",
    "#BEZUG!",
    "#WERT!",
    "#ZAHL!",
    "#ÜBERLAUF!",
    "#KALK!",
    // French.
    "#VALEUR!",
    "#NOMBRE!",
    "#NOM?",
    "#NUL!",
    "#PROPAGATION!",
    // Spanish.
    "#¡REF!",
    "#¡VALOR!",
    "#¡DIV/0!",
    "#¡NUM!",
    "#¿NOMBRE?",
    "#¡NULO!",
    "#N/D",
    // Italian and Portuguese.
    "#RIF!",
    "#VALORE!",
    "#NOME?",
    "#NULLO!",
    "#VALOR!",
    "#NÚM!",
    "#NULO!",
    // Dutch.
    "#WAARDE!",
    "#VERW!",
    "#NAAM?",
    "#N/B",
    "#GETAL!",
    "#LEEG!",
    "#DEEL/0!",
    // Polish, Swedish, Russian.
    "#ADR!",
    "#ARG!",
    "#NAZWA?",
    "#LICZBA!",
    "#N/D!",
    "#SAKNAS!",
    "#REFERENS!",
    "#VÄRDEFEL!",
    "#NAMN?",
    "#ССЫЛКА!",
    "#ЗНАЧ!",
    "#ДЕЛ/0!",
    "#ИМЯ?",
    "#ЧИСЛО!",
    "#Н/Д",
    "#ПУСТО!",
];

/// Whether the text is a spreadsheet's error value, or a row of `#` for a number that did not fit its cell.
#[must_use]
pub fn is_spreadsheet_error(text: &str) -> bool {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('#') {
        return (rest.len() > 1 && rest.bytes().all(|b| b == b'#'))
            || ERRORS.iter().any(|error| error.eq_ignore_ascii_case(text));
    }
    // LibreOffice.
    text.strip_prefix("Err:")
        .is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_values_are_known() {
        for text in [
            "#N/A",
            "#NAME?",
            "#REF!",
            "#VALUE!",
            "#DIV/0!",
            "#NUM!",
            "#NULL!",
            " #n/a ",
            "#NV",
            "#¿NOMBRE?",
            "#ССЫЛКА!",
            "Err:502",
            "########",
        ] {
            assert!(is_spreadsheet_error(text), "{text}");
        }
        for text in
            ["", "#", "##", "#1", "#hashtag", "N/A", "Err: no", "#N/A is what it says", "#VIP!"]
        {
            assert!(!is_spreadsheet_error(text), "{text}");
        }
    }
}
