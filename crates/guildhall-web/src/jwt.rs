//! Tokens of the operator's own login (JWT): read, and checked by the one key that is set. The key fixes
//! the algorithm; what a token says of it has to be the same, and nothing else of its header is followed.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use guildhall_http::StrongSecret;
use guildhall_model::{UnixMs, UserId};
use guildhall_ports::millis;
use ring::{hmac, signature};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// Whom tokens have to be for.
const AUDIENCE: &str = "guildhall";

/// A token may be good for so long from now on at most: it is made for one sign-in.
const LIFE_MAX: Duration = Duration::from_mins(10);

/// The clock of who makes tokens may be so far from ours.
const SKEW: Duration = Duration::from_mins(1);

/// Longer than any that is made for this.
const TOKEN_MAX: usize = 8 * 1024;

/// A token's own id, in characters.
const ID_MAX: usize = 256;

/// Checks tokens.
#[derive(Clone)]
pub struct JwtKey(JwtKeyKind);

#[derive(Clone)]
enum JwtKeyKind {
    Hs256(hmac::Key),
    Public {
        algorithm: PublicAlgorithm,
        key: Vec<u8>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PublicAlgorithm {
    Es256,
    EdDsa,
    Rs256,
}

/// A file has no public key that tokens are checked by: the end of a sentence that has named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "which has no public key of P-256, Ed25519 or RSA with 2,048 bits or more: in PEM one begins with -----BEGIN PUBLIC KEY-----"
)]
pub struct InvalidJwtKey;

/// Who a token says that somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JwtIdentity {
    pub(crate) user_id: UserId,
    /// The token's own id.
    pub(crate) token_id: String,
    /// No token of that id is good after this.
    pub(crate) good_until: UnixMs,
    /// What they are called, if it says.
    pub(crate) username: Option<String>,
    pub(crate) display_name: Option<String>,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtRefusal {
    /// It can't be read.
    Unreadable,
    /// It is of another algorithm than the key's.
    WrongAlgorithm,
    /// Its signature is false.
    BadSignature,
    /// Its header asks for what is not known here.
    Critical,
    /// It is for somebody else.
    WrongAudience,
    /// Its time is over.
    Expired,
    /// It is good for longer than ten minutes.
    TooLong,
    /// Its time has not come.
    TooEarly,
    /// Its subject is no Discord id.
    BadSubject,
    /// It has no id, or one that is too long.
    NoId,
}

impl JwtKey {
    /// A secret that both sides have: HS256.
    #[must_use]
    pub fn of_secret(secret: &StrongSecret) -> Self {
        Self(JwtKeyKind::Hs256(hmac::Key::new(
            hmac::HMAC_SHA256,
            secret.expose().as_bytes(),
        )))
    }

    /// A public key, PEM: ES256, EdDSA or RS256 by what it is.
    ///
    /// # Errors
    ///
    /// It is none of these.
    pub fn of_public_key(pem: &[u8]) -> Result<Self, InvalidJwtKey> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| InvalidJwtKey)?;
        let (algorithm, key) = subject_public_key(&der).ok_or(InvalidJwtKey)?;
        let fits = match algorithm {
            PublicAlgorithm::Es256 => key.len() == 65 && key[0] == 4,
            PublicAlgorithm::EdDsa => key.len() == 32,
            PublicAlgorithm::Rs256 => modulus_bits(key).is_some_and(|bits| bits >= 2_048),
        };
        if !fits {
            return Err(InvalidJwtKey);
        }
        let key = key.to_vec();
        Ok(Self(JwtKeyKind::Public { algorithm, key }))
    }

    /// Who a token is about, if it is good now.
    pub(crate) fn verify(&self, token: &str, now: UnixMs) -> Result<JwtIdentity, JwtRefusal> {
        if token.len() > TOKEN_MAX {
            return Err(JwtRefusal::Unreadable);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JwtRefusal::Unreadable)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtRefusal::Unreadable)?;
        let header: Header = read(header)?;
        if header.alg != self.algorithm() {
            return Err(JwtRefusal::WrongAlgorithm);
        }
        if header.crit.is_some() {
            return Err(JwtRefusal::Critical);
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
        let signature = signature.map_err(|_| JwtRefusal::Unreadable)?;
        self.check(signed.as_bytes(), &signature)?;
        // Only what somebody signed is read further.
        read::<Claims>(claims)?.judge(now)
    }

    fn algorithm(&self) -> &'static str {
        match &self.0 {
            JwtKeyKind::Hs256(_) => "HS256",
            JwtKeyKind::Public { algorithm, .. } => match algorithm {
                PublicAlgorithm::Es256 => "ES256",
                PublicAlgorithm::EdDsa => "EdDSA",
                PublicAlgorithm::Rs256 => "RS256",
            },
        }
    }

    fn check(&self, signed: &[u8], signature: &[u8]) -> Result<(), JwtRefusal> {
        let checked = match &self.0 {
            // In constant time.
            JwtKeyKind::Hs256(key) => hmac::verify(key, signed, signature),
            JwtKeyKind::Public { algorithm, key } => {
                let algorithm: &dyn signature::VerificationAlgorithm = match algorithm {
                    PublicAlgorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
                    PublicAlgorithm::EdDsa => &signature::ED25519,
                    PublicAlgorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                signature::UnparsedPublicKey::new(algorithm, key).verify(signed, signature)
            }
        };
        checked.map_err(|_| JwtRefusal::BadSignature)
    }
}

