//! Files must not use each other in a cycle, directly or through others.
//!
//! A name counts for the file that defines it, whichever `mod.rs` re-exports it. What a `mod.rs` uses from its own folder does
//! not count: it defines what the files below it share, and re-exports what they define.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{code, sources};

/// The folders that are checked for cycles.
const FOLDERS: [&str; 11] = [
    "config", "control", "dataset", "devices", "flow", "model", "observe", "ops", "plan", "stages", "topology",
];

/// A path of names: `crate::ops::map` is `["ops", "map"]`.
type Path = Vec<String>;

/// A name that a file imports with `use`.
struct Import {
    name: String,
    path: Path,
}

/// One file of the tree.
pub(super) struct File {
    pub(super) path: String,
    module: Path,
    imports: Vec<Import>,
    /// The code without its `use` declarations.
    body: String,
}

#[test]
fn no_files_use_each_other() {
    let files: Vec<File> = sources("src")
        .iter()
        .map(|(path, text)| File::read(path, text))
        .collect();
    let tree = Tree::new(&files);
    let uses: Vec<BTreeSet<usize>> = files.iter().map(|file| tree.used_by(file)).collect();
    let is_checked = |file: &File| {
        FOLDERS
            .iter()
            .any(|folder| file.module.first().is_some_and(|first| first == folder))
    };
    let mut circles = BTreeSet::new();
    for start in (0..files.len()).filter(|&i| is_checked(&files[i])) {
        if let Some(circle) = circle_from(start, &uses) {
            circles.insert(circle.iter().map(|&i| files[i].path.as_str()).collect::<BTreeSet<_>>());
        }
    }
    assert!(circles.is_empty(), "files that use each other: {circles:#?}");
}

/// The shortest path from a file back to itself.
fn circle_from(start: usize, uses: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut next = vec![start];
    while !next.is_empty() {
        let mut found = Vec::new();
        for from in next {
            for &to in &uses[from] {
                if to == start {
                    let way = std::iter::successors(Some(from), |at| before.get(at).copied());
                    return Some(way.collect());
                }
                before.entry(to).or_insert_with(|| {
                    found.push(to);
                    from
                });
            }
        }
        next = found;
    }
    None
}

/// All files, by their modules.
pub(super) struct Tree<'a> {
    files: &'a [File],
    by_module: HashMap<&'a [String], usize>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(files: &'a [File]) -> Self {
        let by_module = files.iter().enumerate().map(|(i, file)| (&file.module[..], i));
        Self {
            files,
            by_module: by_module.collect(),
        }
    }

    /// The files that a file uses.
    pub(super) fn used_by(&self, file: &File) -> BTreeSet<usize> {
        let imports = file.imports.iter().map(|import| import.path.clone());
        imports
            .chain(paths(&file.body))
            .filter_map(|path| self.definition(&file.module, &path))
            .filter(|&used| !self.files[used].module.starts_with(&file.module))
            .collect()
    }

    /// The file that defines `path` as seen from `module`; `None` if it is in another crate or in the same file.
    fn definition(&self, module: &[String], path: &[String]) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let mut at = module.to_vec();
        match first.as_str() {
            "crate" => at.clear(),
            "self" => {}
            "super" => drop(at.pop()?),
            name => {
                at.push(name.to_owned());
                self.by_module.get(&at[..])?;
            }
        }
        let mut rest = rest.iter().peekable();
        while let Some(name) = rest.next_if(|name| *name == "super") {
            debug_assert_eq!(name, "super");
            at.pop()?;
        }
        for (i, name) in rest.clone().enumerate() {
            at.push(name.clone());
            if self.by_module.contains_key(&at[..]) {
                continue;
            }
            at.pop();
            let here = *self.by_module.get(&at[..])?;
            let handed_on = self.files[here].imports.iter().find(|import| import.name == *name);
            return match handed_on {
                Some(import) => {
                    let further: Path = import.path.iter().chain(rest.skip(i + 1)).cloned().collect();
                    self.definition(&at, &further)
                }
                None => Some(here),
            };
        }
        self.by_module.get(&at[..]).copied()
    }
}

