//! Ways to the API: TLS with an authority of one's own, proxies, other addresses of this machine.

use std::fs;
use std::net::SocketAddr;

use vainu_sync::sandbox::Endpoint;

use crate::bench::{ALL_OF_FI, Bench, numbered};
use crate::program::{Ended, vainu_sync, vainu_sync_with};
use crate::wire::{Authority, Proxy, forward};

/// A host that only the proxy knows the way to.
const HOST: &str = "vainu.test";
/// Years of a certificate that is good now.
const GOOD: (i32, i32) = (2000, 2999);
/// No certificates of this machine.
const NO_SYSTEM: (&str, &str) = ("SSL_CERT_FILE", "/nonexistent");

fn address(bench: &Bench) -> SocketAddr {
    let base_url = bench.sandbox.base_url();
    base_url.trim_start_matches("http://").trim_end_matches("/api").parse().unwrap()
}

async fn bench() -> Bench {
    Bench::with_rows(numbered(3), ALL_OF_FI).await
}

/// `sync` of the API that is `https://vainu.test/api`, through a proxy.
async fn sync_through(bench: &Bench, proxy: &str, variables: &[(&str, &str)]) -> Ended {
    let base = [("VAINU_SYNC_API__BASE_URL", "https://vainu.test/api"), ("HTTPS_PROXY", proxy), NO_SYSTEM];
    sync(bench, &[&base, variables].concat()).await
}

/// `sync` that tries nothing again.
async fn sync(bench: &Bench, variables: &[(&str, &str)]) -> Ended {
    let at_once = [("VAINU_SYNC_API__RETRY_FOR", "0s")];
    vainu_sync_with(bench, &[&at_once, variables].concat(), &["sync"]).await
}

