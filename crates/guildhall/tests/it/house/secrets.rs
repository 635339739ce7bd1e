//! Every secret of a working house, and whether some text has one of them.

use base64::{Engine, engine::general_purpose};

use super::{Discord, House, LINK_TOKEN, SESSION_SECRET};

/// Of a program that acts as others and has things done.
pub(crate) const API_TOKEN: &str = "api-token-of-the-test-house-0123456789abcdef";
/// Of the operator.
pub(crate) const ADMIN_TOKEN: &str = "admin-token-of-the-test-house-0123456789abcdef";
/// Of the operator's own login, and ours.
pub(crate) const JWT_SECRET: &str = "jwt-secret-of-the-test-house-0123456789abcdef";

/// For `API_TOKENS`: the one above.
pub(crate) const API_TOKENS: &str = "app+as+write:api-token-of-the-test-house-0123456789abcdef";

/// What must be in no log, and what of it in no answer either.
pub(crate) struct Secrets(Vec<Secret>);

struct Secret {
    what: &'static str,
    value: String,
    /// Everything that it looks like.
    forms: Vec<String>,
}

impl Secrets {
    /// Those of the house itself: whoever asks, they are in nothing that leaves it.
    pub(crate) fn of(house: &House) -> Self {
        let Discord {
            bot_token,
            client_secret,
            ..
        } = &house.discord;
        let mut secrets = Self(Vec::new());
        for (what, value) in [
            ("bot token", bot_token.as_str()),
            ("client secret", client_secret),
            ("link token", LINK_TOKEN),
            ("session secret", SESSION_SECRET),
            ("a program's token", API_TOKEN),
            ("secret of JWTs", JWT_SECRET),
            ("the operator's token", ADMIN_TOKEN),
        ] {
            secrets.add(what, value);
        }
        secrets
    }

    /// Nobody's.
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// One more, of somebody's.
    pub(crate) fn add(&mut self, what: &'static str, value: &str) {
        self.0.push(Secret {
            what,
            value: value.to_owned(),
            forms: forms(value),
        });
    }

    /// Panics with the first line of a log that has one of them, in whatever form.
    pub(crate) fn are_in_no_log_of(&self, house: &House) {
        for process in [&house.gateway, &house.web, &house.simulator] {
            let forms = self.0.iter().flat_map(|secret| &secret.forms);
            let forms: Vec<&str> = forms.map(String::as_str).collect();
            let line = process.logged_any(&forms);
            let whose = line.as_ref().and_then(|line| {
                let mut secrets = self.0.iter();
                secrets.find(|secret| secret.forms.iter().any(|form| line.contains(form)))
            });
            assert!(line.is_none(), "{:?}: {line:?}", whose.map(|it| it.what));
        }
    }

    /// Whether one of them is in it as it is, whatever else was sent along.
    pub(crate) fn found_in(&self, text: &str) -> Option<&'static str> {
        let mut secrets = self.0.iter();
        secrets.find_map(|secret| text.contains(&secret.value).then_some(secret.what))
    }
}

/// As it is, as it is in a URL, and within anything that was put into base64, wherever it begins.
fn forms(secret: &str) -> Vec<String> {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.to_owned(), encoded];
    for before in 0..3 {
        let padded = [&vec![0; before], secret.as_bytes()].concat();
        for engine in [general_purpose::STANDARD, general_purpose::URL_SAFE] {
            let text = engine.encode(&padded);
            // The letters at both ends are made of what is beside it as well.
            let inner = text.trim_end_matches('=');
            let (begin, end) = ([0, 2, 3][before], inner.len() - 1);
            forms.push(inner[begin..end].to_owned());
        }
    }
    forms
}
