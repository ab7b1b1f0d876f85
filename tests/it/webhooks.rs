//! Files of feeds, told to a web address as the Standard Webhooks have it.

use std::fs;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::bench::Bench;
use crate::consumer::{folder, manifest};
use crate::feeds::{company, crm};
use crate::program::{vainu_sync, vainu_sync_with};

/// The specification's own example.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The part of the address that nobody else may know.
const PATH: &str = "5ecr3t-path";

fn queries(server: &MockServer) -> String {
    crm(&format!("webhook_url = \"{}/{PATH}\"\nwebhook_secret_file = \"hook\"", server.uri()))
}

async fn bench(server: &MockServer) -> Bench {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("hook"), format!("{SECRET}\n")).unwrap();
    let world = vainu_sync::sandbox::World::Fixed(vec![company("FI1", "Acme", "a.example")]);
    let options = vainu_sync::sandbox::Options { world, ..Default::default() };
    let sandbox = vainu_sync::sandbox::Sandbox::start(options).await.unwrap();
    let bench = Bench::in_folder(folder, sandbox, &queries(server));
    crate::consumer::folder(&bench);
    bench
}

async fn answer(server: &MockServer, answer: ResponseTemplate) {
    server.reset().await;
    Mock::given(any()).respond_with(answer).mount(server).await;
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers[name].to_str().unwrap()
}

/// Whether the receiver would take it.
fn is_signed(request: &Request, secret: &str) -> bool {
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let (id, at) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&request.body);
    header(request, "webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_file_is_told_once_with_a_signature() {
    let server = MockServer::start().await;
    let bench = bench(&server).await;
    answer(&server, ResponseTemplate::new(204)).await;
    let done = vainu_sync(&bench, &["sync"]).await;
    assert_eq!(done.code, Some(0), "{}{}", done.out, done.err);
    assert!(
        done.out.ends_with("feed crm: webhook: 1 file handed over, up to crm-00000001.csv\n"),
        "{}",
        done.out
    );
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let requests = server.received_requests().await.unwrap();
    let [request] = requests.as_slice() else { panic!("{} requests", requests.len()) };
    assert_eq!((request.method.as_str(), request.url.path()), ("POST", &*format!("/{PATH}")));
    assert_eq!(header(request, "content-type"), "application/json");
    assert!(is_signed(request, SECRET) && !is_signed(request, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let told = manifest(&folder(&bench), "crm");
    assert_eq!((&body["type"], &body["timestamp"]), (&"feed.written".into(), &told["written_at"]));
    for key in ["feed", "sequence", "file", "rows", "columns", "sha256", "written_at"] {
        assert_eq!(body["data"][key], told[key], "{key}");
    }
    assert!(!request.headers.contains_key("authorization"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_told_again_under_the_same_id_and_in_order() {
    let server = MockServer::start().await;
    let bench = bench(&server).await;
    let elsewhere = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&elsewhere).await;
    let mut ids = Vec::new();
    for (refusal, words) in [
        (ResponseTemplate::new(500).set_body_string("no\nroom"), "status 500: room"),
        (ResponseTemplate::new(410), "status 410: the receiver wants no more"),
        (ResponseTemplate::new(307).insert_header("location", elsewhere.uri()), "a redirect is not followed"),
    ] {
        answer(&server, refusal).await;
        bench.control.set_rows("FI", vec![company("FI1", words, "a.example")]);
        let done = vainu_sync_with(&bench, &[("VAINU_SYNC_LOG__LEVEL", "trace")], &["sync"]).await;
        assert_eq!(done.code, Some(1), "{}{}", done.out, done.err);
        assert!(done.out.contains("feed crm: webhook: not handed over: crm-00000001.csv: "), "{}", done.out);
        assert!(done.out.contains(words), "{}", done.out);
        let known =
            bench.texts("SELECT concat_ws('|', ended, output, error) FROM _feed_handovers").await.join("");
        for text in [&done.out, &done.err, &known] {
            assert!(!text.contains(PATH) && !text.contains(&SECRET[6..]), "{text}");
        }
        for request in server.received_requests().await.unwrap() {
            ids.push(header(&request, "webhook-id").to_owned());
        }
    }
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    answer(&server, ResponseTemplate::new(200)).await;
    assert_eq!(vainu_sync(&bench, &["feed"]).await.code, Some(0));
    let requests = server.received_requests().await.unwrap();
    let told: Vec<Value> = requests
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["data"]["sequence"].clone())
        .collect();
    assert_eq!(told, [json!(1), json!(2), json!(3)]);
    assert!(requests.iter().all(|request| is_signed(request, SECRET)));
    assert_eq!(header(&requests[0], "webhook-id"), ids[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_read_anew_and_what_is_wrong_with_it_is_said() {
    let server = MockServer::start().await;
    let bench = bench(&server).await;
    answer(&server, ResponseTemplate::new(200)).await;
    let file = bench.folder.path().join("hook");
    for (content, words) in
        [("s3cr3t-nonsense", "is no secret of a webhook"), ("", "webhook_secret_file is empty")]
    {
        fs::write(&file, content).unwrap();
        let done = vainu_sync(&bench, &["sync"]).await;
        assert_eq!(done.code, Some(1));
        assert!(done.out.contains(words) && !done.out.contains("s3cr3t"), "{}", done.out);
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    let other = format!("whsec_{}", STANDARD.encode([7; 32]));
    fs::write(&file, &other).unwrap();
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    assert!(is_signed(&server.received_requests().await.unwrap()[0], &other));
}

/// The receiver's side by the library that the specification publishes, where `VAINU_SYNC_STANDARDWEBHOOKS` names
/// a Python that has it.
#[tokio::test(flavor = "multi_thread")]
async fn the_published_library_takes_what_is_sent_and_nothing_else() {
    let Some(python) = std::env::var_os("VAINU_SYNC_STANDARDWEBHOOKS") else {
        return eprintln!(
            "skipped: VAINU_SYNC_STANDARDWEBHOOKS names no Python with the package standardwebhooks"
        );
    };
    let server = MockServer::start().await;
    let bench = bench(&server).await;
    answer(&server, ResponseTemplate::new(200)).await;
    bench.control.set_rows("FI", vec![company("FI1", "Äkäs \\\"Oy\\\"", "")]);
    assert_eq!(vainu_sync(&bench, &["sync"]).await.code, Some(0));
    let requests = server.received_requests().await.unwrap();
    let request = &requests[0];
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), header(request, name).into())).collect();
    let script = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
secret, headers, body = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
print(json.dumps(Webhook(secret).verify(body, headers)))
try:
    Webhook(secret).verify(body + ' ', headers)
    print('taken')
except WebhookVerificationError:
    print('refused')
";
    let body = String::from_utf8(request.body.clone()).unwrap();
    let mut command = Command::new(python);
    command.args(["-c", script, SECRET, &Value::from(headers).to_string(), &body]).stdin(Stdio::null());
    let done = crate::program::to_its_end(command).await;
    assert_eq!(done.code, Some(0), "{}", done.err);
    let (first, second) = done.out.trim_end().split_once('\n').unwrap();
    assert_eq!(serde_json::from_str::<Value>(first).unwrap(), serde_json::from_str::<Value>(&body).unwrap());
    assert_eq!(second, "refused");
}
