//! The kind of file system that a store lies on: SQLite's write-ahead log wants memory that all who open the store
//! share, which no network gives.

use std::path::Path;

use rustix::fs::statfs;

use crate::beside::folder_of;

/// What the kernel calls `f_type`, for file systems that another machine may have open too
/// (`statfs(2)`, `linux/magic.h`).
const SHARED: [(u32, &str); 13] = [
    (0x0000_6969, "NFS"),
    (0x0000_517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB"),
    (0x0102_1997, "9P"),
    (0x5346_414F, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x786F_4256, "a folder shared by VirtualBox"),
];

/// Programs serve these: some from this machine's disk, some from another machine.
const SERVED: u32 = 0x6573_5546;

/// What a kind of file system means for a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Local,
    Network(&'static str),
    /// It can't be told.
    Fuse,
}

fn kind(f_type: u32) -> Kind {
    match SHARED.iter().find(|(magic, _)| *magic == f_type) {
        Some((_, name)) => Kind::Network(name),
        None if f_type == SERVED => Kind::Fuse,
        None => Kind::Local,
    }
}

/// What is to be known about the place of this store; nothing where it lies on a local disk.
#[must_use]
pub fn note(store: &Path) -> Option<String> {
    let stat = statfs(store).or_else(|_| statfs(folder_of(store))).ok()?;
    // The type's width differs between machines; the numbers have 32 bits on all of them.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "only the lower 32 bits say it"
    )]
    let f_type = stat.f_type as u32;
    words(store, kind(f_type))
}

fn words(store: &Path, kind: Kind) -> Option<String> {
    let place = match kind {
        Kind::Local => return None,
        Kind::Network(name) => format!("lies on a network file system ({name})"),
        Kind::Fuse => {
            "lies on a FUSE file system, which another machine may serve (sshfs, a shared folder)".to_owned()
        }
    };
    Some(format!(
        "the store {} {place}: SQLite keeps it whole only while programs of this one machine open it; set store.path \
         to a local disk, or let no other machine open it, readers included",
        store.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_other_machines_are_told_from_local_ones() {
        for (f_type, expected) in [
            (0xEF53, Kind::Local),
            (0x0102_1994, Kind::Local),
            (0x9123_683E, Kind::Local),
            (0x5846_5342, Kind::Local),
            (0x794C_7630, Kind::Local),
            (0x6969, Kind::Network("NFS")),
            (0xFF53_4D42, Kind::Network("CIFS")),
            (0xFE53_4D42, Kind::Network("SMB")),
            (0x0102_1997, Kind::Network("9P")),
            (0x6573_5546, Kind::Fuse),
        ] {
            assert_eq!(kind(f_type), expected, "{f_type:x}");
        }
    }

    #[test]
    fn a_note_names_the_store_the_kind_and_what_to_do() {
        let store = Path::new("/srv/vainu.db");
        assert_eq!(words(store, Kind::Local), None);
        let note = words(store, Kind::Network("NFS")).unwrap();
        for told in ["/srv/vainu.db", "network file system (NFS)", "set store.path to a local disk"] {
            assert!(note.contains(told), "{note}");
        }
        assert_eq!(note_of_a_local_folder(), None);
    }

    fn note_of_a_local_folder() -> Option<String> {
        note(Path::new("/proc/vainu.db"))
    }
}
