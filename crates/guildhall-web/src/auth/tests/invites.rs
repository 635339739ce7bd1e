use guildhall_link::{
    frame::{Admitted, Newcomer},
    receiver::Unanswered,
};
use guildhall_model::{
    ChannelId,
    command::{CommandError, CommandErrorCode, InviteClaims, InviteToken},
};

use super::*;

/// Into a room of guild 7, where the bot is and ADA is not.
pub(in crate::auth) fn invite() -> InviteToken {
    let claims = InviteClaims {
        guild_id: GuildId(7),
        channel_id: ChannelId(70),
        room: 3,
        expires_at: NOW + 86_400_000,
        id: [5; 16],
    };
    InviteToken::new(claims, [6; 32])
}

const ADA: UserId = UserId(80_351_110_224_678_912);

async fn open_house() -> Visit {
    Visit::with(BASE, |config| config.guilds_join = true).await
}

fn login() -> String {
    format!("/auth/login?returnTo=/hall/join&invite={}", invite())
}

fn scope(to_discord: &url::Url) -> String {
    let asked: HashMap<_, _> = to_discord.query_pairs().into_owned().collect();
    asked["scope"].clone()
}

fn refusal(code: CommandErrorCode) -> NotAdmitted {
    CommandError::new(code, "A sentence of the gateway's.").into()
}

#[tokio::test]
async fn who_signs_in_by_an_invite_is_let_into_its_guild_alone() {
    let mut visit = open_house().await;
    let to_discord = visit.get(&login()).await.location();
    assert_eq!(scope(&to_discord), "identify guilds guilds.join");
    let callback = visit.discord.consent(&to_discord);
    let back = visit.get(&callback).await;
    assert_eq!(back.location().as_str(), "http://localhost:3000/hall/join");

    let asked = visit.world.admissions.lock().clone();
    assert_eq!(asked.len(), 2, "looked at, then let in");
    assert!(asked.iter().all(|asked| asked.invite == invite()));
    assert_eq!(asked[0].newcomer, None);
    let Some(Newcomer {
        user_id,
        access_token,
    }) = &asked[1].newcomer
    else {
        panic!("nobody was let in");
    };
    assert_eq!(
        (*user_id, access_token.expose()),
        (ADA, "a-token-nobody-keeps")
    );

    let me = visit.get("/api/me").await.json();
    assert_eq!(
        me["guilds"],
        json!(["7", "1", "3"]),
        "Discord's list lacked it"
    );
    let watched = visit.world.watched.lock().clone();
    assert_eq!(watched, [(ADA, vec![GuildId(7), GuildId(1), GuildId(3)])]);
    let kept = format!("{:?} {:?}", visit.cookies, back.headers);
    assert!(!kept.contains("a-token-nobody-keeps"), "nothing is kept");
}

#[tokio::test]
async fn without_the_setting_or_an_invite_nobody_is_asked_to_be_let_in() {
    for (on, login) in [(false, login()), (true, "/auth/login".to_owned())] {
        let mut visit = Visit::with(BASE, |config| config.guilds_join = on).await;
        let to_discord = visit.get(&login).await.location();
        assert_eq!(scope(&to_discord), "identify guilds");
        let callback = visit.discord.consent(&to_discord);
        let back = visit.get(&callback).await.location();
        assert_eq!(back.query(), None, "and nothing is amiss");
        assert_eq!(visit.world.admissions.lock().len(), 0);
    }
}

#[tokio::test]
async fn an_invite_that_is_not_good_is_said_and_the_sign_in_goes_on() {
    let tampered = format!("{}A", &invite().to_string()[..InviteToken::LETTERS - 1]);
    let expired = refusal(CommandErrorCode::InviteExpired);
    let silent = NotAdmitted::Unanswered(Unanswered::Late);
    for (text, answer, why) in [
        ("x".to_owned(), None, "invite_invalid"),
        (String::new(), None, "invite_invalid"),
        (invite().to_string(), Some(expired), "invite_expired"),
        (invite().to_string(), Some(silent), "unavailable"),
        (
            tampered,
            Some(refusal(CommandErrorCode::InviteInvalid)),
            "invite_invalid",
        ),
    ] {
        let mut visit = open_house().await;
        visit.world.admitted.lock().extend(answer.map(Err));
        let login = format!("/auth/login?returnTo=/hall/join?a=b&invite={text}");
        let to_discord = visit.get(&login).await.location();
        assert_eq!(scope(&to_discord), "identify guilds", "{text}");
        let callback = visit.discord.consent(&to_discord);
        let back = visit.get(&callback).await.location();
        assert_eq!(
            back.as_str(),
            format!("http://localhost:3000/hall/join?a=b&login=not_admitted%3A{why}")
        );
        assert!(visit.has("guildhall"), "{text}");
        let asked = visit.world.admissions.lock();
        assert!(asked.iter().all(|asked| asked.newcomer.is_none()));
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_signed_in_and_told_why() {
    for (answer, why) in [
        (refusal(CommandErrorCode::BotForbidden), "bot_forbidden"),
        (refusal(CommandErrorCode::InviteRevoked), "invite_revoked"),
        (NotAdmitted::Unanswered(Unanswered::Down), "unavailable"),
    ] {
        let mut visit = open_house().await;
        let callback = visit.consent(&login()).await;
        visit.world.admitted.lock().push_back(Err(answer));
        let back = visit.get(&callback).await.location();
        let query = format!("login=not_admitted%3A{why}");
        assert_eq!(back.query(), Some(&*query));
        let me = visit.get("/api/me").await.json();
        assert_eq!(me["guilds"], json!(["1", "3"]), "as Discord says");

        // Who then tries again from that very page comes back without the word.
        let page = format!("/hall/join%3F{query}").replace("%3A", "%253A");
        let again = visit.consent(&format!("/auth/login?returnTo={page}")).await;
        let back = visit.get(&again).await.location();
        assert_eq!(back.as_str(), "http://localhost:3000/hall/join");
    }
}

#[tokio::test]
async fn who_was_a_member_already_is_let_in_as_well() {
    let mut visit = open_house().await;
    let callback = visit.consent(&login()).await;
    visit.world.admitted.lock().push_back(Ok(Admitted::Already));
    let back = visit.get(&callback).await.location();
    assert_eq!(back.as_str(), "http://localhost:3000/hall/join");
    let me = visit.get("/api/me").await.json();
    assert_eq!(me["guilds"], json!(["7", "1", "3"]));
}

#[tokio::test]
async fn an_invite_goes_along_to_our_own_host() {
    let mut visit = open_house().await;
    let elsewhere = [("host", "127.0.0.1:3000")];
    let answer = visit.request(Method::GET, &login(), &elsewhere).await;
    let location = answer.location();
    let asked: HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!(asked["invite"], invite().to_string());
    assert_eq!(
        visit.world.admissions.lock().len(),
        0,
        "it is asked about there"
    );
}

#[tokio::test]
async fn whoever_said_no_is_let_in_nowhere() {
    let mut visit = open_house().await;
    let callback = visit.consent(&login()).await;
    let state = callback.split("state=").nth(1).expect("a state").to_owned();
    let denied = format!("/auth/callback?error=access_denied&state={state}");
    let back = visit.get(&denied).await.location();
    assert_eq!(back.query(), Some("login=denied"));
    assert_eq!(visit.world.admissions.lock().len(), 1, "it was looked at");
}
