//! Rights that change under open streams: the rooms that appear and vanish are told around what made
//! them, and nothing is sent again.

use guildhall_model::{
    Change, ChannelId, Guild, Permissions, RoleId, UserId,
    event::{Family, FamilySet},
    guild::{Membership, Role, RoomRights},
};

use super::harness::{
    ANNA, ANNEX, BEN, EPOCH, HALL, Harness, LOBBY, Listener, Sse, VAULT, VAULT_ROLE, hall, hall_of,
    hidden_but_for, joined, left, person, room,
};
use crate::{replica::GuildLog, visible::Selector};

const GHOST: UserId = UserId(77);
const KEY_ROLE: RoleId = RoleId(60);

/// What came, with where each says to go on from.
fn told(stream: &mut Listener) -> Vec<(String, Option<u64>)> {
    let events = stream.events().into_iter();
    events
        .map(|event| (event.event.clone(), place(&event)))
        .collect()
}

fn place(event: &Sse) -> Option<u64> {
    let id = event.id.as_ref()?;
    Some(id.rsplit('-').next()?.parse().expect("a number"))
}

fn own(told: &[(&str, Option<u64>)]) -> Vec<(String, Option<u64>)> {
    let own = |(name, place): &(&str, Option<u64>)| ((*name).to_owned(), *place);
    told.iter().map(own).collect()
}

/// So many of one event in a group that ends there.
fn group(name: &str, many: usize, end: u64) -> Vec<(String, Option<u64>)> {
    let place = |number| (number + 1 == many).then_some(end);
    (0..many)
        .map(|number| (name.to_owned(), place(number)))
        .collect()
}

fn rooms(number: u64) -> impl Iterator<Item = ChannelId> {
    (300..300 + number).map(ChannelId)
}

/// The hall with so many rooms more, for [`KEY_ROLE`] alone, in each of which somebody is.
fn with_rooms(number: u64) -> Guild {
    let mut guild = hall();
    guild.roles.insert(KEY_ROLE, Permissions::NONE);
    for channel in rooms(number) {
        let hidden = room(
            channel,
            &format!("Room {channel}"),
            hidden_but_for(KEY_ROLE),
        );
        guild.rooms.insert(channel, hidden);
        let somebody = UserId(5_000 + channel.0);
        guild.voice.insert(somebody, person(somebody, channel));
    }
    guild
}

fn roles(user_id: UserId, roles: &[RoleId]) -> Change {
    Change::Rights {
        user_id,
        membership: Some(Membership::member(roles.to_vec())),
    }
}

fn key_role(permissions: Permissions) -> Change {
    Change::RoleSet(Role {
        role_id: KEY_ROLE,
        permissions,
    })
}

/// Seen by everybody, or by nobody who is no administrator.
fn open_to_all(channel_id: ChannelId, open: bool) -> Change {
    let role = if open { HALL.everyone() } else { RoleId(404) };
    let mut rights = hidden_but_for(role);
    if open {
        rights.overwrites.clear();
    }
    Change::RoomRights { channel_id, rights }
}

fn opened(harness: &Harness, user: UserId) -> Listener {
    let mut stream = harness.open(user, None);
    assert_eq!(stream.names(), ["snapshot"]);
    stream
}

#[tokio::test(start_paused = true)]
async fn a_role_that_opens_five_rooms_is_five_rooms_with_people_in_one_group() {
    let mut guild = with_rooms(5);
    guild
        .memberships
        .insert(ANNA, Membership::member(vec![RoleId(61)]));
    guild.roles.insert(RoleId(61), Permissions::NONE);
    let mut harness = Harness::of(1_000, vec![(HALL, guild)]);
    let (mut anna, mut ben) = (opened(&harness, ANNA), opened(&harness, BEN));
    let set = |permissions| {
        Change::RoleSet(Role {
            role_id: RoleId(61),
            permissions,
        })
    };
    harness.tell(set(Permissions::ADMINISTRATOR));
    let shown = anna.events();
    let channels = [VAULT].into_iter().chain(rooms(5));
    for (event, channel) in shown.iter().zip(channels) {
        assert_eq!(event.event, "room.shown");
        assert_eq!(event.data["channelId"], channel.to_string());
        assert_eq!(event.data["guildId"], HALL.to_string());
        assert_eq!(event.data["ts"], EPOCH + 1);
        let people = event.data["members"].as_array().expect("a list");
        assert_eq!(people.len(), usize::from(channel != VAULT));
        assert!(event.data.get("synthetic").is_none());
    }
    let places: Vec<_> = shown.iter().map(place).collect();
    assert_eq!(places, [None, None, None, None, None, Some(1)]);
    harness.tell(set(Permissions::NONE));
    assert_eq!(told(&mut anna), group("room.hidden", 6, 2));
    assert!(ben.names().is_empty(), "nobody else hears of it");
}

