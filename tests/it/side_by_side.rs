//! Pages side by side against the plain way, which is one after another.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use tokio::sync::Notify;
use vainu_sync::config::settings::Api;
use vainu_sync::listing::{Listed, Plan, Read, Sink, id_of, read};
use vainu_sync::sandbox::{Control, Endpoint, Fault, Order, Shape, World};
use vainu_sync::vainu::{Client, Error, Meter, Selection};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::bench::{ALL_OF_FI, Bench, numbered, row};

/// Reads all of FI, and says how the reading ended.
async fn listing(bench: &Bench, client: &Client, plan: Plan) -> Result<(Vec<String>, Listed), Error> {
    let mut rows: Vec<Read> = Vec::new();
    let listed = read(client, &selection(bench), plan, &mut rows, &Meter::new()).await?;
    Ok((rows.iter().map(|row| id_of(row).unwrap().as_str().to_owned()).collect(), listed))
}

fn selection(bench: &Bench) -> Selection {
    let query = &bench.settings.queries[0];
    Selection::new(query.database, query.ask.clone(), query.fields.clone())
}

fn plan(concurrency: u32, expected: Option<u64>) -> Plan {
    Plan { page_size: 1000, expected, last_rows: None, concurrency }
}

/// What an account does to the pages of a world.
#[derive(Debug, Clone)]
struct Account {
    cap: u32,
    shape: usize,
    short_page_every: Option<u32>,
    is_counted: bool,
    size: usize,
}

fn account() -> impl Strategy<Value = Account> {
    let size = prop_oneof![2 => 0..4_usize, 5 => 0..300_usize];
    (4..60_u32, 0..3_usize, proptest::option::of(1..9_u32), any::<bool>(), size).prop_map(
        |(cap, shape, short_page_every, is_counted, size)| Account {
            cap,
            shape,
            short_page_every,
            is_counted,
            size,
        },
    )
}

impl Account {
    fn set(&self, control: &Control) {
        control.set_rows("FI", numbered(self.size));
        control.switch(|switches| {
            switches.page_cap = Some(self.cap);
            switches.shape = [Shape::Array, Shape::Result, Shape::Results][self.shape];
            switches.short_page_every = self.short_page_every.and_then(NonZeroU32::new);
            switches.jitter = Duration::from_millis(3);
        });
    }

    fn count(&self) -> Option<u64> {
        self.is_counted.then_some(self.size as u64)
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn answers_in_any_order_give_the_listing_that_one_after_another_gives(
        account in account(), concurrency in 2..9_u32,
    ) {
        runtime().block_on(async {
            let bench = Bench::with_rows([], ALL_OF_FI).await;
            account.set(&bench.control);
            let client = bench.client();
            let (plain, _) = listing(&bench, &client, plan(1, account.count())).await.unwrap();
            let asked = bench.control.hits(Endpoint::Organizations);
            let (fast, listed) = listing(&bench, &client, plan(concurrency, account.count())).await.unwrap();
            assert_eq!((&fast, listed.end), (&plain, Ok(())));
            assert_eq!((fast.len(), listed.rows), (account.size, account.size as u64));
            if account.is_counted && account.short_page_every.is_none() {
                let asked_again = bench.control.hits(Endpoint::Organizations) - asked;
                assert_eq!(asked_again, asked, "no request more than one after another");
            }
        });
    }

    #[test]
    fn a_world_that_moves_while_it_is_read_lacks_no_company_that_was_there_all_the_time(
        account in account(), concurrency in 1..9_u32,
        moves in proptest::collection::vec((1..40_u64, 0..600_usize), 0..12),
    ) {
        runtime().block_on(async {
            let bench = Bench::with_rows([], ALL_OF_FI).await;
            // Large pages: none can hold new companies only.
            let account = Account { cap: account.cap.max(12), ..account };
            account.set(&bench.control);
            let seen = moving(&bench.control, account.size, &moves);
            let client = bench.client();
            let (rows, listed) = listing(&bench, &client, plan(concurrency, account.count())).await.unwrap();
            let read: BTreeSet<String> = rows.iter().cloned().collect();
            let seen = seen.lock().unwrap();
            assert!(listed.end.is_err() || seen.always.is_subset(&read), "{account:?} {listed:?}");
            assert!(read.is_subset(&seen.ever));
            assert_eq!((read.len(), listed.rows), (rows.len(), rows.len() as u64), "none is handed on twice");
        });
    }
}

/// Who was there all the time, and who at all.
struct Seen {
    always: BTreeSet<String>,
    ever: BTreeSet<String>,
}

/// Each move comes before a page is answered: a company of an even number goes, one of an odd number comes.
fn moving(control: &Control, size: usize, moves: &[(u64, usize)]) -> Arc<Mutex<Seen>> {
    let id = |number: usize| format!("FI{number:05}");
    let rows = |ids: &BTreeSet<String>| ids.iter().map(|id| row(id, "x")).collect();
    let world: BTreeSet<String> = (0..size).map(|number| id(2 * number)).collect();
    control.set_rows("FI", rows(&world));
    let seen = Arc::new(Mutex::new(Seen { always: world.clone(), ever: world.clone() }));
    let world = Arc::new(Mutex::new(world));
    for (answer, number) in moves.iter().copied() {
        let (seen, world) = (Arc::clone(&seen), Arc::clone(&world));
        control.on_request(Endpoint::Organizations, answer, move |control| {
            let (mut seen, mut world) = (seen.lock().unwrap(), world.lock().unwrap());
            if number % 2 == 1 {
                world.insert(id(number));
                seen.ever.insert(id(number));
            } else if world.remove(&id(number)) {
                seen.always.remove(&id(number));
            }
            control.set_rows("FI", rows(&world));
        });
    }
    seen
}

#[tokio::test]
async fn where_an_order_is_refused_pages_are_asked_for_one_after_another() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.control.switch(|switches| {
        switches.order = Order::Refused;
        switches.page_cap = Some(11);
    });
    // Whoever reads ahead asks behind the end, since so much is foretold.
    let plan = Plan { last_rows: Some(1000), ..plan(4, None) };
    let (rows, listed) = listing(&bench, &bench.client(), plan).await.unwrap();
    assert_eq!((rows.len(), listed.end), (100, Ok(())));
    // Refused with 1000 and with 100 rows; then ten pages and the proof of the end.
    assert_eq!(bench.control.hits(Endpoint::Organizations), 2 + 10 + 1);
}

