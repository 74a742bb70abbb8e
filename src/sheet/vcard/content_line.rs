//! Content lines of vCards: unfolded, and split into name, parameters and value.
//!
//! vCard 3.0 (RFC 2426) and 4.0 (RFC 6350) fold a line by a line break and a blank; 2.1 also continues a
//! quoted-printable value behind a `=`. Values are bytes until their encoding is known: 2.1 names it in each line.

use std::io::{self, Read};

use crate::sheet::delimited::text_encoding::TextEncoding;

/// The maximum number of bytes of a line that are kept. Only photos are longer, and they are not read.
const LONGEST_LINE: usize = 1024 * 1024;

/// The number of bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// A line as written.
struct PhysicalLine {
    bytes: Vec<u8>,
    number: u64,
}

/// Reads the content lines of a text.
pub(super) struct ContentLineReader<R> {
    input: R,
    block: Box<[u8]>,
    at: usize,
    filled: usize,
    line: u64,
    /// The line after the current one, which may continue it.
    next: Option<PhysicalLine>,
}

/// A content line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ContentLine {
    /// The physical line where it begins, from 1.
    pub(super) number: u64,
    /// The property's name in upper case, without its group.
    pub(super) name: String,
    /// The parameters: names in upper case, values as written. One without a name is a type, as in vCard 2.1.
    pub(super) parameters: Vec<(String, String)>,
    /// The value, with its transfer encoding removed.
    value: Vec<u8>,
}

impl<R: Read> ContentLineReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, block: vec![0; BLOCK].into(), at: 0, filled: 0, line: 0, next: None }
    }

    pub(super) fn into_inner(self) -> R {
        self.input
    }

    /// Reads the next content line; `None` at the end of the text. A line without a colon has no name.
    pub(super) fn read_line(&mut self) -> io::Result<Option<ContentLine>> {
        let Some(first) = self.take_physical_line()? else { return Ok(None) };
        let PhysicalLine { mut bytes, number } = first;
        let is_quoted_printable = has_quoted_printable(&bytes);
        while let Some(next) = self.peek_physical_line()? {
            if is_quoted_printable && bytes.ends_with(b"=") {
                bytes.pop();
                append_bounded(&mut bytes, &next.bytes);
            } else if let [b' ' | b'\t', rest @ ..] = next.bytes.as_slice() {
                append_bounded(&mut bytes, rest);
            } else {
                break;
            }
            self.next = None;
        }
        Ok(Some(ContentLine::parse(&bytes, number)))
    }

    fn take_physical_line(&mut self) -> io::Result<Option<PhysicalLine>> {
        match self.next.take() {
            Some(line) => Ok(Some(line)),
            None => self.read_physical_line(),
        }
    }

    fn peek_physical_line(&mut self) -> io::Result<Option<&PhysicalLine>> {
        if self.next.is_none() {
            self.next = self.read_physical_line()?;
        }
        Ok(self.next.as_ref())
    }

    /// Reads up to the next LF, CR LF or CR.
    fn read_physical_line(&mut self) -> io::Result<Option<PhysicalLine>> {
        let mut bytes = Vec::new();
        let mut any = false;
        while self.fill()? {
            any = true;
            let rest = &self.block[self.at..self.filled];
            let end = memchr::memchr2(b'\n', b'\r', rest);
            append_bounded(&mut bytes, &rest[..end.unwrap_or(rest.len())]);
            self.at += end.map_or(rest.len(), |end| end + 1);
            if let Some(end) = end {
                let is_cr = rest[end] == b'\r';
                if is_cr && self.fill()? && self.block[self.at] == b'\n' {
                    self.at += 1;
                }
                break;
            }
        }
        self.line += u64::from(any);
        Ok(any.then_some(PhysicalLine { bytes, number: self.line }))
    }

    /// Reads a block if the last one is used up; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.at == self.filled {
            self.at = 0;
            self.filled = loop {
                match self.input.read(&mut self.block) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
        }
        Ok(self.filled > 0)
    }
}

fn append_bounded(bytes: &mut Vec<u8>, more: &[u8]) {
    let room = LONGEST_LINE.saturating_sub(bytes.len()).min(more.len());
    bytes.extend_from_slice(&more[..room]);
}

/// Whether the parameters of a line say that its value is quoted-printable.
fn has_quoted_printable(line: &[u8]) -> bool {
    let end = memchr::memchr(b':', line).unwrap_or(line.len());
    String::from_utf8_lossy(&line[..end]).to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}

