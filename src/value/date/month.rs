//! Names of months and weekdays in the languages of dates.

use unicode_normalization::UnicodeNormalization;

/// A language of dates.
struct DateLanguage {
    code: &'static str,
    months: [&'static str; 12],
    /// Names and abbreviations that are not a prefix of the full names.
    others: &'static [(&'static str, i8)],
    /// The first letters of the weekdays, and the small words between day, month and year.
    words: &'static [&'static str],
}

/// Names are in lower case, without accents.
#[rustfmt::skip]
static LANGUAGES: [DateLanguage; 7] = [
    DateLanguage {
        code: "en",
        months: ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"],
        others: &[],
        words: &["mon", "tue", "wed", "thu", "fri", "sat", "sun", "the", "of", "st", "nd", "rd", "th"],
    },
    DateLanguage {
        code: "fr",
        months: ["janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre"],
        others: &[],
        words: &["lun", "mar", "mer", "jeu", "ven", "sam", "dim", "le", "er"],
    },
    DateLanguage {
        code: "de",
        months: ["januar", "februar", "marz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"],
        others: &[("janner", 1), ("jan", 1), ("feber", 2), ("maerz", 3), ("mrz", 3)],
        words: &["mon", "die", "mit", "don", "fre", "sam", "son", "mo", "di", "mi", "do", "fr", "sa", "so", "den", "der", "am"],
    },
    DateLanguage {
        code: "es",
        months: ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
        others: &[("setiembre", 9)],
        words: &["lun", "mar", "mie", "jue", "vie", "sab", "dom", "de", "del", "el"],
    },
    DateLanguage {
        code: "it",
        months: ["gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"],
        others: &[],
        words: &["lun", "mar", "mer", "gio", "ven", "sab", "dom", "il", "di"],
    },
    DateLanguage {
        code: "pt",
        months: ["janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"],
        others: &[],
        words: &["seg", "ter", "qua", "qui", "sex", "sab", "dom", "de", "do", "feira"],
    },
    DateLanguage {
        code: "nl",
        months: ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"],
        others: &[("mrt", 3)],
        words: &["maa", "din", "woe", "don", "vri", "zat", "zon", "ma", "di", "wo", "do", "vr", "za", "zo", "de", "van"],
    },
];

/// The fewest letters that can abbreviate a month.
const SHORTEST: usize = 3;

/// The meaning of a word in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateWord {
    /// A month, 1 to 12.
    Month(i8),
    /// A weekday or a small word.
    Filler,
    /// A month only in the language with this code.
    MonthIn(&'static str),
    /// An unknown word.
    Unknown,
}

/// Classifies the word in English and in the given language.
pub(super) fn classify_word(word: &str, locale: Option<&str>) -> DateWord {
    let folded: String = word
        .nfd()
        .filter(|c| !matches!(c, '\u{300}'..='\u{36f}'))
        .flat_map(char::to_lowercase)
        .collect();
    let locale = locale.map(|locale| locale.get(..2).unwrap_or(locale).to_ascii_lowercase());
    let spoken = |language: &&DateLanguage| {
        language.code == "en" || Some(language.code) == locale.as_deref()
    };
    let languages = || LANGUAGES.iter().filter(spoken);
    if let Some(month) = languages().find_map(|language| language.find_month(&folded)) {
        return DateWord::Month(month);
    }
    if languages().any(|language| language.has_filler_word(&folded)) {
        return DateWord::Filler;
    }
    let foreign = LANGUAGES.iter().find(|language| language.find_month(&folded).is_some());
    foreign.map_or(DateWord::Unknown, |language| DateWord::MonthIn(language.code))
}

/// Whether a whole word is the name of a month or its abbreviation, in any language of dates.
#[must_use]
pub fn is_month_name(word: &str) -> bool {
    LANGUAGES
        .iter()
        .any(|language| matches!(classify_word(word, Some(language.code)), DateWord::Month(_)))
}

/// Whether a whole word is that of a month or weekday, or a small word between them, in any language of dates.
#[must_use]
pub fn is_date_word(word: &str) -> bool {
    LANGUAGES.iter().any(|language| {
        matches!(classify_word(word, Some(language.code)), DateWord::Month(_) | DateWord::Filler)
    })
}

impl DateLanguage {
    fn find_month(&self, word: &str) -> Option<i8> {
        if let Some((_, month)) = self.others.iter().find(|(name, _)| *name == word) {
            return Some(*month);
        }
        if word.len() < SHORTEST {
            return None;
        }
        let mut found = None;
        for (month, name) in (1..).zip(self.months) {
            if name == word {
                return Some(month);
            }
            if name.starts_with(word) {
                // Two months may have the same beginning: `jui`.
                if found.is_some() {
                    return None;
                }
                found = Some(month);
            }
        }
        found
    }

    /// Weekdays match by their full name or their first letters.
    fn has_filler_word(&self, word: &str) -> bool {
        self.words
            .iter()
            .any(|known| *known == word || (known.len() == 3 && word.starts_with(known)))
    }
}
