use guildhall_http::Secret;
use ring::{rand::SystemRandom, signature::KeyPair};
use serde_json::{Value, json};

use super::*;

const NOW: UnixMs = 1_763_000_000_000;
const SECRET: &str = "an-app-beside-the-hall-signs-in-people";

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims() -> Value {
    json!({
        "sub": "80351110224678912",
        "aud": "guildhall",
        "exp": NOW / 1_000 + 300,
        "jti": "one",
        "preferred_username": "anna",
        "name": "Anna",
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut all = claims();
    all[name] = value;
    all
}

fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn hs256(signed: &[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, signed).as_ref().to_vec()
}

fn by_secret() -> JwtKey {
    let secret: Secret = SECRET.parse().expect("visible ASCII");
    JwtKey::of_secret(&StrongSecret::try_from(secret).expect("long"))
}

fn said(claims: &Value) -> Result<JwtIdentity, JwtRefusal> {
    by_secret().verify(&token(&json!({ "alg": "HS256" }), claims, hs256), NOW)
}

/// A key in an X.509 `SubjectPublicKeyInfo`, as PEM.
fn pem(algorithm: &[u8], key: &[u8]) -> String {
    let wrapped = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("short");
        [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
    };
    let bits = wrapped(0x03, &[&[0], key].concat());
    let der = wrapped(0x30, &[algorithm, &bits].concat());
    let text = base64::prelude::BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

const ED25519: [u8; 7] = [0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
const P256: [u8; 21] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07,
];

#[test]
fn a_good_token_says_who_somebody_is() {
    let expected = JwtIdentity {
        user_id: UserId(80_351_110_224_678_912),
        token_id: "one".to_owned(),
        good_until: NOW + 360_000,
        username: Some("anna".to_owned()),
        display_name: Some("Anna".to_owned()),
    };
    assert_eq!(said(&claims()), Ok(expected.clone()));
    let among = with("aud", json!(["other", "guildhall"]));
    assert_eq!(said(&among), Ok(expected));
}

#[test]
fn what_is_wrong_with_a_claim_is_refused() {
    let seconds = NOW / 1_000;
    for (name, value, refusal) in [
        ("aud", json!("guildhal"), JwtRefusal::WrongAudience),
        ("aud", json!(["other"]), JwtRefusal::WrongAudience),
        ("aud", json!([]), JwtRefusal::WrongAudience),
        ("aud", Value::Null, JwtRefusal::WrongAudience),
        ("exp", Value::Null, JwtRefusal::Expired),
        ("exp", json!(0), JwtRefusal::Expired),
        ("exp", json!(-1), JwtRefusal::Expired),
        ("exp", json!(seconds - 60), JwtRefusal::Expired),
        ("exp", json!(seconds + 661), JwtRefusal::TooLong),
        ("exp", json!(1e300), JwtRefusal::TooLong),
        ("exp", json!("300"), JwtRefusal::Unreadable),
        ("nbf", json!(seconds + 61), JwtRefusal::TooEarly),
        ("iat", json!(seconds + 61), JwtRefusal::TooEarly),
        ("sub", Value::Null, JwtRefusal::BadSubject),
        ("sub", json!(""), JwtRefusal::BadSubject),
        ("sub", json!("0"), JwtRefusal::BadSubject),
        ("sub", json!("+7"), JwtRefusal::BadSubject),
        ("sub", json!("anna"), JwtRefusal::BadSubject),
        ("sub", json!("18446744073709551616"), JwtRefusal::BadSubject),
        ("sub", json!(80_351_110), JwtRefusal::Unreadable),
        ("jti", Value::Null, JwtRefusal::NoId),
        ("jti", json!(""), JwtRefusal::NoId),
        ("jti", json!("x".repeat(257)), JwtRefusal::NoId),
    ] {
        assert_eq!(
            said(&with(name, value.clone())),
            Err(refusal),
            "{name}: {value}"
        );
    }
    // A clock may be a minute off, either way.
    for (name, value) in [
        ("exp", json!(seconds - 59)),
        ("exp", json!(seconds + 660)),
        ("nbf", json!(seconds + 60)),
        ("iat", json!(seconds + 60)),
        ("iat", json!(seconds - 10_000)),
    ] {
        assert!(said(&with(name, value.clone())).is_ok(), "{name}: {value}");
    }
}

#[test]
fn the_key_alone_says_which_algorithm() {
    let random = SystemRandom::new();
    let pkcs8 = signature::Ed25519KeyPair::generate_pkcs8(&random).expect("a key");
    let pair = signature::Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key");
    let public = pem(&ED25519, pair.public_key().as_ref());
    let by_public = JwtKey::of_public_key(public.as_bytes()).expect("a key");
    let sign = |signed: &[u8]| pair.sign(signed).as_ref().to_vec();
    let good = token(&json!({ "alg": "EdDSA" }), &claims(), sign);
    assert!(by_public.verify(&good, NOW).is_ok());
    // Confusion: the public key, which everybody has, taken for a secret.
    let with_public_key = |signed: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes());
        hmac::sign(&key, signed).as_ref().to_vec()
    };
    for alg in ["HS256", "none", "None", "ES256", "RS256", "HS512", ""] {
        let confused = token(&json!({ "alg": alg }), &claims(), with_public_key);
        let refused = by_public.verify(&confused, NOW);
        assert_eq!(refused, Err(JwtRefusal::WrongAlgorithm), "{alg}");
        let unsigned = token(&json!({ "alg": alg }), &claims(), |_| Vec::new());
        let refused = by_public.verify(&unsigned, NOW);
        assert_eq!(refused, Err(JwtRefusal::WrongAlgorithm), "{alg}");
    }
    let claimed = token(&json!({ "alg": "EdDSA" }), &claims(), with_public_key);
    assert_eq!(
        by_public.verify(&claimed, NOW),
        Err(JwtRefusal::BadSignature)
    );
    assert_eq!(
        by_secret().verify(&good, NOW),
        Err(JwtRefusal::WrongAlgorithm)
    );
}

#[test]
fn keys_of_elliptic_curves_are_read() {
    let random = SystemRandom::new();
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let pair = signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
    let pair = pair.expect("a key");
    let key = JwtKey::of_public_key(pem(&P256, pair.public_key().as_ref()).as_bytes());
    let key = key.expect("a key");
    let sign = |signed: &[u8]| {
        pair.sign(&random, signed)
            .expect("signed")
            .as_ref()
            .to_vec()
    };
    let good = token(
        &json!({ "alg": "ES256", "typ": "JWT", "kid": "7" }),
        &claims(),
        sign,
    );
    assert!(key.verify(&good, NOW).is_ok());
    let mut tampered = good.clone();
    tampered.replace_range(
        good.find('.').expect("a dot") + 3..good.find('.').expect("a dot") + 4,
        "A",
    );
    assert_ne!(key.verify(&tampered, NOW).err(), None);
}

#[test]
fn a_public_key_of_openssl_is_read() {
    const RSA: &str = include_str!("tests/rsa.pem");
    let key = JwtKey::of_public_key(RSA.as_bytes()).expect("a key");
    assert_eq!(format!("{key:?}"), "JwtKey(RS256)");
    let token = include_str!("tests/rsa.jwt").trim();
    assert!(key.verify(token, NOW).is_ok());
    let other = token.replace(&encoded(&claims()), &encoded(&with("sub", json!("7"))));
    assert_eq!(key.verify(&other, NOW), Err(JwtRefusal::BadSignature));
}

#[test]
fn what_is_no_key_is_refused() {
    let short = include_str!("tests/rsa1024.pem");
    for text in [
        "",
        "not PEM",
        SECRET,
        short,
        &pem(&ED25519, &[7; 31]),
        &pem(&P256, &[4; 64]),
        &pem(&P256, &[2; 33]),
        &pem(&[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x71], &[7; 57]),
        "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----\n",
    ] {
        assert!(JwtKey::of_public_key(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let good = token(&json!({ "alg": "HS256" }), &claims(), hs256);
    let key = by_secret();
    assert!(key.verify(&good, NOW).is_ok());
    for text in ["", ".", "..", "a.b", "a.b.c", "...."] {
        assert_eq!(
            key.verify(text, NOW),
            Err(JwtRefusal::Unreadable),
            "{text:?}"
        );
    }
    assert_eq!(
        key.verify(&format!("{good}="), NOW),
        Err(JwtRefusal::Unreadable)
    );
    assert_eq!(
        key.verify(&format!("{good}.x"), NOW),
        Err(JwtRefusal::Unreadable)
    );
    let long = "x".repeat(TOKEN_MAX + 1);
    assert_eq!(key.verify(&long, NOW), Err(JwtRefusal::Unreadable));
    let critical = json!({ "alg": "HS256", "crit": ["b64"], "b64": false });
    let critical = token(&critical, &claims(), hs256);
    assert_eq!(key.verify(&critical, NOW), Err(JwtRefusal::Critical));
    let foreign = token(&json!({ "alg": "HS256" }), &claims(), |signed| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"another-secret-of-another-application");
        hmac::sign(&key, signed).as_ref().to_vec()
    });
    assert_eq!(key.verify(&foreign, NOW), Err(JwtRefusal::BadSignature));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(text in ".{0,200}", bytes in proptest::collection::vec(0u8.., 0..200)) {
        drop(by_secret().verify(&text, NOW));
        _ = subject_public_key(&bytes);
        _ = modulus_bits(&bytes);
    }
}
