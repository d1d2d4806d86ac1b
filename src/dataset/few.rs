//! Lists of names in one line of a message.

use crate::text::plain;

/// The names listed at most: enough to show the kind.
const TOLD: usize = 5;

/// `a, b, c, d, e and 4 more`.
pub(super) fn few<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let told: Vec<_> = names.by_ref().take(TOLD).map(plain).collect();
    match names.count() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_five_are_told() {
        assert_eq!(few(["a"]), "a");
        assert_eq!(few(["a", "b", "c", "d", "\u{7}"]), "a, b, c, d, \\u{7}");
        let names: Vec<String> = (0..999).map(|i| i.to_string()).collect();
        assert_eq!(few(names.iter().map(String::as_str)), "0, 1, 2, 3, 4 and 994 more");
    }
}
