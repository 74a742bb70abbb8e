//! Output directories as they are typed.

use std::path::PathBuf;

/// Parses an output directory. `-` means stdout elsewhere, and no directory gets that name.
pub(crate) fn parse_output_dir(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("it is empty".to_owned()),
        "-" => {
            Err("several files are written, which do not fit into stdout; name a directory (`./-` \
                    for one of that name)"
                .to_owned())
        }
        text => Ok(PathBuf::from(text)),
    }
}
