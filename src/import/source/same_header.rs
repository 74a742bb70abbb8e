//! Several files in one command: they must have the same columns, since one mapping is meant for all of them.

use std::collections::BTreeSet;

use super::ImportSource;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::{ImportError, ImportRequest};
use crate::mapping::header::fold_name;

/// How many names a message lists.
const NAMED: usize = 5;

/// Checks that the files of some requests have the same columns, in any order.
///
/// # Errors
/// When a file is refused, or has other columns than the first.
pub fn ensure_one_header(requests: &[ImportRequest]) -> Result<(), ImportError> {
    let mut first: Option<(String, BTreeSet<String>)> = None;
    for request in requests {
        let source = ImportSource::open(request)?;
        let columns: BTreeSet<String> =
            source.sheet.columns.iter().map(|column| fold_name(&column.name)).collect();
        let shown = request.file.display().to_string();
        match &first {
            None => first = Some((shown, columns)),
            Some((name, expected)) if *expected != columns => {
                return Err(differing_header_error(name, expected, &shown, &columns).into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn differing_header_error(
    first: &str,
    expected: &BTreeSet<String>,
    other: &str,
    columns: &BTreeSet<String>,
) -> Diagnostic {
    let list = |names: Vec<&String>| {
        let more = names.len().saturating_sub(NAMED);
        let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}", shown.join(", "))
    };
    let missing: Vec<_> = expected.difference(columns).collect();
    let added: Vec<_> = columns.difference(expected).collect();
    let lacks = (!missing.is_empty()).then(|| format!("lacks {}", list(missing)));
    let has = (!added.is_empty()).then(|| format!("also has {}", list(added)));
    let what: Vec<_> = lacks.into_iter().chain(has).collect();
    let message = format!(
        "`{other}` does not have the columns of `{first}`: it {}; nothing was imported",
        what.join(" and ")
    );
    Diagnostic::new(DiagnosticCode::E_HEADERS_DIFFER, message)
        .with_hint("import files with different columns one by one")
}
