use futures_util::{
    StreamExt,
    future::{self, join_all},
    stream,
};
use serde_json::json;

use super::*;

/// Cases that are tried side by side.
const AT_ONCE: usize = 100;

/// What a call answers, without its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answered {
    Done,
    Unauthorised,
    Refused(u16, u64),
    Throttled,
    Unreachable,
    Unknown,
    Overloaded,
}

/// Discord's answers to the requests of one call, and what its caller is to hear.
struct Row {
    what: &'static str,
    replies: Vec<Reply>,
    /// To whatever requests come after those.
    then: Option<Reply>,
    /// What calls that read, that act and may be repeated, and that act once, answer, each with the
    /// requests that it took; `None`: two or more.
    read: (Answered, Option<usize>),
    act: (Answered, Option<usize>),
}

impl Row {
    fn new(what: &'static str, replies: impl IntoIterator<Item = Reply>) -> Self {
        let done = (Answered::Done, Some(1));
        Self {
            what,
            replies: replies.into_iter().collect(),
            then: None,
            read: done,
            act: done,
        }
    }

    fn all(mut self, answered: Answered, requests: usize) -> Self {
        (self.read, self.act) = [(answered, Some(requests)); 2].into();
        self
    }
}

fn routes() -> [RestRoute; 20] {
    [
        RestRoute::GatewayBot,
        RestRoute::GetMember(GUILD, USER),
        RestRoute::ModifyMember(GUILD, USER),
        RestRoute::AddMember(GUILD, USER),
        RestRoute::GetVoiceState(GUILD, USER),
        RestRoute::GetChannel(CHANNEL),
        RestRoute::ModifyChannel(CHANNEL),
        RestRoute::RenameChannel(CHANNEL),
        RestRoute::SetVoiceStatus(CHANNEL),
        RestRoute::ListChannels(GUILD),
        RestRoute::CreateChannel(GUILD),
        RestRoute::DeleteChannel(CHANNEL),
        RestRoute::PutOverwrite(CHANNEL, OverwriteTarget::Member(USER)),
        RestRoute::DeleteOverwrite(CHANNEL, OverwriteTarget::Role(ROLE)),
        RestRoute::ListRoles(GUILD),
        RestRoute::CreateRole(GUILD),
        RestRoute::DeleteRole(GUILD, ROLE),
        RestRoute::PutMemberRole(GUILD, USER, ROLE),
        RestRoute::DeleteMemberRole(GUILD, USER, ROLE),
        RestRoute::CreateMessage(CHANNEL),
    ]
}

fn refusals() -> impl Iterator<Item = Row> {
    let refusals: [(&str, u16, u64); 13] = [
        ("a form", 400, 50_035),
        ("not in voice", 400, 40_032),
        ("a user's token", 401, 50_025),
        ("missing access", 403, 50_001),
        ("missing permissions", 403, 50_013),
        ("no such channel", 404, 10_003),
        ("no such member", 404, 10_007),
        ("no such voice state", 404, 10_065),
        ("no such role", 404, 10_011),
        ("as many channels as may be", 400, 30_013),
        ("as many roles as may be", 400, 30_005),
        ("as many overwrites as may be", 400, 30_060),
        ("a teapot", 418, 0),
    ];
    refusals.into_iter().map(|(what, status, code)| {
        let body = json!({"message": "no", "code": code});
        Row::new(what, [Reply::Json(status, body)]).all(Answered::Refused(status, code), 1)
    })
}

fn throttles() -> impl Iterator<Item = Row> {
    let short = [
        ("429 of the user", Reply::Throttled("user", 0.05)),
        ("429 of the resource", Reply::Throttled("shared", 0.05)),
        ("429 of the bot", Reply::Throttled("global", 0.05)),
        ("429 of the edge", Reply::Edge(0.05)),
    ];
    let long = [
        ("long 429 of the user", Reply::Throttled("user", 600.0)),
        (
            "long 429 of the resource",
            Reply::Throttled("shared", 600.0),
        ),
        ("long 429 of the bot", Reply::Throttled("global", 600.0)),
        ("long 429 of the edge", Reply::Edge(600.0)),
    ];
    let short = short.map(|(what, reply)| Row::new(what, [reply]).all(Answered::Done, 2));
    let long = long.map(|(what, reply)| Row::new(what, [reply]).all(Answered::Throttled, 1));
    short.into_iter().chain(long)
}

fn failures() -> [Row; 6] {
    let unreachable = |requests| (Answered::Unreachable, requests);
    let unknown = |requests| (Answered::Unknown, requests);
    let (once, more) = (Some(1), None);
    let done_again = (Answered::Done, Some(2));
    let no = Reply::Json(400, json!({"code": 40_032}));
    [
        Row {
            then: Some(Reply::Text(500, "<html>")),
            read: unreachable(more),
            act: unknown(once),
            ..Row::new("500 for ever", [])
        },
        Row {
            read: done_again,
            act: unknown(once),
            ..Row::new("500 once", [Reply::Text(500, "")])
        },
        Row {
            read: done_again,
            act: unknown(once),
            ..Row::new("an answer that is cut", [Reply::Cut])
        },
        Row {
            read: (Answered::Refused(400, 40_032), Some(2)),
            act: unknown(once),
            ..Row::new("a 500 and then a refusal", [Reply::Text(500, ""), no])
        },
        Row {
            read: (Answered::Throttled, Some(2)),
            act: unknown(once),
            ..Row::new(
                "a 500 and then a long 429",
                [Reply::Text(500, ""), Reply::Throttled("user", 600.0)],
            )
        },
        Row {
            then: Some(Reply::Hang),
            read: unreachable(once),
            act: unknown(once),
            ..Row::new("a hang", [])
        },
    ]
}

