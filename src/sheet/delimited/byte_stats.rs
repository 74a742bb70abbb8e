//! A census of a text file's bytes: what they say about its encoding, counted in one pass.
//!
//! It counts lines that are valid UTF-8 beyond ASCII and lines that are not, remembers where the text
//! ends and the padding begins, and lets the detector see what is not UTF-8. It holds one block.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8};

use crate::sheet::source_file;

/// Bytes that are looked at together.
const BLOCK: usize = 64 * 1024;

/// Bytes that the detector sees at most. It is sure long before.
const DETECT: usize = 1024 * 1024;

/// One valid line for so many invalid ones makes a file UTF-8 with damaged lines.
const DAMAGED_PER_VALID: u64 = 4;

/// What was counted.
pub(crate) struct ByteStats {
    /// Bytes up to the last one that is not NUL.
    pub(crate) end: u64,
    /// Bytes in all.
    pub(crate) size: u64,
    /// Lines that hold characters beyond ASCII, all of them valid UTF-8.
    valid_lines: u64,
    /// Lines that hold something that is no UTF-8.
    pub(crate) invalid_lines: u64,
    detector: EncodingDetector,
    seen: usize,
    line: LineStats,
}

/// What was found in the line that is being read.
#[derive(Default)]
struct LineStats {
    multibyte: bool,
    invalid: bool,
}

impl ByteStats {
    /// Counts a whole file.
    pub(crate) fn from_reader(reader: &mut impl Read) -> io::Result<Self> {
        let mut census = Self {
            end: 0,
            size: 0,
            valid_lines: 0,
            invalid_lines: 0,
            detector: EncodingDetector::new(Iso2022JpDetection::Deny),
            seen: 0,
            line: LineStats::default(),
        };
        let mut block = vec![0; BLOCK];
        let mut kept = 0;
        loop {
            let count = source_file::fill_buffer(reader, &mut block[kept..])?;
            census.track_size(&block[kept..kept + count]);
            let filled = kept + count;
            let last = filled < BLOCK;
            // A sequence that the block cuts off is looked at together with its rest.
            let whole =
                if last { filled } else { filled - incomplete_suffix_len(&block[..filled]) };
            census.scan_block(&block[..whole]);
            if last {
                census.finish_line();
                return Ok(census);
            }
            block.copy_within(whole..filled, 0);
            kept = filled - whole;
        }
    }

    fn track_size(&mut self, bytes: &[u8]) {
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            self.end = self.size + last as u64 + 1;
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

    /// Whether the file is UTF-8, though some of its lines may be damaged.
    pub(crate) fn is_utf8(&self) -> bool {
        self.invalid_lines == 0
            || (self.valid_lines > 0 && self.valid_lines * DAMAGED_PER_VALID >= self.invalid_lines)
    }

    /// What a file that is not UTF-8 probably is.
    pub(crate) fn guess_encoding(&mut self) -> &'static Encoding {
        self.detector.feed(b"", true);
        match self.detector.guess(None, Utf8Detection::Deny) {
            encoding if encoding == UTF_8 => encoding_rs::WINDOWS_1252,
            encoding => encoding,
        }
    }
}

/// How many bytes at the end of a block begin a sequence that goes on behind it.
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
