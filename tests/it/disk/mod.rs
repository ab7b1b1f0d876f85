//! Disks that become full, turn read-only, or give back another page than was written: said in a sentence with
//! the way out, nothing lost or invented, and the next run goes on by itself once the disk is well again.
//!
//! They want root: file systems of their own are mounted, in memory or from an image.
//! `VAINU_SYNC_DISK=1 cargo test --test it disk` goes through every size of a full disk and every page of a store, and
//! turns a disk read-only more often, than a plain run does.

mod aborted;
mod full;
mod pages;
mod small;
mod wal;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::Bench;
use crate::program::{Ended, until, vainu_sync};
use crate::replay::assert_equals_listing;

/// Whether more is asked for than a plain run does.
fn is_thorough() -> bool {
    std::env::var_os("VAINU_SYNC_DISK").is_some()
}

/// Where the store lies, for `[store]`.
const ON_THE_DISK: &str = "[store]\npath = \"disk/vainu.db\"\n";

/// A file system, mounted in a folder of the bench.
struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// One in memory with room for so many kB. Without root there is none, which is said.
    fn of_kb(bench: &Path, kb: u64) -> Option<Self> {
        Self::mounted(bench.join("disk"), &["-t", "tmpfs", "-o", &format!("size={kb}k"), "tmpfs"])
    }

    /// The one that is in the image.
    fn of_image(bench: &Path, image: &Path) -> Option<Self> {
        Self::mounted(bench.join("disk"), &["-o", "loop", image.to_str().unwrap()])
    }

    fn mounted(folder: PathBuf, args: &[&str]) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        if is_done(Command::new("mount").args(args).arg(&folder)) {
            return Some(Self { folder });
        }
        eprintln!("skipped: a file system of its own wants root");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(is_done(Command::new("mount").args(["-o", &options]).arg(&self.folder)), "{options}");
    }

    fn resize(&self, kb: u64) {
        self.remount(&format!("size={kb}k"));
    }

    /// The files with what is in them.
    fn files(&self) -> Vec<(OsString, Vec<u8>)> {
        let files = fs::read_dir(&self.folder).unwrap().map(|file| file.unwrap());
        files.map(|file| (file.file_name(), fs::read(file.path()).unwrap())).collect()
    }

    /// Removes the files. A reader that is being closed gives their room back a little later.
    async fn clear(&self) {
        for (name, _) in self.files() {
            fs::remove_file(self.folder.join(name)).unwrap();
        }
        until("the disk is empty", async || self.used_kb() == 0).await;
    }

    /// Takes it down once nobody has a file of it open.
    async fn unmount(self) {
        until("nobody has a file open", async || is_done(Command::new("umount").arg(&self.folder))).await;
    }

    /// The kB that are taken up.
    fn used_kb(&self) -> u64 {
        let df = Command::new("df").args(["--output=used", "-k"]).arg(&self.folder).output().unwrap();
        let text = String::from_utf8(df.stdout).unwrap();
        text.lines().nth(1).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        is_done(Command::new("umount").arg("-l").arg(&self.folder));
    }
}

fn is_done(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What the program has said on both channels.
fn told(ended: &Ended) -> String {
    format!("{}{}", ended.out, ended.err)
}

/// A run with room and without faults succeeds; then the store is as a fresh one that lists the same.
async fn assert_recovers(bench: &Bench) {
    let sync = vainu_sync(bench, &["sync"]).await;
    assert_eq!(sync.code, Some(0), "{}", told(&sync));
    assert_equals_listing(bench).await;
}