fn write(bench: &Bench, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = bench.folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_behind_a_proxy_with_an_authority_of_ones_own_is_read_with_ca_file() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let proxy = Proxy::start(authority.server(HOST, GOOD), address(&bench)).await;
    let ca_file = write(&bench, "ca.pem", authority.pem);
    let url = format!("http://{}", proxy.address);
    let ended = sync_through(&bench, &url, &[("VAINU_SYNC_API__CA_FILE", &ca_file)]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(bench.members("all").await.len(), 3);
    let asked = proxy.asked();
    assert!(!asked.is_empty());
    for head in asked {
        assert!(head.starts_with("CONNECT vainu.test:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.to_lowercase().contains("authorization"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_good_is_75_and_tells_why_and_what_to_set() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let ours = write(&bench, "ours.pem", &authority.pem);
    let others = write(&bench, "others.pem", Authority::new("theirs").pem);
    let same_name = write(&bench, "same-name.pem", Authority::new("ours").pem);
    for (ca_file, host, years, told) in [
        (&others, HOST, GOOD, "its TLS certificate is not trusted"),
        (&same_name, HOST, GOOD, "name the certificate of its authority in api.ca_file"),
        (&ours, HOST, (2000, 2001), "its TLS certificate ended 2001-01-01T00:00:00Z"),
        (&ours, HOST, (2998, 2999), "its TLS certificate is not valid before 2998-01-01T00:00:00Z"),
        (&ours, "other.test", GOOD, "not valid for name \"vainu.test\""),
    ] {
        let proxy = Proxy::start(authority.server(host, years), address(&bench)).await;
        let url = format!("http://{}", proxy.address);
        let ended = sync_through(&bench, &url, &[("VAINU_SYNC_API__CA_FILE", ca_file)]).await;
        assert_eq!(ended.code, Some(75), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains(told), "{told:?} is not in {}", ended.out);
        assert!(ended.out.contains("https://vainu.test/api/token_authentication/refresh/"), "{}", ended.out);
    }
    assert_eq!(bench.control.requests().len(), 0, "nothing is sent to who is not trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_is_heeded() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let proxy = Proxy::start(authority.server(HOST, GOOD), address(&bench)).await;
    let ca_file = write(&bench, "ca.pem", authority.pem);
    let url = format!("http://{}", proxy.address);
    let variables = [
        ("NO_PROXY", "localhost,.vainu.test"),
        ("VAINU_SYNC_API__CA_FILE", &ca_file),
        ("VAINU_SYNC_API__TIMEOUT", "5s"),
    ];
    let ended = sync_through(&bench, &url, &variables).await;
    assert_eq!(ended.code, Some(75), "{}{}", ended.out, ended.err);
    assert!(proxy.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_does_not_connect_is_named_without_the_password_that_it_was_given() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let ca_file = write(&bench, "ca.pem", authority.pem);
    for (status, told) in [
        ("407 Proxy Authentication Required", "wants a user name and a password"),
        ("403 Forbidden", "would not connect to it"),
        ("502 Bad Gateway", "would not connect to it"),
    ] {
        let proxy = Proxy::refusing(status).await;
        let url = format!("http://me:s3cr3t@{}", proxy.address);
        let variables = [
            ("VAINU_SYNC_API__CA_FILE", ca_file.as_str()),
            ("VAINU_SYNC_LOG__LEVEL", "vainu_sync=trace,trace"),
        ];
        let ended = sync_through(&bench, &url, &variables).await;
        assert_eq!(ended.code, Some(75), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("the proxy that HTTPS_PROXY or ALL_PROXY names"), "{}", ended.out);
        assert!(ended.out.contains(told), "{}", ended.out);
        // `me:s3cr3t` in base64
        let encoded = "bWU6czNjcjN0";
        assert!(proxy.asked()[0].contains(encoded), "{:?}", proxy.asked());
        for secret in ["s3cr3t", encoded] {
            assert!(!format!("{}{}", ended.out, ended.err).contains(secret), "{}{}", ended.out, ended.err);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_there_is_not_taken_for_the_api() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let ca_file = write(&bench, "ca.pem", authority.pem);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let variables = [("VAINU_SYNC_API__CA_FILE", ca_file.as_str())];
    let ended = sync_through(&bench, &format!("http://{nobody}"), &variables).await;
    assert_eq!(ended.code, Some(75), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("names can't be used (Connection refused"), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_file_that_holds_no_certificate_is_78_and_named_before_anything_is_asked() {
    let (bench, authority) = (bench().await, Authority::new("ours"));
    let marked = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for (content, told) in [
        (marked.as_bytes(), "holds no certificate"),
        (authority.key_pem.as_bytes(), "holds a private key, but no certificate"),
        (&authority.der, "in DER form"),
        (b"", "is empty"),
    ] {
        let path = write(&bench, "authority.crt", content);
        for command in ["check", "sync"] {
            let ended = vainu_sync_with(&bench, &[("VAINU_SYNC_API__CA_FILE", &path)], &[command]).await;
            assert_eq!(ended.code, Some(78), "{}{}", ended.out, ended.err);
            for words in ["VAINU_SYNC_API__CA_FILE", "api.ca_file", "authority.crt", told] {
                assert!(ended.err.contains(words), "{words:?} is not in {}", ended.err);
            }
        }
    }
    let path = write(&bench, "authority.crt", Authority::until("ours", 2001).pem);
    let ended = vainu_sync_with(&bench, &[("VAINU_SYNC_API__CA_FILE", &path)], &["check"]).await;
    assert_eq!(ended.code, Some(0), "one that has expired is a certificate: {}", ended.err);
    assert_eq!(bench.control.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_address_is_asked() {
    let bench = bench().await;
    let Some(address) = forward("[::1]:0", address(&bench)).await else {
        eprintln!("skipped: this machine has no ::1");
        return;
    };
    let base_url = format!("http://{address}/api");
    let ended = sync(&bench, &[("VAINU_SYNC_API__BASE_URL", &base_url)]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert_eq!(bench.members("all").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loopback_api_is_asked_past_any_proxy_and_without_any_certificates() {
    let bench = bench().await;
    let proxy = Proxy::refusing("502 Bad Gateway").await;
    let url = format!("http://{}", proxy.address);
    let variables = [
        ("HTTP_PROXY", url.as_str()),
        ("http_proxy", &url),
        ("HTTPS_PROXY", &url),
        ("ALL_PROXY", &url),
        NO_SYSTEM,
    ];
    let ended = sync(&bench, &variables).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
    assert!(proxy.asked().is_empty());
    assert!(bench.control.hits(Endpoint::Organizations) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_certificates_is_told_to_install_them() {
    let bench = bench().await;
    let variables = [("VAINU_SYNC_API__BASE_URL", "https://vainu.test/api"), NO_SYSTEM];
    let ended = sync(&bench, &variables).await;
    assert_eq!(ended.code, Some(78), "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("ca-certificates") && ended.err.contains("api.ca_file"), "{}", ended.err);
    assert_eq!(vainu_sync(&bench, &["check"]).await.code, Some(0));
}
