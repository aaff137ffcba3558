//! What a key that nobody knows was meant to be.

/// How alike two names are at least, from 0 to 1, to take one for the other. The flags' own suggestions have the same bound.
const ALIKE: f64 = 0.7;

/// What is to be said of a name that is none of `known`, behind it: the one that is most like it, or where they all stand.
pub(super) fn hint<'n>(name: &str, known: impl Iterator<Item = &'n str>, elsewhere: &str) -> String {
    let likeness = known.map(|known| (strsim::jaro(name, known), known)).filter(|(alike, _)| *alike > ALIKE);
    match likeness.max_by(|(one, _), (other, _)| one.total_cmp(other)) {
        Some((_, nearest)) => format!("did you mean `{nearest}`?"),
        None => elsewhere.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn the_nearest_is_named() {
        let known = || ["listen", "max-message", "max-messages-per-second", "origins"].into_iter();
        for (name, nearest) in [
            ("lisen", "listen"),
            ("max_message", "max-message"),
            ("max-messages", "max-message"),
            ("origin", "origins"),
        ] {
            assert_eq!(hint(name, known(), "no"), format!("did you mean `{nearest}`?"));
        }
        assert_eq!(hint("zzz", known(), "see elsewhere"), "see elsewhere");
    }
}
