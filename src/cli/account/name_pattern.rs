//! Patterns of names: `*` matches any text, `?` one character, and case does not matter.

/// Whether a name fits a pattern as a whole.
pub(super) fn matches_pattern(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let (mut at, mut in_name) = (0, 0);
    // Where to go on when the last `*` must take one character more.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at + 1, in_name));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match star {
                Some((behind, taken)) => {
                    star = Some((behind, taken + 1));
                    (at, in_name) = (behind, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// The names nearest to a pattern that matches no name, the best first.
pub(super) fn closest_names<'a>(
    pattern: &str,
    names: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let wanted = pattern.replace(['*', '?'], "").to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        if !wanted.is_empty() && name.contains(&wanted) {
            return 1.0;
        }
        strsim::jaro_winkler(&wanted, &name)
    };
    let mut all: Vec<_> = names.map(|name| (likeness(name), name)).collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    all.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "Anything"),
            ("acme*", "ACME Berlin"),
            ("*berlin", "Acme Berlin"),
            ("a*e b*n", "Acme Berlin"),
            ("acm? berlin", "Acme Berlin"),
            ("*a*a*", "banana"),
            ("zoë", "ZOË"),
        ] {
            assert!(matches_pattern(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("acme", "Acme Berlin"), ("?", ""), ("??", "a"), ("a*b", "abc"), ("", "a")]
        {
            assert!(!matches_pattern(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["Acme Berlin", "Zoo", "Acme Bern"];
        assert_eq!(closest_names("acme brelin", names.into_iter(), 1), ["Acme Berlin"]);
        assert_eq!(closest_names("*bern?", names.into_iter(), 1), ["Acme Bern"]);
        assert!(closest_names("x", std::iter::empty(), 3).is_empty());
    }
}
