//! A replica that a test writes to, a clock that it moves, and listeners that read what streams
//! send without waiting for anything.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::task::{ArcWake, waker};
use guildhall_http::{ClientAddress, Secret, StrongSecret, TrustedProxies};
use guildhall_link::frame::{Base, Discord, DiscordStatus};
use guildhall_model::{
    Change, ChannelId, Cursor, Envelope, Event, Guild, GuildId, LogId, Permissions, Position,
    RoleId, UnixMs, UserId,
    event::ByeReason,
    guild::{
        GuildInfo, Membership, Occupant, Overwrite, OverwriteTarget, Room, RoomInfo, RoomKind,
        RoomRights, VoiceFlags,
    },
};
use guildhall_ports::{ManualClock, memory::CookieSessionStore};
use http_body::Body;
use tokio::time::Instant;

use crate::{
    ApiToken, ApiTokenGrants, Config, OAuth,
    auth::{AuthConfig, LoginHeads, PlayedRevocations, Profile, Session, Sessions},
    config::tests::NAMES,
    fanout::{Fanout, Publisher, StreamRegistration, WantedGuilds},
    replica::{Bounds, GuildLog},
    stream::{
        body::StreamBody,
        limit::{ConcurrencyLimiter, ConcurrencyLimits, Counted},
        setup::{StreamSetup, Timing},
    },
    visible::Selector,
};

/// Streams, read as a browser reads them.
mod decoded;

pub(crate) use decoded::{Sse, decode};

pub(crate) const EPOCH: UnixMs = 1_763_000_000_000;
pub(crate) const HALL: GuildId = GuildId(100);
/// A guild that is not there at the beginning.
pub(crate) const ANNEX: GuildId = GuildId(900);
/// One that never comes.
pub(crate) const NOWHERE: GuildId = GuildId(999);
/// Everybody sees it.
pub(crate) const LOBBY: ChannelId = ChannelId(201);
/// For [`VAULT_ROLE`] alone.
pub(crate) const VAULT: ChannelId = ChannelId(202);
pub(crate) const VAULT_ROLE: RoleId = RoleId(50);
/// A member without roles.
pub(crate) const ANNA: UserId = UserId(11);
/// A member with the role [`VAULT_ROLE`].
pub(crate) const BEN: UserId = UserId(12);
/// Somebody nobody looked up.
pub(crate) const CARL: UserId = UserId(13);

/// A hall with two rooms, one of them hidden from those without the role.
pub(crate) fn hall() -> Guild {
    let member = |roles: &[RoleId]| Membership::member(roles.to_vec());
    Guild {
        info: GuildInfo {
            name: "The Hall".into(),
            icon: None,
        },
        available: true,
        owner_id: UserId(1),
        roles: BTreeMap::from([
            (
                HALL.everyone(),
                Permissions::VIEW_CHANNEL | Permissions::CONNECT,
            ),
            (VAULT_ROLE, Permissions::NONE),
        ]),
        categories: BTreeMap::new(),
        rooms: BTreeMap::from([
            (LOBBY, room(LOBBY, "Lobby", RoomRights::default())),
            (VAULT, room(VAULT, "Vault", hidden_but_for(VAULT_ROLE))),
        ]),
        voice: BTreeMap::new(),
        pending_voice: BTreeMap::new(),
        memberships: BTreeMap::from([(ANNA, member(&[])), (BEN, member(&[VAULT_ROLE]))]),
    }
}

/// Nobody views it but who has this role.
pub(crate) fn hidden_but_for(role: RoleId) -> RoomRights {
    let overwrite = |target, allow, deny| Overwrite {
        target,
        allow,
        deny,
    };
    let everyone = OverwriteTarget::Role(HALL.everyone());
    RoomRights {
        overwrites: vec![
            overwrite(everyone, Permissions::NONE, Permissions::VIEW_CHANNEL),
            overwrite(
                OverwriteTarget::Role(role),
                Permissions::VIEW_CHANNEL,
                Permissions::NONE,
            ),
        ],
        obfuscated: false,
    }
}

