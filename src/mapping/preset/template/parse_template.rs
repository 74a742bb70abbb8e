//! A layout from its TOML text, with the line of everything that is wrong.

use std::collections::BTreeMap;

use toml::de::DeTable;

use super::{Column, Fill, Layout, read_by, tables};
use crate::mapping::preset::Entity;
use crate::mapping::{Mapping, Problem, closest};
use crate::table::{Dialect, Encoding};
use crate::toml_doc::{At, Source};

const KEYS: &[&str] = &[
    "system",
    "file",
    "columns",
    "delimiter",
    "encoding",
    "bom",
    "line_end",
    "quote",
    "list",
    "date",
    "time",
    "require",
    "unique",
    "max_rows",
    "column",
];
const COLUMN: &[&str] =
    &["name", "fill", "join", "split", "values", "unless_phone", "guard", "longest"];

/// What a `[[layout.column]]` says.
#[derive(Default)]
struct Said {
    line: usize,
    name: String,
    fill: Option<Vec<Fill>>,
    column: Column,
}

/// Reads the layout of a preset's text; nothing where it has none. `about` is the name and what its rows are.
///
/// # Errors
/// All its problems, in the order of the text.
pub(in crate::mapping::preset) fn parse(
    text: &str,
    name: &str,
    entity: Entity,
    mapping: &Mapping,
) -> Result<Option<Layout>, Vec<Problem>> {
    let mut source = Source::new(text);
    let Some(table) = source.table(text) else { return Err(source.problems) };
    let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "layout") else {
        return Ok(None);
    };
    let layout = source.entries("layout", value).map(|table| {
        let line = source.line_of(value);
        read(&mut source, line, table, Layout::empty(name, entity), mapping)
    });
    let mut problems = source.problems;
    problems.sort_by_key(|problem| problem.line);
    if problems.is_empty() { Ok(layout) } else { Err(problems) }
}

impl Layout {
    /// A layout of which nothing is said yet.
    fn empty(name: &str, entity: Entity) -> Self {
        Self {
            systems: Vec::new(),
            file: format!("{name}.csv"),
            tables: tables(entity),
            form: Dialect::default(),
            list: None,
            date: None,
            time: None,
            columns: Vec::new(),
            require: Vec::new(),
            unique: None,
            max_rows: None,
        }
    }
}

fn read(
    source: &mut Source,
    line: usize,
    table: &DeTable,
    mut layout: Layout,
    mapping: &Mapping,
) -> Layout {
    let (mut names, mut said) = (None, Vec::new());
    // What names columns waits until they are known.
    let (mut require, mut unique) = (None, None);
    for (key, value) in table {
        match key.get_ref().as_ref() {
            "system" => layout.systems = systems(source, value),
            "file" => layout.file = file(source, value).unwrap_or(layout.file),
            "columns" => {
                names = source.texts("columns", value).map(|it| (source.line_of(value), it));
            }
            "list" => layout.list = source.text("list", value),
            "date" => layout.date = pattern(source, "date", value),
            "time" => layout.time = pattern(source, "time", value),
            "require" => {
                require = source.texts("require", value).map(|it| (source.line_of(value), it));
            }
            "unique" => unique = source.name("unique", value).map(|it| (source.line_of(value), it)),
            "max_rows" => layout.max_rows = positive(source, "max_rows", value),
            "column" => {
                let tables = source.tables("column", value);
                said =
                    tables.into_iter().filter_map(|(line, it)| column(source, line, it)).collect();
            }
            other if form(source, other, value, &mut layout.form) => {}
            other => source.unknown_key(source.line_of(key), other, "`[layout]`", KEYS),
        }
    }
    layout.columns = columns(source, line, names, &said, mapping, &layout);
    layout.require = places(source, "require", require, &layout.columns);
    let unique = unique.map(|(line, name)| (line, vec![name]));
    layout.unique = places(source, "unique", unique, &layout.columns).first().copied();
    layout
}

/// Reads a key that is about bytes; false when it is none of those.
fn form(source: &mut Source, key: &str, value: At, form: &mut Dialect) -> bool {
    match key {
        "delimiter" => form.delimiter = delimiter(source, value).unwrap_or(form.delimiter),
        "bom" => form.bom = source.truth(key, value).unwrap_or_default(),
        "encoding" => {
            let known = [
                ("utf-8", Encoding::Utf8),
                ("utf-16le", Encoding::Utf16),
                ("windows-1252", Encoding::Windows1252),
            ];
            form.encoding = one_of(source, key, value, &known).unwrap_or_default();
        }
        "line_end" => {
            form.crlf =
                one_of(source, key, value, &[("lf", false), ("crlf", true)]).unwrap_or_default();
        }
        "quote" => {
            form.quoted =
                one_of(source, key, value, &[("needed", false), ("all", true)]).unwrap_or_default();
        }
        _ => return false,
    }
    true
}

