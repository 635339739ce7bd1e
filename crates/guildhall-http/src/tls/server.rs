//! TLS for those who come to us: a certificate and its key in two files, read again when they change.

use std::{
    fmt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, pem::PemObject},
};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::{BYTE_ORDER_MARK, HTTP_1_1, TlsError, certificates, read};

/// Between two looks at the files, which are taken when somebody comes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The files of a certificate and its key. What they have when somebody comes is what they are shown;
/// connections that are open stay as they are. Files that can't be used, as between the writing of one and
/// of the other, leave the last that could in use.
pub struct ServerCertificate {
    files: CertificateFiles,
    current: Mutex<Current>,
}

/// Where a certificate with its chain and its key are, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, then those that it was signed by.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Which of the two files can't be used, and why.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The certificate's.
    #[error("{0}")]
    Certificate(TlsError),
    /// The key's.
    #[error("{0}")]
    Key(TlsError),
}

struct Current {
    config: Arc<ServerConfig>,
    /// Of the files, when they were last read.
    stamp: [Option<FileStamp>; 2],
    looked_at: Instant,
}

/// When a file was last written, and its length.
type FileStamp = (SystemTime, u64);

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// Which of them can't be used.
    pub fn read(files: CertificateFiles) -> Result<Self, CertificateError> {
        // Looked at first: what is written meanwhile is read again.
        let stamp = files.stamp();
        let config = files.config()?;
        Ok(Self {
            files,
            current: Mutex::new(Current {
                config,
                stamp,
                looked_at: Instant::now(),
            }),
        })
    }

    /// For whoever comes now.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock();
        if current.looked_at.elapsed() >= LOOK_AGAIN {
            current.looked_at = Instant::now();
            let stamp = self.files.stamp();
            if stamp != current.stamp {
                self.reload(&mut current, stamp);
            }
        }
        TlsAcceptor::from(Arc::clone(&current.config))
    }

    fn reload(&self, current: &mut Current, stamp: [Option<FileStamp>; 2]) {
        current.stamp = stamp;
        match self.files.config() {
            Ok(config) => {
                current.config = config;
                info!("the certificate's files have changed and are in use");
            }
            Err(error) => {
                let (file, why) = match &error {
                    CertificateError::Certificate(why) => (&self.files.certificate, why),
                    CertificateError::Key(why) => (&self.files.key, why),
                };
                warn!(file = %file.display(), "the certificate's files have changed; those of before stay in use, for there is one {why}");
            }
        }
    }
}

impl CertificateFiles {
    fn stamp(&self) -> [Option<FileStamp>; 2] {
        [&self.certificate, &self.key].map(|file| {
            let meta = std::fs::metadata(file).ok()?;
            Some((meta.modified().ok()?, meta.len()))
        })
    }

    /// HTTP/1.1 alone: a stream is one connection, and what speaks HTTP/2 to browsers stands before us.
    fn config(&self) -> Result<Arc<ServerConfig>, CertificateError> {
        let chain = certificates(&self.certificate).map_err(CertificateError::Certificate)?;
        let key = self.key().map_err(CertificateError::Key)?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has cipher suites for TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| refused(&error))?;
        config.alpn_protocols = vec![HTTP_1_1.to_vec()];
        Ok(Arc::new(config))
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let bytes = read(&self.key).map_err(|error| TlsError(format!("can't be read: {error}")))?;
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
            TlsError("has no key in it: in PEM one begins with -----BEGIN PRIVATE KEY-----".into())
        })
    }
}

/// What rustls says of a pair; never the key itself.
fn refused(error: &rustls::Error) -> CertificateError {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            CertificateError::Key(TlsError("has the key of another certificate".into()))
        }
        rustls::Error::InvalidCertificate(_) => {
            CertificateError::Certificate(TlsError("has a certificate that can't be read".into()))
        }
        _ => CertificateError::Key(TlsError("has a key that can't be used".into())),
    }
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
