//! The file of an export: from another host, with no access token.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::exports::{JOB, completed};
use super::*;

const FILE: &str = "/file";

/// A job whose file is at `hosts`, one after another with each poll.
async fn with_files(hosts: &[String]) -> World {
    World::with_job(hosts.iter().map(|host| completed(&format!("{host}{FILE}?token=hush")))).await
}

/// All bytes of the last whole pass; how often they came anew.
async fn read(client: &Client, world: &World) -> Result<(Vec<u8>, u32), Error> {
    let job = world.job();
    let finished = client.finished_export(&job, &world.meter).await?;
    let mut file = client.export_file(&job, finished.link, &world.meter);
    let (mut bytes, mut breaks) = (Vec::new(), 0);
    loop {
        match file.next().await? {
            Part::Bytes(part) => bytes.extend_from_slice(&part),
            Part::Anew => {
                bytes.clear();
                breaks += 1;
            }
            Part::End => return Ok((bytes, breaks)),
        }
    }
}

#[tokio::test]
async fn a_download_is_asked_for_with_its_own_token_and_nothing_of_the_apis() {
    let storage = World::new().await;
    storage.on(FILE, rows("{}\n{}")).await;
    let world = with_files(&[storage.server.uri()]).await;
    let read = read(&world.impatient(), &world).await.unwrap();
    assert_eq!(read, (b"{}\n{}".to_vec(), 0));
    let request = &storage.requests(FILE).await[0];
    assert_eq!(request.url.query(), Some("token=hush"));
    for header in ["authorization", "accept-language", "cookie", "referer"] {
        assert!(!request.headers.contains_key(header), "{header}");
    }
    assert_eq!((world.hits(JOB).await, storage.hits(FILE).await), (1, 1));
    let costs = world.meter.snapshot();
    assert_eq!((costs.requests, costs.retries), (3, 0));
}

#[tokio::test]
async fn a_compressed_download_is_read_and_counted_by_what_it_holds() {
    const GZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x8b\x36\xd4\x31\x8a\x05\x00\xbf\x50\x8b\x08\x05\x00\x00\x00";
    let storage = World::new().await;
    let answer = status(200).set_body_raw(GZIPPED, "application/jsonlines");
    storage.on(FILE, answer.insert_header("content-encoding", "gzip")).await;
    let world = with_files(&[storage.server.uri()]).await;
    assert_eq!(read(&world.impatient(), &world).await.unwrap().0, b"[1,2]");
}

#[tokio::test]
async fn an_expired_link_is_taken_afresh_from_the_job() {
    for code in [401, 403, 404, 410] {
        let (old, new) = (World::new().await, World::new().await);
        old.on(FILE, status(code)).await;
        new.on(FILE, rows("{}")).await;
        let world = with_files(&[old.server.uri(), new.server.uri()]).await;
        assert_eq!(read(&world.impatient(), &world).await.unwrap(), (b"{}".to_vec(), 0));
        assert_eq!((old.hits(FILE).await, new.hits(FILE).await, world.hits(JOB).await), (1, 1, 2), "{code}");
        assert_eq!(world.meter.snapshot().retries, 0);
    }
}

#[tokio::test]
async fn links_that_have_all_expired_are_given_up() {
    let storage = World::new().await;
    storage.on(FILE, status(403).set_body_string("hush")).await;
    let world = with_files(&[storage.server.uri()]).await;
    let error = read(&world.patient(), &world).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Export);
    let text = error.to_string();
    assert!(text.contains("refused each of 6 download links (status 403)"), "{text}");
    assert!(text.contains(&storage.server.uri()) && !text.contains("hush"), "{text}");
    assert_eq!((storage.hits(FILE).await, world.hits(JOB).await), (6, 6));
}

#[tokio::test]
async fn a_storage_that_is_busy_is_asked_again_and_its_wait_is_kept() {
    let storage = World::new().await;
    let busy = status(503).insert_header("retry-after", "3600");
    storage.on(FILE, Script::of([status(500), status(429), rows("{}")])).await;
    let world = with_files(&[storage.server.uri()]).await;
    read(&world.patient(), &world).await.unwrap();
    assert_eq!((storage.hits(FILE).await, world.hits(JOB).await), (3, 1));
    assert_eq!(world.meter.snapshot().retries, 2);

    let storage = World::new().await;
    storage.on(FILE, busy).await;
    let world = with_files(&[storage.server.uri()]).await;
    let error = read(&world.patient(), &world).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains("asks to wait 1h"), "{error}");
    assert_eq!(storage.hits(FILE).await, 1);
}

