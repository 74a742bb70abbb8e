//! Packs many small responses into one body, so that they compress together and are stored as one
//! entry.

use bytes::Bytes;

/// Several responses as one body, each with its subject.
///
/// # Panics
/// When a response has 4 GB or more; those are rejected long before.
#[must_use]
pub fn pack_responses<'a>(answers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Bytes {
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

/// The responses in a body from [`pack_responses`].
#[derive(Debug)]
pub struct PackedResponses(Bytes);

impl PackedResponses {
    /// Reads a packed body.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        Self(body)
    }

    fn next_part(&mut self) -> Option<Bytes> {
        let length = self.0.get(..4)?.try_into().ok().map(u32::from_le_bytes)? as usize;
        if self.0.len() < 4 + length {
            return None;
        }
        let mut part = self.0.split_to(4 + length);
        Some(part.split_off(4))
    }
}

impl Iterator for PackedResponses {
    type Item = (Bytes, Bytes);
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.next_part()?, self.next_part()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_out_of_a_pack_as_they_went_in() {
        let answers: [(&str, &[u8]); 3] = [("a", b"{}"), ("", b""), ("\u{fc}", b"[1]")];
        let unpacked: Vec<_> = PackedResponses::new(pack_responses(answers)).collect();
        let expected: Vec<_> = answers
            .iter()
            .map(|(subject, answer)| {
                (Bytes::copy_from_slice(subject.as_bytes()), Bytes::copy_from_slice(answer))
            })
            .collect();
        assert_eq!(unpacked, expected);
    }
}