/// One of a few words.
fn one_of<T: Copy>(source: &mut Source, key: &str, value: At, known: &[(&str, T)]) -> Option<T> {
    let text = source.text(key, value)?;
    let found = known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()));
    if found.is_none() {
        let words =
            known.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let message = format!("`{key}` cannot be `{text}`; it can be {words}");
        source.report(source.line_of(value), message);
    }
    found.map(|(_, it)| *it)
}

fn delimiter(source: &mut Source, value: At) -> Option<u8> {
    let text = source.text("delimiter", value)?;
    let known = match text.as_str() {
        "comma" | "," => Some(b','),
        "semicolon" | ";" => Some(b';'),
        "tab" | "\t" => Some(b'\t'),
        "pipe" | "|" => Some(b'|'),
        _ => None,
    };
    if known.is_none() {
        let message = "`delimiter` must be `comma`, `semicolon`, `tab` or `pipe`";
        source.report(source.line_of(value), message);
    }
    known
}

fn systems(source: &mut Source, value: At) -> Vec<String> {
    let systems = source.texts("system", value).unwrap_or_default();
    let plain = |name: &String| {
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    if let Some(wrong) = systems.iter().find(|name| !plain(name)) {
        let message =
            format!("`{wrong}` cannot be a system's name: letters, digits, `-` and `_` make one");
        source.report(source.line_of(value), message);
    }
    systems
}

/// A file's name, which must stay in the output directory and apart from what exports write.
fn file(source: &mut Source, value: At) -> Option<String> {
    let name = source.name("file", value)?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let good =
        name.chars().all(plain) && !name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']);
    let ours = ["manifest.json", "errors.csv"].iter().any(|it| name.eq_ignore_ascii_case(it));
    if good && !ours && name.len() <= 120 {
        return Some(name);
    }
    source.report(
        source.line_of(value),
        format_args!("`{name}` cannot be the name of a layout's file"),
    );
    None
}

/// A pattern of `strftime`.
fn pattern(source: &mut Source, key: &str, value: At) -> Option<String> {
    let pattern = source.name(key, value)?;
    let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(&pattern, &sample) {
        Ok(_) => Some(pattern),
        Err(error) => {
            source.report(source.line_of(value), format_args!("`{key}`: {error}"));
            None
        }
    }
}

fn positive(source: &mut Source, key: &str, value: At) -> Option<u64> {
    let number = source.number(key, value)?;
    let positive = u64::try_from(number).ok().filter(|number| *number > 0);
    if positive.is_none() {
        source.report(source.line_of(value), format_args!("`{key}` counts from 1"));
    }
    positive
}

fn column(source: &mut Source, line: usize, table: &DeTable) -> Option<Said> {
    let mut said = Said { line, ..Said::default() };
    for (key, value) in table {
        let column = &mut said.column;
        match key.get_ref().as_ref() {
            "name" => said.name = source.name("name", value)?,
            "fill" => said.fill = fill(source, value),
            "join" => column.join = source.text("join", value),
            "split" => column.split = source.texts("split", value),
            "values" => column.values = values(source, value),
            "unless_phone" => column.unless_phone = source.name("unless_phone", value),
            "guard" => column.unguarded = !source.truth("guard", value).unwrap_or(true),
            "longest" => column.longest = positive(source, "longest", value),
            other => source.unknown_key(source.line_of(key), other, "`[[layout.column]]`", COLUMN),
        }
    }
    if said.name.is_empty() {
        source.report(line, "this `[[layout.column]]` has no `name`");
        return None;
    }
    Some(said)
}

fn fill(source: &mut Source, value: At) -> Option<Vec<Fill>> {
    let names = source.texts("fill", value)?;
    let mut fills = Vec::with_capacity(names.len());
    for name in names {
        match Fill::named(&name) {
            Ok(fill) => fills.push(fill),
            Err((message, near)) => {
                let problem = Problem::new(source.line_of(value), message).did_you_mean(near);
                source.problems.push(problem);
            }
        }
    }
    Some(fills)
}

fn values(source: &mut Source, value: At) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (key, value) in source.entries("values", value).into_iter().flatten() {
        if let Some(text) = source.text("values", value) {
            values.insert(key.get_ref().to_lowercase(), text);
        }
    }
    values
}

