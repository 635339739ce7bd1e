//! For every viewer: `visible(snapshot P) + what the stream sent = visible(snapshot Q)`. Random
//! guilds, events, viewers, cursors and pauses; the browser's side is a small reducer, [`Picture`].

use guildhall_model::{
    Change, ChannelId, Cursor, Guild, GuildId, Permissions, RoleId, UserId, World,
    guild::{
        GuildInfo, Membership, Overwrite, OverwriteTarget, Role, RoomInfo, RoomRights, VoiceFlags,
    },
};
use proptest::{collection::vec, prelude::*};
use serde_json::Value;

use super::{
    harness::{
        ANNA, ANNEX, BEN, CARL, HALL, Harness, Listener, NOWHERE, hall, hall_of, person, room,
    },
    picture::Picture,
};
use crate::{
    fanout::{StreamRegistration, tests::classes::classes_are_right},
    stream::{
        replay::{access, viewer_state},
        write::state_json,
    },
    visible::{Access, Selector},
};

pub(super) const VIEWERS: [UserId; 3] = [ANNA, BEN, CARL];
const PEOPLE: [UserId; 5] = [ANNA, BEN, CARL, UserId(77), UserId(78)];
const ROLES: [RoleId; 3] = [RoleId(50), RoleId(51), RoleId(100)];

/// One step: numbers that [`change`] reads as it likes, so that they shrink well.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    guild: u8,
    kind: u8,
    who: u8,
    room: u8,
    other: u8,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let step = (any::<u8>(), 0..42_u8, 0..5_u8, 0..5_u8, any::<u8>());
    step.prop_map(|(guild, kind, who, room, other)| Step {
        guild,
        kind,
        who,
        room,
        other,
    })
}

impl Step {
    /// One that is drawn elsewhere.
    pub(super) fn of([guild, kind, who, room, other]: [u8; 5]) -> Self {
        Self {
            guild,
            kind: kind % 42,
            who: who % 5,
            room: room % 5,
            other,
        }
    }

    /// Which guild it is about: of two the annex less often, of more any.
    fn guild_id(self, harness: &Harness) -> GuildId {
        let there: Vec<GuildId> = harness
            .listed
            .iter()
            .copied()
            .filter(|id| *id != NOWHERE)
            .collect();
        match there.len() {
            2 if self.guild.is_multiple_of(4) => ANNEX,
            2 => HALL,
            guilds => there[usize::from(self.guild) % guilds],
        }
    }
}

/// What the gateway would append, given the guild as it is.
#[expect(clippy::too_many_lines, reason = "one flat match over the kinds")]
pub(super) fn changes(step: Step, guild_id: GuildId, guild: Option<&Guild>) -> Vec<Change> {
    let Step {
        kind, who, other, ..
    } = step;
    let who = PEOPLE[usize::from(who)];
    let channel = ChannelId(201 + u64::from(step.room));
    let there = guild.and_then(|guild| guild.voice.get(&who));
    let leaving = there.map(|there| super::harness::left(who, there.channel_id));
    let inside = |guild: &Guild| -> Vec<Change> {
        let people = guild.occupants(channel);
        people
            .map(|person| super::harness::left(person.user_id, channel))
            .collect()
    };
    match kind {
        0..=7 => leaving
            .into_iter()
            .chain([super::harness::joined(who, channel)])
            .collect(),
        8..=10 => leaving.into_iter().collect(),
        11 | 12 => {
            let updated = there.map(|there| {
                let mut updated = there.clone();
                updated.flags = VoiceFlags {
                    self_mute: other % 2 == 0,
                    ..VoiceFlags::default()
                };
                Change::VoiceUpdated(updated)
            });
            updated.into_iter().collect()
        }
        13 | 14 => {
            let name = format!("Room {other}");
            vec![Change::RoomCreated(room(channel, &name, rights(step)))]
        }
        15 => vec![Change::RoomUpdated(RoomInfo {
            position: i64::from(other % 3),
            ..room(channel, &format!("Renamed {other}"), RoomRights::default()).info
        })],
        16 | 17 => {
            let mut run = guild.map(inside).unwrap_or_default();
            if other % 3 == 0 {
                run.clear();
            }
            run.push(Change::RoomDeleted {
                channel_id: channel,
            });
            run
        }
        18 | 19 => vec![Change::RoomRights {
            channel_id: channel,
            rights: rights(step),
        }],
        20 => vec![Change::RoleSet(Role {
            role_id: ROLES[usize::from(other % 3)],
            permissions: [
                Permissions::NONE,
                Permissions::VIEW_CHANNEL,
                Permissions::ADMINISTRATOR,
            ][usize::from(other / 3 % 3)],
        })],
        21 => vec![Change::RoleRemoved {
            role_id: ROLES[usize::from(other % 2)],
        }],
        22..=24 => {
            let roles = (0..2)
                .filter(|bit| other >> bit & 1 == 1)
                .map(|bit| ROLES[bit])
                .collect();
            let membership = match other / 4 % 8 {
                0 => None,
                1 => Some(Membership::Stranger),
                2 => Some(Membership::guest(roles)),
                3 => Some(Membership::member(roles).timed_out_until(Some(3))),
                _ => Some(Membership::member(roles)),
            };
            vec![Change::Rights {
                user_id: who,
                membership,
            }]
        }
        25 => vec![Change::OwnerChanged { owner_id: who }],
        26 => vec![Change::GuildUnavailable],
        27 => vec![Change::GuildAvailable(None)],
        28 => vec![Change::GuildUpdated(GuildInfo {
            name: format!("Hall {other}"),
            icon: None,
        })],
        29 if other % 4 == 0 => vec![Change::GuildRemoved],
        30 if guild.is_none() || other % 4 == 0 => {
            vec![Change::GuildAvailable(Some(Box::new(new_hall(
                step, guild_id,
            ))))]
        }
        31 => vec![Change::Gap { from: 1, to: 2 }],
        32 | 33 => vec![Change::RightsReset],
        37.. => looked_up(step, guild),
        _ => Vec::new(),
    }
}