pub(crate) fn room(channel_id: ChannelId, name: &str, rights: RoomRights) -> Room {
    Room {
        info: RoomInfo {
            channel_id,
            name: name.into(),
            kind: RoomKind::Voice,
            parent_id: None,
            parent_name: None,
            position: 0,
            user_limit: 0,
            managed: None,
            status: None,
        },
        rights,
    }
}

pub(crate) fn person(user: UserId, channel: ChannelId) -> Occupant {
    Occupant {
        channel_id: channel,
        user_id: user,
        username: format!("user{user}"),
        display_name: format!("User {user}"),
        avatar: None,
        avatar_url: "https://cdn.discordapp.com/embed/avatars/0.png".into(),
        bot: false,
        since: EPOCH,
        flags: VoiceFlags::default(),
    }
}

pub(crate) fn joined(user: UserId, channel: ChannelId) -> Change {
    Change::VoiceJoined(person(user, channel))
}

pub(crate) fn left(user: UserId, channel: ChannelId) -> Change {
    Change::VoiceLeft {
        previous_channel_id: channel,
        user_id: user,
    }
}

/// The position of a number in the harness's log.
pub(crate) fn at(seq: u64) -> Position {
    Position {
        log: LogId(0),
        epoch: EPOCH,
        seq,
    }
}

/// What a program says that only looks.
pub(crate) const BOARD_TOKEN: &str = "a-board-in-the-hall-looks-at-everybody";

/// What a program says that acts for people and has things done.
pub(crate) const APP_TOKEN: &str = "an-app-beside-the-hall-moves-its-people";

fn api_token(name: &str, secret: &str, grants: ApiTokenGrants) -> ApiToken {
    let secret: Secret = secret.parse().expect("visible ASCII");
    ApiToken {
        name: name.into(),
        secret: StrongSecret::try_from(secret).expect("long enough"),
        grants,
    }
}

/// Settings for everything, of a role that nobody reaches.
pub(crate) fn config() -> Config {
    let origin = |text: &str| text.parse().expect("an origin");
    let strong = |text: &str| {
        let secret: Secret = text.parse().expect("visible ASCII");
        StrongSecret::try_from(secret).expect("long enough")
    };
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        base_url: "http://localhost:3000".parse().expect("a URL"),
        link_token: strong("a-link-token-of-more-than-32-characters"),
        session_secrets: strong("an-old-oak-holds-the-roof-of-this-hall").into(),
        oauth: OAuth {
            client_id: "1".into(),
            client_secret: "a-client-secret".parse().expect("visible ASCII"),
            public_url: origin("https://discord.com"),
            api_url: origin("https://discord.com"),
        },
        allowed_origins: Vec::new(),
        allowed_hosts: guildhall_http::AllowedHosts::default(),
        certificate: None,
        cdn_url: origin("https://cdn.discordapp.com"),
        discord_public_key: None,
        guilds_join: false,
        stream_max_age: Duration::from_hours(1),
        streams_per_user: 100,
        streams_per_address: 1000,
        streams_max: 1000,
        connections: 65_536,
        trusted_proxies: TrustedProxies::default(),
        tls: guildhall_http::tls::client_config(None),
        log_window: NonZeroUsize::new(4096).expect("some"),
        ui_dir: None,
        session_idle: Duration::from_hours(24),
        session_max_age: Duration::from_hours(240),
        jwt_key: None,
        api_tokens: vec![
            api_token("board", BOARD_TOKEN, ApiTokenGrants::Look),
            api_token("app", APP_TOKEN, ApiTokenGrants::ActAsAndWrite),
        ],
        names: NAMES,
    }
}

/// A session of a user who shares these guilds with the bot, and its `Set-Cookie`.
pub(crate) fn begin(
    sessions: &Sessions,
    user: UserId,
    guilds: &[GuildId],
) -> (Session, http::HeaderValue) {
    let profile = Profile {
        id: user,
        username: "someone".into(),
        display_name: "Someone".into(),
        avatar_url: "https://cdn.discordapp.com/embed/avatars/0.png".into(),
    };
    sessions.begin(profile, guilds.to_vec(), Vec::new())
}

