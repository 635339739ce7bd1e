//! Codes and tokens: what they open and when they end.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

use crate::{
    config::GrantLifetimes,
    snowflake::{SeededRng, Snowflake},
};

#[cfg(test)]
mod tests;

/// The scopes that a person can grant here.
pub(crate) const SCOPES: [&str; 6] = [
    "identify",
    "guilds",
    "guilds.join",
    "guilds.members.read",
    "email",
    "openid",
];

/// Codes, access and refresh tokens kept, of each kind. Beyond it the one that
/// would end first makes room.
const MOST_OF_A_KIND: usize = 10_000;

/// What an access token opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) user_id: Snowflake,
    pub(crate) scopes: Vec<String>,
    /// When the token ends; nothing as long as it is no token.
    pub(crate) ends: Option<Instant>,
}

impl Access {
    pub(crate) fn scopes(&self) -> &[String] {
        &self.scopes
    }

    pub(crate) fn ends_in(&self, now: Instant) -> Duration {
        self.ends
            .map_or(Duration::ZERO, |ends| ends.duration_since(now))
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }
}

/// What a person agreed to on the authorize page.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    pub(crate) access: Access,
    pub(crate) redirect_uri: String,
    /// S256 challenge, if the client sent one.
    pub(crate) challenge: Option<String>,
}

/// Both tokens of a grant.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) scopes: Vec<String>,
    /// Of the access token.
    pub(crate) lifetime: Duration,
}

/// RFC 6749 `invalid_grant`, with what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidGrant(pub(crate) &'static str);

/// Every code and token that is good for something.
pub(crate) struct Grants {
    rng: SeededRng,
    lifetimes: GrantLifetimes,
    codes: HashMap<String, Issued<Code>>,
    access: HashMap<String, Issued<Holder>>,
    refresh: HashMap<String, Issued<Holder>>,
    /// What each person granted and did not take back.
    agreed: HashMap<Snowflake, BTreeSet<String>>,
}

struct Issued<T> {
    what: T,
    ends: Instant,
}

enum Code {
    Fresh(Consent),
    /// Spent codes are remembered until they end: a second use revokes what the first got.
    Spent,
}

struct Holder {
    access: Access,
    /// The code this token came from, directly or by refreshing.
    code: String,
}

impl Grants {
    pub(crate) fn new(seed: u64, lifetimes: GrantLifetimes) -> Self {
        Self {
            lifetimes,
            // Apart from the world's draws, so that logins do not change later ids.
            rng: SeededRng::from_seed(seed ^ 0x006f_6175_7468),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            agreed: HashMap::new(),
        }
    }

    /// A single-use code for what was agreed to.
    pub(crate) fn issue_code(&mut self, consent: Consent, now: Instant) -> String {
        let code = self.rng.letters(30);
        let Access {
            user_id, scopes, ..
        } = &consent.access;
        let agreed = self.agreed.entry(*user_id).or_default();
        agreed.extend(scopes.iter().cloned());
        keep(
            &mut self.codes,
            code.clone(),
            Code::Fresh(consent),
            now,
            self.lifetimes.code,
        );
        code
    }

    /// Exchanges a code. Whatever the answer, the code is spent.
    pub(crate) fn exchange(
        &mut self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: Instant,
    ) -> Result<Tokens, InvalidGrant> {
        let known = self.codes.get_mut(code).filter(|issued| now < issued.ends);
        let issued = known.ok_or(InvalidGrant("the code is unknown or expired"))?;
        let Code::Fresh(consent) = std::mem::replace(&mut issued.what, Code::Spent) else {
            self.access.retain(|_, issued| issued.what.code != code);
            self.refresh.retain(|_, issued| issued.what.code != code);
            return Err(InvalidGrant("the code was used before"));
        };
        if consent.redirect_uri != redirect_uri {
            return Err(InvalidGrant(
                "redirect_uri is not that of the authorization",
            ));
        }
        match (consent.challenge, verifier) {
            (None, None) => {}
            (Some(challenge), Some(verifier))
                if is_verifier(verifier) && answers(&challenge, verifier) => {}
            (Some(_), Some(_)) => {
                return Err(InvalidGrant("code_verifier does not answer the challenge"));
            }
            (Some(_), None) => return Err(InvalidGrant("code_verifier is missing")),
            (None, Some(_)) => {
                return Err(InvalidGrant(
                    "code_verifier came without a challenge before it",
                ));
            }
        }
        Ok(self.issue_tokens(&consent.access, code, now))
    }