impl JwtRefusal {
    /// The end of "The token …".
    pub(crate) fn says(self) -> &'static str {
        match self {
            Self::Unreadable => "is no JWT that can be read",
            Self::WrongAlgorithm => "is signed by another algorithm than the key's",
            Self::BadSignature => "is not signed by the key that is set here",
            Self::Critical => "asks in `crit` for what is not known here",
            Self::WrongAudience => "has not `guildhall` as its `aud`",
            Self::Expired => "has expired",
            Self::TooLong => "is good for more than ten minutes",
            Self::TooEarly => "is not good yet",
            Self::BadSubject => "has no Discord user's id as its `sub`",
            Self::NoId => "has no `jti`, or one of more than 256 characters",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    aud: Option<JwtAudience>,
    #[serde(default)]
    exp: Option<f64>,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum JwtAudience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    fn judge(self, now: UnixMs) -> Result<JwtIdentity, JwtRefusal> {
        let is_ours = match &self.aud {
            Some(JwtAudience::One(one)) => one == AUDIENCE,
            Some(JwtAudience::Several(several)) => several.iter().any(|one| one == AUDIENCE),
            None => false,
        };
        if !is_ours {
            return Err(JwtRefusal::WrongAudience);
        }
        let ends = self.exp.map_or(0, unix_ms);
        let good_until = ends.saturating_add(millis(SKEW));
        if good_until <= now {
            return Err(JwtRefusal::Expired);
        }
        if ends > now.saturating_add(millis(LIFE_MAX + SKEW)) {
            return Err(JwtRefusal::TooLong);
        }
        let begins = [self.nbf, self.iat].into_iter().flatten().map(unix_ms);
        if begins
            .max()
            .is_some_and(|begins| begins > now.saturating_add(millis(SKEW)))
        {
            return Err(JwtRefusal::TooEarly);
        }
        let is_id = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
        let subject = self.sub.filter(is_id).and_then(|text| text.parse().ok());
        let Some(user @ 1u64..) = subject else {
            return Err(JwtRefusal::BadSubject);
        };
        let fits = |id: &String| !id.is_empty() && id.chars().count() <= ID_MAX;
        Ok(JwtIdentity {
            user_id: UserId(user),
            token_id: self.jti.filter(fits).ok_or(JwtRefusal::NoId)?,
            good_until,
            username: self.preferred_username,
            display_name: self.name,
        })
    }
}

/// Seconds since 1970, as JSON has them; what is no time is before all times.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is between the bounds, and a cast saturates"
)]
fn unix_ms(seconds: f64) -> UnixMs {
    (seconds * 1_000.0).clamp(0.0, 1e15) as UnixMs
}

fn read<T: DeserializeOwned>(part: &str) -> Result<T, JwtRefusal> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part);
    let bytes = bytes.map_err(|_| JwtRefusal::Unreadable)?;
    serde_json::from_slice(&bytes).map_err(|_| JwtRefusal::Unreadable)
}

/// The algorithm and the key of an X.509 `SubjectPublicKeyInfo`, of those whose whole algorithm is
/// known here: a sequence of that and a bit string.
fn subject_public_key(der: &[u8]) -> Option<(PublicAlgorithm, &[u8])> {
    const ALGORITHMS: [(PublicAlgorithm, &[u8]); 3] = [
        (
            PublicAlgorithm::EdDsa,
            &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
        ),
        (
            PublicAlgorithm::Es256,
            &[
                0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
            ],
        ),
        (
            PublicAlgorithm::Rs256,
            &[
                0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
                0x00,
            ],
        ),
    ];
    let (body, []) = element(0x30, der)? else {
        return None;
    };
    ALGORITHMS.into_iter().find_map(|(algorithm, bytes)| {
        let (bits, []) = element(0x03, body.strip_prefix(bytes)?)? else {
            return None;
        };
        // No bit of the last byte is unused.
        Some((algorithm, bits.strip_prefix(&[0])?))
    })
}

/// The bits of the modulus of an RSA key: a sequence that begins with it.
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let (body, []) = element(0x30, key)? else {
        return None;
    };
    let (modulus, _exponent) = element(0x02, body)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let leading = modulus[first].leading_zeros() as usize;
    Some(8 * (modulus.len() - first) - leading)
}

/// The content of a DER element with this tag, and what is after it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtKey({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests;
