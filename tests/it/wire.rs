//! What may stand between the program and the API: other addresses, TLS, a proxy.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority that no machine knows.
pub struct Authority {
    pub pem: String,
    pub der: Vec<u8>,
    pub key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self::until(name, 2999)
    }

    /// One whose own certificate ends as that year begins.
    pub fn until(name: &str, year: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().to_vec(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// A server's side of TLS as `host`, with a certificate for these years.
    pub fn server(&self, host: &str, (from, until): (i32, i32)) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = CertificateDer::from(params.signed_by(&key, &self.issuer).unwrap());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Passes on to `api` what comes to another address of this machine. `None`: it has no such address.
pub async fn forward(address: &str, api: SocketAddr) -> Option<SocketAddr> {
    let listener = TcpListener::bind(address).await.ok()?;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, api));
        }
    });
    Some(address)
}

async fn pass_on(mut client: impl AsyncRead + AsyncWrite + Unpin, api: SocketAddr) {
    let mut server = TcpStream::connect(api).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// A proxy on loopback that takes `CONNECT`, and what it was asked.
pub struct Proxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Connects to `api` whatever host it is asked for, and speaks `tls` as that host.
    pub async fn start(tls: TlsAcceptor, api: SocketAddr) -> Self {
        Self::answer("200 Connection established", Some((tls, api))).await
    }

    /// Connects to nobody.
    pub async fn refusing(status: &'static str) -> Self {
        Self::answer(status, None).await
    }

    async fn answer(status: &'static str, then: Option<(TlsAcceptor, SocketAddr)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&proxy.asked);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (asked, then) = (Arc::clone(&asked), then.clone());
                tokio::spawn(async move {
                    let head = head(&mut client).await;
                    asked.lock().unwrap().push(head);
                    let _ = client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await;
                    let Some((tls, api)) = then else { return };
                    // A client that does not trust the certificate goes away.
                    if let Ok(client) = tls.accept(client).await {
                        pass_on(client, api).await;
                    }
                });
            }
        });
        proxy
    }

    /// The heads of the requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if client.read_buf(&mut head).await.unwrap_or(0) == 0 {
            break;
        }
    }
    String::from_utf8(head).unwrap()
}
