use super::*;

async fn revoke(house: &House, cookie: &str, link: &Link) -> u16 {
    let body = json!({ "id": link.id });
    let (status, _) = house.rpc(cookie, "revokeOverlayLink", &body, None).await;
    status
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_process_and_through_their_deaths() {
    let mut house = House::start().await;
    let mut other = house.another_web().await;
    let here = house.discord.rooms[0].clone();
    let cookie = house.sign_in(&house.discord.visitor).await;
    let revoked = house.overlay_link(&cookie, &here).await;
    let good = house.overlay_link(&cookie, &here).await;
    let mut open = [
        house.overlay_at(&house.ports, &revoked).await,
        house.overlay_at(&other.ports, &revoked).await,
    ];
    let mut goes_on = house.overlay_at(&other.ports, &good).await;
    assert_eq!(revoke(&house, &cookie, &revoked).await, 200);
    for stream in &mut open {
        ends(stream, "session_revoked").await;
    }
    for web in [&house.ports, &other.ports] {
        let status = house.overlay_status(web, &revoked.token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let who = house.discord.people[0].clone();
    house.discord.voice(&who, Some(&here)).await;
    goes_on.until("voice.joined").await;

    house.gateway.signal("KILL");
    house.gateway.ended().await;
    let status = house.overlay_status(&other.ports, &revoked.token).await;
    assert_eq!(
        status,
        StatusCode::UNAUTHORIZED,
        "what was told stays in force"
    );
    other.process.signal("KILL");
    other.process.ended().await;
    house.restart(&mut other);
    // It knows of nobody what is over, until the gateway tells.
    until("it answers", async || {
        let url = format!("http://localhost:{}/api/health", other.ports.web);
        house.http.get(url).send().await.is_ok()
    })
    .await;
    for link in [&revoked, &good] {
        let status = house.overlay_status(&other.ports, &link.token).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    house.restart_gateway();
    until("the good one is let in", async || {
        let over = house.overlay_status(&other.ports, &revoked.token).await;
        assert_ne!(over, StatusCode::OK);
        house.overlay_status(&other.ports, &good.token).await == StatusCode::OK
    })
    .await;
    let status = house.overlay_status(&other.ports, &revoked.token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_gateway_it_is_over_here_and_elsewhere_once_that_is_back() {
    let mut house = House::start().await;
    let cookie = house.sign_in(&house.discord.visitor).await;
    let here = house.discord.rooms[0].clone();
    let link = house.overlay_link(&cookie, &here).await;
    let mut open = house.overlay(&link).await;
    house.gateway.signal("KILL");
    house.gateway.ended().await;
    until("web has noticed", async || {
        let metrics = house.metrics(house.ports.web_ops).await;
        metrics.contains("guildhall_link_up 0")
    })
    .await;
    assert_eq!(revoke(&house, &cookie, &link).await, 503);
    ends(&mut open, "session_revoked").await;
    house.restart_gateway();
    house.until_ready(house.ports.web_ops).await;
    until("it is kept", async || {
        let metrics = house.metrics(house.ports.web_ops).await;
        metrics.contains("guildhall_revocations_unkept 0")
    })
    .await;
    house.web.signal("KILL");
    house.web.ended().await;
    house.restart_web().await;
    let status = house.overlay_status(&house.ports, &link.token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_all_of_its_maker_s_sessions_and_with_no_single_one() {
    let house = House::start().await;
    let discord = &house.discord;
    let here = &discord.rooms[0];
    for everywhere in [false, true] {
        let cookie = house.sign_in(&discord.visitor).await;
        let link = house.overlay_link(&cookie, here).await;
        let mut open = house.overlay(&link).await;
        let out = house.sign_out(&house.ports, &cookie, everywhere).await;
        assert_eq!(out.status(), StatusCode::NO_CONTENT);
        if everywhere {
            ends(&mut open, "session_revoked").await;
        }
        let status = house.overlay_status(&house.ports, &link.token).await;
        let expected = [StatusCode::OK, StatusCode::UNAUTHORIZED][usize::from(everywhere)];
        assert_eq!(status, expected);
    }
    let cookie = house.sign_in(&discord.visitor).await;
    let link = house.overlay_link(&cookie, here).await;
    let mut open = house.overlay(&link).await;
    let revoke = format!("http://127.0.0.1:{}/admin/revoke", house.ports.web_ops);
    let body = json!({ "userId": discord.visitor });
    let answer = house.http.post(revoke).json(&body).send().await;
    assert_eq!(answer.expect("it answers").status(), StatusCode::NO_CONTENT);
    ends(&mut open, "session_revoked").await;
}
