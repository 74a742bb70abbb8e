//! Many small answers as one body, so that they compress together and are stored as one entry.

use bytes::Bytes;

/// Several answers as one body: each with the subject it is about.
///
/// # Panics
/// When an answer has 4 GB or more; those are refused long before.
#[must_use]
pub fn pack<'a>(answers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Bytes {
    let mut body = Vec::new();
    for (subject, answer) in answers {
        for part in [subject.as_bytes(), answer] {
            let length = u32::try_from(part.len()).expect("answers are bounded far below 4 GB");
            body.extend_from_slice(&length.to_le_bytes());
            body.extend_from_slice(part);
        }
    }
    body.into()
}

/// The answers in a [`pack`]ed body.
#[derive(Debug)]
pub struct Packed(Bytes);

impl Packed {
    /// Reads a packed body.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        Self(body)
    }

    fn part(&mut self) -> Option<Bytes> {
        let length = self.0.get(..4)?.try_into().ok().map(u32::from_le_bytes)? as usize;
        if self.0.len() < 4 + length {
            return None;
        }
        let mut part = self.0.split_to(4 + length);
        Some(part.split_off(4))
    }
}

impl Iterator for Packed {
    type Item = (Bytes, Bytes);
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.part()?, self.part()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_out_of_a_pack_as_they_went_in() {
        let answers: [(&str, &[u8]); 3] = [("a", b"{}"), ("", b""), ("\u{fc}", b"[1]")];
        let unpacked: Vec<_> = Packed::new(pack(answers)).collect();
        let expected: Vec<_> = answers
            .iter()
            .map(|(subject, answer)| {
                (Bytes::copy_from_slice(subject.as_bytes()), Bytes::copy_from_slice(answer))
            })
            .collect();
        assert_eq!(unpacked, expected);
    }
}
