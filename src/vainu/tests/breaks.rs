//! Connections that fail, and answers that do not come whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const TOKEN: Wire =
    Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\nconnection: close\r\n\r\n{\"access\":\"t\"}");

/// What one connection gives once a request has come.
#[derive(Debug, Clone, Copy)]
enum Wire {
    /// These, then the end.
    Bytes(&'static [u8]),
    Reset,
    Silence,
}

impl Wire {
    async fn answer(self, mut socket: TcpStream) {
        match self {
            Self::Bytes(bytes) => socket.write_all(bytes).await.unwrap(),
            Self::Reset => socket.set_zero_linger().unwrap(),
            Self::Silence => std::future::pending().await,
        }
    }
}

/// A server whose connections give one of `wires` each, in their order, the last one for ever; and how many
/// have come.
async fn server(wires: Vec<Wire>) -> (Api, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = api(&format!("http://{}/api", listener.local_addr().unwrap()));
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    tokio::spawn(async move {
        for turn in 0.. {
            let wire = wires[turn.min(wires.len() - 1)];
            let (mut socket, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                socket.read_buf(&mut request).await.unwrap();
            }
            tokio::spawn(wire.answer(socket));
        }
    });
    (api, served)
}

#[tokio::test]
async fn each_break_is_told_in_words_and_asked_for_again() {
    let cases: [(Wire, &str); 9] = [
        (Wire::Reset, "no HTTP answer came (Connection reset by peer"),
        (Wire::Silence, "no whole answer within 1s (api.timeout)"),
        (Wire::Bytes(b""), "no HTTP answer came (connection closed before message completed)"),
        (Wire::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP answer came (invalid HTTP version"),
        (Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-le"), "no HTTP answer came (connection closed"),
        (Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1,2]"), "the answer broke off"),
        (
            Wire::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1,2]\r\n"),
            "the answer broke off",
        ),
        (
            Wire::Bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n"),
            "came damaged (Invalid chunk size",
        ),
        (
            Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5\r\n\r\n[1,2]"),
            "came damaged (Invalid gzip",
        ),
    ];
    for (wire, told) in cases {
        let (mut api, served) = server(vec![wire, wire, TOKEN]).await;
        if matches!(wire, Wire::Silence) {
            api.timeout = Duration::from_secs(1);
        }
        let error = client(&api, &refresh_token()).authenticate(&Meter::new()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{wire:?}: {error}");
        assert!(error.to_string().contains(told), "{wire:?}: {error}");
        assert!(error.to_string().contains(&format!("{REFRESH} gave nothing usable in one try")), "{error}");
        let patient = Api { retry_for: Duration::from_mins(15), ..api };
        client(&patient, &refresh_token()).authenticate(&Meter::new()).await.unwrap();
        assert_eq!(served.load(Ordering::SeqCst), 3, "{wire:?}");
    }
}

#[tokio::test]
async fn a_page_that_breaks_off_gives_no_rows() {
    let cut = Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\n[1,2]");
    let whole = Wire::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n[3,4]");
    let (api, served) = server(vec![TOKEN, cut, whole]).await;
    let patient = Api { retry_for: Duration::from_mins(15), ..api };
    let page = organizations(&client(&patient, &refresh_token()), &Meter::new()).await.unwrap();
    assert_eq!(page.texts().collect::<Vec<_>>(), ["3", "4"]);
    assert_eq!(served.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refusal_whose_body_breaks_off_is_still_a_refusal() {
    let refusal = Wire::Bytes(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 90\r\n\r\n{\"de");
    let (api, _) = server(vec![refusal]).await;
    let error = client(&api, &refresh_token()).authenticate(&Meter::new()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Credentials);
}

/// A label of 64 letters is no host name: the resolver says so without asking anyone.
const NO_HOST: &str = "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test/api";

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_and_told_with_what_to_check() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/api", listener.local_addr().unwrap());
    drop(listener);
    for (base_url, told) in [
        (nobody.as_str(), "no connection (Connection refused (os error 111)); check the network"),
        (NO_HOST, "its host name can't be looked up ("),
    ] {
        let api = Api { retry_for: Duration::from_millis(50), ..api(base_url) };
        let error = client(&api, &refresh_token()).authenticate(&Meter::new()).await.unwrap_err();
        let Error::NoToken(error) = error else { panic!("{error:?}") };
        assert!(matches!(*error, Error::Unavailable { tries: 2.., .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
}
