//! Names of image files. The decoder finds out what the files really hold.

use std::path::Path;

/// Extensions of images in lower case. Any case is accepted.
const IMAGES: [&str; 11] = [
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "ppm", "tif", "tiff", "webp",
];

/// Whether an extension is an image's.
pub(super) fn is_extension(extension: &str) -> bool {
    IMAGES.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Whether a file has the name of an image.
pub fn is_image(name: &str) -> bool {
    of_image(name).is_some()
}

/// A name without its image extension, if any.
pub(super) fn stem(name: &str) -> &str {
    of_image(name).map_or(name, |extension| &name[..name.len() - extension.len() - 1])
}

/// All extensions, for messages.
pub fn all() -> String {
    format!(".{}", IMAGES.join(", ."))
}

fn of_image(name: &str) -> Option<&str> {
    let extension = Path::new(name).extension()?.to_str()?;
    is_extension(extension).then_some(extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_only_the_last_extension() {
        for (name, without) in [
            ("a.jpg", "a"),
            ("x/a.JFIF", "x/a"),
            ("a.b.Tiff", "a.b"),
            ("a.jpg.jpe", "a.jpg"),
        ] {
            assert!(is_image(name));
            assert_eq!(stem(name), without);
        }
        for name in ["a", ".jpg", "a.jpg_large", "a.jpg.txt", "jpg"] {
            assert!(!is_image(name));
            assert_eq!(stem(name), name);
        }
        assert!(all().starts_with(".jpg, .jpeg, "));
    }
}
