//! Two people and a moderator: one moves oneself, not the other; the moderator may.

use serde_json::json;
use tokio::time::timeout;

use super::{
    stage::{Stage, member, room_of},
    teller::{Teller, times_done},
};
use crate::house::{House, SOON, Stream};

const CONNECT: &str = "connectUserToVoiceChannel";

#[tokio::test(flavor = "multi_thread")]
async fn one_moves_oneself_and_a_moderator_others_and_the_answer_comes_behind_the_event() {
    let (mut stages, mut other) = (Vec::new(), String::new());
    let house = House::whose("standing", &[], async |discord| {
        stages = Stage::set_up(discord, 1).await;
        other = member(discord, "other", &[]).await;
        for person in [&discord.visitor, &other] {
            discord.voice(person, Some(&discord.rooms[0])).await;
        }
    })
    .await;
    let to = house.discord.rooms[1].clone();
    let visitor = Teller::sign_in(&house, &house.discord.visitor).await;
    let other = Teller::sign_in(&house, &other).await;
    let moderator = Teller::sign_in(&house, &stages[0].moderator).await;
    let mut own = opened(&house, &visitor).await;
    let mut others = opened(&house, &other).await;

    let oneself = json!({"channelId": to});
    let moved = visitor.give(&house, CONNECT, Some("mine"), &oneself).await;
    assert_eq!(moved.told(), (200, "done"), "{moved:?}");
    // Discord's own event, in everybody's stream; and the reply says behind what it is.
    let joined = others.until("voice.joined").await;
    let there = (&joined.data["userId"], &joined.data["channelId"]);
    assert_eq!(there, (&json!(visitor.id), &json!(to)));
    let position = moved.body["position"].as_str().map(number_in);
    assert!(
        position >= others.cursor.as_deref().map(number_in),
        "{moved:?}"
    );
    // What the answer says is so in whatever is asked next.
    let seen = house.state(&other.cookie).await;
    let people = seen["guilds"][0]["rooms"].to_string();
    assert!(people.contains(&visitor.id), "{seen}");
    own.until("voice.joined").await;
    until_settled(&mut own, "mine").await;

    let somebody = json!({"channelId": to, "userId": other.id});
    let refused = visitor
        .give(&house, CONNECT, Some("theirs"), &somebody)
        .await;
    assert_eq!(refused.told(), (403, "forbidden"), "{refused:?}");
    assert_eq!(refused.body["error"]["missing"], json!(["MOVE_MEMBERS"]));
    let truth = house.discord.state().await;
    assert_eq!(
        room_of(&truth, &other.id).as_ref(),
        Some(&house.discord.rooms[0])
    );

    let moved = moderator
        .give(&house, CONNECT, Some("theirs"), &somebody)
        .await;
    assert_eq!(moved.told(), (200, "done"), "{moved:?}");
    let truth = house.discord.state().await;
    assert_eq!(room_of(&truth, &other.id), Some(to));
    others.until("voice.joined").await;
    for (person, times) in [(&visitor, 1), (&other, 0), (&moderator, 1)] {
        assert_eq!(times_done(&truth, CONNECT, &person.id), times);
    }
}

async fn opened(house: &House, person: &Teller) -> Stream {
    let mut stream = house.stream(&person.cookie, "", None).await;
    stream.until("snapshot").await;
    stream
}

/// The streams of whoever gave a command are told that its effect is there.
async fn until_settled(stream: &mut Stream, key: &str) {
    let settled = async {
        loop {
            let checkpoint = stream.until("checkpoint").await;
            let keys = checkpoint.data["settled"].as_array();
            if keys.is_some_and(|keys| keys.contains(&json!(key))) {
                return;
            }
        }
    };
    timeout(SOON, settled).await.expect("it is settled");
}

/// The number of a cursor into one log.
fn number_in(cursor: &str) -> u64 {
    let (_, number) = cursor.rsplit_once('-').expect("a cursor");
    number.parse().expect("a number")
}
