use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::house::{Failure, House, Outcome};

async fn get(house: &House, path: &str) -> Result<reqwest::Response, Failure> {
    let token = format!("Bot {}", house.application.bot_token);
    let request = house.http.get(house.url(&format!("/api/v10{path}")));
    Ok(request.header("authorization", token).send().await?)
}

async fn two_per_minute() -> Result<House, Failure> {
    House::with(|config| {
        config.rate_limits.bucket_requests = 2;
        config.rate_limits.bucket_window = Duration::from_mins(1);
    })
    .await
}

#[tokio::test]
async fn one_id_has_one_bucket_however_it_is_written() -> Outcome {
    let house = two_per_minute().await?;
    let guild = house.application.guild_id.to_string();
    // A digit's code is 30 and itself.
    let escaped: String = guild.chars().flat_map(|digit| ['%', '3', digit]).collect();
    for (id, status) in [
        (guild.as_str(), 200),
        (&escaped, 200),
        (&guild, 429),
        (&escaped, 429),
    ] {
        let answer = get(&house, &format!("/guilds/{id}/roles")).await?;
        assert_eq!(answer.status(), status, "{id}");
    }
    let padded = get(&house, &format!("/guilds/0{guild}")).await?;
    assert_eq!(padded.status(), 400);
    assert_eq!(padded.json::<Value>().await?["code"], 50_035);
    Ok(())
}

#[tokio::test]
async fn giving_and_taking_a_role_share_a_bucket() -> Outcome {
    let house = two_per_minute().await?;
    let (guild, user) = (house.application.guild_id, house.application.member_id);
    let role = house.role("Adventurer").await?;
    let path = format!("/api/v10/guilds/{guild}/members/{user}/roles/{role}");
    let token = format!("Bot {}", house.application.bot_token);
    let mut told = Vec::new();
    for method in ["PUT", "DELETE", "PUT"] {
        let request = house.http.request(method.parse()?, house.url(&path));
        let answer = request.header("authorization", &token).send().await?;
        told.push((
            answer.headers()["x-ratelimit-bucket"].clone(),
            answer.headers()["x-ratelimit-remaining"]
                .to_str()?
                .to_owned(),
            answer.status(),
        ));
    }
    assert_eq!(told[0].0, told[1].0);
    assert_eq!((told[0].1.as_str(), told[1].1.as_str()), ("1", "0"));
    assert_eq!(told[2].2, StatusCode::TOO_MANY_REQUESTS);
    let other = get(&house, &format!("/guilds/{guild}/roles")).await?;
    assert_ne!(other.headers()["x-ratelimit-bucket"], told[0].0);
    Ok(())
}

