//! The certificate of a simulator that speaks TLS.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

/// What `https` and `wss` are served with: two PEM files, as mkcert and certbot write them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those that lead to a root.
    pub certificates: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
}

/// Why TLS can't be served with two files, in words that name the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsFilesError(String);

impl TlsFiles {
    /// Reads both files, and says whether TLS can be served with them.
    pub fn check(&self) -> Result<(), TlsFilesError> {
        self.acceptor().map(drop)
    }

    /// Reads both files.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsFilesError> {
        let chain = self.chain()?;
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?);
        let key = key.map_err(|_| missing(&self.key, "PEM key without a passphrase"))?;
        let unusable = |error| {
            let why = "the certificate and the key can't be used together";
            TlsFilesError(format!("{why}: {error}"))
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, TlsFilesError> {
        let file = &self.certificates;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
        match chain {
            Ok(chain) if !chain.is_empty() => Ok(chain),
            Ok(_) | Err(_) => Err(missing(file, "PEM certificate")),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsFilesError> {
    let unreadable = |error| TlsFilesError(format!("{} can't be read: {error}", file.display()));
    fs::read(file).map_err(unreadable)
}

fn missing(file: &Path, wanted: &str) -> TlsFilesError {
    let file = file.display();
    TlsFilesError(format!("{file} has no {wanted} in it that can be read"))
}
