//! Whether it is Discord who speaks to this application.

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The public half of the key that Discord signs with for one application (Ed25519), as the
/// developer portal shows it: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscordPublicKey([u8; 32]);

/// The text is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key has 64 hexadecimal digits")]
pub struct InvalidPublicKey;

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature-ed25519");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-signature-timestamp");

/// Longer ones are not Discord's.
const TIMESTAMP_MAX: usize = 64;

/// What a request says to prove that it is Discord's.
pub(crate) struct DiscordSignature<'a> {
    signature: [u8; 64],
    timestamp: &'a [u8],
}

impl<'a> DiscordSignature<'a> {
    /// `None`: a header is missing, is there twice, or says nothing that Discord would.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let only = |name| {
            let mut all = headers.get_all(name).iter();
            let value = all.next().map(HeaderValue::as_bytes);
            value.filter(|_| all.next().is_none())
        };
        let signature = bytes(only(SIGNATURE)?)?;
        let timestamp = only(TIMESTAMP)?;
        let is_sound = (1..=TIMESTAMP_MAX).contains(&timestamp.len());
        is_sound.then_some(Self {
            signature,
            timestamp,
        })
    }
}

impl DiscordPublicKey {
    /// Whether it is this key's signature of the timestamp beside it and the body.
    pub(crate) fn has_signed(&self, signature: &DiscordSignature<'_>, body: &[u8]) -> bool {
        let signed = [signature.timestamp, body].concat();
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(&signed, &signature.signature).is_ok()
    }
}

impl FromStr for DiscordPublicKey {
    type Err = InvalidPublicKey;

    fn from_str(text: &str) -> Result<Self, InvalidPublicKey> {
        bytes(text.as_bytes()).map(Self).ok_or(InvalidPublicKey)
    }
}

/// Exactly so many bytes, written in hexadecimal digits of either case.
fn bytes<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
    if hex.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        let value = (digit(0)? << 4) | digit(1)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    pub(crate) fn hex(bytes: &[u8]) -> String {
        let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.concat()
    }

    fn pair() -> (Ed25519KeyPair, DiscordPublicKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let key = hex(pair.public_key().as_ref()).parse().expect("a key");
        (pair, key)
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_str(value).expect("visible ASCII");
            headers.append(name.clone(), value);
        }
        headers
    }

    fn has_signed(key: &DiscordPublicKey, headers: &HeaderMap, body: &[u8]) -> bool {
        let signature = DiscordSignature::of(headers);
        signature.is_some_and(|signature| key.has_signed(&signature, body))
    }

    #[test]
    fn a_key_is_sixty_four_digits_and_nothing_else() {
        let digits = "0123456789abcdef".repeat(4);
        assert!(digits.parse::<DiscordPublicKey>().is_ok());
        assert_eq!(
            digits.to_uppercase().parse::<DiscordPublicKey>(),
            digits.parse()
        );
        for wrong in [
            "",
            &digits[1..],
            &format!("{digits}0"),
            &"g".repeat(64),
            &"+1".repeat(32),
            &" 1".repeat(32),
            &"ä".repeat(32),
        ] {
            assert_eq!(
                wrong.parse::<DiscordPublicKey>(),
                Err(InvalidPublicKey),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_was_signed_is_the_timestamp_and_the_body_as_they_came() {
        let (pair, key) = pair();
        let signature = hex(pair.sign(b"1700000000{\"type\":0}").as_ref());
        let said = |signature: &str, timestamp: &str, body: &str| {
            let headers = headers(&[(SIGNATURE, signature), (TIMESTAMP, timestamp)]);
            has_signed(&key, &headers, body.as_bytes())
        };
        assert!(said(&signature, "1700000000", "{\"type\":0}"));
        assert!(said(
            &signature.to_uppercase(),
            "1700000000",
            "{\"type\":0}"
        ));
        assert!(!said(&signature, "1700000001", "{\"type\":0}"));
        assert!(!said(&signature, "1700000000", "{\"type\": 0}"));
        assert!(!said(&signature[2..], "1700000000", "{\"type\":0}"));
        assert!(!said(&"00".repeat(64), "1700000000", "{\"type\":0}"));
        assert!(!said("", "1700000000", "{\"type\":0}"));
        let other = "ff".repeat(32).parse::<DiscordPublicKey>().expect("digits");
        let all = headers(&[(SIGNATURE, &signature), (TIMESTAMP, "1700000000")]);
        assert!(
            !has_signed(&other, &all, b"{\"type\":0}"),
            "no point of the curve"
        );
    }

    #[test]
    fn headers_that_are_missing_or_there_twice_prove_nothing() {
        let (pair, key) = pair();
        let signature = hex(pair.sign(b"1body").as_ref());
        for pairs in [
            &[(SIGNATURE, &*signature)][..],
            &[(TIMESTAMP, "1")],
            &[(SIGNATURE, &signature), (TIMESTAMP, "1"), (TIMESTAMP, "1")],
            &[
                (SIGNATURE, &signature),
                (SIGNATURE, &signature),
                (TIMESTAMP, "1"),
            ],
        ] {
            let headers = headers(pairs);
            assert!(!has_signed(&key, &headers, b"body"), "{pairs:?}");
        }
        let empty = hex(pair.sign(b"body").as_ref());
        let headers = headers(&[(SIGNATURE, &empty), (TIMESTAMP, "")]);
        assert!(!has_signed(&key, &headers, b"body"));
    }
}
