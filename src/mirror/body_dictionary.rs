//! Makes the dictionary that bodies of one kind are compressed with.
//!
//! A dictionary outlives the records it was made from: what a record said has to be gone once the record was deleted
//! long enough ago. So it has only words that many records have, such as keys, ids of custom fields and years; every
//! other word is replaced by random letters and digits before.

use std::collections::HashMap;

/// Fewer bodies than this make no dictionary.
const LEAST_BODIES: usize = 1_000;
/// Bodies that a dictionary is made from.
const SAMPLES: usize = 500;
/// Most bytes of them.
const SAMPLE_BYTES: usize = 1 << 20;
/// The size of a dictionary in bytes.
const DICTIONARY_BYTES: usize = 32 << 10;
/// A word is kept if at least one of so many bodies has it.
const ONE_OF: usize = 50;

/// A dictionary for bodies like these; `None` if they are too few, or too different for one.
pub(super) fn train_dictionary<'b>(bodies: impl Iterator<Item = &'b str>) -> Option<Vec<u8>> {
    let bodies: Vec<&str> = bodies.collect();
    if bodies.len() < LEAST_BODIES {
        return None;
    }
    // From everywhere among them, because those that were added together are more alike.
    let samples: Vec<&str> = bodies.iter().step_by(bodies.len() / SAMPLES).copied().collect();
    let common = count_words(&samples);
    let least = samples.len().div_ceil(ONE_OF);
    let mut random = fastrand::Rng::with_seed(0);
    let (mut data, mut sizes) = (Vec::with_capacity(SAMPLE_BYTES), Vec::new());
    for sample in samples {
        if data.len() + sample.len() > SAMPLE_BYTES {
            break;
        }
        let from = data.len();
        for word in split_words(sample) {
            let is_common = !is_word(word) || common.get(word).is_some_and(|it| it.0 >= least);
            let replaced =
                word.bytes().map(|byte| if is_common { byte } else { replace(byte, &mut random) });
            data.extend(replaced);
        }
        sizes.push(data.len() - from);
    }
    zstd::dict::from_continuous(&data, &sizes, DICTIONARY_BYTES).ok()
}

/// In how many samples each word is, with the last one that has it.
fn count_words<'s>(samples: &[&'s str]) -> HashMap<&'s str, (usize, usize)> {
    let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
    for (at, sample) in samples.iter().enumerate() {
        for word in split_words(sample).filter(|word| is_word(word)) {
            let (count, last) = counts.entry(word).or_default();
            if *count == 0 || *last != at {
                (*count, *last) = (*count + 1, at);
            }
        }
    }
    counts
}

/// Splits a text into words and what is between them.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = is_word_character(rest.chars().next()?);
        let end = rest.find(|character| is_word_character(character) != first);
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(word)
    })
}

fn is_word(text: &str) -> bool {
    text.chars().next().is_some_and(is_word_character)
}

fn is_word_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || !character.is_ascii()
}

/// Another byte of the same kind.
fn replace(byte: u8, random: &mut fastrand::Rng) -> u8 {
    match byte {
        b'0'..=b'9' => random.u8(b'0'..=b'9'),
        b'A'..=b'Z' => random.u8(b'A'..=b'Z'),
        b'a'..=b'z' => random.u8(b'a'..=b'z'),
        _ => random.u8(0x80..=0xbf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(count: usize) -> Vec<String> {
        let body = |n: usize| {
            let word = format!("{:x}", (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            format!(
                r#"{{"id":"{word}","firstName":"Ann","customFields":[{{"id":"field{}","value":"secret{word}"}}],"dateAdded":"2026-11-29"}}"#,
                n % 7
            )
        };
        (0..count).map(body).collect()
    }

    #[test]
    fn a_dictionary_has_no_word_of_a_single_record() {
        let bodies = bodies(2_000);
        let dictionary = train_dictionary(bodies.iter().map(String::as_str)).unwrap();
        let dictionary = String::from_utf8_lossy(&dictionary).into_owned();
        assert!(dictionary.contains("firstName"), "{dictionary}");
        for body in &bodies {
            let id = &body[7..20];
            assert!(!dictionary.contains(id), "{id}");
        }
    }

    #[test]
    fn few_records_have_no_dictionary() {
        assert_eq!(train_dictionary(bodies(LEAST_BODIES - 1).iter().map(String::as_str)), None);
    }

    #[test]
    fn a_text_is_its_words_and_what_is_between() {
        let words: Vec<&str> = split_words("{\"a1\":\"é b\"}").collect();
        assert_eq!(words, ["{\"", "a1", "\":\"", "é", " ", "b", "\"}"]);
    }
}
