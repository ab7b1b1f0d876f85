use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio::sync::Notify;

use super::*;
use crate::beside::beside;

fn rotated(access: &str, refresh: &str) -> ResponseTemplate {
    status(200).set_body_json(json!({"access": access, "expires_in": 1e-9, "refresh": refresh}))
}

fn configured(token: &str) -> Credential {
    Credential::RefreshToken(Secret::Value(SecretString::from(token)))
}

/// A client of `store` as a process of its own would have it.
fn restarted(world: &World, store: &Path) -> Client {
    client_beside(store, &world.api(), &refresh_token())
}

#[tokio::test]
async fn a_rotated_refresh_token_is_spent_next_also_after_a_restart() {
    let world = World::new().await;
    world.on(REFRESH, Script::of([rotated("t1", "r1"), rotated("t2", "r2"), token("t3")])).await;
    let store = new_store();
    for _ in 0..4 {
        restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    }
    assert_eq!(world.spent().await, ["configured", "r1", "r2", "r2"]);
}

#[tokio::test]
async fn a_kept_token_is_for_its_owner_only_and_stands_without_the_configured_one() {
    let world = World::new().await;
    world.on(REFRESH, rotated("t1", "r1")).await;
    let store = new_store();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    let kept = beside(&store, ".token");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(kept).unwrap();
    assert!(text.contains("\"r1\"") && !text.contains("\"configured\""), "{text}");
    assert!(!beside(&store, ".token.new").exists());
}

#[tokio::test]
async fn a_refused_rotated_token_falls_back_to_the_configured_one_once() {
    for code in [400, 401] {
        let world = World::new().await;
        world.on(REFRESH, Script::of([rotated("t1", "r1"), status(code)])).await;
        let client = world.patient();
        client.authenticate(&world.meter).await.unwrap();
        let error = client.authenticate(&world.meter).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Credentials);
        assert_eq!(world.spent().await, ["configured", "r1", "configured"]);
    }
}

#[tokio::test]
async fn a_configured_token_that_is_accepted_in_place_of_a_rotated_one_ends_it() {
    let world = World::new().await;
    let answers = [rotated("t1", "r1"), status(400), token("t2"), token("t3")];
    world.on(REFRESH, Script::of(answers)).await;
    let store = new_store();
    for _ in 0..3 {
        restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    }
    assert_eq!(world.spent().await, ["configured", "r1", "configured", "configured"]);
    assert!(!beside(&store, ".token").exists());
}

#[tokio::test]
async fn a_replaced_configured_token_ends_the_rotated_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refresh-token");
    fs::write(&file, "old").unwrap();
    let world = World::new().await;
    world.on(REFRESH, Script::of([rotated("t1", "r1"), token("t2")])).await;
    let client = client(&world.api(), &Credential::RefreshToken(Secret::File(file.clone())));
    client.authenticate(&world.meter).await.unwrap();
    fs::write(&file, "new").unwrap();
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["old", "new"]);
}

#[tokio::test]
async fn another_configured_token_that_is_refused_does_not_cost_the_kept_one() {
    let world = World::new().await;
    world.on(REFRESH, Script::of([rotated("t1", "r1"), status(400), token("t2")])).await;
    let store = new_store();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    let mistaken = client_beside(&store, &world.api(), &configured("mistaken"));
    mistaken.authenticate(&world.meter).await.unwrap_err();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["configured", "mistaken", "r1"]);
}

#[tokio::test]
async fn a_server_that_echoes_the_configured_token_gets_no_file_of_it() {
    let world = World::new().await;
    world.on(REFRESH, rotated("t1", "configured")).await;
    let store = new_store();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    assert!(!beside(&store, ".token").exists());
}

#[tokio::test]
async fn a_file_that_holds_no_kept_token_is_passed_over() {
    let world = World::new().await;
    world.on(REFRESH, rotated("t1", "r1")).await;
    let store = new_store();
    fs::write(beside(&store, ".token"), "{\"refresh\":").unwrap();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["configured"]);
    assert!(fs::read_to_string(beside(&store, ".token")).unwrap().contains("r1"));
}

#[tokio::test]
async fn no_refresh_token_is_spent_where_its_successor_could_not_be_kept() {
    let world = World::healthy().await;
    let nowhere = new_store().join("no-such-folder/vainu.db");
    let error = restarted(&world, &nowhere).authenticate(&world.meter).await.unwrap_err();
    assert_eq!((error.kind(), world.hits(REFRESH).await), (Kind::Setup, 0));
    assert!(error.to_string().contains("no-such-folder/vainu.db.token"), "{error}");
}

/// A server on which each refresh token is good for one use.
struct Strict(Mutex<u32>);

