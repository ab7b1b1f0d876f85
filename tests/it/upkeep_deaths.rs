//! Renaming and forgetting, by a process that dies at any await.

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use vainu_sync::store::{Lock, Store};
use vainu_sync::upkeep::{Pruning, UpkeepError, prune, rename};

use crate::bench::{ALL_OF_FI, Bench, named, numbered};
use crate::histories::until_death;
use crate::replay::assert_log_is_true;

/// Two queries for forty companies; the configuration has the first one only.
async fn two_queries() -> Bench {
    let mut bench =
        Bench::with_rows(numbered(40), &format!("{ALL_OF_FI}{}", named("old", r#"["website"]"#))).await;
    bench.sync().await;
    bench.configure("", ALL_OF_FI);
    bench
}

async fn open(bench: &Bench) -> (Lock, Store) {
    let lock = Lock::take(&bench.store_path(), "a test").unwrap();
    let store = Store::open(&bench.store_path(), &lock).await.unwrap();
    (lock, store)
}

#[tokio::test]
async fn a_prune_that_dies_or_is_stopped_leaves_a_true_store_and_goes_on() {
    let bench = two_queries().await;
    let mut members = Vec::new();
    for polls in 1.. {
        let (_lock, mut store) = open(&bench).await;
        let stop = CancellationToken::new();
        if polls % 2 == 0 {
            stop.cancel();
        }
        let (settings, now) = (&bench.settings, Timestamp::now());
        let pruning = Pruning { settings, now, stop: &stop, batch_members: 3 };
        let ended = until_death(Box::pin(prune(&mut store, "old", pruning)), polls).await;
        store.close().await.unwrap();
        members.push(bench.members("old").await.len());
        assert_log_is_true(&bench).await;
        if !matches!(ended, None | Some(Err(UpkeepError::Stopped { left: 0 }))) {
            // Where it died right after its last commit, nothing is left of the query.
            assert!(matches!(ended, Some(Ok(_) | Err(UpkeepError::Unknown { .. }))), "{ended:?}");
            break;
        }
    }
    members.dedup();
    assert!(
        members.len() > 3 && members.iter().all(|members| (40 - members) % 3 == 0 || *members == 0),
        "{members:?}"
    );
    let left = "SELECT count(*) FROM changes WHERE kind = 'left' AND query = 'old' AND run_id IS NULL";
    assert_eq!(bench.number(left).await, 40);
}

#[tokio::test]
async fn a_rename_that_dies_has_happened_whole_or_not_at_all() {
    let bench = two_queries().await;
    for polls in 1.. {
        let (_lock, mut store) = open(&bench).await;
        let renaming = rename(&mut store, "old", "new", Timestamp::now());
        let ended = until_death(Box::pin(renaming), polls).await;
        store.close().await.unwrap();
        assert_log_is_true(&bench).await;
        let parts = "SELECT name FROM _queries WHERE id = 2 UNION ALL SELECT query FROM runs WHERE id = 2 UNION ALL \
                     SELECT substr(name, 9) FROM sqlite_master WHERE name IN ('members_old', 'members_new')";
        let names = bench.texts(parts).await;
        assert!(names == ["old"; 3] || names == ["new"; 3], "{names:?}");
        if let Some(ended) = ended {
            let is_done = matches!(ended, Ok(40) | Err(UpkeepError::Unknown { .. }));
            assert!(is_done && names[0] == "new", "{ended:?}");
            break;
        }
    }
}
