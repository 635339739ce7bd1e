use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{Change, Guild, GuildId, LogId, UserId, guild::Membership};

use super::harness::{
    ANNA, ANNEX, BEN, EPOCH, HALL, Harness, LOBBY, NOWHERE, at, hall, joined, left,
};
use crate::{fanout::StreamRegistration, stream::replay::viewer_state, visible::Selector};

const GHOST: UserId = UserId(77);

/// The annex as it comes: nobody is known in it yet.
fn annex() -> Guild {
    let mut annex = hall();
    annex.info.name = "The Annex".into();
    annex.memberships.clear();
    annex
        .roles
        .insert(ANNEX.everyone(), guildhall_model::Permissions::VIEW_CHANNEL);
    annex
}

fn member(user_id: UserId) -> Change {
    Change::Rights {
        user_id,
        membership: Some(Membership::member(Vec::new())),
    }
}

fn stranger(user_id: UserId) -> Change {
    Change::Rights {
        user_id,
        membership: Some(Membership::Stranger),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_guilds_are_not_there_yet_is_empty_and_not_live_and_hears_when_one_comes() {
    let mut harness = Harness::of(64, Vec::new());
    let awaits = |guild_ids: &[GuildId]| DiscordStatus {
        discord: Discord::Live,
        since: EPOCH,
        guild_ids: guild_ids.to_vec(),
        complete: true,
    };
    harness.writer.status(LogId(0), awaits(&[ANNEX]));
    let mut anna = harness.open_on(ANNA, &[ANNEX, NOWHERE], Selector::ALL, None);
    let first = anna.events();
    assert_eq!(first[0].event, "snapshot");
    assert_eq!(first[0].data["guilds"], serde_json::json!([]));
    assert_eq!(first[0].data["status"]["discord"], "unknown");
    assert_eq!(
        first[0].data["status"]["guildIds"],
        serde_json::json!(["900"])
    );

    let woken = anna.woken();
    harness.tell_in(ANNEX, Change::GuildAvailable(Some(Box::new(annex()))));
    assert!(anna.woken() > woken);
    assert!(anna.names().is_empty(), "nobody knows her there yet");
    harness.writer.status(LogId(0), awaits(&[]));
    assert_eq!(anna.events()[0].data["discord"], "live");
    harness.tell_in(ANNEX, member(ANNA));
    harness.answer(ANNA, &[ANNEX], &[]);
    let came = anna.events();
    assert_eq!(came.len(), 1, "{came:?}");
    assert_eq!(came[0].event, "guild.available");
    assert_eq!(came[0].data["guildId"], "900");
    assert!(came[0].data["ts"].is_u64());
    assert_eq!(came[0].data["guild"]["name"], "The Annex");
    assert_eq!(came[0].data["guild"]["rooms"][0]["name"], "Lobby");
    assert_eq!(came[0].id.as_deref(), Some(at(2).to_string().as_str()));

    harness.tell_in(ANNEX, joined(GHOST, LOBBY));
    assert_eq!(anna.names(), ["voice.joined"]);
    let mut again = harness.open_on(ANNA, &[ANNEX, NOWHERE], Selector::ALL, None);
    assert!(again.text().contains("The Annex"), "a reload shows it");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_is_looked_up_anew_is_unavailable_by_itself_while_others_go_on() {
    let mut both = annex();
    both.memberships = hall().memberships;
    let mut harness = Harness::of(64, vec![(HALL, hall()), (ANNEX, both)]);
    let mut anna = harness.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
    let mut ben = harness.open_on(BEN, &[HALL], Selector::ALL, None);
    anna.pieces();
    ben.pieces();

    harness.tell_in(ANNEX, Change::RightsReset);
    let reset = anna.events();
    assert_eq!(reset.len(), 1);
    assert_eq!(reset[0].event, "guild.unavailable");
    assert_eq!(reset[0].data["guildId"], "900");
    assert_eq!(reset[0].id.as_deref(), Some(at(1).to_string().as_str()));
    harness.tell_in(ANNEX, joined(GHOST, LOBBY));
    harness.tell(joined(GHOST, LOBBY));
    let meanwhile = anna.events();
    assert_eq!(meanwhile.len(), 1, "of the other guild alone");
    assert_eq!(meanwhile[0].data["guildId"], "100");

    let snapshot = harness
        .open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None)
        .text();
    assert!(
        snapshot.contains("The Hall") && !snapshot.contains("Annex"),
        "{snapshot}"
    );
    let registration = StreamRegistration::new(harness.fanout.viewer(ANNA));
    let seen = viewer_state(
        &harness.fanout,
        &registration,
        &[HALL, ANNEX],
        &Selector::ALL,
    );
    assert_eq!(seen.expect("proven").guilds.len(), 1);

    harness.tell_in(ANNEX, member(ANNA));
    let back = anna.events();
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].event, "guild.available");
    let room = &back[0].data["guild"]["rooms"][0];
    assert_eq!(room["members"][0]["userId"], "77", "as it is now");
    assert_eq!(
        ben.names(),
        ["voice.joined"],
        "who is not in it hears nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn who_was_kicked_while_nobody_told_us_is_shown_nothing_and_then_told_that_the_guild_is_gone()
{
    let mut harness = Harness::hall();
    let mut anna = harness.open(ANNA, None);
    anna.pieces();
    harness.tell(Change::RightsReset);
    assert_eq!(anna.names(), ["guild.unavailable"]);
    harness.tell(joined(GHOST, LOBBY));
    assert!(anna.names().is_empty());
    harness.tell(stranger(ANNA));
    assert_eq!(anna.names(), ["guild.removed"]);
    harness.tell(left(GHOST, LOBBY));
    assert!(anna.names().is_empty());

    harness.tell(member(ANNA));
    assert_eq!(anna.names(), ["guild.available"], "let in again");
    harness.tell(stranger(ANNA));
    assert_eq!(anna.names(), ["guild.removed"], "told at once");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_the_bot_leaves_while_it_is_looked_up_is_removed() {
    let mut harness = Harness::hall();
    let (mut anna, mut ben) = (harness.open(ANNA, None), harness.open(BEN, None));
    anna.pieces();
    ben.pieces();
    harness.tell(Change::RightsReset);
    assert_eq!(anna.names(), ["guild.unavailable"]);
    harness.tell(Change::GuildRemoved);
    assert_eq!(anna.names(), ["guild.removed"]);
    assert_eq!(ben.names(), ["guild.unavailable", "guild.removed"]);
}

#[tokio::test(start_paused = true)]
async fn who_reconnects_over_a_new_look_up_is_never_left_with_the_old_picture() {
    let mut harness = Harness::hall();
    harness.tell(Change::RightsReset);
    let mut between = harness.open(ANNA, Some(at(0)));
    let first = between.events();
    assert_eq!(first[0].data["reason"], "authz_changed");
    assert_eq!(first[0].data["guilds"], serde_json::json!([]));
    let mut dimmed = harness.open(ANNA, Some(at(1)));
    assert_eq!(dimmed.names(), ["resumed"]);
    harness.tell(stranger(ANNA));
    assert!(between.names().is_empty(), "it has nothing of it");
    assert_eq!(dimmed.names(), ["guild.removed"], "it may have");
    let mut after = harness.open(ANNA, Some(at(1)));
    assert_eq!(after.events()[0].data["guilds"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_before_a_guilds_picture_begins_again_before_it() {
    let mut both = annex();
    both.memberships = hall().memberships;
    let mut harness = Harness::of(64, vec![(HALL, hall()), (ANNEX, both)]);
    let mut anna = harness.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
    anna.pieces();
    harness.tell(joined(GHOST, LOBBY));
    harness.tell_in(ANNEX, Change::RightsReset);
    harness.tell_in(ANNEX, member(ANNA));
    harness.tell(left(GHOST, LOBBY));
    let events = anna.events();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.event.as_str(), event.id.clone()))
        .collect();
    let place = |seq| Some(at(seq).to_string());
    assert_eq!(
        told,
        [
            ("voice.joined", place(1)),
            ("guild.unavailable", None),
            ("voice.left", None),
            ("guild.available", place(4)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_invented_leaves_nothing_behind() {
    let harness = Harness::hall();
    let viewer = harness.fanout.viewer(ANNA);
    let mut streams = Vec::new();
    for round in 0..50_u64 {
        let invented: Vec<_> = (0..100)
            .map(|id| GuildId(10_000 + 100 * round + id))
            .collect();
        let mut stream = harness.open_on(ANNA, &invented, Selector::ALL, None);
        stream.pieces();
        streams.push(stream);
    }
    assert_eq!(viewer.remembered(), 0);
    assert!(
        harness
            .fanout
            .replica()
            .read()
            .guild(GuildId(10_000))
            .is_none()
    );
}
