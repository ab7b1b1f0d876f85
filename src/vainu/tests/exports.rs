//! Export jobs: submitted once, polled for as long as they run.

use super::*;

const SUBMIT: &str = "/api/v3/organizations/async/";
pub(super) const JOB: &str = "/api/v3/organizations/async/1/";

pub(super) fn state(state: &str) -> ResponseTemplate {
    status(200).set_body_json(json!({"state": state, "progress": 50}))
}

pub(super) fn completed(download_link: &str) -> ResponseTemplate {
    status(200).set_body_json(json!({"state": "completed", "download_link": download_link}))
}

impl World {
    /// One that gives tokens, and whose only job answers polls by `polls`.
    pub(super) async fn with_job(polls: impl IntoIterator<Item = ResponseTemplate>) -> Self {
        let world = Self::new().await;
        world.on(REFRESH, tokens()).await;
        world.on(JOB, Script::of(polls)).await;
        world
    }

    pub(super) fn job(&self) -> Job {
        Job { link: format!("{}{JOB}", self.server.uri()), submitted_at: None }
    }

    /// Submitted when the server says so in `accepted`.
    fn dated_job(&self) -> Job {
        Job { submitted_at: Some("2026-03-30T15:49:00Z".parse().unwrap()), ..self.job() }
    }

    async fn finished(&self, client: &Client) -> Result<Finished, Error> {
        client.finished_export(&self.job(), &self.meter).await
    }
}

fn accepted(world: &World, key: &str) -> ResponseTemplate {
    let body = json!({"link": world.job().link, key: "accepted", "id": "1"});
    status(200).set_body_json(body).insert_header("date", "Mon, 30 Mar 2026 15:49:00 GMT")
}

#[tokio::test]
async fn an_export_is_submitted_as_json_lines_in_order_and_its_date_is_kept() {
    for key in ["state", "status"] {
        let world = World::healthy().await;
        world.on(SUBMIT, accepted(&world, key)).await;
        let job = world.impatient().submit_export(&selection(), &world.meter).await.unwrap();
        assert_eq!(job, world.dated_job());
        let request = &world.requests(SUBMIT).await[0];
        assert_eq!(request.method.as_str(), "POST");
        assert_eq!(request.url.query(), Some("async_format=jsonl"));
        let body = r#"{"query":{"?ALL":[]},"database":"FI","fields":["business_id"],"order":"business_id"}"#;
        assert_eq!(String::from_utf8_lossy(&request.body), body);
    }
}

#[tokio::test]
async fn an_order_that_is_refused_is_left_out_once() {
    let refusal = || status(400).set_body_json(json!({"detail": "no such order"}));
    let world = World::healthy().await;
    world.on(SUBMIT, Script::of([refusal(), accepted(&world, "state")])).await;
    world.patient().submit_export(&selection(), &world.meter).await.unwrap();
    let body = r#"{"query":{"?ALL":[]},"database":"FI","fields":["business_id"]}"#;
    assert_eq!(String::from_utf8_lossy(&world.requests(SUBMIT).await[1].body), body);

    let world = World::healthy().await;
    world.on(SUBMIT, Script::of([refusal()])).await;
    let error = world.patient().submit_export(&selection(), &world.meter).await.unwrap_err();
    assert!(error.to_string().contains("no such order"), "{error}");
    assert_eq!(world.hits(SUBMIT).await, 2);
}

#[tokio::test]
async fn a_submission_that_is_lost_on_its_way_or_answers_nonsense_is_tried_again() {
    let world = World::healthy().await;
    let nonsense = rows(r#"{"detail":"busy"}"#);
    world.on(SUBMIT, Script::of([status(504), nonsense, accepted(&world, "state")])).await;
    world.patient().submit_export(&selection(), &world.meter).await.unwrap();
    assert_eq!((world.hits(SUBMIT).await, world.meter.snapshot().retries), (3, 2));
}

#[tokio::test]
async fn a_job_that_cannot_start_is_known_by_its_submission() {
    let world = World::healthy().await;
    let refused = json!({"link": world.job().link, "state": "failure", "detail": "too many jobs"});
    world.on(SUBMIT, status(200).set_body_json(refused)).await;
    let error = world.patient().submit_export(&selection(), &world.meter).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Export);
    assert!(error.to_string().contains("too many jobs"), "{error}");
}

#[tokio::test]
async fn a_job_is_polled_with_the_access_token_through_gateway_errors_until_it_has_completed() {
    let errors = (0..12).map(|_| status(504));
    let polls = [state("accepted"), state("process")].into_iter().chain(errors);
    let link = "https://storage.example/file?token=hush";
    let world = World::with_job(polls.chain([status(502), state("processing"), completed(link)])).await;
    let finished = world.finished(&world.patient()).await.unwrap();
    assert!(!format!("{finished:?}").contains("hush"), "{finished:?}");
    let requests = world.requests(JOB).await;
    assert_eq!((requests.len(), world.meter.snapshot().retries), (17, 13));
    assert!(requests.iter().all(|request| request.method.as_str() == "GET"));
    assert!(requests.iter().all(|request| request.headers["authorization"] == "Bearer t1"));
}