#[tokio::test]
async fn requests_end_with_the_reading() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(11));
    bench.control.fail_after(Endpoint::Organizations, 1, Fault::Stall, 1000);
    let asked = Arc::new(Notify::new());
    let stalled = Arc::clone(&asked);
    bench.control.on_request(Endpoint::Organizations, 5, move |_| stalled.notify_one());
    let client = bench.client();
    tokio::select! {
        ended = listing(&bench, &client, plan(4, Some(100))) => panic!("{ended:?}"),
        () = asked.notified() => {}
    }
    // All four places at the API were taken by pages that never come.
    bench.control.heal();
    let (rows, listed) = listing(&bench, &client, plan(4, Some(100))).await.unwrap();
    assert_eq!((rows.len(), listed.end), (100, Ok(())));
}

/// Takes the first page only once four more pages have been asked for.
struct Busy(Arc<Notify>);

impl Sink for Busy {
    async fn take(&mut self, rows: Vec<Read>) -> bool {
        if rows.first().and_then(id_of).is_some_and(|id| id.as_str() == "FI00001") {
            self.0.notified().await;
        }
        true
    }
}

#[tokio::test]
async fn requests_go_on_while_rows_are_stored() {
    let bench = Bench::with_rows(numbered(100), ALL_OF_FI).await;
    bench.control.switch(|switches| switches.page_cap = Some(11));
    let asked = Arc::new(Notify::new());
    let others = Arc::clone(&asked);
    bench.control.on_request(Endpoint::Organizations, 5, move |_| others.notify_one());
    let (client, selection, meter) = (bench.client(), selection(&bench), Meter::new());
    let listed = read(&client, &selection, plan(4, Some(100)), &mut Busy(asked), &meter).await.unwrap();
    assert_eq!((listed.rows, listed.end), (100, Ok(())));
}

/// Rows `FI00001` to `FI…` in pages of 11; what starts at `refused` or behind it draws 400. Pages further
/// on come first.
struct Refusing {
    rows: usize,
    refused: u64,
}

impl Respond for Refusing {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let offset = request.body_json::<Value>().unwrap()["offset"].as_u64().unwrap();
        if offset >= self.refused {
            return ResponseTemplate::new(400).set_body_string(r#"{"detail":"offset is too large"}"#);
        }
        let rows: Vec<String> =
            numbered(self.rows).into_iter().skip(usize::try_from(offset).unwrap()).take(11).collect();
        let delay = Duration::from_millis(40_u64.saturating_sub(offset));
        ResponseTemplate::new(200).set_body_string(format!("[{}]", rows.join(","))).set_delay(delay)
    }
}

async fn read_refusing(server: Refusing, last_rows: u64) -> Result<(Vec<String>, Listed), Error> {
    let mock = MockServer::start().await;
    let token = ResponseTemplate::new(200).set_body_string(r#"{"access":"a.b.c"}"#);
    Mock::given(path("/api/token_authentication/refresh/")).respond_with(token).mount(&mock).await;
    Mock::given(path("/api/v3/organizations/")).respond_with(server).mount(&mock).await;
    let bench = Bench::start(World::Fixed(Vec::new()), ALL_OF_FI).await;
    let api = Api { base_url: format!("{}/api", mock.uri()), ..bench.settings.api.clone() };
    let client =
        Client::new(&api, bench.settings.require_credential().unwrap(), &bench.store_path()).unwrap();
    listing(&bench, &client, Plan { last_rows: Some(last_rows), ..plan(4, None) }).await
}

#[tokio::test]
async fn a_refusal_of_a_page_that_its_turn_never_comes_to_fails_nothing() {
    let (rows, listed) = read_refusing(Refusing { rows: 25, refused: 25 }, 60).await.unwrap();
    assert_eq!((rows.len(), listed.end), (25, Ok(())));
}

#[tokio::test]
async fn a_refusal_of_a_page_whose_turn_it_is_fails_the_listing_with_the_servers_words() {
    let error = read_refusing(Refusing { rows: 60, refused: 30 }, 60).await.unwrap_err();
    assert!(error.to_string().contains("offset is too large"), "{error}");
}