impl File {
    pub(super) fn read(path: &str, text: &str) -> Self {
        let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
        let inside = inside.strip_suffix("/mod").unwrap_or(inside);
        let names = inside.split('/').filter(|name| !matches!(*name, "lib" | "main"));
        let own = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let (mut imports, mut body, mut statement) = (Vec::new(), String::new(), String::new());
        for line in code(own) {
            if statement.is_empty() && !is_use(line) {
                body.push_str(line.split(" // ").next().unwrap_or_default());
                body.push('\n');
                continue;
            }
            statement.push_str(line);
            if line.ends_with(';') {
                let (_, tree) = statement.split_once("use ").unwrap_or_default();
                expand(tree.trim_end_matches(';'), &[], &mut imports);
                statement.clear();
            }
        }
        Self {
            path: path.to_owned(),
            module: names.map(str::to_owned).collect(),
            imports,
            body,
        }
    }
}

/// Whether a `use` begins on a line.
fn is_use(line: &str) -> bool {
    let rest = line.strip_prefix("pub").map_or(line, |rest| {
        let rest = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .map_or(rest, |(_, rest)| rest);
        rest.trim_start()
    });
    rest.starts_with("use ")
}

/// Adds the imports of a tree like `a::{b, c::{self, d as e}}`.
fn expand(tree: &str, before: &[String], imports: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some((prefix, rest)) = tree.split_once('{') {
        let names = prefix.split("::").map(str::trim).filter(|name| !name.is_empty());
        let before: Path = before.iter().cloned().chain(names.map(str::to_owned)).collect();
        let inside = rest.trim_end().strip_suffix('}').unwrap_or(rest);
        let (mut depth, mut start) = (0, 0);
        for (at, letter) in inside.char_indices().chain([(inside.len(), ',')]) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&inside[start..at], &before, imports);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (tree, alias) = tree
        .split_once(" as ")
        .map_or((tree, None), |(tree, alias)| (tree, Some(alias)));
    let names = tree.split("::").map(str::trim).filter(|name| !name.is_empty());
    let mut path: Path = before.iter().cloned().chain(names.map(str::to_owned)).collect();
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    if let Some(last) = path.last() {
        imports.push(Import {
            name: alias.unwrap_or(last).trim().to_owned(),
            path,
        });
    }
}

fn is_part_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The paths in code: `crate::a::b`, `super::c`, `child::d`.
fn paths(body: &str) -> Vec<Path> {
    let mut found = Vec::new();
    // A visibility is not a use.
    let body = body.replace("pub(in crate::", "");
    for piece in body.split(|letter: char| !is_part_of_a_name(letter) && letter != ':') {
        let names: Path = piece.split("::").map(str::to_owned).collect();
        if names.len() > 1 && !names[0].is_empty() {
            found.push(names);
        }
    }
    found
}

#[test]
fn cycles_are_found_through_re_exports() {
    let read =
        |texts: &[(&str, &str)]| -> Vec<File> { texts.iter().map(|(path, text)| File::read(path, text)).collect() };
    let has_circle = |texts: &[(&str, &str)]| {
        let files = read(texts);
        let tree = Tree::new(&files);
        let uses: Vec<_> = files.iter().map(|file| tree.used_by(file)).collect();
        (0..files.len()).any(|start| circle_from(start, &uses).is_some())
    };
    let facade = (
        "src/a/mod.rs",
        "mod x;\nmod y;\npub use x::{X, Z as W};\npub(super) use y::Y;\n",
    );
    assert!(has_circle(&[
        facade,
        ("src/a/x.rs", "use super::Y;\n"),
        ("src/a/y.rs", "use crate::a::{\n    W,\n};\n")
    ]));
    assert!(has_circle(&[
        facade,
        ("src/a/x.rs", "use super::Y;\n"),
        ("src/a/y.rs", "fn f() { super::x::g(); }\n")
    ]));
    assert!(!has_circle(&[
        facade,
        ("src/a/x.rs", "use super::Y;\n"),
        ("src/a/y.rs", "// use super::X;\nuse std::fmt;\n")
    ]));
    let own = ("src/a/mod.rs", "mod x;\nuse x::X;\npub struct Y(X);\n");
    assert!(!has_circle(&[own, ("src/a/x.rs", "use super::Y;\n")]));
    assert!(has_circle(&[
        ("src/a.rs", "use crate::b::B;\n"),
        ("src/b.rs", "fn f() {\n    crate::a::g();\n}\n")
    ]));
}