#[tokio::test]
async fn a_storage_that_is_not_there_is_told_without_the_links_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let world = with_files(std::slice::from_ref(&nobody)).await;
    let error = read(&world.hopeful(), &world).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    let text = format!("{error} {error:?}");
    assert!(text.contains(&nobody) && text.contains("no connection") && !text.contains("hush"), "{text}");
}

#[tokio::test]
async fn a_redirect_is_followed_as_far_as_a_link_may_lead() {
    let (storage, elsewhere) = (World::new().await, World::new().await);
    let to = |location: String| status(307).insert_header("location", location);
    storage.on(FILE, to(format!("{}/moved?token=hush", elsewhere.server.uri()))).await;
    elsewhere.on("/moved", rows("{}")).await;
    let world = with_files(&[storage.server.uri()]).await;
    read(&world.impatient(), &world).await.unwrap();
    let request = &elsewhere.requests("/moved").await[0];
    assert!(!request.headers.contains_key("authorization") && !request.headers.contains_key("referer"));

    for (location, told) in [
        ("http://storage.example/x?token=hush", "http://storage.example"),
        ("file:///etc/hush", "a file: address"),
        ("http://[hush", "no URL"),
    ] {
        let storage = World::new().await;
        storage.on(FILE, to(location.into())).await;
        let world = with_files(&[storage.server.uri()]).await;
        let error = read(&world.patient(), &world).await.unwrap_err();
        assert!(matches!(error, Error::Export(ExportError::UnsafeDownload { .. })), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        assert_eq!(storage.hits(FILE).await, 1);
    }
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let storage = World::new().await;
    storage.on(FILE, status(302).insert_header("location", FILE)).await;
    let world = with_files(&[storage.server.uri()]).await;
    let error = read(&world.patient(), &world).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Export);
    assert_eq!(storage.hits(FILE).await, 6);
}

/// A server whose downloads give these bytes one after another, the last for ever, and then close or, where
/// they end in `…`, say nothing more.
async fn wires(wires: Vec<String>) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                socket.read_buf(&mut request).await.unwrap();
            }
            let wire = &wires[turn.min(wires.len() - 1)];
            let sent = wire.strip_suffix('…');
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n";
            socket.write_all(format!("{head}{}", sent.unwrap_or(wire)).as_bytes()).await.unwrap();
            if sent.is_some() {
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop(socket);
                });
            }
        }
    });
    (host, served)
}

#[tokio::test]
async fn a_download_that_breaks_off_or_stalls_comes_anew_from_its_start() {
    let answers = ["{\"a\":1}\n", "{\"a\":1}…", "", "{\"a\":1}\n{}\n\n"];
    let (host, served) = wires(answers.map(Into::into).to_vec()).await;
    let world = with_files(&[host]).await;
    let api = Api { timeout: Duration::from_secs(1), retry_for: Duration::from_mins(15), ..world.api() };
    let (bytes, breaks) = read(&client(&api, &refresh_token()), &world).await.unwrap();
    assert_eq!((bytes.as_slice(), breaks), (&b"{\"a\":1}\n{}\n\n"[..], 3));
    assert_eq!((served.load(Ordering::SeqCst), world.hits(JOB).await), (4, 1));
    assert_eq!(world.meter.snapshot().retries, 3);
}

#[tokio::test]
async fn a_download_that_always_breaks_off_is_tried_for_as_long_as_any_request() {
    let (host, served) = wires(vec!["{\"a\":1}\n".into()]).await;
    let world = with_files(std::slice::from_ref(&host)).await;
    let error = read(&world.hopeful(), &world).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().contains(&host) && error.to_string().contains("broke off"), "{error}");
    assert!(served.load(Ordering::SeqCst) > 2);
}

#[tokio::test]
async fn a_download_that_gets_a_little_further_each_time_ends_too() {
    let answers = (1..=12).map(|length| "x".repeat(length)).collect();
    let (host, served) = wires(answers).await;
    let world = with_files(&[host]).await;
    let error = read(&world.patient(), &world).await.unwrap_err();
    assert!(error.to_string().contains("broke off 11 times, each further on"), "{error}");
    assert_eq!(served.load(Ordering::SeqCst), 11);
}
