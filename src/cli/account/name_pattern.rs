//! What to suggest for a pattern of location names that matches none.

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
        crate::text::similarity(&wanted, &name)
    };
    let mut all: Vec<_> = names.map(|name| (likeness(name), name)).collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(other.1)));
    all.into_iter().take(most).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["Acme Berlin", "Zoo", "Acme Bern"];
        assert_eq!(closest_names("acme brelin", names.into_iter(), 1), ["Acme Berlin"]);
        assert_eq!(closest_names("*bern?", names.into_iter(), 1), ["Acme Bern"]);
        assert!(closest_names("x", std::iter::empty(), 3).is_empty());
    }
}
