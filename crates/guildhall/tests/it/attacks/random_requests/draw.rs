//! Requests drawn from the OpenAPI document: mostly what a route asks for, and every now and then something
//! else in the place of a part of it.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};

use crate::{attacks::encoded, oracle::rng::Rng};

/// Texts that somebody once read wrongly.
const ODD_TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "\r\nX-Injected: 1",
    "\u{feff}",
    "\u{202e}abc",
    "\u{85}",
    "\u{2028}",
    "👩‍👩‍👧‍👦",
    "e\u{301}\u{301}\u{301}\u{301}",
    "null",
    "undefined",
    "true",
    "NaN",
    "0",
    "-1",
    "00",
    "01",
    "1e9",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "../../../etc/passwd",
    "..%2f..%2f",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "\"; DROP TABLE rooms; --",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "%s%s%n",
    "%00",
    "%0d%0a",
    "%",
    "%zz",
    "javascript:alert(1)",
    "//evil.example",
    "\\\\evil",
    "@everyone",
    "<@1>",
    "```",
    "\u{1b}[31m",
    "https://evil.example/",
];

/// What there is, by what a field is called.
#[derive(Clone, Debug, Default)]
pub(super) struct Pools {
    pub(super) guilds: Vec<String>,
    pub(super) channels: Vec<String>,
    pub(super) users: Vec<String>,
    pub(super) invites: Vec<String>,
    pub(super) jwts: Vec<String>,
    pub(super) cursors: Vec<String>,
}

impl Pools {
    /// `path`: of the route, since not every token is one of the same kind.
    fn of(&self, path: &str, name: &str) -> &[String] {
        match name {
            "guildId" | "guild" => &self.guilds,
            "channelId" | "channel" | "viewing" | "parentId" => &self.channels,
            "userId" | "Guildhall-As" => &self.users,
            "token" if path == "/auth/exchange" => &self.jwts,
            "token" | "invite" => &self.invites,
            "lastEventId" | "Last-Event-ID" => &self.cursors,
            _ => &[],
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) method: String,
    /// With its query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
}

/// Draws for one operation.
pub(super) struct Draw<'a> {
    pub(super) rng: Rng,
    pub(super) path: &'a str,
    pub(super) document: &'a Value,
    pub(super) pools: &'a Pools,
    /// The house's own.
    pub(super) origin: &'a str,
}

