//! The encoding of a text file: detects it, and decodes the file while it is read.
//!
//! The output is UTF-8, except where the file is damaged: there, the output contains a byte that never occurs in
//! UTF-8, so that the damaged row can be recognized. Nothing is ever replaced silently.

use std::fs::File;
use std::io::{self, Read, Take};

use encoding_rs::{DecoderResult, Encoding, UTF_16BE, UTF_16LE};

use super::byte_stats::ByteStats;
use super::code_page::CodePage;
use super::text_encoding::TextEncoding;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::source_file::{self, HashingReader};

/// The number of bytes decoded at a time.
const BLOCK: usize = 64 * 1024;

/// Marks bytes that are invalid in their encoding.
const DAMAGE: u8 = 0xFF;

/// How to decode the bytes of a file to text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DetectedEncoding {
    pub(crate) encoding: TextEncoding,
    /// The length of the byte order mark, in bytes.
    pub(crate) mark: u64,
    /// The offset at which the text ends.
    pub(crate) end: u64,
}

impl DetectedEncoding {
    /// Detects the encoding. `head` is the beginning of the file.
    pub(crate) fn detect(
        head: &[u8],
        byte_stats: &mut ByteStats,
        asked: Option<&str>,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Self, Diagnostic> {
        let marked = detect_bom(head)?;
        let (encoding, mark) = match (asked.map(encoding_for_label).transpose()?, marked) {
            (Some(encoding), Some((marked, length))) if marked == encoding => (encoding, length),
            (Some(encoding), _) => (encoding, 0),
            (None, Some((encoding, length))) => {
                if encoding != TextEncoding::UTF_8 {
                    let message = format!(
                        "the file is {}, according to its byte order mark",
                        encoding.name()
                    );
                    warnings.push(Diagnostic::new(DiagnosticCode::W_ENCODING, message));
                }
                (encoding, length)
            }
            (None, None) => (guess_without_bom(head, byte_stats, warnings)?, 0),
        };
        let end = text_end(encoding, byte_stats, warnings);
        Ok(Self { encoding, mark, end })
    }

    /// Creates a reader for the file's text.
    pub(crate) fn text_reader(self, file: File) -> io::Result<TextReader> {
        let mut raw = HashingReader::new(file);
        source_file::fill_buffer(
            &mut raw,
            &mut vec![0; usize::try_from(self.mark).unwrap_or_default()],
        )?;
        let left = self.end.saturating_sub(self.mark);
        let decoder =
            (self.encoding != TextEncoding::UTF_8).then(|| Utf8Transcoder::new(self.encoding));
        Ok(TextReader { raw: raw.take(left), decoder })
    }
}

fn encoding_for_label(label: &str) -> Result<TextEncoding, Diagnostic> {
    TextEncoding::from_label(label).ok_or_else(|| {
        Diagnostic::new(
            DiagnosticCode::E_ENCODING,
            format!("`{label}` is not a known encoding"),
        )
        .with_hint(
            "for example `utf-8`, `windows-1252` (`ansi`), `macintosh`, `cp850` (`dos`), `iso-8859-2`, `utf-16le` or \
             `shift_jis`",
        )
    })
}

fn detect_bom(head: &[u8]) -> Result<Option<(TextEncoding, u64)>, Diagnostic> {
    if head.starts_with(b"\xFF\xFE\0\0") || head.starts_with(b"\0\0\xFE\xFF") {
        return Err(Diagnostic::new(
            DiagnosticCode::E_ENCODING,
            "the file is in UTF-32, which is not supported",
        )
        .with_hint("save it as UTF-8"));
    }
    let found = Encoding::for_bom(head);
    Ok(found.map(|(encoding, length)| (TextEncoding::Standard(encoding), length as u64)))
}

fn guess_without_bom(
    head: &[u8],
    byte_stats: &mut ByteStats,
    warnings: &mut Vec<Diagnostic>,
) -> Result<TextEncoding, Diagnostic> {
    let (encoding, word) = match detect_utf16(head) {
        Some(encoding) => (TextEncoding::Standard(encoding), None),
        None if byte_stats.is_utf8() => return Ok(TextEncoding::UTF_8),
        None => byte_stats.guess_encoding()?,
    };
    let reason =
        word.map_or_else(String::new, |word| format!(", because of words such as `{word}`"));
    let message = format!(
        "the file does not declare its encoding; {} is a guess{reason}: check the accents, and set another encoding \
         with `--encoding`",
        encoding.name()
    );
    warnings.push(Diagnostic::new(DiagnosticCode::W_ENCODING_GUESSED, message));
    Ok(encoding)
}

/// Detects UTF-16 by its NUL bytes: every ASCII character has one, always on the same side.
fn detect_utf16(head: &[u8]) -> Option<&'static Encoding> {
    let head = &head[..head.len().min(4096)];
    let nuls = |side: usize| head.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (nuls(0), nuls(1));
    let enough = |count: usize| count >= 2 && count * 10 >= head.len() / 2;
    // All on one side, apart from a few damaged characters; padding has NULs on both sides.
    if enough(second) && first * 20 <= second {
        return Some(UTF_16LE);
    }
    (enough(first) && second * 20 <= first).then_some(UTF_16BE)
}

