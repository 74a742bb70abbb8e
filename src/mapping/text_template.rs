//! Templates: a text made of several columns.
//!
//! `{Name}` stands for the column of that name. A part in square brackets is left out where the columns in
//! it are empty: `"Call[ with {Agent}]: {Summary}"`. Doubled, the signs stand for themselves.

use std::fmt;

/// A text with places for columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// What it is made of, in order.
    pub parts: Vec<Part>,
}

/// A part of a template: pieces that come together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is made of, in order.
    pub pieces: Vec<Piece>,
    /// Whether it is left out where its columns are empty.
    pub optional: bool,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A text as it is.
    Text(String),
    /// The value of a column, by its name as written.
    Column(String),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut part = Part { pieces: Vec::new(), optional: false };
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' | '[' | ']' if rest.peek() == Some(&c) => {
                    rest.next();
                    plain.push(c);
                }
                '{' => {
                    let name: String = rest.by_ref().take_while(|c| *c != '}').collect();
                    part.put(&mut plain);
                    part.pieces.push(Piece::Column(name.trim().to_owned()));
                }
                '[' if !part.optional => {
                    part.put(&mut plain);
                    parts.push(std::mem::replace(
                        &mut part,
                        Part { pieces: Vec::new(), optional: true },
                    ));
                }
                ']' if part.optional => {
                    part.put(&mut plain);
                    parts.push(std::mem::replace(
                        &mut part,
                        Part { pieces: Vec::new(), optional: false },
                    ));
                }
                '}' | '[' | ']' => {
                    return Err(format!("a `{c}` that stands for itself is written twice"));
                }
                c => plain.push(c),
            }
        }
        if part.optional {
            return Err("a `[` has no `]`".to_owned());
        }
        part.put(&mut plain);
        parts.push(part);
        parts.retain(|part| !part.pieces.is_empty());
        let template = Self { parts };
        let names_columns = template.columns().next().is_some();
        if names_columns && template.columns().all(|name| !name.is_empty()) {
            Ok(template)
        } else {
            Err("it names no column, as `{Name}` does".to_owned())
        }
    }

    /// The text with the columns' values in their places. Those of parts that must be there are left
    /// out where they are empty; what surrounds them stays.
    #[must_use]
    pub fn filled<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let columns = part.pieces.iter().filter_map(Piece::column);
            let empty = part.optional && columns.clone().all(|name| value(name).is_none());
            // A part without columns is a text in brackets, which somebody wants to see.
            if empty && columns.count() > 0 {
                continue;
            }
            for piece in &part.pieces {
                text.push_str(match piece {
                    Piece::Text(text) => text,
                    Piece::Column(name) => value(name).unwrap_or_default(),
                });
            }
        }
        text
    }

    /// The same template with other names for its columns; those without one keep theirs.
    #[must_use]
    pub fn renamed(&self, name: impl Fn(&str) -> Option<String>) -> Self {
        let mut template = self.clone();
        for piece in template.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            if let Piece::Column(own) = piece
                && let Some(other) = name(own)
            {
                *own = other;
            }
        }
        template
    }

    /// The columns that it names, as written.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        pieces.filter_map(Piece::column)
    }
}

impl Piece {
    fn column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

impl Part {
    fn put(&mut self, plain: &mut String) {
        if !plain.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(plain)));
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            let [open, close] = if part.optional { ["[", "]"] } else { ["", ""] };
            f.write_str(open)?;
            for piece in &part.pieces {
                match piece {
                    Piece::Column(name) => write!(f, "{{{name}}}")?,
                    Piece::Text(text) => f.write_str(&doubled(text))?,
                }
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

fn doubled(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '{' | '}' | '[' | ']') {
            all.push(c);
        }
        all.push(c);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_reads_back_as_it_was_written() {
        for text in
            ["{A}", "Call[ with {Agent}]: {Summary}", "{{{A}}} [[x]] {B}", "[{A}, ]{B}[ ({C})]"]
        {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.to_string(), text);
        }
        let template = Template::parse("x{ A }y[{B}]").unwrap();
        assert_eq!(template.columns().collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, said) in [
            ("plain", "names no column"),
            ("{}", "names no column"),
            ("a } b {A}", "written twice"),
            ("[{A}", "has no `]`"),
            ("{A} ]", "written twice"),
            ("[a [b] {A}]", "written twice"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