/// The hall anew with somebody in it, and perhaps with nobody known.
fn new_hall(step: Step, guild_id: GuildId) -> Guild {
    let who = PEOPLE[usize::from(step.who)];
    let channel = ChannelId(201 + u64::from(step.room));
    let mut new = hall();
    let everyone = guild_id.everyone();
    new.roles.insert(everyone, Permissions::VIEW_CHANNEL);
    if step.other.is_multiple_of(3) {
        new.memberships.clear();
    }
    new.voice.insert(who, person(who, channel));
    new
}

/// Somebody of whom nothing is known is looked up.
fn looked_up(step: Step, guild: Option<&Guild>) -> Vec<Change> {
    let unknown = |user: &&UserId| guild.is_some_and(|guild| !guild.memberships.contains_key(user));
    let first = usize::from(step.who) % VIEWERS.len();
    let found = VIEWERS.iter().cycle().skip(first).take(3).find(unknown);
    let membership = match step.other % 3 {
        0 => Membership::Stranger,
        _ => Membership::member(vec![ROLES[usize::from(step.other % 2)]]),
    };
    let rights = found.map(|user| Change::Rights {
        user_id: *user,
        membership: Some(membership),
    });
    rights.into_iter().collect()
}

/// What each of these is given or denied by a room, or neither: roles, and every viewer by name.
fn rights(step: Step) -> RoomRights {
    let view = Permissions::VIEW_CHANNEL;
    let overwrite = |target, allow| Overwrite {
        target,
        allow: if allow { view } else { Permissions::NONE },
        deny: if allow { Permissions::NONE } else { view },
    };
    let targets = [
        OverwriteTarget::Role(HALL.everyone()),
        OverwriteTarget::Role(ROLES[0]),
        OverwriteTarget::Member(ANNA),
        OverwriteTarget::Member(BEN),
        OverwriteTarget::Member(CARL),
    ];
    let number = u16::from_le_bytes([step.other, step.guild]);
    let overwrites = targets.into_iter().enumerate();
    let overwrites = overwrites.filter_map(|(bit, target)| match number >> (2 * bit) & 3 {
        0 => Some(overwrite(target, false)),
        1 => Some(overwrite(target, true)),
        _ => None,
    });
    RoomRights {
        overwrites: overwrites.collect(),
        obfuscated: step.other > 240,
    }
}

/// A browser with its stream, its picture, and pictures of before with their cursors. What came of a
/// group that a torn connection left unfinished goes with the connection.
pub(super) struct Browser {
    pub(super) user: UserId,
    /// None while it is away.
    stream: Option<Listener>,
    pub(super) picture: Picture,
    /// The last cursor, and the picture there.
    whole: Option<(Cursor, Picture)>,
    before: Vec<(Cursor, Picture)>,
}

impl Browser {
    pub(super) fn new(harness: &Harness, user: UserId) -> Self {
        Self {
            user,
            stream: Some(harness.open_on(user, &harness.listed, Selector::ALL, None)),
            picture: Picture::default(),
            whole: None,
            before: Vec::new(),
        }
    }

    pub(super) fn read(&mut self) {
        for event in self.stream.as_mut().expect("it is here").events() {
            self.picture.take(&event);
            if let Some(id) = event.id {
                let cursor = id.parse().expect("a cursor");
                self.whole = Some((cursor, self.picture.clone()));
            }
            // It may break off after any event.
            let whole = self.whole.clone();
            self.before.push(whole.expect("a control event came first"));
        }
    }

    /// Comes back with a cursor of before.
    pub(super) fn reconnect(&mut self, harness: &Harness, which: usize) {
        let (cursor, picture) = self.before[which % self.before.len()].clone();
        self.stream = None;
        self.stream =
            Some(harness.open_at(self.user, &harness.listed, Selector::ALL, Some(cursor)));
        self.picture = picture;
        self.read();
    }
}

/// What a snapshot taken now says.
pub(super) fn truth(harness: &Harness, user: UserId) -> Picture {
    truth_of(harness, user, &harness.listed, &Selector::ALL)
}

