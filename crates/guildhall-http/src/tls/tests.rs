use std::fs;

use super::*;

/// A certificate authority that nobody else knows, made by
/// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500`.
const AUTHORITY: &str = include_str!("tests/authority.pem");

#[test]
fn a_file_of_roots_is_read_as_tools_and_editors_leave_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("roots.pem");
    for text in [
        AUTHORITY.to_owned(),
        format!("\u{feff}{AUTHORITY}"),
        format!("\u{feff}# our own\r\n{}", AUTHORITY.replace('\n', "\r\n")),
        format!("{}{AUTHORITY}", unreadable()),
    ] {
        fs::write(&file, &text).expect("written");
        let roots = root_certificates(&file).expect("a root");
        assert_eq!(roots.len(), 1, "{text}");
    }
}

#[test]
fn each_file_that_is_no_list_of_roots_is_refused_in_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let der = CertificateDer::from_pem_slice(AUTHORITY.as_bytes()).expect("a certificate");
    let cut = &AUTHORITY[..AUTHORITY.len() / 2];
    let garbled = AUTHORITY.replacen("MII", "M?!", 1);
    for (bytes, said) in [
        (&b""[..], "which has no certificate in it"),
        (b"not PEM", "which has no certificate in it"),
        (&der, "which is DER: make PEM of it"),
        (cut.as_bytes(), "which is no whole PEM file: a -----BEGIN"),
        (garbled.as_bytes(), "is no base64"),
        (unreadable().as_bytes(), "which has only certificates that"),
        (&vec![b'x'; (4 << 20) + 1], "it is longer than 4 MiB"),
    ] {
        let file = folder.path().join("roots.pem");
        fs::write(&file, bytes).expect("written");
        let error = root_certificates(&file).expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
        assert!(!error.contains("M?!"), "{error}");
    }
    for missing in [folder.path().join("missing"), folder.path().to_owned()] {
        let error = root_certificates(&missing).expect_err("no file");
        let error = error.to_string();
        assert!(error.starts_with("which can't be read: "), "{error}");
    }
}

#[test]
fn a_websocket_is_dialled_with_http_1_1_alone() {
    let config = client_config(None);
    assert_eq!(config.alpn_protocols, [b"http/1.1".to_vec()]);
    let config = with_http2(&config);
    assert_eq!(
        config.alpn_protocols,
        [b"h2".to_vec(), b"http/1.1".to_vec()]
    );
}

/// PEM around what is no certificate.
fn unreadable() -> String {
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()
}
