//! An authority of the test's own, and what an operator puts before a listener to have TLS.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use reqwest::{Certificate, Client};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::client_builder;

/// A certificate authority that nobody trusts who was not told to.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate of such an authority, and its key, as PEM.
pub(crate) struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a root").pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A certificate for this machine's names.
    pub(crate) fn certify(&self) -> Identity {
        self.sign(&params(&["localhost", "127.0.0.1"]))
    }

    /// One for another machine.
    pub(crate) fn certify_another(&self) -> Identity {
        self.sign(&params(&["other.example"]))
    }

    /// One for this machine whose time is over.
    pub(crate) fn certify_expired(&self) -> Identity {
        let mut params = params(&["localhost", "127.0.0.1"]);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 12, 31);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.issuer);
        Identity {
            certificate: signed.expect("a certificate").pem(),
            key: key.serialize_pem(),
        }
    }

    /// The file that `SSL_CERT_FILE` is to name.
    pub(crate) fn file(&self, folder: &Path) -> String {
        let file = folder.join("authority.pem");
        std::fs::write(&file, &self.pem).expect("a file");
        file.display().to_string()
    }

    /// A client that trusts this authority and no other.
    pub(crate) fn client(&self) -> Client {
        let root = Certificate::from_pem(self.pem.as_bytes()).expect("a root");
        let client = client_builder().tls_certs_only([root]).build();
        client.expect("a client")
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names")
}

impl Identity {
    /// The files of certificate and key.
    pub(crate) fn files(&self, folder: &Path) -> [PathBuf; 2] {
        let files = ["certificate.pem", "key.pem"].map(|name| folder.join(name));
        for (file, text) in files.iter().zip([&self.certificate, &self.key]) {
            std::fs::write(file, text).expect("a file");
        }
        files
    }

    fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM"));
        TlsAcceptor::from(Arc::new(config.expect("a pair")))
    }
}

/// Takes TLS off connections and passes them on, as a proxy before a plain listener does.
pub(crate) struct TlsProxy {
    port: u16,
    shown: Arc<Mutex<TlsAcceptor>>,
    refused: Arc<AtomicUsize>,
    _connections: JoinSet<()>,
}

impl TlsProxy {
    /// Before a port of this machine.
    pub(crate) async fn before(target: u16, identity: &Identity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let shown = Arc::new(Mutex::new(identity.acceptor()));
        let refused = Arc::new(AtomicUsize::new(0));
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, target, shown.clone(), refused.clone()));
        Self {
            port,
            shown,
            refused,
            _connections: connections,
        }
    }

    /// Shows another certificate from now on.
    pub(crate) fn show(&self, identity: &Identity) {
        *self.shown.lock() = identity.acceptor();
    }

    /// How many connections ended because the client did not take the certificate.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Acquire)
    }

    /// `https://localhost:PORT`, or another scheme.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}", self.port)
    }
}

async fn accept(
    listener: TcpListener,
    target: u16,
    shown: Arc<Mutex<TlsAcceptor>>,
    refused: Arc<AtomicUsize>,
) {
    // With this task its connections end.
    let mut connections = JoinSet::new();
    loop {
        let (stream, _peer) = listener.accept().await.expect("a connection");
        let (acceptor, refused) = (shown.lock().clone(), refused.clone());
        connections.spawn(async move {
            let Ok(mut client) = acceptor.accept(stream).await else {
                refused.fetch_add(1, Ordering::Release);
                return;
            };
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await {
                // Either side may tear it.
                let _ended = copy_bidirectional(&mut client, &mut server).await;
            }
        });
        while connections.try_join_next().is_some() {}
    }
}