#[tokio::test]
async fn an_access_token_that_ends_while_a_job_runs_is_renewed() {
    let world = World::with_job([state("process"), status(401), completed("https://x.test/")]).await;
    world.finished(&world.impatient()).await.unwrap();
    assert_eq!((world.hits(JOB).await, world.hits(REFRESH).await), (3, 2));
}

#[tokio::test]
async fn a_job_that_ended_badly_or_in_an_unknown_state_is_polled_no_more() {
    for bad in ["failure", "partial_failure_complete", "partial_failure_incomplete", "stopped", "paused"] {
        let world = World::with_job([state("process"), state(bad)]).await;
        let error = world.finished(&world.patient()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Export);
        let text = error.to_string();
        assert!(text.contains(&format!("\"{bad}\"")) && text.contains(JOB), "{text}");
        assert_eq!(world.hits(JOB).await, 2, "{bad}");
    }
}

#[tokio::test]
async fn a_job_that_the_server_does_not_know_is_asked_for_once() {
    let world = World::with_job([status(404)]).await;
    let error = world.finished(&world.patient()).await.unwrap_err();
    assert!(matches!(error, Error::Refused { status: 404, .. }), "{error:?}");
    assert_eq!(world.hits(JOB).await, 1);
}

#[tokio::test]
async fn a_job_that_does_not_end_is_waited_for_as_long_as_configured() {
    let world = World::with_job([state("process")]).await;
    let api = Api { export_timeout: Duration::from_millis(50), ..world.api() };
    let error = world.finished(&client(&api, &refresh_token())).await.unwrap_err();
    assert!(matches!(error, Error::Export(ExportError::TooSlow { .. })), "{error:?}");
    assert!(world.hits(JOB).await > 1);
}

#[tokio::test]
async fn a_job_is_as_old_as_the_servers_clock_says() {
    let later = |date: &str| state("process").insert_header("date", date);
    let world =
        World::with_job([later("Mon, 30 Mar 2026 21:48:59 GMT"), later("Mon, 30 Mar 2026 21:49:00 GMT")])
            .await;
    let api = Api { export_timeout: Duration::from_hours(6), ..world.api() };
    let client = client(&api, &refresh_token());
    let error = client.finished_export(&world.dated_job(), &world.meter).await.unwrap_err();
    assert!(error.to_string().contains("not ended within 6h (api.export_timeout)"), "{error}");
    assert_eq!(world.hits(JOB).await, 2);
}

#[tokio::test]
async fn a_job_elsewhere_is_never_asked() {
    let (world, elsewhere) = (World::healthy().await, World::healthy().await);
    let link = elsewhere.job().link.replace("127.0.0.1", "localhost");
    let job = Job { link, submitted_at: None };
    let error = world.patient().finished_export(&job, &world.meter).await.unwrap_err();
    assert!(matches!(error, Error::Export(ExportError::ForeignLink { .. })), "{error:?}");
    assert_eq!(elsewhere.server.received_requests().await.unwrap().len(), 0);
    assert_eq!(world.server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_unsafe_download_link_is_refused_by_name_and_its_token_is_not_told() {
    for (link, to) in [
        ("file:///etc/hush", "a file: address"),
        ("ftp://storage.example/x?token=hush", "ftp://storage.example"),
        ("http://storage.example/x?token=hush", "http://storage.example"),
    ] {
        let world = World::with_job([completed(link)]).await;
        let error = world.finished(&world.patient()).await.unwrap_err();
        assert!(error.to_string().contains(to), "{error}");
        assert!(!format!("{error:?}{error}").contains("hush"), "{error:?}");
        assert_eq!(world.hits(JOB).await, 1);
    }
}

#[tokio::test]
async fn between_polls_other_requests_may_be_under_way() {
    let world = World::with_job([state("process")]).await;
    world.on(ORGANIZATIONS, rows("[]")).await;
    let seldom = Delays { first: Duration::from_hours(1), longest: Duration::from_hours(1) };
    let api = Api { concurrency: 1, export_timeout: Duration::from_hours(6), ..world.api() };
    let client = client(&api, &refresh_token()).with_polls(seldom);
    let page = async {
        while world.hits(JOB).await == 0 {
            tokio::task::yield_now().await;
        }
        world.page(&client).await
    };
    tokio::select! {
        finished = world.finished(&client) => panic!("{finished:?}"),
        page = page => drop(page.unwrap()),
    }
    assert_eq!(world.hits(JOB).await, 1);
}
