//! Files among the samples that are not samples: their number and their extensions.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::text::plain;

/// The most extensions counted separately, and the longest. The rest is counted together.
const MOST: usize = 32;
const LONGEST: usize = 16;

/// The most extensions shown.
const TOLD: usize = 5;

/// Files that were ignored, counted by extension. Shown as `3 other files are ignored: 2 .txt, 1 .webp`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    count: u64,
    /// In lower case; empty for files without one.
    extensions: BTreeMap<String, u64>,
}

impl Ignored {
    /// Counts a file.
    pub(super) fn add(&mut self, name: &str) {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        self.add_extension(&extension.unwrap_or_default().to_ascii_lowercase());
    }

    /// Counts a file by its extension, in lower case.
    pub(super) fn add_extension(&mut self, extension: &str) {
        self.add_many(extension, 1);
    }

    /// Adds the counts of another.
    pub(super) fn merge(&mut self, other: &Self) {
        let told_apart: u64 = other.extensions.values().sum();
        for (extension, &count) in &other.extensions {
            self.add_many(extension, count);
        }
        self.count += other.count - told_apart;
    }

    fn add_many(&mut self, extension: &str, count: u64) {
        self.count += count;
        if let Some(known) = self.extensions.get_mut(extension) {
            *known += count;
        } else if self.extensions.len() < MOST && extension.len() <= LONGEST {
            self.extensions.insert(extension.to_owned(), count);
        }
    }

    /// The number of files.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether no file was ignored.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The most common extensions: `2 .txt, 1 .webp`.
    pub fn kinds(&self) -> String {
        let mut sorted: Vec<(&String, u64)> = self.extensions.iter().map(|(name, &count)| (name, count)).collect();
        // The sort is stable: equal counts stay in the order of their names.
        sorted.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        sorted.truncate(TOLD);
        let told: u64 = sorted.iter().map(|(_, count)| count).sum();
        let mut kinds: Vec<String> = sorted
            .into_iter()
            .map(|(extension, count)| match extension.as_str() {
                "" => format!("{count} without an extension"),
                extension => format!("{count} .{}", plain(extension)),
            })
            .collect();
        if told < self.count {
            kinds.push(format!("{} others", self.count - told));
        }
        kinds.join(", ")
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, kinds) = (self.count, self.kinds());
        match count {
            0 => write!(f, "no file is ignored"),
            1 => write!(f, "1 other file is ignored: {kinds}"),
            _ => write!(f, "{count} other files are ignored: {kinds}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Ignored {
        let mut ignored = Ignored::default();
        names.iter().for_each(|name| ignored.add(name));
        ignored
    }

    #[test]
    fn extensions_are_told_the_commonest_first() {
        let ignored = of(&["a.txt", "x/b.TXT", "c.webp", "README", "d.webp", "e.txt"]);
        let told = "6 other files are ignored: 3 .txt, 2 .webp, 1 without an extension";
        assert_eq!(ignored.to_string(), told);
        assert_eq!(of(&["a.\u{1b}x"]).to_string(), "1 other file is ignored: 1 .\\u{1b}x");
        assert_eq!(
            of(&["1.a", "1.b", "1.c", "1.d", "1.e", "1.f", "2.f"]).kinds(),
            "2 .f, 1 .a, 1 .b, 1 .c, 1 .d, 1 others"
        );
    }

    #[test]
    fn any_number_of_extensions_takes_bounded_memory_and_is_counted() {
        let names: Vec<String> = (0..1000).map(|i| format!("{i}.{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut ignored = of(&names);
        assert!(ignored.extensions.len() <= MOST);
        let long = "x".repeat(1000);
        ignored.add(&format!("a.{long}"));
        let mut sum = of(&["a.txt"]);
        sum.merge(&ignored);
        assert_eq!((ignored.count(), sum.count()), (1001, 1002));
        assert!(sum.to_string().len() < 200);
    }
}
