//! By which names the house is asked, whose pages may read what it answers, and who opens `/admin`.

use reqwest::{Response, StatusCode};

use crate::house::House;

const ADMIN: &str = "admin-token-of-the-test-house-0123456789abcdef";
const APP: &str = "https://app.example";

async fn ask(house: &House, port: u16, path: &str, headers: &[(&str, &str)]) -> Response {
    let url = format!("http://127.0.0.1:{port}{path}");
    let request = house.http.get(url);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().await.expect("it answers")
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_names_are_answered_and_only_listed_origins_may_read() {
    let house = House::with(&[("ALLOWED_HOSTS", "web.internal"), ("ALLOWED_ORIGINS", APP)]).await;
    let web = house.ports.web;
    let (cookie, _stream) = house.visit().await;
    let evil = ("host", "evil.example");
    for path in [
        "/",
        "/api/me",
        "/api/state",
        "/api/stream",
        "/auth/login",
        "/x",
    ] {
        let answer = ask(&house, web, path, &[evil, ("cookie", &cookie)]).await;
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST, "{path}");
        assert!(answer.headers().get("set-cookie").is_none(), "{path}");
        let said = answer.text().await.expect("text");
        assert!(said.contains("unknown_host"), "{said}");
        assert!(!said.contains("evil"), "{said}");
    }
    let health = ask(&house, web, "/api/health", &[evil]).await;
    assert_eq!(health.status(), StatusCode::OK, "probes ask by any name");
    for host in [
        "web.internal",
        "WEB.internal:8080",
        "localhost",
        "app.example",
    ] {
        let answer = ask(
            &house,
            web,
            "/api/me",
            &[("host", host), ("cookie", &cookie)],
        )
        .await;
        assert_eq!(answer.status(), StatusCode::OK, "{host}");
    }

    let allowed = |answer: &Response| {
        let allowed = answer.headers().get("access-control-allow-origin");
        allowed.map(|origin| origin.to_str().expect("text").to_owned())
    };
    for path in ["/api/stream", "/api/state", "/api/me"] {
        let with = |origin| [("cookie", &*cookie), ("origin", origin)];
        let answer = ask(&house, web, path, &with(APP)).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(allowed(&answer).as_deref(), Some(APP), "{path}");
        assert_eq!(answer.headers()["access-control-allow-credentials"], "true");
        let vary = answer.headers().get_all("vary").iter();
        let by_origin = |value: &reqwest::header::HeaderValue| {
            value
                .to_str()
                .is_ok_and(|value| value.eq_ignore_ascii_case("origin"))
        };
        assert!(vary.into_iter().any(by_origin), "{path}");
        for origin in ["https://evil.example", "null", "https://app.example:444"] {
            let answer = ask(&house, web, path, &with(origin)).await;
            assert_eq!(allowed(&answer), None, "{path} {origin}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ops_answers_programs_and_admin_whoever_has_the_token() {
    let house = House::with(&[("ADMIN_TOKEN", ADMIN)]).await;
    for ops in [house.ports.web_ops, house.ports.gateway_ops] {
        let evil = ("host", "evil.example:9091");
        let program = ask(&house, ops, "/metrics", &[evil]).await;
        assert_eq!(program.status(), StatusCode::OK, "a scraper, by any name");
        for browser in [
            ("user-agent", "Mozilla/5.0"),
            ("origin", "http://evil.example:9091"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let answer = ask(&house, ops, "/metrics", &[evil, browser]).await;
            assert_eq!(
                answer.status(),
                StatusCode::MISDIRECTED_REQUEST,
                "{browser:?}"
            );
        }
    }
    let ops = house.ports.web_ops;
    let right = format!("Bearer {ADMIN}");
    let wrong = format!("Bearer {}X", &ADMIN[..ADMIN.len() - 1]);
    let by_proxy = ("x-forwarded-for", "203.0.113.7");
    for (headers, status) in [
        (&[][..], 200),
        (&[("authorization", right.as_str())], 200),
        (&[("authorization", wrong.as_str())], 401),
        (&[by_proxy], 403),
        (&[by_proxy, ("authorization", &wrong)], 401),
        (&[by_proxy, ("authorization", &right)], 200),
        (
            &[
                ("origin", "https://evil.example"),
                ("authorization", &right),
            ],
            403,
        ),
    ] {
        let answer = ask(&house, ops, "/admin/streams", headers).await;
        assert_eq!(answer.status().as_u16(), status, "{headers:?}");
        let said = answer.text().await.expect("text");
        assert!(!said.contains(&ADMIN[..20]), "{said}");
    }
}
