use super::*;

const AHEAD: [(&str, &str); 4] = [
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
    ("purpose", "prefetch"),
    ("x-moz", "prefetch"),
];

#[tokio::test]
async fn a_look_with_head_begins_nothing_and_ends_nothing() {
    let mut visit = Visit::to(BASE).await;
    let answer = visit.request(Method::HEAD, "/auth/login", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(visit.cookies, [], "no attempt");

    let callback = visit.consent("/auth/login").await;
    let attempt = visit.cookies.clone();
    let answer = visit.request(Method::HEAD, &callback, &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(visit.cookies, attempt);
    assert_eq!(visit.discord.asked("token"), 0);
    assert_eq!(visit.get(&callback).await.status, StatusCode::SEE_OTHER);

    // What reads only may be looked at as before; what writes has no HEAD.
    let answer = visit.request(Method::HEAD, "/api/me", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    for path in ["/auth/logout", "/auth/refresh"] {
        let answer = visit.request(Method::HEAD, path, &[]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    assert!(visit.has("guildhall"));
}

#[tokio::test]
async fn what_a_browser_fetches_ahead_signs_nobody_in() {
    let mut visit = Visit::to(BASE).await;
    for ahead in AHEAD {
        visit.cookies.clear();
        let answer = visit.request(Method::GET, "/auth/login", &[ahead]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{ahead:?}");
        assert_eq!(visit.cookies, []);

        let callback = visit.consent("/auth/login").await;
        let asked = visit.discord.asked("token");
        let answer = visit.request(Method::GET, &callback, &[ahead]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{ahead:?}");
        assert_eq!(visit.discord.asked("token"), asked);
        assert_eq!(visit.get(&callback).await.status, StatusCode::SEE_OTHER);
    }
}
