//! The memory that this process can still get, and the most it could ever get: the least of the machine's memory, the
//! limits of its control groups, and `ulimit`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::memory::Bytes;

/// The files of a control group that are read.
struct Files {
    limit: &'static str,
    used: &'static str,
    /// The limit of swap.
    swap: Swap,
    /// The line of `memory.stat` with the page cache, which the kernel gives up when memory is short.
    cache: &'static str,
    /// The line with the part of the cache that it does not give up: files of a tmpfs.
    shared: &'static str,
}

/// The file with the limit of swap. It may count memory too.
enum Swap {
    Alone(&'static str),
    WithMemory(&'static str),
}

const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    swap: Swap::WithMemory("memory.memsw.limit_in_bytes"),
    cache: "total_cache",
    shared: "total_shmem",
};

const VERSION_2: Files = Files {
    limit: "memory.max",
    used: "memory.current",
    swap: Swap::Alone("memory.swap.max"),
    cache: "file",
    shared: "shmem",
};

/// The limits of `ulimit`: the line of `/proc/self/limits`, and the line of `/proc/self/status` that counts towards it.
const ULIMITS: [(Bound, &str, &str); 2] = [
    (Bound::AddressSpace, "Max address space", "VmSize:"),
    (Bound::Data, "Max data size", "VmData:"),
];

/// The source of a limit on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The machine.
    Machine,
    /// The control group of the process, or one around it.
    Group,
    /// `ulimit -v`.
    AddressSpace,
    /// `ulimit -d`.
    Data,
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Machine => "the memory and swap of the machine",
            Self::Group => "the limit of the control group, with swap",
            Self::AddressSpace => "the limit of `ulimit -v`",
            Self::Data => "the limit of `ulimit -d`",
        })
    }
}

/// The most memory that a process could get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// How much.
    pub bytes: Bytes,
    /// The source of the limit.
    pub bound: Bound,
}

/// Bytes available at this moment, on a system whose files are under `root`; `None` if the system does not report it.
pub fn available(root: &Path) -> Option<Bytes> {
    let machine = of_machine(root, "MemAvailable:");
    let groups = groups(root).into_iter();
    let left = groups.filter_map(|(group, files)| left_in(&group, files));
    let limits = ULIMITS.iter().filter_map(|(_, limit, used)| {
        let status = read(root, "proc/self/status");
        let used = field(&status, used).unwrap_or(0).saturating_mul(1024);
        Some(ulimit(root, limit)?.without(Bytes::new(used)))
    });
    left.chain(machine).chain(limits).min()
}

/// The most that this process can get, even if nothing else is in use, on a system whose files are under `root`; `None` if
/// the system does not report it.
pub fn total(root: &Path) -> Option<Total> {
    let swap = of_machine(root, "SwapTotal:").unwrap_or_default();
    let machine = of_machine(root, "MemTotal:").map(|bytes| (Bound::Machine, bytes + swap));
    let groups = groups(root).into_iter();
    let groups = groups.filter_map(|(group, files)| Some((Bound::Group, most_in(&group, files, swap)?)));
    let limits = ULIMITS
        .iter()
        .filter_map(|(bound, limit, _)| Some((*bound, ulimit(root, limit)?)));
    let all = machine.into_iter().chain(groups).chain(limits);
    all.min_by_key(|(_, bytes)| *bytes)
        .map(|(bound, bytes)| Total { bytes, bound })
}

fn read(root: &Path, name: &str) -> String {
    fs::read_to_string(root.join(name)).unwrap_or_default()
}

/// A line of `/proc/meminfo`.
fn of_machine(root: &Path, name: &str) -> Option<Bytes> {
    let kilobytes = field(&read(root, "proc/meminfo"), name)?;
    Some(Bytes::new(kilobytes.saturating_mul(1024)))
}

/// The soft limit in a line of `/proc/self/limits`; `None` if it is `unlimited`.
fn ulimit(root: &Path, name: &str) -> Option<Bytes> {
    let limits = read(root, "proc/self/limits");
    let rest = limits.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok().map(Bytes::new)
}

/// The control groups in the lines of `/proc/self/cgroup`, and their ancestors. Each has its own limit.
fn groups(root: &Path) -> Vec<(PathBuf, &'static Files)> {
    let memberships = read(root, "proc/self/cgroup");
    memberships.lines().flat_map(|line| around(root, line)).collect()
}

