use std::fs;

use super::*;
use crate::config::Sources;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::resolve(&Sources {
        environment: pairs.collect(),
        ..Sources::default()
    })
}

#[test]
fn hosts_are_names() {
    let read = allowed_hosts(&settings(&[("ALLOWED_HOSTS", "Guild.example, web,")]));
    let mut expected = AllowedHosts::default();
    expected.add("guild.example".parse().expect("a name"));
    expected.add("web".parse().expect("a name"));
    assert_eq!(read, Ok(expected));
    for wrong in [
        "https://guild.example",
        "guild.example:443",
        "10.0.0.1",
        "a b",
    ] {
        let refused = allowed_hosts(&settings(&[("ALLOWED_HOSTS", wrong)]));
        let sentence = refused.expect_err(wrong).to_string();
        assert!(sentence.starts_with("ALLOWED_HOSTS has "), "{sentence}");
    }
}

/// A certificate and its key, PEM.
fn made() -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn a_certificate_and_its_key_come_together_and_fit() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("written");
        file.display().to_string()
    };
    let (one, other) = (made(), made());
    let (cert, key) = (file("cert.pem", &one.0), file("key.pem", &one.1));
    let foreign = file("foreign.pem", &other.1);
    let empty = file("empty.pem", "");
    let read = |pairs: &[(&str, &str)]| certificate(&settings(pairs));
    assert_eq!(read(&[]), Ok(None));
    assert!(matches!(
        read(&[("TLS_CERT", &cert), ("TLS_KEY", &key)]),
        Ok(Some(_))
    ));
    for (cert, key, says) in [
        (Some(&cert), None, "TLS_CERT is set and TLS_KEY is not"),
        (None, Some(&key), "TLS_KEY is set and TLS_CERT is not"),
        (
            Some(&cert),
            Some(&foreign),
            "which has the key of another certificate",
        ),
        (Some(&cert), Some(&empty), "which has no key in it"),
        (Some(&cert), Some(&cert), "which has no key in it"),
        (Some(&empty), Some(&key), "which has no certificate in it"),
        (Some(&key), Some(&key), "which has no certificate in it"),
    ] {
        let mut pairs = Vec::new();
        pairs.extend(cert.map(|cert| ("TLS_CERT", cert.as_str())));
        pairs.extend(key.map(|key| ("TLS_KEY", key.as_str())));
        let sentence = read(&pairs).expect_err(says).to_string();
        assert!(sentence.contains(says), "{says}: {sentence}");
        assert!(!sentence.contains("MIG"), "{sentence}");
    }
}

#[test]
fn the_operators_token_is_long() {
    assert!(matches!(admin_token(&settings(&[])), Ok(None)));
    let good = "e27b8f16c3d9a50e428b7f3c09a6e1d5";
    assert!(matches!(
        admin_token(&settings(&[("ADMIN_TOKEN", good)])),
        Ok(Some(_))
    ));
    let short = admin_token(&settings(&[("ADMIN_TOKEN", &good[1..])]));
    let sentence = short.expect_err("short").to_string();
    assert!(
        sentence.starts_with("ADMIN_TOKEN is shorter than 32"),
        "{sentence}"
    );
}

#[test]
fn one_key_checks_the_tokens_of_another_login() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("public.pem");
    let key = rcgen::KeyPair::generate().expect("a key");
    fs::write(&file, key.public_key_pem()).expect("written");
    let file = file.display().to_string();
    let secret = "e27b8f16c3d9a50e428b7f3c09a6e1d5";
    let read = |pairs: &[(&str, &str)]| jwt_key(&settings(pairs));
    assert!(matches!(read(&[]), Ok(None)));
    let shown = |pairs: &[(&str, &str)]| format!("{:?}", read(pairs).expect("a key"));
    assert_eq!(shown(&[("JWT_SECRET", secret)]), "Some(JwtKey(HS256))");
    assert_eq!(shown(&[("JWT_PUBLIC_KEY", &file)]), "Some(JwtKey(ES256))");
    for (pairs, says) in [
        (
            &[("JWT_SECRET", secret), ("JWT_PUBLIC_KEY", &*file)][..],
            "are both set",
        ),
        (
            &[("JWT_SECRET", &secret[1..])],
            "JWT_SECRET is shorter than 32",
        ),
        (&[("JWT_PUBLIC_KEY", "/nowhere/key.pem")], "can't be read"),
        (
            &[("JWT_PUBLIC_KEY", "/dev/null")],
            "which has no public key",
        ),
    ] {
        let sentence = read(pairs).expect_err(says).to_string();
        assert!(sentence.contains(says), "{sentence}");
    }
}