/// The offset at which the text ends: some systems pad a file with NUL bytes, and DOS ends a text with Ctrl-Z.
fn text_end(encoding: TextEncoding, byte_stats: &ByteStats, warnings: &mut Vec<Diagnostic>) -> u64 {
    let wide = encoding.is_utf16();
    // The NUL byte of the last character is not padding.
    let whole = |end: u64| {
        if wide { end.next_multiple_of(2).min(byte_stats.size) } else { end }
    };
    let end = whole(byte_stats.end);
    if end < byte_stats.size {
        let count = byte_stats.size - end;
        warnings.push(Diagnostic::new(
            DiagnosticCode::W_TRAILING_NULS,
            format!("{count} NUL bytes at the end"),
        ));
    }
    whole(byte_stats.text_end)
}

/// Decodes a file to text and hashes it.
pub(crate) struct TextReader {
    raw: Take<HashingReader<File>>,
    decoder: Option<Utf8Transcoder>,
}

impl TextReader {
    /// Reads the rest, and returns the digest of the whole file in lower-case hex.
    pub(crate) fn finish_digest(self) -> io::Result<String> {
        self.raw.into_inner().finish_digest()
    }
}

impl Read for TextReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            None => self.raw.read(out),
            Some(decoder) => decoder.decode_into(&mut self.raw, out),
        }
    }
}

/// Decodes pieces of a text.
enum TextDecoder {
    Standard(encoding_rs::Decoder),
    Page(&'static CodePage),
}

impl TextDecoder {
    /// As [`encoding_rs::Decoder::decode_to_utf8_without_replacement`].
    fn decode_to_utf8(
        &mut self,
        input: &[u8],
        out: &mut [u8],
        last: bool,
    ) -> (DecoderResult, usize, usize) {
        let page = match self {
            Self::Standard(decoder) => {
                return decoder.decode_to_utf8_without_replacement(input, out, last);
            }
            Self::Page(page) => page,
        };
        let mut written = 0;
        for (read, byte) in input.iter().enumerate() {
            let c = page.decode_byte(*byte);
            match out.get_mut(written..written + c.len_utf8()) {
                Some(place) => written += c.encode_utf8(place).len(),
                None => return (DecoderResult::OutputFull, read, written),
            }
        }
        (DecoderResult::InputEmpty, input.len(), written)
    }
}

/// A decoder and the bytes that it has not decoded yet.
struct Utf8Transcoder {
    inner: TextDecoder,
    block: Box<[u8]>,
    at: usize,
    filled: usize,
    ended: bool,
    flushed: bool,
}

impl Utf8Transcoder {
    fn new(encoding: TextEncoding) -> Self {
        let inner = match encoding {
            TextEncoding::Standard(encoding) => {
                TextDecoder::Standard(encoding.new_decoder_without_bom_handling())
            }
            TextEncoding::Page(page) => TextDecoder::Page(page),
        };
        Self { inner, block: vec![0; BLOCK].into(), at: 0, filled: 0, ended: false, flushed: false }
    }

    /// `out` must have room for a few characters and the damage byte.
    fn decode_into(&mut self, raw: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
        let mut written = 0;
        while written + 8 < out.len() {
            if self.flushed {
                break;
            }
            if self.at == self.filled && !self.ended {
                self.filled = source_file::fill_buffer(raw, &mut self.block)?;
                self.at = 0;
                self.ended = self.filled < self.block.len();
            }
            let input = &self.block[self.at..self.filled];
            let room = out.len() - 1;
            let (result, read, wrote) =
                self.inner.decode_to_utf8(input, &mut out[written..room], self.ended);
            self.at += read;
            written += wrote;
            match result {
                // At the end, the decoder has also returned what it held back.
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
