use std::sync::Arc;

use tokio::sync::Notify;

use super::*;

fn rotated(access: &str, refresh: &str) -> ResponseTemplate {
    status(200).set_body_json(json!({"access": access, "expires_in": 1e-9, "refresh": refresh}))
}

#[tokio::test]
async fn a_rotated_refresh_token_is_spent_next() {
    let world = World::new().await;
    world.on(REFRESH, Script::of([rotated("t1", "r1"), rotated("t2", "r2"), token("t3")])).await;
    let client = world.impatient();
    for _ in 0..3 {
        client.authenticate(&world.meter).await.unwrap();
    }
    assert_eq!(world.spent().await, ["configured", "r1", "r2"]);
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
async fn a_replaced_configured_token_ends_the_rotated_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refresh-token");
    std::fs::write(&file, "old").unwrap();
    let world = World::new().await;
    world.on(REFRESH, Script::of([rotated("t1", "r1"), token("t2")])).await;
    let client = client(&world.api(), &Credential::RefreshToken(Secret::File(file.clone())));
    client.authenticate(&world.meter).await.unwrap();
    std::fs::write(&file, "new").unwrap();
    client.authenticate(&world.meter).await.unwrap();
    assert_eq!(world.spent().await, ["old", "new"]);
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
