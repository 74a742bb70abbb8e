//! Statistics on a text file's bytes, collected in one pass to detect its encoding.
//!
//! Counts lines that are valid UTF-8 beyond ASCII and lines that are not, records where the text ends and padding
//! begins, and feeds the detector with what is not UTF-8. One block is in memory.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

use super::plausibility::{self, Plausibility};
use super::text_encoding::TextEncoding;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::source_file;

/// The number of bytes processed at a time.
const BLOCK: usize = 64 * 1024;

/// The maximum number of bytes given to the detector, which is certain long before.
const DETECT: usize = 1024 * 1024;

/// The byte with which programs for DOS end a text.
const CTRL_Z: u8 = 0x1a;

/// The number of bytes by which the plausibility of an encoding is judged.
const SAMPLE: usize = 64 * 1024;

/// One valid line in this many invalid ones makes a file UTF-8 with damaged lines.
const DAMAGED_PER_VALID: u64 = 4;

/// The statistics of a file.
pub(crate) struct ByteStats {
    /// The number of bytes up to the last one that is not NUL.
    pub(crate) end: u64,
    /// The same without the Ctrl-Z with which DOS ends a text.
    pub(crate) text_end: u64,
    /// The size of the file in bytes.
    pub(crate) size: u64,
    /// The number of lines with characters beyond ASCII that are all valid UTF-8.
    valid_lines: u64,
    /// The number of lines with invalid UTF-8.
    pub(crate) invalid_lines: u64,
    detector: EncodingDetector,
    seen: usize,
    /// Some of the bytes that are not UTF-8, with the line around them.
    sample: Vec<u8>,
    /// The bytes from 0x80 on that occur in lines with invalid UTF-8.
    high_bytes: [bool; 128],
    line: LineStats,
}

/// The findings in the current line.
#[derive(Default)]
struct LineStats {
    multibyte: bool,
    invalid: bool,
}

impl ByteStats {
    /// Collects the statistics of a whole file.
    pub(crate) fn from_reader(reader: &mut impl Read) -> io::Result<Self> {
        let mut byte_stats = Self {
            end: 0,
            text_end: 0,
            size: 0,
            valid_lines: 0,
            invalid_lines: 0,
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            seen: 0,
            sample: Vec::new(),
            high_bytes: [false; 128],
            line: LineStats::default(),
        };
        let mut block = vec![0; BLOCK];
        let mut carried = 0;
        loop {
            let count = source_file::fill_buffer(reader, &mut block[carried..])?;
            byte_stats.track_size(&block[carried..carried + count]);
            let filled = carried + count;
            let last = filled < BLOCK;
            // A sequence that is cut off by the end of the block is processed together with its rest.
            let whole =
                if last { filled } else { filled - incomplete_suffix_len(&block[..filled]) };
            byte_stats.scan_block(&block[..whole]);
            if last {
                byte_stats.finish_line();
                return Ok(byte_stats);
            }
            block.copy_within(whole..filled, 0);
            carried = filled - whole;
        }
    }

