//! Secrets: what is said in an `Authorization` header and never in a log.

use std::{fmt, str::FromStr};

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A secret of visible ASCII characters, at least one: any header can carry it. It has no text
/// form; whoever needs the characters calls [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(SecretString);

/// A secret that nobody guesses: of [`StrongSecret::MIN_LENGTH`] characters or more.
#[derive(Clone, Debug)]
pub struct StrongSecret(Secret);

/// A secret on its way to the next one: the first is said and seals, all of them are understood.
#[derive(Clone, Debug)]
pub struct RotatedSecret {
    /// The one in use.
    pub current: StrongSecret,
    /// Those that are still understood.
    pub others: Vec<StrongSecret>,
}

/// It is empty, or has a character that is no visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no secret of visible ASCII characters")]
pub struct UnusableSecret;

/// It is shorter than [`StrongSecret::MIN_LENGTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret that is too short")]
pub struct ShortSecret;

impl Secret {
    /// The characters.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The value of an `Authorization` header: `scheme`, a blank, the secret. Its own `Debug` has
    /// no text either.
    #[must_use]
    pub fn authorization(&self, scheme: &str) -> HeaderValue {
        let text = format!("{scheme} {}", self.expose());
        let value = HeaderValue::try_from(text);
        let mut value = value.expect("a scheme and a secret are visible ASCII");
        value.set_sensitive(true);
        value
    }
}

impl FromStr for Secret {
    type Err = UnusableSecret;

    fn from_str(text: &str) -> Result<Self, UnusableSecret> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || !visible {
            return Err(UnusableSecret);
        }
        Ok(Self(SecretString::from(text)))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl StrongSecret {
    /// Shorter ones can be guessed.
    pub const MIN_LENGTH: usize = 32;

    /// As it is said.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// The characters.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl TryFrom<Secret> for StrongSecret {
    type Error = ShortSecret;

    fn try_from(secret: Secret) -> Result<Self, ShortSecret> {
        if secret.expose().len() < Self::MIN_LENGTH {
            return Err(ShortSecret);
        }
        Ok(Self(secret))
    }
}

impl RotatedSecret {
    /// The one in use, then the others.
    pub fn iter(&self) -> impl Iterator<Item = &StrongSecret> {
        std::iter::once(&self.current).chain(&self.others)
    }
}

impl From<StrongSecret> for RotatedSecret {
    fn from(current: StrongSecret) -> Self {
        Self {
            current,
            others: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_header_can_carry_is_no_secret() {
        for text in ["", " ", "a b", "a\nb", "ä"] {
            assert_eq!(
                text.parse::<Secret>().err(),
                Some(UnusableSecret),
                "{text:?}"
            );
        }
        let secret: Secret = "hush".parse().expect("visible ASCII");
        assert_eq!(secret.authorization("Bearer"), "Bearer hush");
    }

    #[test]
    fn a_secret_has_no_text_form() {
        let text = "an-old-oak-holds-the-roof-of-this-hall";
        let secret: Secret = text.parse().expect("visible ASCII");
        let strong = StrongSecret::try_from(secret.clone()).expect("long enough");
        let rotated = RotatedSecret::from(strong);
        let shown = format!("{secret:?} {rotated:?} {:?}", secret.authorization("Bot"));
        assert!(!shown.contains("oak"), "{shown}");
    }

    #[test]
    fn a_short_secret_is_not_strong() {
        for (length, strong) in [(31, false), (32, true)] {
            let secret: Secret = "x".repeat(length).parse().expect("visible ASCII");
            assert_eq!(StrongSecret::try_from(secret).is_ok(), strong, "{length}");
        }
    }
}