#[tokio::test(start_paused = true)]
async fn whoever_joins_another_class_is_told_what_those_are_told_who_go_on_with_theirs() {
    let mut guild = with_rooms(3);
    for user in 100..110 {
        let has_key = Membership::member(vec![KEY_ROLE]);
        guild.memberships.insert(UserId(user), has_key);
    }
    let mut harness = Harness::of(1_000, vec![(HALL, guild)]);
    let mut holders: Vec<_> = (100..110)
        .map(|user| opened(&harness, UserId(user)))
        .collect();
    let mut anna = opened(&harness, ANNA);
    let mut slow = opened(&harness, ANNA);
    let generation = |harness: &Harness, user| harness.fanout.viewer(user).rights_generation();
    // The holders are most of their class and go on with it; Anna goes from class to class.
    let before = [UserId(100), ANNA].map(|user| generation(&harness, user));
    harness.tell(roles(ANNA, &[KEY_ROLE]));
    assert_eq!(told(&mut anna), group("room.shown", 3, 1));
    harness.tell(key_role(Permissions::ADMINISTRATOR));
    let shown = holders[0].text();
    assert_eq!(anna.text(), shown, "hers is theirs");
    harness.tell(roles(ANNA, &[]));
    assert_eq!(told(&mut anna), group("room.hidden", 4, 3));
    let after = [UserId(100), ANNA].map(|user| generation(&harness, user));
    assert_eq!(before[0], after[0], "nobody joined again who need not");
    assert!(before[1] < after[1]);
    let all = [
        group("room.shown", 3, 1),
        group("room.shown", 1, 2),
        group("room.hidden", 4, 3),
    ];
    assert_eq!(told(&mut slow), all.concat(), "read late, it is the same");
    for holder in &mut holders[1..] {
        assert_eq!(holder.text(), shown);
    }
}

#[tokio::test(start_paused = true)]
async fn who_is_moved_where_they_see_nothing_is_shown_the_room_and_then_that_they_are_there() {
    let mut harness = Harness::hall();
    harness.tell(joined(GHOST, VAULT));
    harness.tell(joined(ANNA, LOBBY));
    let (mut anna, mut ben) = (opened(&harness, ANNA), opened(&harness, BEN));
    harness.tell_group(vec![left(ANNA, LOBBY), joined(ANNA, VAULT)]);
    let there = anna.events();
    let names: Vec<_> = there
        .iter()
        .map(|event| (event.event.as_str(), place(event)))
        .collect();
    assert_eq!(
        names,
        [
            ("voice.left", None),
            ("room.shown", None),
            ("voice.joined", Some(4))
        ]
    );
    let people = there[1].data["members"].as_array().expect("a list");
    assert_eq!((people.len(), &people[0]["userId"]), (1, &"77".into()));
    harness.tell_group(vec![left(ANNA, VAULT), joined(ANNA, LOBBY)]);
    assert_eq!(
        told(&mut anna),
        own(&[
            ("voice.left", None),
            ("room.hidden", None),
            ("voice.joined", Some(6))
        ])
    );
    let moves = ["voice.left", "voice.joined", "voice.left", "voice.joined"];
    assert_eq!(ben.names(), moves, "who sees both rooms");
}