#[tokio::test]
async fn made_up_tokens_are_one_caller() -> Outcome {
    let house = House::with(|config| {
        config.rate_limits.global_requests = 2;
        config.rate_limits.global_window = Duration::from_mins(1);
    })
    .await?;
    let mut statuses = Vec::new();
    for turn in 0..3 {
        let request = house.http.get(house.url("/api/v10/users/@me"));
        let answer = request.header("authorization", format!("Bot made.up.{turn}"));
        statuses.push(answer.send().await?.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 429]);
    assert_eq!(get(&house, "/users/@me").await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn mistakes_at_the_token_endpoint_count_and_shut_out() -> Outcome {
    let house = House::with(|config| {
        config.rate_limits.invalid_requests = 3;
        config.rate_limits.invalid_window = Duration::from_millis(1500);
    })
    .await?;
    let ask = async || -> Result<u16, Failure> {
        let form = [("client_id", "1"), ("client_secret", "wrong")];
        let request = house.http.post(house.url("/api/oauth2/token")).form(&form);
        Ok(request.send().await?.status().as_u16())
    };
    for _ in 0..3 {
        assert_eq!(ask().await?, 401);
    }
    assert_eq!(house.state().await?["invalidRequests"], 3);
    assert_eq!(ask().await?, 429);
    assert_eq!(get(&house, "/users/@me").await?.status(), 429);
    // Who is shut out makes no new mistakes, and the time runs out.
    assert_eq!(house.state().await?["invalidRequests"], 3);
    let began = tokio::time::Instant::now();
    while get(&house, "/users/@me").await?.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    Ok(())
}

#[tokio::test]
async fn the_token_endpoint_has_a_global_limit() -> Outcome {
    let house = House::with(|config| {
        config.rate_limits.global_requests = 2;
        config.rate_limits.global_window = Duration::from_mins(1);
    })
    .await?;
    let mut statuses = Vec::new();
    for path in [
        "/api/oauth2/token",
        "/api/v10/oauth2/token",
        "/api/oauth2/token/revoke",
    ] {
        let answer = house.http.post(house.url(path)).send().await?;
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [400, 400, 429]);
    Ok(())
}

#[tokio::test]
async fn a_429_by_fault_has_the_headers_of_its_bucket() -> Outcome {
    let house = House::open().await?;
    let plain = get(&house, "/users/@me").await?;
    for scope in ["user", "shared"] {
        let fault = json!({"kind": "rate_limit", "scope": scope, "retryAfterMs": 1500});
        house.act("POST", "/sim/faults", fault).await?;
        let answer = get(&house, "/users/@me").await?;
        assert_eq!(answer.status(), 429);
        let headers = answer.headers();
        assert_eq!(headers["x-ratelimit-scope"], scope);
        assert_eq!(headers["retry-after"], "2");
        // A shared limit is not the bucket's, which is as full as it was.
        let is_empty = headers["x-ratelimit-remaining"] == "0";
        assert_eq!(is_empty, scope == "user");
        let ends_with_it = headers["x-ratelimit-reset-after"] == "1.500";
        assert_eq!(ends_with_it, scope == "user");
        for same in ["x-ratelimit-bucket", "x-ratelimit-limit"] {
            assert_eq!(headers[same], plain.headers()[same], "{same}");
        }
        assert!(headers.contains_key("x-ratelimit-reset"));
        house
            .act("POST", "/sim/faults", json!({"kind": "heal"}))
            .await?;
    }
    let fault = json!({"kind": "rate_limit", "scope": "global", "retryAfterMs": 1});
    house.act("POST", "/sim/faults", fault).await?;
    let answer = get(&house, "/users/@me").await?;
    assert!(!answer.headers().contains_key("x-ratelimit-bucket"));
    Ok(())
}

#[tokio::test]
async fn a_fault_meets_the_token_route_under_each_of_its_paths() -> Outcome {
    let house = House::open().await?;
    for path in ["/api/oauth2/token", "/api/v10/oauth2/token"] {
        let fault = json!({"kind": "status", "status": 503, "route": "POST /oauth2/token"});
        house.act("POST", "/sim/faults", fault).await?;
        let answer = house.http.post(house.url(path)).send().await?;
        assert_eq!(answer.status(), 503, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_fault_of_a_route_that_does_not_exist_is_refused() -> Outcome {
    let house = House::open().await?;
    for route in [
        "GET /nope",
        "PUT /guilds/{guild_id}/roles",
        "/guilds/{id}/nope",
    ] {
        for kind in [
            json!({"kind": "status", "status": 500, "route": route}),
            json!({"kind": "latency", "latencyMs": 1, "route": route}),
            json!({"kind": "rate_limit", "retryAfterMs": 1, "route": route}),
        ] {
            assert_eq!(house.try_act("POST", "/sim/faults", kind).await?.0, 400);
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_control_side_answers_to_its_own_names_only() -> Outcome {
    let house = House::open().await?;
    let port = house.address.rsplit(':').next().unwrap_or_default();
    for (host, status) in [
        (format!("127.0.0.1:{port}"), 200),
        (format!("localhost:{port}"), 200),
        (format!("sim.localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("evil.example:{port}"), 403),
        (format!("localhost.evil.example:{port}"), 403),
        ("evil.example".to_owned(), 403),
        ("127.0.0.1.evil.example".to_owned(), 403),
        ("@".to_owned(), 403),
    ] {
        let request = house.http.get(house.url("/sim/state"));
        let answer = request
            .header("host", &host)
            .header("sec-fetch-site", "same-origin")
            .send()
            .await?;
        assert_eq!(answer.status(), status, "{host}");
    }
    let public = House::with(|config| {
        config.public_url = Some("https://discord.example".to_owned());
    })
    .await?;
    let request = public.http.get(public.url("/sim/state"));
    let answer = request.header("host", "discord.example").send().await?;
    assert_eq!(answer.status(), 200);
    Ok(())
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() -> Outcome {
    let house = House::with(|config| config.body_limit = Duration::from_millis(50)).await?;
    for (path, head) in [
        ("/sim/faults", ""),
        (
            "/api/oauth2/token",
            "Content-Type: application/x-www-form-urlencoded\r\n",
        ),
    ] {
        let mut stream = TcpStream::connect(&house.address).await?;
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\n{head}Content-Length: 100\r\n\r\n{{",
            house.address
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        tokio::time::timeout(crate::house::PATIENCE, read).await??;
        assert!(answer.starts_with(b"HTTP/1.1 408"), "{path}");
    }
    Ok(())
}
