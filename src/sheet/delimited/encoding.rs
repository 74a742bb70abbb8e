//! The encoding of a text file: found out, then taken off while the file is read.
//!
//! What comes out is UTF-8, except where the file is damaged: there a byte comes out that no UTF-8 text
//! holds, so that the row that it stands in can be told from the others. Nothing is ever replaced.

use std::fs::File;
use std::io::{self, Read, Take};

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::byte_stats::Census;
use crate::sheet::source_file::{self, Hashing};
use crate::sheet::{Refusal, Warning};

/// Bytes that are decoded together.
const BLOCK: usize = 64 * 1024;

/// Stands for bytes that are nothing in their encoding.
const DAMAGE: u8 = 0xFF;

/// How the bytes of a file become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Coding {
    pub(crate) encoding: &'static Encoding,
    /// Bytes of the byte order mark.
    pub(crate) mark: u64,
    /// Bytes up to where the text ends.
    pub(crate) end: u64,
}

impl Coding {
    /// Decides the encoding. `head` is the beginning of the file.
    pub(crate) fn decide(
        head: &[u8],
        census: &mut Census,
        asked: Option<&str>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Self, Refusal> {
        let marked = mark(head)?;
        let (encoding, mark) = match (asked.map(labelled).transpose()?, marked) {
            (Some(encoding), Some((marked, length))) if marked == encoding => (encoding, length),
            (Some(encoding), _) => (encoding, 0),
            (None, Some((encoding, length))) => {
                if encoding != UTF_8 {
                    let message = format!("the file is {}, as its mark says", name(encoding));
                    warnings.push(Warning::new("W_ENCODING", message));
                }
                (encoding, length)
            }
            (None, None) => (unmarked(head, census, warnings), 0),
        };
        let end = text_end(encoding, census, warnings);
        Ok(Self { encoding, mark, end })
    }

    /// A reader of the file's text.
    pub(crate) fn reader(self, file: File) -> io::Result<TextReader> {
        let mut raw = Hashing::new(file);
        source_file::fill(&mut raw, &mut vec![0; usize::try_from(self.mark).unwrap_or_default()])?;
        let left = self.end.saturating_sub(self.mark);
        let decoder = (self.encoding != UTF_8).then(|| Decoder::new(self.encoding));
        Ok(TextReader { raw: raw.take(left), decoder })
    }
}

/// The encoding's name, as people write it.
pub(crate) fn name(encoding: &'static Encoding) -> String {
    encoding.name().to_ascii_lowercase()
}

fn labelled(label: &str) -> Result<&'static Encoding, Refusal> {
    match Encoding::for_label(label.as_bytes()) {
        Some(encoding) if encoding != encoding_rs::REPLACEMENT => Ok(encoding),
        _ => Err(Refusal::new("E_ENCODING", format!("`{label}` is no known encoding"))
            .hint("for example `utf-8`, `windows-1252`, `iso-8859-2`, `utf-16le` or `shift_jis`")),
    }
}

fn mark(head: &[u8]) -> Result<Option<(&'static Encoding, u64)>, Refusal> {
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(Refusal::new("E_ENCODING", "the file is UTF-32, which is not read")
            .hint("save it as UTF-8"));
    }
    Ok(Encoding::for_bom(head).map(|(encoding, length)| (encoding, length as u64)))
}

fn unmarked(head: &[u8], census: &mut Census, warnings: &mut Vec<Warning>) -> &'static Encoding {
    let guessed = |warnings: &mut Vec<Warning>, encoding| {
        let message = format!(
            "the file does not say what it is; it is read as {}, which is a guess: look at the accents, \
             and name another encoding with `--encoding`",
            name(encoding)
        );
        warnings.push(Warning::new("W_ENCODING_GUESSED", message));
        encoding
    };
    match wide(head) {
        Some(encoding) => guessed(warnings, encoding),
        None if census.is_utf8() => UTF_8,
        None => guessed(warnings, census.guess()),
    }
}

/// UTF-16 by its NUL bytes: every ASCII character has one, always on the same side.
fn wide(head: &[u8]) -> Option<&'static Encoding> {
    let head = &head[..head.len().min(4096)];
    let nuls = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (nuls(0), nuls(1));
    let enough = |count: usize| count >= 2 && count * 10 >= head.len() / 2;
    // One-sided but for the odd damaged character; padding has NULs on both sides.
    if enough(second) && first * 20 <= second {
        return Some(UTF_16LE);
    }
    (enough(first) && second * 20 <= first).then_some(UTF_16BE)
}

/// Where the text ends: some systems fill a file up with NUL bytes.
fn text_end(encoding: &'static Encoding, census: &Census, warnings: &mut Vec<Warning>) -> u64 {
    let wide = encoding == UTF_16LE || encoding == UTF_16BE;
    // The last character's own NUL is not padding.
    let end = if wide { census.end.next_multiple_of(2).min(census.size) } else { census.end };
    if end < census.size {
        let count = census.size - end;
        warnings.push(Warning::new("W_TRAILING_NULS", format!("{count} NUL bytes at the end")));
    }
    end
}

/// Reads a file as text, and hashes it.
pub(crate) struct TextReader {
    raw: Take<Hashing<File>>,
    decoder: Option<Decoder>,
}

impl TextReader {
    /// Reads what is left and gives the digest of the whole file, in lower-case hex.
    pub(crate) fn finish(self) -> io::Result<String> {
        self.raw.into_inner().finish()
    }
}

impl Read for TextReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            None => self.raw.read(out),
            Some(decoder) => decoder.read(&mut self.raw, out),
        }
    }
}

/// A decoder and the bytes that wait for it.
struct Decoder {
    inner: encoding_rs::Decoder,
    block: Box<[u8]>,
    at: usize,
    filled: usize,
    ended: bool,
    flushed: bool,
}

impl Decoder {
    fn new(encoding: &'static Encoding) -> Self {
        Self {
            inner: encoding.new_decoder_without_bom_handling(),
            block: vec![0; BLOCK].into(),
            at: 0,
            filled: 0,
            ended: false,
            flushed: false,
        }
    }

    /// `out` has room for a few characters and one byte of damage.
    fn read(&mut self, raw: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written + 8 < out.len() {
            if self.flushed {
                break;
            }
            if self.at == self.filled && !self.ended {
                self.filled = source_file::fill(raw, &mut self.block)?;
                self.at = 0;
                self.ended = self.filled < self.block.len();
            }
            let input = &self.block[self.at..self.filled];
            let room = out.len() - 1;
            let (result, read, wrote) = self.inner.decode_to_utf8_without_replacement(
                input,
                &mut out[written..room],
                self.ended,
            );
            self.at += read;
            written += wrote;
            match result {
                // At the end, what the decoder held back has come out too.
                DecoderResult::InputEmpty => self.flushed = self.ended,
                DecoderResult::OutputFull => break,
                DecoderResult::Malformed(..) => {
                    out[written] = DAMAGE;
                    written += 1;
                }
            }
        }
        Ok(written)
    }
}