impl Respond for Strict {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut issued = self.0.lock().unwrap();
        let current = if *issued == 0 { "configured".to_owned() } else { format!("r{issued}") };
        if request.body_json::<Value>().unwrap()["refresh"] != current.as_str() {
            return status(400);
        }
        *issued += 1;
        rotated("t", &format!("r{issued}"))
    }
}

#[tokio::test]
async fn processes_that_refresh_at_once_spend_each_token_once() {
    let world = World::new().await;
    world.on(REFRESH, Strict(Mutex::new(0))).await;
    let store = new_store();
    let clients: Vec<Client> = (0..8).map(|_| restarted(&world, &store)).collect();
    let all = clients.iter().map(|client| client.authenticate(&world.meter));
    for result in futures_util::future::join_all(all).await {
        result.unwrap();
    }
    let spent: Vec<String> = (1..8).map(|n| format!("r{n}")).collect();
    assert_eq!(world.spent().await[1..], spent);
}

#[tokio::test]
async fn a_process_that_never_lets_go_of_the_token_is_named_and_waited_for_no_longer_than_a_request() {
    let world = World::healthy().await;
    let store = new_store();
    let lock = beside(&store, ".token.lock");
    let holder = fs::File::create(&lock).unwrap();
    holder.lock().unwrap();
    let api = Api { timeout: Duration::from_millis(100), ..world.api() };
    let error = client_beside(&store, &api, &refresh_token()).authenticate(&world.meter).await.unwrap_err();
    assert_eq!((error.kind(), world.hits(REFRESH).await), (Kind::Unavailable, 0));
    assert!(error.to_string().contains(&lock.display().to_string()), "{error}");
    holder.unlock().unwrap();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
}

/// Answers late, and tells when it was asked.
struct Late(Arc<Notify>);

impl Respond for Late {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.0.notify_one();
        token("t1").set_delay(Duration::from_millis(50))
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_loses_no_token() {
    let world = World::new().await;
    let asked = Arc::new(Notify::new());
    world.on(REFRESH, Late(Arc::clone(&asked))).await;
    let client = world.impatient();
    tokio::select! {
        _ = client.authenticate(&world.meter) => panic!("the server answers later"),
        () = asked.notified() => {}
    }
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(world.hits(REFRESH).await, 1);
}

#[tokio::test]
async fn the_days_left_are_those_of_the_newest_refresh_token() {
    // {"exp":86400} and {"exp":259200}
    let (one_day, three_days) = ("e30.eyJleHAiOjg2NDAwfQ.x", "e30.eyJleHAiOjI1OTIwMH0.x");
    let world = World::new().await;
    world.on(REFRESH, Script::of([token("t1"), rotated("t2", three_days)])).await;
    let client = client(&world.api(), &configured(one_day));
    let now = jiff::Timestamp::UNIX_EPOCH;
    assert_eq!(client.days_left(now), None);
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(client.days_left(now), Some(1));
    let client = client_beside(&new_store(), &world.api(), &configured(one_day));
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(client.days_left(now), Some(3));
}

/// The first answer comes when its refresh token can't be written: something stands in its file's place.
struct InTheWay {
    kept: PathBuf,
    answered: Mutex<u32>,
}

impl Respond for InTheWay {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let mut answered = self.answered.lock().unwrap();
        *answered += 1;
        if *answered == 1 {
            fs::create_dir(&self.kept).unwrap();
        }
        rotated("t", &format!("r{answered}"))
    }
}

#[tokio::test]
async fn a_token_that_could_not_be_written_is_written_later_and_so_are_those_after_it() {
    let world = World::new().await;
    let store = new_store();
    let kept = beside(&store, ".token");
    world.on(REFRESH, InTheWay { kept: kept.clone(), answered: Mutex::new(0) }).await;
    let client = restarted(&world, &store);
    client.authenticate(&world.meter).await.unwrap();
    fs::remove_dir(&kept).unwrap();
    for _ in 0..2 {
        client.authenticate(&world.meter).await.unwrap();
    }
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["configured", "r1", "r2", "r3"]);
}

#[tokio::test]
async fn a_token_that_could_not_be_written_gives_way_to_one_that_another_process_has_written() {
    let world = World::new().await;
    let store = new_store();
    let kept = beside(&store, ".token");
    world.on(REFRESH, InTheWay { kept: kept.clone(), answered: Mutex::new(0) }).await;
    let client = restarted(&world, &store);
    client.authenticate(&world.meter).await.unwrap();
    fs::remove_dir(&kept).unwrap();
    restarted(&world, &store).authenticate(&world.meter).await.unwrap();
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["configured", "configured", "r2"]);
}
