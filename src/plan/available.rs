//! Memory that this process may still take: what the machine has left, or what its control groups allow, whichever is less.

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a control group that are looked at.
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The line of `memory.stat` with the page cache, which is given up where memory is short.
    cache: &'static str,
    /// The line with the part of it that is not: files of a tmpfs.
    shared: &'static str,
}

const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cache: "total_cache",
    shared: "total_shmem",
};

const VERSION_2: Files = Files {
    limit: "memory.max",
    used: "memory.current",
    cache: "file",
    shared: "shmem",
};

/// Bytes that can be had at this moment on the system whose files lie under `root`; none where it does not tell.
pub fn available(root: &Path) -> Option<u64> {
    let memberships = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let groups = memberships.lines().flat_map(|line| left_in_groups(root, line));
    groups.chain(of_machine(root)).min()
}

fn of_machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    Some(field(&text, "MemAvailable:")?.saturating_mul(1024))
}

/// What is left in the group that a line of `/proc/self/cgroup` names, and in those around it: each of them has its limit.
fn left_in_groups(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, files) = match controllers {
        "" => ("sys/fs/cgroup", VERSION_2),
        _ if controllers.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", VERSION_1),
        _ => return Vec::new(),
    };
    // In a container the path may be the host's, which is not to be seen: what is, is then the mount itself.
    let mount = root.join(mount);
    let group = mount.join(path.trim_start_matches('/'));
    let around: Vec<PathBuf> = group.ancestors().map(Path::to_path_buf).collect();
    let visible = around.iter().filter(|folder| folder.starts_with(&mount));
    visible.filter_map(|folder| left_in(folder, &files)).collect()
}

fn left_in(group: &Path, files: &Files) -> Option<u64> {
    let text = |name: &str| fs::read_to_string(group.join(name)).ok();
    // Where there is no limit, the file says `max`.
    let limit: u64 = text(files.limit)?.trim().parse().ok()?;
    let used: u64 = text(files.used)?.trim().parse().ok()?;
    let stat = text("memory.stat").unwrap_or_default();
    let shared = field(&stat, files.shared).unwrap_or(0);
    let cache = field(&stat, files.cache).unwrap_or(0).saturating_sub(shared);
    Some(limit.saturating_sub(used.saturating_sub(cache)))
}

/// The number behind `name` at the beginning of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(name))
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn system(files: &[(&str, &str)]) -> TempDir {
        let root = TempDir::new().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    4000 kB\n");

    fn with(more: &[(&str, &str)]) -> Option<u64> {
        available(system(&[&[MEMINFO], more].concat()).path())
    }

    #[test]
    fn without_groups_it_is_what_the_machine_has() {
        assert_eq!(with(&[]), Some(4_096_000));
        assert_eq!(available(system(&[]).path()), None);
    }

    #[test]
    fn a_group_of_either_version_allows_what_it_has_left_beside_the_page_cache() {
        let second = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "1000000\n"),
            ("sys/fs/cgroup/a/b/memory.current", "900000\n"),
            (
                "sys/fs/cgroup/a/b/memory.stat",
                "anon 100000\nfile 850000\nshmem 50000\nfile_dirty 3\n",
            ),
        ];
        assert_eq!(with(&second), Some(900_000));
        let first = [
            ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/x\n"),
            ("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "1000000\n"),
            ("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "900000\n"),
            (
                "sys/fs/cgroup/memory/x/memory.stat",
                "cache 1\ntotal_cache 520000\ntotal_shmem 20000\n",
            ),
        ];
        assert_eq!(with(&first), Some(600_000));
    }

    #[test]
    fn the_tightest_group_around_counts_and_one_without_a_limit_does_not() {
        let around = [
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/memory.max", "max\n"),
            ("sys/fs/cgroup/a/b/memory.current", "900000\n"),
            ("sys/fs/cgroup/a/memory.max", "2000000\n"),
            ("sys/fs/cgroup/a/memory.current", "500000\n"),
        ];
        assert_eq!(with(&around), Some(1_500_000));
        // A container that sees its own group at the mount, under the host's name.
        let container = [
            ("proc/self/cgroup", "0::/docker/0123\n"),
            ("sys/fs/cgroup/memory.max", "3000000\n"),
            ("sys/fs/cgroup/memory.current", "0\n"),
        ];
        assert_eq!(with(&container), Some(3_000_000));
        let unlimited = [
            ("proc/self/cgroup", "4:memory:/\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n"),
        ];
        assert_eq!(with(&unlimited), Some(4_096_000));
    }
}
