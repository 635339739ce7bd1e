//! The operator's own programs: `Authorization: Bearer`, and whom such a program acts as.

use std::sync::Arc;

use guildhall_model::UserId;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use metrics::counter;
use subtle::{Choice, ConstantTimeEq};

use super::unidentified::Unidentified;
use crate::{
    api_token::{ApiToken, ApiTokenGrants},
    replica::ViewerId,
};

/// Who a program says that it acts for.
const ACT_AS: &str = "guildhall-as";

/// What a page's requests have and no program's: a GET to one's own origin has no `Origin`. Node's own
/// `fetch` sends the mode, `sec-fetch-mode`, but never the site.
const SENT_BY_BROWSERS: [HeaderName; 2] =
    [header::ORIGIN, HeaderName::from_static("sec-fetch-site")];

/// A program's request: its token, and as whom it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The token's name.
    pub(crate) token: Arc<str>,
    /// Whose eyes it sees with.
    pub(crate) viewer: ViewerId,
    /// Whether it may have things done.
    pub(crate) may_write: bool,
}

/// All that are known here.
#[derive(Clone, Debug, Default)]
pub(crate) struct ApiTokens(Arc<[ApiToken]>);

impl ApiTokens {
    pub(super) fn new(tokens: &[ApiToken]) -> Self {
        for token in tokens {
            counter!("guildhall_api_token_requests_total", "token" => token.name.to_string())
                .increment(0);
        }
        Self(tokens.into())
    }

    /// The program of a request that comes as one. `None`: it does not.
    pub(super) fn program(&self, headers: &HeaderMap) -> Option<Result<Program, Unidentified>> {
        if !says_bearer(headers) {
            return None;
        }
        let program = match bearer(headers) {
            None => Err(Unidentified::UnknownToken),
            Some(token) => self.identify(token, headers),
        };
        if let Err(why) = &program {
            counter!("guildhall_api_token_refusals_total", "reason" => why.word()).increment(1);
        }
        Some(program)
    }

    fn identify(&self, said: &str, headers: &HeaderMap) -> Result<Program, Unidentified> {
        let token = self.find(said).ok_or(Unidentified::UnknownToken)?;
        if SENT_BY_BROWSERS
            .iter()
            .any(|name| headers.contains_key(name))
        {
            return Err(Unidentified::TokenFromBrowser);
        }
        let viewer = match (act_as(headers)?, token.grants) {
            (None, _) => ViewerId::Bot,
            (Some(_), ApiTokenGrants::Look) => return Err(Unidentified::MayNotActAs),
            (Some(user), _) => ViewerId::Person(user),
        };
        counter!("guildhall_api_token_requests_total", "token" => token.name.to_string())
            .increment(1);
        Ok(Program {
            token: Arc::clone(&token.name),
            viewer,
            may_write: token.grants == ApiTokenGrants::ActAsAndWrite && viewer != ViewerId::Bot,
        })
    }

    /// All are compared, whichever it is, each in constant time.
    fn find(&self, said: &str) -> Option<&ApiToken> {
        let mut found = None;
        for token in &*self.0 {
            let is_it: Choice = token.secret.expose().as_bytes().ct_eq(said.as_bytes());
            if bool::from(is_it) {
                found = Some(token);
            }
        }
        found
    }
}

/// Whether a request comes as a program's, with whatever token. A browser's login to a proxy before us is
/// none of our business.
pub(super) fn says_bearer(headers: &HeaderMap) -> bool {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    let first = said.next().map(HeaderValue::as_bytes);
    first.is_some_and(|first| said.next().is_some() || !is_other_scheme(first))
}

/// The one token in `Authorization: Bearer TOKEN`; the scheme's name has no case.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    let first = said.next().filter(|_| said.next().is_none())?;
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

fn is_other_scheme(value: &[u8]) -> bool {
    let scheme = value.split(|byte| *byte == b' ').next().unwrap_or_default();
    !scheme.eq_ignore_ascii_case(b"bearer")
}

fn act_as(headers: &HeaderMap) -> Result<Option<UserId>, Unidentified> {
    let mut said = headers.get_all(ACT_AS).iter();
    let Some(first) = said.next() else {
        return Ok(None);
    };
    let digits = first
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match digits.and_then(|text| text.parse().ok()) {
        Some(id @ 1u64..) if said.next().is_none() => Ok(Some(UserId(id))),
        _ => Err(Unidentified::BadActAs),
    }
}

#[cfg(test)]
mod tests;
