use std::time::Duration;

use tokio::time::advance;

use super::*;

const REFUSED: (u16, &str) = (403, "forbidden");
const LIMITED: (u16, &str) = (429, "too_many_requests");

#[tokio::test(start_paused = true)]
async fn one_gives_ten_commands_at_once_and_then_one_a_second() {
    let desk = Desk::open();
    for number in 0..10 {
        let answer = desk.ask("renameRoom", &refused_rename()).await;
        assert_eq!(answer.error(), REFUSED, "{number}");
    }
    let answer = desk.ask("renameRoom", &refused_rename()).await;
    assert_eq!(answer.error(), LIMITED);
    assert_eq!(answer.headers["retry-after"], "1");
    assert_eq!(answer.body["error"]["retryAfter"], 1);
    // Another command of theirs is limited as well; what they ask and what others do is not.
    let other = desk.ask("disconnect", &json!({ "guildId": "100" })).await;
    assert_eq!(other.error(), LIMITED);
    let asked = desk
        .ask("checkRoomExists", &json!({ "channelId": "201" }))
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    let (_, ben) = desk.sign_in(BEN, &[HALL]);
    let answer = desk.ask_as(&ben, "renameRoom", &refused_rename()).await;
    assert_eq!(answer.error(), REFUSED);

    advance(Duration::from_secs(1)).await;
    let answer = desk.ask("renameRoom", &refused_rename()).await;
    assert_eq!(answer.error(), REFUSED);
    let answer = desk.ask("renameRoom", &refused_rename()).await;
    assert_eq!(answer.error(), LIMITED);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_read_costs_nothing() {
    let desk = Desk::open();
    for _ in 0..50 {
        assert_eq!(
            desk.ask("renameRoom", &json!({})).await.error(),
            (400, "invalid")
        );
    }
    assert_eq!(
        desk.ask("renameRoom", &refused_rename()).await.error(),
        REFUSED
    );
}

#[tokio::test(start_paused = true)]
async fn questions_have_a_wider_budget() {
    let desk = Desk::open();
    let body = json!({ "channelId": "201" });
    for _ in 0..200 {
        assert_eq!(
            desk.ask("checkRoomExists", &body).await.status,
            StatusCode::OK
        );
    }
    assert_eq!(desk.ask("checkRoomExists", &body).await.error(), LIMITED);
    assert_eq!(
        desk.ask("renameRoom", &refused_rename()).await.error(),
        REFUSED
    );
    advance(Duration::from_millis(50)).await;
    assert_eq!(
        desk.ask("checkRoomExists", &body).await.status,
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn many_users_of_one_address_have_a_budget_together() {
    let mut harness = Harness::hall();
    let users: Vec<UserId> = (500..521).map(UserId).collect();
    for user in &users {
        harness.look_up(*user, &[]);
        harness.answer(*user, &[HALL], &[]);
    }
    let desk = Desk::over(harness);
    let give = async |user: UserId, address| {
        let (_, cookie) = desk.sign_in(user, &[HALL]);
        let mut request = desk.request("renameRoom", refused_rename().to_string());
        request.headers_mut().insert(header::COOKIE, cookie);
        desk.send(from(request, address)).await
    };
    for user in &users[..20] {
        for _ in 0..10 {
            assert_eq!(give(*user, [192, 0, 2, 1]).await.error(), REFUSED);
        }
    }
    assert_eq!(give(users[20], [192, 0, 2, 1]).await.error(), LIMITED);
    assert_eq!(give(users[20], [192, 0, 2, 2]).await.error(), REFUSED);
}
