//! The access rights of output files, which contain people's data.

use std::io;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The rights of output files, as on Unix: `0640`. A directory that is created also gets the right to enter
/// wherever its files may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMode(u32);

impl Default for FileMode {
    /// Only the owner reads and writes.
    fn default() -> Self {
        Self(0o600)
    }
}

impl FromStr for FileMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| mode & !0o777 == 0);
        match mode.filter(|mode| mode & 0o600 == 0o600) {
            Some(mode) => Ok(Self(mode)),
            None => {
                Err("not a mode such as `0640`, which lets the owner read and write".to_owned())
            }
        }
    }
}

impl FileMode {
    /// The mode of a directory for such files.
    #[cfg(unix)]
    fn directory_mode(self) -> u32 {
        self.0 | ((self.0 & 0o444) >> 2)
    }

    /// Creates a directory and its parents; those that exist keep their rights.
    pub fn create_dir_all(self, dir: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, self.directory_mode());
        builder.recursive(true).create(dir)
    }

    /// Gives a file this mode.
    #[cfg(unix)]
    pub(super) fn apply_to_file(self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(self.0))
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
    pub(super) fn apply_to_file(self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal_and_always_the_owners() {
        assert_eq!("0640".parse(), Ok(FileMode(0o640)));
        assert_eq!("644".parse(), Ok(FileMode(0o644)));
        for text in ["", "0400", "0x1a", "1777", "rw-r--r--", "9"] {
            assert!(text.parse::<FileMode>().is_err(), "{text}");
        }
        #[cfg(unix)]
        assert_eq!(FileMode(0o640).directory_mode(), 0o750);
    }
}
