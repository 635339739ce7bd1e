use std::{path::Path, sync::Arc};

use guildhall_simulator::{BuildError, Config, TlsFiles};
use rcgen::generate_simple_self_signed;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use serde_json::Value;
use tokio_tungstenite::Connector;

use crate::{
    house::{Failure, House, INTENTS, Outcome},
    raw::GATEWAY,
};

/// A certificate for this machine, which is its own authority, and its key.
fn pair() -> Result<[String; 2], rcgen::Error> {
    let own = generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    Ok([own.cert.pem(), own.signing_key.serialize_pem()])
}

fn files(folder: &Path, certificates: &str, key: &str) -> Result<TlsFiles, Failure> {
    let files = TlsFiles {
        certificates: folder.join("certificate.pem"),
        key: folder.join("key.pem"),
    };
    std::fs::write(&files.certificates, certificates)?;
    std::fs::write(&files.key, key)?;
    Ok(files)
}

#[tokio::test]
async fn with_a_certificate_everything_is_https_and_wss() -> Outcome {
    let folder = tempfile::tempdir()?;
    let [certificate, key] = pair()?;
    let tls = files(folder.path(), &certificate, &key)?;
    let mut house = House::with(|config| config.tls = Some(tls)).await?;
    let root = reqwest::Certificate::from_pem(certificate.as_bytes())?;
    house.http = reqwest::Client::builder().tls_certs_only([root]).build()?;

    let origin = format!("https://{}", house.address);
    let gateway = format!("{origin}/api/v10/gateway");
    let told: Value = house.http.get(gateway).send().await?.json().await?;
    let gateway = format!("wss://{}/gateway", house.address);
    assert_eq!(told["url"], gateway);

    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes())?)?;
    let trusting = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let trusting = Connector::Rustls(Arc::new(trusting));
    let gateway = format!("wss://{}{GATEWAY}", house.address);
    let mut client = house.dial_url(&gateway, Some(trusting)).await?;
    client.identify(INTENTS).await?;
    let ready = client.dispatch("READY").await?;
    let resume = format!("wss://{}/resume", house.address);
    assert_eq!(ready["resume_gateway_url"], resume);
    client.close(1000).await?;

    assert!(house.dial_url(&gateway, None).await.is_err());
    assert!(house.dial(GATEWAY).await.is_err());
    house.close().await
}

#[tokio::test]
async fn files_that_make_no_tls_are_refused_in_words() -> Outcome {
    let folder = tempfile::tempdir()?;
    let ([certificate, key], [_, another_key]) = (pair()?, pair()?);
    for (certificates, key, said) in [
        ("", key.as_str(), "certificate.pem has no PEM certificate"),
        (&key, &key, "certificate.pem has no PEM certificate"),
        (
            &certificate,
            "",
            "key.pem has no PEM key without a passphrase",
        ),
        (&certificate, &another_key, "can't be used together"),
    ] {
        let refused = build(files(folder.path(), certificates, key)?).await;
        assert!(refused.contains(said), "{refused}");
    }
    let nowhere = TlsFiles {
        certificates: folder.path().join("nowhere.pem"),
        key: folder.path().join("key.pem"),
    };
    let refused = build(nowhere).await;
    assert!(refused.contains("nowhere.pem can't be read"), "{refused}");
    Ok(())
}

/// Why there is no simulator.
async fn build(tls: TlsFiles) -> String {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: Some(tls),
        ..Config::default()
    };
    match config.build().await {
        Err(BuildError::Tls(error)) => error.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it speaks TLS"),
    }
}
