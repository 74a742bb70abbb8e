//! Encodings by name: those of the Encoding Standard, and the code pages that it lacks.
//!
//! People know encodings by many names: `MacRoman`, `ansi`, `cp850`, `latin1`, `Windows 1252`.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::code_page::{self, CodePage};

/// An encoding of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextEncoding {
    /// One of the Encoding Standard.
    Standard(&'static Encoding),
    /// A code page that the standard lacks.
    Page(&'static CodePage),
}

/// What people call some encodings, in lower case and without punctuation.
const ALIASES: &[(&str, &str)] = &[
    ("ansi", "windows-1252"),
    ("ascii", "windows-1252"),
    ("applemacroman", "macintosh"),
    ("big5hkscs", "big5"),
    ("cp65001", "utf-8"),
    ("latin1", "windows-1252"),
    ("latin2", "iso-8859-2"),
    ("latin9", "iso-8859-15"),
    ("mac", "macintosh"),
    ("macosroman", "macintosh"),
    ("macroman", "macintosh"),
    ("maccyrillic", "x-mac-cyrillic"),
    ("utf8bom", "utf-8"),
    ("utf8mb4", "utf-8"),
    ("utf8sig", "utf-8"),
    ("utf16bom", "utf-16le"),
    ("westerneuropean", "windows-1252"),
];

/// The code pages, by what people call them.
const PAGES: &[(&str, &CodePage)] = &[
    ("437", &code_page::IBM437),
    ("850", &code_page::IBM850),
    ("852", &code_page::IBM852),
    ("858", &code_page::IBM858),
    ("dos", &code_page::IBM850),
    ("msdos", &code_page::IBM850),
    ("oem", &code_page::IBM850),
    ("macce", &code_page::MAC_CE),
    ("xmacce", &code_page::MAC_CE),
    ("maclatin2", &code_page::MAC_CE),
    ("maccentraleurope", &code_page::MAC_CE),
];

/// The Windows code pages whose numbers are not in the name of their encoding.
const WINDOWS_PAGES: &[(&str, &str)] = &[
    ("866", "ibm866"),
    ("874", "windows-874"),
    ("932", "shift_jis"),
    ("936", "gbk"),
    ("949", "euc-kr"),
    ("950", "big5"),
    ("10000", "macintosh"),
    ("20866", "koi8-r"),
    ("28591", "windows-1252"),
    ("28592", "iso-8859-2"),
    ("28605", "iso-8859-15"),
    ("65001", "utf-8"),
];

impl TextEncoding {
    /// UTF-8.
    pub(crate) const UTF_8: Self = Self::Standard(UTF_8);

    /// The encoding with a name that people use for it.
    pub(crate) fn from_label(label: &str) -> Option<Self> {
        let standard = |label: &str| {
            Encoding::for_label(label.as_bytes())
                .filter(|encoding| *encoding != encoding_rs::REPLACEMENT)
                .map(Self::Standard)
        };
        if let Some(encoding) = standard(label) {
            return Some(encoding);
        }
        let key: String =
            label.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        let alias = ALIASES.iter().find(|(name, _)| *name == key);
        if let Some((_, name)) = alias {
            return standard(name);
        }
        let prefixes = ["windows", "codepage", "ibm", "win", "oem", "ansi", "dos", "cp", "ms"];
        let number = prefixes
            .iter()
            .find_map(|prefix| key.strip_prefix(prefix))
            .filter(|rest| !rest.is_empty())
            .unwrap_or(&key);
        let page = PAGES.iter().find(|(name, _)| *name == number || *name == key);
        if let Some((_, page)) = page {
            return Some(Self::Page(page));
        }
        if let Some((_, name)) = WINDOWS_PAGES.iter().find(|(name, _)| *name == number) {
            return standard(name);
        }
        if number.len() == 4 && number.starts_with("125") {
            return standard(&format!("windows-{number}"));
        }
        let part = key.strip_prefix("iso8859").filter(|part| !part.is_empty());
        part.and_then(|part| standard(&format!("iso-8859-{part}")))
    }

    /// The common name.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Standard(encoding) => encoding.name().to_ascii_lowercase(),
            Self::Page(page) => page.name.to_owned(),
        }
    }

    /// Whether its characters have two bytes or more, with NUL bytes among them.
    pub(crate) fn is_utf16(self) -> bool {
        self == Self::Standard(UTF_16LE) || self == Self::Standard(UTF_16BE)
    }

    /// Decodes bytes; what is invalid becomes the replacement character.
    pub(crate) fn decode_lossy(self, bytes: &[u8]) -> String {
        match self {
            Self::Standard(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Page(page) => bytes.iter().map(|byte| page.decode_byte(*byte)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_people_use_are_known() {
        for (label, expected) in [
            ("MacRoman", "macintosh"),
            ("mac", "macintosh"),
            ("Mac OS Roman", "macintosh"),
            ("x-mac-roman", "macintosh"),
            ("ansi", "windows-1252"),
            ("ANSI", "windows-1252"),
            ("latin1", "windows-1252"),
            ("Latin-1", "windows-1252"),
            ("ISO 8859 15", "iso-8859-15"),
            ("cp1252", "windows-1252"),
            ("Windows 1250", "windows-1250"),
            ("win1251", "windows-1251"),
            ("1252", "windows-1252"),
            ("cp850", "ibm850"),
            ("IBM-850", "ibm850"),
            ("850", "ibm850"),
            ("dos", "ibm850"),
            ("OEM", "ibm850"),
            ("cp437", "ibm437"),
            ("dos-437", "ibm437"),
            ("cp852", "ibm852"),
            ("cp866", "ibm866"),
            ("cp932", "shift_jis"),
            ("utf-8-sig", "utf-8"),
            ("UTF8", "utf-8"),
            ("macce", "x-mac-ce"),
        ] {
            let found = TextEncoding::from_label(label).map(TextEncoding::name);
            assert_eq!(found.as_deref(), Some(expected), "{label}");
        }
        for label in ["klingon", "", "cp", "1259", "iso-2022-cn"] {
            assert_eq!(TextEncoding::from_label(label), None, "{label}");
        }
    }
}
