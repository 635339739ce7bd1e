//! TLS, made in this one place: towards others, what is trusted and what is spoken; and for those who
//! come to us.

/// TLS that came to nothing, in words.
mod failure;
/// For those who come to us.
mod server;

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};

pub use failure::tls_failure;
pub use server::{CertificateError, CertificateFiles, ServerCertificate};

/// Ten times what all of a system's roots come to: a path to something endless must not fill the
/// memory.
const LONGEST_FILE: u64 = 4 << 20;

/// Why a file of root certificates can't be used: the end of a sentence that has named the file,
/// such as "which has no certificate in it".
#[derive(Debug, thiserror::Error)]
#[error("which {0}")]
pub struct TlsError(String);

/// The certificates of a PEM file, to be trusted as roots. Those that are none of X.509 are passed
/// over; one at least must be left.
pub fn root_certificates(file: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    let (usable, _passed_over) = roots.add_parsable_certificates(certificates(file)?);
    if usable == 0 {
        return Err(TlsError("has only certificates that can't be read".into()));
    }
    Ok(roots)
}

/// How an outgoing connection speaks TLS. It trusts Mozilla's roots, which are part of the binary,
/// and `extra_roots` beside them.
///
/// It offers HTTP/1.1 alone and so is right for WebSockets; [`with_http2`] makes the one for HTTP
/// clients. The crypto provider is ring, whatever the process has installed.
#[must_use]
pub fn client_config(extra_roots: Option<RootCertStore>) -> Arc<ClientConfig> {
    let mut roots = extra_roots.unwrap_or_else(RootCertStore::empty);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has cipher suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Arc::new(config)
}

/// The same trust, and sessions shared with it, for a client that also speaks HTTP/2.
#[must_use]
pub fn with_http2(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1_1.to_vec()];
    config
}

const HTTP_1_1: &[u8] = b"http/1.1";
const HTTP_2: &[u8] = b"h2";

/// One certificate or more.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(file).map_err(|error| TlsError(format!("can't be read: {error}")))?;
    // To what reads PEM the mark would be a part of the first line, and a certificate be lost.
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let certificates = certificates
        .map_err(|error| TlsError(format!("is no whole PEM file: {}", Broken(&error))))?;
    if certificates.is_empty() {
        return Err(TlsError(
            if bytes.starts_with(&DER_SEQUENCE) {
                "is DER: make PEM of it with `openssl x509 -inform der -in FILE -out FILE.pem`"
            } else {
                "has no certificate in it: in PEM one begins with -----BEGIN CERTIFICATE-----"
            }
            .into(),
        ));
    }
    Ok(certificates)
}

/// What some editors begin a file in UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A sequence of more than 255 bytes, with which every certificate begins.
const DER_SEQUENCE: [u8; 2] = [0x30, 0x82];

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LONGEST_FILE + 1)
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|read| read > LONGEST_FILE) {
        let longest = LONGEST_FILE >> 20;
        return Err(io::Error::other(format!("it is longer than {longest} MiB")));
    }
    Ok(bytes)
}

/// What is broken, without the line itself: somebody may have put a key there.
struct Broken<'a>(&'a pem::Error);

impl fmt::Display for Broken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            pem::Error::MissingSectionEnd { .. } => {
                "a -----BEGIN line has no -----END line after it"
            }
            pem::Error::IllegalSectionStart { .. } => "a -----BEGIN line is not complete",
            pem::Error::Base64Decode(_) => "what is between two lines of dashes is no base64",
            _ => "it can't be read",
        })
    }
}

#[cfg(test)]
mod tests;
