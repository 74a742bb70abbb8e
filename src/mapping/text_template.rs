//! Text templates: combine several columns into one text.
//!
//! `{Name}` is replaced by the column of that name. A part in square brackets is left out if its columns are empty:
//! `"Call[ with {Agent}]: {Summary}"`. Braces and brackets are escaped by doubling them.

use std::fmt;

/// A text with placeholders for columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    /// Its parts, in order.
    pub parts: Vec<TextTemplatePart>,
}

/// A part of a template: pieces that are written together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplatePart {
    /// Its pieces, in order.
    pub pieces: Vec<TextTemplatePiece>,
    /// Whether it is left out if its columns are empty.
    pub optional: bool,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTemplatePiece {
    /// A literal text.
    Text(String),
    /// The value of a column, by its name as written.
    Column(String),
}

impl TextTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// The message about an invalid template.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut part = TextTemplatePart { pieces: Vec::new(), optional: false };
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
                    part.push_text(&mut plain);
                    part.pieces.push(TextTemplatePiece::Column(name.trim().to_owned()));
                }
                '[' if !part.optional => {
                    part.push_text(&mut plain);
                    parts.push(std::mem::replace(
                        &mut part,
                        TextTemplatePart { pieces: Vec::new(), optional: true },
                    ));
                }
                ']' if part.optional => {
                    part.push_text(&mut plain);
                    parts.push(std::mem::replace(
                        &mut part,
                        TextTemplatePart { pieces: Vec::new(), optional: false },
                    ));
                }
                '}' | '[' | ']' => {
                    return Err(format!("write a literal `{c}` twice"));
                }
                c => plain.push(c),
            }
        }
        if part.optional {
            return Err("a `[` has no `]`".to_owned());
        }
        part.push_text(&mut plain);
        parts.push(part);
        parts.retain(|part| !part.pieces.is_empty());
        let template = Self { parts };
        let names_columns = template.column_names().next().is_some();
        if names_columns && template.column_names().all(|name| !name.is_empty()) {
            Ok(template)
        } else {
            Err("it names no column, as `{Name}` does".to_owned())
        }
    }

    /// Fills in the values of the columns. In parts that are not optional, empty values are left out, and the text
    /// around them stays.
    #[must_use]
    pub fn render_with<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let columns = part.pieces.iter().filter_map(TextTemplatePiece::column_name);
            let empty = part.optional && columns.clone().all(|name| value(name).is_none());
            // A part without columns is a text in brackets that is meant literally.
            if empty && columns.count() > 0 {
                continue;
            }
            for piece in &part.pieces {
                text.push_str(match piece {
                    TextTemplatePiece::Text(text) => text,
                    TextTemplatePiece::Column(name) => value(name).unwrap_or_default(),
                });
            }
        }
        text
    }

    /// Renames the columns of the template; those without a new name keep theirs.
    #[must_use]
    pub fn with_renamed_columns(&self, name: impl Fn(&str) -> Option<String>) -> Self {
        let mut template = self.clone();
        for piece in template.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            if let TextTemplatePiece::Column(own) = piece
                && let Some(other) = name(own)
            {
                *own = other;
            }
        }
        template
    }

    /// The columns that it names, as written.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        pieces.filter_map(TextTemplatePiece::column_name)
    }
}

impl TextTemplatePiece {
    fn column_name(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Text(_) => None,
        }
    }
}

impl TextTemplatePart {
    fn push_text(&mut self, plain: &mut String) {
        if !plain.is_empty() {
            self.pieces.push(TextTemplatePiece::Text(std::mem::take(plain)));
        }
    }
}

impl fmt::Display for TextTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            let [open, close] = if part.optional { ["[", "]"] } else { ["", ""] };
            f.write_str(open)?;
            for piece in &part.pieces {
                match piece {
                    TextTemplatePiece::Column(name) => write!(f, "{{{name}}}")?,
                    TextTemplatePiece::Text(text) => f.write_str(&escape_brackets(text))?,
                }
            }
            f.write_str(close)?;
        }
        Ok(())
    }
}

fn escape_brackets(text: &str) -> String {
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
            let template = TextTemplate::parse(text).unwrap();
            assert_eq!(template.to_string(), text);
        }
        let template = TextTemplate::parse("x{ A }y[{B}]").unwrap();
        assert_eq!(template.column_names().collect::<Vec<_>>(), ["A", "B"]);
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (text, expected) in [
            ("plain", "names no column"),
            ("{}", "names no column"),
            ("a } b {A}", "twice"),
            ("[{A}", "has no `]`"),
            ("{A} ]", "twice"),
            ("[a [b] {A}]", "twice"),
        ] {
            let error = TextTemplate::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
