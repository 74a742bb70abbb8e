//! The key of the hashes in masked exports.
//!
//! It is made once, in a private file of the program's home. Only with it can the hash of a guessed address be computed. A
//! new key makes other hashes.

use std::io::Write as _;
use std::path::Path;

use ring::hmac;

use super::error::RunError;
use super::private_dir::create_private_dir;
use crate::text::encode_hex;

/// The file's name.
const FILE: &str = "mask.key";
/// The length of the key in bytes.
const LENGTH: usize = 32;

/// The key.
#[derive(Clone)]
pub struct MaskKey(hmac::Key);

impl std::fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MaskKey(…)")
    }
}

impl MaskKey {
    fn from_bytes(bytes: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// HMAC-SHA-256 of a text, as 64 hexadecimal digits.
    #[must_use]
    pub fn hash_text(&self, text: &str) -> String {
        encode_hex(hmac::sign(&self.0, text.as_bytes()).as_ref())
    }

    /// Reads the key in a directory, or makes one.
    pub(super) fn load_or_create(dir: &Path) -> Result<Self, RunError> {
        let path = dir.join(FILE);
        let fail = |source| RunError::from_io(&path, source);
        if !path.exists() {
            create_private_dir(dir).map_err(fail)?;
            let mut key = [0; LENGTH];
            getrandom::fill(&mut key).map_err(|error| fail(std::io::Error::other(error)))?;
            let mut file = tempfile::NamedTempFile::new_in(dir).map_err(fail)?;
            file.write_all(&key).and_then(|()| file.as_file().sync_all()).map_err(fail)?;
            // Another process may have made one meanwhile; then that one counts.
            let _ = file.persist_noclobber(&path);
        }
        let key = std::fs::read(&path).map_err(fail)?;
        if key.len() != LENGTH {
            return Err(RunError::damaged(&path, "it is no key: it must have 32 bytes"));
        }
        Ok(Self::from_bytes(&key))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_hash_is_hmac_sha_256() {
        // RFC 4231, test case 2.
        let key = MaskKey::from_bytes(b"Jefe");
        assert_eq!(
            key.hash_text("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_key_is_made_once_and_private() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("new");
        let key = MaskKey::load_or_create(&dir).unwrap();
        let again = MaskKey::load_or_create(&dir).unwrap();
        assert_eq!(key.hash_text("a"), again.hash_text("a"));
        let mode = std::fs::metadata(dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = MaskKey::load_or_create(home.path()).unwrap();
        assert_ne!(key.hash_text("a"), other.hash_text("a"));
        std::fs::write(dir.join(FILE), "short").unwrap();
        assert!(MaskKey::load_or_create(&dir).is_err());
    }
}
