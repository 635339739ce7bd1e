//! Streams as `curl -N` shows them, from a fixed list of events and a clock that stands still.
//! They are committed in `fixtures/transcripts`, and the page's tests read the same files.
//! `UPDATE_FIXTURES=1 cargo test -p guildhall-web transcripts` writes them anew.

use std::{fs, path::PathBuf, time::Duration};

use guildhall_model::{
    Change, ChannelId, UserId,
    guild::{GuildInfo, RoomInfo, RoomManagement, RoomRights, VoiceFlags},
};
use tokio::time::advance;

use super::harness::{
    ANNA, BEN, EPOCH, Harness, LOBBY, Listener, VAULT, VAULT_ROLE, at, hidden_but_for, joined,
    left, person, room,
};
use crate::auth::EndReason;

const TABLE: ChannelId = ChannelId(203);
const CY: UserId = UserId(77);

fn is_committed(name: &str, transcript: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/transcripts");
    let path = folder.join(format!("curl-{name}.sse"));
    #[expect(
        clippy::disallowed_methods,
        reason = "a switch for who changes the wire on purpose"
    )]
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, transcript).expect("the fixtures can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(transcript, committed, "{} differs", path.display());
}

/// Appends and reads, one by one, so that the transcript does not depend on what is joined.
fn tell(harness: &mut Harness, listener: &mut Listener, out: &mut String, changes: Vec<Change>) {
    for change in changes {
        harness.tell(change);
        out.push_str(&listener.text());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_visit() {
    let mut harness = Harness::hall();
    harness.tell(joined(BEN, LOBBY));
    let mut curl = harness.open(ANNA, None);
    let mut out = curl.text();
    let mut muted = person(CY, LOBBY);
    muted.display_name = "Cy \u{2028} \"the quiet\"\r\n🎲".into();
    let spoken = muted.clone();
    muted.flags = VoiceFlags {
        self_mute: true,
        ..VoiceFlags::default()
    };
    let told = vec![
        Change::VoiceJoined(spoken),
        Change::VoiceUpdated(muted),
        left(BEN, LOBBY),
        joined(BEN, VAULT),
        left(CY, LOBBY),
    ];
    tell(&mut harness, &mut curl, &mut out, told);
    advance(Duration::from_secs(10)).await;
    out.push_str(&curl.text());
    harness.writer.link_down(EPOCH + 2_000);
    out.push_str(&curl.text());
    harness.writer.link_up(EPOCH + 3_000);
    out.push_str(&curl.text());
    harness.fanout.drain();
    out.push_str(&curl.text());
    is_committed("first-visit", &out);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_stream_sees_rooms_come_and_go() {
    let mut harness = Harness::hall();
    harness.tell(joined(CY, LOBBY));
    harness.tell(joined(BEN, VAULT));
    harness.tell(left(CY, LOBBY));
    let mut curl = harness.open(ANNA, Some(at(0)));
    let mut out = curl.text();
    let mut table = room(TABLE, "Table 2", RoomRights::default());
    table.info.parent_id = Some(ChannelId(200));
    table.info.parent_name = Some("Game night".into());
    let told = vec![
        Change::RoomCreated(table.clone()),
        Change::RoomUpdated(RoomInfo {
            name: "Table 2 (loud)".into(),
            user_limit: 5,
            ..table.info
        }),
        joined(CY, TABLE),
        left(CY, TABLE),
        Change::RoomDeleted { channel_id: TABLE },
        Change::GuildUnavailable,
        Change::GuildAvailable(None),
        Change::Gap {
            from: EPOCH + 1,
            to: EPOCH + 2,
        },
        Change::GuildUpdated(GuildInfo {
            name: "The Longer Hall".into(),
            icon: Some("a_5d5c1a4f5b9d".into()),
        }),
    ];
    tell(&mut harness, &mut curl, &mut out, told);
    harness
        .sessions
        .revoke_session(&harness.session, EndReason::SignedOut)
        .await
        .expect("kept");
    out.push_str(&curl.text());
    is_committed("resumed", &out);
}

#[tokio::test(start_paused = true)]
async fn a_room_of_ones_own_from_its_first_moment_to_its_last() {
    let mut harness = Harness::hall();
    // Whoever is not let in by name hears nothing of it.
    let mut stranger = harness.open(ANNA, None);
    let before = stranger.text();
    let mut curl = harness.open(BEN, None);
    let mut out = curl.text();
    let mut table = room(TABLE, "Ben's table", hidden_but_for(VAULT_ROLE));
    table.info.user_limit = 4;
    table.info.managed = Some(RoomManagement {
        owner_id: BEN,
        locked: false,
        hidden: true,
    });
    let locked = RoomInfo {
        managed: Some(RoomManagement {
            owner_id: BEN,
            locked: true,
            hidden: true,
        }),
        status: Some("Go, all evening".into()),
        ..table.info.clone()
    };
    let idle = |deletes_at| Change::RoomIdle {
        channel_id: TABLE,
        deletes_at,
    };
    let told = vec![
        Change::RoomCreated(table),
        Change::RoomUpdated(locked),
        idle(Some(EPOCH + 30_000)),
        idle(None),
    ];
    tell(&mut harness, &mut curl, &mut out, told);
    out.push_str(&harness.open(BEN, None).text());
    let gone = vec![Change::RoomDeleted { channel_id: TABLE }];
    tell(&mut harness, &mut curl, &mut out, gone);
    is_committed("rooms", &out);
    let heard = stranger.text();
    assert!(
        !before.contains("table") && !heard.contains("table"),
        "{heard}"
    );
    assert!(!heard.contains("room."), "{heard}");
}

#[tokio::test(start_paused = true)]
async fn what_one_cause_did_has_one_id() {
    let mut harness = Harness::hall();
    harness.tell(joined(CY, LOBBY));
    let mut curl = harness.open(BEN, None);
    let mut out = curl.text();
    harness.tell_group(vec![left(CY, LOBBY), joined(CY, VAULT)]);
    out.push_str(&curl.text());
    let parent = |room: RoomInfo| {
        Change::RoomUpdated(RoomInfo {
            parent_name: Some("Game night".into()),
            ..room
        })
    };
    harness.tell_group(vec![
        parent(room(LOBBY, "Lobby", RoomRights::default()).info),
        parent(room(VAULT, "Vault", RoomRights::default()).info),
    ]);
    out.push_str(&curl.text());
    out.push_str(&harness.open(BEN, Some(at(1))).text());
    is_committed("groups", &out);
}

#[tokio::test(start_paused = true)]
async fn rights_change_under_an_open_stream() {
    let mut harness = Harness::hall();
    harness.tell(joined(CY, VAULT));
    let mut curl = harness.open(ANNA, None);
    let mut out = curl.text();
    harness.look_up(ANNA, &[VAULT_ROLE]);
    out.push_str(&curl.text());
    let told = vec![
        joined(BEN, VAULT),
        Change::RoomRights {
            channel_id: LOBBY,
            rights: hidden_but_for(VAULT_ROLE),
        },
        left(BEN, VAULT),
    ];
    tell(&mut harness, &mut curl, &mut out, told);
    harness.look_up(ANNA, &[]);
    out.push_str(&curl.text());
    // Whoever is in a room sees it, and who is in it.
    harness.tell(joined(ANNA, VAULT));
    out.push_str(&curl.text());
    harness.tell(left(ANNA, VAULT));
    out.push_str(&curl.text());
    harness.tell(Change::RightsReset);
    out.push_str(&curl.text());
    harness.look_up(ANNA, &[VAULT_ROLE]);
    out.push_str(&curl.text());
    harness.tell(Change::GuildRemoved);
    out.push_str(&curl.text());
    is_committed("rights", &out);
}