/// A replica with its writer.
pub(crate) struct Harness {
    pub(crate) writer: Publisher,
    pub(crate) fanout: Fanout,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) sessions: Sessions,
    pub(crate) revocations: Arc<PlayedRevocations>,
    pub(crate) limits: ConcurrencyLimiter,
    /// The session of every stream that is opened here from now on.
    pub(crate) session: Session,
    /// Where groups begin and end, and so where cursors may be.
    pub(crate) boundaries: BTreeSet<Position>,
    /// Where each log stands, of those that there are.
    heads: BTreeMap<LogId, Position>,
    /// Which log a guild is in, if it is not the first.
    logs: BTreeMap<GuildId, LogId>,
    /// The guilds that there are or may be, ascending: what streams are about that ask for all.
    pub(crate) listed: Vec<GuildId>,
}

/// A guild like the hall, of any id.
pub(crate) fn hall_of(id: GuildId) -> Guild {
    let mut guild = hall();
    let everyone = guild.roles[&HALL.everyone()];
    guild.roles.insert(id.everyone(), everyone);
    let rooms = guild.rooms.values_mut();
    for overwrite in rooms.flat_map(|room| &mut room.rights.overwrites) {
        if overwrite.target == OverwriteTarget::Role(HALL.everyone()) {
            overwrite.target = OverwriteTarget::Role(id.everyone());
        }
    }
    guild
}

/// The guilds that are or may be in one of so many logs, each in a log of its own if there are
/// more than one. In ascending order.
fn guilds_of(logs: u16) -> Vec<(GuildId, LogId)> {
    let others = (2..logs).map(|log| GuildId(1_000 + u64::from(log)));
    let guilds = [HALL, ANNEX].into_iter().chain(others);
    (0..)
        .zip(guilds)
        .map(|(number, guild)| (guild, LogId(3 * (number % logs))))
        .collect()
}

/// Where everybody is.
pub(crate) fn here() -> ClientAddress {
    ClientAddress::of([127, 0, 0, 1].into())
}

impl Harness {
    /// A replica that keeps `window` records per guild and has no world yet.
    pub(crate) fn empty(window: usize) -> Self {
        let (writer, fanout) = Fanout::new(Bounds::of(window));
        let clock = Arc::new(ManualClock::at(EPOCH + 1_000));
        let store = Arc::new(CookieSessionStore::default());
        let revocations = PlayedRevocations::there();
        let sessions =
            AuthConfig::of(&config()).sessions(store, revocations.clone(), clock.clone());
        Self {
            writer,
            fanout,
            clock,
            session: begin(&sessions, ANNA, &[HALL]).0,
            sessions,
            revocations,
            limits: ConcurrencyLimiter::new(
                Counted::Streams,
                ConcurrencyLimits {
                    together: 1_000,
                    per_user: 100,
                    per_address: 1_000,
                },
            ),
            boundaries: BTreeSet::new(),
            heads: BTreeMap::new(),
            logs: BTreeMap::new(),
            listed: vec![HALL, ANNEX, NOWHERE],
        }
    }

    /// One whose guilds are spread over so many logs, live. All but the annex are there.
    pub(crate) fn spread(window: usize, logs: u16) -> Self {
        let mut harness = Self::empty(window);
        let guilds = guilds_of(logs);
        harness.listed.extend(guilds.iter().map(|(id, _)| *id));
        harness.listed.sort_unstable();
        harness.listed.dedup();
        harness.logs.extend(guilds.iter().copied());
        harness.writer.link_up(EPOCH);
        let ids: BTreeSet<LogId> = guilds.iter().map(|(_, log)| *log).collect();
        for log in ids {
            let of_log = guilds.iter().filter(|(id, of)| *of == log && *id != ANNEX);
            let there = of_log.map(|(id, _)| (*id, hall_of(*id))).collect();
            harness.load(there, Position { log, ..at(0) });
        }
        harness.say_live();
        harness
    }

