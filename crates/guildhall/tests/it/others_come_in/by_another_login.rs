use base64::{
    Engine,
    prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::future::join_all;
use guildhall_ports::{Clock, SystemClock};
use reqwest::{Response, StatusCode};
use ring::{hmac, rand::SystemRandom, signature};
use serde_json::{Value, json};

use super::is_refusal;
use crate::house::{House, cookie_of, secrets::JWT_SECRET};

/// Good for somebody, by this name, so many seconds from now.
pub(crate) fn claims(user: &str, id: &str, seconds: i64) -> Value {
    let now = i64::try_from(SystemClock.now() / 1_000).expect("a time");
    json!({ "sub": user, "aud": "guildhall", "jti": id, "exp": now + seconds })
}

/// A JWT, signed by this.
fn signed(algorithm: &str, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!(
        "{}.{}",
        part(&json!({ "alg": algorithm, "typ": "JWT" })),
        part(claims)
    );
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |text| hmac::sign(&key, text).as_ref().to_vec()
}

pub(crate) fn by_secret(claims: &Value) -> String {
    signed("HS256", claims, hs256(JWT_SECRET.as_bytes()))
}

/// As a page of ours sends it.
pub(crate) async fn exchange(house: &House, token: &str) -> Response {
    let request = house.http.post(house.url("/auth/exchange"));
    let request = request.header("origin", house.url(""));
    let body = json!({ "token": token });
    request.json(&body).send().await.expect("web answers")
}

async fn refused(house: &House, token: &str, status: u16, what: &str) {
    let answer = exchange(house, token).await;
    assert_eq!(answer.status().as_u16(), status, "{what}");
    is_refusal(answer, &[token, JWT_SECRET]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signs_in_once_whoever_is_killed_in_between() {
    let mut house = House::with(&[("JWT_SECRET", JWT_SECRET)]).await;
    let visitor = house.discord.visitor.clone();
    let token = by_secret(&claims(&visitor, "once", 300));
    let asked = (0..8).map(|_| exchange(&house, &token));
    let answers = join_all(asked).await;
    let (good, bad): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status() == StatusCode::OK);
    assert_eq!((good.len(), bad.len()), (1, 7), "of eight at one moment");
    for answer in bad {
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        is_refusal(answer, &[&token]).await;
    }
    let cookie = cookie_of(&good[0]).expect("a session");
    let me: Value = house
        .get("/api/me", Some(&cookie))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(me["user"]["id"], visitor.as_str());
    let mut stream = house.stream(&cookie, "", None).await;
    stream.until("snapshot").await;
    assert!(
        stream.raw.contains(&house.discord.rooms[0]),
        "{}",
        stream.raw
    );
    assert!(!stream.raw.contains(&house.discord.gated), "{}", stream.raw);

    let another = house.another_web().await;
    let url = format!("http://localhost:{}/auth/exchange", another.ports.web);
    let request = house.http.post(url).json(&json!({ "token": token }));
    let answer = request.send().await.expect("web answers");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "at another web");
    house.restart_web().await;
    refused(&house, &token, 401, "after web's end").await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    refused(
        &house,
        &by_secret(&claims(&visitor, "meanwhile", 300)),
        503,
        "nobody remembers it",
    )
    .await;
    house.restart_gateway();
    house.until_ready(house.ports.web_ops).await;
    refused(&house, &token, 401, "after the gateway's end").await;
    let next = exchange(&house, &by_secret(&claims(&visitor, "next", 300))).await;
    assert_eq!(next.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_ours_in_time_and_signed_by_the_secret_is_taken() {
    let house = House::with(&[("JWT_SECRET", JWT_SECRET)]).await;
    let visitor = house.discord.visitor.as_str();
    let good = |id: &str| claims(visitor, id, 300);
    let but = |id: &str, name: &str, value: Value| {
        let mut claims = good(id);
        claims[name] = value;
        claims
    };
    let own = hs256(JWT_SECRET.as_bytes());
    let cases = [
        ("for another", by_secret(&but("1", "aud", json!("forum")))),
        ("for nobody", by_secret(&but("2", "aud", Value::Null))),
        ("of nobody", by_secret(&but("3", "sub", Value::Null))),
        ("without a name", by_secret(&but("4", "jti", Value::Null))),
        ("without an end", by_secret(&but("5", "exp", Value::Null))),
        (
            "over for two minutes",
            by_secret(&claims(visitor, "6", -120)),
        ),
        ("for a day", by_secret(&claims(visitor, "7", 86_400))),
        (
            "not before tomorrow",
            by_secret(&but(
                "8",
                "nbf",
                json!(claims(visitor, "", 86_400)["exp"].clone()),
            )),
        ),
        (
            "of another secret",
            signed(
                "HS256",
                &good("9"),
                hs256(b"another-secret-0123456789abcdefghi"),
            ),
        ),
        ("unsigned", signed("none", &good("10"), |_| Vec::new())),
        ("unsigned, said so", signed("None", &good("11"), &own)),
        ("by another word", signed("RS256", &good("12"), &own)),
        ("by no word", signed("", &good("13"), &own)),
    ];
    for (what, token) in cases {
        refused(&house, &token, 401, what).await;
    }
    // Their clock may be a minute off.
    let late = exchange(&house, &by_secret(&claims(visitor, "late", -30))).await;
    assert_eq!(late.status(), StatusCode::OK);
    let foreign = house.http.post(house.url("/auth/exchange"));
    let foreign = foreign.header("origin", "https://evil.example");
    let body = json!({ "token": by_secret(&good("page")) });
    let foreign = foreign.json(&body).send().await.expect("web answers");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    is_refusal(foreign, &[JWT_SECRET]).await;
}

/// What is between the lines that begin and end a PEM.
fn pem_bytes(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let text: String = lines.collect();
    STANDARD.decode(text).expect("base64")
}

/// Everybody has a public key; whoever takes it for a secret takes everybody's tokens.
#[tokio::test(flavor = "multi_thread")]
async fn a_public_key_is_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let pair = rcgen::KeyPair::generate().expect("a key");
    let pem = pair.public_key_pem();
    let file = folder.path().join("public.pem");
    std::fs::write(&file, &pem).expect("a file");
    let file = file.display().to_string();
    let house = House::with(&[("JWT_PUBLIC_KEY", &file)]).await;
    let visitor = house.discord.visitor.as_str();
    let claims = |id: &str| claims(visitor, id, 300);
    let random = SystemRandom::new();
    let key = signature::EcdsaKeyPair::from_pkcs8(
        &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        &pair.serialize_der(),
        &random,
    );
    let key = key.expect("a key of P-256");
    let es256 = |text: &[u8]| {
        let signature = key.sign(&random, text).expect("a signature");
        signature.as_ref().to_vec()
    };
    let der = pem_bytes(&pem);
    for (what, secret) in [
        ("its file", pem.as_bytes()),
        ("its file, trimmed", pem.trim().as_bytes()),
        ("its bytes", &der),
        ("its point", pair.public_key_raw()),
    ] {
        let token = signed("HS256", &claims(what), hs256(secret));
        refused(&house, &token, 401, what).await;
        let token = signed("ES256", &claims(what), hs256(secret));
        refused(&house, &token, 401, what).await;
    }
    let empty = signed("ES256", &claims("empty"), |_| vec![0; 64]);
    refused(&house, &empty, 401, "a signature of zeros").await;
    let token = signed("ES256", &claims("right"), es256);
    assert_eq!(exchange(&house, &token).await.status(), StatusCode::OK);
}
