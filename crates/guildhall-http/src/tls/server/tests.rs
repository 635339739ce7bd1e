use std::{fs, net::SocketAddr, path::Path};

use axum::{Router, routing::get};
use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::*;
use crate::{Config, Listener, serve};

/// Longer than anything here takes.
const SOON: Duration = Duration::from_secs(20);

struct CertificatePair {
    certificate: String,
    key: String,
    der: CertificateDer<'static>,
}

fn pair() -> CertificatePair {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let signed = params.self_signed(&key).expect("a certificate");
    CertificatePair {
        certificate: signed.pem(),
        key: key.serialize_pem(),
        der: signed.der().clone(),
    }
}

fn write(folder: &Path, pair: &CertificatePair) -> CertificateFiles {
    let files = CertificateFiles {
        certificate: folder.join("cert.pem"),
        key: folder.join("key.pem"),
    };
    fs::write(&files.certificate, &pair.certificate).expect("written");
    fs::write(&files.key, &pair.key).expect("written");
    files
}

/// A listener with one route, over TLS.
struct Hall {
    addr: SocketAddr,
    stop: CancellationToken,
}

impl Hall {
    fn open(files: CertificateFiles) -> Self {
        let certificate = ServerCertificate::read(files).expect("a pair");
        let listener = Listener::bind(([127, 0, 0, 1], 0).into()).expect("a free port");
        let listener = listener.with_certificate(Some(certificate));
        let addr = listener.local_addr().expect("bound");
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let (serving, stopped) = (tracker.clone(), stop.clone());
        let router = Router::new().route("/", get(async || "hello"));
        let config = Config::keep_alive("test", 100);
        tracker.spawn(async move { serve(listener, router, config, &serving, stopped).await });
        Self { addr, stop }
    }

    /// Somebody who trusts this certificate alone.
    async fn connect(&self, trusts: &CertificatePair) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(trusts.der.clone()).expect("a root");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let socket = TcpStream::connect(self.addr).await?;
        let name = "localhost".try_into().expect("a name");
        TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await
    }
}

impl Drop for Hall {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).await.expect("it is open");
    let mut heard = String::new();
    let reading = async {
        while !heard.ends_with("hello") {
            let mut piece = [0; 1024];
            let length = stream.read(&mut piece).await.expect("readable");
            assert!(length > 0, "closed: {heard}");
            heard.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    };
    timeout(SOON, reading).await.expect("an answer");
    heard
}

/// Whoever comes after this has the files looked at again.
async fn later() {
    tokio::time::pause();
    tokio::time::advance(LOOK_AGAIN).await;
    tokio::time::resume();
}

#[tokio::test]
async fn what_comes_is_tls_with_http_1_1_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = pair();
    let hall = Hall::open(write(folder.path(), &pair));
    let mut stream = hall.connect(&pair).await.expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert!(
        ask(&mut stream).await.starts_with("HTTP/1.1 200"),
        "it is kept alive"
    );
    let mut plain = TcpStream::connect(hall.addr).await.expect("it listens");
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .expect("it reads");
    let mut heard = Vec::new();
    let read = timeout(SOON, plain.read_to_end(&mut heard))
        .await
        .expect("it is closed");
    assert!(read.is_err() || !heard.starts_with(b"HTTP"), "{heard:?}");
}

#[tokio::test]
async fn files_that_change_are_read_again_and_open_connections_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (pair(), pair());
    let files = write(folder.path(), &first);
    let hall = Hall::open(files.clone());
    let mut open = hall.connect(&first).await.expect("TLS");
    ask(&mut open).await;
    // Half of it: the certificate is there and its key is not yet.
    fs::write(&files.certificate, format!("{}\n", second.certificate)).expect("written");
    later().await;
    ask(&mut hall.connect(&first).await.expect("the pair of before")).await;
    write(folder.path(), &second);
    later().await;
    ask(&mut hall.connect(&second).await.expect("the new pair")).await;
    assert!(
        hall.connect(&first).await.is_err(),
        "the other is shown no more"
    );
    ask(&mut open).await;
    // Whoever deletes them goes on with the last.
    fs::remove_file(&files.key).expect("removed");
    later().await;
    ask(&mut hall.connect(&second).await.expect("the pair of before")).await;
}