    /// One with these guilds, live.
    pub(crate) fn of(window: usize, guilds: Vec<(GuildId, Guild)>) -> Self {
        let mut harness = Self::empty(window);
        harness.writer.link_up(EPOCH);
        harness.load(guilds, at(0));
        harness.say_live();
        harness
    }

    /// One with the hall.
    pub(crate) fn hall() -> Self {
        Self::of(64, vec![(HALL, hall())])
    }

    /// Replaces the world of a log by these guilds as they are at `position`.
    pub(crate) fn load(&mut self, guilds: Vec<(GuildId, Guild)>, position: Position) {
        self.writer.begin_snapshot(position.log);
        for (guild_id, guild) in guilds {
            self.writer.add_base(Base {
                guild_id,
                floor: position,
                guild: Some(guild),
            });
        }
        self.heads.insert(position.log, position);
        self.complete();
        self.boundaries.insert(position);
    }

    /// All that was sent is complete up to where the logs stand.
    pub(crate) fn complete(&mut self) {
        let heads = Cursor::new(self.heads.values().copied()).expect("few");
        self.writer.complete_snapshot(&heads);
    }

    pub(crate) fn say_live(&mut self) {
        for log in self.heads.keys() {
            let live = DiscordStatus {
                discord: Discord::Live,
                since: EPOCH,
                guild_ids: Vec::new(),
                complete: true,
            };
            self.writer.status(*log, live);
        }
    }

    /// The log of a guild is sent anew, with its guilds as they are now. Those that are no more are
    /// remembered as long as the log goes on.
    pub(crate) fn reload(&mut self, guild_id: GuildId, at: Position) {
        let head = self.head_of(guild_id);
        let bases = {
            let logs = self.fanout.replica().read();
            let bases = logs.ids_in(head.log).map(|guild_id| Base {
                guild_id,
                floor: at,
                guild: logs.guild(guild_id).and_then(GuildLog::guild).cloned(),
            });
            bases.collect::<Vec<_>>()
        };
        self.writer.begin_snapshot(at.log);
        for base in bases {
            if base.guild.is_some() || head.comparable(at) {
                self.writer.add_base(base);
            }
        }
        self.heads.insert(at.log, at);
        self.complete();
        self.boundaries.insert(at);
    }

    /// Where the log of a guild stands.
    pub(crate) fn head_of(&self, guild_id: GuildId) -> Position {
        let log = self.logs.get(&guild_id).copied().unwrap_or(LogId(0));
        self.heads[&log]
    }

    /// The gateway answers about somebody in these guilds, or can't in some.
    pub(crate) fn answer(&self, user: UserId, guilds: &[GuildId], failed: &[GuildId]) {
        let here = self.fanout.replica().read().located(guilds);
        let viewer = self.fanout.viewer(user);
        viewer.record_lookup(&here, failed, Instant::now());
    }

    /// Appends to the hall.
    pub(crate) fn tell(&mut self, change: Change) {
        self.tell_in(HALL, change);
    }

    /// Appends to a guild.
    pub(crate) fn tell_in(&mut self, guild_id: GuildId, change: Change) {
        let group = self.sealed(guild_id, vec![change]);
        self.take(group);
    }

    /// Appends what one cause did to the hall.
    pub(crate) fn tell_group(&mut self, changes: Vec<Change>) {
        let group = self.sealed(HALL, changes);
        self.take(group);
    }

    /// The next group of the log, as the gateway would send it.
    pub(crate) fn sealed(&self, guild_id: GuildId, changes: Vec<Change>) -> Vec<Envelope> {
        let length = changes.len() as u64;
        let head = self.head_of(guild_id);
        let seal = |(number, change)| Envelope {
            at: head.at(head.seq + number),
            more: number < length,
            event: Event {
                guild_id,
                ts: EPOCH + head.seq + number,
                synthetic: false,
                change,
            },
        };
        (1..).zip(changes).map(seal).collect()
    }

    /// A group has come.
    pub(crate) fn take(&mut self, group: Vec<Envelope>) {
        if let Some(last) = group.last() {
            self.heads.insert(last.at.log, last.at);
            self.boundaries.insert(last.at);
        }
        self.writer.apply_group(group).expect("the next of the log");
    }

