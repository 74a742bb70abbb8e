//! Choices: enums with one word per value, which is the same in a flag, in a mapping and in a stored run.
//!
//! The macro `choice_enum!` declares such an enum with its words; the doc comment of a value is
//! its help. The command line writes the words with `-`, files write them with `_`.

/// An enum with one word per value.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value, in the order in which users read them.
    const ALL: &'static [Self];

    /// The value's word, as files write it: `at_most_once`.
    fn word(self) -> &'static str;

    /// Other spellings that files may use.
    fn aliases(self) -> &'static [&'static str];

    /// The meaning of the value, as a phrase.
    fn help(self) -> &'static str;

    /// The value of a word. Case is ignored, and so is the character that joins its parts.
    fn from_word(text: &str) -> Option<Self> {
        let plain = normalize_word(text);
        let fits = |value: &&Self| {
            normalize_word(value.word()) == plain || value.aliases().contains(&text.trim())
        };
        Self::ALL.iter().find(fits).copied()
    }

    /// The words of all values.
    fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|value| value.word())
    }

    /// All words as a phrase: `` `a`, `b` or `c` ``.
    #[must_use]
    fn words_phrase() -> String {
        let quoted: Vec<String> = Self::words().map(|word| format!("`{word}`")).collect();
        match quoted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

fn normalize_word(word: &str) -> String {
    word.trim()
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Declares an enum with one word per value: `Variant = "word" | "alias"`. `enum Name = Variant` sets its default.
macro_rules! choice_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident $(= $default:ident)? {
            $(
                $(#[doc = $help:literal])+
                $variant:ident = $word:literal $(| $alias:literal)*
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        $vis enum $name {
            $(
                $(#[doc = $help])+
                #[serde(rename = $word)]
                $variant
            ),+
        }

        $(
            impl Default for $name {
                fn default() -> Self {
                    Self::$default
                }
            }
        )?

        impl $crate::choice::Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            fn aliases(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($alias),*]),+
                }
            }

            fn help(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($help),+).trim_ascii()),+
                }
            }
        }
    };
}
pub(crate) use choice_enum;

#[cfg(test)]
mod tests {
    use super::Choice;

    choice_enum! {
        pub(super) enum Sample = First {
            /// The first.
            First = "first",
            /// Twice
            /// as good.
            MuchBetter = "much_better" | "mb",
        }
    }

    #[test]
    fn a_word_is_read_however_its_parts_are_joined() {
        for text in ["much_better", "much-better", "Much Better", "muchbetter", "mb"] {
            assert_eq!(Sample::from_word(text), Some(Sample::MuchBetter), "{text}");
        }
        assert_eq!(Sample::from_word("better"), None);
        assert_eq!(Sample::default(), Sample::First);
    }

    #[test]
    fn words_helps_and_stored_forms_come_from_one_place() {
        assert_eq!(Sample::words_phrase(), "`first` or `much_better`");
        assert_eq!(Sample::MuchBetter.help(), "Twice as good.");
        assert_eq!(serde_json::to_string(&Sample::MuchBetter).unwrap(), "\"much_better\"");
    }
}