    /// A new pair of tokens for a refresh token, which is spent by it.
    pub(crate) fn renew(&mut self, refresh: &str, now: Instant) -> Result<Tokens, InvalidGrant> {
        let unknown = InvalidGrant("the refresh token is unknown or expired");
        let issued = self
            .refresh
            .remove(refresh)
            .filter(|issued| now < issued.ends);
        let Issued {
            what: Holder { access, code },
            ..
        } = issued.ok_or(unknown)?;
        Ok(self.issue_tokens(&access, &code, now))
    }

    /// Whether a person has granted all of this before, and not taken it back.
    pub(crate) fn has_agreed(&self, user_id: Snowflake, scopes: &[String]) -> bool {
        let agreed = self.agreed.get(&user_id);
        agreed.is_some_and(|agreed| scopes.iter().all(|scope| agreed.contains(scope)))
    }

    /// Ends every token and code of the user whose token this is.
    pub(crate) fn revoke(&mut self, token: &str) {
        let holder = self.access.get(token).or_else(|| self.refresh.get(token));
        if let Some(user_id) = holder.map(|issued| issued.what.access.user_id) {
            self.take_back(user_id);
        }
    }

    /// Ends every token and code of a user, who has to be asked again. Whether they had agreed to
    /// anything.
    pub(crate) fn take_back(&mut self, user_id: Snowflake) -> bool {
        self.access
            .retain(|_, issued| issued.what.access.user_id != user_id);
        self.refresh
            .retain(|_, issued| issued.what.access.user_id != user_id);
        self.codes.retain(|_, issued| match &issued.what {
            Code::Fresh(consent) => consent.access.user_id != user_id,
            Code::Spent => true,
        });
        self.agreed.remove(&user_id).is_some()
    }

    /// What an access token opens now.
    pub(crate) fn access(&self, token: &str, now: Instant) -> Option<Access> {
        let issued = self.access.get(token).filter(|issued| now < issued.ends)?;
        let mut access = issued.what.access.clone();
        access.ends = Some(issued.ends);
        Some(access)
    }

    fn issue_tokens(&mut self, access: &Access, code: &str, now: Instant) -> Tokens {
        let tokens = Tokens {
            access: self.rng.letters(30),
            refresh: self.rng.letters(30),
            scopes: access.scopes.clone(),
            lifetime: self.lifetimes.access,
        };
        let holder = || Holder {
            access: access.clone(),
            code: code.to_owned(),
        };
        keep(
            &mut self.access,
            tokens.access.clone(),
            holder(),
            now,
            self.lifetimes.access,
        );
        keep(
            &mut self.refresh,
            tokens.refresh.clone(),
            holder(),
            now,
            self.lifetimes.refresh,
        );
        tokens
    }
}

fn keep<T>(
    all: &mut HashMap<String, Issued<T>>,
    key: String,
    what: T,
    now: Instant,
    lifetime: Duration,
) {
    if all.len() >= MOST_OF_A_KIND {
        all.retain(|_, issued| now < issued.ends);
    }
    if all.len() >= MOST_OF_A_KIND {
        let first = all
            .iter()
            .min_by_key(|(_, issued)| issued.ends)
            .map(|(key, _)| key.clone());
        if let Some(first) = first {
            all.remove(&first);
        }
    }
    all.insert(
        key,
        Issued {
            what,
            ends: now + lifetime,
        },
    );
}

/// 43 to 128 unreserved characters (RFC 7636 §4.1).
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Whether a text can be an S256 challenge: 32 bytes in base64url, without padding.
pub(crate) fn is_challenge(text: &str) -> bool {
    URL_SAFE_NO_PAD
        .decode(text)
        .is_ok_and(|digest| digest.len() == 32)
}

/// Whether BASE64URL(SHA256(verifier)) is the challenge.
fn answers(challenge: &str, verifier: &str) -> bool {
    let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    computed.as_bytes().ct_eq(challenge.as_bytes()).into()
}
