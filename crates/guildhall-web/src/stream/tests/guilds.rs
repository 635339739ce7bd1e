use guildhall_link::frame::{Discord, DiscordStatus};
use guildhall_model::{Change, Guild, GuildId, UserId, guild::Membership};
use tokio::time::Instant;

use super::harness::{ANNA, BEN, EPOCH, HALL, LOBBY, Stage, at, hall, joined, left};
use crate::{fanout::StreamRegistration, stream::replay::viewer_state, visible::Selector};

const GHOST: UserId = UserId(77);
const ANNEX: GuildId = GuildId(900);
const NOWHERE: GuildId = GuildId(999);

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
        membership: Some(Membership::member(Vec::new(), false)),
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
    let mut stage = Stage::of(64, Vec::new());
    let awaits = |guild_ids: &[GuildId]| DiscordStatus {
        discord: Discord::Live,
        since: EPOCH,
        guild_ids: guild_ids.to_vec(),
        complete: true,
    };
    stage.writer.status(awaits(&[ANNEX]));
    let mut anna = stage.open_on(ANNA, &[ANNEX, NOWHERE], Selector::ALL, None);
    let first = anna.events();
    assert_eq!(first[0].event, "snapshot");
    assert_eq!(first[0].data["guilds"], serde_json::json!([]));
    assert_eq!(first[0].data["status"]["discord"], "unknown");
    assert_eq!(
        first[0].data["status"]["guildIds"],
        serde_json::json!(["900"])
    );

    let woken = anna.woken();
    stage.tell_in(ANNEX, Change::GuildAvailable(Some(Box::new(annex()))));
    assert!(anna.woken() > woken);
    assert!(anna.names().is_empty(), "nobody knows her there yet");
    stage.writer.status(awaits(&[]));
    assert_eq!(anna.events()[0].data["discord"], "live");
    stage.tell_in(ANNEX, member(ANNA));
    let viewer = stage.fanout.viewer(ANNA);
    viewer.record_lookup(at(2), &[ANNEX], &[], Instant::now());
    let came = anna.events();
    assert_eq!(came.len(), 1, "{came:?}");
    assert_eq!(came[0].event, "guild.available");
    assert_eq!(came[0].data["guildId"], "900");
    assert!(came[0].data["ts"].is_u64());
    assert_eq!(came[0].data["guild"]["name"], "The Annex");
    assert_eq!(came[0].data["guild"]["rooms"][0]["name"], "Lobby");
    assert_eq!(came[0].id.as_deref(), Some(at(2).to_string().as_str()));

    stage.tell_in(ANNEX, joined(GHOST, LOBBY));
    assert_eq!(anna.names(), ["voice.joined"]);
    let mut again = stage.open_on(ANNA, &[ANNEX, NOWHERE], Selector::ALL, None);
    assert!(again.text().contains("The Annex"), "a reload shows it");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_is_looked_up_anew_is_unavailable_by_itself_while_others_go_on() {
    let mut both = annex();
    both.memberships = hall().memberships;
    let mut stage = Stage::of(64, vec![(HALL, hall()), (ANNEX, both)]);
    let mut anna = stage.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
    let mut ben = stage.open_on(BEN, &[HALL], Selector::ALL, None);
    anna.pieces();
    ben.pieces();

    stage.tell_in(ANNEX, Change::RightsReset);
    let reset = anna.events();
    assert_eq!(reset.len(), 1);
    assert_eq!(reset[0].event, "guild.unavailable");
    assert_eq!(reset[0].data["guildId"], "900");
    assert_eq!(reset[0].id.as_deref(), Some(at(1).to_string().as_str()));
    stage.tell_in(ANNEX, joined(GHOST, LOBBY));
    stage.tell(joined(GHOST, LOBBY));
    let meanwhile = anna.events();
    assert_eq!(meanwhile.len(), 1, "of the other guild alone");
    assert_eq!(meanwhile[0].data["guildId"], "100");

    let snapshot = stage
        .open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None)
        .text();
    assert!(
        snapshot.contains("The Hall") && !snapshot.contains("Annex"),
        "{snapshot}"
    );
    let registration = StreamRegistration::new(stage.fanout.viewer(ANNA));
    let seen = viewer_state(&stage.fanout, &registration, &[HALL, ANNEX], &Selector::ALL);
    assert_eq!(seen.expect("proven").guilds.len(), 1);

    stage.tell_in(ANNEX, member(ANNA));
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
    let mut stage = Stage::hall();
    let mut anna = stage.open(ANNA, None);
    anna.pieces();
    stage.tell(Change::RightsReset);
    assert_eq!(anna.names(), ["guild.unavailable"]);
    stage.tell(joined(GHOST, LOBBY));
    assert!(anna.names().is_empty());
    stage.tell(stranger(ANNA));
    assert_eq!(anna.names(), ["guild.removed"]);
    stage.tell(left(GHOST, LOBBY));
    assert!(anna.names().is_empty());

    stage.tell(member(ANNA));
    assert_eq!(anna.names(), ["guild.available"], "let in again");
    stage.tell(stranger(ANNA));
    assert_eq!(anna.names(), ["guild.removed"], "told at once");
}

