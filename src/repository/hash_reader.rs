//! A reader that passes bytes on only as long as they may be those that a manifest names.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest as _, Sha256};

/// Reads a file and compares its size and its SHA-256 with what is expected. When the last byte has been read and
/// anything differs, the read fails.
pub(super) struct HashReader {
    inner: Box<dyn Read + Send>,
    left: u64,
    hash: Sha256,
    expected: String,
    is_proven: Arc<AtomicBool>,
}

/// Whether a file was read to its end and is what was expected.
pub(super) type Proof = Arc<AtomicBool>;

impl HashReader {
    /// A reader of a file of this size and hash, and what says that it was proven.
    pub(super) fn new(inner: Box<dyn Read + Send>, bytes: u64, sha256: &str) -> (Self, Proof) {
        let proof = Proof::default();
        let (hash, expected) = (Sha256::new(), sha256.to_owned());
        let reader = Self { inner, left: bytes, hash, expected, is_proven: Arc::clone(&proof) };
        (reader, proof)
    }

    /// Compares, once everything has been read.
    fn prove(&mut self) -> io::Result<()> {
        if self.is_proven.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut rest = [0; 1];
        if read_some(&mut self.inner, &mut rest)? > 0 {
            return Err(invalid("it is larger than its manifest says"));
        }
        let hash = base16ct::lower::encode_string(&self.hash.clone().finalize());
        if hash != self.expected {
            return Err(invalid("its SHA-256 is not the one in its manifest"));
        }
        self.is_proven.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Read for HashReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return self.prove().map(|()| 0);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = read_some(&mut self.inner, &mut buffer[..most])?;
        if read == 0 {
            return Err(invalid("it is shorter than its manifest says"));
        }
        self.hash.update(&buffer[..read]);
        self.left -= read as u64;
        if self.left == 0 {
            self.prove()?;
        }
        Ok(read)
    }
}

fn read_some(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
