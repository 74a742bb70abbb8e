//! The parts around a phone number: prefixes, extensions, punctuation.

/// Words before a colon that mark a phone number.
const PREFIXES: [&str; 20] = [
    "p",
    "t",
    "m",
    "c",
    "h",
    "w",
    "tel",
    "telephone",
    "phone",
    "ph",
    "mobile",
    "mob",
    "cell",
    "home",
    "work",
    "office",
    "main",
    "callto",
    "sms",
    "whatsapp",
];

/// Words before an extension. A longer word comes before one that it ends with.
const EXTENSIONS: [&str; 14] = [
    "extension",
    "extn",
    "ext",
    "int",
    "anexo",
    "interno",
    "ramal",
    "poste",
    "durchwahl",
    "dw",
    "доб",
    "x",
    "#",
    "~",
];

/// The maximum number of digits in an extension.
const LONGEST_EXTENSION: usize = 8;

/// Strips a leading apostrophe, a prefix such as `tel:`, and invisible characters.
pub(super) fn strip_phone_label(text: &str) -> &str {
    let unseen = |c: char| {
        c.is_whitespace()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let text = text.trim_matches(unseen);
    let text = text.strip_prefix('\'').unwrap_or(text);
    let text = match text.split_once(':') {
        Some((word, rest)) if is_phone_label(word) => rest,
        _ => strip_label_without_colon(text),
    };
    text.trim_matches(unseen).trim_start_matches("//").trim_end_matches([',', ';', '.'])
}

/// Strips a prefix that ends with a full stop or a space, such as `Tel. ` and `Phone `.
fn strip_label_without_colon(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(0);
    let (word, rest) = text.split_at(end);
    let rest = rest.trim_start_matches(['.', ' ']);
    let number = rest.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '(');
    if word.len() > 1 && is_phone_label(word) && number { rest } else { text }
}

fn is_phone_label(word: &str) -> bool {
    PREFIXES.iter().any(|prefix| word.trim().eq_ignore_ascii_case(prefix))
}

/// Splits off an extension, which must follow a word or sign for it.
pub(super) fn split_extension(text: &str) -> (&str, Option<&str>) {
    let before = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let extension = &text[before.len()..];
    if extension.is_empty() || extension.len() > LONGEST_EXTENSION {
        return (text, None);
    }
    let word = before.trim_end_matches([' ', '.', ':', '=']);
    let number = EXTENSIONS.iter().find_map(|mark| strip_extension_mark(word, mark));
    match number.map(|number| number.trim_end_matches([' ', ',', ';', '-', '(', '/', '.'])) {
        Some(number) if number.ends_with(|c: char| c.is_ascii_digit() || c == ')') => {
            (number, Some(extension))
        }
        _ => (text, None),
    }
}

fn strip_extension_mark<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    let start = text.len().checked_sub(mark.len())?;
    let tail = text.get(start..)?;
    (tail.to_lowercase() == mark).then(|| &text[..start])
}

/// Checks that the characters can form one phone number; the error says why they cannot.
pub(super) fn check_characters(number: &str) -> Result<(), &'static str> {
    let mut digits = 0_usize;
    for (index, c) in number.char_indices() {
        match c {
            '0'..='9' => digits += 1,
            '+' if digits > 0 || number[..index].contains('+') => {
                return Err("there is a `+` between digits; are these two numbers?");
            }
            '-' if index == 0 => {
                return Err("it starts with a minus sign; a spreadsheet may have computed it");
            }
            '+' | '-' | ' ' | '\t' | '(' | ')' | '[' | ']' | '.' | '/' | '*' => {}
            c if c.is_alphabetic() => return Err("it contains letters"),
            _ => return Err("it contains characters other than digits and punctuation"),
        }
    }
    match digits {
        0 => Err("it contains no digits"),
        1..=20 => Ok(()),
        _ => Err("it has too many digits"),
    }
}

/// The number after a leading `00`.
pub(super) fn strip_double_zero(number: &str) -> Option<&str> {
    let rest = number.trim_start_matches('(').strip_prefix("00")?;
    rest.starts_with(|c: char| c != '0').then_some(rest)
}
