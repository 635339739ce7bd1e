//! `API_TOKENS`: the operator's own programs.

use guildhall_http::StrongSecret;
use guildhall_web::{ApiToken, ApiTokenGrants};

use super::{ConfigError, Settings, parse, refuse, secrets};

/// Of one name: the one in use, and the one that takes its place.
const PER_NAME: usize = 2;

/// Names are labels of metrics.
const NAME_MAX: usize = 32;

/// More programs than anybody has.
const TOKENS_MAX: usize = 64;

/// `name[+as][+write]:token`, comma-separated.
pub(super) fn api_tokens(settings: &Settings) -> Result<Vec<ApiToken>, ConfigError> {
    let setting = &settings.written("API_TOKENS");
    let mut tokens: Vec<ApiToken> = Vec::new();
    for part in settings.get("API_TOKENS").into_iter().flat_map(parse::list) {
        let token = api_token(setting, part)?;
        let of_name = tokens.iter().filter(|other| other.name == token.name);
        let (mut of_name, mut others) = (of_name.peekable(), tokens.iter());
        if others.any(|other| other.secret.expose() == token.secret.expose()) {
            return refuse!("{setting} has the same token twice: each needs one of its own.");
        }
        if of_name
            .peek()
            .is_some_and(|other| other.grants != token.grants)
        {
            return refuse!(
                "{setting} has two tokens named {}, which may do different things: give them names of their own.",
                token.name
            );
        }
        if of_name.count() >= PER_NAME {
            return refuse!(
                "{setting} has more than {PER_NAME} tokens named {}: two are enough to go from one to the next.",
                token.name
            );
        }
        tokens.push(token);
    }
    if tokens.len() > TOKENS_MAX {
        return refuse!("{setting} has more than {TOKENS_MAX} tokens.");
    }
    Ok(tokens)
}

/// What is wrong is said without the text, which may be all secret.
fn api_token(setting: &str, part: &str) -> Result<ApiToken, ConfigError> {
    const MAKE: &str = "make one with `openssl rand -hex 32`";
    let Some((said, secret)) = part.split_once(':') else {
        return refuse!(
            "{setting} has an entry without a colon: write name:token, comma-separated."
        );
    };
    let mut words = said.split('+').map(str::trim);
    let name = words.next().unwrap_or_default();
    let fits = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
        return refuse!(
            "{setting} has an entry whose name is not 1 to {NAME_MAX} letters, digits, dots, dashes or underscores: write name:token."
        );
    }
    let (mut acts, mut writes) = (false, false);
    for word in words {
        match word {
            "as" if !acts => acts = true,
            "write" if !writes => writes = true,
            _ => {
                return refuse!(
                    "{setting} has {name} with something else than +as and +write after its name: write {name}+as+write:token."
                );
            }
        }
    }
    let grants = match (acts, writes) {
        (false, false) => ApiTokenGrants::Look,
        (true, false) => ApiTokenGrants::ActAs,
        (true, true) => ApiTokenGrants::ActAsAndWrite,
        (false, true) => {
            return refuse!(
                "{setting} has {name} with +write and without +as: commands are somebody's, so write {name}+as+write:token."
            );
        }
    };
    let label = format!("{setting}, of {name},");
    let Ok(secret) = StrongSecret::try_from(secrets::usable(&label, secret.trim(), MAKE)?) else {
        let least = StrongSecret::MIN_LENGTH;
        return refuse!("{label} is shorter than {least} characters: {MAKE}.");
    };
    Ok(ApiToken {
        name: name.into(),
        secret,
        grants,
    })
}

#[cfg(test)]
mod tests;
