//! All the encodings in which a secret could leak, and the search for them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

use crate::export_files::list_files_below;
use crate::world::{CommandOutput, World};

/// How much of a secret's end is searched for by itself: what is cut may be its beginning.
const TAIL: usize = 14;

/// A secret, and the forms that would give it away.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(super) name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        assert!(text.len() >= 16, "{name} is too short to be searched for");
        let mut forms = vec![
            ("plain", text.as_bytes().to_vec()),
            ("its end", text.as_bytes()[text.len() - TAIL..].to_vec()),
            ("percent", percent(text, false).into_bytes()),
            ("percent in lower case", percent(text, true).into_bytes()),
            ("hex", crate::export_files::hex(text.as_bytes()).into_bytes()),
            ("reversed", text.bytes().rev().collect()),
        ];
        for before in 0..3 {
            forms.push(("base64", within_base64(&BASE64_STANDARD_NO_PAD, text, before)));
            forms.push(("base64url", within_base64(&BASE64_URL_SAFE_NO_PAD, text, before)));
        }
        Self { name: name.to_owned(), forms }
    }

    /// The form in which these bytes hold it, also when they break it into lines or quoted parts.
    fn form_in(&self, bytes: &[u8]) -> Option<&'static str> {
        let joined: Vec<u8> =
            bytes.iter().copied().filter(|byte| !b" \t\r\n\"'`\\,|\0".contains(byte)).collect();
        let found = |form: &[u8]| contains(bytes, form) || contains(&joined, form);
        self.forms.iter().find(|(_, form)| found(form)).map(|(name, _)| *name)
    }
}

/// What stands in a longer text's base64 wherever the secret stands in it, with so many bytes before it
/// beyond a whole group. Its outermost characters depend on its neighbours.
fn within_base64(engine: &impl base64::Engine, text: &str, before: usize) -> Vec<u8> {
    let bytes = [&vec![b'x'; before], text.as_bytes()].concat();
    let encoded = engine.encode(&bytes).into_bytes();
    let begin = (before * 8).div_ceil(6);
    let end = bytes.len() * 8 / 6;
    encoded[begin..end].to_vec()
}

fn percent(text: &str, lower: bool) -> String {
    let escaped = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        match (plain, lower) {
            (true, _) => char::from(byte).to_string(),
            (_, false) => format!("%{byte:02X}"),
            (_, true) => format!("%{byte:02x}"),
        }
    };
    text.bytes().map(escaped).collect()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}

/// Asserts that a command has printed none of the secrets.
#[track_caller]
pub(crate) fn assert_unprinted(done: &CommandOutput, secrets: &[Secret]) {
    for (place, text) in [("stdout", &done.stdout), ("stderr", &done.stderr)] {
        assert_absent(place, text.as_bytes(), secrets);
    }
}

/// Asserts that no file of the world holds one of the secrets, but for those that are there to keep them.
#[track_caller]
pub(crate) fn assert_unwritten(world: &World, keepers: &[&Path], secrets: &[Secret]) {
    let files = list_files_below(&world.path("."));
    assert!(!files.is_empty());
    for file in files {
        if keepers.iter().any(|keeper| file.starts_with(keeper)) {
            continue;
        }
        assert_absent(&file.display().to_string(), &fs::read(&file).unwrap(), secrets);
    }
}

#[track_caller]
fn assert_absent(place: &str, bytes: &[u8], secrets: &[Secret]) {
    for secret in secrets {
        if let Some(form) = secret.form_in(bytes) {
            panic!("{place} holds {} ({form}): {}", secret.name, String::from_utf8_lossy(bytes));
        }
    }
}

#[test]
fn a_secret_is_found_in_every_form() {
    let text = "7c41e6f2-kept/secret+word=";
    let secret = Secret::new("it", text);
    let quoted: String = text.chars().flat_map(|c| ['"', c, '"', ',', '\n']).collect();
    let forms = [
        format!("a {text} b"),
        format!("GET /?token={}&x=1", percent(text, false)),
        BASE64_STANDARD_NO_PAD.encode(format!("user:{text}:more")),
        BASE64_URL_SAFE_NO_PAD.encode(format!("u:{text}")),
        BASE64_STANDARD_NO_PAD.encode(text),
        "37633431653666322d6b6570742f7365637265742b776f72643d".to_owned(),
        "=drow+terces/tpek-2f6e14c7".to_owned(),
        "…ept/secret+word=".to_owned(),
        quoted,
    ];
    for form in forms {
        assert!(secret.form_in(form.as_bytes()).is_some(), "{form}");
    }
    assert_eq!(secret.form_in(b"7c41e6f2 and no more"), None);
}
