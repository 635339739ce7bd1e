use std::collections::HashMap;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::house::{Failure, House, Outcome};

const REDIRECT: &str = "http://127.0.0.1:9/auth/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-for-tests";

/// Name and value pairs of a query or form.
type Fields<'a> = Vec<(&'a str, String)>;

fn asked(house: &House) -> Fields<'static> {
    vec![
        ("response_type", "code".to_owned()),
        ("client_id", house.application.id.to_string()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("scope", "identify guilds".to_owned()),
        ("state", "st&te".to_owned()),
        ("sim_user", house.application.member_id.to_string()),
    ]
}

fn with<'a>(mut fields: Fields<'a>, name: &'a str, value: &str) -> Fields<'a> {
    fields.retain(|(own, _)| *own != name);
    fields.push((name, value.to_owned()));
    fields
}

fn with_challenge(fields: Fields<'_>) -> Fields<'_> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    with(
        with(fields, "code_challenge", &challenge),
        "code_challenge_method",
        "S256",
    )
}

/// Status and the fields of the redirect, if it was one.
async fn authorize(
    house: &House,
    fields: Fields<'_>,
) -> Result<(u16, HashMap<String, String>), Failure> {
    let url = url::Url::parse_with_params(&house.url("/oauth2/authorize"), &fields)?;
    let answer = house.http.get(url).send().await?;
    let back = match answer.headers().get("location") {
        Some(location) => url::Url::parse(location.to_str()?)?
            .query_pairs()
            .into_owned()
            .collect(),
        None => HashMap::new(),
    };
    Ok((answer.status().as_u16(), back))
}

async fn code(house: &House, fields: Fields<'_>) -> Result<String, Failure> {
    let (status, back) = authorize(house, fields).await?;
    assert_eq!(status, 302);
    back.get("code")
        .cloned()
        .ok_or_else(|| format!("no code in {back:?}").into())
}

fn exchange(house: &House, code: &str) -> Fields<'static> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("client_id", house.application.id.to_string()),
        ("client_secret", house.application.client_secret.clone()),
    ]
}

