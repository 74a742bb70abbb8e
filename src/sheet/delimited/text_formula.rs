//! Text formulas: `="02139"`, with which exporters keep a spreadsheet from reading digits as a number.
//!
//! Such a cell is its text. Only formulas that are nothing but one text are unwrapped; any other stays as written.

/// The text of a cell that is a text formula: `="…"` or `=T("…")`. A quote inside is doubled.
pub(crate) fn unwrap_text_formula(cell: &str) -> Option<String> {
    let formula = cell.trim_matches([' ', '\t', '\r', '\n']).strip_prefix('=')?;
    let argument = formula.strip_prefix("T(").or_else(|| formula.strip_prefix("t("));
    let literal = match argument {
        Some(argument) => argument.strip_suffix(')')?.trim_matches(' '),
        None => formula.trim_start_matches(' '),
    };
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    // A single quote ends the text, so something else follows: `="a"&"b"`.
    let is_one_text = !inner.replace("\"\"", "").contains('"');
    is_one_text.then(|| inner.replace("\"\"", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_text_is_unwrapped_and_other_formulas_stay() {
        for (cell, text) in [
            (r#"="02139""#, Some("02139")),
            (r#" ="02139" "#, Some("02139")),
            (r#"= "02139""#, Some("02139")),
            (r#"=T("02139")"#, Some("02139")),
            (r#"="say ""hi""""#, Some(r#"say "hi""#)),
            (r#"="""#, Some("")),
            (r#"="a"&"b""#, None),
            (r#"="a"#, None),
            (r#"="""#.split_at(2).0, None),
            ("=1+1", None),
            (r#""02139""#, None),
            ("=TODAY()", None),
        ] {
            assert_eq!(unwrap_text_formula(cell).as_deref(), text, "{cell}");
        }
    }
}