/// The columns: those that are listed, or else all that the mapping reads and all that are described.
fn columns(
    source: &mut Source,
    line: usize,
    names: Option<(usize, Vec<String>)>,
    said: &[Said],
    mapping: &Mapping,
    layout: &Layout,
) -> Vec<Column> {
    let read = read_by(mapping);
    let (line, names) = names.unwrap_or_else(|| {
        let described = said.iter().map(|said| &said.name);
        let more = described.filter(|name| !read.iter().any(|(known, _)| known == *name));
        (line, read.iter().map(|(name, _)| name).chain(more).cloned().collect())
    });
    check(source, said, &names);
    let mut columns: Vec<Column> = Vec::with_capacity(names.len());
    for name in names {
        if columns.iter().any(|column| column.name == name) {
            source.report(line, format_args!("there are two columns `{name}`"));
            continue;
        }
        let rules = read.iter().find(|(known, _)| *known == name);
        let turned = rules.and_then(|(_, rules)| Column::turned_round(&name, rules));
        let own = said.iter().find(|said| said.name == name);
        let at = own.map_or(line, |said| said.line);
        if let Some(column) = whole(&name, turned, own) {
            columns.extend(fitting(source, at, column, layout));
        } else {
            let message = format!("nothing says what fills `{name}`");
            let hint =
                "a `[[layout.column]]` with `name` and `fill` does; `fill = []` leaves it empty";
            source.problems.push(Problem::new(at, message).hint(hint));
        }
    }
    if columns.is_empty() && source.problems.is_empty() {
        source.report(line, "the layout has no columns");
    }
    columns
}

/// Reports descriptions of columns that are not listed, or described before.
fn check(source: &mut Source, said: &[Said], names: &[String]) {
    let before = |at: usize| said[..at].iter();
    for (at, said) in said.iter().enumerate() {
        if !names.contains(&said.name) {
            let near = closest(&said.name, names.iter().map(String::as_str));
            let message = format!("`columns` does not list `{}`", said.name);
            source.problems.push(Problem::new(said.line, message).did_you_mean(near));
        }
        if before(at).any(|it| it.name == said.name) {
            source.report(said.line, format_args!("`{}` is described twice", said.name));
        }
    }
}

/// A column as the mapping has it, with what the layout says of it.
fn whole(name: &str, turned: Option<Column>, own: Option<&Said>) -> Option<Column> {
    let Some(own) = own else { return turned };
    let base = turned.unwrap_or_default();
    let fill = match &own.fill {
        Some(fill) => fill.clone(),
        None if base.fill.is_empty() => return None,
        None => base.fill,
    };
    let said = &own.column;
    let values = if said.values.is_empty() { base.values } else { said.values.clone() };
    Some(Column {
        name: name.to_owned(),
        fill,
        split: said.split.clone().or(base.split),
        prefix: base.prefix,
        values,
        ..said.clone()
    })
}

/// The column, if rows of the layout's tables have what fills it.
fn fitting(source: &mut Source, line: usize, column: Column, layout: &Layout) -> Option<Column> {
    let fits = |fill: &&Fill| !layout.tables.iter().any(|table| fill.is_in(table));
    let Some(wrong) = column.fill.iter().find(fits) else { return Some(column) };
    let tables = layout.tables.join(" and ");
    source
        .report(line, format_args!("rows of {tables} have no `{wrong}` to fill `{}`", column.name));
    None
}

/// The places of the columns that a key names.
fn places(
    source: &mut Source,
    key: &str,
    named: Option<(usize, Vec<String>)>,
    columns: &[Column],
) -> Vec<usize> {
    let mut places = Vec::new();
    for (line, name) in
        named.into_iter().flat_map(|(line, names)| names.into_iter().map(move |it| (line, it)))
    {
        if let Some(place) = columns.iter().position(|column| column.name == name) {
            places.push(place);
        } else {
            let near = closest(&name, columns.iter().map(|column| column.name.as_str()));
            let message = format!("`{key}` names `{name}`, which is no column of the layout");
            source.problems.push(Problem::new(line, message).did_you_mean(near));
        }
    }
    places
}