async fn post(house: &House, path: &str, form: Fields<'_>) -> Result<(u16, Value), Failure> {
    let answer = house.http.post(house.url(path)).form(&form).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

async fn token(house: &House, form: Fields<'_>) -> Result<(u16, Value), Failure> {
    post(house, "/api/oauth2/token", form).await
}

/// The first member signs in: their access token.
pub(crate) async fn signed_in(house: &House) -> Result<String, Failure> {
    let code = code(house, asked(house)).await?;
    let (_, tokens) = token(house, exchange(house, &code)).await?;
    let token = tokens["access_token"].as_str();
    Ok(token.ok_or("no token")?.to_owned())
}

async fn get_as(house: &House, path: &str, token: &Value) -> Result<(u16, Value), Failure> {
    let token = token.as_str().unwrap_or_default();
    let answer = house
        .http
        .get(house.url(path))
        .bearer_auth(token)
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

#[tokio::test]
async fn a_login_with_a_challenge_ends_in_tokens_that_open_the_user() -> Outcome {
    let house = House::open().await?;
    let (status, back) = authorize(&house, with_challenge(asked(&house))).await?;
    assert_eq!(status, 302);
    assert_eq!(back["state"], "st&te");
    assert_eq!(back["iss"], house.url(""));
    let form = with(exchange(&house, &back["code"]), "code_verifier", VERIFIER);
    let (status, tokens) = token(&house, form).await?;
    assert_eq!((status, &tokens["token_type"]), (200, &"Bearer".into()));
    assert_eq!(tokens["scope"], "identify guilds");

    let (_, user) = get_as(&house, "/api/v10/users/@me", &tokens["access_token"]).await?;
    assert_eq!(user["id"], house.application.member_id.to_string());
    let (_, guilds) = get_as(&house, "/api/v10/users/@me/guilds", &tokens["access_token"]).await?;
    assert_eq!(guilds.as_array().map(Vec::len), Some(2));
    let (status, _) = get_as(&house, "/api/v10/gateway/bot", &tokens["access_token"]).await?;
    assert_eq!(status, 401);
    Ok(())
}

#[tokio::test]
async fn a_wrong_or_missing_verifier_is_an_invalid_grant_and_spends_the_code() -> Outcome {
    let house = House::open().await?;
    for verifier in [Some("wrong"), None] {
        let code = code(&house, with_challenge(asked(&house))).await?;
        let mut form = exchange(&house, &code);
        if let Some(verifier) = verifier {
            form = with(form, "code_verifier", verifier);
        }
        let (status, answer) = token(&house, form.clone()).await?;
        assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
        let (status, _) = token(&house, with(form, "code_verifier", VERIFIER)).await?;
        assert_eq!(status, 400);
    }
    Ok(())
}

#[tokio::test]
async fn a_code_is_good_once_and_its_second_use_revokes_the_first() -> Outcome {
    let house = House::open().await?;
    let code = code(&house, asked(&house)).await?;
    let (_, tokens) = token(&house, exchange(&house, &code)).await?;
    let (status, answer) = token(&house, exchange(&house, &code)).await?;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()));
    let (status, _) = get_as(&house, "/api/v10/users/@me", &tokens["access_token"]).await?;
    assert_eq!(status, 401);
    Ok(())
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_rfc_6749() -> Outcome {
    let house = House::open().await?;
    let fresh = async || Ok::<_, Failure>(exchange(&house, &code(&house, asked(&house)).await?));
    let cases = [
        (
            with(fresh().await?, "client_secret", "wrong"),
            401,
            "invalid_client",
        ),
        (
            with(fresh().await?, "redirect_uri", "http://127.0.0.1:9/other"),
            400,
            "invalid_grant",
        ),
        (
            with(fresh().await?, "code", "nonsense"),
            400,
            "invalid_grant",
        ),
        (
            with(fresh().await?, "grant_type", "password"),
            400,
            "unsupported_grant_type",
        ),
        (vec![], 401, "invalid_client"),
    ];
    for (form, status, error) in cases {
        let (got, answer) = token(&house, form).await?;
        assert_eq!((got, &answer["error"]), (status, &error.into()));
    }
    let as_json = house
        .http
        .post(house.url("/api/oauth2/token"))
        .json(&serde_json::json!({"grant_type": "authorization_code"}))
        .send()
        .await?;
    assert_eq!(as_json.status(), 400);
    Ok(())
}

#[tokio::test]
async fn basic_credentials_refresh_and_revocation_work() -> Outcome {
    let house = House::open().await?;
    let application = &house.application;
    let basic = STANDARD.encode(format!("{}:{}", application.id, application.client_secret));
    let call = async |path: &str, form: Fields<'_>| {
        let request = house.http.post(house.url(path)).form(&form);
        let answer = request
            .header("authorization", format!("Basic {basic}"))
            .send()
            .await?;
        Ok::<(u16, Value), Failure>((answer.status().as_u16(), answer.json().await?))
    };
    let code = code(&house, asked(&house)).await?;
    let form = exchange(&house, &code).into_iter().take(3).collect();
    let (status, first) = call("/api/oauth2/token", form).await?;
    assert_eq!(status, 200);
    let refresh = |tokens: &Value| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            (
                "refresh_token",
                tokens["refresh_token"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            ),
        ]
    };
    let (status, second) = call("/api/oauth2/token", refresh(&first)).await?;
    assert_eq!(status, 200);
    assert_ne!(first["access_token"], second["access_token"]);
    let (status, _) = call("/api/oauth2/token", refresh(&first)).await?;
    assert_eq!(status, 400);

    let revoked = vec![(
        "token",
        second["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )];
    let (status, _) = call("/api/oauth2/token/revoke", revoked).await?;
    assert_eq!(status, 200);
    for tokens in [&first, &second] {
        let (status, _) = get_as(&house, "/api/v10/users/@me", &tokens["access_token"]).await?;
        assert_eq!(status, 401);
    }
    Ok(())
}

#[tokio::test]
async fn nothing_is_sent_to_a_stranger() -> Outcome {
    let house = House::open().await?;
    for redirect in [
        "https://example.com/cb",
        "http://localhost.example.com/",
        "http://127.0.0.1@example.com/",
        "javascript:alert(1)",
        "http://127.0.0.1/#part",
        "",
    ] {
        let (status, back) =
            authorize(&house, with(asked(&house), "redirect_uri", redirect)).await?;
        assert_eq!((status, back.len()), (400, 0), "{redirect}");
    }
    let (status, back) = authorize(&house, with(asked(&house), "client_id", "1")).await?;
    assert_eq!((status, back.len()), (400, 0));
    let bot = house.application.id.to_string();
    let (status, _) = authorize(&house, with(asked(&house), "sim_user", &bot)).await?;
    assert_eq!(status, 400);
    Ok(())
}

#[tokio::test]
async fn the_application_lists_its_redirects_and_may_have_exactly_some() -> Outcome {
    let house = House::open().await?;
    let listed = async || -> Result<Value, Failure> {
        let token = format!("Bot {}", house.application.bot_token);
        let request = house.http.get(house.url("/api/v10/applications/@me"));
        let answer = request.header("authorization", token).send().await?;
        Ok(answer.json::<Value>().await?["redirect_uris"].clone())
    };
    assert_eq!(listed().await?, json!([]));
    let (status, _) = authorize(&house, asked(&house)).await?;
    assert_eq!(status, 302);
    assert_eq!(listed().await?, json!([REDIRECT]));
    let other = "https://hall.example/auth/callback";
    let edit = json!({"redirectUris": [other]});
    house.act("PATCH", "/sim/application", edit).await?;
    assert_eq!(listed().await?, json!([other]));
    let (status, _) = authorize(&house, asked(&house)).await?;
    assert_eq!(status, 400);
    let (status, _) = authorize(&house, with(asked(&house), "redirect_uri", other)).await?;
    assert_eq!(status, 302);
    Ok(())
}

#[tokio::test]
async fn what_the_client_did_wrong_goes_back_to_the_client() -> Outcome {
    let house = House::open().await?;
    let challenge = with(asked(&house), "code_challenge", "abc");
    let cases = [
        (
            with(asked(&house), "response_type", "token"),
            "unsupported_response_type",
        ),
        (with(asked(&house), "scope", "everything"), "invalid_scope"),
        (
            with(challenge.clone(), "code_challenge_method", "plain"),
            "invalid_request",
        ),
        (challenge, "invalid_request"),
        (with(asked(&house), "sim_user", ""), "access_denied"),
    ];
    for (fields, error) in cases {
        let (status, back) = authorize(&house, fields).await?;
        assert_eq!(
            (status, back["error"].as_str(), back["state"].as_str()),
            (302, error, "st&te")
        );
    }
    Ok(())
}

#[tokio::test]
async fn the_picker_shows_people_and_no_bot_and_escapes_what_it_is_given() -> Outcome {
    let house = House::open().await?;
    let mut fields = with(asked(&house), "state", "\"><script>");
    fields.retain(|(name, _)| *name != "sim_user");
    let url = url::Url::parse_with_params(&house.url("/oauth2/authorize"), &fields)?;
    // Whose name shows nothing is called by their unique one.
    let blank = "\u{3164}\u{200b} ";
    let change = json!({"globalName": blank});
    let path = format!("/sim/users/{}", house.application.member_id);
    let changed = house.http.patch(house.url(&path)).json(&change);
    changed.send().await?.error_for_status()?;
    let page = house.http.get(url).send().await?.text().await?;
    assert!(page.contains("Juniper") && page.contains("Cancel"));
    assert!(page.contains("<b dir=\"auto\">rowan.ash</b>"));
    assert!(page.contains(&format!("sim_user={}", house.application.member_id)));
    assert!(!page.contains(&format!("sim_user={}", house.application.id)));
    assert!(!page.contains("<script"));
    Ok(())
}

#[tokio::test]
async fn prompt_none_asks_nobody_who_granted_the_same_before() -> Outcome {
    let house = House::open().await?;
    let mut silent = with(asked(&house), "prompt", "none");
    silent.retain(|(name, _)| *name != "sim_user");
    let visit = async |fields: &Fields<'_>, cookie: &str| {
        let url = url::Url::parse_with_params(&house.url("/oauth2/authorize"), fields)?;
        let answer = house.http.get(url).header("cookie", cookie).send().await?;
        let cookie = answer.headers().get("set-cookie").cloned();
        Ok::<_, Failure>((answer.status().as_u16(), cookie))
    };
    let person = format!("simulated_person={}", house.application.member_id);
    assert_eq!(visit(&silent, &person).await?.0, 200, "nothing was granted");
    let (status, cookie) = visit(&asked(&house), "").await?;
    let cookie = cookie.ok_or("no cookie")?;
    let cookie = cookie.to_str()?.split(';').next().unwrap_or_default();
    assert_eq!((status, cookie), (302, person.as_str()));
    assert_eq!(visit(&silent, cookie).await?.0, 302);
    assert_eq!(visit(&silent, "").await?.0, 200, "somebody else's browser");
    let more = with(silent.clone(), "scope", "identify guilds email");
    assert_eq!(visit(&more, cookie).await?.0, 200, "more than was granted");
    let asks = with(silent.clone(), "prompt", "consent");
    assert_eq!(visit(&asks, cookie).await?.0, 200);
    // What was taken back must be granted again.
    let code = code(&house, asked(&house)).await?;
    let (_, tokens) = token(&house, exchange(&house, &code)).await?;
    let application = &house.application;
    let revoked = vec![
        ("client_id", application.id.to_string()),
        ("client_secret", application.client_secret.clone()),
        (
            "token",
            tokens["access_token"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        ),
    ];
    let revoke = house.http.post(house.url("/api/oauth2/token/revoke"));
    assert_eq!(revoke.form(&revoked).send().await?.status(), 200);
    assert_eq!(visit(&silent, cookie).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_client_is_not_two_at_once() -> Outcome {
    let house = House::open().await?;
    let application = &house.application;
    let basic = STANDARD.encode(format!("{}:{}", application.id, application.client_secret));
    for (id, status) in [("1".to_owned(), 400), (application.id.to_string(), 200)] {
        let code = code(&house, asked(&house)).await?;
        let mut form: Fields<'_> = exchange(&house, &code).into_iter().take(3).collect();
        form.push(("client_id", id));
        let request = house.http.post(house.url("/api/oauth2/token")).form(&form);
        let answer = request.header("authorization", format!("Basic {basic}"));
        assert_eq!(answer.send().await?.status(), status);
    }
    Ok(())
}

#[tokio::test]
async fn an_access_token_lasts_as_long_as_the_settings_say() -> Outcome {
    for (seconds, status) in [(60, 200), (0, 401)] {
        let lifetime = std::time::Duration::from_secs(seconds);
        let house = House::with(|config| config.grants.access = lifetime).await?;
        let (_, back) = authorize(&house, with_challenge(asked(&house))).await?;
        let form = with(exchange(&house, &back["code"]), "code_verifier", VERIFIER);
        let (_, tokens) = token(&house, form).await?;
        assert_eq!(tokens["expires_in"], seconds);
        let (got, _) = get_as(&house, "/api/v10/users/@me", &tokens["access_token"]).await?;
        assert_eq!(got, status);
    }
    Ok(())
}
