//! Every frame of open streams under rights that change all the time, held against the slow oracle:
//! which rooms appear around each event, which events are shown, which rooms vanish, where the `id:`
//! stands; by a stream that is read at once and by one that is read when it happens to be.

use std::collections::BTreeMap;

use guildhall_model::{
    Change, ChannelId, Cursor, Guild, GuildId, LogId, UserId, World,
    arbitrary::naive,
    event::{Audience, Family, FamilySet},
    guild::Membership,
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{
    harness::{EPOCH, HALL, Harness, LOBBY, Listener, Sse, hall_of},
    picture::Picture,
    simulation::{Step, VIEWERS, apply, changes, step, truth_of},
};
use crate::visible::Selector;

/// In a log of its own, where there are several.
const FAR: GuildId = GuildId(1_002);

/// One frame, as far as it is compared.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    /// Of the event that caused it.
    seq: u64,
    name: String,
    room: Option<String>,
    /// Of a room that is shown: its name and who is in it.
    shown: Option<(String, Vec<String>)>,
    /// Where it says to go on from.
    id: Option<u64>,
}

impl Told {
    fn of(event: &Sse, log: LogId) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let data = &event.data;
        let room = text(&data["channelId"]).or_else(|| text(&data["previousChannelId"]));
        let id = event.id.as_ref().map(|id| {
            let cursor: Cursor = id.parse().expect("a cursor");
            cursor.in_log(log).expect("its log").seq
        });
        let shown = (event.event == "room.shown").then(|| {
            let members = data["members"].as_array().expect("a list").iter();
            let ids = members.map(|member| text(&member["userId"]).expect("an id"));
            (text(&data["name"]).expect("a name"), ids.collect())
        });
        Self {
            seq: data["ts"].as_u64().expect("a time") - EPOCH,
            name: event.event.clone(),
            room,
            shown,
            id,
        }
    }
}

/// What changes who sees what, or may.
fn touches(change: &Change) -> bool {
    let comes_or_goes = matches!(change, Change::RoomCreated(_) | Change::RoomDeleted { .. });
    comes_or_goes || change.touches_rights()
}

/// Whether everybody is a member before and after, of a guild that stays.
fn keeps_members(change: &Change) -> bool {
    match change {
        Change::GuildAvailable(_)
        | Change::GuildUnavailable
        | Change::GuildRemoved
        | Change::RightsReset => false,
        Change::Rights { membership, .. } => matches!(membership, Some(Membership::Member { .. })),
        _ => true,
    }
}

/// What a viewer is to be told of a group. `worlds`: the guild before it, and after each event of it.
fn expected(
    guild_id: GuildId,
    worlds: &[Guild],
    group: &[(u64, Change)],
    user: UserId,
    query: &Selector,
) -> Vec<Told> {
    let asked = |room: ChannelId| {
        let channels = query.channels.as_deref();
        channels.is_none_or(|channels| channels.contains(&room))
    };
    let mut all = Vec::new();
    for (index, (seq, change)) in group.iter().enumerate() {
        let seen = [index, index + 1]
            .map(|at| naive::rooms(guild_id, &worlds[at], user).expect("a member"));
        let [before, after] = &seen;
        let there = |room| worlds[index].occupants(room);
        // What an event tells by itself.
        let (created, deleted) = match change {
            _ if !query.families.contains(Family::Room) => (None, None),
            Change::RoomCreated(room) if there(room.info.channel_id).next().is_none() => {
                (change.channel(), None)
            }
            Change::RoomDeleted { .. } => (None, change.channel()),
            _ => (None, None),
        };
        let frame = |name: &str, room: Option<ChannelId>, shown| Told {
            seq: *seq,
            name: name.to_owned(),
            room: room.map(|room| room.to_string()),
            shown,
            id: None,
        };
        let mut later = group[index + 1..].iter();
        let settled = index
            + 1
            + later
                .position(|(_, change)| touches(change))
                .unwrap_or(group.len() - index - 1);
        for room in after.iter().copied().filter(|room| !before.contains(room)) {
            if Some(room) != created && asked(room) {
                let people = there(room).map(|person| person.user_id.to_string());
                let name = worlds[settled].rooms[&room].info.name.clone();
                let shown = Some((name, people.collect()));
                all.push(frame("room.shown", Some(room), shown));
            }
        }
        let is_shown = match change.audience() {
            Audience::Room(room) => after.contains(&room),
            Audience::RoomBefore(room) => before.contains(&room),
            Audience::Guild | Audience::GuildBefore => true,
            Audience::Nobody => false,
        };
        let family = change.definition().family;
        if is_shown && query.families.contains(family) && change.channel().is_none_or(asked) {
            all.push(frame(change.name(), change.channel(), None));
        }
        for room in before.iter().copied().filter(|room| !after.contains(room)) {
            if Some(room) != deleted && asked(room) {
                all.push(frame("room.hidden", Some(room), None));
            }
        }
    }
    if let (Some(last), Some((end, _))) = (all.last_mut(), group.last()) {
        last.id = Some(*end);
    }
    all
}

/// A viewer with what they asked for, and two streams: one that is read after each group, and one that
/// is read when it happens to be.
struct Watched {
    user: UserId,
    query: Selector,
    expected: BTreeMap<GuildId, Vec<Told>>,
    streams: [Reading; 2],
}

struct Reading {
    stream: Listener,
    picture: Picture,
    told: BTreeMap<GuildId, Vec<Told>>,
}

