//! TLS that came to nothing, in words for an operator.

use std::{error::Error, io};

use rustls::{
    AlertDescription, CertificateError, Error as RustlsError, InvalidMessage, OtherError,
};

/// What is wrong between us and whoever was dialled, and what cures it; `None`: something else than
/// TLS failed. `roots_setting` is what the operator calls the setting with further root
/// certificates. Names that the other side's certificate has are not repeated.
#[must_use]
pub fn tls_failure(error: &(dyn Error + 'static), roots_setting: &str) -> Option<String> {
    if is_cut(error) {
        return Some("it closed the connection in the middle".to_owned());
    }
    Some(match rustls_error(error)? {
        RustlsError::InvalidCertificate(why) => certificate(why, roots_setting),
        RustlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it does not speak TLS at this port".to_owned()
        }
        RustlsError::AlertReceived(alert) => refused(*alert),
        other => format!("TLS with it failed: {other}"),
    })
}

fn certificate(why: &CertificateError, roots_setting: &str) -> String {
    match why {
        // A bad signature: a CA of that name is trusted, but it has another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "its TLS certificate is of an unknown issuer; where a CA of your own or a proxy that \
             looks into TLS made it, put that CA's certificate into a PEM file and name the file \
             in {roots_setting}"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its TLS certificate has expired, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its TLS certificate is not valid yet, or this machine's clock is wrong".to_owned()
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            let name = expected.to_str();
            format!("its TLS certificate is not valid for the name {name}")
        }
        CertificateError::NotValidForName => {
            "its TLS certificate is not valid for its name".to_owned()
        }
        CertificateError::Other(OtherError(why)) if is_of_a_ca(&**why) => {
            "its TLS certificate is a CA's own, which no server may show; have that CA sign one for \
             the server"
                .to_owned()
        }
        other => format!("its TLS certificate can't be accepted: {other:?}"),
    }
}

/// Most recipes for a certificate of one's own make one of these.
fn is_of_a_ca(why: &(dyn Error + 'static)) -> bool {
    matches!(why.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

fn refused(alert: AlertDescription) -> String {
    format!("it ended TLS with the alert {alert:?}")
}

/// What TLS calls a connection that ended without the words for it: many a proxy ends it so when
/// nobody listens behind it.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    let cut = |error: &io::Error| error.kind() == io::ErrorKind::UnexpectedEof;
    error.downcast_ref().is_some_and(cut) || error.source().is_some_and(is_cut)
}

/// Wherever in the chain of causes it is. What an `io::Error` wraps is not among its causes.
fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a RustlsError> {
    if let Some(error) = error.downcast_ref() {
        return Some(error);
    }
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    if let Some(wrapped) = wrapped {
        return rustls_error(wrapped);
    }
    rustls_error(error.source()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn tls_is_found_below_whatever_wraps_it() {
        let tls = || RustlsError::InvalidCertificate(CertificateError::Expired);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls()));
        for error in [&tls() as &(dyn Error + 'static), &wrapped] {
            let said = tls_failure(error, "THE_ROOTS").expect("TLS");
            assert!(said.contains("has expired"), "{said}");
        }
        let cut = io::Error::other(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert_eq!(tls_failure(&cut, "THE_ROOTS"), None);
        let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
        let said = tls_failure(&cut, "THE_ROOTS").expect("an end");
        assert!(said.contains("closed the connection"), "{said}");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(tls_failure(&refused, "THE_ROOTS"), None);
    }

    #[test]
    fn a_certificate_that_is_its_own_authority_is_told() {
        let why = OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity));
        let error = RustlsError::InvalidCertificate(CertificateError::Other(why));
        let said = tls_failure(&error, "THE_ROOTS").expect("TLS");
        assert!(said.contains("a CA's own"), "{said}");
    }

    #[test]
    fn an_unknown_issuer_is_cured_by_a_setting() {
        for why in [
            CertificateError::UnknownIssuer,
            CertificateError::BadSignature,
        ] {
            let error = RustlsError::InvalidCertificate(why);
            let said = tls_failure(&error, "THE_ROOTS").expect("TLS");
            assert!(said.ends_with("name the file in THE_ROOTS"), "{said}");
        }
    }
}