#[tokio::test(start_paused = true)]
async fn rooms_are_told_to_whoever_asks_for_them_whatever_families_they_ask_for() {
    let mut harness = Harness::hall();
    let voice = Selector {
        families: FamilySet::default().with(Family::Voice),
        channels: None,
    };
    let other = Selector {
        channels: Some([LOBBY].into()),
        ..Selector::ALL
    };
    let mut voice = harness.open_on(ANNA, &[HALL], voice, None);
    let mut other = harness.open_on(ANNA, &[HALL], other, None);
    voice.pieces();
    other.pieces();
    harness.look_up(ANNA, &[VAULT_ROLE]);
    harness.tell(joined(GHOST, VAULT));
    harness.look_up(ANNA, &[]);
    let told = ["room.shown", "voice.joined", "room.hidden"];
    assert_eq!(voice.names(), told);
    assert!(other.names().is_empty());
    // Where nothing is asked about rooms, one that is made or deleted comes and goes like any other.
    let den = ChannelId(300);
    let made = room(den, "Den", RoomRights::default());
    harness.tell(Change::RoomCreated(made));
    harness.tell_group(vec![joined(GHOST, den), left(GHOST, den)]);
    harness.tell(Change::RoomDeleted { channel_id: den });
    let told = ["room.shown", "voice.joined", "voice.left", "room.hidden"];
    let events = voice.events();
    let names: Vec<&str> = events.iter().map(|event| &*event.event).collect();
    assert_eq!(names, told);
    assert_eq!(events[0].data["name"], "Den");
    assert!(events[0].id.is_some() && events[3].id.is_some());
    assert!(other.names().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_room_that_is_renamed_as_it_opens_is_shown_by_its_new_name_and_as_it_closes_by_neither() {
    let mut harness = Harness::hall();
    let mut anna = opened(&harness, ANNA);
    let renamed = |name: &str| {
        let renamed = room(VAULT, name, hidden_but_for(VAULT_ROLE));
        Change::RoomUpdated(renamed.info)
    };
    harness.tell_group(vec![open_to_all(VAULT, true), renamed("Parlour")]);
    let shown = anna.events();
    assert_eq!(shown[0].event, "room.shown");
    assert_eq!(shown[0].data["name"], "Parlour");
    assert_eq!(shown[1].event, "room.updated");
    harness.tell_group(vec![open_to_all(VAULT, false), renamed("Crypt")]);
    let text = anna.text();
    assert!(text.contains("room.hidden") && !text.contains("Crypt"));
    // What is renamed once it is closed again is not told by what it is called then.
    harness.tell_group(vec![
        open_to_all(VAULT, true),
        open_to_all(VAULT, false),
        renamed("Tomb"),
    ]);
    assert!(!anna.text().contains("Tomb"));
}

#[tokio::test(start_paused = true)]
async fn what_is_found_by_comparing_is_said_to_be_so_of_its_rooms_too() {
    let mut harness = Harness::of(1_000, vec![(HALL, with_rooms(1))]);
    let mut anna = opened(&harness, ANNA);
    for (roles, name) in [(vec![KEY_ROLE], "room.shown"), (Vec::new(), "room.hidden")] {
        let membership = Some(Membership::member(roles));
        let user_id = ANNA;
        let found = Change::Rights {
            user_id,
            membership,
        };
        let mut group = harness.sealed(HALL, vec![found]);
        group[0].event.synthetic = true;
        harness.take(group);
        let events = anna.events();
        assert_eq!(events[0].event, name);
        assert_eq!(events[0].data["synthetic"], true);
    }
    harness.look_up(ANNA, &[KEY_ROLE]);
    assert_eq!(anna.events()[0].data.get("synthetic"), None);
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_by_more_than_buffer_and_history_hold_is_told_all_of_it_from_the_log() {
    let mut harness = Harness::of(1_000, vec![(HALL, with_rooms(200))]);
    let (mut quick, mut slow) = (opened(&harness, ANNA), opened(&harness, ANNA));
    let mut all = Vec::new();
    for _ in 0..10 {
        for roles in [&[KEY_ROLE][..], &[]] {
            harness.look_up(ANNA, roles);
            all.extend(quick.events());
        }
    }
    assert_eq!(all.len(), 20 * 200);
    assert_eq!(slow.events(), all);
}

#[tokio::test(start_paused = true)]
async fn a_guild_of_which_something_is_not_kept_or_too_much_is_sent_again_and_no_other() {
    let worlds = vec![(HALL, with_rooms(1)), (ANNEX, hall_of(ANNEX))];
    let mut harness = Harness::of(1_000, worlds);
    let both = |harness: &Harness| {
        let mut stream = harness.open_on(ANNA, &[HALL, ANNEX], Selector::ALL, None);
        assert_eq!(stream.names(), ["snapshot"]);
        stream
    };
    let (mut slow, mut anna) = (both(&harness), both(&harness));
    for _ in 0..200 {
        harness.look_up(ANNA, &[KEY_ROLE]);
        harness.look_up(ANNA, &[]);
        assert_eq!(anna.names(), ["room.shown", "room.hidden"]);
    }
    harness.tell_in(ANNEX, joined(GHOST, LOBBY));
    let events = slow.events();
    let names: Vec<&str> = events.iter().map(|event| &*event.event).collect();
    assert_eq!(names, ["voice.joined", "guild.available"]);
    assert_eq!(events[1].data["guild"]["id"], HALL.to_string());
    assert_eq!(place(&events[0]), None, "all before it is not told yet");
    assert_eq!(place(&events[1]), Some(harness.head_of(HALL).seq));
    harness.look_up(ANNA, &[KEY_ROLE]);
    assert_eq!(slow.names(), ["room.shown"], "and it goes on");

    // Of one cause all is told, however many records it takes.
    let mut harness = Harness::of(1_000, vec![(HALL, with_rooms(300))]);
    let mut anna = opened(&harness, ANNA);
    harness.tell_group(rooms(300).map(|room| open_to_all(room, true)).collect());
    assert_eq!(anna.names(), vec!["room.shown"; 300]);
    harness.tell(open_to_all(ChannelId(300), false));
    assert_eq!(anna.names(), ["room.hidden"]);

    let mut crowded = with_rooms(1);
    for user in 0..20_000 {
        let user = UserId(100_000 + user);
        crowded.voice.insert(user, person(user, ChannelId(300)));
    }
    let mut harness = Harness::of(1_000, vec![(HALL, crowded)]);
    let mut anna = opened(&harness, ANNA);
    harness.look_up(ANNA, &[KEY_ROLE]);
    let events = anna.events();
    assert_eq!((events.len(), &*events[0].event), (1, "guild.available"));
    let shown = events[0].data["guild"]["rooms"].as_array().expect("rooms");
    let people = |room: &serde_json::Value| room["members"].as_array().map(Vec::len);
    assert!(shown.iter().any(|room| people(room) == Some(20_001)));
    harness.tell(open_to_all(ChannelId(300), true));
    assert!(anna.names().is_empty(), "she sees it already");
    let mut ben = opened(&harness, BEN);
    harness.tell(open_to_all(ChannelId(300), false));
    assert_eq!(ben.names(), ["room.hidden"], "that is little");
}

#[tokio::test(start_paused = true)]
async fn rights_that_flap_cost_a_bounded_memory_and_nobody_of_another_guild() {
    let crowded = |guild: &mut Guild| {
        for user in 0..2_000 {
            let user = UserId(100_000 + user);
            guild.voice.insert(user, person(user, ChannelId(300)));
        }
    };
    let mut guild = with_rooms(4);
    crowded(&mut guild);
    let annex = hall_of(ANNEX);
    let mut harness = Harness::of(1_000, vec![(HALL, guild), (ANNEX, annex)]);
    let mut anna = opened(&harness, ANNA);
    let mut bystander = harness.open_on(BEN, &[ANNEX], Selector::ALL, None);
    bystander.pieces();
    let woken = bystander.woken();
    let mut most = 0;
    for round in 0..300 {
        harness.look_up(ANNA, &[KEY_ROLE]);
        harness.look_up(ANNA, &[]);
        if round % 7 == 0 {
            anna.pieces();
        }
        let logs = harness.fanout.replica().read();
        most = most.max(logs.guild(HALL).map_or(0, GuildLog::cost));
        assert_eq!(logs.floor(HALL), 0, "records are not given up for it");
    }
    // 300 times a picture of 2,000 people is some 250 MB.
    assert!((2 << 20..6 << 20).contains(&most), "{most} bytes");
    assert_eq!(bystander.woken(), woken);
    harness.tell_in(ANNEX, joined(GHOST, LOBBY));
    assert_eq!(bystander.names(), ["voice.joined"]);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_hides_450_rooms_from_1_000_streams_of_50_classes_is_rendered_once() {
    let mut guild = with_rooms(450);
    let viewers: Vec<UserId> = (0..1_000).map(|number| UserId(10_000 + number)).collect();
    for (number, user) in (0..).zip(&viewers) {
        // Each class has a room of its own.
        let class = number % 50;
        let (role, own_room) = (RoleId(1_000 + class), ChannelId(1_000 + class));
        guild.roles.insert(role, Permissions::NONE);
        let own_room = room(own_room, "Own", hidden_but_for(role));
        guild.rooms.insert(own_room.info.channel_id, own_room);
        let member = Membership::member(vec![KEY_ROLE, role]);
        guild.memberships.insert(*user, member);
    }
    let mut harness = Harness::of(1_000, vec![(HALL, guild)]);
    let open = |user: &UserId| {
        let mut stream = harness.open(*user, None);
        assert_eq!(stream.pieces().len(), 1);
        stream
    };
    let mut streams: Vec<_> = viewers.iter().map(open).collect();
    let generations = |harness: &Harness| -> Vec<u64> {
        let of = |user: &UserId| harness.fanout.viewer(*user).rights_generation();
        viewers.iter().map(of).collect()
    };
    let before = generations(&harness);
    harness.tell(Change::RoleRemoved { role_id: KEY_ROLE });
    assert_eq!(generations(&harness), before, "each class goes on");
    let texts: Vec<_> = streams.iter_mut().map(Listener::pieces).collect();
    let first = String::from_utf8(texts[0].concat()).expect("text");
    assert_eq!(first.matches("event: room.hidden").count(), 450);
    assert_eq!(first.matches("event: ").count(), 450);
    assert_eq!(first.matches("\nid: ").count(), 1);
    assert!(texts.iter().all(|pieces| pieces == &texts[0]));
    let cost = |harness: &Harness| {
        let logs = harness.fanout.replica().read();
        logs.guild(HALL).map_or(0, GuildLog::cost)
    };
    assert!(cost(&harness) < 450 * 512, "{}", cost(&harness));
}
