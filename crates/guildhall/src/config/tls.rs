//! What outgoing connections trust.

use std::{path::Path, sync::Arc};

use guildhall_http::tls;
use rustls::ClientConfig;

use super::{ConfigError, Settings, refuse};

/// The setting with further roots.
pub(super) const ROOT_CERTIFICATES: &str = "SSL_CERT_FILE";

/// Mozilla's roots, and beside them those of the operator's file. OpenSSL, curl and many languages
/// read that variable too; with them the file takes the place of the system's roots.
pub(crate) fn client_config(settings: &Settings) -> Result<Arc<ClientConfig>, ConfigError> {
    let Some(file) = settings.get(ROOT_CERTIFICATES) else {
        return Ok(tls::client_config(None));
    };
    match tls::root_certificates(Path::new(file)) {
        Ok(roots) => Ok(tls::client_config(Some(roots))),
        Err(error) => refuse!("{ROOT_CERTIFICATES} names {file:?}, {error}."),
    }
}
