use super::*;

/// The first words of an answer.
async fn words(answer: reqwest::Response) -> (StatusCode, String) {
    let status = answer.status();
    let text = tokio::time::timeout(SOON, answer.text()).await;
    (status, text.expect("it ends").expect("text"))
}

#[tokio::test]
async fn a_guild_that_comes_later_reaches_who_is_here_without_a_new_sign_in() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot_of(&[], &[HALL], at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[GuildId(999), HALL]).1;
    let get = |path: &str| house.request(Method::GET, path, &cookie).send();

    let mut anna = Browser::asking(house.request(Method::GET, "/api/stream", &cookie));
    let first = anna.until("event: snapshot").await;
    assert!(first.contains("\"guilds\":[]"), "{first}");
    assert!(first.contains("\"discord\":\"unknown\""), "{first}");
    let (status, by_id) = words(get("/api/stream?guild=100").await.expect("an answer")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        by_id.contains("event: bye") && by_id.contains("unavailable"),
        "{by_id}"
    );
    let (status, _) = words(get("/api/state?guild=100").await.expect("an answer")).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, _) = words(get("/api/stream?guild=999").await.expect("an answer")).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "the bot is not in it");
    assert!(
        gateway.has_said_nothing().await,
        "nobody asks about what is not there"
    );

    let available = Change::GuildAvailable(Some(Box::new(empty_hall())));
    gateway.append(at(1), available).await;
    gateway.look_up(at(2)).await;
    gateway.status(&[]).await;
    let came = anna.until("event: guild.available").await;
    assert!(
        came.contains("\"guild\":{") && came.contains("Lobby"),
        "{came}"
    );
    let live = anna.until("event: status").await;
    assert!(live.contains("\"discord\":\"live\""), "{live}");
    gateway.append(at(3), joined(UserId(77), LOBBY)).await;
    anna.until("event: voice.joined").await;

    let (_, state) = words(get("/api/state").await.expect("an answer")).await;
    assert!(state.contains("Lobby"), "a reload shows it: {state}");
    let (_, me) = words(get("/api/me").await.expect("an answer")).await;
    assert!(me.contains("\"guilds\":[\"100\"]"), "{me}");
}

#[tokio::test]
async fn who_shares_no_guild_with_the_bot_gets_an_empty_picture_and_nobody_is_asked() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[GuildId(999)]).1;
    let mut anna = Browser::asking(house.request(Method::GET, "/api/stream", &cookie));
    let first = anna.until("\"guilds\"").await;
    assert!(first.contains("event: snapshot"), "{first}");
    assert!(first.contains("\"guilds\":[]"), "{first}");
    assert!(first.contains("\"discord\":\"live\""), "{first}");
    assert!(gateway.has_said_nothing().await);
}

#[tokio::test]
async fn invented_guilds_are_not_asked_for_and_not_remembered() {
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    gateway.snapshot(at(0)).await;
    let mut anna = house.browser("/api/stream", ANNA);
    tokio::join!(anna.until("Lobby"), gateway.look_up(at(1)));
    let cookie = begin(&house.sessions, ANNA, &[HALL]).1;
    for round in 0..35_u64 {
        let ids = (0..100).map(|id| format!("guild={}", 10_000 + 100 * round + id));
        let query: Vec<String> = ids.collect();
        let path = format!("/api/state?guild=100&{}", query[1..].join("&"));
        let answer = house.request(Method::GET, &path, &cookie).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::NOT_FOUND);
    }
    // The guild that is there may be asked about again meanwhile.
    for said in gateway.said().await {
        assert!(said.contains("\"guildIds\":[\"100\"]"), "{said}");
    }
    assert_eq!(house.fanout.viewer(ANNA).remembered(), 1);
    gateway.append(at(2), joined(UserId(77), LOBBY)).await;
    anna.until("event: voice.joined").await;
}

#[tokio::test]
async fn however_many_requests_one_person_makes_another_is_asked_about_at_once() {
    const BEN: UserId = UserId(12);
    let house = House::open(|_| {}).await;
    let mut gateway = house.gateway().await;
    gateway.attach(at(0)).await;
    let many: Vec<GuildId> = (1_000..1_100).map(GuildId).chain([HALL]).collect();
    gateway.snapshot_of(&many, &[], at(0)).await;
    let cookie = begin(&house.sessions, ANNA, &[]).1;
    for guild in &many[..100] {
        let path = format!("/api/state?guild={guild}");
        let request = house.request(Method::GET, &path, &cookie);
        house
            .tracker
            .spawn(async move { request.send().await.is_ok() });
    }
    let (_, asked_for, _) = gateway.asked().await;
    assert_eq!(asked_for, ANNA);
    let mut ben = house.browser("/api/stream", BEN);
    let asked = async {
        let (request_id, user_id, guild_ids) = gateway.asked().await;
        assert_eq!(
            (user_id, guild_ids),
            (BEN, vec![HALL]),
            "one place for one person"
        );
        let membership = Some(Membership::member(Vec::new()));
        gateway
            .append(
                at(1),
                Change::Rights {
                    user_id,
                    membership,
                },
            )
            .await;
        gateway.answer(request_id, at(1), &[]).await;
    };
    tokio::join!(ben.until("Lobby"), asked);
}