impl Draw<'_> {
    pub(super) fn request(&mut self, method: &str, operation: &Value) -> Drawn {
        let mut headers = HeaderMap::new();
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            let times = self.rng.choose(&[0, 0, 1, 1, 1, 2, 5, 120]);
            for _ in 0..times {
                let value = self.text_of(name, &parameter["schema"]);
                match parameter["in"].as_str() {
                    Some("query") => query.push(format!("{name}={}", self.in_query(&value))),
                    Some("header") => put(&mut headers, name, &value),
                    other => panic!("a parameter in {other:?}"),
                }
                if times == 120 && query.len() < 120 && self.rng.one_in(3) {
                    break;
                }
            }
        }
        if self.rng.one_in(10) {
            let odd = self.odd_text();
            query.push(format!("{}={}", self.in_query(&odd), self.in_query(&odd)));
        }
        let has_body = operation["requestBody"].is_object();
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let body = (has_body || self.rng.one_in(10)).then(|| self.body(schema));
        self.headers(method, &mut headers);
        let method = if self.rng.one_in(25) {
            self.rng.choose(&[
                "get", "head", "post", "put", "patch", "delete", "options", "trace", "brew",
            ])
        } else {
            method
        };
        let target = if query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, query.join("&"))
        };
        Drawn {
            method: method.to_uppercase(),
            target,
            headers,
            body,
        }
    }

    fn headers(&mut self, method: &str, headers: &mut HeaderMap) {
        if method == "post" && !self.rng.one_in(30) {
            put(headers, "origin", self.origin);
        }
        if method == "post" && !self.rng.one_in(30) {
            put(headers, "content-type", "application/json");
        }
        if self.rng.one_in(10) {
            let name = self.rng.choose(&[
                "origin",
                "content-type",
                "sec-fetch-site",
                "accept-encoding",
                "range",
                "if-none-match",
                "expect",
                "x-forwarded-for",
                "forwarded",
                "te",
                "upgrade",
                "content-encoding",
                "accept",
                "idempotency-key",
                "last-event-id",
                "guildhall-as",
                "purpose",
                "sec-purpose",
                "access-control-request-method",
            ]);
            let value = match self.rng.between(0, 3) {
                0 => self.odd_text(),
                1 => self
                    .rng
                    .choose(&[
                        "100-continue",
                        "gzip",
                        "bytes=0-1",
                        "prefetch",
                        "*",
                        "cross-site",
                        "POST",
                    ])
                    .to_owned(),
                2 => "x".repeat(usize::try_from(self.rng.between(1, 9_000)).expect("a length")),
                _ => "203.0.113.9, 127.0.0.1".to_owned(),
            };
            put(headers, name, &value);
        }
    }

    /// JSON as asked for; one in ten times its bytes are not.
    fn body(&mut self, schema: &Value) -> Vec<u8> {
        let value = if schema.is_null() {
            json!({})
        } else {
            self.value("", schema, 0)
        };
        let mut bytes = value.to_string().into_bytes();
        if !self.rng.one_in(10) {
            return bytes;
        }
        let end = bytes.len();
        let place = usize::try_from(self.rng.between(0, u64::try_from(end).expect("a length")))
            .expect("a place");
        match self.rng.between(0, 8) {
            0 => bytes.truncate(place),
            1 => bytes.insert(
                place,
                u8::try_from(self.rng.between(0, 255)).expect("a byte"),
            ),
            2 => bytes
                .splice(place..place, [0xed, 0xa0, 0x80])
                .for_each(drop),
            3 => bytes.splice(place..place, *b"\\ud800").for_each(drop),
            4 => bytes = [bytes.as_slice(), bytes.as_slice()].concat(),
            5 => bytes = b"[".repeat(60_000),
            6 => bytes = [b"\xef\xbb\xbf", bytes.as_slice()].concat(),
            7 => bytes.resize(70_000, b' '),
            _ => bytes.clear(),
        }
        bytes
    }

    fn value(&mut self, name: &str, schema: &Value, depth: u32) -> Value {
        if self.rng.one_in(25) {
            return self.odd_value(depth);
        }
        let schema = self.resolved(schema);
        if let Some(choices) = schema["enum"].as_array() {
            return self.rng.pick(choices).cloned().unwrap_or_default();
        }
        for several in ["oneOf", "anyOf", "allOf"] {
            if let Some(one) = schema[several]
                .as_array()
                .and_then(|all| self.rng.pick(all))
            {
                return self.value(name, one, depth + 1);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.rng.pick(kinds).cloned().unwrap_or_default(),
            kind => kind.clone(),
        };
        match kind.as_str() {
            Some("object") => self.object(&schema, depth),
            Some("array") => {
                let length = self.rng.between(0, 3);
                (0..length)
                    .map(|_| self.value(name, &schema["items"], depth + 1))
                    .collect()
            }
            Some("boolean") => json!(self.rng.one_in(2)),
            Some("integer" | "number") => {
                let least = schema["minimum"].as_i64().unwrap_or(0);
                let most = schema["maximum"].as_i64().unwrap_or(100_000);
                json!(self.rng.choose(&[
                    least,
                    most,
                    least - 1,
                    most.saturating_add(1),
                    i64::midpoint(least, most)
                ]))
            }
            _ => json!(self.text(name)),
        }
    }

    fn object(&mut self, schema: &Value, depth: u32) -> Value {
        let mut object = Map::new();
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let is_left_out = self.rng.one_in(if required.contains(&name.as_str()) {
                20
            } else {
                2
            });
            if !is_left_out {
                object.insert(name.clone(), self.value(name, field, depth + 1));
            }
        }
        if self.rng.one_in(15) {
            object.insert(self.odd_text(), json!(1));
        }
        Value::Object(object)
    }

    fn resolved(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(place) => self
                .document
                .pointer(&place[1..])
                .expect("it is in the document")
                .clone(),
            None => schema.clone(),
        }
    }

    /// What a parameter is given.
    fn text_of(&mut self, name: &str, schema: &Value) -> String {
        let mut schema = self.resolved(schema);
        if schema["type"] == "array" {
            schema = self.resolved(&schema["items"]);
        }
        match schema["enum"]
            .as_array()
            .and_then(|words| self.rng.pick(words))
        {
            Some(word) if !self.rng.one_in(8) => word.as_str().unwrap_or_default().to_owned(),
            _ => self.text(name),
        }
    }

    fn text(&mut self, name: &str) -> String {
        if self.rng.one_in(15) {
            return self.odd_text();
        }
        let there = self.rng.pick(self.pools.of(self.path, name)).cloned();
        there.unwrap_or_else(|| match self.rng.between(0, 3) {
            0 => "Table".to_owned(),
            1 => format!("/{}", self.rng.between(0, 9)),
            2 => self.rng.draw().to_string(),
            _ => format!("key-{}", self.rng.between(0, 40)),
        })
    }

    fn odd_text(&mut self) -> String {
        match self.rng.between(0, 9) {
            0 => "A".repeat(usize::try_from(self.rng.between(90, 3_000)).expect("a length")),
            1 => {
                let letters = (0..self.rng.between(1, 12))
                    .map(|_| u32::try_from(self.rng.between(0, 0x2_ffff)).expect("a letter"));
                letters.filter_map(char::from_u32).collect()
            }
            _ => self.rng.choose(ODD_TEXTS).to_owned(),
        }
    }

    fn odd_value(&mut self, depth: u32) -> Value {
        match self.rng.between(0, 11) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!(0),
            3 => json!(-1),
            4 => json!(u64::MAX),
            5 => json!(1e308),
            6 => json!([]),
            7 => json!({}),
            8 if depth < 4 => json!([self.odd_value(depth + 1), self.odd_value(depth + 1)]),
            9 if depth < 4 => json!({ self.odd_text(): self.odd_value(depth + 1) }),
            _ => json!(self.odd_text()),
        }
    }

    fn in_query(&mut self, value: &str) -> String {
        // Now and then as it is, where a target may have it.
        let is_plain = value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#&<>\"`{}".contains(&byte));
        if is_plain && self.rng.one_in(3) {
            value.to_owned()
        } else {
            encoded(value)
        }
    }
}

/// Where a header may have it.
fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let name: HeaderName = name.parse().expect("a name");
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.append(name, value);
    }
}