fn rows() -> Vec<Row> {
    let refused = Row::new("401", [Reply::Json(401, json!({"code": 0}))]);
    let mut rows = vec![
        Row::new("success", []).all(Answered::Done, 1),
        refused.all(Answered::Unauthorised, 1),
        Row::new("401 of no Discord", [Reply::Text(401, "no")]).all(Answered::Unauthorised, 1),
    ];
    rows.extend(refusals());
    rows.extend(throttles());
    rows.extend(failures());
    rows
}

#[tokio::test]
async fn every_route_tells_what_its_caller_can_rely_on_whatever_discord_answers() {
    let templates = routes().map(RestRoute::template);
    assert_eq!(templates, RouteTemplate::ALL, "no route is left out");
    let rows = rows();
    let cases = rows
        .iter()
        .flat_map(|row| routes().map(|route| case(row, route)));
    // Not all at once, or a busy machine takes longer over them than their deadlines.
    let cases = stream::iter(cases).buffer_unordered(AT_ONCE);
    let wrong: Vec<String> = Box::pin(cases.filter_map(future::ready).collect()).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `Some`: what is wrong.
async fn case(row: &Row, route: RestRoute) -> Option<String> {
    let discord = Scripted::new().await;
    for reply in &row.replies {
        discord.reply(reply.clone());
    }
    if let Some(reply) = &row.then {
        discord.always(reply.clone());
    }
    let time = Duration::from_secs(3);
    let (body, terms) = (Some(json!({})), terms(time));
    let deadline = terms.deadline;
    let result = discord.client().call(RestCall { route, body, terms }).await;
    let in_time = now() < deadline + Duration::from_secs(2);
    let template = route.template();
    let expected = if template.only_reads() {
        row.read
    } else {
        row.act
    };
    let requests = discord.requests().len();
    let as_many = expected.1.map_or(requests >= 2, |count| requests == count);
    let answered = answered(&result);
    let right = answered == expected.0 && as_many && in_time;
    (!right).then(|| {
        let what = row.what;
        format!("{what}, {template}: {answered:?} after {requests}, not {expected:?}")
    })
}

fn answered(result: &Result<RestAnswer, RestError>) -> Answered {
    match result {
        Ok(_) => Answered::Done,
        Err(RestError::Unauthorised) => Answered::Unauthorised,
        Err(RestError::Refused(refusal)) => Answered::Refused(refusal.status, refusal.code),
        Err(RestError::Throttled { .. }) => Answered::Throttled,
        Err(RestError::Unreachable(_)) => Answered::Unreachable,
        Err(RestError::Unknown(_)) => Answered::Unknown,
        Err(RestError::Overloaded { .. }) => Answered::Overloaded,
    }
}

#[tokio::test]
async fn a_long_wait_is_said_with_its_end() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    discord.reply(Reply::Throttled("user", 600.0));
    let terms = terms(Duration::from_secs(5));
    for _ in 0..2 {
        let begun = now();
        let status = rest.set_voice_status(&terms, CHANNEL, "").await;
        let Err(RestError::Throttled { until }) = status else {
            panic!("{status:?}");
        };
        let wait = until - begun;
        assert!(wait <= Duration::from_secs(601), "{wait:?}");
        assert!(wait > Duration::from_secs(590), "{wait:?}");
    }
    assert_eq!(discord.requests().len(), 1, "the second was not even sent");
}

#[tokio::test]
async fn a_401_ends_all_calls() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    discord.reply(Reply::Json(
        401,
        json!({"message": "401: Unauthorized", "code": 0}),
    ));
    assert_eq!(
        rest.gateway_bot().await.err(),
        Some(RestError::Unauthorised)
    );
    let terms = terms(Duration::from_secs(5));
    for _ in 0..3 {
        let moved = rest.move_member(&terms, GUILD, USER, None).await;
        assert_eq!(moved, Err(RestError::Unauthorised));
        let looked_up = rest.membership(GUILD, USER).await;
        assert_eq!(looked_up, Err(RestError::Unauthorised));
    }
    assert_eq!(discord.requests().len(), 1);
}

#[tokio::test]
async fn nobody_there_means_that_nothing_was_done() {
    let rest = scripted::client("http://127.0.0.1:1");
    let calls = routes().map(|route| {
        let (body, terms) = (None, terms(Duration::from_secs(2)));
        rest.call(RestCall { route, body, terms })
    });
    for result in join_all(calls).await {
        assert_eq!(answered(&result), Answered::Unreachable, "{result:?}");
    }
}

#[tokio::test]
async fn a_call_has_ended_by_its_deadline() {
    let discord = Scripted::new().await;
    let rest = discord.client();
    discord.always(Reply::Hang);
    let time = Duration::from_millis(300);
    let terms = terms(time);
    let begun = now();
    let calls = (0..3).map(|_| rest.move_member(&terms, GUILD, USER, None));
    let results = join_all(calls).await;
    assert!(now() - begun < time + Duration::from_secs(2));
    let sent = results
        .iter()
        .filter(|result| matches!(result, Err(RestError::Unknown(_))))
        .count();
    let waited = results
        .iter()
        .filter(|result| matches!(result, Err(RestError::Overloaded { .. })))
        .count();
    assert_eq!((sent, waited), (1, 2), "{results:?}");
}
