//! The task: brings the two machines what has happened, and has done what they decide.

/// What one event means to rooms and lobbies.
mod noticed;
/// What is asked and done outside the task.
mod errands;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use guildhall_http::driver_time::{now, sleep_to};
use guildhall_model::{Change, ChannelId, GuildId, UserId};
use guildhall_ports::room_store::{RoomPhase, RoomRecord};
use tokio::{select, sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{
    UpkeepSetup, UpkeepShard,
    follower::{Follower, Happened},
    idle_clocks::{IdleClocks, IdleInput, IdleOutput, OpenRoom},
    idle_notices::{IdleNotice, IdleNotices},
    lobbies::{Lobbies, LobbyInput, LobbyOutput, RoomOwned},
    looks::Looks,
    unseen_names::UnseenNames,
};
use crate::{
    ShardId,
    execute::{CommandContext, Executor},
    inbox::{GuildSeen, RoomOccupancy},
    log::Join,
    rooms::Viewers,
};
use errands::{Errand, ErrandEnd};

/// Runs until it is stopped.
pub(crate) async fn run(setup: UpkeepSetup, stop: CancellationToken) {
    let UpkeepSetup {
        context,
        executor,
        shards,
    } = setup;
    let lobbies = context.rooms.settings().lobbies.iter();
    let mut driver = Driver {
        names: UnseenNames::of(context.rooms.settings()),
        lobby_guilds: lobbies.map(|lobby| (lobby.channel, None)).collect(),
        viewed: context.viewers.subscribe(),
        kept: context.rooms.changes(),
        context,
        executor,
        clocks: IdleClocks::default(),
        lobbies: Lobbies::default(),
        bots: BTreeSet::new(),
        looks: Looks::default(),
        notices: IdleNotices::default(),
        incomplete: shards.iter().map(|shard| shard.shard).collect(),
        followers: FuturesUnordered::new(),
        errands: JoinSet::new(),
    };
    driver.begin(shards);
    driver.run(stop).await;
}

struct Driver {
    context: CommandContext,
    executor: Executor,
    viewed: watch::Receiver<Viewers>,
    /// Whatever is kept of rooms.
    kept: watch::Receiver<u64>,
    clocks: IdleClocks,
    lobbies: Lobbies,
    /// The guild that each is in, as far as it was seen.
    lobby_guilds: BTreeMap<ChannelId, Option<GuildId>>,
    /// Bots in lobbies: they are given no rooms.
    bots: BTreeSet<UserId>,
    looks: Looks,
    notices: IdleNotices,
    names: UnseenNames,
    /// Shards of which not all guilds have come yet.
    incomplete: BTreeSet<ShardId>,
    /// One for each log.
    followers: FuturesUnordered<BoxFuture<'static, (Follower, Happened)>>,
    errands: JoinSet<ErrandEnd>,
}

/// What woke the task.
enum Wakeup {
    Happened(Follower, Happened),
    Ended(ErrandEnd),
    ViewersChanged,
    RoomsChanged,
    TimePassed,
    Stop,
}

impl Driver {
    /// Takes in what the logs hold, and follows them.
    fn begin(&mut self, shards: Vec<UpkeepShard>) {
        self.refresh();
        self.view();
        for shard in shards {
            // What was said last of a room may have been that it is idle.
            let mut announced = BTreeMap::new();
            let head = match shard.log.join(None) {
                Join::After(position) | Join::Beyond(position) => position,
                Join::Bases {
                    bases,
                    backlog,
                    head,
                } => {
                    for base in &bases {
                        if let Some(guild) = &base.guild {
                            self.guild_came(base.guild_id, guild);
                        }
                    }
                    for sealed in &backlog {
                        let (guild_id, change) = (sealed.event.guild_id, &sealed.event.change);
                        self.note_lobbies(guild_id, change);
                        if let Change::RoomIdle {
                            channel_id,
                            deletes_at,
                        } = change
                        {
                            announced.insert(*channel_id, deletes_at.is_some());
                        }
                    }
                    head
                }
            };
            let announced = announced.into_iter().filter(|(_, idle)| *idle);
            for (channel_id, _) in announced {
                let before = IdleInput::AnnouncedBefore(channel_id);
                self.clocks.handle(before, now());
            }
            self.followers
                .push(Box::pin(Follower::new(shard, head).next()));
        }
        for room in self.context.rooms.rooms() {
            self.looks.ask(room.guild_id);
        }
        self.look_at_lobbies();
    }

    async fn run(mut self, stop: CancellationToken) {
        loop {
            self.act();
            let deadline = self.deadline();
            let wakeup = select! {
                biased;
                () = stop.cancelled() => Wakeup::Stop,
                Some((follower, happened)) = self.followers.next() => {
                    Wakeup::Happened(follower, happened)
                }
                Some(ended) = self.errands.join_next() => {
                    Wakeup::Ended(ended.expect("no errand is aborted, and none outlives a panic"))
                }
                Ok(()) = self.kept.changed() => Wakeup::RoomsChanged,
                Ok(()) = self.viewed.changed() => Wakeup::ViewersChanged,
                () = sleep_to(deadline) => Wakeup::TimePassed,
            };
            match wakeup {
                Wakeup::Stop => return,
                Wakeup::Happened(follower, happened) => self.happened(follower, happened),
                Wakeup::Ended(ErrandEnd::Stopping) => {
                    debug!("the gateway is stopping, and rooms are left as they are");
                    stop.cancelled().await;
                }
                Wakeup::Ended(ended) => self.ended(ended),
                Wakeup::RoomsChanged => self.refresh(),
                Wakeup::ViewersChanged => self.view(),
                Wakeup::TimePassed => {
                    self.context.viewers.time_passed(now());
                    self.clocks.handle(IdleInput::TimePassed, now());
                    self.lobbies.handle(LobbyInput::TimePassed, now());
                }
            }
        }
    }

    fn deadline(&self) -> Option<std::time::Instant> {
        let away = self.viewed.borrow().deadline();
        let deadlines = [self.clocks.deadline(), self.lobbies.deadline(), away];
        deadlines.into_iter().flatten().min()
    }

    fn happened(&mut self, follower: Follower, happened: Happened) {
        match happened {
            Happened::Events(events) => {
                for sealed in events {
                    self.notice(sealed.event.guild_id, &sealed.event.change);
                }
            }
            Happened::Missed => self.doubt(&follower),
            Happened::StatusChanged { complete } => {
                self.doubt(&follower);
                if complete && self.incomplete.remove(&follower.shard) {
                    self.say_unseen_names();
                }
            }
            Happened::Ended => return,
        }
        self.followers.push(Box::pin(follower.next()));
    }

    /// Once all guilds have come.
    fn say_unseen_names(&self) {
        if self.incomplete.is_empty() {
            for sentence in self.names.sentences() {
                warn!("[Gateway] {sentence}");
            }
        }
    }

    /// What was so in a shard's guilds may not be so any more.
    fn doubt(&mut self, follower: &Follower) {
        let here = |guild_id: GuildId| follower.shard.has(guild_id);
        let rooms = self.clocks.rooms().filter(|room| here(room.guild_id));
        let rooms: Vec<OpenRoom> = rooms.copied().collect();
        for room in rooms {
            self.unseen(room.guild_id, room.channel_id);
        }
        let lobbies = self.lobby_guilds.values().copied().flatten();
        let guilds: Vec<GuildId> = lobbies.filter(|guild_id| here(*guild_id)).collect();
        for guild_id in guilds {
            self.looks.ask(guild_id);
        }
    }

    fn unseen(&mut self, guild_id: GuildId, channel_id: ChannelId) {
        let unseen = IdleInput::Unseen(channel_id);
        self.clocks.handle(unseen, now());
        self.looks.ask(guild_id);
    }

    /// The clocks know the rooms that are kept as open.
    fn refresh(&mut self) {
        self.kept.mark_unchanged();
        let open = self.context.rooms.rooms();
        let open = open.iter().filter_map(|room| self.open_room(room));
        let open: Vec<OpenRoom> = open.collect();
        let before: BTreeSet<ChannelId> = self.clocks.rooms().map(|it| it.channel_id).collect();
        for room in &open {
            if !before.contains(&room.channel_id) {
                self.looks.ask(room.guild_id);
            }
        }
        self.clocks.handle(IdleInput::Open(open), now());
    }

    fn open_room(&self, room: &RoomRecord) -> Option<OpenRoom> {
        let RoomPhase::Open { channel_id } = room.phase else {
            return None;
        };
        let settings = self.context.rooms.settings();
        let mut lobbies = settings.lobbies.iter();
        let lobby = lobbies.find(|lobby| Some(lobby.channel) == room.lobby);
        Some(OpenRoom {
            guild_id: room.guild_id,
            channel_id,
            owner_id: room.owner_id,
            idle: lobby.map_or(settings.idle, |lobby| lobby.idle),
        })
    }

    fn view(&mut self) {
        let viewed = self.viewed.borrow_and_update().viewed();
        self.clocks.handle(IdleInput::Viewed(viewed), now());
    }

    /// Somebody has looked at who is in a guild's rooms.
    fn looked(&mut self, guild_id: GuildId, seen: &GuildSeen<RoomOccupancy>) {
        for room in &seen.rooms {
            let channel_id = room.channel_id;
            let occupants: BTreeSet<UserId> = room.users.iter().copied().collect();
            if self.lobby_guilds.contains_key(&channel_id) && seen.live && room.exists {
                let people = occupants.iter().filter(|user| !self.bots.contains(user));
                let people = people.map(|user| (*user, self.room_owned(guild_id, *user)));
                let there = LobbyInput::Seen {
                    guild_id,
                    lobby: channel_id,
                    occupants: people.collect(),
                };
                self.lobbies.handle(there, now());
                continue;
            }
            if seen.live && !room.exists {
                self.room_went(channel_id);
            }
            let input = if seen.live && room.exists && room.readable {
                IdleInput::Seen {
                    channel_id,
                    occupants,
                }
            } else {
                IdleInput::Unseen(channel_id)
            };
            self.clocks.handle(input, now());
        }
    }

    fn room_owned(&self, guild_id: GuildId, user_id: UserId) -> RoomOwned {
        if self.context.rooms.wished_for(guild_id, user_id).is_some() {
            RoomOwned::Yes
        } else {
            RoomOwned::No
        }
    }

    /// A channel is not there. If that was a room of ours, what is left of it goes too.
    fn room_went(&self, channel_id: ChannelId) {
        let Some(room) = self.context.rooms.by_channel(channel_id) else {
            return;
        };
        if matches!(room.phase, RoomPhase::Open { .. }) {
            self.executor.repair(room.number);
        }
    }

    /// Has done what the machines decided.
    fn act(&mut self) {
        while let Some(output) = self.clocks.poll_output() {
            self.act_on_idle(output);
        }
        while let Some(output) = self.lobbies.poll_output() {
            let errand = match output {
                LobbyOutput::Serve(guest) => Errand::Serve(guest),
                LobbyOutput::Tell(guest, error) => Errand::Tell(guest, error),
            };
            self.send(errand);
        }
        if let Some(notice) = self.notices.begin() {
            self.send(Errand::Say(notice));
        }
        while let Some(guild_id) = self.looks.begin() {
            let rooms = self.clocks.rooms();
            let rooms = rooms.filter(|room| room.guild_id == guild_id);
            let mut channels: Vec<ChannelId> = rooms.map(|room| room.channel_id).collect();
            let lobbies = self.lobby_guilds.iter();
            let lobbies = lobbies.filter(|(_, of)| **of == Some(guild_id));
            channels.extend(lobbies.map(|(channel_id, _)| *channel_id));
            self.send(Errand::Look(guild_id, channels));
        }
    }

    fn act_on_idle(&mut self, output: IdleOutput) {
        let wall = self.context.clock.now();
        match output {
            IdleOutput::Announce {
                guild_id,
                channel_id,
                deleted_in,
            } => self.notices.say(IdleNotice {
                guild_id,
                channel_id,
                deletes_at: Some(wall + guildhall_ports::millis(deleted_in)),
            }),
            IdleOutput::TakeBack {
                guild_id,
                channel_id,
            } => self.notices.say(IdleNotice {
                guild_id,
                channel_id,
                deletes_at: None,
            }),
            IdleOutput::Delete {
                guild_id,
                channel_id,
            } => self.send(Errand::Delete(guild_id, channel_id)),
            IdleOutput::OwnerIsAway { channel_id, away } => {
                let since = away.then_some(wall);
                self.context.rooms.set_owner_left_at(channel_id, since);
            }
        }
    }

    fn send(&mut self, errand: Errand) {
        let (context, executor) = (self.context.clone(), &self.executor);
        self.errands.spawn(errand.run(context, executor));
    }

    fn ended(&mut self, ended: ErrandEnd) {
        match ended {
            ErrandEnd::Looked(guild_id, seen) => {
                // An answer of before something that has happened since is asked for again.
                let is_new = self.looks.ended(guild_id);
                if let Some(seen) = seen.filter(|_| is_new) {
                    self.looked(guild_id, &seen);
                }
            }
            ErrandEnd::Said => self.notices.ended(),
            ErrandEnd::NotDeleted(channel_id) => {
                let not_deleted = IdleInput::NotDeleted(channel_id);
                self.clocks.handle(not_deleted, now());
            }
            ErrandEnd::Served(guest, result) => {
                let served = LobbyInput::Served(guest, result);
                self.lobbies.handle(served, now());
                // Where they are by now.
                self.looks.ask(guest.guild_id);
            }
            ErrandEnd::Done | ErrandEnd::Stopping => {}
        }
    }
}

#[cfg(test)]
mod tests;
