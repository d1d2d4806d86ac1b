//! `~` at the beginning of a path. The shell expands it on the command line, but nothing does in a file.

/// Why a path with `~` cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HomeError {
    /// Another user's home folder.
    #[error(
        "`~{0}` means another user's home folder, which is not supported: write the path out (for a file of this name, write `./~{0}`)"
    )]
    OfUser(String),
    /// There is no home folder.
    #[error("`~` stands for $HOME, but $HOME is not an absolute path: write the folder out")]
    Unknown,
}

/// Replaces a leading `~` or `~/` of `path` by `home`, also after a scheme as in `idx:~/prefix`.
pub fn expand(path: &str, home: Option<&str>) -> Result<String, HomeError> {
    let is_scheme = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let (scheme, path) = match path.split_once(':') {
        Some((scheme, _)) if is_scheme(scheme) => path.split_at(scheme.len() + 1),
        _ => ("", path),
    };
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(format!("{scheme}{path}"));
    };
    let (user, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !user.is_empty() {
        return Err(HomeError::OfUser(user.to_string()));
    }
    let home = home.filter(|home| home.starts_with('/')).ok_or(HomeError::Unknown)?;
    // With the home folder `/`, `~/x` becomes `/x`.
    let joined = format!("{scheme}{}{below}", home.trim_end_matches('/'));
    Ok(if joined == scheme { format!("{scheme}/") } else { joined })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_tilde_is_the_home_folder_and_any_other_stays() {
        for (path, expanded) in [
            ("~", "/home/me"),
            ("~/", "/home/me/"),
            ("~/photos/train", "/home/me/photos/train"),
            ("~/x-{000..009}.tar", "/home/me/x-{000..009}.tar"),
            ("idx:~/mnist/train", "idx:/home/me/mnist/train"),
            ("ilsvrc:~/val", "ilsvrc:/home/me/val"),
            ("photos~", "photos~"),
            ("a/~/b", "a/~/b"),
            ("./~me", "./~me"),
            ("idx:a/~", "idx:a/~"),
            ("A:~/b", "A:~/b"),
            ("", ""),
            ("idx:", "idx:"),
        ] {
            for home in ["/home/me", "/home/me/"] {
                assert_eq!(expand(path, Some(home)).as_deref(), Ok(expanded), "{path}");
            }
        }
        assert_eq!(expand("~", Some("/")).as_deref(), Ok("/"));
        assert_eq!(expand("~/x", Some("/")).as_deref(), Ok("/x"));
    }

    #[test]
    fn other_users_and_a_missing_home_are_refused() {
        for path in ["~root/x", "cifar:~me", "~~", "~me"] {
            assert!(
                matches!(expand(path, Some("/home/me")), Err(HomeError::OfUser(_))),
                "{path}"
            );
        }
        for home in [None, Some(""), Some("here")] {
            assert_eq!(expand("~/x", home), Err(HomeError::Unknown));
            assert_eq!(expand("x", home).as_deref(), Ok("x"));
        }
    }
}
