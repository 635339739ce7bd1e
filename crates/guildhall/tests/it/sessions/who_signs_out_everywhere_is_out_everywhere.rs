use super::*;

#[tokio::test]
async fn two_browsers_of_one_person_are_out_and_another_person_is_not() {
    let house = House::start().await;
    let discord = &house.discord;
    let (here, mut first) = house.visit().await;
    let (there, mut second) = house.visit().await;
    let (ben, mut of_ben) = visit_as(&house, &discord.people[0]).await;

    let wrong = sign_out(&house, &here, r#"{"everywhere":true,"please":1}"#).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert!(is_signed_in(&house, &here).await);

    let out = sign_out(&house, &here, r#"{"everywhere":true}"#).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    ends_as_revoked(&mut first).await;
    ends_as_revoked(&mut second).await;
    for cookie in [&here, &there] {
        assert!(!is_signed_in(&house, cookie).await);
        let stream = house.get("/api/stream", Some(cookie)).await;
        assert_eq!(stream.status(), StatusCode::UNAUTHORIZED);
        let state = house.get("/api/state", Some(cookie)).await;
        assert_eq!(state.status(), StatusCode::UNAUTHORIZED);
        let body = serde_json::json!({"guildId": discord.guild});
        let (status, _) = house.rpc(cookie, "disconnect", &body, None).await;
        assert_eq!(status, 401);
    }
    assert!(is_signed_in(&house, &ben).await);
    goes_on(&house, &mut of_ben, &discord.people[1]).await;

    let (again, mut third) = house.visit().await;
    assert!(
        is_signed_in(&house, &again).await,
        "who signs in anew is in"
    );
    goes_on(&house, &mut third, &discord.people[2]).await;
}

#[tokio::test]
async fn signing_out_in_one_browser_leaves_the_other() {
    let house = House::start().await;
    let (here, mut first) = house.visit().await;
    let (there, mut second) = house.visit().await;
    let out = sign_out(&house, &here, "{}").await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    ends_as_revoked(&mut first).await;
    assert!(is_signed_in(&house, &there).await && !is_signed_in(&house, &here).await);
    goes_on(&house, &mut second, &house.discord.people[0]).await;
}

#[tokio::test]
async fn signing_in_again_ends_what_the_browser_had() {
    let house = House::start().await;
    let (before, mut stream) = house.visit().await;
    let login = house.get("/auth/login", Some(&before)).await;
    let attempt = crate::house::cookie_of(&login).expect("the login sets a cookie");
    let authorize = crate::house::location_of(&login);
    let authorize = format!("{authorize}&sim_user={}", house.discord.visitor);
    let consent = house.http.get(authorize).send().await;
    let callback = crate::house::location_of(&consent.expect("Discord answers"));
    let cookies = format!("{attempt}; {before}");
    let callback = house.http.get(callback).header("cookie", cookies);
    let signed_in = callback.send().await.expect("web answers");
    let after = crate::house::cookie_of(&signed_in).expect("a new session");

    ends_as_revoked(&mut stream).await;
    assert!(!is_signed_in(&house, &before).await && is_signed_in(&house, &after).await);
    // The other tab comes back by itself, with the browser's new cookie, and goes on.
    let cursor = stream.cursor.clone();
    let mut tab = house.stream(&after, "", cursor.as_deref()).await;
    goes_on(&house, &mut tab, &house.discord.people[0]).await;
}
