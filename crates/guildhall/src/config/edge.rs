//! By which names we are asked, and what protects the way: hosts, certificates, the operator's token.

use std::path::Path;

use guildhall_http::{
    AllowedHosts, RotatedSecret,
    tls::{CertificateError, CertificateFiles, ServerCertificate},
};

use guildhall_web::JwtKey;

use super::{ConfigError, Settings, parse, refuse, secrets};

/// Names beside those of `BASE_URL`.
pub(crate) fn allowed_hosts(settings: &Settings) -> Result<AllowedHosts, ConfigError> {
    let mut hosts = AllowedHosts::default();
    for part in settings
        .get("ALLOWED_HOSTS")
        .into_iter()
        .flat_map(parse::list)
    {
        let Ok(name) = part.parse() else {
            return refuse!(
                "ALLOWED_HOSTS has {}, which is no name of a host: write guild.example.com, without scheme and port. Addresses are allowed anyhow.",
                parse::shown(part)
            );
        };
        hosts.add(name);
    }
    Ok(hosts)
}

/// The files that https is served by, which are there and fit each other.
pub(super) fn certificate(settings: &Settings) -> Result<Option<CertificateFiles>, ConfigError> {
    let (certificate, key) = match (settings.get("TLS_CERT"), settings.get("TLS_KEY")) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            return refuse!("TLS_CERT is set and TLS_KEY is not: name the file of its key.");
        }
        (None, Some(_)) => {
            return refuse!(
                "TLS_KEY is set and TLS_CERT is not: name the file of its certificate."
            );
        }
    };
    let files = CertificateFiles {
        certificate: Path::new(certificate).to_owned(),
        key: Path::new(key).to_owned(),
    };
    match ServerCertificate::read(files.clone()) {
        Ok(_fits) => Ok(Some(files)),
        Err(error) => Err(unusable(&files, &error)),
    }
}

/// What is wrong with the certificate's files.
pub(crate) fn unusable(files: &CertificateFiles, error: &CertificateError) -> ConfigError {
    let (name, file) = match error {
        CertificateError::Certificate(_) => ("TLS_CERT", &files.certificate),
        CertificateError::Key(_) => ("TLS_KEY", &files.key),
    };
    let file = file.display();
    ConfigError(format!("{name} names {file}, {error}."))
}

/// What checks the tokens of the operator's own login: one key, of one kind.
pub(super) fn jwt_key(settings: &Settings) -> Result<Option<JwtKey>, ConfigError> {
    match (
        settings.is_set("JWT_SECRET"),
        settings.get("JWT_PUBLIC_KEY"),
    ) {
        (false, None) => Ok(None),
        (true, Some(_)) => refuse!(
            "JWT_SECRET and JWT_PUBLIC_KEY are both set, and one key fixes the algorithm: take one of them out."
        ),
        (true, None) => {
            let secret = secrets::strong(settings, "JWT_SECRET", 1)?;
            Ok(Some(JwtKey::of_secret(&secret.current)))
        }
        (false, Some(file)) => {
            let Ok(pem) = std::fs::read(file) else {
                return refuse!(
                    "JWT_PUBLIC_KEY names {}, which can't be read: name a PEM file.",
                    parse::shown(file)
                );
            };
            match JwtKey::of_public_key(&pem) {
                Ok(key) => Ok(Some(key)),
                Err(error) => refuse!("JWT_PUBLIC_KEY names {}, {error}.", parse::shown(file)),
            }
        }
    }
}

/// What opens `/admin` to those who are not on this machine.
pub(crate) fn admin_token(settings: &Settings) -> Result<Option<RotatedSecret>, ConfigError> {
    if !settings.is_set("ADMIN_TOKEN") {
        return Ok(None);
    }
    secrets::strong(settings, "ADMIN_TOKEN", 2).map(Some)
}

#[cfg(test)]
mod tests;