/// The same of these guilds, and of what a query asks for.
pub(super) fn truth_of(
    harness: &Harness,
    user: UserId,
    guilds: &[GuildId],
    query: &Selector,
) -> Picture {
    let registration = StreamRegistration::new(harness.fanout.viewer(user));
    let seen = viewer_state(&harness.fanout, &registration, guilds, query).expect("proven");
    let json = state_json(&seen.cursor, &seen.status, &seen.guilds);
    let json: Value = serde_json::from_slice(&json).expect("JSON");
    Picture::of(&json["guilds"])
}

pub(super) fn apply(world: &mut World, guild_id: GuildId, changes: &[Change]) {
    for change in changes {
        world.apply(&guildhall_model::Event {
            guild_id,
            ts: 0,
            synthetic: false,
            change: change.clone(),
        });
    }
}

/// Guilds that are there and in which it is not known what a user is.
pub(super) fn unknown(harness: &Harness, user: UserId) -> Vec<GuildId> {
    let logs = harness.fanout.replica().read();
    let here = logs.located(&harness.listed);
    let unresolved = harness.fanout.viewer(user).unresolved(&here).guilds;
    let unknown =
        |id: &GuildId| unresolved.contains(id) || access(&logs, *id, user) == Access::Unknown;
    here.into_iter()
        .map(|guild| guild.id)
        .filter(unknown)
        .collect()
}

/// The gateway answers about somebody in a guild that is there, or can't.
fn answer(harness: &Harness, step: Step) {
    let user = VIEWERS[usize::from(step.who) % VIEWERS.len()];
    let guild = [step.guild_id(harness)];
    let failed: &[GuildId] = if step.kind == 34 { &guild } else { &[] };
    harness.answer(user, &guild, failed);
}

/// A log is sent anew while the others go on: from where it stands, or begun again.
fn replace_log(harness: &mut Harness, step: Step, guild_id: GuildId) {
    let mut head = harness.head_of(guild_id);
    if step.other.is_multiple_of(2) {
        head.epoch += 1;
        head.seq = u64::from(step.other / 2);
    }
    harness.reload(guild_id, head);
    for user in VIEWERS {
        harness.answer(user, &harness.listed, &[]);
    }
}

fn the_picture_is_right(
    logs: u16,
    window: usize,
    steps: &[Step],
    reads: &[u8],
) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.expect("a runtime");
    let _entered = runtime.enter();
    let mut harness = Harness::spread(window, logs);
    let there = harness
        .listed
        .iter()
        .filter(|id| ![ANNEX, NOWHERE].contains(id));
    let mut world = World {
        guilds: there.map(|id| (*id, hall_of(*id))).collect(),
    };
    let mut browsers = VIEWERS.map(|user| Browser::new(&harness, user));
    browsers.iter_mut().for_each(Browser::read);

    for (step, read) in steps.iter().zip(reads) {
        let guild_id = step.guild_id(&harness);
        if (34..=36).contains(&step.kind) {
            answer(&harness, *step);
        }
        if step.kind == 36 && logs > 1 {
            replace_log(&mut harness, *step, guild_id);
        }
        let changes = changes(*step, guild_id, world.guilds.get(&guild_id));
        apply(&mut world, guild_id, &changes);
        if step.other % 2 == 0 {
            let group = harness.sealed(guild_id, changes);
            harness.take(group);
        } else {
            for change in changes {
                harness.tell_in(guild_id, change);
            }
        }
        classes_are_right(&harness, guild_id, &VIEWERS);
        for (index, browser) in browsers.iter_mut().enumerate() {
            match read >> (2 * index) & 3 {
                0 => browser.read(),
                1 => browser.reconnect(&harness, usize::from(*read)),
                _ => {}
            }
        }
    }
    for browser in &mut browsers {
        browser.read();
        let unseen = unknown(&harness, browser.user);
        let picture = browser.picture.clone().without(&unseen);
        let now = truth(&harness, browser.user);
        prop_assert_eq!(&picture, &now, "live, viewer {}", browser.user);
        // Not all of many: that takes its time, and the next case has others.
        for which in (0..browser.before.len()).step_by(1 + browser.before.len() / 32) {
            browser.reconnect(&harness, which);
            let unseen = unknown(&harness, browser.user);
            let picture = browser.picture.clone().without(&unseen);
            let truth = truth(&harness, browser.user);
            prop_assert_eq!(
                &picture,
                &truth,
                "cursor {}, viewer {}",
                which,
                browser.user
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, max_shrink_time: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn the_picture_is_right_whatever_happens_and_however_the_browser_came(
        steps in vec(step(), 1..60),
        window in prop_oneof![Just(4_usize), Just(1_000)],
        reads in vec(any::<u8>(), 60),
    ) {
        the_picture_is_right(1, window, &steps, &reads)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, max_shrink_time: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn the_picture_is_right_over_several_logs_whichever_of_them_is_sent_anew(
        steps in vec(step(), 1..60),
        window in prop_oneof![Just(4_usize), Just(1_000)],
        reads in vec(any::<u8>(), 60),
        logs in prop_oneof![Just(3_u16), Just(17)],
    ) {
        the_picture_is_right(logs, window, &steps, &reads)?;
    }
}
