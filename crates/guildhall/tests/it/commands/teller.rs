//! Somebody with a cookie who gives commands, and what they are told.

use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::house::{House, LINK_TOKEN, SESSION_SECRET};

/// Somebody who has signed in.
#[derive(Clone, Debug)]
pub(crate) struct Teller {
    pub(crate) id: String,
    pub(crate) cookie: String,
}

/// What a command is answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// The body as it came.
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    /// Everything that came.
    pub(crate) async fn read(response: Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let header = response.headers().get("retry-after");
        let retry_after = header.and_then(|value| value.to_str().ok()?.parse().ok());
        let text = response.text().await?;
        Ok(Self {
            status,
            retry_after,
            body: serde_json::from_str(&text).expect("JSON"),
            text,
        })
    }

    /// The status, with the outcome or the error in a word.
    pub(crate) fn told(&self) -> (u16, &str) {
        let outcome = self.body["outcome"].as_str();
        let word = outcome.or(self.body["error"]["code"].as_str());
        (self.status, word.unwrap_or_else(|| panic!("{self:?}")))
    }

    /// A number of the body, such as a time.
    pub(crate) fn number(&self, field: &str) -> u64 {
        let number = self.body[field].as_u64();
        number.unwrap_or_else(|| panic!("no {field} in {self:?}"))
    }
}

impl Teller {
    pub(crate) async fn sign_in(house: &House, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            cookie: house.sign_in(id).await,
        }
    }

    /// Gives a command, as a page does.
    pub(crate) async fn give(
        &self,
        house: &House,
        name: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Answer {
        let request = self.request(house, name, key, body);
        let answer = request.send().await.expect("web answers");
        let answer = Answer::read(answer).await.expect("to its end");
        let secrets = [
            LINK_TOKEN,
            SESSION_SECRET,
            &house.discord.bot_token,
            &house.discord.client_secret,
            &house.discord.gated,
        ];
        for secret in secrets {
            assert!(!answer.text.contains(secret), "{name} {body}: {answer:?}");
        }
        answer
    }

    /// The same, to be sent.
    pub(crate) fn request(
        &self,
        house: &House,
        name: &str,
        key: Option<&str>,
        body: &Value,
    ) -> RequestBuilder {
        let url = house.url(&format!("/api/rpc/{name}"));
        let request = house.http.post(url).header("cookie", &self.cookie);
        let request = request.header("sec-fetch-site", "same-origin").json(body);
        match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        }
    }
}

/// Whether it says that nothing was decided yet.
pub(crate) fn is_worth_another_try(answer: &Answer) -> bool {
    matches!(answer.status, 429 | 503 | 504) || answer.told() == (502, "discord_failed")
}

/// How often Discord did something of this name for somebody, by the audit log: what changes nothing
/// has no line there.
pub(crate) fn times_done(truth: &Value, name: &str, actor: &str) -> usize {
    let reason = format!("{name} by {actor}");
    let guilds = truth["guilds"].as_array().into_iter().flatten();
    let entries = guilds.flat_map(|guild| guild["auditLog"].as_array().into_iter().flatten());
    entries.filter(|entry| entry["reason"] == *reason).count()
}

/// How many requests came to a route of Discord's.
pub(crate) fn requests(truth: &Value, route: &str) -> u64 {
    truth["requests"][route].as_u64().unwrap_or_default()
}

/// Now, as answers tell times.
#[expect(
    clippy::disallowed_methods,
    reason = "what is told is compared with it"
)]
pub(crate) fn unix_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.expect("after 1970").as_millis()).expect("small")
}