impl Watched {
    fn new(harness: &Harness, user: UserId, guilds: &[GuildId], query: Selector) -> Self {
        let open = || {
            let mut reading = Reading {
                stream: harness.open_on(user, guilds, query.clone(), None),
                picture: Picture::default(),
                told: BTreeMap::new(),
            };
            let first = reading.stream.events();
            assert_eq!((first.len(), first[0].event.as_str()), (1, "snapshot"));
            reading.picture.take(&first[0]);
            reading
        };
        Self {
            user,
            streams: [open(), open()],
            query,
            expected: BTreeMap::new(),
        }
    }
}

impl Reading {
    /// Reads all that there is, of which none may send everything again.
    fn read(&mut self, harness: &Harness) {
        for event in self.stream.events() {
            let guild_id = event.data["guildId"].as_str().map(str::parse);
            let guild_id = guild_id.expect("of a guild, and no snapshot").map(GuildId);
            let guild_id = guild_id.expect("an id");
            self.picture.take(&event);
            let told = Told::of(&event, harness.head_of(guild_id).log);
            self.told.entry(guild_id).or_default().push(told);
        }
    }
}

/// As far as it is told to whoever asks for this.
fn asked_for(picture: Picture, query: &Selector) -> Picture {
    if query.families.contains(Family::Room) {
        picture
    } else {
        picture.rooms_and_people()
    }
}

fn queries() -> impl Strategy<Value = Selector> {
    let voice = FamilySet::default().with(Family::Voice);
    let all = Selector::ALL.families;
    let of = |channels: Option<Vec<ChannelId>>, families| Selector {
        channels: channels.map(Into::into),
        families,
    };
    prop_oneof![
        3 => Just(Selector::ALL),
        1 => Just(of(None, voice)),
        1 => Just(of(Some(vec![LOBBY, ChannelId(203)]), all)),
    ]
}

/// The oracle's guild after some changes.
fn after(guild: &Guild, guild_id: GuildId, changes: &[Change]) -> Guild {
    let mut world = World {
        guilds: [(guild_id, guild.clone())].into(),
    };
    apply(&mut world, guild_id, changes);
    world.guilds.remove(&guild_id).expect("it stays")
}

fn each_frame_is_right(
    logs: u16,
    groups: &[(Vec<Step>, bool, u8)],
    queries: [Selector; 3],
) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let _entered = runtime.as_ref().expect("a runtime").enter();
    let mut harness = Harness::spread(1_000, logs);
    let guilds: &[GuildId] = if logs == 1 { &[HALL] } else { &[HALL, FAR] };
    let mut worlds: BTreeMap<GuildId, Guild> =
        guilds.iter().map(|id| (*id, hall_of(*id))).collect();
    for guild_id in guilds {
        for user in VIEWERS {
            let known = worlds[guild_id].memberships.contains_key(&user);
            if !known {
                let member = Change::Rights {
                    user_id: user,
                    membership: Some(Membership::member(Vec::new())),
                };
                let now = after(&worlds[guild_id], *guild_id, std::slice::from_ref(&member));
                worlds.insert(*guild_id, now);
                harness.tell_in(*guild_id, member);
            }
        }
    }
    let mut everybody: Vec<Watched> = VIEWERS
        .into_iter()
        .zip(queries)
        .map(|(user, query)| Watched::new(&harness, user, guilds, query))
        .collect();
    for (steps, in_far, read) in groups {
        let guild_id = guilds[usize::from(*in_far) % guilds.len()];
        let mut told: Vec<(u64, Change)> = Vec::new();
        let mut stages = vec![worlds[&guild_id].clone()];
        for step in steps {
            let now = stages.last().expect("one");
            for change in changes(*step, guild_id, Some(now))
                .into_iter()
                .filter(keeps_members)
            {
                let now = after(
                    stages.last().expect("one"),
                    guild_id,
                    std::slice::from_ref(&change),
                );
                stages.push(now);
                told.push((
                    harness.head_of(guild_id).seq + 1 + told.len() as u64,
                    change,
                ));
            }
        }
        for watched in &mut everybody {
            let of_group = expected(guild_id, &stages, &told, watched.user, &watched.query);
            watched
                .expected
                .entry(guild_id)
                .or_default()
                .extend(of_group);
        }
        worlds.insert(guild_id, stages.pop().expect("one"));
        let told = told.into_iter().map(|(_, change)| change).collect();
        let group = harness.sealed(guild_id, told);
        harness.take(group);
        for (index, watched) in everybody.iter_mut().enumerate() {
            let slow_too = read >> index & 3 == 3;
            for reading in &mut watched.streams[..=usize::from(slow_too)] {
                reading.read(&harness);
                let truth = truth_of(&harness, watched.user, guilds, &watched.query);
                let known = [reading.picture.clone(), truth];
                let [known, truth] = known.map(|picture| asked_for(picture, &watched.query));
                prop_assert_eq!(known, truth, "viewer {}", watched.user);
            }
        }
    }
    for watched in &mut everybody {
        watched.expected.retain(|_, told| !told.is_empty());
        for reading in &mut watched.streams {
            reading.read(&harness);
            prop_assert_eq!(&reading.told, &watched.expected, "viewer {}", watched.user);
        }
    }
    Ok(())
}

/// Steps of which most change who sees what.
fn group() -> impl Strategy<Value = (Vec<Step>, bool, u8)> {
    (vec(step(), 1..4), any::<bool>(), any::<u8>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, max_shrink_time: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn each_frame_is_what_the_rights_around_its_event_say(
        groups in vec(group(), 1..40),
        logs in prop_oneof![2 => Just(1_u16), 1 => Just(3)],
        queries in [queries(), queries(), queries()],
    ) {
        each_frame_is_right(logs, &groups, queries)?;
    }
}