    fn track_size(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            self.end = self.size + last as u64 + 1;
        }
        if let Some(last) = bytes.iter().rposition(|byte| !matches!(*byte, 0 | CTRL_Z)) {
            self.text_end = self.size + last as u64 + 1;
        }
        self.size += bytes.len() as u64;
    }

    fn scan_block(&mut self, block: &[u8]) {
        if block.is_ascii() && !self.line.multibyte && !self.line.invalid {
            return;
        }
        let mut rest = block;
        while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
            self.scan_line_part(&rest[..at]);
            self.finish_line();
            rest = &rest[at + 1..];
        }
        self.scan_line_part(rest);
    }

    fn scan_line_part(&mut self, part: &[u8]) {
        if part.is_ascii() {
            return;
        }
        if std::str::from_utf8(part).is_ok() {
            self.line.multibyte = true;
            return;
        }
        self.line.invalid = true;
        for byte in part.iter().filter(|byte| !byte.is_ascii()) {
            self.high_bytes[usize::from(*byte - 0x80)] = true;
        }
        if self.sample.len() + part.len() < SAMPLE {
            self.sample.extend_from_slice(part);
            self.sample.push(b'\n');
        }
        if self.seen < DETECT {
            self.detector.feed(part, false);
            self.detector.feed(b"\n", false);
            self.seen += part.len();
        }
    }

    fn finish_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.invalid_lines += u64::from(line.invalid);
        self.valid_lines += u64::from(line.multibyte && !line.invalid);
    }

    /// Whether the file is UTF-8, although some of its lines may be damaged.
    pub(crate) fn is_utf8(&self) -> bool {
        self.invalid_lines == 0
            || (self.valid_lines > 0 && self.valid_lines * DAMAGED_PER_VALID >= self.invalid_lines)
    }

    /// The likely encoding of a file that is not UTF-8, and a word that speaks for it if the detector's was
    /// implausible.
    ///
    /// # Errors
    /// If the detector's encoding lacks some of the bytes, and no encoding is plausible.
    pub(crate) fn guess_encoding(&mut self) -> Result<(TextEncoding, Option<String>), Diagnostic> {
        let detected = TextEncoding::Standard(self.detect_encoding());
        let judged = Plausibility::of(detected, &self.sample);
        if judged.is_likely() || (judged.odd == 0 && !self.is_disproved(detected)) {
            return Ok((detected, None));
        }
        match plausibility::find_plausible_encoding(&self.sample) {
            Some(encoding) if encoding == detected => Ok((encoding, None)),
            Some(encoding) => {
                Ok((encoding, plausibility::find_marked_word(encoding, &self.sample)))
            }
            None if self.is_disproved(detected) || is_scattered(detected, judged) => {
                Err(no_encoding_error(detected))
            }
            None => Ok((detected, None)),
        }
    }

    /// Whether the encoding has no character for some of the bytes. The standard decodes them to control characters,
    /// which no text has.
    fn is_disproved(&self, encoding: TextEncoding) -> bool {
        let is_single_byte = |encoding: &'static Encoding| encoding.is_single_byte();
        let TextEncoding::Standard(standard) = encoding else { return false };
        is_single_byte(standard)
            && (0x80..=0xff).filter(|byte| self.high_bytes[usize::from(byte - 0x80)]).any(|byte| {
                let text = encoding.decode_lossy(&[byte]);
                text.contains(|c: char| c.is_control() || c == '\u{fffd}')
            })
    }

    fn detect_encoding(&mut self) -> &'static Encoding {
        self.detector.feed(b"", true);
        match self.detector.guess(None, Utf8Detection::Deny) {
            encoding if encoding == UTF_8 => encoding_rs::WINDOWS_1252,
            encoding => encoding,
        }
    }
}

/// Whether a detected script occurs only as single characters among Latin letters, as bytes of another encoding do.
fn is_scattered(detected: TextEncoding, judged: Plausibility) -> bool {
    let TextEncoding::Standard(standard) = detected else { return false };
    !standard.is_single_byte() && judged.fitting == 0 && judged.odd > 0
}

fn no_encoding_error(detected: TextEncoding) -> Diagnostic {
    let message = format!(
        "the encoding of the file is not known: it looks like {}, but some of its bytes make no sense in it",
        detected.name()
    );
    Diagnostic::new(DiagnosticCode::E_ENCODING, message).with_hint(
        "save the file as UTF-8, or name its encoding, such as `--encoding macintosh` or `--encoding cp850`",
    )
}

/// The length of an incomplete UTF-8 sequence at the end of a block.
fn incomplete_suffix_len(block: &[u8]) -> usize {
    let tail = &block[block.len().saturating_sub(3)..];
    let lead = |byte: u8| match byte {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    };
    (1..=tail.len()).find(|back| lead(tail[tail.len() - back]) > *back).unwrap_or(0)
}