impl ContentLine {
    fn parse(bytes: &[u8], number: u64) -> Self {
        let Some(end) = find_unquoted(bytes, b':') else {
            return Self { number, value: bytes.to_vec(), ..Self::default() };
        };
        let front = String::from_utf8_lossy(&bytes[..end]);
        let mut parts = split_unquoted(&front, ';').into_iter();
        let name = parts.next().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default().trim().to_ascii_uppercase();
        let parameters = parts.map(|part| match part.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_uppercase(), value.trim().to_owned()),
            None => ("TYPE".to_owned(), part.trim().to_owned()),
        });
        let mut line = Self { number, name, parameters: parameters.collect(), value: Vec::new() };
        let value = &bytes[end + 1..];
        line.value = if line.has_parameter_value("QUOTED-PRINTABLE") {
            decode_quoted_printable(value)
        } else {
            value.to_vec()
        };
        line
    }

    /// The values of a parameter, in upper case, of all its occurrences.
    pub(super) fn parameter_values(&self, name: &str) -> impl Iterator<Item = String> {
        let named = self.parameters.iter().filter(move |(own, _)| own == name);
        named.flat_map(|(_, value)| {
            let items = value.split(',').map(|item| item.trim_matches(['"', ' ']).to_uppercase());
            items.collect::<Vec<_>>()
        })
    }

    /// Whether any parameter has this value: 2.1 writes `ENCODING=QUOTED-PRINTABLE` without the name, too.
    fn has_parameter_value(&self, value: &str) -> bool {
        ["ENCODING", "TYPE"].iter().any(|name| self.parameter_values(name).any(|it| it == value))
    }

    /// Whether one of its types is among these.
    pub(super) fn has_type(&self, types: &[&str]) -> bool {
        self.parameter_values("TYPE").any(|own| types.contains(&own.as_str()))
    }

    /// How strongly the value is preferred: 0 is most.
    pub(super) fn preference(&self) -> u32 {
        let rank = self.parameter_values("PREF").find_map(|rank| rank.parse::<u32>().ok());
        match rank {
            Some(rank) => rank.saturating_sub(1),
            None if self.has_type(&["PREF"]) => 0,
            None => 100,
        }
    }

    /// The value as text. `fallback` is the encoding of bytes that are not UTF-8, unless the line names one.
    pub(super) fn text(&self, fallback: TextEncoding) -> String {
        let named = self.parameter_values("CHARSET").find_map(|it| TextEncoding::from_label(&it));
        match (std::str::from_utf8(&self.value), named) {
            (_, Some(named)) if named != TextEncoding::UTF_8 => named.decode_lossy(&self.value),
            (Ok(text), _) => text.to_owned(),
            (Err(_), _) => fallback.decode_lossy(&self.value),
        }
    }
}

/// The position of a byte outside of quotes.
fn find_unquoted(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    let found = bytes.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == wanted && !quoted
    });
    // A quote that is never closed does not count.
    found.or_else(|| memchr::memchr(wanted, bytes))
}

fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .collect()
}

fn decode_quoted_printable(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let [first, behind @ ..] = rest {
        let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
        match (*first, hex(behind.first()), hex(behind.get(1))) {
            (b'=', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &behind[2..];
            }
            (byte, ..) => {
                decoded.push(byte);
                rest = behind;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<ContentLine> {
        let mut reader = ContentLineReader::new(text);
        std::iter::from_fn(|| reader.read_line().unwrap()).collect()
    }

    #[test]
    fn lines_are_unfolded_and_split() {
        let text =
            b"item1.TEL;TYPE=\"cell,pref\";X=\"a:b\":+1 20\r\n 2\r\nNOTE;CHARSET=ISO-8859-1;\
            ENCODING=QUOTED-PRINTABLE:Zo=EB=\r\n=0D=0Anext\nORG;ENCODING=b:x\rnoise\n";
        let found = lines(text);
        let names: Vec<_> = found.iter().map(|line| (line.name.as_str(), line.number)).collect();
        assert_eq!(names, [("TEL", 1), ("NOTE", 3), ("ORG", 5), ("", 6)]);
        assert_eq!(found[0].text(TextEncoding::UTF_8), "+1 202");
        assert!(found[0].has_type(&["CELL"]) && found[0].preference() == 0);
        assert_eq!(found[1].text(TextEncoding::UTF_8), "Zoë\r\nnext");
    }

    #[test]
    fn types_of_the_old_version_have_no_name() {
        let found = lines(b"TEL;CELL;PREF:1\nEMAIL;PREF=3:a\n");
        assert!(found[0].has_type(&["CELL"]) && found[0].preference() == 0);
        assert_eq!(found[1].preference(), 2);
    }

    #[test]
    fn a_huge_line_takes_no_huge_memory() {
        let mut text = b"PHOTO:".to_vec();
        text.resize(5 * 1024 * 1024, b'A');
        text.extend(b"\nFN:x");
        let found = lines(&text);
        assert!(found[0].value.len() <= LONGEST_LINE);
        assert_eq!(found[1].name, "FN");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            for line in lines(&text) {
                let _ = line.text(TextEncoding::UTF_8);
            }
        }
    }
}