    /// What a user is in the hall.
    pub(crate) fn look_up(&mut self, user_id: UserId, roles: &[RoleId]) {
        let membership = Some(Membership::member(roles.to_vec()));
        self.tell(Change::Rights {
            user_id,
            membership,
        });
    }

    /// Opens a stream of a user on the hall.
    pub(crate) fn open(&self, user: UserId, cursor: Option<Position>) -> Listener {
        self.open_on(user, &[HALL], Selector::ALL, cursor)
    }

    /// Opens a stream.
    pub(crate) fn open_on(
        &self,
        user: UserId,
        guilds: &[GuildId],
        selector: Selector,
        cursor: Option<Position>,
    ) -> Listener {
        self.open_at(user, guilds, selector, cursor.map(Cursor::from))
    }

    /// Opens a stream with a cursor of any logs.
    pub(crate) fn open_at(
        &self,
        user: UserId,
        guilds: &[GuildId],
        selector: Selector,
        cursor: Option<Cursor>,
    ) -> Listener {
        let viewer = self.fanout.viewer(user);
        if self.fanout.replica().has_world() {
            self.answer(user, guilds, &[]);
        }
        let now = Instant::now();
        let registration = StreamRegistration::new(viewer);
        let setup = StreamSetup {
            only_room: None,
            fanout: self.fanout.clone(),
            clock: self.clock.clone(),
            guilds: WantedGuilds::Listed(registration.set_guilds(guilds.to_vec())),
            registration,
            listed: None,
            session_expires: Some(self.session.ends_at),
            permit: self.limits.acquire(user, here(), Instant::now()).ok(),
            selector,
            cursor,
            heads: LoginHeads::default(),
            session_end: self.sessions.watch_end(&self.session),
            settled: self.fanout.viewer(user).settled(&self.session.id),
            timing: Timing {
                first_checkpoint: now + Duration::from_secs(10),
                ends: (now + Duration::from_mins(50), ByeReason::MaxAge),
                chance: 0.5,
            },
        };
        Listener {
            body: StreamBody::new(setup, now),
            woken: Arc::default(),
        }
    }
}

/// Who reads one stream.
pub(crate) struct Listener {
    pub(super) body: StreamBody,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl ArcWake for Woken {
    fn wake_by_ref(this: &Arc<Self>) {
        this.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Everything the stream sends now, piece by piece.
    pub(crate) fn pieces(&mut self) -> Vec<bytes::Bytes> {
        let waker = waker(Arc::clone(&self.woken));
        let mut cx = Context::from_waker(&waker);
        let mut pieces = Vec::new();
        while let Poll::Ready(Some(frame)) = Pin::new(&mut self.body).poll_frame(&mut cx) {
            let frame = frame.expect("never fails");
            pieces.push(frame.into_data().expect("data"));
        }
        pieces
    }

    /// Everything the stream sends now, as text.
    pub(crate) fn text(&mut self) -> String {
        let pieces = self.pieces();
        let bytes = pieces.iter().flat_map(|piece| piece.iter().copied());
        String::from_utf8(bytes.collect()).expect("a stream is UTF-8")
    }

    /// Everything the stream sends now, as events.
    pub(crate) fn events(&mut self) -> Vec<Sse> {
        decode(&self.text())
    }

    /// The names of the events that the stream sends now.
    pub(crate) fn names(&mut self) -> Vec<String> {
        self.events().into_iter().map(|event| event.event).collect()
    }

    /// Whether the stream is over.
    pub(crate) fn is_over(&mut self) -> bool {
        let waker = waker(Arc::clone(&self.woken));
        let mut cx = Context::from_waker(&waker);
        matches!(
            Pin::new(&mut self.body).poll_frame(&mut cx),
            Poll::Ready(None)
        )
    }

    /// How often the stream's task was woken.
    pub(crate) fn woken(&self) -> usize {
        self.woken.0.load(Ordering::Relaxed)
    }
}