#[tokio::test(start_paused = true)]
async fn a_guild_that_the_bot_leaves_while_it_is_looked_up_is_removed() {
    let mut stage = Stage::hall();
    let (mut anna, mut ben) = (stage.open(ANNA, None), stage.open(BEN, None));
    anna.pieces();
    ben.pieces();
    stage.tell(Change::RightsReset);
    assert_eq!(anna.names(), ["guild.unavailable"]);
    stage.tell(Change::GuildRemoved);
    assert_eq!(anna.names(), ["guild.removed"]);
    assert_eq!(ben.names(), ["guild.unavailable", "guild.removed"]);
}

#[tokio::test(start_paused = true)]
async fn who_reconnects_over_a_new_look_up_is_never_left_with_the_old_picture() {
    let mut stage = Stage::hall();
    stage.tell(Change::RightsReset);
    let mut between = stage.open(ANNA, Some(at(0)));
    let first = between.events();
    assert_eq!(first[0].data["reason"], "authz_changed");
    assert_eq!(first[0].data["guilds"], serde_json::json!([]));
    let mut dimmed = stage.open(ANNA, Some(at(1)));
    assert_eq!(dimmed.names(), ["resumed"]);
    stage.tell(stranger(ANNA));
    assert!(between.names().is_empty(), "it has nothing of it");
    assert_eq!(dimmed.names(), ["guild.removed"], "it may have");
    let mut after = stage.open(ANNA, Some(at(1)));
    assert_eq!(after.events()[0].data["guilds"], serde_json::json!([]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_before_a_guilds_picture_begins_again_before_it() {
    let mut both = annex();
    both.memberships = hall().memberships;
    let mut stage = Stage::of(64, vec![(HALL, hall()), (ANNEX, both)]);
    let mut anna = stage.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
    anna.pieces();
    stage.tell(joined(GHOST, LOBBY));
    stage.tell_in(ANNEX, Change::RightsReset);
    stage.tell_in(ANNEX, member(ANNA));
    stage.tell(left(GHOST, LOBBY));
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
    let stage = Stage::hall();
    let viewer = stage.fanout.viewer(ANNA);
    let mut streams = Vec::new();
    for round in 0..50_u64 {
        let invented: Vec<_> = (0..100)
            .map(|id| GuildId(10_000 + 100 * round + id))
            .collect();
        let mut stream = stage.open_on(ANNA, &invented, Selector::ALL, None);
        stream.pieces();
        streams.push(stream);
    }
    assert_eq!(viewer.remembered(), 0);
    assert!(
        stage
            .fanout
            .replica()
            .read()
            .guild(GuildId(10_000))
            .is_none()
    );
}
