//! A store for the tests of this module.

use tempfile::TempDir;

use super::{Lock, Store};

/// A new store, and what it stands in.
pub async fn store() -> (Store, (TempDir, Lock)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vainu.db");
    let lock = Lock::take(&path, "a test").unwrap();
    (Store::open(&path, &lock).await.unwrap(), (folder, lock))
}