fn around(root: &Path, line: &str) -> Vec<(PathBuf, &'static Files)> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (mount, files) = match controllers {
        "" => ("sys/fs/cgroup", &VERSION_2),
        _ if controllers.split(',').any(|name| name == "memory") => ("sys/fs/cgroup/memory", &VERSION_1),
        _ => return Vec::new(),
    };
    // In a container the path may be the host's, which is not visible. The mount itself is then the group.
    let mount = root.join(mount);
    let group = mount.join(path.trim_start_matches('/'));
    let around = group.ancestors().filter(|folder| folder.starts_with(&mount));
    around.map(|folder| (folder.to_path_buf(), files)).collect()
}

/// The number in a file with nothing else. A file without a limit says `max`.
fn number(group: &Path, name: &str) -> Option<u64> {
    fs::read_to_string(group.join(name)).ok()?.trim().parse().ok()
}

fn left_in(group: &Path, files: &Files) -> Option<Bytes> {
    let (limit, used) = (number(group, files.limit)?, number(group, files.used)?);
    let stat = read(group, "memory.stat");
    let shared = field(&stat, files.shared).unwrap_or(0);
    let cache = field(&stat, files.cache).unwrap_or(0).saturating_sub(shared);
    Some(Bytes::new(limit.saturating_sub(used.saturating_sub(cache))))
}

/// The group's limit, including the part of the machine's `swap` that it may use.
fn most_in(group: &Path, files: &Files, swap: Bytes) -> Option<Bytes> {
    let limit = Bytes::new(number(group, files.limit)?);
    let allowed = |name| number(group, name).map_or(Bytes::new(u64::MAX), Bytes::new);
    Some(match files.swap {
        Swap::Alone(name) => limit + swap.min(allowed(name)),
        Swap::WithMemory(name) => (limit + swap).min(allowed(name)),
    })
}

/// The number after `name` at the beginning of a line.
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

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal: 9000 kB\nMemAvailable:    4000 kB\nSwapTotal: 1000 kB\n",
    );

    fn with(more: &[(&str, &str)]) -> Option<u64> {
        available(system(&[&[MEMINFO], more].concat()).path()).map(Bytes::get)
    }

    fn largest(more: &[(&str, &str)]) -> Option<(u64, Bound)> {
        let total = total(system(&[&[MEMINFO], more].concat()).path());
        total.map(|total| (total.bytes.get(), total.bound))
    }

    #[test]
    fn without_groups_it_is_what_the_machine_has() {
        assert_eq!(with(&[]), Some(4_096_000));
        assert_eq!(available(system(&[]).path()), None);
        assert_eq!(largest(&[]), Some((10_240_000, Bound::Machine)));
        assert_eq!(total(system(&[]).path()), None);
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
        assert_eq!(largest(&second), Some((2_024_000, Bound::Group)));
        let swapless = [&second[..], &[("sys/fs/cgroup/a/b/memory.swap.max", "500\n")]].concat();
        assert_eq!(largest(&swapless), Some((1_000_500, Bound::Group)));
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
        assert_eq!(largest(&first), Some((2_024_000, Bound::Group)));
        let together = ("sys/fs/cgroup/memory/x/memory.memsw.limit_in_bytes", "1500000\n");
        assert_eq!(
            largest(&[&first[..], &[together]].concat()),
            Some((1_500_000, Bound::Group))
        );
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
        assert_eq!(largest(&unlimited), Some((10_240_000, Bound::Machine)));
    }

    #[test]
    fn limits_of_the_process_count_beside_what_it_has() {
        let limits = |data: &str, space: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max data size             {data:<20} unlimited            bytes     \n\
                 Max address space         {space:<20} 9000000              bytes     \n"
            )
        };
        let of = |data: &str, space: &str| {
            let limits = limits(data, space);
            let files = [
                ("proc/self/limits", limits.as_str()),
                ("proc/self/status", "Name:\tx\nVmSize:\t  1000 kB\nVmData:\t  500 kB\n"),
            ];
            (with(&files), largest(&files))
        };
        let space = (Some(1_976_000), Some((3_000_000, Bound::AddressSpace)));
        assert_eq!(of("unlimited", "3000000"), space);
        assert_eq!(
            of("2000000", "unlimited"),
            (Some(1_488_000), Some((2_000_000, Bound::Data)))
        );
        assert_eq!(of("unlimited", "500000").0, Some(0));
        let none = (Some(4_096_000), Some((10_240_000, Bound::Machine)));
        assert_eq!(of("unlimited", "unlimited"), none);
    }
}
